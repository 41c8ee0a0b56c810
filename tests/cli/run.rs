//! `hooks run`: the exit code is the deploy command's, whatever happens while publishing.

#[cfg(unix)]
mod ci_environments;
#[cfg(unix)]
mod ci_step;
#[cfg(unix)]
mod command;
#[cfg(unix)]
mod signals;

use serde_json::json;

use crate::support::{Sandbox, one_hook, refused_url};

/// `hooks run PostDeployment -- sh -c SCRIPT`
fn run(script: &str) -> [&str; 6] {
    ["run", "PostDeployment", "--", "sh", "-c", script]
}

#[test]
fn the_command_keeps_its_streams_and_its_status_is_published() {
    let (sandbox, receiver) = one_hook();
    let ran = sandbox
        .hooks(["run", "PostDeployment", "--id", "cd5bee7", "--message", "My fix"])
        .args(["--set", "count:=2", "--"])
        .args(["sh", "-c", "cat; echo on stdout; echo on stderr >&2; pwd"])
        .stdin("from stdin\n")
        .run();
    let line = format!("delivered  hook 1  {}  200 OK ([MS])\n", receiver.url("/"));
    ran.assert(
        0,
        "from stdin\non stdout\n[DIR]\n",
        &format!(
            "on stderr\nnote: publishing PostDeployment with the status success to 1 hook\n{line}"
        ),
    );
    let mut sent = receiver.request().json();
    let (start, end) = (sent["start_time"].clone(), sent["end_time"].clone());
    assert!(start.as_str() <= end.as_str() && start.is_string(), "{sent}");
    for key in ["start_time", "end_time"] {
        sent.as_object_mut().unwrap().remove(key);
    }
    let expected = json!({"id": "cd5bee7", "status": "success", "message": "My fix", "count": 2});
    assert_eq!(sent, expected);
    assert_eq!(sandbox.log()[0]["state"], "delivered");
}

#[test]
fn a_failed_delivery_is_shown_and_does_not_change_the_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.add(refused_url(), "PostDeployment");
    let failed = format!("failed     hook 1  {}  connection refused ([MS])\n", refused_url());
    let next = "note: 1 not delivered; to send again: hooks redeliver --failed\n";
    for (script, code, status) in [("exit 0", 0, "success"), ("exit 9", 9, "failed")] {
        let ran = sandbox.hooks(run(script)).env("HOOKS_RETRIES", "0").run();
        let published =
            format!("note: publishing PostDeployment with the status {status} to 1 hook\n");
        ran.assert(code, "", &format!("{published}{failed}{next}"));
    }
}

#[test]
fn without_any_hook_the_command_runs_all_the_same() {
    let sandbox = Sandbox::new();
    let note = "note: no hook is to be called for PostDeployment in [DIR]/hooks.json, which does not exist yet\n";
    sandbox.hooks(run("exit 4")).run().assert(4, "", note);
}

#[test]
fn status_and_end_time_cannot_be_set() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["run", "PostDeployment", "--status", "success", "--", "true"][..],
        &["run", "PostDeployment", "--end-time", "now", "--", "true"],
        &["run", "PostDeployment", "true"],
        &["run", "PostDeployment", "--"],
        &["run", "PostDeployment"],
        &["run", "--", "true"],
    ] {
        let refused = sandbox.hooks(arguments).run();
        refused.assert_code(2).assert_stderr_has(&["error: "]);
    }
}

#[test]
fn a_full_disk_does_not_stop_the_deployment() {
    let (sandbox, receiver) = one_hook();
    let full = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let ran = sandbox.hooks(run("echo deployed; exit 3")).shell(full).run();
    ran.assert_code(3).assert_stderr_has(&["warning: "]);
    assert_eq!(ran.stdout, "deployed\n");
    assert_eq!(receiver.request().json()["status"], "failed");
}
