//! What every verb gets, and what several of them say.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::dispatch::{Selected, Setup};
use crate::domain::hook::Hook;
use crate::domain::limits::Limits;
use crate::domain::reference::HookReference;
use crate::exit::Failure;
use crate::output::{self, Output, Stream};
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
        let waiting: fn(&str) = if self.output.quiet { |_| {} } else { say_who_is_waited_for };
        let registry = Registry::locate(self.file.as_deref(), waiting)?;
        self.output.detail(format!("the registry is {}", registry.shown.display()));
        Ok(registry)
    }

    /// The registry, to be changed: where other machines may change it, too, that is warned of, as a lock
    /// is known to hold on one alone.
    pub(super) fn registry_to_change(&self) -> Result<Registry> {
        let registry = self.registry()?;
        if let Some(file_system) = registry.file.remote_file_system() {
            let path = registry.shown.display();
            self.output.warning(format!(
                "{path} is on a remote file system ({file_system}), where changes at the same time may be \
                 lost; keep the registry on a local disk"
            ));
        }
        Ok(registry)
    }

    /// Reads the registry, and warns if others may read the secrets in it.
    pub(super) fn read(&self, registry: &Registry) -> Result<RegistryFile> {
        let file = registry.read()?;
        self.warn_if_exposed(registry, &file.hooks);
        Ok(file)
    }

    /// Warns if others may read the secrets of these hooks.
    pub(super) fn warn_if_exposed(&self, registry: &Registry, hooks: &[Hook]) {
        if let Some(mode) = registry.readable_by_others()
            && hooks.iter().any(Hook::holds_secrets)
        {
            let path = registry.shown.display();
            self.output.warning(format!(
                "others can read the secrets in {path} (mode {mode:04o}); to change that: chmod 600 {path}"
            ));
        }
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
            self.output.result(output::hook::whole(self.output, hook, generated))
        }
    }

    /// How deliveries are made for these arguments.
    pub(super) fn setup(&self, limits: Limits, json: bool) -> Setup {
        let results = (!json).then_some(Stream::Stdout);
        Setup { output: self.output, limits, results, program: self.program() }
    }

    /// How the program is called for this registry, for hints: with `--file`, unless the environment or
    /// the user's own configuration leads to it.
    pub(super) fn program(&self) -> String {
        let from_environment = std::env::var_os("HOOKS_FILE").map(PathBuf::from);
        match &self.file {
            Some(file) if self.file != from_environment => {
                format!("hooks --file {}", file.display())
            }
            _ => "hooks".to_owned(),
        }
    }

    /// Says what there is to know of a selection.
    pub(super) fn say_what_was_selected(&self, selected: &Selected) {
        for warning in &selected.warnings {
            self.output.warning(warning);
        }
        for note in &selected.notes {
            self.output.note(note);
        }
    }

    /// Says that there is no hook.
    pub(super) fn say_that_none_is_registered(&self, registry: &Registry) {
        let place = place(registry);
        self.output.note(format!("no hook is registered in {place}; see 'hooks add --help'"));
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
        self.output
            .warning(format!("skipped {which} of the journal {}: damaged", journal.display()));
    }
}

/// The registry's file, and whether there is one: a registry that is elsewhere looks like one without hooks.
pub(super) fn place(registry: &Registry) -> String {
    let path = registry.shown.display();
    if registry.file.is_missing() {
        format!("{path}, which does not exist yet")
    } else {
        path.to_string()
    }
}

/// There are no such hooks in this registry, which may not be the one that was meant.
pub(super) fn unknown_hooks<'a>(
    registry: &Registry,
    named: impl IntoIterator<Item = &'a HookReference>,
) -> Failure {
    let hint = format!("see 'hooks list'; the registry is {}", place(registry));
    Failure::unknown_hooks(named).hint(hint)
}

/// Once is enough, however often the lock is waited for.
fn say_who_is_waited_for(holder: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::SeqCst) {
        output::note(format!("waiting for {holder}, which holds the registry's lock"));
    }
}
