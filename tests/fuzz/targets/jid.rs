//! An address: parsed or refused; one that was parsed is prepared, and made of its parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stanzawire::jid::Jid;

fuzz_target!(|text: &str| {
    let Ok(jid) = Jid::parse(text) else { return };
    assert_eq!(Jid::parse(jid.as_str()).as_ref(), Ok(&jid), "prepared once and for all");
    assert!(jid.as_str().len() <= 3 * 1023 + 2);

    let local = jid.local().map(|local| [local, "@"].concat()).unwrap_or_default();
    let resource = jid
        .resource()
        .map(|resource| ["/", resource].concat())
        .unwrap_or_default();
    assert_eq!(
        [&local, jid.domain(), &resource].concat(),
        jid.as_str(),
        "nothing but its parts"
    );
    assert_eq!(jid.is_full(), jid.resource().is_some());
    assert_eq!(jid.bare_str(), [&local, jid.domain()].concat());

    let bare = jid.to_bare();
    assert_eq!(Jid::parse(jid.bare_str()).as_ref(), Ok(&bare));
    assert!(bare.is_bare() && bare.same_bare(&jid));
    assert_eq!(Jid::parse(jid.domain()).as_ref(), Ok(&jid.domain_jid()));
    if let Some(resource) = jid.resource() {
        assert_eq!(bare.with_resource(resource).as_ref(), Ok(&jid));
    }
});
