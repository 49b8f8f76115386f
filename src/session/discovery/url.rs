//! Which URLs may be used: those that an app names, those that host-meta names, and those that a server redirects to.

use super::Source;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;

/// What a stored URL begins with that a server has redirected to.
const FOREIGN: &str = "foreign ";

/// A place to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// A `ws:` or `wss:` URL.
    pub url: String,
    /// Where it comes from; one that was redirected to, where the first one came from.
    pub source: Source,
    /// Good enough to hand out a password or token: encrypted, or without a network in between, and not just some host that a
    /// server has redirected to.
    pub private: bool,
    /// A server has redirected to it, and it is neither that server's host nor the domain's.
    foreign: bool,
}

impl Endpoint {
    /// Takes an endpoint that the app named.
    ///
    /// # Errors
    /// `invalid-argument` for what is no WebSocket URL, `insecure` for `ws:` beyond loopback.
    pub fn explicit(url: &str, allow_insecure: bool) -> Result<Endpoint, Error> {
        Endpoint::of(url, Source::Url, allow_insecure)
    }

    /// As it is stored: one that a server has redirected to stays one.
    pub(crate) fn kept(&self) -> String {
        let mark = if self.foreign { FOREIGN } else { "" };
        mark.to_owned() + &self.url
    }

    /// Takes what was [`kept`](Endpoint::kept).
    pub(crate) fn recalled(kept: &str, allow_insecure: bool) -> Result<Endpoint, Error> {
        let url = kept.strip_prefix(FOREIGN);
        let endpoint = Endpoint::explicit(url.unwrap_or(kept), allow_insecure)?;
        Ok(Endpoint {
            private: endpoint.private && url.is_none(),
            foreign: url.is_some(),
            ..endpoint
        })
    }

    pub(super) fn of(url: &str, source: Source, allow_insecure: bool) -> Result<Endpoint, Error> {
        match Url::parse(url) {
            Some(parsed) if parsed.is_websocket() => {
                if parsed.is_private() || allow_insecure {
                    Ok(Endpoint {
                        url: url.to_owned(),
                        source,
                        private: parsed.is_private(),
                        foreign: false,
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

    /// Takes the endpoint that this one's server redirects to by `see-other-uri` (RFC 7395 §3.6.1). Any host will do, but
    /// only this one's, or one of the account's domain, is [private](Endpoint::private): a server that was broken into
    /// must not gather passwords for another.
    ///
    /// # Errors
    /// `insecure` for one that is less secure, `protocol-violation` for what is no WebSocket URL.
    pub fn redirected(&self, uri: &str, account: &Jid, allow_insecure: bool) -> Result<Endpoint, Error> {
        let refused = |code, message: &'static str| Err(Error::new(code, Phase::Stream, message));
        let (Some(old), Some(new)) = (Url::parse(&self.url), Url::parse(uri)) else {
            let message = "the server redirects to what is no absolute URL of a WebSocket";
            return refused(Code::ProtocolViolation, message);
        };
        // RFC 7395 §3.6.1: never to a lower security context.
        if !new.is_encrypted() && (old.is_encrypted() || !(new.is_loopback() || allow_insecure)) {
            let message = "the server redirects to an endpoint that is less secure (ws: or http:) than its own";
            return refused(Code::Insecure, message);
        }
        if !new.is_websocket() {
            // It may be another transport, RFC 7395 §3.6.1.
            let message = "the server redirects to BOSH (an http: or https: URL), which is not spoken here";
            return refused(Code::ProtocolViolation, message);
        }
        let near = new.host.eq_ignore_ascii_case(old.host) || (new.is_loopback() && old.is_loopback());
        let foreign = !new.is_within(account.domain()) && (self.foreign || !near);
        Ok(Endpoint {
            url: uri.to_owned(),
            source: self.source,
            private: new.is_private() && !foreign,
            foreign,
        })
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

/// Takes a URL that a server has named for something to be sent to or fetched from by HTTP.
///
/// # Errors
/// `insecure` for `http:` beyond loopback, `protocol-violation` for what is no URL of HTTP.
pub fn check_http(url: &str, allow_insecure: bool) -> Result<(), Error> {
    match Url::parse(url) {
        Some(url) if matches!(url.scheme, Scheme::Http | Scheme::Https) => {
            if url.is_private() || allow_insecure {
                Ok(())
            } else {
                Err(Error::new(
                    Code::Insecure,
                    Phase::Stanza,
                    "the server has named a URL that is unencrypted (http:) and not on this machine",
                ))
            }
        }
        _ => Err(Error::new(
            Code::ProtocolViolation,
            Phase::Stanza,
            "the server has named something that is no absolute URL of HTTP",
        )),
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

    fn is_websocket(&self) -> bool {
        matches!(self.scheme, Scheme::Ws | Scheme::Wss)
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.scheme, Scheme::Https | Scheme::Wss)
    }

    /// Encrypted, or on loopback.
    fn is_private(&self) -> bool {
        self.is_encrypted() || self.is_loopback()
    }

    /// On that domain's host or one below it.
    fn is_within(&self, domain: &str) -> bool {
        let host = self.host.to_ascii_lowercase();
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
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

    /// An endpoint of that URL, redirected: what it is then, or why not.
    fn redirect(from: &str, to: &str, allow_insecure: bool) -> Result<Endpoint, Code> {
        let account = Jid::parse("alice@example.org").unwrap();
        let endpoint = Endpoint::explicit(from, true).unwrap();
        let redirected = endpoint.redirected(to, &account, allow_insecure);
        redirected.map_err(|error| {
            assert_eq!((error.phase(), error.condition()), (Phase::Stream, None));
            error.code()
        })
    }

    #[test]
    fn rfc7395_3_6_1_never_to_a_lower_security_context() {
        let (tls, local, far) = ("wss://a.example", "ws://localhost:5280", "ws://a.example");
        for to in [
            "ws://a.example/",
            "ws://localhost/",
            "ws://[::1]/",
            "http://a.example/bosh",
            "http://localhost/",
        ] {
            for allow_insecure in [false, true] {
                assert_eq!(redirect(tls, to, allow_insecure), Err(Code::Insecure), "{to}");
            }
        }
        for to in ["ws://b.example/", "ws://127.0.0.1.example/", "http://b.example/"] {
            assert_eq!(redirect(local, to, false), Err(Code::Insecure), "{to}");
        }
        for from in [tls, local, far] {
            assert!(redirect(from, "wss://b.example/", false).is_ok());
        }
        for from in [local, far] {
            assert!(redirect(from, "ws://127.0.0.1:1/", false).is_ok());
            assert!(redirect(from, "ws://b.example/", true).is_ok());
        }
    }

    #[test]
    fn rfc7395_3_6_1_what_is_no_websocket_is_not_followed() {
        for to in [
            "",
            "/ws",
            "b.example",
            "//b.example/",
            "xmpp:b.example",
            "wss:",
            "wss://",
            "wss://b.example/#f",
            "wss://u@b.example/",
            "wss://b.example\\@c.example/",
            " wss://b.example/",
            "javascript:alert(1)",
            "https://b.example/bosh",
        ] {
            for from in ["wss://a.example", "ws://localhost"] {
                assert_eq!(redirect(from, to, true), Err(Code::ProtocolViolation), "{to}");
            }
        }
        assert_eq!(
            redirect("ws://localhost", "http://localhost/bosh", false),
            Err(Code::ProtocolViolation)
        );
    }

    #[test]
    fn rfc7395_3_6_1_only_near_hosts_are_handed_a_password() {
        for (from, to, private) in [
            // The same host.
            ("wss://a.example/1", "wss://a.example/2", true),
            ("wss://a.example/1", "wss://A.EXAMPLE:8443/2", true),
            ("ws://a.example/", "wss://a.example/", true),
            // The account's domain.
            ("wss://a.example/", "wss://example.org/", true),
            ("wss://a.example/", "wss://Chat.Example.Org:5443/ws", true),
            // Loopback to loopback.
            ("ws://localhost/", "ws://127.0.0.1/", true),
            ("ws://127.0.0.1/", "wss://[::1]:5281/", true),
            // Everybody else.
            ("wss://a.example/", "wss://b.example/", false),
            ("wss://a.example/", "wss://x.a.example/", false),
            ("wss://a.example/", "wss://example.org.evil.example/", false),
            ("wss://a.example/", "wss://evilexample.org/", false),
            ("wss://a.example/", "wss://org/", false),
            ("wss://a.example/", "wss://localhost/", false),
            ("ws://localhost/", "wss://b.example/", false),
            ("ws://a.example/", "ws://a.example/2", false),
            ("ws://a.example/", "ws://example.org/", false),
        ] {
            assert_eq!(redirect(from, to, true).unwrap().private, private, "{from} to {to}");
        }
    }

    #[test]
    fn rfc7395_3_6_1_a_foreign_host_does_not_become_near_by_redirecting_to_itself() {
        let account = Jid::parse("alice@example.org").unwrap();
        let hop = |endpoint: Endpoint, to| endpoint.redirected(to, &account, true).unwrap();
        let start = Endpoint::of("wss://a.example/", Source::Json, false).unwrap();
        let foreign = hop(hop(start, "wss://evil.example/1"), "wss://evil.example/2");
        assert_eq!((foreign.private, foreign.source), (false, Source::Json));
        assert!(!hop(foreign.clone(), "wss://localhost/").private);
        // Back at the domain's own, it is as good as any.
        let back = hop(foreign, "wss://chat.example.org/");
        assert!(back.private && hop(back, "wss://chat.example.org/2").private);
    }
}
