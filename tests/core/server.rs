//! The server's side of SCRAM (RFC 5802, RFC 7677) with each hash, with channel binding and without, honest or hostile;
//! written apart from the client's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

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
    mechanism: &'static str,
    password: &'static str,
    /// What the server keeps for the user.
    pub salt: &'static [u8],
    /// And this.
    pub iterations: u32,
    /// What stands behind the iteration count in its first message, comma and all.
    pub extensions: String,
    /// What the server knows of the channel, where the mechanism binds to it: the type and the data.
    pub channel: Option<(&'static str, &'static [u8])>,
    /// The client's GS2 header, once it is known.
    pub gs2_header: String,
    client_first_bare: String,
    server_first: String,
}

impl Scram {
    /// SCRAM-SHA-1.
    pub fn new(password: &'static str) -> Scram {
        Scram::with("SCRAM-SHA-1", password)
    }

    /// The mechanism of that name.
    pub fn with(mechanism: &'static str, password: &'static str) -> Scram {
        Scram {
            mechanism,
            password,
            salt: b"a salt of the server's",
            iterations: 4096,
            extensions: String::new(),
            channel: None,
            gs2_header: String::new(),
            client_first_bare: String::new(),
            server_first: String::new(),
        }
    }

    /// The `<challenge/>` that answers the client's first message, given in base64.
    pub fn challenge(&mut self, client_first: &str, fault: &Fault) -> String {
        let message = String::from_utf8(STANDARD.decode(client_first).unwrap()).unwrap();
        // gs2-cbind-flag "," [authzid] ","
        let header = message.match_indices(',').nth(1).expect("a GS2 header").0 + 1;
        let (header, bare) = message.split_at(header);
        self.gs2_header = header.into();
        self.client_first_bare = bare.into();
        let nonce = self.client_first_bare.split_once(",r=").unwrap().1;
        let nonce = match fault {
            Fault::ForeignNonce => "somebodyelsesnonce".into(),
            _ => format!("{nonce}-server"),
        };
        if let Fault::Iterations(count) = fault {
            self.iterations = *count;
        }
        let salt = STANDARD.encode(self.salt);
        self.server_first = match fault {
            Fault::Challenge(text) => text.replace("NONCE", &nonce).replace("SALT", &salt),
            _ => format!("r={nonce},s={salt},i={}{}", self.iterations, self.extensions),
        };
        let data = STANDARD.encode(&self.server_first);
        format!("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{data}</challenge>")
    }

    /// The `<success/>` (or `<failure/>`) that answers the client's last message, given in base64.
    pub fn success(&mut self, client_final: &str, fault: &Fault) -> String {
        match self.mechanism.trim_end_matches("-PLUS") {
            "SCRAM-SHA-1" => self.end::<Sha1>(client_final, fault),
            "SCRAM-SHA-256" => self.end::<Sha256>(client_final, fault),
            "SCRAM-SHA-512" => self.end::<Sha512>(client_final, fault),
            other => panic!("no such mechanism: {other}"),
        }
    }

    /// What the client has to have bound to: nothing, or with -PLUS the server's own end of the channel (RFC 5802 §6).
    fn bound(&self) -> Option<Vec<u8>> {
        let mut input = self.gs2_header.clone().into_bytes();
        match (self.mechanism.strip_suffix("-PLUS"), self.channel) {
            (None, _) if !self.gs2_header.starts_with("p=") => Some(input),
            (Some(_), Some((name, data))) if self.gs2_header == format!("p={name},,") => {
                input.extend_from_slice(data);
                Some(input)
            }
            _ => None,
        }
    }

    fn end<D: EagerHash>(&self, client_final: &str, fault: &Fault) -> String {
        let message = String::from_utf8(STANDARD.decode(client_final).unwrap()).unwrap();
        let (without_proof, proof) = message.rsplit_once(",p=").unwrap();
        let auth_message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let mut salted = vec![0; <D as sha1::Digest>::output_size()];
        pbkdf2::pbkdf2_hmac::<D>(self.password.as_bytes(), self.salt, self.iterations, &mut salted);

        let client_key = mac::<D>(&salted, b"Client Key");
        let signature = mac::<D>(&D::digest(&client_key), auth_message.as_bytes());
        let expected: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let bound = without_proof.split(',').next().unwrap().strip_prefix("c=").unwrap();
        let bound = STANDARD.decode(bound).unwrap();
        if STANDARD.decode(proof).unwrap() != expected || self.bound() != Some(bound) {
            return "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>".into();
        }

        let mut signature = mac::<D>(&mac::<D>(&salted, b"Server Key"), auth_message.as_bytes());
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

fn mac<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<D>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
