//! What every verb gets, and what several of them say.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::domain::hook::Hook;
use crate::output::{self, Output};
use crate::security::signature::Secret;
use crate::store::registry::{Registry, RegistryFile};

/// What every verb gets.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The registry that was named, by flag or environment.
    pub(super) file: Option<PathBuf>,
    /// How much is said.
    pub(super) output: Output,
}

impl Context {
    /// The registry, which need not exist yet.
    pub(super) fn registry(&self) -> Result<Registry> {
        let waiting: fn(&str) = if self.output.quiet {
            |_| {}
        } else {
            say_who_is_waited_for
        };
        Ok(Registry::locate(self.file.as_deref())?.when_waiting(waiting))
    }

    /// Reads the registry, and warns if others may read the secrets in it.
    pub(super) fn read(&self, registry: &Registry) -> Result<RegistryFile> {
        let file = registry.read()?;
        self.warn_if_exposed(registry, &file.hooks);
        Ok(file)
    }

    /// Warns if others may read the secrets of these hooks.
    pub(super) fn warn_if_exposed(&self, registry: &Registry, hooks: &[Hook]) {
        let Some(mode) = registry.readable_by_others() else {
            return;
        };
        if hooks.iter().any(Hook::holds_secrets) {
            let path = registry.shown().display();
            self.output.warning(format!(
                "others can read the secrets in {path} (mode {mode:04o}); to change that: chmod 600 {path}"
            ));
        }
    }

    /// Warns of a registry that other machines may change, too: a lock is known to hold on one alone.
    pub(super) fn warn_if_remote(&self, registry: &Registry) {
        let Some(file_system) = registry.remote_file_system() else {
            return;
        };
        let path = registry.shown().display();
        self.output.warning(format!(
            "{path} is on a remote file system ({file_system}), where changes at the same time may be lost; \
             keep the registry on a local disk"
        ));
    }

    /// Prints a hook; the secret only where it was just generated.
    pub(super) fn print_hook(
        &self,
        hook: &Hook,
        generated: Option<&Secret>,
        json: bool,
    ) -> Result<()> {
        if json {
            self.output.json(&output::json::hook(hook, generated))
        } else {
            self.output
                .result(output::hook::whole(self.output, hook, generated))
        }
    }

    /// Says that an event has nobody to go to. A registry that is elsewhere looks like one without
    /// hooks.
    pub(super) fn say_that_nobody_waits(&self, registry: &Registry, event: &str) {
        let mut note = format!("no hook is to be called for {event}");
        if registry.is_missing() {
            let path = registry.shown().display();
            let _ = write!(note, ": there is no registry {path} yet");
        }
        self.output.note(note);
    }

    /// Says that damaged lines of the journal were passed over. They are kept.
    pub(super) fn warn_of_damage(&self, journal: &Path, lines: &[usize]) {
        let numbers: Vec<String> = lines.iter().map(usize::to_string).collect();
        let which = match &numbers[..] {
            [] => return,
            [one] => format!("line {one}"),
            [some @ .., last] if some.len() < 5 => format!("lines {} and {last}", some.join(", ")),
            [first, ..] => format!("{} lines, the first of them {first}", numbers.len()),
        };
        let journal = journal.display();
        self.output
            .warning(format!("skipped {which} of the journal {journal}: damaged"));
    }
}

/// Once is enough, however often the lock is waited for.
fn say_who_is_waited_for(holder: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::SeqCst) {
        output::note(format!(
            "waiting for {holder}, which holds the registry's lock"
        ));
    }
}
