//! Finding the endpoint: host-meta (RFC 6415, RFC 7395 §4, XEP-0156 1.4.0), and which URLs may be used at all.
//!
//! Left out for now: the JSON form of host-meta, and the TCP methods that the same document may name.

use crate::error::{Code, Error, Phase};
use crate::xml;

const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";

/// More than any host-meta needs, in bytes.
pub const MAX_HOST_META: usize = 64 * 1024;

/// A place to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// A `ws:` or `wss:` URL.
    pub url: String,
    /// Encrypted, or without a network in between: good enough for a password.
    pub private: bool,
}

impl Endpoint {
    /// Takes an endpoint that the app named.
    ///
    /// # Errors
    /// `invalid-argument` for what is no WebSocket URL, `insecure` for `ws:` beyond loopback.
    pub fn explicit(url: &str, allow_insecure: bool) -> Result<Endpoint, Error> {
        match Url::parse(url) {
            Some(parsed) if matches!(parsed.scheme, Scheme::Ws | Scheme::Wss) => {
                if parsed.is_private() || allow_insecure {
                    Ok(Endpoint {
                        url: url.to_owned(),
                        private: parsed.is_private(),
                    })
                } else {
                    Err(Error::new(
                        Code::Insecure,
                        Phase::Socket,
                        "the endpoint is unencrypted (ws:) and not on this machine",
                    ))
                }
            }
            _ => Err(Error::new(
                Code::InvalidArgument,
                Phase::Session,
                "`url` must be an absolute URL beginning with ws: or wss:",
            )),
        }
    }
}

impl Endpoint {
    /// Stand-in.
    pub fn redirected(&self, uri: &str, _: &crate::jid::Jid, _: bool) -> Result<Endpoint, Error> {
        if uri.starts_with("wss:") {
            return Ok(Endpoint {
                url: uri.to_owned(),
                private: uri.contains("example.org"),
            });
        }
        let code = if uri.starts_with("https") {
            Code::ProtocolViolation
        } else {
            Code::Insecure
        };
        Err(Error::new(code, Phase::Stream, "no"))
    }
}

/// Where to ask for the host-meta of a domain; `origin` takes the place of `https://DOMAIN`.
///
/// # Errors
/// `invalid-argument` for what is no origin, `insecure` for `http:` beyond loopback.
pub fn host_meta_url(domain: &str, origin: Option<&str>, allow_insecure: bool) -> Result<String, Error> {
    let Some(origin) = origin else {
        // RFC 6415 §2: over https, at the well-known place.
        return Ok("https://".to_owned() + domain + "/.well-known/host-meta");
    };
    let origin = origin.trim_end_matches('/');
    match Url::parse(origin) {
        Some(url) if matches!(url.scheme, Scheme::Http | Scheme::Https) && !url.has_path => {
            if url.is_private() || allow_insecure {
                Ok(origin.to_owned() + "/.well-known/host-meta")
            } else {
                Err(Error::new(
                    Code::Insecure,
                    Phase::Discovery,
                    "`hostMeta` is unencrypted (http:) and not on this machine",
                ))
            }
        }
        _ => Err(Error::new(
            Code::InvalidArgument,
            Phase::Session,
            "`hostMeta` must be an origin such as https://example.org, without a path",
        )),
    }
}

/// Reads the endpoints out of an XRD, in its order. Unencrypted ones are passed over unless they are on loopback
/// (RFC 7395 §4: what host-meta says is only as safe as the way it came).
///
/// # Errors
/// `discovery-parse` for what is no XRD, `discovery-no-link` where it names no WebSocket, `insecure` where it names
/// only unencrypted ones.
pub fn read_xrd(document: &str, allow_insecure: bool) -> Result<Vec<Endpoint>, Error> {
    // A byte order mark is legal before an XML document, though not before a frame.
    let document = document.trim_start_matches('\u{feff}').trim_start();
    let limits = xml::Limits {
        asides: true,
        ..xml::Limits::default()
    };
    let root = xml::read(document, &limits).map_err(|error| {
        Error::new(
            Code::DiscoveryParse,
            Phase::Discovery,
            "the host-meta document cannot be read: ".to_owned() + error.text(),
        )
    })?;
    if !root.is("XRD", XRD) {
        return Err(Error::new(
            Code::DiscoveryParse,
            Phase::Discovery,
            "the host-meta document is XML, but no XRD",
        ));
    }
    let mut refused = false;
    let mut endpoints = Vec::new();
    for link in root.children().filter(|child| child.is("Link", XRD)) {
        let (Some(WEBSOCKET), Some(href)) = (link.attr("rel"), link.attr("href")) else {
            continue;
        };
        match Endpoint::explicit(href.trim(), allow_insecure) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(error) => refused |= error.code() == Code::Insecure,
        }
    }
    if !endpoints.is_empty() {
        Ok(endpoints)
    } else if refused {
        Err(Error::new(
            Code::Insecure,
            Phase::Discovery,
            "the domain names only unencrypted WebSocket endpoints (ws:)",
        ))
    } else {
        Err(Error::new(
            Code::DiscoveryNoLink,
            Phase::Discovery,
            "the domain's host-meta names no WebSocket endpoint",
        ))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Ws,
    Wss,
}

/// As much of a URL as the rules above need. What a browser might read differently from us is no URL here.
struct Url<'a> {
    scheme: Scheme,
    host: &'a str,
    has_path: bool,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Url<'a>> {
        // Browsers strip or reinterpret these, so that "ws://localhost\@example.org" would be another host to them.
        if text.chars().any(|c| c <= ' ' || c == '\\' || c == '\u{7f}') {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            _ => return None,
        };
        let (authority, has_path) = match rest.find(['/', '?', '#']) {
            Some(end) => (rest.get(..end)?, true),
            None => (rest, false),
        };
        if authority.contains('@') || text.contains('#') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(ipv6) => {
                let (host, port) = ipv6.split_once(']')?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
            }
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        let port_fits = port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
        (!host.is_empty() && port_fits).then_some(Url { scheme, host, has_path })
    }

    /// Encrypted, or on loopback.
    fn is_private(&self) -> bool {
        matches!(self.scheme, Scheme::Https | Scheme::Wss) || self.is_loopback()
    }

    /// The hosts that never leave the machine (RFC 6761 §6.3, RFC 5735 §3, RFC 4291 §2.5.3).
    fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "::1"
            || host
                .parse::<core::net::Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn code(result: Result<impl Sized, Error>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn explicit_endpoints_are_encrypted_or_loopback() {
        for url in [
            "wss://example.org/ws",
            "WSS://example.org",
            "ws://localhost:5280/xmpp-websocket",
            "ws://127.0.0.1:1/x",
            "ws://127.9.9.9/x",
            "ws://[::1]:5280/",
            "ws://chat.localhost",
        ] {
            assert_eq!(code(Endpoint::explicit(url, false)), None, "{url}");
        }
        for url in [
            "ws://example.org/",
            "ws://localhost.example.org/",
            "ws://127.0.0.1.example.org/",
            "ws://notlocalhost/",
            "ws://128.0.0.1/",
        ] {
            assert_eq!(code(Endpoint::explicit(url, false)), Some(Code::Insecure), "{url}");
            assert_eq!(code(Endpoint::explicit(url, true)), None, "{url}");
        }
    }

    #[test]
    fn urls_that_a_browser_reads_otherwise_are_refused() {
        for url in [
            "",
            "example.org",
            "http://example.org",
            "ws://",
            "ws:///path",
            "ws://localhost\\@example.org/",
            "ws://localhost@example.org/",
            "ws://local\thost/",
            "wss://example.org/#fragment",
            "wss://example.org:port/",
            "wss://example.org:99999/",
            "wss://[::1/",
        ] {
            assert_eq!(
                code(Endpoint::explicit(url, true)),
                Some(Code::InvalidArgument),
                "{url}"
            );
        }
    }

    #[test]
    fn xep0156_host_meta_is_asked_over_https() {
        assert_eq!(
            host_meta_url("example.org", None, false).unwrap(),
            "https://example.org/.well-known/host-meta"
        );
        assert_eq!(
            host_meta_url("localhost", Some("http://localhost:5280/"), false).unwrap(),
            "http://localhost:5280/.well-known/host-meta"
        );
        assert_eq!(
            code(host_meta_url("a", Some("http://example.org"), false)),
            Some(Code::Insecure)
        );
        for origin in ["ftp://a", "https://a/path", "a"] {
            assert_eq!(
                code(host_meta_url("a", Some(origin), true)),
                Some(Code::InvalidArgument)
            );
        }
    }

    #[test]
    fn rfc7395_4_example_xrd() {
        let document = "<?xml version='1.0' encoding='UTF-8'?>
            <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
              <!-- people write these by hand -->
              <Link rel=\"urn:xmpp:alt-connections:xbosh\" href=\"https://example.org:5280/bosh\" />
              <Link rel=\"urn:xmpp:alt-connections:websocket\" href=\"wss://example.org:443/ws\" />
              <Link rel='urn:xmpp:alt-connections:websocket' href='wss://b.example.org/ws' />
            </XRD>";
        let urls: Vec<String> = read_xrd(document, false).unwrap().into_iter().map(|e| e.url).collect();
        assert_eq!(urls, ["wss://example.org:443/ws", "wss://b.example.org/ws"]);
    }

    #[test]
    fn xep0156_what_is_no_usable_xrd_says_why() {
        let xrd = |inner: &str| format!("<XRD xmlns='{XRD}'>{inner}</XRD>");
        let link = |href: &str| format!("<Link rel='{WEBSOCKET}' href='{href}'/>");
        for (document, expected) in [
            (String::new(), Code::DiscoveryParse),
            ("<!doctype html><title>404</title>".into(), Code::DiscoveryParse),
            ("{\"links\":[]}".into(), Code::DiscoveryParse),
            ("<XRD/>".into(), Code::DiscoveryParse),
            (
                format!("<!DOCTYPE XRD [<!ENTITY a 'a'>]>{}", xrd(&link("wss://&a;"))),
                Code::DiscoveryParse,
            ),
            (xrd(""), Code::DiscoveryNoLink),
            (xrd(&link("not a url")), Code::DiscoveryNoLink),
            (xrd(&link("ws://example.org/")), Code::Insecure),
        ] {
            assert_eq!(code(read_xrd(&document, false)), Some(expected), "{document}");
        }
        let both = xrd(&(link("ws://example.org/") + &link("wss://example.org/")));
        assert_eq!(read_xrd(&both, false).unwrap().len(), 1);
    }
}
