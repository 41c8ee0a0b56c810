//! The receiver over real connections.

use super::*;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

const POST: &str = "POST /a?b HTTP/1.1\r\nHost: h\r\nX-Two: 2\r\ncontent-length: 2\r\n\r\nhi";

fn connect(receiver: &Receiver) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, receiver.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// What the receiver answers while nobody takes requests from it.
fn answer_to(receiver: &Receiver, request: &[u8]) -> String {
    let mut stream = connect(receiver);
    stream.write_all(request).unwrap();
    read_answer(&mut stream)
}

fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_request_is_handed_over_and_answered() {
    let receiver = Receiver::bind(0).unwrap();
    let mut stream = connect(&receiver);
    stream.write_all(POST.as_bytes()).unwrap();
    let (request, reply) = receiver.next(|_| Reply::text(401, "no\n")).unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/a?b"));
    assert_eq!(request.header("x-TWO"), Some("2"));
    assert_eq!(request.header("x-three"), None);
    assert_eq!(request.body, b"hi");
    assert_eq!(reply, Reply::text(401, "no\n"));
    assert_eq!(
        read_answer(&mut stream),
        "HTTP/1.1 401 \r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: 3\r\n\r\nno\n"
    );
}

#[test]
fn other_methods_are_given_but_not_accepted() {
    let receiver = Receiver::bind(0).unwrap();
    let mut stream = connect(&receiver);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let (request, reply) = receiver.next(|_| Reply::status(204)).unwrap();
    assert_eq!((request.method.as_str(), reply.status), ("GET", 405));
    assert!(read_answer(&mut stream).contains("\r\nallow: POST\r\n"));
}

#[test]
fn chunks_and_expectations_are_understood() {
    let receiver = Receiver::bind(0).unwrap();
    let mut stream = connect(&receiver);
    let head = "POST / HTTP/1.1\r\nexpect: 100-continue\r\ntransfer-encoding: Chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    for part in ["2;x=y\r", "\nhi\r\n1\r\n!", "\r\n0\r\nt: 1\r\n\r\n"] {
        stream.write_all(part.as_bytes()).unwrap();
    }
    let (request, _) = receiver.next(|_| Reply::status(204)).unwrap();
    assert_eq!(request.body, b"hi!");
    assert_eq!(read_answer(&mut stream), "HTTP/1.1 204 \r\nconnection: close\r\n\r\n");
}

#[test]
fn what_is_no_request_is_refused() {
    let receiver = Receiver::bind(0).unwrap();
    let post = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
    let chunked = post("transfer-encoding: chunked");
    for (request, status) in [
        ("hello\r\n\r\n".to_owned(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        (post("no colon"), 400),
        (post("content-length: -1"), 400),
        (post("content-length: +1"), 400),
        (post("content-length: 1\r\ncontent-length: 2"), 400),
        (post("content-length: 1\r\ntransfer-encoding: chunked"), 400),
        (post("content-length: 2097153"), 413),
        (post("content-length: 1000000000000000"), 413),
        (post("content-length: 99999999999999999999999"), 413),
        (post("content-length: 1\r\nexpect: a-miracle"), 417),
        (post(&format!("x: {}", "a".repeat(100_000))), 431),
        (post(&"x: y\r\n".repeat(200)), 431),
        (post("transfer-encoding: gzip, chunked"), 501),
        (format!("{chunked}xyz\r\n"), 400),
        (format!("{chunked}1\r\nabc"), 400),
        (format!("{chunked}200001\r\n"), 413),
        (format!("{chunked}fffffffffffffff\r\n"), 413),
    ] {
        let answer = answer_to(&receiver, request.as_bytes());
        let wanted = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&wanted), "{request:.70?}: {answer}");
    }
}

#[test]
fn a_client_still_sending_gets_to_read_the_refusal() {
    let receiver = Receiver::bind(0).unwrap();
    let mut request = b"POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n".to_vec();
    request.resize(9_000_000, b'x');
    assert!(answer_to(&receiver, &request).starts_with("HTTP/1.1 413 "));
}

#[test]
fn slow_and_vanishing_clients_hold_up_nobody() {
    let receiver = Receiver::bind(0).unwrap();
    let slow: Vec<TcpStream> = (0..40).map(|_| connect(&receiver)).collect();
    for (half, mut stream) in slow.iter().enumerate() {
        stream.write_all(&POST.as_bytes()[..half]).unwrap();
    }
    slow[0].shutdown(Shutdown::Both).unwrap();
    let mut stream = connect(&receiver);
    stream.write_all(POST.as_bytes()).unwrap();
    let (request, _) = receiver.next(|_| Reply::status(204)).unwrap();
    assert_eq!(request.body, b"hi");
}

#[test]
fn too_many_connections_are_turned_away() {
    let receiver = Receiver::bind(0).unwrap();
    let idle: Vec<TcpStream> = (0..MAX_CONNECTIONS).map(|_| connect(&receiver)).collect();
    assert!(answer_to(&receiver, b"").starts_with("HTTP/1.1 503 "));
    drop(idle);
}

#[test]
fn a_port_in_use_is_named() {
    let first = Receiver::bind(0).unwrap();
    assert_eq!(first.url(), format!("http://127.0.0.1:{}", first.port));
    let Err(error) = Receiver::bind(first.port) else {
        panic!("two receivers on one port");
    };
    let wanted = format!("port {} of 127.0.0.1 is in use already", first.port);
    assert_eq!(error.to_string(), wanted);
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn stopping_ends_the_wait() {
    let receiver = Receiver::bind(0).unwrap();
    let stopping = thread::spawn(receiver.stopper());
    assert_eq!(receiver.next(|_| Reply::status(204)), None);
    stopping.join().unwrap();
}
