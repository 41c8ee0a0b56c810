//! What `publish` takes as a deployment, and what it refuses before anything is sent or written.

use crate::support::{DEPLOYMENT, needs, one_hook, one_uncalled_hook};

#[test]
fn an_argument_a_file_a_dash_and_standard_input_give_the_same_bytes() {
    let (sandbox, receiver) = one_hook();
    sandbox.write("deploy.json", DEPLOYMENT);
    let publish = || sandbox.hooks(["publish", "PostDeployment"]);
    publish().arg(DEPLOYMENT).run().assert_code(0);
    publish().arg("@deploy.json").run().assert_code(0);
    publish().arg("-").stdin(DEPLOYMENT).run().assert_code(0);
    publish().stdin(DEPLOYMENT).run().assert_code(0);
    let bodies: Vec<_> = receiver.wait_for(4).iter().map(crate::support::Request::text).collect();
    assert_eq!(bodies, [DEPLOYMENT; 4]);
}

#[test]
fn the_name_of_a_file_on_standard_input_is_read_from_that_file() {
    let (sandbox, receiver) = one_hook();
    sandbox.write("deploy.json", DEPLOYMENT);
    sandbox
        .hooks(["publish", "PostDeployment"])
        .shell(r#"echo deploy.json | "$@""#)
        .run()
        .assert_code(0);
    assert_eq!(receiver.request().text(), DEPLOYMENT);
}

#[test]
#[cfg(unix)]
fn the_registry_and_its_journal_are_no_deployment_by_whatever_way_they_come() {
    let (sandbox, receiver) = one_hook();
    sandbox.hooks(["publish", "PostDeployment", "{}"]).run().assert_code(0);
    let journal = String::from_utf8(sandbox.read("hooks.json.journal")).unwrap();
    // One line of it is a JSON object.
    let line = journal.lines().next().unwrap();
    sandbox.write("hooks.json.journal", line);
    std::os::unix::fs::symlink("hooks.json", sandbox.path().join("link")).unwrap();
    std::fs::hard_link(sandbox.path().join("hooks.json.journal"), sandbox.path().join("hard"))
        .unwrap();
    for way in [
        r#""$@" @hooks.json"#,
        r#""$@" @hooks.json.journal"#,
        r#""$@" @./link"#,
        r#""$@" @hard"#,
        r#"echo hooks.json | "$@""#,
        r#"echo ./link | "$@" -"#,
        r#"echo hard | "$@""#,
        r#""$@" < hooks.json"#,
        r#""$@" - < link"#,
        r#"cat hooks.json | "$@""#,
        r#"cat hooks.json.journal | "$@""#,
        r#""$@" "$(cat hooks.json)""#,
        r#"cp hooks.json copy; "$@" @copy"#,
        r#""$@" --id 7 @hooks.json"#,
    ] {
        let publish = sandbox.hooks(["publish", "PostDeployment"]).shell(way).run();
        publish.assert_code(1).assert_stderr_has(&[
            "error: could not read the deployment from ",
            "which holds the hooks' secrets",
            "hint: ",
        ]);
    }
    receiver.request();
    // Another registry's is a deployment like any other, as far as anybody can know.
    let other = sandbox.hooks(["publish", "E", "{}", "--file", "other.json"]);
    other.run().assert_code(0);
}

#[test]
fn a_line_that_names_no_file_is_not_json() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let refused = sandbox.hooks(["publish", "PostDeployment"]).stdin("absent.json\n").run();
    refused.assert_code(1).assert_stderr_has(&["error: ", "line 1", "column 1"]);
}

#[test]
fn a_missing_file_is_named() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let refused = sandbox.hooks(["publish", "PostDeployment", "@absent.json"]).run();
    refused.assert_code(1).assert_stderr_has(&["error: ", "absent.json"]);
    let folder = sandbox.hooks(["publish", "PostDeployment", "@."]).run();
    folder.assert_code(1).assert_stderr_has(&["error: "]);
}

#[test]
fn what_is_no_json_object_is_refused_with_its_place_before_anything_is_written() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let before = sandbox.registry_bytes();
    for (input, said) in [
        (&b""[..], "line 1 column 1: it is empty"),
        (b" \n", "line 1 column 1: it is empty"),
        (b"[1]", "line 1 column 1: an array, where one JSON object is wanted"),
        (b"\n \"text\"", "line 2 column 2: a string, where one JSON object is wanted"),
        (b"null", "line 1 column 1: null, where one JSON object is wanted"),
        (b"12", "line 1 column 1: a number, where one JSON object is wanted"),
        (b"{\"a\":1", "line 1 column "),
        (b"{\"a\":1,}", "line 1 column 8: "),
        (b"{\n  \"a\": 01\n}", "line 2 column 9: "),
        (b"{'a':1}", "line 1 column 2: "),
        (b"{\"a\":NaN}", "line 1 column 6: "),
        (b"{\"a\":1} {}", "line 1 column 9: trailing characters"),
        (b"{} // a comment", "line 1 column 4: trailing characters"),
        (b"{\"a\":\"\xff\"}", "line 1 column 7: not valid UTF-8"),
        (b"{\n\"a\":\"x\xc3\"}", "line 2 column 7: not valid UTF-8"),
        (
            b"\xef\xbb\xbf{}",
            "line 1 column 1: a byte order mark (BOM) stands before the JSON; save it as UTF-8 without one",
        ),
        (b"\xff\xfe{\0}\0", "line 1 column 1: a byte order mark (BOM) of UTF-16; UTF-8 is wanted"),
        (b"{\0}", "line 1 column 2: a NUL byte"),
        (b"{\"a\":\"\x01\"}", "line 1 column "),
    ] {
        // The rest is the JSON parser's message.
        let parsers = said.ends_with(' ');
        let rest = if parsers { "[LINE]" } else { "" };
        let expected = format!(
            "error: could not read the deployment from standard input: {said}{rest}\n\
             hint: one JSON object is wanted, or one line that names a file\n"
        );
        let refused = sandbox.hooks(["publish", "PostDeployment"]).stdin(input).run();
        refused.assert(1, "", &expected);
    }
    assert_eq!(sandbox.registry_bytes(), before);
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn one_mebibyte_is_taken_and_a_byte_more_is_not() {
    let (sandbox, receiver) = one_hook();
    let fitting = format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 8));
    assert_eq!(fitting.len(), 1024 * 1024);
    sandbox.hooks(["publish", "PostDeployment"]).stdin(fitting.as_str()).run().assert_code(0);
    assert_eq!(receiver.request().body, fitting.as_bytes());
    let refused = sandbox.hooks(["publish", "PostDeployment"]).stdin(format!("{fitting} ")).run();
    refused.assert_code(1).assert_stderr_has(&["error: ", "1 MiB"]);
    // Input without an end is refused, too.
    let flood = sandbox.hooks(["publish", "PostDeployment"]).shell(r#"yes | "$@""#).run();
    flood.assert_code(1).assert_stderr_has(&["1 MiB"]);
    receiver.request();
}

#[test]
fn deep_nesting_is_refused_or_sent_but_never_a_crash() {
    let (sandbox, receiver) = one_hook();
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    sandbox.hooks(["publish", "PostDeployment"]).stdin(deep(100)).run().assert_code(0);
    let published = sandbox.hooks(["publish", "PostDeployment"]).stdin(deep(400_000)).run();
    assert!(matches!(published.code(), Some(0 | 1)), "{:?} {}", published.status, published.stderr);
    receiver.wait_for(1);
}

#[test]
fn gits_ref_lines_are_recognised_and_the_error_names_git() {
    let (sandbox, _receiver) = one_uncalled_hook();
    let (old, new) = ("0".repeat(40), "cd5bee7181e74ea38a3522e73253f6ebb8ed72fb");
    for line in [
        format!("{old} {new} refs/heads/main\n"),
        format!("{old} {new} refs/heads/main\n{new} {old} refs/tags/v1\n"),
        format!("{} {} refs/heads/main\n", "0".repeat(64), "ab".repeat(32)),
    ] {
        let publish = sandbox.hooks(["publish", "PostDeployment"]).stdin(line);
        publish.run().assert(
            1,
            "",
            "error: could not read the deployment from standard input: it holds git's ref lines\n\
             hint: in a git hook, --git REV makes the deployment from a commit: \
             while read old new ref; do hooks publish EVENT --git \"$new\"; done\n",
        );
    }
}

#[test]
fn a_terminal_on_standard_input_is_refused() {
    if !needs("script") {
        return;
    }
    let (sandbox, _receiver) = one_uncalled_hook();
    for arguments in [&["publish", "PostDeployment"][..], &["publish", "PostDeployment", "-"]] {
        // `script` gives it a terminal as standard input, on which nothing is typed.
        let script = format!(
            r#"sleep 30 | script -qec "'$1' {}; echo code \$?" /dev/null & pid=$!; wait $pid"#,
            arguments.join(" ")
        );
        let asked = sandbox
            .hooks::<&str>([])
            .shell(&script)
            .limit(std::time::Duration::from_secs(20))
            .spawn();
        asked.stdout_line("hint: ");
        assert_eq!(asked.stdout_line("code"), "code 2");
    }
}
