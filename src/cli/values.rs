//! Value parsers. Their errors say what is wrong and never quote the value, which may hold a secret.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use serde_json::value::RawValue;

use crate::domain::hook::{
    ANY_EVENT, check_event, check_header, check_name, check_pattern, check_url,
};
use crate::domain::json::quoted;
use crate::domain::reference::{HookReference, Reference};
use crate::platform;

/// A `--header`: its name and value, the value empty to clear it in `edit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header(pub(crate) String, pub(crate) String);

/// What an option gives, or the file that it is read from, `-` for standard input: other users see the
/// process list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source<T> {
    /// On the command line.
    Given(T),
    /// In this file.
    File(PathBuf),
}

/// A `--status` list; empty clears in `edit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) Vec<String>);

/// A `--set`: the key, and its value as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The deployment's key.
    pub(crate) key: String,
    /// JSON text.
    pub(crate) json: String,
}

/// A URL, `@FILE`, or `-` for standard input.
pub(super) fn url_source() -> impl TypedValueParser<Value = Source<String>> {
    OsStringValueParser::new().try_map(|argument| match argument.to_str() {
        Some("-") => Ok(Source::File(argument.into())),
        _ => source(&argument, url),
    })
}

/// A header, or `@FILE`.
pub(super) fn header_source() -> impl TypedValueParser<Value = Source<Header>> {
    OsStringValueParser::new().try_map(|argument| source(&argument, header))
}

fn source<T>(argument: &OsStr, parse: fn(&str) -> Result<T, String>) -> Result<Source<T>, String> {
    match platform::strip_prefix(argument, "@") {
        Some(file) if file.is_empty() => Err("the name of a file follows the @".to_owned()),
        Some(file) => Ok(Source::File(file.into())),
        None => parse(argument.to_str().ok_or("it is not UTF-8 text")?).map(Source::Given),
    }
}

pub(crate) fn url(text: &str) -> Result<String, String> {
    check_url(text).map(|_| text.to_owned())
}

pub(super) fn event(text: &str) -> Result<String, &'static str> {
    check_event(text).map(|()| text.to_owned())
}

pub(super) fn event_or_any(text: &str) -> Result<String, &'static str> {
    if text == ANY_EVENT { Ok(text.to_owned()) } else { event(text) }
}

/// One of the events of a hook.
pub(super) fn event_pattern(text: &str) -> Result<String, &'static str> {
    check_pattern(text.trim()).map(|()| text.trim().to_owned())
}

/// A name, or nothing to clear it in `edit`.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Ok(String::new()) } else { check_name(text).map(|()| text.to_owned()) }
}

/// `10s`, `1m 30s`, `24h`, or a plain number of seconds. Zero would let nothing be tried.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|n| Duration::try_from_secs_f64(n).ok());
    let spelled_out = || humantime::parse_duration(text).ok();
    let duration =
        seconds.or_else(spelled_out).ok_or("a time such as 10s, 1m30s or 24h is wanted")?;
    // An instant this far away must still be one: a year is longer than anybody waits.
    let longest = Duration::from_secs(366 * 24 * 3600);
    if duration.is_zero() || duration > longest {
        return Err("it must be more than nothing and at most a year");
    }
    Ok(duration)
}

/// A path, which may be empty to clear what was there.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Text that somebody else wrote, such as a commit's message: what is not UTF-8 becomes U+FFFD.
pub(super) fn free_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|text| text.to_string_lossy().into_owned())
}

/// As [`assignment`], for free text.
pub(super) fn assignments() -> impl TypedValueParser<Value = Assignment> {
    OsStringValueParser::new().try_map(|text| assignment(&text.to_string_lossy()))
}

pub(super) fn retries(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "a number is wanted, 0 for none")
}

pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "a port from 0 to 65535 is wanted")
}

pub(super) fn count(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a number is wanted")
}

pub(super) fn code(text: &str) -> Result<u16, &'static str> {
    let code = text.parse().ok().filter(|code| (200..=599).contains(code));
    code.ok_or("a status code from 200 to 599 is wanted")
}

pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, &'static str> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= 4096);
    jobs.ok_or("a number from 1 to 4096 is wanted")
}

pub(super) fn statuses(text: &str) -> Result<Statuses, &'static str> {
    if text.trim().is_empty() {
        return Ok(Statuses(Vec::new()));
    }
    let statuses: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    let is_wrong = |word: &String| word.is_empty() || word.chars().any(char::is_control);
    if statuses.iter().any(is_wrong) {
        return Err("statuses separated by commas are wanted, such as failed,success");
    }
    Ok(Statuses(statuses))
}

/// A text that an answer must have, or nothing to clear it in `edit`.
pub(super) fn expected(text: &str) -> Result<String, &'static str> {
    if text.len() > 1024 { Err("a text of at most 1 KiB is wanted") } else { Ok(text.to_owned()) }
}

/// A header in one line; an empty value clears it in `edit`.
pub(crate) fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text.split_once(':').ok_or("'Name: value' is wanted")?;
    let (name, value) = (name.trim(), value.trim());
    check_header(name, value)?;
    Ok(Header(name.to_owned(), value.to_owned()))
}

fn assignment(text: &str) -> Result<Assignment, &'static str> {
    let wrong = "KEY=VALUE or KEY:=JSON is wanted";
    let (key, value) = text.split_once('=').ok_or(wrong)?;
    let (key, json) = match key.strip_suffix(':') {
        None => (key, quoted(value)),
        Some(key) => {
            let raw = serde_json::from_str::<&RawValue>(value)
                .map_err(|_| "what follows := is not JSON (a string needs KEY=VALUE)")?;
            (key, raw.get().to_owned())
        }
    };
    if key.is_empty() {
        return Err(wrong);
    }
    Ok(Assignment { key: key.to_owned(), json })
}

pub(super) fn hook(text: &str) -> Result<HookReference, &'static str> {
    text.parse().map_err(|_| "a hook's id or name is wanted, as 'hooks list' shows them")
}

pub(super) fn reference(text: &str) -> Result<Reference, &'static str> {
    if text.starts_with("msg_") {
        return Ok(Reference::Publication(text.to_owned()));
    }
    let hook = text.parse().map(Reference::Hook);
    hook.map_err(|_| "a hook's id or name, or a publication's msg_… id is wanted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hook::HookId;

    #[test]
    fn durations_are_numbers_of_seconds_or_spelled_out() {
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        for bad in ["", "0", "0s", "-1", "NaN", "inf", "ten", "1e30", "10000y"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_assignment_is_a_string_or_json() {
        let parsed = |text| assignment(text).map(|set| (set.key, set.json));
        assert_eq!(parsed("a=b=\"c"), Ok(("a".into(), r#""b=\"c""#.into())));
        assert_eq!(parsed("a:= 1e400 "), Ok(("a".into(), "1e400".into())));
        assert_eq!(parsed("a="), Ok(("a".into(), r#""""#.into())));
        for bad in ["a", "=b", ":=1", "a:=b", "a:="] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_are_split_at_the_first_colon() {
        assert_eq!(header("A:b:c"), Ok(Header("A".into(), "b:c".into())));
        assert_eq!(header("A:"), Ok(Header("A".into(), String::new())));
        assert!(header("A b: c").is_err());
        assert!(header("Host: x").is_err());
    }

    #[test]
    fn a_reference_is_a_hook_or_a_publication() {
        let id = HookReference::Id(HookId(7));
        assert_eq!(reference("7"), Ok(Reference::Hook(id)));
        let name = HookReference::Name("chat".into());
        assert_eq!(reference("chat"), Ok(Reference::Hook(name)));
        assert_eq!(reference("msg_x"), Ok(Reference::Publication("msg_x".into())));
        assert!(reference("7x").is_err());
    }
}
