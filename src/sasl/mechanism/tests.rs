//! Who gets which mechanism.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

use super::super::{ScramKeys, Secret};
use super::*;

fn offer(mechanisms: &[&str], bindings: Option<&[&str]>) -> Offer {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Offer {
        mechanisms: owned(mechanisms),
        bindings: bindings.map(owned),
    }
}

fn binding(name: &str) -> ChannelBinding {
    ChannelBinding {
        name: name.into(),
        data: b"data".to_vec(),
    }
}

fn password() -> Credentials {
    Credentials::Password(Secret::new(b"secret".to_vec()))
}

fn keys(hash: Hash) -> Credentials {
    Credentials::Keys(ScramKeys::of(hash, b"salt".to_vec(), 4096, b"salted"))
}

fn token() -> Credentials {
    Credentials::Token(Secret::new(b"token".to_vec()))
}

const LAX: Policy = Policy {
    plain: true,
    private: true,
    pinned: false,
    scram: super::super::scram::Limits {
        min_iterations: 4096,
        max_iterations: 1_000_000,
    },
};

fn choose(credentials: &Credentials, mechanisms: &[&str], policy: Policy) -> Result<&'static str, Code> {
    Mechanism::choose(credentials, &offer(mechanisms, None), policy, None)
        .map(Mechanism::name)
        .map_err(|error| error.code())
}

/// What a server with everything offers, weakest first.
const EVERYTHING: [&str; 12] = [
    "X-UNKNOWN",
    "EXTERNAL",
    "ANONYMOUS",
    "OAUTHBEARER",
    "PLAIN",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
];

#[test]
fn rfc6120_6_3_3_the_credentials_decide_and_the_strongest_wins() {
    let external = Credentials::External { authzid: None };
    for (credentials, name) in [
        (password(), "SCRAM-SHA-512"),
        (keys(Hash::Sha1), "SCRAM-SHA-1"),
        (keys(Hash::Sha256), "SCRAM-SHA-256"),
        (keys(Hash::Sha512), "SCRAM-SHA-512"),
        (token(), "OAUTHBEARER"),
        (Credentials::Anonymous, "ANONYMOUS"),
        (external, "EXTERNAL"),
    ] {
        assert_eq!(choose(&credentials, &EVERYTHING, LAX), Ok(name));
        // Whatever else there is, nothing else will do.
        let others: Vec<&str> = EVERYTHING.into_iter().filter(|other| *other != name).collect();
        if !matches!(credentials, Credentials::Password(_)) {
            // Keys are out of date where there is SCRAM, and not theirs.
            let code = if matches!(credentials, Credentials::Keys(_)) {
                Code::KeysOutdated
            } else {
                Code::NoMechanism
            };
            assert_eq!(choose(&credentials, &others, LAX), Err(code), "{name}");
        }
    }
}

#[test]
fn rfc6120_6_3_3_the_order_for_a_password() {
    let mut offered = EVERYTHING.to_vec();
    for expected in ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"] {
        assert_eq!(choose(&password(), &offered, LAX), Ok(expected));
        offered.retain(|name| *name != expected);
    }
    assert_eq!(choose(&password(), &offered, LAX), Err(Code::NoMechanism));

    // With channel binding, which comes before the hash.
    let binding = binding("tls-exporter");
    let mut offered = EVERYTHING.to_vec();
    for expected in [
        "SCRAM-SHA-512-PLUS",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-256",
        "SCRAM-SHA-1",
        "PLAIN",
    ] {
        let chosen = Mechanism::choose(&password(), &offer(&offered, None), LAX, Some(&binding));
        assert_eq!(chosen.unwrap().name(), expected);
        offered.retain(|name| *name != expected);
    }
}

#[test]
fn rfc5802_6_plus_needs_a_type_that_both_have() {
    let mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256"];
    let choose = |credentials: &Credentials, bindings: Option<&[&str]>, ours: Option<&str>| {
        let binding = ours.map(binding);
        Mechanism::choose(credentials, &offer(&mechanisms, bindings), LAX, binding.as_ref())
            .unwrap()
            .name()
    };
    let both: &[&str] = &["tls-server-end-point", "tls-exporter"];
    // A browser has none, whatever the server says.
    assert_eq!(choose(&password(), None, None), "SCRAM-SHA-256");
    assert_eq!(choose(&password(), Some(both), None), "SCRAM-SHA-256");
    // A server that lists no types may take any.
    assert_eq!(choose(&password(), None, Some("tls-exporter")), "SCRAM-SHA-1-PLUS");
    assert_eq!(
        choose(&password(), Some(both), Some("tls-exporter")),
        "SCRAM-SHA-1-PLUS"
    );
    assert_eq!(choose(&password(), Some(both), Some("tls-unique")), "SCRAM-SHA-256");
    assert_eq!(choose(&password(), Some(&[]), Some("tls-unique")), "SCRAM-SHA-256");
    assert_eq!(
        choose(&keys(Hash::Sha1), Some(both), Some("tls-exporter")),
        "SCRAM-SHA-1-PLUS"
    );
    assert_eq!(
        choose(&keys(Hash::Sha256), Some(both), Some("tls-exporter")),
        "SCRAM-SHA-256"
    );
    // And never alone where none can bind.
    let alone = Mechanism::choose(&password(), &offer(&["SCRAM-SHA-1-PLUS"], None), LAX, None);
    assert_eq!(alone.unwrap_err().code(), Code::NoMechanism);
}

#[test]
fn xep0440_3_types_without_a_mechanism_for_them_are_a_downgrade() {
    let cut = offer(&["SCRAM-SHA-1", "OAUTHBEARER", "PLAIN"], Some(&["tls-exporter"]));
    let binding = binding("tls-exporter");
    for credentials in [password(), keys(Hash::Sha1)] {
        let error = Mechanism::choose(&credentials, &cut, LAX, Some(&binding)).unwrap_err();
        assert_eq!((error.code(), error.phase()), (Code::Downgrade, Phase::Auth));
        // Rule 2: for a client that can't bind it makes no difference.
        assert_eq!(
            Mechanism::choose(&credentials, &cut, LAX, None),
            Ok(Mechanism::Scram(Hash::Sha1))
        );
    }
    assert_eq!(
        Mechanism::choose(&token(), &cut, LAX, Some(&binding)),
        Ok(Mechanism::OauthBearer)
    );
}

#[test]
fn rfc4616_plain_needs_leave_and_a_private_connection() {
    for (plain, private, chosen) in [
        (true, true, Ok("PLAIN")),
        (false, true, Err(Code::NoMechanism)),
        (true, false, Err(Code::NoMechanism)),
        (false, false, Err(Code::NoMechanism)),
    ] {
        let policy = Policy { plain, private, ..LAX };
        assert_eq!(choose(&password(), &["PLAIN"], policy), chosen, "{plain} {private}");
        assert_eq!(choose(&password(), &EVERYTHING, policy), Ok("SCRAM-SHA-512"));
    }
}

#[test]
fn rfc7628_a_token_needs_a_private_connection() {
    let insecure = Policy { private: false, ..LAX };
    assert_eq!(choose(&token(), &["OAUTHBEARER"], insecure), Err(Code::NoMechanism));
    let error = Mechanism::choose(&token(), &offer(&["OAUTHBEARER"], None), insecure, None).unwrap_err();
    assert!(error.hint().contains("wss:"), "{}", error.hint());
    // Neither leave for PLAIN nor what the account did before has a say in it.
    let pinned = Policy {
        plain: false,
        pinned: true,
        ..LAX
    };
    assert_eq!(choose(&token(), &["OAUTHBEARER"], pinned), Ok("OAUTHBEARER"));
}

#[test]
fn xep0474_7_no_plain_for_an_account_that_has_done_better() {
    let pinned = Policy { pinned: true, ..LAX };
    let error = Mechanism::choose(&password(), &offer(&["PLAIN", "X"], None), pinned, None).unwrap_err();
    assert_eq!((error.code(), error.phase()), (Code::Downgrade, Phase::Auth));
    assert!(!error.retryable());
    assert!(
        error.message().contains("PLAIN") && error.hint().contains("stored"),
        "{error:?}"
    );
    // Where something better is offered, nothing is amiss.
    assert_eq!(
        choose(&password(), &["PLAIN", "SCRAM-SHA-1"], pinned),
        Ok("SCRAM-SHA-1")
    );
    // Without leave PLAIN is out of the question anyway.
    let strict = Policy { plain: false, ..pinned };
    assert_eq!(choose(&password(), &["PLAIN"], strict), Err(Code::NoMechanism));
}

#[test]
fn each_mechanism_has_its_name_and_what_it_promises() {
    for mechanism in ALL {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
        let scram = mechanism.name().starts_with("SCRAM-");
        assert_eq!(mechanism.proves(), scram);
        assert_eq!(mechanism.pins(), scram || mechanism == Mechanism::External);
        assert_eq!(
            mechanism.name().ends_with("-PLUS"),
            matches!(mechanism, Mechanism::ScramPlus(_))
        );
        if let Mechanism::ScramPlus(hash) = mechanism {
            assert_eq!(mechanism.name(), hash.mechanism().to_owned() + "-PLUS");
        }
    }
    for name in ["", "plain", "PLAIN ", "SCRAM-SHA-384", "SCRAM-SHA-1-PLUS-PLUS"] {
        assert_eq!(Mechanism::from_name(name), None, "{name}");
    }
}

#[test]
fn what_fits_which_credentials() {
    let external = Credentials::External { authzid: None };
    let names = |credentials: &Credentials| {
        let fitting = ALL.into_iter().filter(|mechanism| mechanism.fits(credentials));
        fitting.map(Mechanism::name).collect::<Vec<_>>()
    };
    assert_eq!(names(&password()).len(), 7);
    assert_eq!(names(&keys(Hash::Sha256)), ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
    assert_eq!(names(&token()), ["OAUTHBEARER"]);
    assert_eq!(names(&Credentials::Anonymous), ["ANONYMOUS"]);
    assert_eq!(names(&external), ["EXTERNAL"]);
}

#[test]
fn an_error_repeats_no_more_of_the_servers_list_than_a_person_reads() {
    let names: Vec<String> = (0..100_000).map(|number| format!("X-ÄÖÜ-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = Mechanism::choose(&password(), &offer(&names, None), LAX, None).unwrap_err();
    assert_eq!(error.code(), Code::NoMechanism);
    assert!(
        error.message().contains("X-ÄÖÜ-1, ") && error.message().len() < 500,
        "{error}"
    );
    let error = Mechanism::choose(&password(), &Offer::default(), LAX, None).unwrap_err();
    assert_eq!(error.message(), "the server offers no way to log in");
}
