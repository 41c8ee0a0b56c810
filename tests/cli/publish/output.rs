//! What every verb shares: where words go, how loud they are, and what they never hold.

use crate::support::{DEPLOYMENT, Receiver, Reply, Sandbox, needs, refused_url};

#[test]
fn version_and_help_are_results() {
    let sandbox = Sandbox::new();
    let version = concat!("hooks ", env!("CARGO_PKG_VERSION"), "\n");
    sandbox.hooks(["--version"]).run().assert(0, version, "");
    for verb in [
        "add",
        "list",
        "show",
        "edit",
        "remove",
        "publish",
        "test",
        "log",
        "redeliver",
        "listen",
    ] {
        let help = sandbox.hooks([verb, "--help"]).run();
        help.assert_code(0);
        assert!(
            help.stdout.contains(&format!("hooks {verb}")) && help.stderr.is_empty(),
            "{}",
            help.stdout
        );
    }
    let nothing = sandbox.hooks::<&str>([]).run();
    nothing.assert_code(2);
    assert!(
        nothing.stderr.contains("publish") && nothing.stdout.is_empty(),
        "{}",
        nothing.stdout
    );
    sandbox
        .hooks(["pubish"])
        .run()
        .assert_code(2)
        .assert_stderr_has(&["error: ", "publish"]);
    assert_eq!(sandbox.names(), Vec::<String>::new());
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    let sandbox = Sandbox::new();
    for arguments in [&["--help"][..], &["add", "--help"], &["publish", "--help"]] {
        let help = sandbox
            .hooks(arguments)
            .env("HOOKS_FILE", "/s3cret/hooks.json")
            .env("HOOKS_JOBS", "3917")
            .run();
        help.assert_code(0)
            .assert_hides("s3cret")
            .assert_hides("3917");
    }
}

#[test]
fn a_refused_argument_is_never_quoted() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["add", "--url", "http://u:s3cret@h:port/", "--event", "E"][..],
        &[
            "add",
            "--url",
            "http://h/",
            "--event",
            "E",
            "--header",
            "s3cret",
        ],
        &[
            "add",
            "--url",
            "http://h/",
            "--event",
            "E",
            "--secret",
            "s3cret",
        ],
        &[
            "add",
            "--url",
            "http://h/",
            "--event",
            "E",
            "--generate-secret=s3cret",
        ],
        &[
            "add",
            "--url",
            "http://h/",
            "--event",
            "E",
            "http://u:s3cret@h/",
        ],
        &["edit", "http://u:s3cret@h/"],
        &["edit", "1", "--url=s3cret"],
        &["show", "s3cret"],
        &["publish", "PostDeployment", "--timeout", "s3cret"],
        &["publish", "PostDeployment", "{}", "s3cret"],
        &["publish", "Post Deployment s3cret"],
        &["publish", "PostDeployment", "--unknown=s3cret"],
        &["redeliver", "s3cret"],
        &["listen", "--secret", "s3cret"],
        &["s3cret"],
    ] {
        sandbox
            .hooks(arguments)
            .run()
            .assert_code(2)
            .assert_stderr_has(&["error: "])
            .assert_hides("s3cret");
    }
}

#[test]
fn a_result_line_comes_as_each_delivery_ends() {
    let sandbox = Sandbox::new();
    let (quick, slow) = (
        Receiver::new(),
        Receiver::answering([Reply::status(404).held()]),
    );
    sandbox.add(&slow.url("/slow"), "PostDeployment");
    sandbox.add(&quick.url("/quick"), "PostDeployment");
    let publish = sandbox
        .hooks(["publish", "PostDeployment", DEPLOYMENT])
        .spawn();
    let line = publish.stdout_line("/quick");
    assert!(
        line.contains("delivered") && line.contains("hook 2"),
        "{line}"
    );
    assert_eq!(
        slow.wait_for(1).len(),
        1,
        "while the other one is still awaited"
    );
    slow.release();
    let published = publish.wait();
    published.assert_code(3);
    assert!(!published.stdout.contains('\u{1b}') && !published.stderr.contains('\u{1b}'));
    assert!(
        !published.stderr.contains('\r'),
        "no progress off a terminal"
    );
}

#[test]
fn quiet_leaves_only_what_went_wrong() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox
        .hooks(["publish", "PostDeployment", "{}", "--quiet"])
        .run()
        .assert(0, "", "");
    sandbox
        .hooks(["publish", "Nothing", "{}", "-q"])
        .run()
        .assert(0, "", "");
    sandbox.add(refused_url(), "PostDeployment");
    let failed = sandbox
        .hooks(["publish", "PostDeployment", "{}", "-q", "--retries", "0"])
        .run();
    failed.assert_code(3);
    let said = format!("{}{}", failed.stdout, failed.stderr);
    assert!(
        said.contains("hook 2") && !said.contains("hook 1"),
        "{said}"
    );
    sandbox
        .hooks(["publish", "PostDeployment", "[]", "-q"])
        .run()
        .assert_code(1)
        .assert_stderr_has(&["error: "]);
    sandbox.hooks(["list", "-q", "-v"]).run().assert_code(2);
}

#[test]
fn verbose_tells_of_each_attempt_and_of_who_was_passed_over() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(503), Reply::status(200)]);
    let other = Receiver::never();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    sandbox.add_with(
        &other.url("/filtered"),
        "PostDeployment",
        ["--status", "failed"],
    );
    sandbox.add(&other.url("/disabled"), "PostDeployment");
    sandbox
        .hooks(["edit", "3", "--disable"])
        .run()
        .assert_code(0);
    let published = sandbox
        .hooks(["publish", "PostDeployment", DEPLOYMENT, "--verbose"])
        .run();
    published
        .assert_code(0)
        .assert_stderr_has(&["503", "hook 2", "hook 3", "disabled"]);
}

#[test]
fn a_terminal_sees_who_is_still_awaited() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::status(200).held()]);
    sandbox.add(&receiver.url("/awaited"), "PostDeployment");
    let script = r#"script -qec "'$1' publish PostDeployment '{}'" /dev/null; echo "code $?""#;
    let publish = sandbox
        .hooks::<&str>([])
        .shell(script)
        .env("TERM", "xterm-256color")
        .spawn();
    receiver.wait_for(1);
    // A live line that is drawn again has no end of line, so what is waited for is the passing of time.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    receiver.release();
    let published = publish.wait();
    let drawn = published.stdout.matches('\r').count();
    assert!(drawn >= 2, "drawn {drawn} times: {:?}", published.stdout);
    assert!(
        published.stdout.contains("awaited") || published.stdout.contains("waiting"),
        "{:?}",
        published.stdout
    );
    let last_lines = published
        .stdout
        .rsplit("\u{1b}[")
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(last_lines.ends_with("code 0\n"), "{last_lines:?}");
}

#[test]
fn json_of_a_publication_is_all_that_standard_output_gets() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(
        &receiver.url_as("http://u:p@127.0.0.1", "/"),
        "PostDeployment",
    );
    let published = sandbox
        .hooks(["publish", "PostDeployment", DEPLOYMENT, "--json"])
        .run();
    published.assert_code(0);
    let delivery = published.json()["deliveries"][0].clone();
    assert_eq!(
        delivery["url"],
        receiver.url_as("http://u:p@127.0.0.1", "/"),
        "whole"
    );
    let nobody = sandbox.hooks(["publish", "Nothing", "{}", "--json"]).run();
    nobody.assert_code(0);
    assert_eq!(nobody.json()["deliveries"], serde_json::json!([]));
}
