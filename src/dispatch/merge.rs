//! Merges how deliveries went into the hooks' `last_*` (docs/design.md §3).

use std::collections::HashMap;

use crate::delivery::Order;
use crate::domain::hook::{Hook, LastDelivery};
use crate::domain::publication::{Outcome, Publication};
use crate::domain::time::timestamp;
use crate::store::registry::{Change, Contents};

/// `last_context` is cut at this many bytes.
const LONGEST_CONTEXT: usize = 64 * 1024;

/// Outcomes by the hook's id.
pub(super) type News<'a> = HashMap<u64, Vec<(&'a Order, &'a Outcome)>>;

/// The outcomes that there are.
pub(super) fn news<'a>(orders: &'a [Order], outcomes: &'a [Option<Outcome>]) -> News<'a> {
    let mut news = News::new();
    for (order, outcome) in orders.iter().zip(outcomes) {
        if let Some(outcome) = outcome {
            news.entry(order.hook.id)
                .or_default()
                .push((order, outcome));
        }
    }
    news
}

/// Merges them into the hooks that still exist with the same URL.
pub(super) fn merge(contents: &mut Contents, news: &News) -> Change<()> {
    let mut changed = false;
    for hook in &mut contents.hooks {
        for (order, outcome) in news.get(&hook.id).into_iter().flatten() {
            let same = hook.url == order.hook.url;
            if same && hook.last.merge(&last_delivery(&order.publication, outcome)) {
                disable_if_gone(hook, outcome);
                changed = true;
            }
        }
    }
    if changed {
        Change::Save(())
    } else {
        Change::Keep(())
    }
}

fn last_delivery(publication: &Publication, outcome: &Outcome) -> LastDelivery {
    let content = &publication.content;
    LastDelivery {
        datetime: Some(timestamp(outcome.time)),
        status: Some(outcome.status.clone()),
        code: outcome.code,
        reason: Some(outcome.reason.clone()),
        context: Some(content[..content.floor_char_boundary(LONGEST_CONTEXT)].to_owned()),
    }
}

/// 410: the receiver wants no more of it (Standard Webhooks, "Responding to a webhook").
fn disable_if_gone(hook: &mut Hook, outcome: &Outcome) {
    if outcome.is_gone() && hook.enabled {
        hook.enabled = false;
        let time = timestamp(outcome.time);
        hook.disabled_reason = Some(format!("410 Gone at {time}: {}", outcome.reason));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use chrono::{DateTime, Utc};

    use super::*;

    fn outcome(code: u16, seconds: i64) -> Outcome {
        Outcome {
            time: DateTime::<Utc>::from_timestamp(seconds, 0).unwrap(),
            delivered: code < 300,
            status: String::new(),
            code: Some(code),
            reason: "said so".to_owned(),
            attempts: 1,
            duration: Duration::ZERO,
        }
    }

    /// What the hook is like after these outcomes, merged in this order.
    fn after(outcomes: &[Outcome]) -> Hook {
        let mut contents = Contents::default();
        let hook = Hook::new(1, "http://h/".to_owned(), "E".to_owned());
        contents.hooks.push(hook.clone());
        let publication = Arc::new(Publication::new("E", "{}"));
        let order = Order {
            publication,
            hook: Arc::new(hook),
        };
        for outcome in outcomes {
            merge(
                &mut contents,
                &news(std::slice::from_ref(&order), &[Some(outcome.clone())]),
            );
        }
        contents.hooks.remove(0)
    }

    #[test]
    fn a_receiver_that_is_gone_disables_its_hook_and_an_older_answer_does_not() {
        let gone = after(&[outcome(200, 1), outcome(410, 2)]);
        assert!(!gone.enabled && gone.disabled_reason.is_some_and(|r| r.contains("said so")));
        assert!(after(&[outcome(200, 2), outcome(410, 1)]).enabled);
    }
}
