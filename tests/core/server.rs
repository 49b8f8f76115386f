//! The server's side of SCRAM-SHA-1 (RFC 5802), honest or hostile, written apart from the client's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// What a hostile server does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The nonce is not an extension of the client's.
    ForeignNonce,
    /// The iteration count.
    Iterations(u32),
    /// A signature made without the key.
    WrongSignature,
    /// `<success/>` without data.
    NoSignature,
    /// The signature with its end cut off.
    TruncatedSignature,
    /// The whole challenge replaced by this text, before base64; `NONCE` and `SALT` stand for what belongs there.
    Challenge(&'static str),
}

pub struct Scram {
    password: &'static str,
    client_first_bare: String,
    server_first: String,
    iterations: u32,
}

const SALT: &[u8] = b"a salt of the server's";

impl Scram {
    pub fn new(password: &'static str) -> Scram {
        Scram {
            password,
            client_first_bare: String::new(),
            server_first: String::new(),
            iterations: 4096,
        }
    }

    /// The `<challenge/>` that answers the client's first message, given in base64.
    pub fn challenge(&mut self, client_first: &str, fault: &Fault) -> String {
        let message = String::from_utf8(STANDARD.decode(client_first).unwrap()).unwrap();
        self.client_first_bare = message.strip_prefix("n,,").expect("no channel binding").into();
        let nonce = self.client_first_bare.split_once(",r=").unwrap().1;
        let nonce = match fault {
            Fault::ForeignNonce => "somebodyelsesnonce".into(),
            _ => format!("{nonce}-server"),
        };
        if let Fault::Iterations(count) = fault {
            self.iterations = *count;
        }
        self.server_first = match fault {
            Fault::Challenge(text) => text.replace("NONCE", &nonce).replace("SALT", &STANDARD.encode(SALT)),
            _ => format!("r={nonce},s={},i={}", STANDARD.encode(SALT), self.iterations),
        };
        let data = STANDARD.encode(&self.server_first);
        format!("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{data}</challenge>")
    }

    /// The `<success/>` (or `<failure/>`) that answers the client's last message, given in base64.
    pub fn success(&mut self, client_final: &str, fault: &Fault) -> String {
        let message = String::from_utf8(STANDARD.decode(client_final).unwrap()).unwrap();
        let (without_proof, proof) = message.rsplit_once(",p=").unwrap();
        let auth_message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let mut salted = [0; 20];
        pbkdf2::pbkdf2::<Hmac<Sha1>>(self.password.as_bytes(), SALT, self.iterations, &mut salted).unwrap();

        let client_key = mac(&salted, b"Client Key");
        let stored_key: [u8; 20] =
            sha1::Digest::finalize(sha1::Digest::chain_update(Sha1::default(), client_key)).into();
        let signature = mac(&stored_key, auth_message.as_bytes());
        let expected: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if STANDARD.decode(proof).unwrap() != expected {
            return "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>".into();
        }

        let mut signature = mac(&mac(&salted, b"Server Key"), auth_message.as_bytes()).to_vec();
        match fault {
            Fault::NoSignature => return "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".into(),
            Fault::WrongSignature => signature[19] ^= 1,
            Fault::TruncatedSignature => signature.truncate(10),
            _ => {}
        }
        let data = STANDARD.encode(format!("v={}", STANDARD.encode(signature)));
        format!("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{data}</success>")
    }
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}
