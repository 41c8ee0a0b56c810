use super::*;
use crate::security::signature::Secret;

fn hook() -> Hook {
    Hook::new(HookId(1), "https://example.com/cb".to_owned(), "PostDeployment".to_owned())
}

#[test]
fn a_publication_passes_every_filter_and_the_first_that_it_does_not_is_named() {
    let mut hook = hook();
    let failed = Deployment::recorded(r#"{"status":"FAILED","branch":"main"}"#.to_owned());
    let skips =
        |hook: &Hook, event: &str| hook.skips(event, &failed, |when| when == "branch != 'main'");
    assert_eq!(skips(&hook, "POSTdeployment"), None);
    assert_eq!(skips(&hook, "Other"), Some(Skip::Event));
    hook.event = ANY_EVENT.to_owned();
    assert_eq!(skips(&hook, "Other"), None);
    hook.status = vec!["success".to_owned()];
    assert_eq!(skips(&hook, "Other"), Some(Skip::Status));
    hook.status.push("failed".to_owned());
    assert_eq!(skips(&hook, "Other"), None);
    hook.when = Some("branch != 'main'".to_owned());
    assert_eq!(skips(&hook, "Other"), Some(Skip::Condition));
    hook.when = Some("branch + 1".to_owned());
    assert_eq!(skips(&hook, "Other"), None, "it fails, and is told");
    hook.enabled = false;
    assert_eq!(skips(&hook, "Other"), Some(Skip::Disabled));
}

#[test]
fn a_filter_never_matches_a_deployment_without_a_status() {
    let mut hook = hook();
    hook.status = vec!["failed".to_owned()];
    let without = Deployment::empty();
    assert_eq!(hook.skips("PostDeployment", &without, |_| false), Some(Skip::Status));
}

#[test]
fn a_replaced_secret_signs_for_a_day() {
    let mut hook = hook();
    let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let now = Utc::now();
    hook.rotate(old.clone(), now);
    hook.rotate(new.clone(), now);
    let at = |hours| now + chrono::TimeDelta::hours(hours);
    assert_eq!(hook.signing(at(23)).collect::<Vec<_>>(), [&new, &old]);
    assert_eq!(hook.signing(at(25)).collect::<Vec<_>>(), [&new]);
    // Rotating again a day later forgets the one that signs no longer.
    hook.rotate(Secret::generate().unwrap(), at(25));
    assert_eq!(hook.secrets.len(), 2);
}

#[test]
fn headers_replace_by_name_and_clear_when_empty() {
    let mut hook = hook();
    hook.set_header("X-A", "1");
    hook.set_header("X-B", "2");
    hook.set_header("x-a", "3");
    assert_eq!(hook.headers[0], ("x-a".to_owned(), "3".to_owned()));
    hook.set_header("X-b", "");
    assert_eq!(hook.headers.len(), 1);
}

#[test]
fn an_older_delivery_never_overwrites_a_newer_one() {
    let at = |time: &str| LastDelivery { datetime: Some(time.into()), ..Default::default() };
    let now = time::parse("2026-02-01T00:00:00Z").unwrap();
    let mut last = at("2026-01-02T00:00:00Z");
    last.merge(&at("2026-01-01T00:00:00Z"), now);
    assert_eq!(last, at("2026-01-02T00:00:00Z"));
    last.merge(&at("2026-01-03T00:00:00.5Z"), now);
    assert_eq!(last, at("2026-01-03T00:00:00.5Z"));
    let mut odd = at("last Tuesday");
    odd.merge(&at("1999-01-01T00:00:00Z"), now);
    assert_eq!(odd, at("1999-01-01T00:00:00Z"));
}
