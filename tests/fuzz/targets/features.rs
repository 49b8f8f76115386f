//! Stream features, and what is chosen of them: only what was offered, and nothing weaker than the policy allows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stanzawire::sasl::{ChannelBinding, Credentials, Mechanism, Policy, Secret};
use stanzawire::stream::framing::{Incoming, incoming};
use stanzawire::xml::Limits;
use stanzawire_fuzz::bounded;

fuzz_target!(|text: &str| {
    let binding = ChannelBinding {
        name: "tls-exporter".into(),
        data: vec![1, 2, 3],
    };
    let whole = bounded(|| incoming(text, &Limits::default()));
    let wrapped = [
        "<f:features xmlns:f='http://etherx.jabber.org/streams'>",
        text,
        "</f:features>",
    ]
    .concat();
    let inner = bounded(|| incoming(&wrapped, &Limits::default()));
    for incoming in [whole, inner].into_iter().flatten() {
        let Incoming::Features(features) = incoming else {
            continue;
        };
        let Some(offer) = features.offer else { continue };
        for credentials in credentials() {
            for (plain, private, pinned) in policies() {
                let policy = Policy {
                    plain,
                    private,
                    pinned,
                    ..Policy::default()
                };
                for binding in [None, Some(&binding)] {
                    let chosen = Mechanism::choose(&credentials, &offer, policy, binding);
                    let Ok(mechanism) = chosen else { continue };
                    assert!(
                        offer.mechanisms.iter().any(|name| name == mechanism.name()),
                        "not offered"
                    );
                    assert!(mechanism.fits(&credentials));
                    assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
                    let plus = mechanism.name().ends_with("-PLUS");
                    assert!(!plus || binding.is_some(), "nothing can be bound to");
                    if mechanism == Mechanism::Plain {
                        assert!(plain && private && !pinned, "PLAIN without leave");
                        let scram = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];
                        let better = |name: &String| scram.contains(&name.as_str());
                        assert!(!offer.mechanisms.iter().any(better), "something better was passed over");
                    }
                    if mechanism == Mechanism::OauthBearer {
                        assert!(private, "a token in clear");
                    }
                }
            }
        }
    }
});

fn credentials() -> [Credentials; 4] {
    [
        Credentials::Password(Secret::new(b"secret".to_vec())),
        Credentials::Token(Secret::new(b"token".to_vec())),
        Credentials::Anonymous,
        Credentials::External { authzid: None },
    ]
}

fn policies() -> impl Iterator<Item = (bool, bool, bool)> {
    (0..8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0))
}
