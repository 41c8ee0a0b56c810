use super::super::{host, scrub, secrets_in, url};

/// URLs with a short secret, and how they are shown.
const KNOWN: &[(&str, &str)] = &[
    (
        "https://hooks.zapier.com/hooks/catch/123456/abcdef/",
        "https://hooks.zapier.com/hooks/catch/123456/***/",
    ),
    (
        "https://hooks.zapier.com/hooks/catch/123456/o4xk2q1",
        "https://hooks.zapier.com/hooks/catch/123456/***",
    ),
    (
        "https://hooks.zapier.com/hooks/catch/1/ab,cd/silent/",
        "https://hooks.zapier.com/hooks/catch/1/***/silent/",
    ),
    (
        "HTTPS://Hooks.Zapier.COM:443/Hooks/Catch/1/abcdef",
        "HTTPS://Hooks.Zapier.COM:443/Hooks/Catch/1/***",
    ),
    (
        "https://hooks.zapier.com./hooks/catch/1/abcdef",
        "https://hooks.zapier.com./hooks/catch/1/***",
    ),
    (
        "https://hooks.zapier.com//hooks/catch//1/abcdef",
        "https://hooks.zapier.com//hooks/catch//1/***",
    ),
    (
        "https://hooks.zapier.com/x/../hooks/./catch/1/abcdef",
        "https://hooks.zapier.com/x/../hooks/./catch/1/***",
    ),
    (
        "https://hooks.zapier.com/x/%2e%2e/hooks/c%61tch/1/abcdef",
        "https://hooks.zapier.com/x/%2e%2e/hooks/c%61tch/1/***",
    ),
    (
        "https://u:p@hooks%2Ezapier.com/hooks/catch/1/abcdef?x=1",
        "https://u:***@hooks%2Ezapier.com/hooks/catch/1/***?x=***",
    ),
    (
        "https://api.vercel.com/v1/integrations/deploy/prj_abc/Zk3nV0pQ1x",
        "https://api.vercel.com/v1/integrations/deploy/prj_abc/***",
    ),
    (
        "https://api.vercel.com/v1/integrations/deploy/prj_abc/Zk3nV0pQ1x?buildCache=false",
        "https://api.vercel.com/v1/integrations/deploy/prj_abc/***?buildCache=***",
    ),
    ("https://api.netlify.com/build_hooks/5c23abcd", "https://api.netlify.com/build_hooks/***"),
    (
        "https://maker.ifttt.com/trigger/deployed/with/key/bq1-_Zx",
        "https://maker.ifttt.com/trigger/deployed/with/key/***",
    ),
    (
        "https://maker.ifttt.com/trigger/deployed/json/with/key/bq1",
        "https://maker.ifttt.com/trigger/deployed/json/with/key/***",
    ),
    ("https://hook.eu1.make.com/abcdefghijklmn", "https://hook.eu1.make.com/***"),
    ("https://hook.us2.make.com/abc", "https://hook.us2.make.com/***"),
    ("https://hook.integromat.com/abc", "https://hook.integromat.com/***"),
    ("https://me.app.n8n.cloud/webhook/deploys", "https://me.app.n8n.cloud/webhook/***"),
    ("https://webhook.site/abc", "https://webhook.site/***"),
    ("https://ntfy.sh/my-deploys", "https://ntfy.sh/***"),
    ("https://hc-ping.com/abc/fail", "https://hc-ping.com/***/fail"),
    (
        "https://hooks.slack.com/services/T02/B02/abcdefghijklmnopqrstuvwx",
        "https://hooks.slack.com/services/T02/B02/***",
    ),
    ("https://eoabc1.m.pipedream.net/", "https://***.m.pipedream.net/"),
    ("https://eoabc1.x.pipedream.net:443/a", "https://***.x.pipedream.net:443/a"),
    ("https://u:p@EOABC1.m.pipedream.net", "https://u:***@***.m.pipedream.net"),
    (
        "https://chat.example.com/hooks/abcdefghijkmnopqrstuwxyzab",
        "https://chat.example.com/hooks/***",
    ),
    ("https://ci.example.com/build/key/short", "https://ci.example.com/build/key/***"),
    ("https://ci.example.com/api/token/x1/run", "https://ci.example.com/api/token/***/run"),
];

#[test]
fn known_places_of_short_secrets_are_masked() {
    for (text, shown) in KNOWN {
        assert_eq!(url(text), *shown, "{text}");
        let secrets = secrets_in(text);
        let echo = scrub(text, &secrets);
        for hidden in
            ["abcdef", "o4xk2q1", "Zk3nV0pQ1x", "5c23abcd", "my-deploys", "eoabc1", "EOABC1"]
        {
            assert!(!echo.contains(hidden), "{echo}");
        }
    }
}

#[test]
fn ordinary_urls_of_known_hosts_stay() {
    for text in [
        "https://hooks.zapier.com/",
        "https://hooks.zapier.com/hooks/catch/123456",
        "https://zapier.com/hooks/catch/123456/abcdef",
        "https://hooks.zapier.com.example.com/hooks/catch/123456/abcdef",
        "https://api.vercel.com/v1/integrations",
        "https://www.make.com/en/help",
        "https://api.netlify.com/api/v1/sites",
        "https://m.pipedream.net/",
        "https://example.com/hooks/catch/123456/abcdef",
        "https://example.com/hooks/deploy/production",
        "https://example.com/api/webhook/deployments",
        "https://example.com/keys/123",
        "https://discord.com/api/webhooks/123456789012345678",
    ] {
        assert_eq!(url(text), text);
        assert!(secrets_in(text).is_empty(), "{:?}", secrets_in(text));
    }
}

#[test]
fn random_tokens_of_known_services_are_all_masked() {
    for (start, length) in [
        ("https://hooks.zapier.com/hooks/catch/123456/", 6),
        ("https://hooks.zapier.com/hooks/catch/123456/", 7),
        ("https://api.vercel.com/v1/integrations/deploy/prj_x/", 10),
        ("https://api.netlify.com/build_hooks/", 24),
        ("https://hook.eu1.make.com/", 32),
        ("https://hooks.slack.com/services/T1/B1/", 24),
        ("https://maker.ifttt.com/trigger/e/with/key/", 22),
        ("https://ntfy.sh/", 5),
    ] {
        for _ in 0..2_000 {
            let token = random_token(length);
            assert_eq!(url(&format!("{start}{token}")), format!("{start}***"), "{token}");
        }
    }
}

/// Letters and digits, as many and each as probable as in a service's tokens.
fn random_token(length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = vec![0; length];
    getrandom::fill(&mut random).unwrap();
    let characters = random.iter().map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    characters.map(char::from).collect()
}

#[test]
fn a_host_is_masked_as_in_its_url() {
    assert_eq!(host("eoabc1.m.pipedream.net"), "***.m.pipedream.net");
    assert_eq!(host("hooks.zapier.com"), "hooks.zapier.com");
    assert_eq!(host("localhost"), "localhost");
}
