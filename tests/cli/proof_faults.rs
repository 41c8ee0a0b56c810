//! Each system call on the registry's files fails in turn: the old registry is intact or the new one in
//! place, and what the tool says of it is true.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Call, DEPLOYMENT, Effect, Receiver, Sandbox, Scope, Strace, files_of};

/// The errors, and how the system words them.
const ERRORS: [(&str, &str); 5] = [
    ("ENOSPC", "No space left on device"),
    ("EIO", "Input/output error"),
    ("EACCES", "Permission denied"),
    ("EMFILE", "Too many open files"),
    ("EINTR", "Interrupted system call"),
];

const DURABLE: &str = "saved, but not durable";

/// A verb, and what it finds.
struct Scenario<'a> {
    arguments: &'a [&'a str],
    /// Where the registry is in the sandbox.
    registry: &'a str,
    prepare: &'a dyn Fn(&Sandbox),
    receiver: Option<&'a Receiver>,
}

/// One run, in a sandbox of its own.
struct Run<'a> {
    scenario: &'a Scenario<'a>,
    sandbox: Sandbox,
    before: Option<Vec<u8>>,
    journal_before: Vec<u8>,
    requests_before: usize,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario<'a>) -> Self {
        let sandbox = Sandbox::new();
        (scenario.prepare)(&sandbox);
        let read = |suffix: &str| {
            fs::read(
                sandbox
                    .path()
                    .join(format!("{}{suffix}", scenario.registry)),
            )
            .ok()
        };
        Self {
            scenario,
            before: read(""),
            journal_before: read(".journal").unwrap_or_default(),
            requests_before: scenario.receiver.map_or(0, |r| r.requests().len()),
            sandbox,
        }
    }

    fn path(&self) -> PathBuf {
        self.sandbox.path().join(self.scenario.registry)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = files_of(&self.path());
        // Symlinks and folders on the way, too.
        files.push(self.sandbox.path().join("link.json"));
        files.push(self.sandbox.path().join("new"));
        files
    }

    fn invocation(&self) -> crate::support::Invocation<'_> {
        let link = self.sandbox.path().join("link.json");
        let file = if link.symlink_metadata().is_ok() {
            link
        } else {
            self.path()
        };
        self.sandbox
            .hooks(self.scenario.arguments)
            .env("HOOKS_FILE", file)
            .stdin(DEPLOYMENT)
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        fs::read(self.path()).ok()
    }

    /// The registry without what differs from run to run; none if it is missing or damaged.
    fn contents(&self) -> Option<Value> {
        let mut registry: Value = serde_json::from_slice(&self.bytes()?).ok()?;
        for hook in registry["hooks"].as_array_mut()? {
            hook.as_object_mut()?.remove("last_datetime");
        }
        Some(registry)
    }

    fn is_old(&self) -> bool {
        self.bytes() == self.before
    }

    fn journal(&self) -> Vec<u8> {
        fs::read(format!("{}.journal", self.path().display())).unwrap_or_default()
    }

    /// What was appended to the journal; none if it lost what it had.
    fn journal_text(&self) -> Option<String> {
        let journal = self.journal();
        let appended = journal.strip_prefix(self.journal_before.as_slice())?;
        Some(String::from_utf8_lossy(appended).into_owned())
    }

    fn was_sent(&self) -> bool {
        let receiver = self.scenario.receiver.expect("a receiver");
        receiver.requests().len() > self.requests_before
    }
}

/// What one run came to.
struct Fault<'a> {
    call: &'a Call,
    error: &'static str,
    words: &'static str,
    code: i32,
    stdout: &'a str,
    stderr: &'a str,
    complaints: RefCell<Vec<String>>,
}

impl Fault<'_> {
    fn must(&self, holds: bool, what: &str) {
        if !holds {
            self.complaints.borrow_mut().push(what.to_owned());
        }
    }

    /// What was wrong, with all that there is to know of the run.
    fn complaint(self) -> Option<String> {
        let complaints = self.complaints.into_inner();
        (!complaints.is_empty()).then(|| {
            format!(
                "{} at {}\n  => {}\nexit code {}\n--- stdout ---\n{}--- stderr ---\n{}---\n",
                self.error,
                self.call,
                complaints.join("\n  => "),
                self.code,
                self.stdout,
                self.stderr
            )
        })
    }

    fn says(&self, text: &str) -> bool {
        self.stderr.contains(text)
    }

    fn on(&self, suffix: &str) -> bool {
        self.call.shown.contains(&format!("hooks.json{suffix}"))
    }
}

/// Lets each call fail with each error, and has `judge` look at what came of it. Gives how many runs there
/// were, and the figures of the verdicts.
fn each_fault(
    scenario: &Scenario,
    judge: impl Fn(&Run, &Fault, &Value) -> &'static str,
) -> Vec<(&'static str, usize)> {
    let Some(strace) = Strace::find() else {
        return Vec::new();
    };
    let reference = Run::new(scenario);
    let files = reference.files();
    let (finished, calls) = strace.calls(reference.invocation(), Scope::On(&files));
    finished.assert_code(0);
    let new = reference.contents().expect("there is a registry");
    let mut complaints = Vec::new();
    let mut figures: Vec<(&'static str, usize)> = Vec::new();
    for call in calls.iter().filter(|call| fails(&call.name)) {
        for (error, words) in ERRORS {
            if error == "EINTR" && call.name == "lseek" {
                continue; // It never waits for anything.
            }
            let run = Run::new(scenario);
            let files = run.files();
            let effect = Effect::Error(error);
            let (finished, came) = strace.inject(run.invocation(), Scope::On(&files), call, effect);
            let fault = Fault {
                call,
                error,
                words,
                code: finished.code().unwrap_or(-1),
                stdout: &finished.stdout,
                stderr: &finished.stderr,
                complaints: RefCell::default(),
            };
            fault.must(came, "the fault did not come");
            fault.must(fault.code != 101 && !fault.says("bug"), "it must not panic");
            let verdict = judge(&run, &fault, &new);
            match figures.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, count)) => *count += 1,
                None => figures.push((verdict, 1)),
            }
            next_command_works(&run, &fault, &new);
            complaints.extend(fault.complaint());
        }
    }
    assert!(
        complaints.is_empty(),
        "{} of the faults:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    figures
}

/// A `close` that fails has closed all the same, which injection cannot show: the lock would stay taken.
fn fails(name: &str) -> bool {
    !matches!(name, "close" | "fcntl")
}

/// The same command without a fault, after one: it ends as if nothing had been.
fn next_command_works(run: &Run, fault: &Fault, new: &Value) {
    let saved = run.contents().as_ref() == Some(new);
    let again = run.invocation().run();
    let removed_already = saved && run.scenario.arguments[0] == "remove";
    let expected = if removed_already { 5 } else { 0 };
    fault.must(
        again.code() == Some(expected),
        &format!("the next command must succeed: {}", again.stderr),
    );
    fault.must(
        run.contents().as_ref() == Some(new),
        "the next command must end where the first one should have",
    );
    let temporary = format!("{}.tmp", run.path().display());
    fault.must(
        fs::symlink_metadata(temporary).is_err(),
        "no temporary file stays",
    );
}

/// `add`, `edit` and `remove`: done and said so, or not done and said so.
fn change(run: &Run, fault: &Fault, new: &Value) -> &'static str {
    if fault.code == 0 {
        fault.must(
            run.contents().as_ref() == Some(new),
            "acknowledged, but not saved",
        );
        fault.must(!fault.says("error:"), "an error with exit code 0");
        return "done";
    }
    fault.must(fault.error != "EINTR", "EINTR is never fatal");
    fault.must(fault.code == 1, "a fault is exit code 1");
    fault.must(fault.stdout.is_empty(), "acknowledged, and failed");
    fault.must(
        fault.stderr.starts_with("error: ") && fault.stderr.lines().count() <= 2,
        "one error, and perhaps a hint",
    );
    fault.must(fault.says("[DIR]/"), "the path is named");
    fault.must(fault.says(fault.words), "the cause is named");
    if fault.says(DURABLE) {
        fault.must(
            run.contents().as_ref() == Some(new),
            "not saved, whatever it says",
        );
        return "not durable";
    }
    fault.must(run.is_old(), "the old registry must be intact");
    "not done"
}

/// `publish`: delivered, whatever happens to the files; what is not on record is warned of.
fn publication(run: &Run, fault: &Fault, new: &Value) -> &'static str {
    let journal = run.journal_text();
    fault.must(journal.is_some(), "the journal lost what it had");
    let journal = journal.unwrap_or_default();
    if fault.code == 1 {
        fault.must(fault.error != "EINTR", "EINTR is never fatal");
        fault.must(!run.was_sent(), "sent, and called a failure");
        fault.must(run.is_old(), "the old registry must be intact");
        fault.must(journal.is_empty(), "journalled, and not sent");
        fault.must(
            fault.says("error: ") && fault.says("[DIR]/") && fault.says(fault.words),
            "path and cause are named",
        );
        fault.must(
            !fault.on(".journal") && !fault.on(".lock") && !fault.on(".tmp"),
            "only a registry that can't be read keeps a publish from its hooks",
        );
        return "not sent";
    }
    fault.must(fault.code == 0, "the receiver accepted it");
    fault.must(run.was_sent(), "called delivered, and not sent");
    let registered = run.contents().as_ref() == Some(new);
    fault.must(registered || run.is_old(), "a registry of neither state");
    let begun = journal.contains(r#"{"publication":"#);
    let ended = journal.contains(r#"{"outcome":"#);
    let warned = fault.says("warning: ");
    fault.must(
        warned || (registered && begun && ended),
        "what is not on record is warned of",
    );
    fault.must(
        ended || !begun || fault.says("may be sent again"),
        "a redelivery would send it again, and nobody was told",
    );
    if warned {
        fault.must(fault.error != "EINTR", "EINTR is no reason for a warning");
        fault.must(
            fault.says("[DIR]/") && fault.says(fault.words),
            "path and cause are named",
        );
        return "warned";
    }
    "delivered"
}

const REGISTRY: &str = r#"{"version": 1, "next_id": 4, "hooks": [
    {"id": 2, "url": "https://h.example/2", "event": "Other", "insecure_ssl": false, "mine": [1]},
    {"id": 3, "url": "https://h.example/3", "event": "PostDeployment", "insecure_ssl": true}
]}"#;

/// A registry in use, with a mode and an owner that a new file does not have by itself.
fn in_use(sandbox: &Sandbox) {
    let path = sandbox.write("hooks.json", REGISTRY);
    sandbox.set_mode("hooks.json", 0o640);
    // Only root can give a file away; without it, the owner's calls are not made.
    let _ = std::os::unix::fs::chown(path, Some(12345), Some(12345));
}

/// The same behind a symlink.
fn behind_a_link(sandbox: &Sandbox) {
    in_use(sandbox);
    std::os::unix::fs::symlink("hooks.json", sandbox.path().join("link.json"))
        .expect("a link can be made");
}

fn assert_seen(figures: &[(&str, usize)], verdicts: &[&str]) {
    for verdict in verdicts {
        assert!(
            figures.is_empty() || figures.iter().any(|(seen, _)| seen == verdict),
            "no fault came to {verdict:?}: {figures:?}"
        );
    }
}

#[test]
fn add_is_true_to_each_fault() {
    let scenario = Scenario {
        arguments: &["add", "--url", "https://h.example/new", "--event", "E"],
        registry: "hooks.json",
        prepare: &in_use,
        receiver: None,
    };
    let figures = each_fault(&scenario, change);
    assert_seen(&figures, &["done", "not done", "not durable"]);
}

#[test]
fn the_first_add_is_true_to_each_fault() {
    let scenario = Scenario {
        arguments: &["add", "--url", "https://h.example/new", "--event", "E"],
        registry: "new/folder/hooks.json",
        prepare: &|_| (),
        receiver: None,
    };
    let figures = each_fault(&scenario, change);
    assert_seen(&figures, &["done", "not done", "not durable"]);
}

#[test]
fn edit_is_true_to_each_fault_behind_a_symlink_too() {
    let scenario = Scenario {
        arguments: &["edit", "2", "--url", "https://h.example/moved", "--disable"],
        registry: "hooks.json",
        prepare: &behind_a_link,
        receiver: None,
    };
    let figures = each_fault(&scenario, change);
    assert_seen(&figures, &["done", "not done", "not durable"]);
}

#[test]
fn remove_is_true_to_each_fault() {
    let scenario = Scenario {
        arguments: &["remove", "2"],
        registry: "hooks.json",
        prepare: &in_use,
        receiver: None,
    };
    let figures = each_fault(&scenario, change);
    assert_seen(&figures, &["done", "not done", "not durable"]);
}

#[test]
fn publish_delivers_and_warns_at_each_fault_of_its_journal() {
    let receiver = Receiver::new();
    let hook = json!({"id": 1, "url": receiver.url("/"), "event": "PostDeployment", "insecure_ssl": false});
    let registry = json!({"version": 1, "next_id": 2, "hooks": [hook]}).to_string();
    let scenario = |prepare| Scenario {
        arguments: &["publish", "PostDeployment", "-"],
        registry: "hooks.json",
        prepare,
        receiver: Some(&receiver),
    };
    let first = |sandbox: &Sandbox| _ = sandbox.write("hooks.json", &registry);
    let figures = each_fault(&scenario(&first), publication);
    assert_seen(&figures, &["delivered", "warned", "not sent"]);
    let later = |sandbox: &Sandbox| {
        first(sandbox);
        // An earlier publication, and a record that a full disk tore.
        sandbox.write("hooks.json.journal", "{\"compacted\":{\"time\":\"2026-01-01T00:00:00Z\",\"length\":1}}\n{\"outcome\":{\"id\":\"msg_");
    };
    let figures = each_fault(&scenario(&later), publication);
    assert_seen(&figures, &["delivered", "warned", "not sent"]);
}
