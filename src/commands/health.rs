//! `hooks health`: how the deliveries to each hook have gone of late, and what is owed.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::context::{Context, unknown_hooks};
use crate::cli::Health as Arguments;
use crate::domain::health::{Ended, Health, Tally};
use crate::domain::hook::{Hook, HookId};
use crate::domain::retry;
use crate::exit::Exit;
use crate::output;
use crate::store::journal::{Journal, RecordedDelivery};
use crate::store::registry::Registry;

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let output = context.output;
    let registry = context.registry()?;
    let file = context.read(&registry)?;
    let named = &arguments.hooks;
    let unknown: Vec<_> = named.iter().filter(|hook| file.find(hook).is_none()).collect();
    if !unknown.is_empty() {
        return Err(unknown_hooks(&registry, unknown).into());
    }
    let is_named = |hook: &&Hook| named.is_empty() || named.iter().any(|named| hook.is(named));
    let hooks = file.hooks.iter().filter(is_named).collect();
    let since = TimeDelta::from_std(arguments.since).unwrap_or(TimeDelta::MAX);
    let now = Utc::now();
    let found = survey(context, &registry, hooks, since, now)?;
    if arguments.json {
        output.json(&output::health::json(&found, now))?;
    } else if arguments.openmetrics {
        output.json(&output::openmetrics::text(&found, file.hooks.len()))?;
    } else if found.is_empty() {
        context.say_that_none_is_registered(&registry);
    } else {
        output.table(&output::health::table(output, &found, now))?;
    }
    Ok(if found.iter().any(|(_, health)| health.needs_a_look()) {
        Exit::Undelivered
    } else {
        Exit::Done
    })
}

/// How these hooks are, by what the journal has. What ended longer than `since` ago does not count; what
/// is still to be sent does as long as it is sent.
pub(super) fn survey<'a>(
    context: &Context,
    registry: &Registry,
    hooks: Vec<&'a Hook>,
    since: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<(&'a Hook, Health)>> {
    let journal = Journal::of(registry);
    let mut reader = journal.read()?;
    let tally = |hook: &&'a Hook| (hook.id, (*hook, Tally::default()));
    let mut tallies: HashMap<HookId, (&Hook, Tally)> = hooks.iter().map(tally).collect();
    while let Some(recorded) = journal.next(&mut reader)? {
        if recorded.test {
            continue;
        }
        let is_young = recorded.age <= retry::SENT_FOR;
        for delivery in &recorded.deliveries {
            // What went to another URL says nothing of this one.
            let Some((_, tally)) =
                tallies.get_mut(&delivery.hook).filter(|(hook, _)| hook.url == delivery.url)
            else {
                continue;
            };
            if is_young && delivery.is_undelivered(now) {
                tally.owed.push(now - recorded.age);
            }
            if let Some(ended) = ended(delivery, now).filter(|_| delivery.age <= since) {
                tally.ended.push(ended);
            }
        }
    }
    context.warn_of_damage(journal.path(), &journal.damaged(&reader));
    let health = |hook: &'a Hook| {
        let tally = tallies.remove(&hook.id).map(|(_, tally)| tally);
        (hook, tally.unwrap_or_default().health(hook.enabled))
    };
    Ok(hooks.into_iter().map(health).collect())
}

/// How its last try went, if one has ended.
fn ended(delivery: &RecordedDelivery, now: DateTime<Utc>) -> Option<Ended> {
    let (first, last) = (&delivery.tries.first()?.outcome, delivery.outcome()?);
    // One that had arrived and was sent again has failed once.
    let (since, failures) = match delivery.delivered_at {
        None => (first.time, delivery.failures()),
        Some(_) => (last.time, 1),
    };
    Some(Ended {
        time: now - delivery.age,
        delivered: last.delivered,
        duration: last.duration,
        since,
        failures,
    })
}
