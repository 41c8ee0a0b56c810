//! Which proxy a URL is reached by, from the environment as curl reads it.
//!
//! The crate `env_proxy` comes near, but takes an empty variable for a set one, and cannot be given other
//! variables than the process's.

use std::net::IpAddr;

use url::{Host, Url};

/// What is said of a proxy that is none; its URL may hold a password.
pub(super) const UNUSABLE: &str =
    "the proxy in the environment is not usable; look at http_proxy, https_proxy, all_proxy";

/// curl's port for a proxy that names none.
const DEFAULT_PORT: u16 = 1080;

/// The proxy for this URL, if there is one. `variable` looks into the environment.
pub(super) fn for_url(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, &'static str> {
    // An empty variable is as one that is not set. HTTP_PROXY in capitals is what a CGI server makes
    // of a request's `Proxy:` header.
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| variable(name).filter(|value| !value.trim().is_empty()))
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

/// The proxy's URL with its port.
fn parse(text: &str) -> Option<String> {
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&text).ok().filter(Url::has_host)?;
    let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    if !known.contains(&url.scheme()) {
        return None;
    }
    let user = url.username();
    let credentials = match (user, url.password()) {
        ("", None) => String::new(),
        (user, None) => format!("{user}@"),
        (user, Some(password)) => format!("{user}:{password}@"),
    };
    let port = match url.port_or_known_default() {
        // The crate url drops a scheme's own port, so that one that is written looks like none.
        Some(port) if url.port().is_some() || has_port(&text) || url.scheme() == "https" => port,
        _ => DEFAULT_PORT,
    };
    // Names are resolved by the proxy or here, as the HTTP library does it.
    let scheme = url.scheme().trim_end_matches('h');
    Some(format!(
        "{scheme}://{credentials}{}:{port}",
        url.host_str()?
    ))
}

fn has_port(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the list, separated by commas or spaces, names the host: itself, a domain above it, a block
/// of addresses, or `*`.
fn is_exempt(host: &Host<&str>, list: &str) -> bool {
    let entries = list
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    let address = match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
    };
    entries
        .into_iter()
        .any(|entry| match (entry, address, host) {
            ("*", ..) => true,
            (_, Some(address), _) => is_address(address, entry),
            (_, None, Host::Domain(name)) => is_domain(name, entry),
            _ => false,
        })
}

/// `example.com` and `.example.com` are example.com and what is below it.
fn is_domain(name: &str, entry: &str) -> bool {
    let plain = |text: &str| text.trim_matches('.').to_ascii_lowercase();
    let (name, entry) = (plain(name), plain(entry));
    let above = name.strip_suffix(&entry);
    !entry.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// An address, or a block such as `10.0.0.0/8`.
fn is_address(address: IpAddr, entry: &str) -> bool {
    let entry = entry.trim_start_matches('[').trim_end_matches(']');
    let (block, length) = match entry.split_once('/') {
        Some((block, length)) => (block, length.parse().ok()),
        None => (entry, Some(128)),
    };
    match (address, block.parse(), length) {
        (IpAddr::V4(address), Ok(IpAddr::V4(block)), Some(length)) => {
            let length: u32 = length;
            let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
            address.to_bits() & mask == block.to_bits() & mask
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(block)), Some(length)) => {
            let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
            address.to_bits() & mask == block.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, environment: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        for_url(&Url::parse(url).unwrap(), variable)
    }

    fn used(url: &str, environment: &[(&str, &str)]) -> String {
        proxy(url, environment).unwrap().unwrap_or_default()
    }

    #[test]
    fn each_scheme_has_its_variables_and_an_empty_one_is_none() {
        assert_eq!(used("http://h/", &[("http_proxy", "p:1")]), "http://p:1");
        assert_eq!(used("http://h/", &[("HTTP_PROXY", "p:1")]), "");
        assert_eq!(used("http://h/", &[("https_proxy", "p:1")]), "");
        assert_eq!(used("https://h/", &[("http_proxy", "p:1")]), "");
        assert_eq!(used("https://h/", &[("HTTPS_PROXY", "p:1")]), "http://p:1");
        assert_eq!(
            used("http://h/", &[("http_proxy", ""), ("all_proxy", "p:1")]),
            "http://p:1"
        );
        assert_eq!(
            used("http://h/", &[("all_proxy", ""), ("ALL_PROXY", "p:1")]),
            "http://p:1"
        );
    }

    #[test]
    fn a_proxy_is_a_url_or_a_host() {
        let parsed = |text| used("http://h/", &[("http_proxy", text)]);
        assert_eq!(parsed("p"), "http://p:1080");
        assert_eq!(parsed("http://p:80"), "http://p:80");
        assert_eq!(parsed("https://p"), "https://p:443");
        assert_eq!(parsed("u:p%40ss@p:1/x"), "http://u:p%40ss@p:1");
        assert_eq!(parsed("socks5h://p"), "socks5://p:1080");
        assert_eq!(parsed("http://[::1]:8080"), "http://[::1]:8080");
        for bad in ["http://", "ftp://p:1", "http://p:99999", "http://[::1"] {
            assert_eq!(
                proxy("http://h/", &[("http_proxy", bad)]),
                Err(UNUSABLE),
                "{bad}"
            );
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
