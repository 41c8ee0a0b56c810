//! Merges how deliveries went into the hooks' `last_*` (DESIGN §3).

use std::collections::HashMap;

use crate::delivery::Order;
use crate::hook::{Hook, LastDelivery, timestamp};
use crate::publication::{Outcome, Publication};
use crate::registry::{Change, Contents};

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
