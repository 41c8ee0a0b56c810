//! `hooks log`: the journal's deliveries, newest first, or one publication whole.

use std::cmp::Reverse;
use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::context::{Context, unknown_hooks};
use crate::cli::Log;
use crate::domain::hook::{Hook, HookId};
use crate::domain::reference::{HookReference, Reference};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::output::log::LogEntry;
use crate::store::journal::{Journal, Recorded, RecordedDelivery};
use crate::store::registry::{Registry, RegistryFile};

pub(super) fn run(context: &Context, arguments: &Log) -> Result<Exit> {
    let registry = context.registry()?;
    let journal = Journal::of(&registry);
    // The journal is worth a look when the registry is broken, and that is worth an error, afterwards.
    let file = context.read(&registry);
    let hooks = file.as_ref().ok().map(|file| &file.hooks);
    let search = Search {
        arguments,
        hook: hook(arguments, &registry, file.as_ref().ok())?,
        hooks: hooks.map(|hooks| hooks.iter().map(|hook| (hook.id, hook)).collect()),
        now: Utc::now(),
    };
    let found = search.run(&journal)?;
    context.warn_of_damage(journal.path(), &found.damaged);
    if !found.entries.is_empty() {
        show(context, arguments, &found)?;
    }
    let file = file?;
    if !found.entries.is_empty() {
        return Ok(if arguments.exit_code { Exit::Undelivered } else { Exit::Done });
    }
    // A hook that was removed is still in the journal; an id that is neither there nor in the registry is a slip of
    // the finger.
    match &arguments.of {
        Some(Reference::Hook(named)) if !found.is_known && file.find(named).is_none() => {
            return Err(unknown_hooks(&registry, [named]).into());
        }
        Some(Reference::Publication(id)) if found.publication.is_none() => {
            return Err(Failure::unknown_publication(id).into());
        }
        _ if arguments.json => {}
        _ => context.output.note(format!("no such delivery is in {}", journal.path().display())),
    }
    Ok(Exit::Done)
}

/// The id of the hook that is named: the journal knows ids alone.
fn hook(
    arguments: &Log,
    registry: &Registry,
    file: Option<&RegistryFile>,
) -> Result<Option<HookId>, Failure> {
    let named = match &arguments.of {
        Some(Reference::Hook(HookReference::Id(id))) => return Ok(Some(*id)),
        Some(Reference::Hook(named)) => named,
        _ => return Ok(None),
    };
    let hook = file.and_then(|file| file.find(named));
    Ok(Some(hook.ok_or_else(|| unknown_hooks(registry, [named]))?.id))
}

/// What the journal has of what is asked for.
#[derive(Default)]
struct Found {
    entries: Vec<LogEntry>,
    /// The one publication that was asked for.
    publication: Option<Recorded>,
    /// The numbers of the lines that were passed over.
    damaged: Vec<usize>,
    /// Whether the hook that was named has ever got a publication.
    is_known: bool,
}

/// What is looked for.
struct Search<'a> {
    arguments: &'a Log,
    /// The hook that is named.
    hook: Option<HookId>,
    /// The hooks that are there now, unless the registry cannot be read.
    hooks: Option<HashMap<HookId, &'a Hook>>,
    now: DateTime<Utc>,
}

impl Search<'_> {
    /// The deliveries that are wanted, sorted by the time that they are shown with; or all of one publication.
    fn run(&self, journal: &Journal) -> Result<Found> {
        let most = usize::try_from(self.arguments.n).unwrap_or(usize::MAX);
        let mut found = Found::default();
        let mut reader = journal.read()?;
        while let Some(recorded) = journal.next(&mut reader)? {
            if let Some(Reference::Publication(id)) = &self.arguments.of {
                if recorded.id == *id {
                    let deliveries = recorded.deliveries.iter();
                    found.entries = deliveries.map(|d| self.entry(&recorded, d)).collect();
                    found.publication = Some(recorded);
                    break;
                }
                continue;
            }
            let is_its = |id| recorded.delivery(id).is_some();
            found.is_known |= self.hook.is_some_and(is_its);
            let wanted = recorded.deliveries.iter();
            let mut wanted: Vec<_> = wanted.filter(|d| self.wants(&recorded, d)).collect();
            // An entry has a deployment: no more of them than can be shown.
            wanted.sort_by_key(|delivery| Reverse(delivery.last_try));
            wanted.truncate(most);
            if !wanted.is_empty() {
                found.entries.extend(wanted.into_iter().map(|d| self.entry(&recorded, d)));
                found.entries.sort_by_key(|entry| Reverse(entry.time()));
                found.entries.truncate(most);
            }
            let oldest = found.entries.last().filter(|_| found.entries.len() >= most);
            if oldest.is_some_and(|oldest| !reader.may_hold_later_than(oldest.time())) {
                break;
            }
        }
        found.damaged = journal.damaged(&reader);
        Ok(found)
    }

    fn entry(&self, recorded: &Recorded, delivery: &RecordedDelivery) -> LogEntry {
        let next_try = self.next_try(recorded, delivery);
        let name = self.hook_of(delivery).and_then(|hook| hook.name.as_deref());
        LogEntry::new(recorded, delivery, name, next_try, self.now)
    }

    fn wants(&self, recorded: &Recorded, delivery: &RecordedDelivery) -> bool {
        let Log { of: _, failed, event, since, exit_code: _, n: _, json: _ } = self.arguments;
        // What is left for a hook that was removed can never be sent.
        let is_gone = self.hooks.is_some() && self.hook_of(delivery).is_none();
        let is_owed = delivery.state(self.now).is_owed() && !is_gone;
        let is_event = |event: &String| recorded.event.eq_ignore_ascii_case(event);
        let is_young = |since| {
            let since = TimeDelta::from_std(since).unwrap_or(TimeDelta::MAX);
            delivery.age <= since
        };
        self.hook.is_none_or(|id| delivery.hook == id)
            && (!failed || is_owed)
            && event.as_ref().is_none_or(is_event)
            && since.is_none_or(is_young)
    }

    fn hook_of(&self, delivery: &RecordedDelivery) -> Option<&Hook> {
        self.hooks.as_ref()?.get(&delivery.hook).copied()
    }

    /// When `redeliver --failed` sends it; `None` where it does not.
    fn next_try(&self, recorded: &Recorded, delivery: &RecordedDelivery) -> Option<DateTime<Utc>> {
        let hook = self.hook_of(delivery)?;
        let is_sent = delivery.is_undelivered(self.now) && !recorded.test;
        (is_sent && hook.enabled && hook.url == delivery.url).then(|| delivery.due(self.now))
    }
}

fn show(context: &Context, arguments: &Log, found: &Found) -> Result<()> {
    let (output, entries) = (context.output, &found.entries);
    if arguments.json {
        let lines: Vec<String> = entries.iter().map(output::json::log_line).collect();
        return output.json(&lines.join("\n"));
    }
    if let Some(recorded) = &found.publication {
        return output.result(output::log::publication(output, recorded, entries));
    }
    if output.verbose {
        return output.result(output::log::blocks(output, entries));
    }
    output.table(&output::log::table(entries))
}
