//! Secrets that no output may show, in each form in which they could appear.

use super::output::Output;
use super::{base64, sandbox::Sandbox};

/// The secrets of a hook: in its URL, its header and its signing secret. Each test has its own, named by `name`,
/// because tests that run at the same time see each other's processes.
pub(crate) struct Secrets {
    name: &'static str,
}

impl Secrets {
    /// `name` is a few lower-case letters, no other test's.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// A URL on this port with a password, a query value and a token as of a chat service.
    pub(crate) fn url(&self, scheme: &str, port: u16) -> String {
        let Self { name } = self;
        format!(
            "{scheme}://deployer:Pw-{name}%2Fcanary@127.0.0.1:{port}/services/T0001/{}?key=Query-{name}-canary",
            self.token()
        )
    }

    /// A header as `--header` takes it: a token in quotes, as Rails wants it.
    pub(crate) fn header(&self) -> String {
        format!("X-Auth: Token token=\"Header-{}-canary\"", self.name)
    }

    pub(crate) fn secret(&self) -> String {
        format!("whsec_{}", self.key())
    }

    /// Registers a hook with all of them.
    #[track_caller]
    pub(crate) fn add(&self, sandbox: &Sandbox, url: &str, event: &str) -> String {
        sandbox.write("hook.secret", self.secret());
        let options = ["--header", &self.header(), "--secret-file", "hook.secret"];
        sandbox.add_with(url, event, options)
    }

    /// Those of the URL, which `--json` may show.
    fn of_url(&self) -> Vec<String> {
        let Self { name } = self;
        vec![
            format!("Pw-{name}"),
            base64(format!("deployer:Pw-{name}/canary")),
            self.token(),
            format!("Query-{name}"),
        ]
    }

    /// Those that nothing may show.
    fn of_hook(&self) -> Vec<String> {
        vec![format!("Header-{}", self.name), self.key()]
    }

    /// The secret that a text holds, if it holds one.
    pub(crate) fn found_in(&self, text: &str) -> Option<String> {
        let all = [self.of_url(), self.of_hook()].concat();
        all.into_iter().find(|secret| text.contains(secret))
    }

    /// No secret is in the output, which is text for people.
    #[track_caller]
    pub(crate) fn assert_absent(&self, finished: &Output) {
        for secret in [self.of_url(), self.of_hook()].concat() {
            finished.assert_hides(&secret);
        }
    }

    /// The output is JSON, which shows URLs whole, but neither the header nor the signing secret.
    #[track_caller]
    pub(crate) fn assert_only_url(&self, finished: &Output) {
        for secret in self.of_hook() {
            finished.assert_hides(&secret);
        }
    }

    fn token(&self) -> String {
        format!("Token7{}8canary9x0y", self.name)
    }

    fn key(&self) -> String {
        base64(format!("{:>32}", format!("secret of {}", self.name)))
    }
}
