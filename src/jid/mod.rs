//! Addresses: `local@domain/resource`, parsed, prepared and compared.
//!
//! RFC 7622 (September 2015), which stands on PRECIS (RFC 8264 and RFC 8265, October 2017). A [`Jid`] is always prepared: two
//! of them are the same address just when they are equal.
//!
//! Servers in the field still prepare by the stringprep profiles of RFC 6122. Where the two disagree the newer
//! rules hold, with these exceptions, all so that an address which a server has let through is not lost here:
//!
//! - A resource may hold any visible character, among them those that FreeformClass refuses: unassigned ones (the peer's
//!   Unicode may be newer than the browser's), old Hangul jamo and fillers, the Arabic tatweel. Controls, format
//!   characters, private use and noncharacters are refused.
//! - Joiners, variation selectors and the rest of RFC 3454 table B.1 are dropped from a resource, not refused: a nickname with
//!   `❤️` in it then equals what the server makes of it. PRECIS has no such mapping.
//! - A local part or label must conform once it is mapped, not before (the order of RFC 8264 §7, not of RFC 8265 §3.3.2):
//!   a character whose canonical or lowercase form is allowed passes, as the Kelvin sign does for `k`.
//! - `_` is allowed in a domain.
//!
//! Left out:
//!
//! - A-labels (`xn--…`) are kept, in lower case, not turned into U-labels as RFC 7622 §3.2.1 asks: `xn--…` and the name it
//!   stands for are two addresses here. That needs Punycode, and both kinds work as typed.
//! - A label beyond ASCII is not encoded, so its length as an A-label is not checked; nor is the bidi rule asked of the
//!   left-to-right labels beside a right-to-left one (RFC 5893 §2).
//! - Joiners in a local part or domain (CONTEXTJ, RFC 5892 appendix A.1 and A.2): always refused.
//! - IPv6 addresses are checked by their characters alone, and not brought into one spelling. IPv4 addresses are taken for domain names.
//! - Escaping of local parts (XEP-0106): `\20` is three characters like any others.

mod prepare;

use core::fmt;
use core::str::FromStr;

/// An address, bare (`juliet@example.com`, `example.com`) or full (with a `/resource`), prepared.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Jid {
    text: String,
    /// Where the `@` behind the local part is; 0 where there is none, for a local part is never empty.
    at: u16,
    /// Where the bare address ends.
    bare: u16,
}

impl Jid {
    /// Parses and prepares an address, bare or full.
    ///
    /// # Errors
    ///
    /// Says which part is not allowed, and why.
    pub fn parse(text: &str) -> Result<Jid, JidError> {
        if text.is_empty() {
            return Err(JidError::Empty);
        }
        // RFC 7622 §3.2: the resource begins behind the first slash, and may hold any of the separators; only then the
        // local part ends at the first at sign.
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        // The sizes in the text are bounded with the parts: a whole address has 3071 octets at most.
        let mut jid = Jid {
            text: String::new(),
            at: 0,
            bare: 0,
        };
        let domain = match bare.split_once('@') {
            Some((local, domain)) => {
                prepare::local(local, &mut jid.text)?;
                jid.at = offset(&jid.text);
                jid.text.push('@');
                domain
            }
            None => bare,
        };
        prepare::domain(domain, &mut jid.text)?;
        jid.bare = offset(&jid.text);
        match resource {
            Some(resource) => jid.with_resource(resource),
            None => Ok(jid),
        }
    }

    /// The local part: of a user, the account's name.
    pub fn local(&self) -> Option<&str> {
        if self.at == 0 {
            None
        } else {
            self.text.get(..usize::from(self.at))
        }
    }

    /// The domain part.
    pub fn domain(&self) -> &str {
        let start = if self.at == 0 { 0 } else { usize::from(self.at) + 1 };
        self.text.get(start..usize::from(self.bare)).unwrap_or_default()
    }

    /// The resource.
    pub fn resource(&self) -> Option<&str> {
        self.text.get(usize::from(self.bare) + 1..)
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address without its resource, as text.
    pub fn bare_str(&self) -> &str {
        self.text.get(..usize::from(self.bare)).unwrap_or_default()
    }

    /// Whether there is no resource.
    pub fn is_bare(&self) -> bool {
        self.text.len() == usize::from(self.bare)
    }

    /// Whether there is a resource.
    pub fn is_full(&self) -> bool {
        !self.is_bare()
    }

    /// The address without its resource.
    #[must_use]
    pub fn to_bare(&self) -> Jid {
        Jid {
            text: self.bare_str().to_owned(),
            ..*self
        }
    }

    /// The address of the domain alone.
    #[must_use]
    pub fn domain_jid(&self) -> Jid {
        let text = self.domain().to_owned();
        Jid {
            bare: offset(&text),
            at: 0,
            text,
        }
    }

    /// The bare address with this resource, in place of the one it may have.
    ///
    /// # Errors
    ///
    /// Says why the resource is not allowed.
    pub fn with_resource(&self, resource: &str) -> Result<Jid, JidError> {
        let mut jid = self.to_bare();
        jid.text.push('/');
        prepare::resource(resource, &mut jid.text)?;
        Ok(jid)
    }

    /// Whether both are the same but for the resource.
    pub fn same_bare(&self, other: &Jid) -> bool {
        self.bare_str() == other.bare_str()
    }
}

/// The length so far. The parts before have passed their bound, so it fits: 1023 + 1 + 1023.
fn offset(text: &str) -> u16 {
    u16::try_from(text.len()).unwrap_or_default()
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Jid, JidError> {
        Jid::parse(text)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for Jid {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// A part of an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Before the `@`.
    Local,
    /// The host, or the service.
    Domain,
    /// Behind the `/`.
    Resource,
}

/// Why a text is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum JidError {
    /// There is nothing at all.
    Empty,
    /// Nothing before the `@`.
    EmptyLocal,
    /// No domain.
    EmptyDomain,
    /// Nothing behind the `/`, or nothing that counts.
    EmptyResource,
    /// The part has more than 1023 octets.
    TooLong(Part),
    /// The part holds a character that it may not hold.
    Forbidden {
        /// Where.
        part: Part,
        /// Which, after mapping: a fullwidth `＠` is told as `@`.
        character: char,
    },
    /// The part mixes right-to-left with left-to-right characters in a way that reads as some other address (RFC 5893 §2).
    MixedDirections(Part),
    /// A label of the domain, between two dots, is empty, has more than 63 octets, or has a hyphen or a combining mark
    /// where none may be.
    Label,
    /// What stands in brackets is no IPv6 address.
    Ipv6,
}

impl JidError {
    /// What is wrong, for people.
    pub fn text(&self) -> String {
        let (part, trouble) = match *self {
            JidError::Empty => return "the address is empty".to_owned(),
            JidError::EmptyLocal => (Part::Local, "is empty"),
            JidError::EmptyDomain => (Part::Domain, "is empty"),
            JidError::EmptyResource => (Part::Resource, "is empty"),
            JidError::TooLong(part) => (part, "has more than 1023 octets"),
            JidError::Forbidden { part, .. } => (part, "may not hold the character U+"),
            JidError::MixedDirections(part) => (part, "mixes right-to-left and left-to-right characters"),
            JidError::Label => (
                Part::Domain,
                "has a label that is empty, too long, or begins or ends with a wrong character",
            ),
            JidError::Ipv6 => (Part::Domain, "has brackets, but no IPv6 address between them"),
        };
        let part = match part {
            Part::Local => "the local part of the address ",
            Part::Domain => "the domain of the address ",
            Part::Resource => "the resource of the address ",
        };
        let mut text = [part, trouble].concat();
        if let JidError::Forbidden { character, .. } = *self {
            crate::unicode::push_code(character, &mut text);
        }
        text
    }
}

impl fmt::Display for JidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl core::error::Error for JidError {}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, String, Option<String>) {
        let jid = Jid::parse(text).unwrap();
        (
            jid.local().map(str::to_owned),
            jid.domain().to_owned(),
            jid.resource().map(str::to_owned),
        )
    }

    fn part(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn rfc7622_3_2_splits_at_the_first_slash_then_the_first_at_sign() {
        assert_eq!(parts("a@b.c/d"), (part("a"), "b.c".into(), part("d")));
        assert_eq!(parts("b.c"), (None, "b.c".into(), None));
        assert_eq!(parts("a@b.c"), (part("a"), "b.c".into(), None));
        assert_eq!(
            parts("a.example.com/b@example.net"),
            (None, "a.example.com".into(), part("b@example.net"))
        );
        assert_eq!(parts("a@b.c/d/e@f"), (part("a"), "b.c".into(), part("d/e@f")));
        let at_in_domain = JidError::Forbidden {
            part: Part::Domain,
            character: '@',
        };
        assert_eq!(Jid::parse("a@@b.c"), Err(at_in_domain));
    }

    #[test]
    fn rfc7622_3_1_parts_are_not_empty() {
        for (text, error) in [
            ("", JidError::Empty),
            ("@b.c", JidError::EmptyLocal),
            ("a@", JidError::EmptyDomain),
            ("/d", JidError::EmptyDomain),
            (".", JidError::EmptyDomain),
            ("a@b.c/", JidError::EmptyResource),
        ] {
            assert_eq!(Jid::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn rfc7622_3_1_a_part_has_1023_octets_at_most() {
        let fits = "a".repeat(1023);
        let label = format!("{}.", "a".repeat(62));
        let domain = label.repeat(17)[..1023].to_owned();
        let longest = Jid::parse(&format!("{fits}@{}/{fits}", domain.trim_end_matches('.'))).unwrap();
        assert_eq!(longest.local().unwrap().len(), 1023);
        assert_eq!(longest.resource().unwrap().len(), 1023);
        assert_eq!(Jid::parse(&format!("{fits}a@b.c")), Err(JidError::TooLong(Part::Local)));
        assert_eq!(
            Jid::parse(&format!("b.c/{fits}a")),
            Err(JidError::TooLong(Part::Resource))
        );
        assert_eq!(Jid::parse(&label.repeat(17)), Err(JidError::TooLong(Part::Domain)));
        // Octets, not characters; and counted when prepared.
        assert_eq!(
            Jid::parse(&format!("{}@b.c", "é".repeat(512))),
            Err(JidError::TooLong(Part::Local))
        );
        assert!(Jid::parse(&format!("{}@b.c", "e\u{301}".repeat(511))).is_ok());
        // What is far too long is not even looked at.
        assert_eq!(
            Jid::parse(&format!("b.c/a{}", "\u{200B}".repeat(1 << 20))),
            Err(JidError::TooLong(Part::Resource))
        );
    }

    #[test]
    fn rfc7622_3_3_1_excluded_characters() {
        for character in "\"&':<> \0\x1F\x7F".chars() {
            let error = JidError::Forbidden {
                part: Part::Local,
                character,
            };
            assert_eq!(Jid::parse(&format!("a{character}b@b.c")), Err(error));
        }
        assert_eq!(
            parts("!#$%()*+,-.;=?[\\]^_`{|}~@b.c").0,
            part("!#$%()*+,-.;=?[\\]^_`{|}~")
        );
    }

    #[test]
    fn rfc7622_3_2_domains() {
        assert_eq!(parts("a@Example.COM.").1, "example.com");
        assert_eq!(parts("192.0.2.1").1, "192.0.2.1");
        assert_eq!(parts("a@[2001:DB8::1]/r").1, "[2001:db8::1]");
        assert_eq!(parts("XN--MNCHEN-3YA.example").1, "xn--mnchen-3ya.example");
        assert_eq!(parts("my_server").1, "my_server");
        assert_eq!(parts("localhost").1, "localhost");
        let long = "a".repeat(64);
        for text in ["a..b", ".a", "a.b..", "-a.b", "a-.b", &long] {
            assert_eq!(Jid::parse(text), Err(JidError::Label), "{text}");
        }
        for text in ["[", "[]", "[::1", "[::1]x", "[1.2.3.4]", "[::1%eth0]", "[::g]"] {
            assert_eq!(Jid::parse(text), Err(JidError::Ipv6), "{text}");
        }
        for character in " !\"#$%&'()*+,:;<=>?[\\]^`{|}~\0\n\x7F".chars() {
            let error = JidError::Forbidden {
                part: Part::Domain,
                character,
            };
            assert_eq!(Jid::parse(&format!("a{character}b.c")), Err(error));
        }
    }

    #[test]
    fn rfc7622_3_4_resources_keep_case_and_refuse_controls() {
        assert_eq!(parts("A@B.c/Ab C<&>\"'").2, part("Ab C<&>\"'"));
        for character in "\0\t\n\x7F".chars() {
            let error = JidError::Forbidden {
                part: Part::Resource,
                character,
            };
            assert_eq!(Jid::parse(&format!("b.c/a{character}")), Err(error));
        }
    }

    #[test]
    fn names_the_part_and_the_trouble() {
        let told = |text| Jid::parse(text).unwrap_err().to_string();
        assert_eq!(
            told("a b@c"),
            "the local part of the address may not hold the character U+0020"
        );
        assert_eq!(
            told("a@c/\u{1F600}\u{202E}"),
            "the resource of the address may not hold the character U+202E"
        );
        assert_eq!(
            told("henry\u{2163}@c"),
            "the local part of the address may not hold the character U+2173"
        );
        assert_eq!(told("a@"), "the domain of the address is empty");
        assert_eq!(
            told("אa@c"),
            "the local part of the address mixes right-to-left and left-to-right characters"
        );
    }

    #[test]
    fn takes_addresses_apart_and_together() {
        let jid: Jid = "Juliet@Example.com/Balcony".parse().unwrap();
        assert_eq!(jid.as_str(), "juliet@example.com/Balcony");
        assert_eq!(jid.to_string(), jid.as_ref());
        assert!(jid.is_full() && !jid.is_bare());
        let bare = jid.to_bare();
        assert_eq!((bare.as_str(), bare.resource()), ("juliet@example.com", None));
        assert!(bare.is_bare() && bare.same_bare(&jid) && bare != jid);
        assert_eq!(bare.with_resource("Balcony").unwrap(), jid);
        assert_eq!(jid.with_resource("a/b").unwrap().resource(), Some("a/b"));
        assert_eq!(jid.with_resource(""), Err(JidError::EmptyResource));
        assert_eq!(jid.domain_jid(), Jid::parse("example.com").unwrap());
        assert_eq!(jid.domain_jid().to_bare().local(), None);
    }
}
