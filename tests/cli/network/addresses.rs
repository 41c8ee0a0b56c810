//! A name with several addresses, of which some are dead.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::support::{Output, Sandbox, Server, needs_success, read_request};

/// Whether a process may have its own `/etc/hosts` on this machine.
pub(super) fn needs_own_hosts() -> bool {
    let command = ["-rm", "mount", "--bind", "/etc/hosts", "/etc/hosts"];
    needs_success("unshare -rm", Command::new("unshare").args(command)).is_some()
}

/// An address and port where a connection is neither taken nor refused: its queue is full.
struct Dead {
    listener: TcpListener,
    waiting: Vec<TcpStream>,
}

impl Dead {
    fn at(address: &str, port: u16) -> Self {
        let listener = TcpListener::bind((address, port)).expect("the port is free there, too");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
        }
        Self { listener, waiting }
    }
}

/// A receiver at the address that the system sorts behind 127.0.0.1, .2 and .3: it has least in common with
/// our own, which is 127.0.0.1.
fn last_receiver() -> Server {
    Server::at("127.0.0.4", |mut stream| {
        if read_request(&stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    })
}

/// A publish to `many.example` with these addresses, at this port.
fn publish(addresses: &[&str], port: u16, timeout: &str) -> Output {
    let sandbox = Sandbox::new();
    sandbox.add(&format!("http://many.example:{port}/"), "PostDeployment");
    let line = |address: &&str| format!("{address} many.example\n");
    sandbox.write("hosts", addresses.iter().map(line).collect::<String>());
    let publish = ["publish", "PostDeployment", "{}", "--retries", "0"];
    let own_hosts =
        "exec unshare -rm sh -c 'mount --bind hosts /etc/hosts && exec \"$@\"' sh \"$@\"";
    let publish = sandbox.hooks(publish).args(["--timeout", timeout]);
    publish.shell(own_hosts).run()
}

#[test]
fn a_dead_address_costs_a_part_of_a_second() {
    if !needs_own_hosts() {
        return;
    }
    let receiver = last_receiver();
    let port = receiver.port();
    let _dead = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(|address| Dead::at(address, port));
    for (addresses, seconds) in [
        (&["127.0.0.1", "127.0.0.4"][..], 2),
        (&["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"], 3),
    ] {
        let published = publish(addresses, port, "20s");
        published
            .assert_code(0)
            .assert_took(Duration::from_millis(200), Duration::from_secs(seconds));
    }
    let published = publish(&["127.0.0.1", "127.0.0.2"], port, "1s");
    published.assert_code(3).assert_stdout_has(&["timed out after 1s"]);
}

#[test]
fn an_address_that_refuses_costs_nothing() {
    if !needs_own_hosts() {
        return;
    }
    let receiver = last_receiver();
    let port = receiver.port();
    let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
    publish(&addresses, port, "10s").assert_code(0);
    let published = publish(&["127.0.0.1", "127.0.0.2"], port, "10s");
    published.assert_code(3).assert_stdout_has(&["connection refused"]);
}

#[test]
fn the_other_family_is_tried_when_one_is_dead() {
    if !needs_own_hosts() || TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let receiver = last_receiver();
    let port = receiver.port();
    let _dead = Dead::at("::1", port);
    let published = publish(&["::1", "127.0.0.4"], port, "20s");
    published.assert_code(0).assert_took(Duration::from_millis(200), Duration::from_secs(2));
}

#[test]
fn a_slow_connection_is_not_given_up_for_a_dead_one() {
    if !needs_own_hosts() {
        return;
    }
    let receiver = last_receiver();
    let port = receiver.port();
    let slow = Dead::at("127.0.0.1", port);
    let _dead = Dead::at("127.0.0.2", port);
    let freed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(800));
        // Its queue is emptied: the system takes our connection at its next try.
        let listener = slow.listener;
        drop(slow.waiting);
        listener.set_nonblocking(false).expect("a listener can wait");
        while let Ok((mut stream, _)) = listener.accept() {
            if read_request(&stream).is_some() {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                return;
            }
        }
    });
    publish(&["127.0.0.1", "127.0.0.2"], port, "20s").assert_code(0);
    freed.join().expect("it was called");
}
