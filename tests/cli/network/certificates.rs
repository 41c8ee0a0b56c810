//! What TLS refuses: the cause and the next step, at the first attempt, against openssl's own server.

use std::fs;
use std::process::Command;

use super::early_answers::nginx;
use super::failure;
use crate::support::{Program, Responder, Sandbox, free_port, needs};

/// Runs openssl in the sandbox with these arguments, separated by spaces.
#[track_caller]
fn openssl(sandbox: &Sandbox, arguments: &str) {
    let command = &mut Command::new("openssl");
    let command = command.args(arguments.split_whitespace()).current_dir(sandbox.path());
    let made = command.output().expect("openssl is there");
    assert!(made.status.success(), "openssl {arguments}: {made:?}");
}

/// What makes a certificate one for a server on loopback.
const GOOD: &str = "-addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";

/// Makes `key.pem` and `cert.pem`, signed by itself.
#[track_caller]
fn make(sandbox: &Sandbox, key: &str, more: &str) {
    let make = "req -x509 -nodes -days 30 -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem";
    openssl(sandbox, &format!("{make} -newkey {key} {more}"));
}

/// Makes the certificate an authority that the hook trusts.
#[track_caller]
fn trust_it(sandbox: &Sandbox) {
    let at = |name: &str| sandbox.path().join(name);
    fs::copy(at("cert.pem"), at("ca.pem")).expect("a file can be copied");
}

/// What is said of openssl's server with this certificate and these options, when the hook trusts `ca.pem`. It would be
/// no different at another attempt.
#[track_caller]
fn reason(sandbox: &Sandbox, options: &str) -> String {
    let port = free_port();
    let server = &mut Command::new("openssl");
    let server = server
        .args(["s_server", "-www", "-cert", "cert.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .args(options.split_whitespace())
        .current_dir(sandbox.path());
    let server = Program::start(server);
    server.stdout_line("ACCEPT");
    let url = format!("https://127.0.0.1:{port}/");
    let id = sandbox.add_with(&url, "PostDeployment", ["--ca-file", "ca.pem"]);
    let (reason, attempts) = failure(sandbox, &[]);
    assert_eq!(attempts, 1, "{reason}");
    let is_library_text = reason.contains(['{', '\n']) || reason.contains("Error");
    assert!(!is_library_text && reason.len() < 200, "{reason}");
    let removed = sandbox.hooks(["remove", &id]).run();
    removed.assert_code(0);
    reason
}

#[track_caller]
fn assert_has(reason: &str, words: &[&str], case: &str) {
    let lacking: Vec<_> = words.iter().filter(|word| !reason.contains(**word)).collect();
    assert!(lacking.is_empty(), "{case}: {reason}: {lacking:?}");
}

#[test]
fn a_fault_of_a_certificate_is_named_with_the_next_step() {
    if !needs("openssl") {
        return;
    }
    let rsa = "rsa:2048";
    let names_none = "-addext basicConstraints=critical,CA:FALSE";
    let new_one = "openssl req -x509 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=";
    for (key, more, words) in [
        (rsa, names_none, &["no subjectAltName", new_one][..]),
        ("ed25519", names_none, &["no subjectAltName", new_one]),
        (rsa, "-addext subjectAltName=IP:127.0.0.1", &["marked as a CA", new_one]),
        (rsa, "", &["marked as a CA", new_one]),
        (rsa, &format!("{GOOD} -sha1"), &["signed in a way", "SHA-1", "P-256"]),
        (rsa, &format!("{GOOD} -addext extendedKeyUsage=clientAuth"), &["serverAuth"]),
        (
            rsa,
            "-addext subjectAltName=DNS:a.example -addext basicConstraints=CA:FALSE",
            &["another name"],
        ),
    ] {
        let sandbox = Sandbox::new();
        make(&sandbox, key, more);
        trust_it(&sandbox);
        for options in ["-tls1_2", "-tls1_3"] {
            assert_has(&reason(&sandbox, options), words, more);
        }
    }
}

#[test]
fn a_certificate_of_version_1_is_named() {
    if !needs("openssl") {
        return;
    }
    for key in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"] {
        let sandbox = Sandbox::new();
        let request = "req -nodes -subj /CN=127.0.0.1 -keyout key.pem -out csr.pem";
        openssl(&sandbox, &format!("{request} -newkey {key}"));
        openssl(&sandbox, "x509 -req -in csr.pem -signkey key.pem -out cert.pem");
        trust_it(&sandbox);
        let words = ["X.509 version 1", "-addext subjectAltName=IP:127.0.0.1"];
        assert_has(&reason(&sandbox, ""), &words, key);
    }
}

#[test]
fn an_authority_with_a_key_that_is_not_supported_is_named() {
    if !needs("openssl") {
        return;
    }
    for authority in
        ["ec -pkeyopt ec_paramgen_curve:P-521", "ed448", "ec -pkeyopt ec_paramgen_curve:secp256k1"]
    {
        let sandbox = Sandbox::new();
        make(&sandbox, authority, "");
        for (from, to) in [("cert.pem", "ca.pem"), ("key.pem", "ca-key.pem")] {
            fs::rename(sandbox.path().join(from), sandbox.path().join(to)).unwrap();
        }
        make(&sandbox, "rsa:2048", &format!("{GOOD} -CA ca.pem -CAkey ca-key.pem"));
        let words = ["signed in a way that is not supported", "P-521", "P-256"];
        assert_has(&reason(&sandbox, ""), &words, authority);
    }
}

#[test]
fn a_server_that_has_no_tls_in_common_with_us_is_told_what_it_must_offer() {
    if !needs("openssl") {
        return;
    }
    let words = ["no TLS in common", "TLS 1.3", "1.2 with ECDHE", "P-256"];
    for key in ["ec -pkeyopt ec_paramgen_curve:P-521", "ed448"] {
        let sandbox = Sandbox::new();
        make(&sandbox, key, GOOD);
        trust_it(&sandbox);
        assert_has(&reason(&sandbox, ""), &words, key);
    }
    let sandbox = Sandbox::new();
    make(&sandbox, "rsa:2048", GOOD);
    trust_it(&sandbox);
    for options in [
        "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256",
        "-tls1_2 -cipher AES256-SHA",
        "-tls1_2 -cipher AES128-GCM-SHA256",
        "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256",
        "-curves P-521",
        "-curves X448",
    ] {
        assert_has(&reason(&sandbox, options), &words, options);
    }
    for options in ["-tls1_1", "-tls1"] {
        let reason = reason(&sandbox, &format!("{options} -cipher DEFAULT@SECLEVEL=0"));
        assert_has(&reason, &["no TLS version that is safe", "1.2"], options);
    }
}

#[test]
fn a_server_that_wants_a_client_certificate_is_named_under_both_versions() {
    if !needs("openssl") {
        return;
    }
    let sandbox = Sandbox::new();
    make(&sandbox, "rsa:2048", GOOD);
    trust_it(&sandbox);
    for options in [
        "-tls1_2 -Verify 1",
        "-tls1_3 -Verify 1",
        "-tls1_2 -Verify 1 -verify_return_error",
        "-Verify 1 -verify_return_error",
    ] {
        assert_has(&reason(&sandbox, options), &["wants a client certificate"], options);
    }
}

/// The options to openssl that this advice names.
fn advised(text: &str) -> String {
    let words: Vec<_> = text.split([' ', '`', '\n']).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "-addext");
    pairs.map(|pair| pair.join(" ") + " ").collect()
}

#[test]
fn the_advice_makes_a_certificate_that_works() {
    if !needs("openssl") {
        return;
    }
    let page = include_str!("../../../docs/receivers.md").replace("HOST", "localhost");
    let start = page.find("openssl req -x509").expect("the page tells how");
    let sandbox = Sandbox::new();
    make(&sandbox, "rsa:2048", "");
    let plain = Responder::tls(&sandbox.read("cert.pem"), &sandbox.read("key.pem"));
    for host in ["127.0.0.1", "localhost"] {
        let trusting = Sandbox::new();
        trusting.write("ca.pem", sandbox.read("cert.pem"));
        let url = |server: &Responder| format!("https://{host}:{}/", server.port());
        trusting.add_with(&url(&plain), "PostDeployment", ["--ca-file", "ca.pem"]);
        let mut advice = vec![failure(&trusting, &[]).0];
        if host == "localhost" {
            advice.push(page[start..start + 200].to_owned());
        }
        for advice in advice {
            make(&trusting, "rsa:2048", &advised(&advice));
            let good = Responder::tls(&trusting.read("cert.pem"), &trusting.read("key.pem"));
            let edit = ["edit", "1", "--ca-file", "cert.pem", "--url", &url(&good)];
            trusting.hooks(edit).run().assert_code(0);
            trusting.publish().assert_code(0);
            assert_eq!(good.requests(), 1, "{advice}");
        }
    }
}

#[test]
fn nginx_with_each_kind_of_certificate_and_cipher_is_delivered_to_or_named() {
    if !needs("openssl") || !needs("nginx") {
        return;
    }
    let sandbox = Sandbox::new();
    let named = |name: &str, key: &str, more: &str| {
        make(&sandbox, key, more);
        for file in ["cert.pem", "key.pem"] {
            let from = sandbox.path().join(file);
            fs::rename(from, sandbox.path().join(format!("{name}-{file}"))).unwrap();
        }
    };
    named("good", "rsa:2048", GOOD);
    named("curve", "ec -pkeyopt ec_paramgen_curve:P-256", GOOD);
    let nameless = "-addext basicConstraints=critical,CA:FALSE";
    named("nameless", "rsa:2048", nameless);
    named("authority", "rsa:2048", "");
    named("p521", "ec -pkeyopt ec_paramgen_curve:P-521", GOOD);
    // Which certificate, what else it is told, and what is said; nothing where it is delivered to.
    let cases: [(&str, &str, &[&str]); 9] = [
        ("good", "", &[]),
        ("curve", "ssl_protocols TLSv1.2;", &[]),
        ("good", "ssl_protocols TLSv1.3;", &[]),
        ("nameless", "", &["names no host", "subjectAltName"]),
        ("authority", "", &["marked as a CA", "subjectAltName"]),
        ("p521", "", &["no TLS in common"]),
        (
            "good",
            "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-SHA256;",
            &["no TLS in common", "1.2 with ECDHE"],
        ),
        (
            "good",
            "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;",
            &["no TLS version that is safe"],
        ),
        // It does not say so in TLS, but in HTTP.
        (
            "good",
            "ssl_client_certificate good-cert.pem; ssl_verify_client on;",
            &["No required SSL certificate was sent"],
        ),
    ];
    let ports: Vec<_> = cases.iter().map(|_| free_port()).collect();
    let servers = cases.iter().zip(&ports).map(|((name, more, _), port)| {
        format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {name}-cert.pem; \
             ssl_certificate_key {name}-key.pem; {more} location / {{ return 200; }} }}\n"
        )
    });
    let _nginx = nginx(&sandbox, &servers.collect::<String>());
    for ((name, more, words), port) in cases.iter().zip(&ports) {
        let url = format!("https://127.0.0.1:{port}/");
        let ca_file = format!("{name}-cert.pem");
        let id = sandbox.add_with(&url, "PostDeployment", ["--ca-file", &ca_file]);
        if words.is_empty() {
            sandbox.publish().assert_code(0);
        } else {
            let (reason, attempts) = failure(&sandbox, &[]);
            assert_eq!(attempts, 1, "{name} {more}: {reason}");
            assert_has(&reason, words, &format!("{name} {more}"));
        }
        sandbox.hooks(["remove", &id]).run().assert_code(0);
    }
}
