//! A whole SCRAM exchange. Whatever a server says that does not know the account's key, it ends in no success; and an
//! honest server of any salt, nonce and count comes to one, unless a bit of its signature is wrong.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use stanzawire::jid::Jid;
use stanzawire::sasl::{ChannelBinding, Credentials, Exchange, Hash, Mechanism, Next, Offer, Policy, Secret, Start};
use stanzawire_fuzz::{bounded, scripted};

const PASSWORD: &str = "pencil";
const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";
/// What the client derives from its password. The length of a hash, which one tells.
const KEYS: [(Hash, scripted::Hash, &[u8]); 3] = [
    (Hash::Sha1, scripted::Hash::Sha1, &[7; 20]),
    (Hash::Sha256, scripted::Hash::Sha256, &[7; 32]),
    (Hash::Sha512, scripted::Hash::Sha512, &[7; 64]),
];

// The first byte chooses: `h` for the honest server.
fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    // A server that says the password itself proves nothing about the client.
    if String::from_utf8_lossy(data).contains(PASSWORD) {
        return;
    }
    for (hash, scripted, key) in KEYS {
        for mechanism in mechanisms(hash) {
            if *kind == b'h' {
                with_a_signature(mechanism, scripted, key, data);
            } else {
                without_the_key(mechanism, key, data);
            }
        }
    }
});

/// With and without channel binding, which a browser has none of.
fn mechanisms(hash: Hash) -> [Mechanism; 2] {
    [Mechanism::Scram(hash), Mechanism::ScramPlus(hash)]
}

fn start(mechanism: Mechanism) -> (Exchange, Vec<u8>) {
    let account = Jid::parse("user@example.org").expect("an address");
    let binding = ChannelBinding {
        name: "tls-exporter".into(),
        data: b"of this connection".to_vec(),
    };
    let started = Exchange::start(Start {
        mechanism,
        credentials: Credentials::Password(Secret::new(PASSWORD.into())),
        account: &account,
        nonce: NONCE.into(),
        policy: Policy::default(),
        binding: matches!(mechanism, Mechanism::ScramPlus(_)).then_some(&binding),
        offer: None,
        cached: None,
    });
    started.expect("mechanism, password and binding go together")
}

/// What the server offered, whose hash may be in its first message (XEP-0474).
fn offer() -> Offer {
    Offer {
        mechanisms: vec!["SCRAM-SHA-1".into(), "SCRAM-SHA-256-PLUS".into()],
        bindings: Some(vec!["tls-exporter".into()]),
    }
}

/// Messages between line feeds; the last one comes as a success, those before it as challenges.
fn without_the_key(mechanism: Mechanism, key: &[u8], data: &[u8]) {
    let mut messages: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let success = messages.pop();
    let (mut exchange, _) = start(mechanism);
    for message in messages {
        let (next, todo) = match bounded(|| exchange.challenge(message, &offer())) {
            Ok((_, Next::Respond(_))) => panic!("a signature made without the key was accepted"),
            Ok((next, todo)) => (next, todo),
            Err(_) => return,
        };
        exchange = next;
        if let Next::Derive(request) = todo {
            let limits = Policy::default().scram;
            assert!((limits.min_iterations..=limits.max_iterations).contains(&request.iterations));
            // The server may say it is done while the client derives; that one isn't tried with every message.
            let (next, response) = bounded(|| exchange.derived(&Secret::new(key.to_vec()))).expect("a key's length");
            assert!(!String::from_utf8_lossy(&response).contains(PASSWORD));
            exchange = next;
        }
    }
    let success = success.filter(|data| !data.is_empty());
    assert!(
        bounded(|| exchange.success(success)).is_err(),
        "a success without the key"
    );
}

/// An honest server's first message, with the bytes' salt, nonce and count, and its signature with one byte changed.
fn with_a_signature(mechanism: Mechanism, scripted: scripted::Hash, key: &[u8], data: &[u8]) {
    let [place, change, count, rest @ ..] = data else {
        return;
    };
    let (salt, nonce) = rest.split_at(rest.len() / 2);
    if salt.is_empty() || salt.len() > 64 || !nonce.iter().all(|byte| matches!(byte, 0x21..=0x2b | 0x2d..=0x7e)) {
        return;
    }
    let nonce = [NONCE, &String::from_utf8_lossy(nonce), "s"].concat();
    let iterations = 4096 + u32::from(*count);
    let server_first = format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt));
    let (exchange, first) = start(mechanism);
    let (exchange, _) = exchange
        .challenge(server_first.as_bytes(), &offer())
        .expect("an honest challenge");
    let (exchange, last) = exchange.derived(&Secret::new(key.to_vec())).expect("a key's length");
    let (first, last) = (text(&first), text(&last));
    let (without_proof, _) = last.rsplit_once(",p=").expect("a proof");
    let (_, bare) = first.split_once(",,").expect("a header");
    let message = format!("{bare},{server_first},{without_proof}");
    let mut signature = scripted.hmac(&scripted.hmac(key, b"Server Key"), message.as_bytes());
    let place = usize::from(*place) % signature.len();
    signature[place] ^= change;
    let last = format!("v={}", STANDARD.encode(signature));
    let success = exchange.success(Some(last.as_bytes()));
    assert_eq!(success.is_ok(), *change == 0, "{success:?}");
    if let Ok(keys) = success {
        let keys = keys.expect("keys that stand for the password");
        assert!(keys.salt == salt && keys.iterations == iterations);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("SCRAM is text")
}
