//! One session with the binary, written down as text: what each command printed, and what it sent and wrote.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::mask::masked;
use crate::support::{Output, Process, Receiver, Reply, Request, Sandbox, difference};

/// The folder of the recorded sessions.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/fixtures/golden");

/// A sandbox, a receiver, and the text of all that has happened.
pub(super) struct Session {
    pub(super) sandbox: Sandbox,
    receiver: Option<Receiver>,
    text: String,
    /// How many requests are in the text.
    requests: usize,
    /// The files as they are in the text, by name.
    files: HashMap<&'static str, String>,
    /// The ports to mask.
    ports: Vec<u16>,
}

impl Session {
    /// A session without a receiver.
    pub(super) fn new() -> Self {
        Self {
            sandbox: Sandbox::new(),
            receiver: None,
            text: String::new(),
            requests: 0,
            files: HashMap::new(),
            ports: Vec::new(),
        }
    }

    /// A session with a receiver, which gives these replies in turn and the last of them from then on.
    pub(super) fn with_replies(replies: impl IntoIterator<Item = Reply>) -> Self {
        let receiver = Receiver::answering(replies);
        Self { ports: vec![receiver.port()], receiver: Some(receiver), ..Self::new() }
    }

    fn receiver(&self) -> &Receiver {
        self.receiver.as_ref().expect("the session has a receiver")
    }

    /// A URL of the receiver under another origin, such as one with a password.
    pub(super) fn url_as(&self, origin: &str, path: &str) -> String {
        self.receiver().url_as(origin, path)
    }

    /// Masks this port, too.
    pub(super) fn mask_port(&mut self, port: u16) {
        self.ports.push(port);
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        self.sandbox.write(name, content);
    }

    /// Registers a hook at a path of the receiver, which is not part of the text.
    #[track_caller]
    pub(super) fn add<const N: usize>(&self, path: &str, event: &str, options: [&str; N]) {
        let url = self.receiver().url(path);
        self.sandbox.add_with(&url, event, options);
    }

    /// Runs `hooks` with these arguments, as a shell would read them.
    pub(super) fn run(&mut self, arguments: &str) {
        let output = self.spawn(arguments).wait();
        self.write_all(arguments, &output);
    }

    /// Runs `hooks` with these arguments and this standard input.
    pub(super) fn run_with_input(&mut self, arguments: &str, input: &str) {
        let call = self.sandbox.hooks(split(arguments)).stdin(input);
        let output = call.env("HOOKS_JOBS", "1").run();
        self.write_all(&format!("{arguments} <<< '{input}'"), &output);
    }

    /// Starts `hooks` with these arguments. Deliveries are made one at a time, so that their order is the same in
    /// each session.
    pub(super) fn spawn(&self, arguments: &str) -> Process {
        let call = self.sandbox.hooks(split(arguments));
        call.env("HOOKS_JOBS", "1").spawn()
    }

    /// Writes down what a command printed, sent and wrote.
    pub(super) fn write_all(&mut self, command: &str, output: &Output) {
        self.write_output(command, output);
        self.write_requests();
        let verb = command.split(' ').next().unwrap_or_default();
        // The other verbs change only what a hook holds of its last delivery, for which the end is enough.
        if ["add", "edit", "remove", "rm"].contains(&verb) {
            self.write_file("hooks.json");
        }
        self.write_file("hooks.json.journal");
        self.text.push('\n');
    }

    /// Writes down what a command printed and its exit code.
    fn write_output(&mut self, command: &str, output: &Output) {
        let code = output.code();
        let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let _ = write!(self.text, "$ hooks {command}\nexit code {code}\n");
        self.write_part("standard output", &output.stdout);
        self.write_part("standard error", &output.stderr);
    }

    fn write_part(&mut self, title: &str, content: &str) {
        if content.is_empty() {
            return;
        }
        let end = if content.ends_with('\n') { "" } else { "\n" };
        let _ = write!(self.text, "--- {title}\n{content}{end}");
    }

    /// Writes down the requests that have arrived since.
    fn write_requests(&mut self) {
        let Some(receiver) = &self.receiver else {
            return;
        };
        let requests = receiver.requests();
        for request in &requests[self.requests..] {
            let text = shown(request, &self.ports);
            self.write_part("request", &text);
        }
        self.requests = requests.len();
    }

    /// Writes down a file if it has changed: what was appended, or all of it.
    fn write_file(&mut self, name: &'static str) {
        if !self.sandbox.has(name) {
            return;
        }
        let now = String::from_utf8(self.sandbox.read(name)).expect("the file is UTF-8");
        let before = self.files.insert(name, now.clone()).unwrap_or_default();
        match now.strip_prefix(&before) {
            Some("") => {}
            Some(appended) if !before.is_empty() => {
                self.write_part(&format!("appended to {name}"), appended);
            }
            _ => self.write_part(name, &now),
        }
    }

    /// Compares the session with the recorded one, or records it if `HOOKS_RENEW` is set.
    #[track_caller]
    pub(super) fn compare(mut self, name: &str) {
        self.text += "At the end\n";
        self.write_file("hooks.json");
        let files = self.sandbox.names().join("\n");
        self.write_part("files", &files);
        let version = concat!("hooks/", env!("CARGO_PKG_VERSION"));
        let text = masked(&self.text, &self.ports).replace(version, "hooks/[VERSION]");
        let path = PathBuf::from(FIXTURES).join(format!("{name}.txt"));
        if std::env::var_os("HOOKS_RENEW").is_some() {
            std::fs::write(&path, text).expect("the fixture can be written");
            return;
        }
        let recorded = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            recorded == text,
            "not as recorded in {} (- recorded, + now):\n{}\n\
             if this is meant: HOOKS_RENEW=1 cargo test --test cli golden",
            path.display(),
            difference(&recorded, &text, |recorded, now| recorded == now)
        );
    }
}

/// The request as it arrived. The length of a body that is masked may vary from machine to machine.
fn shown(request: &Request, ports: &[u16]) -> String {
    let body = request.text();
    let body_varies = masked(&body, ports) != body;
    let mut text = format!("{} {} HTTP/1.1\n", request.method, request.target);
    for (name, value) in &request.headers {
        let value = match name.to_ascii_lowercase().as_str() {
            "content-length" if body_varies => "[NUMBER]",
            _ => value,
        };
        let _ = writeln!(text, "{name}: {value}");
    }
    text + "\n" + &body
}

/// The arguments of a command line: words, of which those with spaces are in single quotes.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        let is_quoted = number % 2 == 1;
        let mut pieces = part.split(|c| c == ' ' && !is_quoted);
        if let (Some(word), Some(piece)) = (words.last_mut(), pieces.next()) {
            word.push_str(piece);
        }
        words.extend(pieces.map(str::to_owned));
    }
    words
}
