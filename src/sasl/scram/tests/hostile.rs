//! A server that lies, and a connection that damages what it carries.

use super::*;

const NOT_PRINTABLE: ScramError = ScramError::Malformed("the server's nonce is not printable ASCII");
const NOT_POSITIVE: ScramError = ScramError::Malformed("the iteration count is not a positive number");
const NOT_BASE64: ScramError = ScramError::Malformed("the salt is not base64");
const NO_NONCE: ScramError = ScramError::Malformed("the challenge has no nonce where it belongs");
const NO_SALT: ScramError = ScramError::Malformed("the challenge has no salt where it belongs");
const NO_COUNT: ScramError = ScramError::Malformed("the challenge has no iteration count where it belongs");
const NOT_TEXT: ScramError = ScramError::Malformed("the server's message is not UTF-8 text");
const NO_ATTRIBUTES: ScramError = ScramError::Malformed("the server's message is not made of attributes");
const NO_VALUE: ScramError = ScramError::Malformed("an attribute has no value");
const TOO_LONG: ScramError = ScramError::Malformed("the server's message is too long");

#[test]
fn hostile_challenges_are_refused() {
    let long_salt = |len| format!("r=abcdef,s={},i=4096", STANDARD.encode(vec![7; len]));
    let long_message = |len: usize| format!("r=abcdef,s=QSXC,i=4096,x={}", "y".repeat(len - 25));
    let long_salt_1025 = long_salt(1025);
    let too_long = long_message(wire::MAX_MESSAGE + 1);
    let table: &[(&str, ScramError)] = &[
        // RFC 5802 §5.1, the nonce
        ("r=abc,s=QSXC,i=4096", ScramError::NonceMismatch),
        ("r=ab,s=QSXC,i=4096", ScramError::NonceMismatch),
        ("r=,s=QSXC,i=4096", ScramError::NonceMismatch),
        ("r=xyzabc,s=QSXC,i=4096", ScramError::NonceMismatch),
        ("r=ABCdef,s=QSXC,i=4096", ScramError::NonceMismatch),
        ("r=abc def,s=QSXC,i=4096", NOT_PRINTABLE),
        ("r=abcdéf,s=QSXC,i=4096", NOT_PRINTABLE),
        ("r=abcd\u{7f},s=QSXC,i=4096", NOT_PRINTABLE),
        // RFC 5802 §5.1, the mandatory extension
        ("m=ext,r=abcdef,s=QSXC,i=4096", ScramError::MandatoryExtension),
        ("m=,r=abcdef,s=QSXC,i=4096", ScramError::MandatoryExtension),
        ("r=abcdef,m=ext,s=QSXC,i=4096", ScramError::MandatoryExtension),
        ("r=abcdef,s=QSXC,i=4096,x=y,m=ext", ScramError::MandatoryExtension),
        // RFC 5802 §5.1, the iteration count, and RFC 7677 §3
        ("r=abcdef,s=QSXC,i=1", ScramError::IterationsTooFew(1)),
        ("r=abcdef,s=QSXC,i=4095", ScramError::IterationsTooFew(4095)),
        ("r=abcdef,s=QSXC,i=1000001", ScramError::IterationsTooMany(1_000_001)),
        ("r=abcdef,s=QSXC,i=4294967297", ScramError::IterationsTooMany(u32::MAX)),
        (
            "r=abcdef,s=QSXC,i=184467440737095516170000",
            ScramError::IterationsTooMany(u32::MAX),
        ),
        ("r=abcdef,s=QSXC,i=0", NOT_POSITIVE),
        ("r=abcdef,s=QSXC,i=", NOT_POSITIVE),
        ("r=abcdef,s=QSXC,i=-4096", NOT_POSITIVE),
        // The salt
        ("r=abcdef,s=,i=4096", ScramError::EmptySalt),
        ("r=abcdef,s=Q,i=4096", NOT_BASE64),
        ("r=abcdef,s=QSX,i=4096", NOT_BASE64),
        ("r=abcdef,s=QS-_,i=4096", NOT_BASE64),
        ("r=abcdef,s=QS XC,i=4096", NOT_BASE64),
        (&long_salt_1025, ScramError::Malformed("the salt is too long")),
        // RFC 5802 §5.1, the order
        ("s=QSXC,r=abcdef,i=4096", NO_NONCE),
        ("e=unknown-user", NO_NONCE),
        ("r=abcdef,i=4096,s=QSXC", NO_SALT),
        ("r=abcdef,x=y,s=QSXC,i=4096", NO_SALT),
        ("r=abcdef,s=QSXC", NO_COUNT),
        ("r=abcdef,s=QSXC,x=y,i=4096", NO_COUNT),
        // RFC 5802 §7, attr-val
        ("", NO_ATTRIBUTES),
        ("r", NO_ATTRIBUTES),
        (",r=abcdef,s=QSXC,i=4096", NO_ATTRIBUTES),
        ("rr=abcdef,s=QSXC,i=4096", NO_ATTRIBUTES),
        ("r=abcdef,s=QSXC,i=4096,", NO_ATTRIBUTES),
        ("r=abcdef,s=QSXC,i=4096,=x", NO_ATTRIBUTES),
        ("r=abcdef,s=QSXC,i=4096,1=x", NO_ATTRIBUTES),
        ("r=abcdef,s=QSXC,i=4096,xyz", NO_ATTRIBUTES),
        ("r=abcdef,s=QSXC,i=4096,x=", NO_VALUE),
        ("r=abcdef,s=QSXC,i=4096,x=\0", NOT_TEXT),
        (&too_long, TOO_LONG),
    ];
    for (server_first, error) in table {
        let client = start(Hash::Sha1, "user", "abc", Limits::default());
        assert_eq!(
            client
                .challenge(server_first.as_bytes(), &Offer::default())
                .err()
                .as_ref(),
            Some(error),
            "{server_first}"
        );
    }
    let client = start(Hash::Sha1, "user", "abc", Limits::default());
    let error = client
        .challenge(b"r=abcdef,s=QSXC,i=4096,x=\xff", &Offer::default())
        .unwrap_err();
    assert_eq!(error, NOT_TEXT);

    // The last that is still taken, beside each limit.
    for server_first in [
        "r=abcd,s=QSXC,i=4096".to_owned(),
        "r=abcdef,s=QSXC,i=1000000".to_owned(),
        "r=abcdef,s=QSXC,i=4096,x=y,z==,r=again".to_owned(),
        long_salt(MAX_SALT),
        long_message(wire::MAX_MESSAGE),
    ] {
        let client = start(Hash::Sha1, "user", "abc", Limits::default());
        assert!(
            client.challenge(server_first.as_bytes(), &Offer::default()).is_ok(),
            "{server_first}"
        );
    }
}

#[test]
fn limits_are_the_callers() {
    let limits = Limits {
        min_iterations: 10_000,
        max_iterations: 20_000,
    };
    let challenge = |iterations: u32| {
        start(Hash::Sha1, "user", "abc", limits)
            .challenge(format!("r=abcd,s=QSXC,i={iterations}").as_bytes(), &Offer::default())
            .err()
    };
    assert_eq!(challenge(9_999), Some(ScramError::IterationsTooFew(9_999)));
    assert_eq!(challenge(10_000), None);
    assert_eq!(challenge(20_000), None);
    assert_eq!(challenge(20_001), Some(ScramError::IterationsTooMany(20_001)));
}

#[test]
fn a_bad_nonce_of_our_own_fails() {
    for (nonce, server_first) in [
        ("", "r=abc,s=QSXC,i=4096"),
        ("a,b", "r=a,b=c,s=QSXC,i=4096"),
        ("a b", "r=a bc,s=QSXC,i=4096"),
    ] {
        assert!(
            start(Hash::Sha1, "user", nonce, Limits::default())
                .challenge(server_first.as_bytes(), &Offer::default())
                .is_err(),
            "{nonce}"
        );
    }
}

#[test]
fn a_key_of_another_length_is_refused() {
    for len in [0, 19, 21, 32] {
        let client = waiting(
            RFC_5802
                .start()
                .challenge(RFC_5802.server_first.as_bytes(), &Offer::default()),
        );
        assert_eq!(
            client.derived(&Secret::new(vec![1; len])).unwrap_err(),
            ScramError::KeyLength
        );
    }
}

#[test]
fn rfc5802_5_hostile_last_messages_are_refused() {
    let server_error = |value: &str| ScramError::ServerError(value.into());
    let other = STANDARD.encode([0; 20]);
    let mut flipped = STANDARD.decode("rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap();
    flipped[19] ^= 1;
    let with_bit_flipped = format!("v={}", STANDARD.encode(&flipped));
    let truncated = format!(
        "v={}",
        STANDARD.encode(&STANDARD.decode("rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap()[..10])
    );
    let zeros = format!("v={other}");
    let longer = format!("v=rmF9pqV8S7suAoZWja4dJRkFsKQA{}", "AAAA");
    let too_long = format!("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x={}", "y".repeat(wire::MAX_MESSAGE));
    let table: &[(&str, ScramError)] = &[
        ("", ScramError::SignatureMissing),
        ("v=", ScramError::SignatureMissing),
        ("x=y", ScramError::SignatureMissing),
        ("x=y,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ScramError::SignatureMissing),
        (&zeros, ScramError::SignatureWrong),
        (&with_bit_flipped, ScramError::SignatureWrong),
        (&truncated, ScramError::SignatureWrong),
        (&longer, ScramError::SignatureWrong),
        (RFC_7677.server_final, ScramError::SignatureWrong),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ", ScramError::SignatureWrong),
        ("v=%", ScramError::SignatureWrong),
        ("e=invalid-proof", server_error("invalid-proof")),
        ("e=unknown-user,x=y", server_error("unknown-user")),
        ("e=made-up", server_error("made-up")),
        (
            "e=other-error,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            server_error("other-error"),
        ),
        ("m=ext,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ScramError::MandatoryExtension),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,m=ext", ScramError::MandatoryExtension),
        ("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=", NO_VALUE),
        ("rmF9pqV8S7suAoZWja4dJRkFsKQ=", NO_ATTRIBUTES),
        (&too_long, TOO_LONG),
    ];
    for (server_final, error) in table {
        assert_eq!(
            RFC_5802.answered().verify(server_final.as_bytes()).err().as_ref(),
            Some(error),
            "{server_final}"
        );
    }
    let error = RFC_5802.answered().verify(b"v=\xff").unwrap_err();
    assert_eq!(error, NOT_TEXT);
    // An extension behind the signature is none of our business.
    assert!(
        RFC_5802
            .answered()
            .verify(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=y,z==")
            .is_ok()
    );
}

#[test]
fn a_server_that_does_not_know_the_password_is_found_out() {
    let client = waiting(
        RFC_5802
            .start()
            .challenge(RFC_5802.server_first.as_bytes(), &Offer::default()),
    );
    let mut request = client.request().clone();
    request.password = Secret::new(b"pencils".to_vec());
    let client = client.derived(&derive(&request)).unwrap();
    assert_ne!(client.message(), RFC_5802.client_final);
    assert_eq!(
        client.verify(RFC_5802.server_final.as_bytes()),
        Err(ScramError::SignatureWrong)
    );
}

#[test]
fn every_truncation_and_every_damaged_byte_is_survived() {
    for exchange in [RFC_5802, RFC_7677, MADE_512] {
        let first = exchange.server_first.as_bytes();
        for len in 0..first.len() {
            // "i=4096" cut short is too few, and whatever else is cut is no challenge.
            assert!(
                exchange.start().challenge(&first[..len], &Offer::default()).is_err(),
                "{len}"
            );
        }
        let last = exchange.server_final.as_bytes();
        let salted = derive(waiting(exchange.start().challenge(first, &Offer::default())).request());
        let verify = |message: &[u8]| {
            waiting(exchange.start().challenge(first, &Offer::default()))
                .derived(&salted)
                .unwrap()
                .verify(message)
        };
        assert!(verify(last).is_ok());
        for len in 0..last.len() {
            assert!(verify(&last[..len]).is_err(), "{len}");
        }
        for at in 0..last.len() {
            for byte in [0, b',', b'=', b'm', b'%', 0x80, 0xff] {
                let mut damaged = last.to_vec();
                damaged[at] = byte;
                assert!(damaged == last || verify(&damaged).is_err(), "{at} {byte}");
            }
        }
        for at in 0..first.len() {
            for byte in [0, b',', b'=', b'm', b'%', b'9', 0x80, 0xff] {
                let mut damaged = first.to_vec();
                damaged[at] = byte;
                if let Ok(Accepted::Derive(client)) = exchange.start().challenge(&damaged, &Offer::default()) {
                    let client = client.derived(&salted).unwrap();
                    // The key is the right one, and still the exchange is not the one that the server signed.
                    assert!(damaged == first || client.verify(last).is_err(), "{at} {byte}");
                }
            }
        }
    }
}
