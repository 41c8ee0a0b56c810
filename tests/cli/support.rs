//! What every test builds on: a sandbox that runs the real binary, and scripted receivers on loopback.

mod capture;
pub(crate) mod echo;
#[cfg(target_os = "linux")]
pub(crate) mod faults;
#[cfg(target_os = "linux")]
mod full_pipe;
#[cfg(target_os = "linux")]
pub(crate) mod hostile;
mod invocation;
#[cfg(target_os = "linux")]
mod mount;
#[cfg(target_os = "linux")]
mod network;
mod output;
mod past;
mod pattern;
pub(crate) mod placeholder;
#[cfg(target_os = "linux")]
mod preload;
mod process;
mod program;
#[cfg(target_os = "linux")]
mod proof;
mod receiver;
mod reply;
#[cfg(unix)]
mod repository;
mod request;
mod responder;
mod sandbox;
mod secrets;
mod server;
#[cfg(unix)]
mod smart_http;
#[cfg(target_os = "linux")]
mod strace;
#[cfg(target_os = "linux")]
mod terminal;
mod tests;
mod tls;
mod unreachable;
#[cfg(target_os = "linux")]
pub(crate) mod users;

#[cfg(target_os = "linux")]
pub(crate) use full_pipe::full_pipe;
#[cfg(unix)]
pub(crate) use invocation::Invocation;
#[cfg(target_os = "linux")]
pub(crate) use mount::{FileSystem, Mount};
#[cfg(target_os = "linux")]
pub(crate) use network::{needs_network, on_an_own_network};
#[cfg(unix)]
pub(crate) use output::Output;
pub(crate) use past::Past;
pub(crate) use pattern::difference;
#[cfg(target_os = "linux")]
pub(crate) use preload::{hanging_look_up, shifted_clock};
pub(crate) use process::{Process, Signal};
pub(crate) use program::{Program, free_port, needs_success};
#[cfg(target_os = "linux")]
pub(crate) use proof::{Rng, complete, figures, needs_root, scaled};
pub(crate) use receiver::Receiver;
pub(crate) use reply::Reply;
#[cfg(unix)]
pub(crate) use repository::{Commit, PLAIN, Repository, executable, mkfifo, path_with_hooks};
pub(crate) use request::Request;
pub(crate) use responder::Responder;
pub(crate) use sandbox::{Sandbox, hook_json};
pub(crate) use secrets::Secrets;
#[cfg(target_os = "linux")]
pub(crate) use server::{Server, hold_open, read_request};
#[cfg(unix)]
pub(crate) use smart_http::SmartHttp;
#[cfg(target_os = "linux")]
pub(crate) use strace::{Call, Effect, Scope, Strace, files_of};
#[cfg(target_os = "linux")]
pub(crate) use terminal::{Candidate, Shell, Terminal};
pub(crate) use tls::Identity;
pub(crate) use unreachable::{FullBacklog, refused_url};

use std::process::{Command, Stdio};
use std::time::Duration;

/// The deployment of Kudu's documentation, as it stands in `fixtures/deploy.json`.
pub(crate) const DEPLOYMENT: &str = include_str!("fixtures/deploy.json");

/// Whether this is `msg_` and a version 7 UUID.
pub(crate) fn is_webhook_id(text: &str) -> bool {
    pattern::matches("[ID]", text)
}

/// Padded base64. Not by the tool's own crate, with which the tool would check itself.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        let digit = |place: usize| char::from(ALPHABET[bits >> (6 * (3 - place)) & 63]);
        (0..4)
            .map(|place| if place <= chunk.len() { digit(place) } else { '=' })
            .collect::<String>()
    };
    bytes.as_ref().chunks(3).map(encode).collect()
}

/// Whether an external program that a test needs is there.
///
/// A contributor's machine may lack it, which is said loudly; on CI a test that did not run
/// would prove nothing, so there it fails.
pub(crate) fn needs(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\"", program])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "this test needs the program `{program}`, and on CI it must be there"
        );
        #[expect(clippy::print_stderr, reason = "a skip has to be seen")]
        {
            eprintln!(
                "\n*** SKIPPED: this test needs the program `{program}`, which is not installed ***\n"
            );
        }
    }
    found
}

/// A sandbox whose one hook waits for `PostDeployment` at a receiver that accepts.
pub(crate) fn one_hook() -> (Sandbox, Receiver) {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    (sandbox, receiver)
}

/// A sandbox whose one hook must not be called.
pub(crate) fn one_uncalled_hook() -> (Sandbox, Receiver) {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::never());
    sandbox.add(&receiver.url("/"), "PostDeployment");
    (sandbox, receiver)
}

/// Waits for something that only time brings, such as the end of another process's deadline.
pub(crate) fn wait_until(mut ready: impl FnMut() -> bool) {
    for _ in 0..200 {
        if ready() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it did not come about in 20 seconds");
}
