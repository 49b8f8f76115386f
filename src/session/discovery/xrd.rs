//! Host-meta in XML: XRD 1.0, as RFC 6415 §2 has it.

use super::{Endpoint, Named, Source, WEBSOCKET, problem};
use crate::error::{Code, Error};
use crate::xml;

const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// Reads the endpoints out of an XRD, in its order.
///
/// # Errors
/// `discovery-parse` for what is no XRD, `discovery-no-link` where it names no WebSocket, `insecure` where it names
/// only unencrypted ones. The message lacks its subject: the document.
pub fn read(document: &str, allow_insecure: bool) -> Result<Vec<Endpoint>, Error> {
    // A byte order mark is legal before an XML document, though not before a frame.
    let document = document.trim_start_matches('\u{feff}').trim_start();
    let limits = xml::Limits {
        asides: true,
        ..xml::Limits::default()
    };
    let root = xml::read(document, &limits)
        .map_err(|error| problem(Code::DiscoveryParse, "cannot be read: ".to_owned() + error.text()))?;
    if !root.is("XRD", XRD) {
        return Err(problem(Code::DiscoveryParse, "is XML, but no XRD"));
    }
    let mut named = Named::new(Source::Xrd, allow_insecure);
    for link in root.all("Link", XRD) {
        if let (Some(WEBSOCKET), Some(address)) = (link.attr("rel"), link.attr("href")) {
            named.add(address);
        }
    }
    named.end()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rfc7395_4_example_xrd() {
        let document = "<?xml version='1.0' encoding='UTF-8'?>
            <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
              <!-- people write these by hand -->
              <Link rel=\"urn:xmpp:alt-connections:xbosh\" href=\"https://example.org:5280/bosh\" />
              <Link rel=\"urn:xmpp:alt-connections:websocket\" href=\"wss://example.org:443/ws\" />
              <Link rel='urn:xmpp:alt-connections:websocket' href='wss://b.example.org/ws' />
              <Link rel='urn:xmpp:alt-connections:websocket' template='wss://c.example.org/{uri}' />
            </XRD>";
        let endpoints = read(document, false).unwrap();
        assert!(endpoints.iter().all(|endpoint| endpoint.source == Source::Xrd));
        let urls: Vec<String> = endpoints.into_iter().map(|endpoint| endpoint.url).collect();
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
            let error = read(&document, false).err();
            assert_eq!(error.map(|error| error.code()), Some(expected), "{document}");
        }
        let both = xrd(&(link("ws://example.org/") + &link("wss://example.org/")));
        assert_eq!(read(&both, false).unwrap().len(), 1);
    }

    #[test]
    fn endpoints_are_bounded_and_each_counts_once() {
        let link = |host: usize| format!("<Link rel='{WEBSOCKET}' href=' wss://{host}.example.org/ '/>");
        let links: String = (0..100).flat_map(|host| [link(host), link(host)]).collect();
        let endpoints = read(&format!("<XRD xmlns='{XRD}'>{links}</XRD>"), false).unwrap();
        let urls: Vec<String> = endpoints.into_iter().map(|endpoint| endpoint.url).collect();
        let expected: Vec<String> = (0..10).map(|host| format!("wss://{host}.example.org/")).collect();
        assert_eq!(urls, expected);
    }
}
