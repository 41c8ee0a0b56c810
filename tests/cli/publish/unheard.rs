//! An event that does not reach whom it was meant for says so: a slip in its name, a hook that is disabled, a filter.

use serde_json::json;

use crate::support::{Receiver, Reply, Sandbox};

const URL: &str = "http://127.0.0.1:9/cb";

#[test]
fn a_slip_in_the_events_name_is_told_with_the_registry_and_can_be_a_failure() {
    let sandbox = Sandbox::new();
    sandbox.add(URL, "PostDeployment");
    sandbox.add("http://127.0.0.1:9/other", "Rollback");
    let notes = "note: no hook is to be called for PostDeploymnt in [DIR]/hooks.json\n\
                 note: no hook has the event PostDeploymnt; did you mean PostDeployment?\n";
    let publish = ["publish", "PostDeploymnt", "{}"];
    sandbox.hooks(publish).run().assert(0, "", notes);
    let error = "error: no enabled hook gets PostDeploymnt\nhint: see 'hooks list'\n";
    let must_match = sandbox.hooks(publish).arg("--must-match").run();
    must_match.assert(5, "", &format!("{notes}{error}"));
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn a_slip_that_goes_to_the_hooks_for_every_event_alone_is_told_too() {
    let sandbox = Sandbox::new();
    let all = Receiver::new();
    sandbox.add(&all.url("/"), "*");
    sandbox.add(URL, "PostDeployment");
    let published = sandbox.hooks(["publish", "PostDeploy", "{}"]).run();
    published.assert_code(0);
    published.assert_stderr_has(&["did you mean PostDeployment?"]);
    let exact = sandbox.hooks(["publish", "Built", "{}", "--must-match"]).run();
    assert_eq!((exact.code(), &*exact.stderr), (Some(0), ""));
}

#[test]
fn hooks_that_a_filter_passes_over_are_named_where_nobody_else_gets_it() {
    let sandbox = Sandbox::new();
    sandbox.add_with(URL, "PostDeployment", ["--status", "failed"]);
    let published = sandbox.hooks(["publish", "PostDeployment", "{\"status\":\"success\"}"]).run();
    let notes = "note: no hook is to be called for PostDeployment in [DIR]/hooks.json\n\
                 note: hook 1: it wants the status failed, and this deployment's is success\n";
    published.assert(0, "", notes);
}

#[test]
fn a_disabled_hook_is_named_and_one_that_its_receiver_disabled_is_a_warning() {
    let sandbox = Sandbox::new();
    let (good, gone) = (Receiver::new(), Receiver::answering([Reply::status(410)]));
    sandbox.add(&good.url("/"), "PostDeployment");
    sandbox.add(URL, "PostDeployment");
    sandbox.hooks(["edit", "2", "--disable"]).run().assert_code(0);
    let publish = ["publish", "PostDeployment", "{}"];
    let note =
        "hook 2 is disabled, and the event is held for it; to enable it: hooks edit 2 --enable";
    let published = sandbox.hooks(publish).run();
    published.assert_code(0);
    assert_eq!(published.stderr, format!("note: {note}\n"));
    assert_eq!(sandbox.hooks(publish).arg("-q").run().stderr, "");

    sandbox.add(&gone.url("/"), "PostDeployment");
    sandbox.hooks(publish).run().assert_code(3);
    let quiet = sandbox.hooks(publish).arg("-q").run();
    quiet.assert_code(0);
    quiet.assert_stderr_has(&[
        "warning: hook 3 is disabled, and the event is held for it",
        "410 Gone",
    ]);
}

#[test]
fn a_run_warns_and_ends_as_its_command_does() {
    let sandbox = Sandbox::new();
    sandbox.add(URL, "PostDeployment");
    let run = ["run", "Typo", "--must-match", "--", "true"];
    let ran = sandbox.hooks(run).run();
    ran.assert_code(0);
    ran.assert_stderr_has(&["warning: no enabled hook gets Typo"]);
}

#[test]
fn a_publication_without_a_hook_is_json_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.add(URL, "PostDeployment");
    let published = sandbox.hooks(["publish", "Other", "{}", "--json"]).run();
    assert_eq!(published.json()["deliveries"], json!([]));
}
