//! A folder with a registry of so many hooks, and the commands in it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

const DEPLOYMENT: &str = include_str!("../../examples/deploy.json");

/// Whether the older binary of `HOOKS_BENCH_OLD` is measured at the moment.
static IS_OLD: AtomicBool = AtomicBool::new(false);

/// The binary that is measured at the moment.
pub(crate) fn binary() -> PathBuf {
    let is_old = IS_OLD.load(Ordering::Relaxed);
    let old = std::env::var_os("HOOKS_BENCH_OLD").filter(|_| is_old);
    old.unwrap_or(env!("CARGO_BIN_EXE_hooks").into()).into()
}

/// Measures with the older binary, if there is one.
pub(crate) fn with_the_old_one<T>(measure: impl FnOnce() -> T) -> Option<T> {
    std::env::var_os("HOOKS_BENCH_OLD")?;
    IS_OLD.store(true, Ordering::Relaxed);
    let measured = measure();
    IS_OLD.store(false, Ordering::Relaxed);
    Some(measured)
}

/// Lines of a journal with all their times moved to this second.
fn at(lines: &str, time: DateTime<Utc>) -> String {
    const KEY: &str = "\"time\":\"";
    let second = time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let mut parts = lines.split(KEY);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + KEY + &second + &part[second.len()..])
}

/// The arguments that publish to every hook of a [`Folder`].
pub(crate) const PUBLISH: [&str; 3] = ["publish", "PostDeployment", "@deploy.json"];

/// URLs of a port that refuses connections.
pub(crate) fn refused(number: usize) -> String {
    format!("http://127.0.0.1:9/{number}")
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A registry of `hooks` hooks with these URLs, each with a last delivery, as after a day's use.
    pub(crate) fn new(hooks: usize, url: impl Fn(usize) -> String) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        let mut text =
            String::from("{\n  \"version\": 1,\n  \"next_id\": 1000001,\n  \"hooks\": [");
        for number in 0..hooks {
            let separator = if number == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{separator}\n    {{\n      \"id\": {id},\n      \"url\": \"{url}\",\n      \
                 \"event\": \"PostDeployment\",\n      \"insecure_ssl\": false,\n      \
                 \"last_datetime\": \"2026-01-01T00:00:00.000Z\",\n      \"last_status\": \"OK\",\n      \
                 \"last_code\": 200,\n      \"last_reason\": \"delivered\",\n      \
                 \"last_context\": \"{{\\\"id\\\":\\\"42\\\",\\\"status\\\":\\\"success\\\"}}\"\n    }}",
                id = number + 1,
                url = url(number),
            );
        }
        text += "\n  ]\n}\n";
        folder.write("hooks.json", &text);
        folder.write("deploy.json", DEPLOYMENT);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("the folder takes a file");
        // As the tool makes them; for a file that others can read it looks for secrets, too.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&path, private).expect("a file of our own");
        path
    }

    /// Writes the journal of one publication again and again, under other ids, one a second up to now, up to so
    /// many bytes. Gives how many publications that are.
    pub(crate) fn lengthen_journal(&self, bytes: u64) -> u64 {
        let path = self.path().join("hooks.json.journal");
        let lines = fs::read_to_string(&path).expect("a publish leaves a journal");
        let id = lines.split('"').find(|word| word.starts_with("msg_"));
        let id = id.expect("it has an id");
        let mut file = BufWriter::new(fs::File::create(&path).expect("the journal can be written"));
        let (mut number, mut length) = (0, 0);
        let mut time = Utc::now() - TimeDelta::seconds((bytes / lines.len() as u64).cast_signed());
        while length < bytes {
            number += 1;
            time += TimeDelta::seconds(1);
            let copy = at(&lines, time).replace(id, &format!("msg_{number}"));
            file.write_all(copy.as_bytes()).expect("the disk has room");
            length += copy.len() as u64;
        }
        file.flush().expect("the disk has room");
        number
    }

    pub(crate) fn hooks<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut hooks = Command::new(binary());
        hooks
            .args(arguments)
            .current_dir(self.path())
            .env("HOOKS_FILE", "hooks.json")
            .env("HOOKS_DEADLINE", "10m");
        hooks
    }

    pub(crate) fn run<const N: usize>(&self, program: &str, arguments: [&str; N]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path());
        command
    }

    /// curl with what `hooks` does, too: the content type, and nothing printed.
    pub(crate) fn curl<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut curl = self.run("curl", ["-q", "--silent", "--show-error", "--fail"]);
        curl.args(["--output", "/dev/null", "--header", "content-type: application/json"]);
        curl.args(arguments);
        curl
    }

    /// A configuration of so many POSTs for `curl --parallel`.
    pub(crate) fn curl_list(&self, posts: usize, url: impl Fn(usize) -> String) -> PathBuf {
        let post = |number| {
            let url = url(number);
            format!(
                "url = \"{url}\"\noutput = \"/dev/null\"\ndata-binary = \"@deploy.json\"\n\
                 header = \"content-type: application/json\"\nsilent\nnext\n"
            )
        };
        let text: String = (0..posts).map(post).collect();
        self.write("curl.conf", text.trim_end_matches("next\n"))
    }

    /// The system's certificates and another one.
    pub(crate) fn store_with(&self, authority: &str) -> PathBuf {
        let system = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt")
            .expect("the package ca-certificates is installed");
        self.write("store.pem", &(system + authority))
    }
}
