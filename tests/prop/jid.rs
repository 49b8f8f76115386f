//! Addresses and passwords: whatever the text, preparing it does not panic, and doing it twice changes nothing more.

use proptest::prelude::*;
use stanzawire::jid::Jid;
use stanzawire::sasl::prep::saslprep;
use std::borrow::Cow;

#[path = "../unicode_cases.rs"]
mod unicode_cases;

/// Characters from where the rules have something to say, far more often than chance would.
fn awkward() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => proptest::char::range(' ', '~'),
        2 => prop::sample::select("@/.-_[]:'&<> xn".chars().collect::<Vec<_>>()),
        2 => proptest::char::range('\u{300}', '\u{3FF}'),
        1 => proptest::char::range('\u{80}', '\u{24F}'),
        2 => proptest::char::range('\u{590}', '\u{6FF}'),
        1 => proptest::char::range('\u{1100}', '\u{11FF}'),
        1 => proptest::char::range('\u{1F00}', '\u{20FF}'),
        1 => proptest::char::range('\u{3000}', '\u{30FF}'),
        1 => proptest::char::range('\u{FB00}', '\u{FFFF}'),
        1 => any::<char>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(awkward(), 0..24).prop_map(String::from_iter)
}

/// Text that has a fair chance of being an address.
fn address() -> impl Strategy<Value = String> {
    (text(), text(), text()).prop_map(|(local, domain, resource)| {
        let plain = |part: &str, not: &[char]| part.replace(not, "");
        let domain = plain(&domain, &['@', '/', ' ', ':', '[', ']', '\'', '&', '<', '>']);
        format!(
            "{}@{domain}x/{resource}",
            plain(&local, &['@', '/', ' ', ':', '\'', '&', '<', '>', '"'])
        )
    })
}

fn holds(jid: &Jid) {
    let shown = jid.to_string();
    assert_eq!(Jid::parse(&shown).as_ref(), Ok(jid), "preparing twice");
    for part in [jid.local(), Some(jid.domain()), jid.resource()].into_iter().flatten() {
        assert!((1..=1023).contains(&part.len()));
    }
    assert!(jid.to_bare().is_bare() && jid.same_bare(&jid.to_bare()));
    assert_eq!(Jid::parse(jid.bare_str()).as_ref(), Ok(&jid.to_bare()));
    assert_eq!(Jid::parse(jid.domain()).as_ref(), Ok(&jid.domain_jid()));
    assert_eq!(jid.is_full(), jid.resource().is_some());
    if let Some(resource) = jid.resource() {
        assert_eq!(jid.to_bare().with_resource(resource).as_ref(), Ok(jid));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_is_an_address_or_an_error(text in text()) {
        if let Ok(jid) = Jid::parse(&text) {
            holds(&jid);
        }
    }

    #[test]
    fn likely_addresses_hold(text in address()) {
        if let Ok(jid) = Jid::parse(&text) {
            holds(&jid);
        }
    }

    #[test]
    fn saslprep_is_stable(text in text()) {
        if let Ok(once) = saslprep(&text) {
            prop_assert_eq!(saslprep(&once).map(Cow::into_owned), Ok(once.to_string()));
        }
    }

    /// An older implementation of the same RFC, which holds to Unicode 3.2: what it accepts comes out the same here. It
    /// refuses more: what is newer, and left-to-right symbols among right-to-left letters.
    #[test]
    fn saslprep_agrees_with_the_stringprep_crate(text in text()) {
        if let Ok(theirs) = stringprep::saslprep(&text) {
            prop_assert_eq!(saslprep(&text), Ok(theirs));
        }
    }
}

/// Every character of the scripts that the rules speak of, and one in 251 of the others.
fn characters() -> impl Iterator<Item = char> {
    let dense = |c: &char| matches!(c, '\0'..='\u{33FF}' | '\u{F900}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}');
    ('\0'..=char::MAX).filter(move |c| dense(c) || u32::from(*c) % 251 == 0 || u32::from(*c) & 0xFFFE == 0xFFFE)
}

#[test]
fn every_character_in_every_part() {
    let mut accepted = [0; 3];
    for c in characters() {
        for (count, text) in accepted
            .iter_mut()
            .zip([format!("a{c}b@x.y"), format!("a{c}b.y"), format!("x.y/{c}")])
        {
            if let Ok(jid) = Jid::parse(&text) {
                *count += 1;
                assert_eq!(Jid::parse(jid.as_str()).as_ref(), Ok(&jid), "U+{:04X}", u32::from(c));
            }
        }
    }
    // A good part of them passes, or the test would be testing nothing.
    assert!(
        accepted[0] > 9_000 && accepted[1] > 9_000 && accepted[2] > 20_000,
        "{accepted:?}"
    );
}

#[test]
fn saslprep_agrees_with_the_stringprep_crate_on_every_character() {
    for c in characters() {
        let text = c.to_string();
        match (saslprep(&text), stringprep::saslprep(&text)) {
            (ours, Ok(theirs)) => assert_eq!(ours, Ok(theirs), "U+{:04X}", u32::from(c)),
            // Refused there for being newer than Unicode 3.2.
            (Ok(ours), Err(_)) => {
                let new = ours.chars().any(stringprep::tables::unassigned_code_point);
                assert!(new, "U+{:04X} let through", u32::from(c));
            }
            (Err(_), Err(_)) => {}
        }
    }
}

#[test]
fn the_table_of_cases_holds() {
    let failures = unicode_cases::failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
