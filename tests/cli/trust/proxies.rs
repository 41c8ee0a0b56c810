//! Proxies from the environment, as curl reads it.
//!
//! A scripted receiver serves as the proxy: it records the CONNECT, accepts it, and then answers the delivery that
//! comes over the same connection.

use std::process::Command;

use crate::support::{
    Identity, Output, Program, Receiver, Reply, Request, Sandbox, base64, free_port, needs,
    refused_url,
};

/// A publish with these variables, and nothing tried again.
fn publish(sandbox: &Sandbox, environment: &[(&str, &str)]) -> Output {
    let mut publish = sandbox.hooks(["publish", "PostDeployment", "{}", "--retries", "0"]);
    for (name, value) in environment {
        publish = publish.env(name, value);
    }
    publish.run()
}

/// A sandbox with one hook, at whose address nothing listens: only a proxy can answer.
fn unanswered(scheme: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add(&format!("{scheme}://127.0.0.1:9/x"), "PostDeployment");
    sandbox
}

fn methods(proxy: &Receiver) -> Vec<String> {
    let requests = proxy.requests();
    requests.into_iter().map(|request| request.method).collect()
}

#[test]
fn a_delivery_goes_through_a_tunnel_and_only_its_receiver_sees_its_headers() {
    let proxy = Receiver::new();
    let sandbox = Sandbox::new();
    let header = ["--header", "X-Auth: for the receiver", "--generate-secret"];
    let url = "http://hook:pw@127.0.0.1:9/x?y=z";
    sandbox.add_with(url, "PostDeployment", header);
    let address = proxy.url_as("http://us%20er:p%40ss%3A@127.0.0.1", "");
    publish(&sandbox, &[("http_proxy", &address)]).assert_code(0);
    let [connect, delivery]: [Request; 2] = proxy.requests().try_into().unwrap();
    assert_eq!(connect.method, "CONNECT");
    assert_eq!(connect.target, "127.0.0.1:9");
    let credentials = format!("Basic {}", base64("us er:p@ss:"));
    assert_eq!(connect.the_header("proxy-authorization"), credentials);
    for name in ["authorization", "x-auth", "webhook-id", "webhook-signature"] {
        assert_eq!(connect.header(name), None, "{name}");
    }
    assert_eq!(delivery.target, "/x?y=z");
    assert_eq!(delivery.the_header("x-auth"), "for the receiver");
    let credentials = format!("Basic {}", base64("hook:pw"));
    assert_eq!(delivery.the_header("authorization"), credentials);
    assert_eq!(delivery.header("proxy-authorization"), None);
}

#[test]
fn each_scheme_has_its_variables_and_only_http_proxy_must_be_in_lower_case() {
    for (scheme, name) in [
        ("http", "http_proxy"),
        ("http", "all_proxy"),
        ("http", "ALL_PROXY"),
        ("https", "https_proxy"),
        ("https", "HTTPS_PROXY"),
        ("https", "all_proxy"),
        ("https", "ALL_PROXY"),
    ] {
        let proxy = Receiver::answering([Reply::status(403)]);
        let published = publish(&unanswered(scheme), &[(name, &proxy.url(""))]);
        published.assert_code(3);
        assert_eq!(methods(&proxy), ["CONNECT"], "{scheme} {name}");
        assert!(published.stdout.contains("proxy"), "{}", published.stdout);
    }
    for (scheme, name) in [
        ("http", "HTTP_PROXY"),
        ("http", "https_proxy"),
        ("http", "HTTPS_PROXY"),
        ("http", "ftp_proxy"),
        ("https", "http_proxy"),
        ("https", "HTTP_PROXY"),
    ] {
        let proxy = Receiver::never();
        let published = publish(&unanswered(scheme), &[(name, &proxy.url(""))]);
        published.assert_code(3);
        let direct = "connection refused";
        assert!(published.stdout.contains(direct), "{}", published.stdout);
        assert!(!published.stdout.contains("proxy"), "{}", published.stdout);
    }
}

#[test]
fn the_narrower_variable_wins_and_an_empty_one_counts_as_unset() {
    let unanswered_proxy = "http://127.0.0.1:9";
    for (scheme, first, second) in [
        ("http", "http_proxy", "all_proxy"),
        ("https", "https_proxy", "HTTPS_PROXY"),
        ("https", "HTTPS_PROXY", "all_proxy"),
        ("https", "all_proxy", "ALL_PROXY"),
    ] {
        let proxy = Receiver::answering([Reply::status(403)]);
        let address = proxy.url("");
        let sandbox = unanswered(scheme);
        let both = [(first, &*address), (second, unanswered_proxy)];
        publish(&sandbox, &both).assert_code(3);
        assert_eq!(methods(&proxy), ["CONNECT"], "{first} before {second}");
        let other = [(first, ""), (second, &*address)];
        publish(&sandbox, &other).assert_code(3);
        assert_eq!(methods(&proxy).len(), 2, "{second}, {first} is empty");
        let bypass = [(second, &*address), ("no_proxy", ""), ("NO_PROXY", "127.0.0.1")];
        publish(&sandbox, &bypass).assert_code(3);
        assert_eq!(methods(&proxy).len(), 2, "NO_PROXY, no_proxy is empty");
    }
}

#[test]
fn no_proxy_bypasses_by_name_by_suffix_and_by_star_with_spaces_and_in_both_cases() {
    for (name, value) in [
        ("NO_PROXY", "localhost, 127.0.0.1"),
        ("no_proxy", "localhost, 127.0.0.1"),
        ("no_proxy", "127.0.0.1"),
        ("no_proxy", " 127.0.0.1 ,h.example"),
        ("no_proxy", "*"),
    ] {
        let (proxy, receiver) = (Receiver::never(), Receiver::new());
        let sandbox = Sandbox::new();
        sandbox.add(&receiver.url("/"), "PostDeployment");
        let address = proxy.url("");
        let environment = [("http_proxy", &*address), (name, value)];
        publish(&sandbox, &environment).assert_code(0);
        assert_eq!(methods(&receiver), ["POST"], "{name}={value}");
    }
    for (host, value) in
        [("LocalHost", "localhost"), ("localhost", "LOCALHOST"), ("localhost", ".localhost")]
    {
        let (proxy, receiver) = (Receiver::never(), Receiver::new());
        let sandbox = Sandbox::new();
        let url = receiver.url_as(&format!("http://{host}"), "/");
        sandbox.add(&url, "PostDeployment");
        let address = proxy.url("");
        let environment = [("all_proxy", &*address), ("no_proxy", value)];
        publish(&sandbox, &environment).assert_code(0);
        assert_eq!(methods(&receiver), ["POST"], "{host}: {value}");
    }
    // A label of over 63 characters is never found, and no query is made for it.
    let host = format!("{}.h.example", "a".repeat(64));
    for value in ["h.example", ".h.example", "other, .example", &host] {
        let proxy = Receiver::never();
        let sandbox = Sandbox::new();
        sandbox.add(&format!("http://{host}:9/"), "PostDeployment");
        let address = proxy.url("");
        let environment = [("all_proxy", &*address), ("no_proxy", value)];
        let published = publish(&sandbox, &environment);
        published.assert_code(3);
        assert!(published.stdout.contains("not found"), "{}", published.stdout);
    }
}

#[test]
fn no_proxy_bypasses_nothing_else() {
    for (url, value) in [
        ("http://notlocalhost:9/", "localhost"),
        ("http://localhost.example:9/", "localhost"),
        ("http://example.localhost:9/", "ample.localhost"),
        ("http://h.example:9/", "b.h.example"),
        ("http://127.0.0.1:9/", "127.0.0.11, 27.0.0.1"),
        ("http://192.168.0.1:9/", "192.168.0.1/33, 192.168.0.1/-1"),
        ("http://[fd00::1]:9/", "fd00::1/129"),
        (refused_url(), ""),
        (refused_url(), ","),
    ] {
        let proxy = Receiver::new();
        let sandbox = Sandbox::new();
        sandbox.add(url, "PostDeployment");
        let address = proxy.url("");
        let environment = [("http_proxy", &*address), ("no_proxy", value)];
        publish(&sandbox, &environment).assert_code(0);
        assert_eq!(methods(&proxy), ["CONNECT", "POST"], "{url}: {value}");
    }
}

#[test]
fn the_error_of_a_proxy_names_the_proxy() {
    let denying = Receiver::answering([Reply::status(407)]);
    let hanging_up = Receiver::answering([Reply::hang_up()]);
    for proxy in [
        "http://127.0.0.1:9".to_owned(),
        "ftp://127.0.0.1:9".to_owned(),
        "http://127.0.0.1:99999".to_owned(),
        denying.url(""),
        hanging_up.url(""),
    ] {
        let published = publish(&unanswered("http"), &[("http_proxy", &proxy)]);
        published.assert_code(3);
        assert!(published.stdout.contains("proxy"), "{}", published.stdout);
    }
}

/// A real forward proxy with a user and a password, and its port.
fn tinyproxy(sandbox: &Sandbox) -> (Program, u16) {
    let port = free_port();
    let configuration = format!(
        "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 30\nLogLevel Connect\n\
         BasicAuth deployer Pw-tinyproxy\n"
    );
    let configuration = sandbox.write("tinyproxy.conf", configuration);
    let mut command = Command::new("tinyproxy");
    let proxy = Program::start(command.args(["-d", "-c"]).arg(configuration));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    // At this log level it prints nothing before the first connection.
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < until, "tinyproxy does not start");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    (proxy, port)
}

#[test]
fn a_real_forward_proxy_carries_an_http_and_an_https_delivery() {
    if !needs("tinyproxy") {
        return;
    }
    let sandbox = Sandbox::new();
    let (proxy, port) = tinyproxy(&sandbox);
    let identity = Identity::from_private_ca();
    let (plain, secure) = (Receiver::new(), Receiver::tls(&identity));
    sandbox.write("ca.pem", &identity.ca_pem);
    sandbox.add(&plain.url("/plain"), "PostDeployment");
    let ca_file = ["--ca-file", "ca.pem"];
    sandbox.add_with(&secure.url("/secure"), "PostDeployment", ca_file);
    let address = format!("http://deployer:Pw-tinyproxy@127.0.0.1:{port}");
    publish(&sandbox, &[("all_proxy", &address)]).assert_code(0);
    assert_eq!(plain.request().target, "/plain");
    assert_eq!(secure.request().target, "/secure");
    let wrong = format!("http://deployer:Pw-wrong@127.0.0.1:{port}");
    let refused = publish(&sandbox, &[("all_proxy", &wrong)]);
    refused.assert_code(3).assert_hides("Pw-wrong");
    assert_eq!(refused.stdout.matches("proxy").count(), 2, "{}", refused.stdout);
    assert_eq!(plain.count() + secure.count(), 2);
    let log = proxy.end();
    for receiver in [&plain, &secure] {
        let connect = format!("CONNECT 127.0.0.1:{}", receiver.port());
        assert!(log.contains(&connect), "{log}");
    }
}
