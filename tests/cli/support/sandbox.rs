//! A folder for one test, and the binary run in it without the machine's environment.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::invocation::Invocation;
use super::output::Output;

/// A temporary folder with a registry of its own.
pub(crate) struct Sandbox {
    folder: TempDir,
    path: PathBuf,
}

impl Sandbox {
    /// The program under test.
    pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_hooks");

    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // Resolved, because the tool prints resolved paths and a temp folder may be behind a symlink.
        let path = folder.path().canonicalize().expect("the temporary folder has a real path");
        Self { folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A call of `hooks` with these arguments.
    pub(crate) fn hooks<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Invocation<'_> {
        Invocation::new(
            self,
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect(),
        )
    }

    /// Registers a hook and returns its id.
    #[track_caller]
    pub(crate) fn add(&self, url: &str, event: &str) -> String {
        self.add_with(url, event, [])
    }

    /// Registers a hook with further options and returns its id.
    #[track_caller]
    pub(crate) fn add_with<const N: usize>(
        &self,
        url: &str,
        event: &str,
        options: [&str; N],
    ) -> String {
        let added = self.hooks_add(url, event).arg("--json").args(options).run();
        added.assert_code(0);
        id_of(&added.json())
    }

    /// A call of `add` with this URL and this event.
    pub(crate) fn hooks_add(&self, url: &str, event: &str) -> Invocation<'_> {
        self.hooks(["add", "--url", url, "--event", event])
    }

    /// Publishes the deployment of `fixtures/deploy.json` as a `PostDeployment`.
    #[track_caller]
    pub(crate) fn publish(&self) -> Output {
        self.hooks(["publish", "PostDeployment"]).stdin(super::DEPLOYMENT).run()
    }

    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_sandbox = |name: &str| self.path.join(name).into_os_string();
        vec![
            ("PATH".into(), path),
            ("HOME".into(), self.path.clone().into_os_string()),
            ("XDG_CONFIG_HOME".into(), in_sandbox("config")),
            ("HOOKS_FILE".into(), in_sandbox("hooks.json")),
            ("TZ".into(), "UTC".into()),
            ("LC_ALL".into(), "C.UTF-8".into()),
        ]
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, bytes)
            .unwrap_or_else(|error| panic!("can't write {}: {error}", path.display()));
        path
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("can't read {}: {error}", path.display()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).symlink_metadata().is_ok()
    }

    /// The names in the sandbox, sorted: for a test that nothing else was left there.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("the sandbox can be read");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry.expect("the sandbox can be read").file_name().to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// Writes a registry of these hooks, which is quicker than to add them.
    pub(crate) fn write_hooks(&self, hooks: &[Value]) {
        let highest = hooks.iter().filter_map(|hook| hook["id"].as_u64()).max();
        let next_id = highest.unwrap_or(0) + 1;
        let registry = json!({"version": 1, "next_id": next_id, "hooks": hooks});
        self.write("hooks.json", registry.to_string());
    }

    /// Holds the registry's lock until the file is dropped, as another process would.
    pub(crate) fn lock(&self) -> fs::File {
        let path = self.path.join("hooks.json.lock");
        let file = fs::File::options().create(true).append(true).open(path);
        let file = file.expect("the lock file can be opened");
        file.lock().expect("the lock is free");
        file
    }

    /// The registry's text.
    #[track_caller]
    pub(crate) fn registry_bytes(&self) -> Vec<u8> {
        self.read("hooks.json")
    }

    /// The registry's JSON.
    #[track_caller]
    pub(crate) fn registry(&self) -> Value {
        serde_json::from_slice(&self.registry_bytes()).expect("the registry is JSON")
    }

    /// One hook as it stands in the registry.
    #[track_caller]
    pub(crate) fn hook(&self, id: &str) -> Value {
        let registry = self.registry();
        let hooks = registry["hooks"].as_array().expect("the registry has an array of hooks");
        let found = hooks.iter().find(|hook| id_of(hook) == id);
        found.unwrap_or_else(|| panic!("no hook {id} in {registry:#}")).clone()
    }

    /// The ids in the registry, in its order.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        let registry = self.registry();
        let hooks = registry["hooks"].as_array().expect("the registry has an array of hooks");
        hooks.iter().map(id_of).collect()
    }

    /// The journal's records; a damaged line is a failure, unless a test reads the bytes itself.
    #[track_caller]
    pub(crate) fn journal(&self) -> Vec<Value> {
        let text =
            String::from_utf8(self.read("hooks.json.journal")).expect("the journal is UTF-8");
        text.lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
            })
            .collect()
    }

    /// What `log --json` says of all deliveries.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        let log = self.hooks(["log", "--json", "-n", "100000"]).run();
        log.assert_code(0);
        log.json_lines()
    }

    /// The mode of a file, without its type.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path.join(name);
        let metadata =
            fs::metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        metadata.permissions().mode() & 0o7777
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(self.path.join(name), fs::Permissions::from_mode(mode))
            .unwrap_or_else(|error| panic!("can't set the mode of {name}: {error}"));
    }
}

/// A hook's id as a verb takes it: a large one is a string.
fn id_of(hook: &Value) -> String {
    let id = &hook["id"];
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "shown by the test runner below the failure")]
            // The files often explain the failure.
            for name in ["hooks.json", "hooks.json.journal"] {
                if let Ok(text) = fs::read_to_string(self.folder.path().join(name)) {
                    eprintln!("--- {name} ---\n{}", &text.chars().take(4000).collect::<String>());
                }
            }
        }
    }
}

/// A hook without options, as it stands in a registry.
pub(crate) fn hook_json(id: u64, url: impl Into<String>, event: &str) -> Value {
    let url: String = url.into();
    json!({"id": id, "url": url, "event": event, "insecure_ssl": false})
}
