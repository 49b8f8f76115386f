//! The server's side of a login, honest and without I/O: one frame in, the frames that answer it out, in order.
//!
//! RFC 7395 (October 2014), RFC 6120 (March 2011), SCRAM of RFC 5802 (July 2010), and where it is told to the profile of XEP-0388
//! with what goes along (`scripted/sasl2.rs`); written apart from the client's side.
//! The fuzz targets bring it into their process, `cargo xtask roundtrips` and `cargo xtask gap` put it behind a
//! WebSocket. Left out: everything behind a login but an empty roster, an empty archive and pings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use roxmltree::Document;
use sha2::Digest;

#[path = "scripted/sasl2.rs"]
mod sasl2;

pub use sasl2::Along;
use sasl2::SASL2;

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const MAM: &str = "urn:xmpp:mam:2";
const SM: &str = "urn:xmpp:sm:3";
const SALT: &[u8] = b"a salt of the server's";

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hash {
    /// RFC 5802.
    Sha1,
    /// RFC 7677.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

/// What a server offers, and what it knows of its one account.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The host, and the account's domain.
    pub domain: String,
    /// The mechanisms, by their names in the IANA registry.
    pub mechanisms: Vec<String>,
    /// SCRAM's count.
    pub iterations: u32,
    /// More stream features, as XML, before the login and after it.
    pub features: String,
    /// SASL2 (XEP-0388), and what goes along with it.
    pub along: Option<Along>,
    keys: Vec<(Hash, Vec<u8>)>,
}

impl Offer {
    /// Derives the keys of the mechanisms offered, which takes a while where the count is high.
    pub fn new(domain: &str, mechanisms: &[&str], password: &str, iterations: u32) -> Self {
        let hash = |name: &&str| Hash::of(name);
        let key = |hash: Hash| (hash, hash.salted(password.as_bytes(), iterations));
        Self {
            domain: domain.to_owned(),
            mechanisms: mechanisms.iter().map(|name| (*name).to_owned()).collect(),
            iterations,
            features: String::new(),
            along: None,
            keys: mechanisms.iter().filter_map(hash).map(key).collect(),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Script {
    offer: Offer,
    user: String,
    scram: Option<Scram>,
    /// What is to come along with the authentication that is under way.
    asked: Option<sasl2::Asked>,
    /// The session that outlives the connection.
    session: Option<String>,
    /// The client has proved who it is, and we have proved who we are.
    authenticated: bool,
    /// How many stanzas of the client's it has taken.
    handled: u32,
    /// Nothing more will be said.
    ended: bool,
    streams: u32,
}

/// What is said in an exchange; data is in base64.
#[derive(Debug)]
enum Word {
    Challenge(String),
    Success(Option<String>),
    Failure(&'static str),
}

/// An exchange between the challenge and the success.
#[derive(Debug)]
struct Scram {
    hash: Hash,
    salted: Vec<u8>,
    gs2_header: &'static str,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

impl Script {
    /// A connection whose WebSocket has just been opened.
    pub fn new(offer: Offer) -> Self {
        Self {
            offer,
            user: String::new(),
            scram: None,
            asked: None,
            session: None,
            authenticated: false,
            handled: 0,
            ended: false,
            streams: 0,
        }
    }

    /// Whether the login has taken place.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Whether the stream is closed: the WebSocket is to be closed next.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The frames that answer this one.
    pub fn answer(&mut self, frame: &str) -> Vec<String> {
        if self.ended {
            return Vec::new();
        }
        let Ok(document) = Document::parse(frame) else {
            return self.end("not-well-formed");
        };
        let root = document.root_element();
        let text = root.text().unwrap_or_default().trim();
        match (root.tag_name().name(), root.tag_name().namespace()) {
            ("open", Some(FRAMING)) => self.open(),
            ("close", Some(FRAMING)) => {
                self.ended = true;
                vec![format!("<close xmlns='{FRAMING}'/>")]
            }
            ("auth", Some(SASL)) if !self.authenticated => {
                let mechanism = root.attribute("mechanism").unwrap_or_default();
                let word = self.auth(mechanism, text);
                self.say(word)
            }
            ("authenticate", Some(SASL2)) if !self.authenticated && self.offer.along.is_some() => {
                let word = self.authenticate(root);
                self.say(word)
            }
            ("response", Some(SASL | SASL2)) if !self.authenticated => {
                let word = self.response(text);
                self.say(word)
            }
            ("iq" | "message" | "presence", Some("jabber:client")) if self.authenticated => {
                self.handled = self.handled.wrapping_add(1);
                self.keep();
                if root.tag_name().name() == "iq" {
                    self.iq(root)
                } else {
                    Vec::new()
                }
            }
            (word, Some(SM)) if self.authenticated => self.managed(word),
            _ => self.end("not-authorized"),
        }
    }

    fn open(&mut self) -> Vec<String> {
        self.streams += 1;
        let (domain, streams) = (&self.offer.domain, self.streams);
        let open = format!("<open xmlns='{FRAMING}' from='{domain}' id='stream-{streams}' version='1.0'/>");
        let offered: String = if self.authenticated {
            format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='{SM}'/>")
        } else {
            let mechanism = |name: &String| format!("<mechanism>{name}</mechanism>");
            let list: String = self.offer.mechanisms.iter().map(mechanism).collect();
            let along = self.offer.along.as_ref().map(|along| along.announce(&list));
            format!(
                "<mechanisms xmlns='{SASL}'>{list}</mechanisms>{}",
                along.unwrap_or_default()
            )
        };
        let more = &self.offer.features;
        let features = format!(
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{offered}{more}</stream:features>"
        );
        vec![open, features]
    }

    fn auth(&mut self, mechanism: &str, text: &str) -> Word {
        if !self.offer.mechanisms.iter().any(|name| name == mechanism) {
            return Word::Failure("invalid-mechanism");
        }
        let known = Hash::of(mechanism).and_then(|hash| self.offer.keys.iter().find(|(other, _)| *other == hash));
        let Some((hash, salted)) = known.cloned() else {
            // One message, and whatever it says is believed.
            "alice".clone_into(&mut self.user);
            return Word::Success(None);
        };
        let Some(first) = decoded(text) else {
            return Word::Failure("incorrect-encoding");
        };
        let Some((gs2_header, bare, user, nonce)) = client_first(&first) else {
            return Word::Failure("malformed-request");
        };
        user.clone_into(&mut self.user);
        let nonce = format!("{nonce}+of-the-server");
        let server_first = format!("r={nonce},s={},i={}", STANDARD.encode(SALT), self.offer.iterations);
        let challenge = STANDARD.encode(&server_first);
        self.scram = Some(Scram {
            hash,
            salted,
            gs2_header,
            client_first_bare: bare.to_owned(),
            server_first,
            nonce,
        });
        Word::Challenge(challenge)
    }

    /// RFC 5802 §3.
    fn response(&mut self, text: &str) -> Word {
        let Some(scram) = self.scram.take() else {
            return Word::Failure("malformed-request");
        };
        let Some(last) = decoded(text) else {
            return Word::Failure("incorrect-encoding");
        };
        let expected = format!("c={},r={}", STANDARD.encode(scram.gs2_header), scram.nonce);
        let Some((without_proof, proof)) = last.rsplit_once(",p=") else {
            return Word::Failure("malformed-request");
        };
        if without_proof.split(",h=").next() != Some(expected.as_str()) {
            return Word::Failure("malformed-request");
        }
        let message = format!("{},{},{without_proof}", scram.client_first_bare, scram.server_first);
        let client_key = scram.hash.hmac(&scram.salted, b"Client Key");
        let stored = scram.hash.digest(&client_key);
        let signature = scram.hash.hmac(&stored, message.as_bytes());
        let right: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if STANDARD.decode(proof).ok() != Some(right) {
            return Word::Failure("not-authorized");
        }
        let server_key = scram.hash.hmac(&scram.salted, b"Server Key");
        let signature = scram.hash.hmac(&server_key, message.as_bytes());
        Word::Success(Some(STANDARD.encode(format!("v={}", STANDARD.encode(signature)))))
    }

    /// Says it in the profile of SASL that the client has chosen.
    fn say(&mut self, word: Word) -> Vec<String> {
        self.authenticated = matches!(word, Word::Success(_));
        let profile = if self.asked.is_some() { SASL2 } else { SASL };
        match word {
            Word::Challenge(data) => vec![format!("<challenge xmlns='{profile}'>{data}</challenge>")],
            Word::Failure(condition) => {
                self.asked = None;
                vec![format!(
                    "<failure xmlns='{profile}'><{condition} xmlns='{SASL}'/></failure>"
                )]
            }
            Word::Success(data) => match self.asked.take() {
                Some(asked) => self.succeed(asked, data),
                None => vec![format!(
                    "<success xmlns='{SASL}'>{}</success>",
                    data.unwrap_or_default()
                )],
            },
        }
    }

    /// XEP-0198: it counts, and forgets its sessions.
    fn managed(&mut self, word: &str) -> Vec<String> {
        match word {
            "enable" => {
                self.handled = 0;
                vec![format!("<enabled xmlns='{SM}' id='scripted' resume='true'/>")]
            }
            "resume" => vec![format!("<failed xmlns='{SM}'/>")],
            "r" => vec![format!("<a xmlns='{SM}' h='{}'/>", self.handled)],
            _ => Vec::new(),
        }
    }

    fn iq(&mut self, iq: roxmltree::Node<'_, '_>) -> Vec<String> {
        let kind = iq.attribute("type").unwrap_or_default();
        if !matches!(kind, "get" | "set") {
            return Vec::new();
        }
        let payload = iq.first_element_child().map(|child| child.tag_name());
        let answer = match payload.map(|name| (name.name(), name.namespace().unwrap_or_default())) {
            Some(("bind", ns @ "urn:ietf:params:xml:ns:xmpp-bind")) => {
                let (user, domain) = (&self.user, &self.offer.domain);
                Some(format!("<bind xmlns='{ns}'><jid>{user}@{domain}/scripted</jid></bind>"))
            }
            Some(("query", ns @ "jabber:iq:roster")) => Some(format!("<query xmlns='{ns}'/>")),
            // Who binds along with the login wants an archive (XEP-0386 §2.2). It is empty.
            Some(("metadata", ns @ MAM)) if self.offer.along.is_some() => Some(format!("<metadata xmlns='{ns}'/>")),
            Some(("query", ns @ MAM)) if self.offer.along.is_some() => Some(format!(
                "<fin xmlns='{ns}' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin>"
            )),
            Some(
                ("session", "urn:ietf:params:xml:ns:xmpp-session")
                | ("ping", "urn:xmpp:ping")
                | ("enable", "urn:xmpp:carbons:2"),
            ) => Some(String::new()),
            _ => None,
        };
        let from = iq.attribute("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
        let id = iq.attribute("id").unwrap_or_default();
        vec![match answer {
            Some(payload) => format!("<iq xmlns='jabber:client' type='result' id='{id}'{from}>{payload}</iq>"),
            None => format!(
                "<iq xmlns='jabber:client' type='error' id='{id}'{from}><error type='cancel'>\
                 <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            ),
        }]
    }

    /// RFC 7395 §3.5: the error, then the end.
    fn end(&mut self, condition: &str) -> Vec<String> {
        self.ended = true;
        vec![
            format!(
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                 <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            ),
            format!("<close xmlns='{FRAMING}'/>"),
        ]
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// `gs2-header n=user,r=nonce` (RFC 5802 §7): the header, what is hashed, the user and the nonce. No channel binding is
/// offered, so either way of having none will do.
fn client_first(message: &str) -> Option<(&'static str, &str, &str, &str)> {
    let (gs2_header, bare) = ["n,,", "y,,"]
        .into_iter()
        .find_map(|header| Some((header, message.strip_prefix(header)?)))?;
    let (user, nonce) = bare.strip_prefix("n=")?.split_once(",r=")?;
    Some((gs2_header, bare, user, nonce))
}

impl Hash {
    fn of(mechanism: &str) -> Option<Self> {
        match mechanism {
            "SCRAM-SHA-1" => Some(Self::Sha1),
            "SCRAM-SHA-256" => Some(Self::Sha256),
            "SCRAM-SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// HMAC with this hash.
    pub fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac::<Hmac<sha1::Sha1>>(key, data),
            Self::Sha256 => hmac::<Hmac<sha2::Sha256>>(key, data),
            Self::Sha512 => hmac::<Hmac<sha2::Sha512>>(key, data),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
        }
    }

    /// `SaltedPassword` of RFC 5802 §3.
    fn salted(self, password: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac_array::<sha1::Sha1, 20>(password, SALT, iterations).to_vec(),
            Self::Sha256 => pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(password, SALT, iterations).to_vec(),
            Self::Sha512 => pbkdf2::pbkdf2_hmac_array::<sha2::Sha512, 64>(password, SALT, iterations).to_vec(),
        }
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    // Every length is a key's (RFC 2104 §2).
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}
