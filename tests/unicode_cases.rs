//! Addresses and passwords with what they must become, by clause. Run natively, where crates know Unicode, and in a browser, where
//! the browser does: that both pass is what keeps them equal. So only characters that every Unicode since 6.0 knows.

#![allow(unreachable_pub, reason = "a module of two test crates")]

use stanzawire::jid::Jid;
use stanzawire::sasl::prep::saslprep;

/// What is prepared.
pub enum Kind {
    /// An address.
    Jid,
    /// A password.
    Password,
}

/// The kind, the clause, the text, and what it becomes; `None` where it is refused.
pub type Case = (Kind, &'static str, &'static str, Option<&'static str>);

/// Every case that does not come out as it must, told in words. Empty when all is well.
pub fn failures() -> Vec<String> {
    let outcome = |(kind, clause, input, expected): &Case| {
        let (got, again) = match kind {
            Kind::Jid => {
                let prepare = |text: &str| Jid::parse(text).ok().map(|jid| jid.as_str().to_owned());
                let got = prepare(input);
                (got.clone(), got.and_then(|text| prepare(&text)))
            }
            Kind::Password => {
                let prepare = |text: &str| saslprep(text).ok().map(|text| text.into_owned());
                let got = prepare(input);
                (got.clone(), got.and_then(|text| prepare(&text)))
            }
        };
        let right = got.as_deref() == *expected && again == got;
        (!right).then(|| format!("{clause}: {input:?} became {got:?}, then {again:?}; expected {expected:?}"))
    };
    CASES.iter().filter_map(outcome).collect()
}

use Kind::{Jid as J, Password as P};

/// The table.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    // The valid addresses of RFC 7622, table 1.
    (J, "RFC 7622 §3.5 (1)", "juliet@example.com", Some("juliet@example.com")),
    (J, "RFC 7622 §3.5 (2)", "juliet@example.com/foo", Some("juliet@example.com/foo")),
    (J, "RFC 7622 §3.5 (3)", "juliet@example.com/foo bar", Some("juliet@example.com/foo bar")),
    (J, "RFC 7622 §3.5 (4)", "juliet@example.com/foo@bar", Some("juliet@example.com/foo@bar")),
    (J, "RFC 7622 §3.5 (5)", r"foo\20bar@example.com", Some(r"foo\20bar@example.com")),
    (J, "RFC 7622 §3.5 (6)", "fussball@example.com", Some("fussball@example.com")),
    (J, "RFC 7622 §3.5 (7)", "fu\u{DF}ball@example.com", Some("fu\u{DF}ball@example.com")),
    (J, "RFC 7622 §3.5 (8)", "\u{3C0}@example.com", Some("\u{3C0}@example.com")),
    (J, "RFC 7622 §3.5 (9)", "\u{3A3}@example.com/foo", Some("\u{3C3}@example.com/foo")),
    (J, "RFC 7622 §3.5 (10)", "\u{3C3}@example.com/foo", Some("\u{3C3}@example.com/foo")),
    (J, "RFC 7622 §3.5 (11)", "\u{3C2}@example.com/foo", Some("\u{3C2}@example.com/foo")),
    (J, "RFC 7622 §3.5 (12)", "king@example.com/\u{265A}", Some("king@example.com/\u{265A}")),
    (J, "RFC 7622 §3.5 (13)", "example.com", Some("example.com")),
    (J, "RFC 7622 §3.5 (14)", "example.com/foobar", Some("example.com/foobar")),
    (J, "RFC 7622 §3.5 (15)", "a.example.com/b@example.net", Some("a.example.com/b@example.net")),
    // The invalid ones, table 2. Number 18 is valid: no rule forbids the space, and erratum 4560 says so.
    (J, "RFC 7622 §3.5 (16)", "\"juliet\"@example.com", None),
    (J, "RFC 7622 §3.5 (17)", "foo bar@example.com", None),
    (J, "RFC 7622 §3.5 (18), erratum 4560", "juliet@example.com/ foo", Some("juliet@example.com/ foo")),
    (J, "RFC 7622 §3.5 (19)", "@example.com/", None),
    (J, "RFC 7622 §3.5 (20)", "henry\u{2163}@example.com", None),
    (J, "RFC 7622 §3.5 (21)", "\u{265A}@example.com", None),
    (J, "RFC 7622 §3.5 (22)", "juliet@", None),
    (J, "RFC 7622 §3.5 (23)", "/foobar", None),
    // Local part: mapping.
    (J, "RFC 8265 §3.3.1 width", "\u{FF21}\u{FF4C}\u{FF49}@example.com", Some("ali@example.com")),
    (J, "RFC 8265 §3.3.1 width, half", "\u{FF76}\u{FF9E}@example.com", Some("\u{30AC}@example.com")),
    (J, "RFC 7622 §3.3 width gives an at sign", "a\u{FF20}b@example.com", None),
    (J, "RFC 8265 §3.3.1 case", "J\u{DC}RGEN@example.com", Some("j\u{FC}rgen@example.com")),
    (J, "RFC 8265 §3.3.1 case, one to two", "\u{130}pek@example.com", Some("i\u{307}pek@example.com")),
    (J, "RFC 8265 §3.3.1 case, sigma at the end", "\u{39F}\u{3A3}@example.com", Some("\u{3BF}\u{3C3}@example.com")),
    (J, "RFC 8265 §3.3.1 case beyond the BMP", "\u{10400}@example.com", Some("\u{10428}@example.com")),
    (J, "RFC 8265 §3.3.1 form C", "jose\u{301}@example.com", Some("jos\u{E9}@example.com")),
    (J, "RFC 8265 §3.3.1 case, then form C", "JOSE\u{301}@example.com", Some("jos\u{E9}@example.com")),
    (J, "RFC 8264 §7 Kelvin sign", "\u{212A}@example.com", Some("k@example.com")),
    // Local part: IdentifierClass.
    (J, "RFC 8264 §9.1 letters, digits", "\u{4E2D}\u{6587}\u{966}@example.com", Some("\u{4E2D}\u{6587}\u{966}@example.com")),
    (J, "RFC 8264 §9.2 title case", "\u{1C5}@example.com", None),
    (J, "RFC 8264 §9.3 no number letters", "\u{3021}@example.com", None),
    (J, "RFC 8264 §9.6 PVALID", "\u{3007}\u{F0B}@example.com", Some("\u{3007}\u{F0B}@example.com")),
    (J, "RFC 8264 §9.6 DISALLOWED", "\u{645}\u{640}\u{645}@example.com", None),
    (J, "RFC 8264 §9.9 old jamo", "\u{1100}@example.com", None),
    (J, "RFC 8264 §9.9 jamo that compose", "\u{1100}\u{1161}@example.com", Some("\u{AC00}@example.com")),
    (J, "RFC 8264 §9.13 ignorable", "a\u{FE0F}@example.com", None),
    (J, "RFC 8264 §9.13 ignorable", "a\u{AD}b@example.com", None),
    (J, "RFC 8264 §9.14 space", "a\u{A0}b@example.com", None),
    (J, "RFC 8264 §9.15 symbol", "a\u{20AC}@example.com", None),
    (J, "RFC 8264 §9.16 punctuation", "a\u{2014}b@example.com", None),
    (J, "RFC 8264 §9.17 compatibility", "\u{FB01}@example.com", None),
    (J, "RFC 8264 §9.17 compatibility", "x\u{AA}@example.com", None),
    (J, "RFC 8264 §9.17 compatibility", "\u{1D41A}@example.com", None),
    (J, "RFC 8264 emoji", "\u{1F600}@example.com", None),
    (J, "RFC 8264 private use", "\u{E000}@example.com", None),
    (J, "RFC 8264 noncharacter", "\u{FDD0}@example.com", None),
    (J, "RFC 5892 A.1", "a\u{200C}b@example.com", None),
    (J, "RFC 5892 A.3", "col\u{B7}lega@example.com", Some("col\u{B7}lega@example.com")),
    (J, "RFC 5892 A.3", "a\u{B7}b@example.com", None),
    (J, "RFC 5892 A.4", "\u{375}\u{3B1}@example.com", Some("\u{375}\u{3B1}@example.com")),
    (J, "RFC 5892 A.4", "\u{3B1}\u{375}@example.com", None),
    (J, "RFC 5892 A.5", "\u{5D0}\u{5F3}@example.com", Some("\u{5D0}\u{5F3}@example.com")),
    (J, "RFC 5892 A.5", "a\u{5F3}@example.com", None),
    (J, "RFC 5892 A.7", "\u{30A2}\u{30FB}\u{30A2}@example.com", Some("\u{30A2}\u{30FB}\u{30A2}@example.com")),
    (J, "RFC 5892 A.7", "a\u{30FB}b@example.com", None),
    (J, "RFC 5892 A.8", "\u{628}\u{660}@example.com", Some("\u{628}\u{660}@example.com")),
    (J, "RFC 5892 A.8", "\u{628}\u{660}\u{6F0}@example.com", None),
    // Local part: directions.
    (J, "RFC 5893 §2", "\u{5D0}\u{5D1}@example.com", Some("\u{5D0}\u{5D1}@example.com")),
    (J, "RFC 5893 §2 (1)", "1\u{5D0}@example.com", None),
    (J, "RFC 5893 §2 (2)", "\u{5D0}a\u{5D0}@example.com", None),
    (J, "RFC 5893 §2 (2)", "\u{5D0}\u{4E2D}\u{5D0}@example.com", None),
    (J, "RFC 5893 §2 (3)", "\u{5D0}1@example.com", Some("\u{5D0}1@example.com")),
    (J, "RFC 5893 §2 (3)", "\u{5D0}\u{5B0}@example.com", Some("\u{5D0}\u{5B0}@example.com")),
    (J, "RFC 5893 §2 (3)", "\u{5D0}.@example.com", None),
    (J, "RFC 5893 §2 (4)", "\u{628}1\u{661}@example.com", None),
    (J, "RFC 5893 §2 (5)", "a\u{661}@example.com", None),
    // Domain.
    (J, "RFC 5895 §2 case", "M\u{DC}NCHEN.Example", Some("m\u{FC}nchen.example")),
    (J, "RFC 5895 §2 width", "\u{FF45}\u{FF58}.com", Some("ex.com")),
    (J, "RFC 5895 §2 full stops", "\u{4F8B}\u{3048}\u{3002}jp\u{FF0E}\u{FF61}", None),
    (J, "RFC 5895 §2 full stops", "\u{4F8B}\u{3048}\u{3002}jp\u{FF61}", Some("\u{4F8B}\u{3048}.jp")),
    (J, "RFC 5895 §2 form C", "mu\u{308}nchen.example", Some("m\u{FC}nchen.example")),
    (J, "RFC 7622 §3.2 width gives a slash", "a\u{FF0F}b.example", None),
    (J, "RFC 5891 §4.2.3.1", "\u{E9}b--c.example", None),
    (J, "RFC 5891 §4.2.3.2", "\u{308}a.example", None),
    (J, "RFC 5892 §3", "\u{265A}.example", None),
    (J, "RFC 5892 §3", "i\u{2764}.example", None),
    (J, "RFC 5892 §2.2 unstable", "\u{FB01}.example", None),
    (J, "RFC 5893 §2 a label", "\u{5D0}\u{5D1}.example", Some("\u{5D0}\u{5D1}.example")),
    (J, "RFC 5893 §2 a label", "a\u{5D0}.example", None),
    // Resource.
    (J, "RFC 8265 §4.2.2 width and case are kept", "a@b.c/\u{FF21}B\u{C4}", Some("a@b.c/\u{FF21}B\u{C4}")),
    (J, "RFC 8265 §4.2.2 spaces", "a@b.c/x\u{A0}y\u{3000}z", Some("a@b.c/x y z")),
    (J, "RFC 8265 §4.2.2 form C", "a@b.c/e\u{301}", Some("a@b.c/\u{E9}")),
    (J, "RFC 8264 §9.17 compatibility", "a@b.c/\u{2163}\u{FB01}", Some("a@b.c/\u{2163}\u{FB01}")),
    (J, "RFC 8264 emoji", "a@b.c/\u{1F600}", Some("a@b.c/\u{1F600}")),
    (J, "RFC 3454 B.1", "a@b.c/\u{2764}\u{FE0F}", Some("a@b.c/\u{2764}")),
    (J, "RFC 3454 B.1", "a@b.c/\u{1F468}\u{200D}\u{1F469}", Some("a@b.c/\u{1F468}\u{1F469}")),
    (J, "RFC 3454 B.1, nothing left", "a@b.c/\u{200B}", None),
    (J, "FreeformClass and more: jamo, tatweel, filler", "a@b.c/\u{110F}\u{640}\u{3164}", Some("a@b.c/\u{110F}\u{640}\u{3164}")),
    (J, "FreeformClass and more: unassigned", "a@b.c/\u{E0FFF}", Some("a@b.c/\u{E0FFF}")),
    (J, "RFC 8264 §9.12 control", "a@b.c/\u{85}", None),
    (J, "RFC 8264 format character", "a@b.c/a\u{202E}b", None),
    (J, "RFC 8264 line separator", "a@b.c/a\u{2028}b", None),
    (J, "RFC 8264 private use", "a@b.c/\u{F8FF}", None),
    (J, "RFC 8264 noncharacter", "a@b.c/\u{1FFFF}", None),
    // Passwords.
    (P, "RFC 4013 §3 (1)", "I\u{AD}X", Some("IX")),
    (P, "RFC 4013 §3 (2)", "user", Some("user")),
    (P, "RFC 4013 §3 (3)", "USER", Some("USER")),
    (P, "RFC 4013 §3 (4)", "\u{AA}", Some("a")),
    (P, "RFC 4013 §3 (5)", "\u{2168}", Some("IX")),
    (P, "RFC 4013 §3 (6)", "\u{7}", None),
    (P, "RFC 4013 §3 (7)", "\u{627}\u{31}", None),
    (P, "RFC 4013 §2.1", "a\u{A0}b\u{200B}c", Some("a b c")),
    (P, "RFC 4013 §2.2", "p\u{E4}sswo\u{308}rd\u{FF11}", Some("p\u{E4}ssw\u{F6}rd1")),
    (P, "RFC 4013 §2.3 control", "\u{E9}\n", None),
    (P, "RFC 4013 §2.3 private use", "\u{E000}", None),
    (P, "RFC 4013 §2.3 replacement character", "\u{FFFD}", None),
    (P, "RFC 4013 §2.3 direction mark", "a\u{200E}", None),
    (P, "RFC 4013 §2.4", "\u{627}\u{628}", Some("\u{627}\u{628}")),
    (P, "RFC 4013 §2.4", "\u{5D0}1\u{5D1}", Some("\u{5D0}1\u{5D1}")),
    (P, "RFC 4013 §2.4", "\u{5D0}a\u{5D1}", None),
    (P, "RFC 4013 §2.4, question mark", "\u{5D0}\u{61F}", Some("\u{5D0}\u{61F}")),
    (P, "RFC 4013 §2.5, let through", "\u{1F511}", Some("\u{1F511}")),
];
