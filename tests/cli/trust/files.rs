//! What others have put beside a registry, or in its place: nothing is read of it, nothing written to it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::users::{ALICE, MALLORY, as_user, give, needs_users, tester};
use crate::support::{Output, Receiver, Reply, Sandbox, needs};

/// The names of a registry's files, behind its own.
const NAMES: [&str; 4] = ["", ".lock", ".tmp", ".journal"];

const VERBS: [&[&str]; 4] = [
    &["add", "--url", "http://h.example/", "--event", "Other"],
    &["publish", "E", "{}", "--retries", "0"],
    &["redeliver", "--failed", "--now", "--retries", "0"],
    &["log"],
];

/// A registry with a hook, and a journal with a delivery that failed.
struct History {
    receiver: Receiver,
    registry: Vec<u8>,
    journal: Vec<u8>,
}

impl History {
    fn new() -> Self {
        let receiver = Receiver::answering([Reply::status(500), Reply::status(200)]);
        let sandbox = Sandbox::new();
        sandbox.add(&receiver.url("/"), "E");
        sandbox.hooks(VERBS[1]).run().assert_code(3);
        Self {
            registry: sandbox.registry_bytes(),
            journal: sandbox.read("hooks.json.journal"),
            receiver,
        }
    }
}

/// A folder with such a registry, and the user who calls.
struct Scene<'a> {
    history: &'a History,
    sandbox: Sandbox,
    owner: u32,
    caller: u32,
}

impl<'a> Scene<'a> {
    fn new(history: &'a History, owner: u32, caller: u32) -> Self {
        let sandbox = Sandbox::new();
        let scene = Self { history, sandbox, owner, caller };
        fs::create_dir(scene.path("d")).expect("the scene can be set");
        for folder in [".", "d"] {
            scene.own(folder, 0o755);
        }
        scene.write("d/hooks.json", &history.registry);
        scene.write("d/hooks.json.journal", &history.journal);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    fn own(&self, name: &str, mode: u32) {
        self.sandbox.set_mode(name, mode);
        give(&self.path(name), self.owner, self.owner);
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        self.sandbox.write(name, bytes);
        self.own(name, 0o600);
    }

    /// Runs a verb, and tells whether it has sent anything.
    fn run(&self, verb: &[&str]) -> (Output, bool) {
        let before = self.history.receiver.count();
        let invocation = self.sandbox.hooks(verb);
        let invocation =
            invocation.env("HOOKS_FILE", self.path("d/hooks.json")).limit(Duration::from_secs(20));
        let finished = if self.caller == tester() {
            invocation.run()
        } else {
            invocation.shell(&as_user(self.caller)).run()
        };
        (finished, self.history.receiver.count() > before)
    }

    /// Runs a verb that must not use the file of this name, and may do no more than it does without.
    fn refuses(&self, name: &str, verb: &[&str], words: &[&str]) {
        let (finished, sent) = self.run(verb);
        let (code, says, sends) = refusal(name, verb[0]);
        finished.assert_code(code);
        if says {
            finished.assert_stderr_has(words);
        } else {
            assert_eq!(finished.stderr, "", "{verb:?} with {name:?}");
        }
        assert_eq!(sent, sends, "{verb:?} with {name:?}: {}", finished.stderr);
    }
}

/// What a verb does where it must not use the file of that name: its exit code, whether it says why, and
/// whether it sends.
fn refusal(name: &str, verb: &str) -> (i32, bool, bool) {
    match (name, verb) {
        ("", _) => (1, true, false),
        (".lock" | ".tmp", "log") | (".journal", "add") => (0, false, false),
        (".tmp", "redeliver") | (_, "publish") => (0, true, true),
        _ => (1, true, false),
    }
}

/// What stands under a name in place of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Plant {
    Link,
    DanglingLink,
    HardLink,
    Fifo,
    Socket,
    Directory,
    Device,
}

const PLANTS: [(Plant, &str); 7] = [
    (Plant::Link, "a symbolic link"),
    (Plant::DanglingLink, "a symbolic link"),
    (Plant::HardLink, "hard link"),
    (Plant::Fifo, "a FIFO"),
    (Plant::Socket, "a socket"),
    (Plant::Directory, "a directory"),
    (Plant::Device, "a device"),
];

impl Plant {
    /// Puts it there; tells whether that could be done.
    fn put(self, scene: &Scene, path: &Path) -> bool {
        let victim = scene.path("victim");
        let bytes = fs::read(path).unwrap_or(b"precious".into());
        let _ = fs::remove_file(path);
        scene.write("victim", &bytes);
        match self {
            Self::Link => symlink(&victim, path).expect("the scene can be set"),
            Self::DanglingLink => symlink(scene.path("made"), path).expect("the scene can be set"),
            Self::HardLink => fs::hard_link(&victim, path).expect("the scene can be set"),
            Self::Fifo => assert!(command("mkfifo", path, &[])),
            Self::Socket => drop(UnixListener::bind(path).expect("the scene can be set")),
            Self::Directory => fs::create_dir(path).expect("the scene can be set"),
            Self::Device if !command("mknod", path, &["c", "1", "3"]) => return false,
            Self::Device => {}
        }
        give(path, scene.owner, scene.owner);
        true
    }
}

fn command(name: &str, path: &Path, arguments: &[&str]) -> bool {
    let output = Command::new(name).arg(path).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// What a file is, whatever is in it: its kind and mode, owner, number.
fn identity(path: &Path) -> (u32, u32, u64) {
    let metadata = fs::symlink_metadata(path).expect("the scene can be set");
    (metadata.mode(), metadata.uid(), metadata.ino())
}

/// Each plant under each name, before each verb.
fn plants_are_refused(owner: u32, caller: u32) {
    let history = History::new();
    for (plant, words) in PLANTS {
        for name in NAMES {
            let is_link = matches!(plant, Plant::Link | Plant::DanglingLink);
            if name.is_empty() && is_link {
                continue; // Links to a registry are followed.
            }
            for verb in VERBS {
                let scene = Scene::new(&history, owner, caller);
                let file = format!("hooks.json{name}");
                let path = scene.path(&format!("d/{file}"));
                if !plant.put(&scene, &path) {
                    continue;
                }
                let victim = scene.path("victim");
                let bytes = fs::read(&victim).expect("the scene can be set");
                let before = (identity(&path), identity(&victim));
                // Another name of the registry is left behind by the rename, one of the temporary file
                // by its removal: neither is opened.
                if plant == Plant::HardLink && matches!(name, "" | ".tmp") {
                    let (finished, _) = scene.run(verb);
                    finished.assert_code(0);
                    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
                    assert_eq!(identity(&victim), before.1, "{plant:?} {name:?} {verb:?}");
                } else {
                    let user = format!("user {owner}");
                    let whose = if name.is_empty() && plant == Plant::Directory {
                        "[DIR]/d"
                    } else {
                        &user
                    };
                    scene.refuses(name, verb, &[&file, words, whose]);
                    let after = (identity(&path), identity(&victim));
                    assert_eq!(before, after, "{plant:?} {name:?} {verb:?}");
                }
                assert_eq!(
                    fs::read(&victim).expect("the scene can be set"),
                    bytes,
                    "{plant:?} {name:?} {verb:?}"
                );
                assert!(!scene.sandbox.has("made"), "{plant:?} {name:?} {verb:?}");
            }
        }
    }
}

#[test]
fn whatever_is_no_file_of_its_own_is_refused_under_each_name_by_each_verb() {
    plants_are_refused(tester(), tester());
}

#[test]
fn an_ordinary_user_is_safe_from_it() {
    if needs_users() {
        plants_are_refused(ALICE, ALICE);
    }
}

#[test]
fn root_is_safe_from_it_in_another_users_directory() {
    if needs_users() {
        plants_are_refused(ALICE, tester());
    }
}

#[test]
fn damaged_lines_are_set_aside_into_no_file_but_the_registrys_own() {
    let history = History::new();
    for (plant, words) in PLANTS {
        let scene = Scene::new(&history, tester(), tester());
        // Long enough to be compacted, which moves what is damaged.
        scene
            .write("d/hooks.json.journal", [vec![b'x'; 9 << 20], b"\n".into()].concat().as_slice());
        let path = scene.path("d/hooks.json.journal.damaged");
        if !plant.put(&scene, &path) {
            continue;
        }
        let before = identity(&path);
        let (published, sent) = scene.run(VERBS[1]);
        published.assert_code(0);
        published.assert_stderr_has(&["could not compact", "hooks.json.journal.damaged", words]);
        assert!(sent && !scene.sandbox.has("made"));
        assert_eq!(identity(&path), before, "{plant:?}");
        assert_eq!(scene.sandbox.read("victim"), b"precious", "{plant:?}");
        let journal = scene.sandbox.read("d/hooks.json.journal");
        assert!(journal.len() > 9 << 20, "{plant:?}: it is all there still");
        assert!(!scene.sandbox.has("d/hooks.json.tmp"));
    }
}

#[test]
fn the_file_of_another_user_is_refused_under_each_name_by_each_verb() {
    if !needs_users() {
        return;
    }
    let history = History::new();
    for (caller, folder) in [(tester(), 0o755), (ALICE, 0o755), (ALICE, 0o1777)] {
        for name in &NAMES[1..] {
            for (mode, verb) in [0o600, 0o666].into_iter().flat_map(|m| VERBS.map(|v| (m, v))) {
                let scene = Scene::new(&history, caller, caller);
                scene.own("d", folder);
                let file = format!("d/hooks.json{name}");
                // What is believed of it would be sent.
                scene.write(&file, &history.journal);
                scene.sandbox.set_mode(&file, mode);
                give(&scene.path(&file), MALLORY, MALLORY);
                let before = identity(&scene.path(&file));
                let user = format!("user {MALLORY}");
                scene.refuses(name, verb, &[&format!("hooks.json{name}"), &user]);
                assert_eq!(scene.sandbox.read(&file), history.journal);
                assert_eq!(identity(&scene.path(&file)), before);
            }
        }
    }
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let history = History::new();
    for (mode, words) in [(0o666, "by others"), (0o620, "by group"), (0o602, "by others")] {
        for name in [".lock", ".journal"] {
            for verb in VERBS {
                let scene = Scene::new(&history, tester(), tester());
                let file = format!("d/hooks.json{name}");
                scene.write(&file, &history.journal);
                scene.sandbox.set_mode(&file, mode);
                scene.refuses(name, verb, &[&format!("hooks.json{name}"), words]);
                assert_eq!(scene.sandbox.read(&file), history.journal);
                assert_eq!(scene.sandbox.mode(&file), mode);
            }
        }
    }
}

#[test]
fn root_makes_nothing_where_another_user_may_write() {
    if !needs_users() {
        return;
    }
    let history = History::new();
    for plant in [None, Some(Plant::Link), Some(Plant::DanglingLink)] {
        for (name, verb) in NAMES.into_iter().flat_map(|n| VERBS.map(|v| (n, v))) {
            for (owner, mode) in [(MALLORY, 0o755), (tester(), 0o1777), (tester(), 0o777)] {
                let scene = Scene::new(&history, MALLORY, tester());
                for file in ["d/hooks.json", "d/hooks.json.journal"] {
                    fs::remove_file(scene.path(file)).expect("the scene can be set");
                }
                give(&scene.path("d"), owner, owner);
                scene.sandbox.set_mode("d", mode);
                let path = scene.path(&format!("d/hooks.json{name}"));
                if plant.is_some_and(|plant| plant.put(&scene, &path)) {
                    for file in [".", "victim"] {
                        give(&scene.path(file), tester(), tester());
                    }
                }
                let victim = plant.map(|_| scene.sandbox.read("victim"));
                let (finished, sent) = scene.run(verb);
                finished
                    .assert_code(1)
                    .assert_stderr_has(&["error: could not use the registry [DIR]/d/hooks.json"]);
                assert!(!sent && !scene.sandbox.has("made"));
                let left = fs::read_dir(scene.path("d")).expect("the scene can be set").count();
                assert_eq!(left, usize::from(plant.is_some()), "{plant:?} {verb:?}");
                assert_eq!(plant.map(|_| scene.sandbox.read("victim")), victim);
            }
        }
    }
}

#[test]
fn root_makes_no_directories_in_another_users() {
    if !needs_users() {
        return;
    }
    let history = History::new();
    let scene = Scene::new(&history, ALICE, tester());
    for file in ["d/new/hooks.json", "d/new/deeper/hooks.json"] {
        let add = scene.sandbox.hooks(VERBS[0]).env("HOOKS_FILE", scene.path(file));
        add.run().assert_code(1).assert_stderr_has(&["[DIR]/d", &format!("user {ALICE}")]);
        assert!(!scene.sandbox.has("d/new"));
    }
    history.receiver.request();
}

#[test]
fn root_follows_the_links_of_root_and_of_the_registrys_owner_alone() {
    if !needs_users() {
        return;
    }
    let history = History::new();
    for (link_owner, owner, allowed) in [
        (tester(), tester(), true),
        (tester(), ALICE, true),
        (ALICE, ALICE, true),
        (MALLORY, ALICE, false),
        (MALLORY, tester(), false),
    ] {
        for (link, target) in [("link", "d"), ("hooks.json", "d/hooks.json")] {
            let scene = Scene::new(&history, owner, tester());
            symlink(target, scene.path(link)).expect("the scene can be set");
            give(&scene.path(link), link_owner, link_owner);
            let file = if link == "link" { "link/hooks.json" } else { link };
            let add = scene.sandbox.hooks(VERBS[0]).env("HOOKS_FILE", scene.path(file));
            let added = add.run();
            if allowed {
                added.assert_code(0);
            } else {
                let owner = format!("link [DIR]/{link}, which belongs to user {link_owner}");
                added.assert_code(1).assert_stderr_has(&[&owner]);
            }
            let changed = scene.sandbox.read("d/hooks.json") != history.registry;
            assert_eq!(changed, allowed, "{link} of {link_owner} to {owner}");
        }
    }
    history.receiver.request();
}

#[test]
fn root_uses_another_users_registry_and_leaves_it_that_users() {
    if !needs_users() {
        return;
    }
    let history = History::new();
    let scene = Scene::new(&history, ALICE, tester());
    for verb in VERBS {
        scene.run(verb).0.assert_code(0);
    }
    for file in ["hooks.json", "hooks.json.lock", "hooks.json.journal"] {
        let metadata =
            fs::metadata(scene.path(&format!("d/{file}"))).expect("the scene can be set");
        assert_eq!((metadata.uid(), metadata.gid()), (ALICE, ALICE), "{file}");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
    let scene = Scene { caller: ALICE, ..scene };
    for verb in &VERBS[1..] {
        scene.run(verb).0.assert_code(0);
    }
}

#[test]
fn a_pipe_or_a_device_in_place_of_a_registry_is_refused_at_once() {
    if !needs("bash") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("empty", "[]");
    for file in
        ["<(sleep 30)", "<(cat empty)", "/dev/null", "/dev/zero", "/dev/stdin", "/proc/self/fd/0"]
    {
        for verb in VERBS.into_iter().chain([&["list"][..]]) {
            let script = format!("exec bash -c '\"$@\" --file {file} < <(cat empty)' bash \"$@\"");
            let refused = sandbox.hooks(verb).shell(&script).limit(Duration::from_secs(20)).run();
            refused
                .assert_code(1)
                .assert_stderr_has(&["error: could not use the registry /", "not a regular file"]);
            assert_eq!(refused.stdout, "");
        }
    }
    // A regular file behind the same names is one.
    let list = sandbox.hooks(["list", "--file", "/dev/stdin"]);
    let list = list.shell("exec \"$@\" < empty").run();
    list.assert(0, "", "note: no hook is registered in /dev/stdin; see 'hooks add --help'\n");
    let deleted = sandbox.hooks(["list", "--file", "/dev/stdin"]);
    let deleted = deleted.shell("exec 8< empty; rm empty; exec \"$@\" <&8").run();
    deleted.assert_code(1).assert_stderr_has(&["deleted"]);
}
