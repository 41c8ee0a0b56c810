//! Value parsers. Their errors say what is wrong and never quote the value, which may hold a secret.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

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
        None => {
            let text = argument.to_str().ok_or("it is not UTF-8 text")?;
            parse(text).map(Source::Given)
        }
    }
}

pub(crate) fn url(text: &str) -> Result<String, String> {
    crate::domain::hook::check_url(text)?;
    Ok(text.to_owned())
}

pub(super) fn event(text: &str) -> Result<String, String> {
    crate::domain::hook::check_event(text).map_err(str::to_owned)?;
    Ok(text.to_owned())
}

/// One of the events of a hook.
pub(super) fn event_pattern(text: &str) -> Result<String, String> {
    let event = text.trim();
    crate::domain::hook::check_pattern(event).map_err(str::to_owned)?;
    Ok(event.to_owned())
}

pub(super) fn event_or_any(text: &str) -> Result<String, String> {
    if text == crate::domain::hook::ANY_EVENT {
        return Ok(text.to_owned());
    }
    event(text)
}

/// `10s`, `1m 30s`, `24h`, or a plain number of seconds. Zero would let nothing be tried.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "a time such as 10s, 1m30s or 24h is wanted";
    let seconds = text.parse::<f64>().ok();
    let duration = match seconds.and_then(|n| Duration::try_from_secs_f64(n).ok()) {
        Some(duration) => duration,
        None => humantime::parse_duration(text).map_err(|_| wrong.to_owned())?,
    };
    // An instant this far away must still be one: a year is longer than anybody waits.
    let longest = Duration::from_secs(366 * 24 * 3600);
    if duration.is_zero() || duration > longest {
        return Err("it must be more than nothing and at most a year".to_owned());
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

pub(super) fn retries(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a number is wanted, 0 for none".to_owned())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port from 0 to 65535 is wanted".to_owned())
}

pub(super) fn code(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(code @ 200..=599) => Ok(code),
        _ => Err("a status code from 200 to 599 is wanted".to_owned()),
    }
}

pub(super) fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a number is wanted".to_owned())
}

pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(jobs) if jobs.get() <= 4096 => Ok(jobs),
        _ => Err("a number from 1 to 4096 is wanted".to_owned()),
    }
}

pub(super) fn statuses(text: &str) -> Result<Statuses, String> {
    if text.trim().is_empty() {
        return Ok(Statuses(Vec::new()));
    }
    let statuses: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    let is_wrong = |word: &String| word.is_empty() || word.chars().any(char::is_control);
    if statuses.iter().any(is_wrong) {
        return Err("statuses separated by commas are wanted, such as failed,success".to_owned());
    }
    Ok(Statuses(statuses))
}

/// A text that an answer must have, or nothing to clear it in `edit`.
pub(super) fn expected(text: &str) -> Result<String, String> {
    if text.len() > 1024 {
        return Err("a text of at most 1 KiB is wanted".to_owned());
    }
    Ok(text.to_owned())
}

/// A header in one line; an empty value clears it in `edit`.
pub(crate) fn header(text: &str) -> Result<Header, String> {
    let Some((name, value)) = text.split_once(':') else {
        return Err("'Name: value' is wanted".to_owned());
    };
    let (name, value) = (name.trim(), value.trim());
    crate::domain::hook::check_header(name, value)?;
    Ok(Header(name.to_owned(), value.to_owned()))
}

fn assignment(text: &str) -> Result<Assignment, String> {
    let wrong = "KEY=VALUE or KEY:=JSON is wanted";
    let (key, value) = text.split_once('=').ok_or(wrong)?;
    let (key, json) = match key.strip_suffix(':') {
        Some(key) => (key, checked_json(value)?),
        None => (key, crate::domain::json::quoted(value)),
    };
    if key.is_empty() {
        return Err(wrong.to_owned());
    }
    Ok(Assignment { key: key.to_owned(), json })
}

fn checked_json(value: &str) -> Result<String, String> {
    match serde_json::from_str::<&serde_json::value::RawValue>(value) {
        Ok(raw) => Ok(raw.get().to_owned()),
        Err(_) => Err("what follows := is not JSON (a string needs KEY=VALUE)".to_owned()),
    }
}

/// A name, or nothing to clear it in `edit`.
pub(super) fn name(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        crate::domain::hook::check_name(text).map_err(str::to_owned)?;
    }
    Ok(text.to_owned())
}

pub(super) fn hook(text: &str) -> Result<HookReference, String> {
    text.parse().map_err(|_| "a hook's id or name is wanted, as 'hooks list' shows them".to_owned())
}

pub(super) fn reference(text: &str) -> Result<Reference, String> {
    if text.starts_with("msg_") {
        return Ok(Reference::Publication(text.to_owned()));
    }
    match text.parse() {
        Ok(hook) => Ok(Reference::Hook(hook)),
        Err(_) => Err("a hook's id or name, or a publication's msg_… id is wanted".to_owned()),
    }
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
