//! What a delivery costs the system: threads, and writes.

use crate::support::{Identity, Output, Receiver, Sandbox, needs};

/// A publish with these options under strace, and the calls of these names.
fn traced(sandbox: &Sandbox, calls: &str, options: &[&str]) -> (Output, String) {
    let script = format!("exec strace -f -qqq -s 64 -e trace={calls} -o trace \"$@\"");
    let publish = sandbox.hooks(["publish", "PostDeployment", "{}"]);
    let finished = publish.args(options).shell(&script).run();
    let trace = sandbox.read("trace");
    (finished, String::from_utf8_lossy(&trace).into_owned())
}

#[test]
fn a_number_needs_no_look_up_and_a_name_one_for_all_hooks() {
    if !needs("strace") {
        return;
    }
    let threads = |host: &str, hooks: usize| {
        let sandbox = Sandbox::new();
        let receiver = Receiver::new();
        for number in 0..hooks {
            let url = receiver.url_as(&format!("http://{host}"), &format!("/{number}"));
            sandbox.add(&url, "PostDeployment");
        }
        let (finished, trace) = traced(&sandbox, "clone,clone3", &["--jobs", "1"]);
        finished.assert_code(0);
        assert_eq!(receiver.count(), hooks);
        trace.lines().filter(|line| line.contains("clone")).count()
    };
    let least = threads("127.0.0.1", 1);
    assert_eq!(threads("127.0.0.1", 12), least, "numbers");
    assert_eq!(threads("localhost", 1), least + 1, "a name");
    assert_eq!(threads("localhost", 12), least + 1, "a name, twelve times");
}

#[test]
fn a_small_request_leaves_in_one_write() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let calls = "write,writev,sendto,sendmsg";
    let (finished, trace) = traced(&sandbox, calls, &[]);
    finished.assert_code(0);
    assert_eq!(receiver.request().body, b"{}");
    let heads: Vec<&str> = trace.lines().filter(|line| line.contains("POST /")).collect();
    assert_eq!(heads.len(), 1, "{trace}");
    assert_eq!(calls_on(&place(heads[0]), &trace).len(), 1, "{trace}");
}

/// The thread and the descriptor of a call, which together are one connection.
fn place(line: &str) -> (String, String) {
    let (thread, call) = line.split_once(' ').expect("a thread and a call");
    let arguments = call.split_once('(').expect("a call has arguments").1;
    let descriptor = arguments.split([',', ')']).next().unwrap_or_default();
    (thread.to_owned(), descriptor.to_owned())
}

fn calls_on<'a>(connection: &(String, String), trace: &'a str) -> Vec<&'a str> {
    let calls = trace.lines().filter(|line| line.contains('('));
    calls.filter(|line| place(line) == *connection).collect()
}

#[test]
fn over_tls_a_small_request_leaves_with_the_end_of_the_handshake() {
    if !needs("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::tls(&Identity::self_signed());
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--insecure-ssl"]);
    let calls = "socket,write,writev,sendto,sendmsg";
    let (finished, trace) = traced(&sandbox, calls, &[]);
    finished.assert_code(0);
    receiver.request();
    let socket = trace.lines().find(|line| line.contains("SOCK_STREAM"));
    let socket = socket.expect("a socket is made");
    let descriptor = socket.rsplit_once("= ").expect("it has a number").1;
    let connection = (place(socket).0, descriptor.to_owned());
    let writes = calls_on(&connection, &trace);
    assert_eq!(writes.len(), 2, "the hello, and all the rest: {trace}");
}
