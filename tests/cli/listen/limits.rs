//! What bounds `listen`: its memory, and its end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{self, Sandbox, full_pipe, wait_until};

/// The longest body that it takes.
const LONGEST: usize = 2 * 1024 * 1024;

/// What it may hold at most while many long bodies wait, in KiB.
const MEMORY: u64 = 128 * 1024;

/// Sends a request with the longest body, as often as it takes to get it accepted.
fn deliver(address: &str, chunked: bool) {
    loop {
        match try_to_deliver(address, chunked) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => return,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => panic!("it is gone"),
            Ok(_) | Err(_) => {}
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn try_to_deliver(address: &str, chunked: bool) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let head = if chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {LONGEST}")
    };
    stream.write_all(format!("POST / HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n").as_bytes())?;
    let part = [b'x'; 16 * 1024];
    for _ in 0..LONGEST / part.len() {
        if chunked {
            stream.write_all(format!("{:x}\r\n", part.len()).as_bytes())?;
        }
        stream.write_all(&part)?;
        if chunked {
            stream.write_all(b"\r\n")?;
        }
    }
    if chunked {
        stream.write_all(b"0\r\n\r\n")?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn more_long_bodies_than_fit_into_memory_at_once_all_arrive() {
    let sandbox = Sandbox::new();
    let listen = sandbox
        .hooks(["listen", "--port", "0", "--count", "24"])
        .shell(r#"exec "$@" >/dev/null"#)
        .spawn();
    let line = listen.stderr_line("listening on ");
    let address = line.strip_prefix("listening on http://").unwrap().to_owned();
    let senders: Vec<_> = (0..24)
        .map(|number| {
            let address = address.clone();
            thread::spawn(move || deliver(&address, number % 2 == 0))
        })
        .collect();
    for sender in senders {
        sender.join().expect("each is delivered");
    }
    listen.wait().assert_code(0);
}

/// `listen` whose standard output takes nothing.
struct Stuck {
    child: Child,
    address: String,
    _reader: std::io::PipeReader,
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen_stuck(sandbox: &Sandbox) -> Stuck {
    let (reader, writer) = full_pipe();
    let (mut stderr, said) = std::io::pipe().expect("a pipe");
    let child = Command::new(Sandbox::BINARY)
        .args(["listen", "--port", "0"])
        .current_dir(sandbox.path())
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(said)
        .spawn()
        .expect("hooks starts");
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        stderr.read_exact(&mut byte).expect("it says where");
        line.extend(byte);
    }
    let line = String::from_utf8(line).expect("it is UTF-8");
    let address = line.trim().strip_prefix("listening on http://");
    Stuck { child, address: address.expect("it says where").to_owned(), _reader: reader }
}

/// A connection that finds the queue full is tried again by its system only a second later.
#[test]
fn all_connections_that_one_publish_opens_wait_without_being_tried_again() {
    let sandbox = Sandbox::new();
    let (listen, url) = super::listen(&sandbox, &[]);
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    listen.signal(support::Signal::Stop);
    let connect = || TcpStream::connect_timeout(&address, Duration::from_secs(10)).ok();
    let waiting: Vec<_> = (0..256).map_while(|_| connect()).collect();
    assert_eq!(waiting.len(), 256);
}

#[test]
fn while_nobody_reads_the_bodies_that_wait_take_little_memory() {
    let sandbox = Sandbox::new();
    let listen = listen_stuck(&sandbox);
    for number in 0..320 {
        let address = listen.address.clone();
        // They end with the process that they talk to.
        thread::spawn(move || try_to_deliver(&address, number % 2 == 0));
    }
    let status = format!("/proc/{}/status", listen.child.id());
    let memory = || {
        let text = std::fs::read_to_string(&status).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.trim().parse::<u64>().ok()).expect("the kernel tells")
    };
    // Until it has taken nothing more for two seconds.
    let (mut peak, mut calm) = (0, 0);
    wait_until(|| {
        let now = memory();
        calm = if now == peak { calm + 1 } else { 0 };
        peak = now;
        calm == 20
    });
    assert!(peak > 20 * 1024, "nothing has arrived: {peak} KiB");
    assert!(peak < MEMORY, "{peak} KiB");
}

#[test]
fn a_signal_ends_it_while_nobody_reads() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let sandbox = Sandbox::new();
        let mut listen = listen_stuck(&sandbox);
        let mut stream = TcpStream::connect(&listen.address).expect("it listens");
        stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").expect("it reads");
        // The answer comes before the line that nobody reads.
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let pid = i32::try_from(listen.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("it has an id"), signal).expect("it runs");
        let mut status = None;
        wait_until(|| {
            status = listen.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        assert_eq!(status.and_then(|status| status.code()), Some(code));
    }
}
