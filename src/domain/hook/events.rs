//! Which events a hook waits for: names, and beginnings of names that end in `*`, joined by commas
//! (docs/design.md §11).

use super::{Hook, check_event};

/// What waits for every event.
pub(crate) const ANY_EVENT: &str = "*";

impl Hook {
    /// Each event it waits for, as it is written. A hand-edited one may be any text but the empty one.
    pub(crate) fn events(&self) -> impl Iterator<Item = &str> {
        split(&self.event)
    }

    /// Whether it waits for this event, or for all that a `*` at its end stands for. Names compare
    /// ignoring ASCII case, as Kudu's do.
    pub(crate) fn waits_for(&self, event: &str) -> bool {
        events_cover(&self.event, event)
    }

    /// Whether it waits for just these events, in whatever order and case.
    pub(crate) fn has_events(&self, events: &str) -> bool {
        let own = &self.event;
        split(own).all(|event| has(events, event)) && split(events).all(|event| has(own, event))
    }
}

/// Checks one of the events that a hook waits for: a name, or a beginning of names and `*`, or `*` alone.
pub(crate) fn check_pattern(text: &str) -> Result<(), &'static str> {
    let name = text.strip_suffix('*').unwrap_or(text);
    if text == ANY_EVENT || check_event(name).is_ok() {
        return Ok(());
    }
    Err("an event is 1 to 100 letters, digits or . _ : / -, and may end in *")
}

fn split(events: &str) -> impl Iterator<Item = &str> {
    events.split(',').map(str::trim).filter(|event| !event.is_empty())
}

/// Whether a list has this event, or what stands for it and, if it ends in `*`, for all that it stands
/// for.
pub(crate) fn events_cover(events: &str, event: &str) -> bool {
    split(events).any(|pattern| match pattern.strip_suffix('*') {
        None => pattern.eq_ignore_ascii_case(event),
        Some(start) => {
            let beginning = event.as_bytes().get(..start.len());
            beginning.is_some_and(|bytes| bytes.eq_ignore_ascii_case(start.as_bytes()))
        }
    })
}

/// Joins events in their order; one that comes again is left out.
pub(crate) fn join_events<'a>(events: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for event in events {
        if joined.is_empty() {
            joined.push_str(event);
        } else if !has(&joined, event) {
            joined.push(',');
            joined.push_str(event);
        }
    }
    joined
}

fn has(events: &str, event: &str) -> bool {
    split(events).any(|known| known.eq_ignore_ascii_case(event))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn are_same(a: &str, b: &str) -> bool {
        Hook { event: a.to_owned(), ..Hook::default() }.has_events(b)
    }

    #[test]
    fn an_event_is_a_name_or_the_beginning_of_names() {
        for good in ["PostDeployment", "*", "deploy.*", "a*", &format!("{}*", "x".repeat(100))] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for bad in ["", "**", "*a", "a*b", "a b", "a,b", "ü*", &"x".repeat(101)] {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_beginnings_are_compared_in_any_case() {
        for (events, event) in [
            ("PostDeployment", "postDEPLOYMENT"),
            ("deploy.*", "deploy.x*"),
            ("Other, PostDeployment", "PostDeployment"),
            ("DEPLOY.*", "deploy.staging"),
            ("deploy.*", "deploy."),
            ("Other,*", "anything"),
        ] {
            assert!(events_cover(events, event), "{events}: {event}");
        }
        for (events, event) in [
            ("deploy.*", "deploy"),
            ("deploy", "deploy.x"),
            ("deploy.*", "deploy*"),
            ("a*b", "axb"),
            ("", "E"),
            (",", "E"),
            ("Post Deployment", "Post"),
        ] {
            assert!(!events_cover(events, event), "{events}: {event}");
        }
    }

    #[test]
    fn lists_are_sets_in_the_order_given() {
        assert!(are_same("A,b*", "B*, a,A"));
        assert!(!are_same("A,B", "A"));
        assert!(!are_same("A", "A,B"));
        assert!(!are_same("a*", "a"));
        assert_eq!(join_events(["A", "b", "a", "B*"]), "A,b,B*");
    }

    proptest! {
        #[test]
        fn whatever_a_hand_has_written_is_a_list(events in any::<String>(), event in any::<String>()) {
            let _ = events_cover(&events, &event);
            prop_assert!(are_same(&events, &events));
            prop_assert!(are_same(&events, &join_events(split(&events))));
        }
    }
}
