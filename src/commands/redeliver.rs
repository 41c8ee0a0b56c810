//! `hooks redeliver`: sends again, the same bytes under the same webhook-id.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Context, unknown, warn_of_damage};
use crate::cli::{Redeliver, Reference};
use crate::delivery::Order;
use crate::dispatch::{self, Results, Sending};
use crate::domain::hook::Hook;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::output::outcome::readable_time;
use crate::security::escape::escape;
use crate::store::file::Patience;
use crate::store::journal::{Claim, Delivery, History, Recorded, State};

/// How long the claim waits for the lock: without it, two could send the same.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) fn run(context: &Context, arguments: &Redeliver) -> Result<Exit> {
    let registry = context.registry()?;
    let results = Results::of(arguments.json);
    let sending = Sending::new(context, &registry, arguments.limits.settle()?, results);
    // Read again under the lock; here it is for its warning, and so that a broken one ends it at once.
    context.read(&registry)?;
    if registry.is_missing() {
        // A slip in a crontab would be silent for ever.
        context.output.warning(format!(
            "there is no registry {}",
            registry.shown().display()
        ));
    }
    if !registry.journal_file().exists() && arguments.failed {
        context.output.note("nothing to send again");
        if arguments.json {
            context.output.json("[]")?;
        }
        return Ok(Exit::Done);
    }
    let mut choice = Choice::default();
    let patience = Patience::of(sending.left().min(PATIENCE));
    let claimed = sending.journal().claim(
        patience,
        || sending.deadline(),
        |history| {
            choice.hooks = by_id(registry.read()?.hooks);
            if arguments.failed {
                Ok(choice.due(history, arguments))
            } else {
                choice.named(history, &arguments.ids)
            }
        },
    );
    choice.say_all(context.output);
    let (claims, history) = claimed?;
    warn_of_damage(context, &registry.journal_file(), &history);
    let orders = choice.orders(claims);
    drop(history);
    if orders.is_empty() {
        if arguments.json {
            context.output.json("[]")?;
        }
        return Ok(Exit::Done);
    }
    let sent = sending.deliver(orders, dispatch::interruptible());
    if arguments.json {
        sent.print_json(context, &sent.views());
    }
    Ok(sent.exit())
}

fn by_id(hooks: Vec<Hook>) -> HashMap<u64, Arc<Hook>> {
    hooks
        .into_iter()
        .map(|hook| (hook.id, Arc::new(hook)))
        .collect()
}

/// What is known when it is chosen what to send, under the lock, and what is to be said of it after.
struct Choice {
    hooks: HashMap<u64, Arc<Hook>>,
    now: DateTime<Utc>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// What is undelivered and not sent now.
#[derive(Debug, Default)]
struct Left {
    later: Vec<DateTime<Utc>>,
    gone: usize,
    disabled: usize,
    old: usize,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            hooks: HashMap::new(),
            now: Utc::now(),
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Choice {
    fn say_all(&self, output: Output) {
        self.warnings
            .iter()
            .for_each(|warning| output.warning(warning));
        self.notes.iter().for_each(|note| output.note(note));
    }

    /// `--failed`: everything undelivered that is young enough and due, oldest first.
    fn due(&mut self, history: &History, arguments: &Redeliver) -> Vec<Claim> {
        let since = TimeDelta::from_std(arguments.since).unwrap_or(TimeDelta::MAX);
        let mut left = Left::default();
        let mut claims = Vec::new();
        for recorded in history.publications.iter().filter(|r| !r.publication.test) {
            let old = self.now - recorded.publication.time > since;
            let mut hooks = Vec::new();
            for delivery in recorded
                .deliveries
                .iter()
                .filter(|d| d.is_undelivered(self.now))
            {
                match self.same_hook(delivery) {
                    None => left.gone += 1,
                    Some(hook) if !hook.enabled => left.disabled += 1,
                    Some(_) if old => left.old += 1,
                    Some(_) if arguments.now || delivery.due() <= self.now => {
                        hooks.push(delivery.hook);
                    }
                    Some(_) => left.later.push(delivery.due()),
                }
            }
            if !hooks.is_empty() {
                claims.push(Claim {
                    publication: recorded.publication.clone(),
                    hooks,
                });
            }
        }
        self.say_what_is_left(claims.is_empty(), &left);
        claims
    }

    fn same_hook(&self, delivery: &Delivery) -> Option<&Arc<Hook>> {
        self.hooks
            .get(&delivery.hook)
            .filter(|hook| hook.url == delivery.url)
    }

    fn say_what_is_left(&mut self, nothing: bool, left: &Left) {
        if let Some(next) = left.later.iter().min() {
            self.notes.push(format!(
                "not due yet: {}, the next at {}; to send whatever failed: --now",
                left.later.len(),
                readable_time(*next)
            ));
        } else if nothing {
            self.notes.push("nothing to send again".to_owned());
        }
        let kinds = [
            (left.gone, "to a hook that is gone or has another URL"),
            (left.disabled, "to a disabled hook"),
            (left.old, "older than --since"),
        ];
        let kinds: Vec<String> = kinds
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        if !kinds.is_empty() {
            self.notes
                .push(format!("undelivered, and left so: {}", kinds.join(", ")));
        }
    }

    /// The latest publication of each hook, or the publications, that are named.
    fn named(&mut self, history: &History, references: &[Reference]) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for reference in references {
            match reference {
                Reference::Hook(id) => {
                    let hook = self.hooks.get(id).ok_or_else(|| unknown(&[*id]))?;
                    let Some((recorded, delivery)) = history.latest_of(hook.id) else {
                        self.warnings
                            .push(format!("nothing was published to hook {id} yet"));
                        continue;
                    };
                    self.claim(&mut claims, recorded, &[delivery]);
                }
                Reference::Publication(id) => {
                    let recorded = history.find(id).ok_or_else(|| {
                        Failure::new(
                            Exit::Unknown,
                            format!("no publication has the id {}", escape(id)),
                        )
                        .hint("see 'hooks log -v'; what is old and was delivered is not kept")
                    })?;
                    self.claim(
                        &mut claims,
                        recorded,
                        &recorded.deliveries.iter().collect::<Vec<_>>(),
                    );
                }
            }
        }
        claims.sort_by_key(|claim| claim.publication.time);
        Ok(claims)
    }

    /// Adds what can be sent of a publication, and says of the rest why it cannot.
    fn claim(&mut self, claims: &mut Vec<Claim>, recorded: &Recorded, deliveries: &[&Delivery]) {
        let id = &recorded.publication.id;
        for delivery in deliveries {
            let hook = delivery.hook;
            let why_not = match self.same_hook(delivery) {
                None => Some("it does not exist any more with the URL of that time"),
                Some(hook) if !hook.enabled => Some("it is disabled"),
                Some(_) if delivery.state(self.now) == State::Pending => {
                    Some("another process may be at it")
                }
                Some(_) => None,
            };
            if let Some(why) = why_not {
                self.warnings
                    .push(format!("hook {hook} is left out of {id}: {why}"));
                continue;
            }
            match claims.iter_mut().find(|claim| claim.publication.id == *id) {
                Some(claim) if claim.hooks.contains(&hook) => {}
                Some(claim) => claim.hooks.push(hook),
                None => {
                    let publication = recorded.publication.clone();
                    claims.push(Claim {
                        publication,
                        hooks: vec![hook],
                    });
                }
            }
        }
    }

    /// The deliveries to make, oldest publication first.
    fn orders(&self, claims: Vec<Claim>) -> Vec<Order> {
        let mut orders = Vec::new();
        for Claim { publication, hooks } in claims {
            let publication = Arc::new(publication);
            for hook in hooks.iter().filter_map(|id| self.hooks.get(id)) {
                let (publication, hook) = (Arc::clone(&publication), Arc::clone(hook));
                orders.push(Order { publication, hook });
            }
        }
        orders
    }
}
