//! Which hooks a publication goes to: `--status` and the event `*`.

use crate::support::{Receiver, Sandbox};

const URL: &str = "http://127.0.0.1:9/cb";

/// Publishes this deployment as this event.
#[track_caller]
fn publish(sandbox: &Sandbox, event: &str, deployment: &str) {
    let published = sandbox.hooks(["publish", event, deployment]).run();
    published.assert_code(0);
}

#[test]
fn a_hook_with_statuses_gets_the_deployments_that_have_one_of_them() {
    let sandbox = Sandbox::new();
    let (some, all) = (Receiver::new(), Receiver::new());
    sandbox.add_with(&some.url("/"), "PostDeployment", ["--status", "failed,Pending"]);
    sandbox.add(&all.url("/"), "PostDeployment");
    let deployments = [
        (r#"{"status":"failed"}"#, true),
        (r#"{"status":"FAILED","n":1e400}"#, true),
        (r#"{"status":"pending"}"#, true),
        (r#"{"st\u0061tus":"f\u0061iled"}"#, true),
        (r#"{"status":"success","status":"failed"}"#, true),
        (r#"{"status":"failed","status":"success"}"#, false),
        (r#"{"status":"failed","status":null}"#, false),
        (r#"{"status":null}"#, false),
        (r#"{"status":"success"}"#, false),
        (r#"{"status":"failed "}"#, false),
        (r#"{"status":["failed"]}"#, false),
        (r#"{"status":4}"#, false),
        (r#"{"Status":"failed"}"#, false),
        (r#"{"deployment":{"status":"failed"}}"#, false),
        ("{}", false),
    ];
    for (deployment, _) in deployments {
        publish(&sandbox, "PostDeployment", deployment);
    }
    let got = |receiver: &Receiver| -> Vec<String> {
        let requests = receiver.requests();
        requests.iter().map(crate::support::Request::text).collect()
    };
    let matching = deployments.iter().filter(|(_, matches)| *matches);
    assert_eq!(got(&some), matching.map(|(text, _)| *text).collect::<Vec<_>>());
    assert_eq!(got(&all), deployments.map(|(text, _)| text));
}

#[test]
fn a_failed_run_goes_to_the_hooks_that_want_failures() {
    let sandbox = Sandbox::new();
    let (failures, successes) = (Receiver::new(), Receiver::new());
    sandbox.add_with(&failures.url("/"), "PostDeployment", ["--status", "failed"]);
    sandbox.add_with(&successes.url("/"), "PostDeployment", ["--status", "success"]);
    for code in [0, 7, 1] {
        let script = format!("exit {code}");
        let ran = sandbox.hooks(["run", "PostDeployment", "--", "sh", "-c", &script]);
        ran.run().assert_code(code);
    }
    assert_eq!(failures.count(), 2);
    assert_eq!(successes.count(), 1);
}

#[test]
fn a_star_gets_every_event_and_names_the_one_that_came() {
    let sandbox = Sandbox::new();
    let (every, failures, one) = (Receiver::new(), Receiver::new(), Receiver::new());
    sandbox.add(&every.url("/"), "*");
    sandbox.add_with(&failures.url("/"), "*", ["--status", "failed"]);
    sandbox.add(&one.url("/"), "PostDeployment");
    publish(&sandbox, "PostDeployment", r#"{"status":"failed"}"#);
    publish(&sandbox, "Backup.done/eu:west-1", r#"{"status":"failed"}"#);
    publish(&sandbox, "postdeployment", "{}");
    let events = |receiver: &Receiver| -> Vec<String> {
        let requests = receiver.requests();
        requests.iter().map(|request| request.the_header("webhook-event").to_owned()).collect()
    };
    assert_eq!(events(&every), ["PostDeployment", "Backup.done/eu:west-1", "postdeployment"]);
    assert_eq!(events(&failures), ["PostDeployment", "Backup.done/eu:west-1"]);
    assert_eq!(events(&one), ["PostDeployment", "postdeployment"]);
}

#[test]
fn a_star_can_be_registered_and_not_published() {
    let sandbox = Sandbox::new();
    sandbox.add(URL, "*");
    for arguments in [&["publish", "*", "{}"][..], &["run", "*", "--", "touch", "deployed"]] {
        sandbox.hooks(arguments).run().assert_code(2).assert_stderr_has(&["error: "]);
    }
    assert!(!sandbox.has("deployed") && !sandbox.has("hooks.json.journal"));
}

#[test]
fn verbose_says_why_a_hook_was_skipped() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let add = |path: &str, event: &str, options: [&str; 2]| {
        sandbox.add_with(&format!("{URL}/{path}"), event, options);
    };
    add("a", "Backup", ["--status", ""]);
    add("b", "PostDeployment", ["--status", "failed"]);
    add("c", "*", ["--status", "failed,pending"]);
    add("d", "PostDeployment", ["--status", ""]);
    sandbox.hooks(["edit", "4", "--disable"]).run().assert_code(0);
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let publish = |deployment: &str, option: &str| {
        sandbox.hooks(["publish", "PostDeployment", deployment, option]).run()
    };
    let delivered = "delivered  hook 5  http://127.0.0.1:[PORT]/  200 OK ([MS])\n";
    publish(r#"{"status":"succ\u001bess"}"#, "-v").assert(
        0,
        delivered,
        "note: the registry is [DIR]/hooks.json\n\
         note: hook 1 is passed over: it waits for Backup\n\
         note: hook 2 is passed over: it wants the status failed, and this deployment's is succ\\u{1b}ess\n\
         note: hook 3 is passed over: it wants the status failed or pending, and this deployment's is succ\\u{1b}ess\n\
         note: hook 4 is disabled, and the event is held for it; to enable it: hooks edit 4 --enable\n",
    );
    publish(r#"{"status":4}"#, "--verbose").assert(
        0,
        delivered,
        "note: the registry is [DIR]/hooks.json\n\
         note: hook 1 is passed over: it waits for Backup\n\
         note: hook 2 is passed over: it wants the status failed, and this deployment has none\n\
         note: hook 3 is passed over: it wants the status failed or pending, and this deployment has none\n\
         note: hook 4 is disabled, and the event is held for it; to enable it: hooks edit 4 --enable\n",
    );
    let held = "note: hook 4 is disabled, and the event is held for it; to enable it: hooks edit 4 --enable\n";
    publish("{}", "--color=never").assert(0, delivered, held);
    let ran = sandbox.hooks(["run", "-v", "PostDeployment", "--", "true"]).run();
    ran.assert(
        0,
        "",
        &format!(
            "note: the registry is [DIR]/hooks.json\n\
         note: hook 1 is passed over: it waits for Backup\n\
             note: hook 2 is passed over: it wants the status failed, and this deployment's is success\n\
             note: hook 3 is passed over: it wants the status failed or pending, and this deployment's is success\n\
             note: hook 4 is disabled, and the event is held for it; to enable it: hooks edit 4 --enable\n\
             note: publishing PostDeployment with the status success to 1 hook\n{delivered}"
        ),
    );
}

#[test]
fn when_every_hook_is_skipped_nothing_is_journalled() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::never());
    sandbox.add_with(&receiver.url("/"), "PostDeployment", ["--status", "failed"]);
    let published = sandbox.hooks(["publish", "PostDeployment", r#"{"status":"success"}"#]);
    published.run().assert(
        0,
        "",
        "note: no hook is to be called for PostDeployment in [DIR]/hooks.json\n\
         note: hook 1: it wants the status failed, and this deployment's is success\n",
    );
    assert!(!sandbox.has("hooks.json.journal"));
}

#[test]
fn a_status_that_kudu_does_not_have_is_accepted_with_a_warning() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let added = sandbox
        .hooks_add(&receiver.url("/"), "PostDeployment")
        .args(["--status", "rolled-back,failed", "--json"])
        .run();
    added.assert(
        0,
        &added.stdout,
        "warning: 'rolled-back' is not a usual status: pending, building, deploying, failed, success\n",
    );
    publish(&sandbox, "PostDeployment", r#"{"status":"Rolled-Back"}"#);
    receiver.request();
}
