//! One file a verb: from arguments to calls, from results to output.

mod add;
mod edit;
mod fields;
mod input;
mod list;
mod listen;
mod log;
mod options;
mod publish;
mod redeliver;
mod remove;
mod run;
mod show;
mod test;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::domain::hook::Hook;
use crate::exit::{Exit, Failure};
use crate::output::{self, Output};
use crate::security::signature::Secret;
use crate::store::journal::History;
use crate::store::registry::{Contents, Registry};

/// What every verb gets.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    file: Option<PathBuf>,
    pub(crate) output: Output,
}

/// Runs the verb.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    let output = Output::new(&cli.global);
    let context = Context {
        file: cli.global.file,
        output,
    };
    match cli.command {
        Command::Add(arguments) => add::run(&context, &arguments),
        Command::List(arguments) => list::run(&context, &arguments),
        Command::Publish(arguments) => publish::run(&context, &arguments),
        Command::Run(arguments) => run::run(&context, &arguments),
        Command::Test(arguments) => test::run(&context, &arguments),
        Command::Log(arguments) => log::run(&context, &arguments),
        Command::Redeliver(arguments) => redeliver::run(&context, &arguments),
        Command::Show(arguments) => show::run(&context, &arguments),
        Command::Edit(arguments) => edit::run(&context, &arguments),
        Command::Remove(arguments) => remove::run(&context, &arguments),
        Command::Listen(arguments) => listen::run(&context, &arguments),
    }
}

impl Context {
    fn registry(&self) -> Result<Registry> {
        let waiting: fn(&str) = if self.output.quiet {
            |_| {}
        } else {
            say_who_is_waited_for
        };
        Ok(Registry::locate(self.file.as_deref())?.when_waiting(waiting))
    }

    /// Prints a hook; the secret only where it was just generated.
    fn print_hook(&self, hook: &Hook, generated: Option<&Secret>, json: bool) -> Result<()> {
        if json {
            self.output.json(&output::json::hook(hook, generated))
        } else {
            self.output
                .result(output::hook::whole(self.output, hook, generated))
        }
    }

    /// Says that an event has nobody to go to. A registry that is elsewhere looks like one without hooks.
    fn say_that_nobody_waits(&self, registry: &Registry, event: &str) {
        let mut note = format!("no hook is to be called for {event}");
        if registry.is_missing() {
            let _ = write!(
                note,
                ": there is no registry {} yet",
                registry.shown().display()
            );
        }
        self.output.note(note);
    }

    /// Reads the registry, and warns if others may read the secrets in it.
    fn read(&self, registry: &Registry) -> Result<Contents> {
        let contents = registry.read()?;
        self.warn_if_exposed(registry, &contents.hooks);
        Ok(contents)
    }

    fn warn_if_exposed(&self, registry: &Registry, hooks: &[Hook]) {
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

/// There is no such hook.
fn unknown(ids: &[u64]) -> Failure {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    Failure::new(
        Exit::Unknown,
        format!("no hook has the id {}", ids.join(" or ")),
    )
    .hint("see 'hooks list'")
}

/// A damaged line is skipped, kept, and said.
fn warn_of_damage(context: &Context, file: &Path, history: &History) {
    let numbers: Vec<String> = history.damaged.iter().map(usize::to_string).collect();
    let which = match &numbers[..] {
        [one] => format!("line {one}"),
        [some @ .., last] if some.len() < 5 => format!("lines {} and {last}", some.join(", ")),
        [first, ..] => format!("{} lines, the first of them {first}", numbers.len()),
        [] => return,
    };
    context.output.warning(format!(
        "skipped {which} of the journal {}: damaged",
        file.display()
    ));
}
