//! Published vectors, and slices against the library.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

use super::*;

fn in_slices(request: &KeyRequest, slice: u32) -> Secret {
    let mut derivation = Derivation::new(request);
    for _ in 0..=request.iterations {
        if let Some(key) = derivation.step(slice) {
            return key;
        }
    }
    panic!("no key after {} slices of {slice}", request.iterations);
}

/// Marsaglia's xorshift64: the same requests in every run.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

/// The first, third and fifth of RFC 6070 for SHA-1, and for the other hashes what Python's hashlib makes of the same inputs.
#[test]
fn rfc6070_2_pbkdf2_vectors() {
    let vectors: [(Hash, &str, &str, &str); 3] = [
        (
            Hash::Sha1,
            "0c60c80f961f0e71",
            "4b007901b765489a",
            "3d2eec4fe41c849b80c8d836",
        ),
        (
            Hash::Sha256,
            "120fb6cffcf8b32c",
            "c5e478d59288c841",
            "348c89dbcbd32b2f32d814b8",
        ),
        (
            Hash::Sha512,
            "867f70cf1ade02cf",
            "d197b1b33db0143e",
            "8c0511f4c6e597c6ac6315d8",
        ),
    ];
    let (long, odd) = ("passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt");
    for (hash, once, often, longer) in vectors {
        for (password, salt, iterations, start) in [
            ("password", "salt", 1, once),
            ("password", "salt", 4096, often),
            (long, odd, 4096, longer),
        ] {
            let request = KeyRequest {
                hash,
                password: Secret::new(password.into()),
                salt: salt.into(),
                iterations,
            };
            for key in [derive(&request), in_slices(&request, 7)] {
                let hex: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(hex.len(), 2 * hash.output_len());
                assert!(hex.starts_with(start), "{hash:?} {iterations} {hex}");
            }
        }
    }
}

#[test]
fn each_hash_has_its_names_and_its_length() {
    for (hash, name, mechanism, len) in [
        (Hash::Sha1, "SHA-1", "SCRAM-SHA-1", 20),
        (Hash::Sha256, "SHA-256", "SCRAM-SHA-256", 32),
        (Hash::Sha512, "SHA-512", "SCRAM-SHA-512", 64),
    ] {
        assert_eq!(
            (hash.name(), hash.mechanism(), hash.output_len()),
            (name, mechanism, len)
        );
        assert_eq!(hash.digest(b"").as_bytes().len(), len);
        assert_eq!(hash.hmac(b"", b"").as_bytes().len(), len);
    }
}

#[test]
fn slices_give_what_pbkdf2_gives() {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        // Around the edges of a slice, and beyond the longest one.
        for iterations in [0, 1, 2, 3, 6, 7, 8, 9, 14, 15, 100, 999, 1000, 1001, 2001] {
            for _ in 0..2 {
                // Keys on both sides of the block (64 and 128 bytes), where HMAC starts to hash them.
                let password = random.next() % 200;
                let salt = random.next() % 80;
                let request = KeyRequest {
                    hash,
                    password: Secret::new(random.bytes(password)),
                    salt: random.bytes(salt),
                    iterations,
                };
                let whole = derive(&request);
                assert_eq!(whole.as_bytes().len(), hash.output_len());
                for slice in [1, 7, 1000, u32::MAX] {
                    assert_eq!(
                        in_slices(&request, slice).as_bytes(),
                        whole.as_bytes(),
                        "{hash:?} {iterations} {slice}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_derivation_is_ready_only_after_its_last_round() {
    let request = KeyRequest {
        hash: Hash::Sha256,
        password: Secret::new(b"pencil".to_vec()),
        salt: b"salt".to_vec(),
        iterations: 10,
    };
    let mut derivation = Derivation::new(&request);
    // The first round is done by `new`.
    assert!(derivation.step(0).is_none());
    assert!(derivation.step(8).is_none());
    assert_eq!(derivation.step(1), Some(derive(&request)));
    // A late call repeats the answer, and goes no further.
    assert_eq!(derivation.step(1000), Some(derive(&request)));
}

#[test]
fn a_tag_is_verified_whole() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let tag = hash.hmac(b"key", b"data");
        assert!(hash.verify(b"key", b"data", tag.as_bytes()));
        for len in 0..hash.output_len() {
            assert!(!hash.verify(b"key", b"data", &tag.as_bytes()[..len]), "{len}");
            let mut wrong = tag.as_bytes().to_vec();
            wrong[len] ^= 1;
            assert!(!hash.verify(b"key", b"data", &wrong), "{len}");
        }
        let mut longer = tag.as_bytes().to_vec();
        longer.push(0);
        assert!(!hash.verify(b"key", b"data", &longer));
    }
}

/// What is cut off a tag that ends in zeros still counts.
#[test]
fn a_tag_is_verified_whole_where_it_ends_in_zeros() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let (data, tag) = (0..10_000_u32)
            .map(|number| (number.to_be_bytes(), hash.hmac(b"key", &number.to_be_bytes())))
            .find(|(_, tag)| tag.as_bytes().ends_with(&[0]))
            .unwrap();
        let (_, cut) = tag.as_bytes().split_last().unwrap();
        assert!(hash.verify(b"key", &data, tag.as_bytes()));
        assert!(!hash.verify(b"key", &data, cut));
        assert!(!hash.verify(b"key", &data, &[tag.as_bytes(), &[0]].concat()));
    }
}

#[test]
fn a_secret_does_not_print() {
    let request = KeyRequest {
        hash: Hash::Sha1,
        password: Secret::new(b"pencil".to_vec()),
        salt: vec![1],
        iterations: 4096,
    };
    assert_eq!(format!("{:?}", request.password), "Secret(..)");
    assert!(
        !format!("{request:?}").contains("112"),
        "the bytes of the password are shown"
    );
}

#[test]
fn secrets_are_equal_by_length_and_bytes() {
    let secret = |bytes: &[u8]| Secret::new(bytes.to_vec());
    assert_eq!(secret(b"abc"), secret(b"abc"));
    assert_ne!(secret(b"abc"), secret(b"abd"));
    assert_ne!(secret(b"abc"), secret(b"ab"));
    assert_ne!(secret(b""), secret(b"a"));
}
