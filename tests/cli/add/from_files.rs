//! URLs and headers from files and standard input: a command line is seen by every user of the machine.

use serde_json::json;

use crate::support::Sandbox;

const CHAT: &str = "https://hooks.slack.com/services/T0AB12CD/B0AB12CD/abcDEF123456ghiJKL789012";

#[test]
fn a_url_is_read_from_a_file_or_standard_input() {
    let sandbox = Sandbox::new();
    for (number, text) in [
        format!("{CHAT}/1"),
        format!("{CHAT}/2\n"),
        format!("{CHAT}/3\r\n"),
        format!("\u{feff}{CHAT}/4\n"),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.write("url", &text);
        let from_file =
            sandbox.hooks(["add", "--event", "E", "--url", "@url", "--format", "slack"]).run();
        from_file.assert_code(0).assert_hides("abcDEF");
        let edit = ["edit", &(number + 1).to_string(), "--url", "-"];
        let with_key = text.replacen("/T0", "/x/T0", 1);
        sandbox.hooks(edit).stdin(with_key).run().assert_code(0).assert_hides("abcDEF");
        let url = format!("{CHAT}/{}", number + 1).replacen("/T0", "/x/T0", 1);
        assert_eq!(sandbox.hook(&(number + 1).to_string())["url"], url);
    }
}

#[test]
fn headers_are_read_from_files_a_line_each() {
    let sandbox = Sandbox::new();
    sandbox.write("headers", "\u{feff}Authorization: Bearer s3cret\r\n\r\n  X-A : 1 \nX-B:\n");
    sandbox.write("more", "x-c: 3");
    let add = [
        "add",
        "--url",
        "http://h/",
        "--event",
        "E",
        "--header",
        "X-A: 0",
        "--header",
        "@headers",
        "--header",
        "@more",
        "--header",
        "X-D: 4",
    ];
    sandbox.hooks(add).run().assert_code(0).assert_hides("s3cret");
    let headers = json!({"Authorization": "Bearer s3cret", "X-A": "1", "x-c": "3", "X-D": "4"});
    assert_eq!(sandbox.hook("1")["headers"], headers);
    sandbox.write("clear", "authorization:\nx-a:\n");
    sandbox.hooks(["edit", "1", "--header", "@clear"]).run().assert_code(0);
    assert_eq!(sandbox.hook("1")["headers"], json!({"x-c": "3", "X-D": "4"}));
}

#[test]
fn what_is_wrong_in_a_file_is_said_without_a_quote() {
    let sandbox = Sandbox::new();
    sandbox.write("empty", "");
    sandbox.write("none", "s3cret");
    sandbox.write("two", "http://u:s3cret@h/\nhttp://h/\n");
    sandbox.write("utf16", b"\xFF\xFEh\0");
    sandbox.write("header", "X-A: 1\ns3cret\n");
    sandbox.write("owned", "\n\nHost: s3cret\n");
    for (options, code, said) in [
        (["--url", "@empty"], 2, "could not read the URL from empty: "),
        (["--url", "@none"], 2, "could not read the URL from none: "),
        (["--url", "@two"], 2, "could not read the URL from two: a URL has no white space"),
        (["--url", "@utf16"], 2, "could not read the URL from utf16: it is UTF-16 text"),
        (["--url", "@absent"], 1, "could not read the URL from absent: "),
        (["--url", "@"], 2, "wrong value for --url <URL>: the name of a file follows the @"),
        (["--url", "-"], 2, "could not read the URL from standard input: "),
        (
            ["--header", "@header"],
            2,
            "could not read the headers from header: line 2: 'Name: value' is wanted",
        ),
        (["--header", "@owned"], 2, "could not read the headers from owned: line 3: "),
        (["--header", "@absent"], 1, "could not read the headers from absent: "),
    ] {
        let url: &[&str] = if options[0] == "--url" { &[] } else { &["--url", "http://h/"] };
        let refused = sandbox.hooks(["add", "--event", "E"]).args(options).args(url).run();
        refused.assert_code(code).assert_stderr_has(&[said]).assert_hides("s3cret");
    }
    assert!(!sandbox.has("hooks.json"));
}

#[cfg(unix)]
#[test]
fn a_files_name_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let name = std::ffi::OsStr::from_bytes(b"@u\xFFrl");
    std::fs::write(sandbox.path().join(std::ffi::OsStr::from_bytes(b"u\xFFrl")), "http://h/")
        .unwrap();
    sandbox.hooks(["add", "--event", "E", "--url"]).arg(name).run().assert_code(0);
    assert_eq!(sandbox.hook("1")["url"], "http://h/");
}
