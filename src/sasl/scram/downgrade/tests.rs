//! The XEP's own example, and offers that were changed on their way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

use super::super::{Accepted, Binding, ChannelBinding, ClientFirst, Limits, Secrets};
use super::*;
use crate::sasl::{Secret, derive::derive};

const NONCE: &str = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6";
const SERVER_FIRST: &str =
    "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096";
const H: &str = "G6k/rBLDqgOhRRaCuuatSDFkJ08=";

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn offer(mechanisms: &[&str], bindings: Option<&[&str]>) -> Offer {
    Offer {
        mechanisms: owned(mechanisms),
        bindings: bindings.map(owned),
    }
}

/// The offer of XEP-0474 §6.3, in the order in which it was made.
fn example() -> Offer {
    offer(
        &["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"],
        Some(&["tls-server-end-point", "tls-exporter"]),
    )
}

fn challenge(binding: Binding<'_>, extensions: &str, offer: &Offer) -> Result<Accepted, ScramError> {
    let password = Secret::new(b"pencil".to_vec());
    let secrets = Secrets::Password(password, None);
    ClientFirst::new(Hash::Sha1, "user", secrets, NONCE.into(), binding, Limits::default())
        .challenge(format!("{SERVER_FIRST}{extensions}").as_bytes(), offer)
}

#[test]
fn xep0474_6_3_the_example() {
    assert_eq!(value(Hash::Sha1, &example()), H);

    let binding = ChannelBinding {
        name: "tls-exporter".into(),
        data: b"THIS IS FAKE CB DATA".to_vec(),
    };
    let Ok(Accepted::Derive(client)) = challenge(Binding::Bound(&binding), &format!(",h={H}"), &example()) else {
        panic!("the example's own hash is refused");
    };
    let salted = derive(client.request());
    let client = client.derived(&salted).unwrap();
    let sent = "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6";
    assert!(client.message().starts_with(sent), "{}", client.message());
    // The example's client adds an attribute of its own, x, which we don't have. These are our proof and the server's
    // signature of it, from Python's hashlib.
    assert!(client.message().ends_with(",p=NWgTsQJvWgbXKxbqd3P4BNurjkU="));
    let keys = client.verify(b"v=EMsYR2n9LecK8qm5xR19xuvM1jw=").unwrap().into_keys();
    // And with it the example's signature follows from the same keys.
    let signed = format!("n=user,r={NONCE},{SERVER_FIRST},h={H},{sent},x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3");
    let signature = STANDARD.decode("MQrMPvv7yv4x4Cq4W4Ih25EqS2c=").unwrap();
    assert!(Hash::Sha1.verify(keys.server_key.as_bytes(), signed.as_bytes(), &signature));
}

/// Computed with Python's hashlib.
#[test]
fn xep0474_6_1_the_hash_is_the_mechanisms_own() {
    for (hash, with_types, without) in [
        (
            Hash::Sha256,
            "H6VEQ+6wl/eYKuTjJn4D9/e9GTn1AcYGw/oiSJ3Yhy0=",
            "Uuua9QJnTss43LMyJpE0esh43d9r8DB6N89DXs91aFo=",
        ),
        (
            Hash::Sha512,
            "Q1q0WwH927l2RRoYIMiDY0g7R21hTZK+bfBgkhqek9JSTfIzUlnUZQRB2A6lZL3ER7ZMWRRdQzEJKVH671Bh0g==",
            "eOeUdpE/0pNIUnVTIcURoWHTT22Ohgk8C5/03RZTyqK9vShp/jK5G+v7G36yqSEsZgXnH7wVq2gBuUxm11OEHA==",
        ),
    ] {
        assert_eq!(value(hash, &example()), with_types);
        let no_types = Offer {
            bindings: None,
            ..example()
        };
        assert_eq!(value(hash, &no_types), without);
    }
    // A list of types that is empty has its separator all the same.
    let empty = Offer {
        bindings: Some(Vec::new()),
        ..example()
    };
    assert_eq!(
        value(Hash::Sha256, &empty),
        "o5Qry3CjepRsiBUsIpJfWV30A5KJFy5qiRyBdVEbOhw="
    );
}

#[test]
fn xep0474_6_1_the_order_of_the_offer_does_not_matter() {
    let turned = offer(
        &["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"],
        Some(&["tls-exporter", "tls-server-end-point"]),
    );
    assert_eq!(value(Hash::Sha1, &turned), H);
    // RFC 4790 §9.3: by octets, capitals before small letters, not as a dictionary has them.
    assert_eq!(
        sorted(&owned(&["b", "B", "a", "Ä", "A1", "A", ""])),
        "\x1eA\x1eA1\x1eB\x1ea\x1eb\x1eÄ"
    );
}

#[test]
fn xep0474_6_2_a_changed_offer_ends_the_exchange() {
    let types: &[&str] = &["tls-server-end-point", "tls-exporter"];
    for changed in [
        // Cut, added to, emptied.
        offer(&["SCRAM-SHA-1"], Some(types)),
        offer(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "PLAIN"], Some(types)),
        offer(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], Some(&["tls-exporter"])),
        offer(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], Some(&[])),
        offer(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], None),
        offer(&["SCRAM-SHA-1", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], Some(types)),
        Offer::default(),
    ] {
        let outcome = challenge(Binding::Impossible, &format!(",h={H}"), &changed);
        assert_eq!(outcome.unwrap_err(), ScramError::OfferChanged, "{changed:?}");
    }
}

#[test]
fn xep0474_6_2_no_second_hash_talks_over_the_first() {
    for extensions in [
        ",h=AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
        format!(",h={H},h=AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        format!(",h=AAAAAAAAAAAAAAAAAAAAAAAAAAA=,h={H}"),
        format!(",x=y,h={H},y=z,h={H},h=x"),
        // A part of it, more than it, and the same bytes written in another way.
        format!(",h={}", &H[..27]),
        format!(",h={H}="),
        format!(",h={H} "),
        format!(",h={}", H.to_lowercase()),
    ] {
        let outcome = challenge(Binding::Impossible, &extensions, &example());
        assert_eq!(outcome.unwrap_err(), ScramError::OfferChanged, "{extensions}");
    }
    // Said twice, it is the same; and other attributes are not it, nor what stands where the salt belongs.
    for extensions in [
        format!(",h={H}"),
        format!(",h={H},h={H}"),
        format!(",x=h={H}"),
        ",H=x".to_owned(),
        ",d=x".to_owned(),
        String::new(),
    ] {
        let outcome = challenge(Binding::Impossible, &extensions, &example());
        assert!(outcome.is_ok(), "{extensions}");
    }
}

#[test]
fn xep0474_7_types_that_nobody_shares_need_the_hash() {
    let strange = offer(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], Some(&["made-up"]));
    let vouched = format!(",h={}", value(Hash::Sha1, &strange));
    assert_eq!(
        challenge(Binding::Unshared, "", &strange).unwrap_err(),
        ScramError::OfferChanged
    );
    assert!(challenge(Binding::Unshared, &vouched, &strange).is_ok());
    // XEP-0440 §3, rule 6: a list with the type that every server must have is not suspect by itself.
    assert!(challenge(Binding::Unshared, "", &example()).is_ok());
    // A client that can't bind is told nothing by the list.
    assert!(challenge(Binding::Impossible, "", &strange).is_ok());
}
