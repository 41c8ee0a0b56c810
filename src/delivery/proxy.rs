//! Which proxy a URL is reached by, from the environment as curl reads it.
//!
//! The crate `env_proxy` comes near, but takes an empty variable for a set one, and cannot be given other
//! variables than the process's.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::connection::Endpoint;

/// What is said of a proxy that is none; its URL may hold a password.
const UNUSABLE: &str =
    "the proxy in the environment is not usable; look at http_proxy, https_proxy, all_proxy";

/// curl's port for a proxy that names none.
const DEFAULT_PORT: u16 = 1080;

/// A proxy, as its URL names it.
pub(super) struct Proxy {
    pub(super) kind: Kind,
    pub(super) endpoint: Endpoint,
    pub(super) credentials: Option<Credentials>,
}

/// What a proxy speaks. Names are looked up here for SOCKS 4 and 5, and by the proxy for all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Https,
    Socks4,
    Socks4a,
    Socks5,
    Socks5h,
}

/// Any bytes: a URL has them percent-encoded.
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

/// The proxy for this URL, if there is one. `variable` looks into the environment.
pub(super) fn for_url(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, &'static str> {
    // An empty variable is as one that is not set. HTTP_PROXY in capitals is what a CGI server makes
    // of a request's `Proxy:` header.
    let first = |names: &[&str]| {
        names.iter().find_map(|name| variable(name).filter(|value| !value.trim().is_empty()))
    };
    let named = match url.scheme() {
        "https" => first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
        _ => first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
    };
    let Some(proxy) = named else { return Ok(None) };
    let exempt = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    if url.host().is_some_and(|host| is_exempt(&host, &exempt)) {
        return Ok(None);
    }
    parse(proxy.trim()).map(Some).ok_or(UNUSABLE)
}

fn parse(text: &str) -> Option<Proxy> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => Kind::Http,
        "https" => Kind::Https,
        "socks4" => Kind::Socks4,
        "socks4a" => Kind::Socks4a,
        "socks5" => Kind::Socks5,
        "socks5h" => Kind::Socks5h,
        _ => return None,
    };
    // The crate url drops a port that is its scheme's own, so that one that is written looks like none.
    let url = Url::parse(&format!("proxy://{rest}")).ok()?;
    let host = Host::parse(url.host_str()?).ok()?.to_string();
    let port = url.port().unwrap_or(if kind == Kind::Https { 443 } else { DEFAULT_PORT });
    let decoded = |text| percent_decode_str(text).collect();
    let is_named = !url.username().is_empty() || url.password().is_some();
    let credentials = is_named.then(|| Credentials {
        user: decoded(url.username()),
        password: decoded(url.password().unwrap_or_default()),
    });
    Some(Proxy { kind, endpoint: Endpoint { host, port }, credentials })
}

/// Whether the list, separated by commas or spaces, names the host: itself, a domain above it, a block
/// of addresses, or `*`.
fn is_exempt(host: &Host<&str>, list: &str) -> bool {
    let mut entries = list.split([',', ' ', '\t']);
    entries.any(|entry| match host {
        _ if entry == "*" => true,
        Host::Domain(name) => is_domain(name, entry),
        Host::Ipv4(address) => is_address(IpAddr::V4(*address), entry),
        Host::Ipv6(address) => is_address(IpAddr::V6(*address), entry),
    })
}

/// `example.com` and `.example.com` are example.com and what is below it.
fn is_domain(name: &str, entry: &str) -> bool {
    let plain = |text: &str| text.trim_matches('.').to_ascii_lowercase();
    let (name, entry) = (plain(name), plain(entry));
    let above = name.strip_suffix(&entry);
    !entry.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// An address, or a block such as `10.0.0.0/8`. One that cannot be, such as `10.0.0.0/33`, holds nothing.
fn is_address(address: IpAddr, entry: &str) -> bool {
    let entry = entry.trim_start_matches('[').trim_end_matches(']');
    let (block, length) = match entry.split_once('/') {
        Some((block, length)) => (block, Some(length)),
        None => (entry, None),
    };
    let (differing, most): (u128, u32) = match (address, block.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(block))) => {
            ((address.to_bits() ^ block.to_bits()).into(), 32)
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(block))) => (address.to_bits() ^ block.to_bits(), 128),
        _ => return false,
    };
    let length = length.map_or(Ok(most), str::parse);
    length.is_ok_and(|length| {
        length <= most && differing.checked_shr(most - length).unwrap_or_default() == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, environment: &[(&str, &str)]) -> Result<Option<Proxy>, &'static str> {
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        for_url(&Url::parse(url).unwrap(), variable)
    }

    fn used(url: &str, environment: &[(&str, &str)]) -> String {
        match proxy(url, environment).unwrap() {
            Some(proxy) => format!("{:?} {}", proxy.kind, proxy.endpoint),
            None => String::new(),
        }
    }

    #[test]
    fn each_scheme_has_its_variables_and_an_empty_one_is_none() {
        assert_eq!(used("http://h/", &[("http_proxy", "p:1")]), "Http p:1");
        assert_eq!(used("http://h/", &[("HTTP_PROXY", "p:1")]), "");
        assert_eq!(used("http://h/", &[("https_proxy", "p:1")]), "");
        assert_eq!(used("https://h/", &[("http_proxy", "p:1")]), "");
        assert_eq!(used("https://h/", &[("HTTPS_PROXY", "p:1")]), "Http p:1");
        assert_eq!(used("http://h/", &[("http_proxy", ""), ("all_proxy", "p:1")]), "Http p:1");
        assert_eq!(used("http://h/", &[("all_proxy", ""), ("ALL_PROXY", "p:1")]), "Http p:1");
    }

    #[test]
    fn a_proxy_is_a_url_or_a_host() {
        let parsed = |text| used("http://h/", &[("http_proxy", text)]);
        assert_eq!(parsed("p"), "Http p:1080");
        assert_eq!(parsed("http://p:80"), "Http p:80");
        assert_eq!(parsed("https://p"), "Https p:443");
        assert_eq!(parsed("socks4a://p"), "Socks4a p:1080");
        assert_eq!(parsed("socks5://p:1"), "Socks5 p:1");
        assert_eq!(parsed("socks5h://p"), "Socks5h p:1080");
        assert_eq!(parsed("socks5h://[::1]:9"), "Socks5h [::1]:9");
        assert_eq!(parsed("http://[::1]:8080"), "Http [::1]:8080");
        for bad in
            ["http://", "ftp://p:1", "http://p:99999", "http://[::1", "socks5://", "socks5:p"]
        {
            let refused = proxy("http://h/", &[("http_proxy", bad)]);
            assert!(matches!(refused, Err(UNUSABLE)), "{bad}");
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        let credentials = |text| {
            let proxy = proxy("http://h/", &[("http_proxy", text)]).unwrap();
            proxy.unwrap().credentials.map(|known| [known.user, known.password])
        };
        assert_eq!(credentials("p:1"), None);
        let both = |user: &[u8], password: &[u8]| Some([user.to_vec(), password.to_vec()]);
        assert_eq!(credentials("u:p%40ss@p:1/x"), both(b"u", b"p@ss"));
        assert_eq!(credentials("socks5h://u%FF@p"), both(b"u\xff", b""));
        assert_eq!(credentials("http://:pw@p"), both(b"", b"pw"));
    }

    #[test]
    fn a_block_that_cannot_be_holds_nothing() {
        let exempt =
            |url: &str, list| used(url, &[("http_proxy", "p:1"), ("no_proxy", list)]).is_empty();
        for (url, list) in [
            ("http://192.168.0.1/", "192.168.0.1/33"),
            ("http://192.168.0.1/", "192.168.0.1/128"),
            ("http://192.168.0.1/", "192.168.0.1/-1"),
            ("http://192.168.0.1/", "192.168.0.1/"),
            ("http://192.168.0.1/", "192.168.0.1/x"),
            ("http://192.168.0.1/", "192.168.0.1/4294967296"),
            ("http://[fd00::1]/", "fd00::1/129"),
            ("http://[fd00::1]/", "fd00::1/"),
        ] {
            assert!(!exempt(url, list), "{list}");
        }
        for (url, list) in [
            ("http://192.168.0.1/", "192.168.0.1/32"),
            ("http://192.168.0.1/", "10.0.0.0/33, 192.168.0.0/31"),
            ("http://[fd00::1]/", "fd00::1/128"),
        ] {
            assert!(exempt(url, list), "{list}");
        }
    }

    #[test]
    fn no_proxy_names_hosts_domains_and_blocks() {
        let exempt =
            |url: &str, list| used(url, &[("http_proxy", "p:1"), ("NO_PROXY", list)]).is_empty();
        assert!(exempt("http://127.0.0.1/", "localhost, 127.0.0.1"));
        assert!(exempt("http://a.Example.com/", ".example.COM"));
        assert!(exempt("http://example.com/", "x y example.com"));
        assert!(!exempt("http://badexample.com/", "example.com"));
        assert!(!exempt("http://com/", "example.com"));
        assert!(exempt("http://h/", "*"));
        assert!(exempt("http://10.1.2.3/", "10.0.0.0/8"));
        assert!(!exempt("http://11.1.2.3/", "10.0.0.0/8"));
        assert!(exempt("http://11.1.2.3/", "0.0.0.0/0"));
        assert!(!exempt("http://10.1.2.3/", "1.2.3"));
        assert!(exempt("http://[::1]/", "[::1]"));
        assert!(exempt("http://[fd00::1]/", "fd00::/8"));
        assert!(!exempt("http://h/", " , .,"));
    }
}
