//! Where services put a secret that is too short to be known by its looks, or into the host's name.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A host, in which `*` is any text, and where in its path the secret is: at `*`, after segments that are
/// named or, as `_`, any. The path may go on after that.
const PLACES: [(&str, &str); 25] = [
    ("hooks.zapier.com", "hooks/catch/_/*"),
    ("hooks.zapier.com", "hooks/standard/_/*"),
    ("api.vercel.com", "v1/integrations/deploy/_/*"),
    ("api.netlify.com", "build_hooks/*"),
    ("maker.ifttt.com", "trigger/_/with/key/*"),
    ("maker.ifttt.com", "trigger/_/json/with/key/*"),
    ("hook.make.com", "*"),
    ("hook.*.make.com", "*"),
    ("hook.integromat.com", "*"),
    ("*.app.n8n.cloud", "webhook/*"),
    ("*.app.n8n.cloud", "webhook-test/*"),
    ("hooks.slack.com", "services/_/_/*"),
    ("hooks.slack.com", "workflows/_/_/_/*"),
    ("*.deployhq.com", "deploy/_/to/_/*"),
    ("webhook.site", "*"),
    ("requestbin.net", "r/*"),
    ("hkdk.events", "*"),
    ("smee.io", "*"),
    ("ntfy.sh", "*"),
    ("api.day.app", "*"),
    ("api.pushcut.io", "*"),
    ("api.simplepush.io", "send/*"),
    ("hc-ping.com", "*"),
    ("nosnch.in", "*"),
    ("cronitor.link", "p/*"),
];

/// Hosts whose first label is the secret.
const HOSTS: [&str; 4] =
    ["*.m.pipedream.net", "*.x.pipedream.net", "*.webhook.site", "*.trayapp.io"];

/// Segments that say of the next one that it is a secret, whatever the host.
const NAMES: [&str; 5] = ["key", "token", "secret", "apikey", "api_key"];

/// Whether the first label of a host is a secret.
pub(super) fn has_secret_label(host: &str) -> bool {
    HOSTS.iter().any(|known| is_host(known, host))
}

/// Which of a path's pieces, between slashes, stand where this host has a secret.
pub(super) fn secrets(host: &str, path: &str) -> Vec<usize> {
    let decoded = |piece| percent_decode_str(piece).decode_utf8_lossy();
    let pieces: Vec<Cow<'_, str>> = path.split('/').map(decoded).collect();
    let mut segments: Vec<usize> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match &**piece {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(at),
        }
    }
    let mut found: Vec<usize> = segments
        .windows(2)
        .filter(|pair| announces(&pieces[pair[0]], &pieces[pair[1]]))
        .map(|pair| pair[1])
        .collect();
    for (_, place) in PLACES.iter().filter(|(known, _)| is_host(known, host)) {
        let length = place.split('/').count();
        let mut places = place.split('/').zip(&segments);
        let fits = |(known, at): (&str, &usize)| {
            ["*", "_"].contains(&known) || pieces[*at].eq_ignore_ascii_case(known)
        };
        if places.all(fits) {
            found.extend(segments.get(length - 1));
        }
    }
    found
}

/// Whether a host is this one, in which a `*` stands for any text.
pub(crate) fn is_host(known: &str, host: &str) -> bool {
    match known.split_once('*') {
        None => host == known,
        Some((start, end)) => {
            host.len() > start.len() + end.len() && host.starts_with(start) && host.ends_with(end)
        }
    }
}

/// Whether a segment says that the next one is a secret: by a name, or as Mattermost's ids follow, 26
/// characters without a digit at times.
fn announces(before: &str, segment: &str) -> bool {
    let is_id = segment.len() == 26 && segment.bytes().all(|b| b.is_ascii_alphanumeric());
    let is = |known: &str| before.eq_ignore_ascii_case(known);
    NAMES.into_iter().any(is) || (is("hooks") && is_id)
}

#[cfg(test)]
mod tests;
