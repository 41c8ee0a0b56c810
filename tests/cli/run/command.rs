//! `hooks run` for every kind of command and failure: the exit code is always the command's, and standard output
//! holds only what the command prints.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::support::{
    Invocation, Output, PLAIN, Receiver, Reply, Repository, Sandbox, executable, one_hook,
};

/// `hooks run PostDeployment -- sh -c SCRIPT`
fn run<'a>(sandbox: &'a Sandbox, script: &str) -> Invocation<'a> {
    sandbox.hooks(["run", "PostDeployment", "--", "sh", "-c", script])
}

/// It ended with 7, and standard output is that of the command alone.
#[track_caller]
fn assert_own(ran: &Output) {
    ran.assert_code(7);
    assert_eq!(ran.stdout, "deployed\n", "stderr: {}", ran.stderr);
}

#[test]
fn the_code_is_the_one_that_a_shell_would_give() {
    let (sandbox, receiver) = one_hook();
    sandbox.write("not-executable", "#!/bin/sh\n");
    executable(&sandbox.write("no-interpreter", "#!/no/such/interpreter\n"));
    executable(&sandbox.write("no-program", b"\x7fELF nonsense\n\0\0"));
    for (command, code) in [
        (&["sh", "-c", "exit 0"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["false"], 1),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["sh", "-c", "exit 255"], 255),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "kill -PIPE $$"], 141),
        (&["./not-executable"], 126),
        (&["./config"], 126),
        (&["./hooks.json/x"], 126),
        (&["./no-interpreter"], 127),
        (&["./no-such-file"], 127),
        (&["no-such-command"], 127),
        (&[""], 127),
    ] {
        std::fs::create_dir_all(sandbox.path().join("config")).unwrap();
        let ran = sandbox.hooks(["run", "PostDeployment", "--"]).args(command).run();
        ran.assert_code(code);
        assert_eq!(ran.stdout, "", "{command:?}");
        let status = if code == 0 { "success" } else { "failed" };
        let published = receiver.requests().pop().unwrap().json();
        assert_eq!(published["status"], status, "{command:?}");
    }
}

#[test]
fn a_command_that_could_not_start_is_named() {
    let (sandbox, receiver) = one_hook();
    let delivered = "delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n";
    let call = |command: &str| sandbox.hooks(["run", "PostDeployment", "--", command]).run();
    call("no-such\u{1b}command").assert(
        127,
        "",
        &format!("error: could not run no-such\\u{{1b}}command: [LINE]\nnote: publishing PostDeployment with the status failed to 1 hook\n{delivered}"),
    );
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let (sandbox, receiver) = one_hook();
    let script = "echo \"$1 and $2\"\nexit 7\n";
    executable(&sandbox.write("deploy", script));
    std::fs::create_dir(sandbox.path().join("bin")).unwrap();
    executable(&sandbox.write("bin/deploy-by-name", script));
    let path = format!("{}:/usr/bin:/bin", sandbox.path().join("bin").display());
    for command in ["./deploy", "deploy-by-name"] {
        let ran = sandbox
            .hooks(["run", "PostDeployment", "--", command, "a b", "*"])
            .env("PATH", &path)
            .run();
        ran.assert_code(7);
        assert_eq!(ran.stdout, "a b and *\n", "{command}: {}", ran.stderr);
        assert_eq!(receiver.requests().pop().unwrap().json()["status"], "failed");
    }
}

#[test]
fn a_command_reads_its_input_and_writes_ten_megabytes() {
    let (sandbox, receiver) = one_hook();
    let input: Vec<u8> =
        (0..10 * 1024 * 1024_u32).map(|n| b"0123456789abcdef\n"[(n % 17) as usize]).collect();
    let ran = run(&sandbox, "cat; exit 7").stdin(input.clone()).run();
    ran.assert_code(7);
    assert!(ran.stdout.as_bytes() == input, "{} bytes came", ran.stdout.len());
    receiver.request();
}

#[test]
fn a_command_gets_the_folder_and_the_environment() {
    let (sandbox, _receiver) = one_hook();
    std::fs::create_dir(sandbox.path().join("site")).unwrap();
    let ran = run(&sandbox, r#"pwd; echo "$STAGE"; echo oops >&2"#)
        .directory(sandbox.path().join("site"))
        .env("STAGE", "production ünd mehr");
    ran.run().assert(
        0,
        "[DIR]/site\nproduction ünd mehr\n",
        "oops\nnote: publishing PostDeployment with the status success to 1 hook\n\
         delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n",
    );
}

#[test]
fn start_time_and_end_time_are_those_of_the_command() {
    let (sandbox, receiver) = one_hook();
    let before = DateTime::<Utc>::from(SystemTime::now()) - Duration::from_millis(1);
    let ran = run(&sandbox, "echo ready; read -r _; exit 7").stdin_left_open().spawn();
    ran.stdout_line("ready");
    let running = DateTime::<Utc>::from(SystemTime::now());
    // So that the clock shows a difference.
    std::thread::sleep(Duration::from_millis(20));
    ran.signal(crate::support::Signal::Terminate);
    ran.wait().assert_code(143);
    let after = DateTime::<Utc>::from(SystemTime::now());
    let deployment = receiver.request().json();
    let time = |key: &str| -> DateTime<Utc> {
        let text = deployment[key].as_str().unwrap();
        assert!(text.ends_with('Z'), "{text}");
        DateTime::parse_from_rfc3339(text).unwrap().into()
    };
    let (start, end) = (time("start_time"), time("end_time"));
    assert!(before <= start && start <= running, "{before} {start} {running}");
    assert!(running < end && end <= after, "{running} {end} {after}");
}

#[test]
fn the_commit_is_published_with_how_it_went() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let hash = repository.commit("main", PLAIN);
    let ran = repository
        .call(&repository.work(), &["run", "PostDeployment", "--git"])
        .args(["HEAD", "--set", "ref=refs/heads/main", "--", "sh", "-c", "cat; exit 7"])
        .shell(r#"exec "$@""#)
        .stdin("input")
        .env("REMOTE_USER", "remi");
    let ran = ran.run();
    ran.assert_code(7);
    assert_eq!(ran.stdout, "input");
    let deployment = receiver.request().json();
    for (key, value) in [
        ("id", hash.as_str()),
        ("author", PLAIN.author),
        ("author_email", PLAIN.email),
        ("message", PLAIN.message),
        ("deployer", "remi"),
        ("status", "failed"),
        ("ref", "refs/heads/main"),
    ] {
        assert_eq!(deployment[key], value, "{key}");
    }
}

#[test]
fn a_commit_that_cannot_be_read_is_only_a_warning() {
    let (sandbox, receiver) = one_hook();
    let repository = Repository::new(&sandbox);
    let run = |from: &std::path::Path, revision: &str| {
        let call = repository.call(from, &["run", "PostDeployment", "--git", revision, "--"]);
        call.args(["sh", "-c", "echo deployed; exit 7"]).shell(r#"exec "$@""#)
    };
    let delivered = "delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n";
    let zeros = "0".repeat(40);
    for (ran, cause) in [
        (run(&repository.work(), "HEAD").run(), "HEAD: there is no commit yet"),
        (run(&repository.bare(), "x").run(), "x: git knows no such revision"),
        (
            run(&repository.work(), &zeros).run(),
            "0000000000000000000000000000000000000000: it stands for a branch that was deleted",
        ),
        (run(sandbox.path(), "HEAD").run(), "HEAD: there is no git repository here"),
        (
            run(&repository.work(), "HEAD")
                .shell(r#"mkdir -p bin; ln -sf /bin/sh bin/; PATH=$PWD/bin exec "$@""#)
                .run(),
            "HEAD: there is no git command",
        ),
    ] {
        ran.assert(
            7,
            "deployed\n",
            &format!("warning: could not read the commit {cause}; published without the commit\nnote: publishing PostDeployment with the status failed to 1 hook\n{delivered}"),
        );
    }
    assert_eq!(receiver.count(), 5);
    for request in receiver.requests() {
        assert_eq!(request.json()["status"], "failed");
        assert_eq!(request.json()["id"], Value::Null);
    }
}

#[test]
fn a_receiver_that_hangs_delays_the_end_by_the_deadline_at_most() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::answering([Reply::silent()]);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let ran = run(&sandbox, "echo deployed; exit 7").env("HOOKS_DEADLINE", "2s").run();
    assert_own(&ran);
    ran.assert_took(Duration::from_secs(1), Duration::from_secs(5));
    assert_eq!(sandbox.log()[0]["state"], "failed");
}

#[test]
fn a_registry_that_cannot_be_used_is_only_a_warning() {
    const BROKEN: &[u8] = b"{ \"version\": 1, \"hooks\": [";
    let sandbox = Sandbox::new();
    sandbox.write("broken.json", BROKEN);
    sandbox.write("newer.json", r#"{"version":99,"hooks":[]}"#);
    std::fs::create_dir(sandbox.path().join("folder.json")).unwrap();
    for (file, cause) in [
        ("broken.json", "broken.json: line 1"),
        ("newer.json", "newer.json"),
        ("folder.json", "folder.json"),
        ("broken.json/x/hooks.json", "broken.json/x/hooks.json"),
    ] {
        let ran = run(&sandbox, "echo deployed; exit 7").env("HOOKS_FILE", file).run();
        assert_own(&ran);
        ran.assert_stderr_has(&["warning: not published, and not kept for later: ", cause]);
    }
    assert_eq!(sandbox.read("broken.json"), BROKEN);
    let nowhere = run(&sandbox, "echo deployed; exit 7")
        .without_env("HOOKS_FILE")
        .without_env("XDG_CONFIG_HOME")
        .env("HOME", "relative")
        .run();
    assert_own(&nowhere);
    nowhere.assert_stderr_has(&["warning: not published, and not kept for later: "]);
}

#[test]
fn without_home_and_user_it_publishes() {
    let (sandbox, receiver) = one_hook();
    let ran = run(&sandbox, "echo deployed; exit 7")
        .without_env("HOME")
        .without_env("XDG_CONFIG_HOME")
        .run();
    assert_own(&ran);
    assert_eq!(receiver.request().json()["status"], "failed");
}

#[test]
fn when_the_journal_cannot_be_written_run_delivers_with_a_warning() {
    let (sandbox, receiver) = one_hook();
    std::fs::create_dir(sandbox.path().join("hooks.json.journal")).unwrap();
    let ran = run(&sandbox, "echo deployed; exit 7").run();
    assert_own(&ran);
    ran.assert_stderr_has(&["warning: ", "hooks.json.journal"]);
    receiver.request();
}

#[test]
fn streams_that_are_closed_or_whose_reader_has_gone_change_nothing() {
    let (sandbox, receiver) = one_hook();
    // The only reader of the pipe has ended, because it was waited for.
    let gone = r#"mkfifo gone; : <gone & exec 3>gone; wait; "$@" 2>&3 >out; echo $? >code"#;
    for (number, script) in [
        r#""$@" 2>&- >out; echo $? >code"#,
        r#""$@" 2>&- <&- >out; echo $? >code"#,
        r#""$@" 2>/dev/full >out; echo $? >code"#,
        gone,
    ]
    .iter()
    .enumerate()
    {
        run(&sandbox, "echo deployed; exit 7").shell(script).run().assert_code(0);
        assert_eq!(sandbox.read("out"), b"deployed\n", "{script}");
        assert_eq!(sandbox.read("code"), b"7\n", "{script}");
        assert_eq!(receiver.count(), number + 1, "{script}");
    }
    assert!(sandbox.log().iter().all(|entry| entry["state"] == "delivered"));
    for closed in [">&- 2>&-", ">&- 2>&- <&-"] {
        let script = format!(r#""$@" {closed}; echo $? >code"#);
        run(&sandbox, "exit 7").shell(&script).run().assert_code(0);
        assert_eq!(sandbox.read("code"), b"7\n", "{closed}");
    }
}

#[test]
fn a_program_that_the_command_leaves_running_is_not_waited_for() {
    let (sandbox, receiver) = one_hook();
    let ran = run(&sandbox, "sleep 300 >out 2>&1 & echo $! >pid; echo deployed; exit 7").run();
    let pid = String::from_utf8(sandbox.read("pid")).unwrap();
    let killed = std::process::Command::new("kill").arg(pid.trim()).status();
    assert!(killed.unwrap().success(), "it was running until now");
    assert_own(&ran);
    ran.assert_took(Duration::ZERO, Duration::from_secs(30));
    receiver.request();
}

#[test]
fn a_wrong_argument_is_told_before_anything_is_deployed() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::never());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let command = ["--", "touch", "deployed"];
    for arguments in [
        &["run", "Post Deployment"][..],
        &["run", "PostDeployment", "--git="],
        &["run", "PostDeployment", "--deadline=never"],
        &["run", "PostDeployment", "--set=novalue"],
    ] {
        let refused = sandbox.hooks(arguments).args(command).run();
        refused.assert_code(2).assert_stderr_has(&["error: "]);
    }
    assert!(!sandbox.has("deployed"));
}

#[test]
fn a_wrong_variable_is_warned_of_and_the_default_used() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    for (variable, wanted) in [
        ("HOOKS_TIMEOUT", "a time such as 10s, 1m30s or 24h is wanted"),
        ("HOOKS_RETRIES", "a number is wanted, 0 for none"),
        ("HOOKS_DEADLINE", "a time such as 10s, 1m30s or 24h is wanted"),
        ("HOOKS_JOBS", "a number from 1 to 4096 is wanted"),
    ] {
        let ran = run(&sandbox, "echo deployed; exit 7").env(variable, "s3cret").run();
        ran.assert(
            7,
            "deployed\n",
            &format!(
                "warning: wrong value in the environment for {variable}: {wanted}; the default is used\n\
                 note: publishing PostDeployment with the status failed to 1 hook\n\
                 delivered  hook 1  {}  200 OK ([MS])\n",
                receiver.url("/")
            ),
        );
    }
    assert_eq!(receiver.count(), 4);
}
