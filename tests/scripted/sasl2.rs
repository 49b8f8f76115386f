//! SASL2 (XEP-0388), and what goes along with it: a resource (Bind 2, XEP-0386), the session before (XEP-0198), a token for the next
//! login (FAST, XEP-0484). What outlives a connection is shared by those that were offered the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::{Hash, SM, Script, Word};

pub(super) const SASL2: &str = "urn:xmpp:sasl:2";
const BIND2: &str = "urn:xmpp:bind:0";
const FAST: &str = "urn:xmpp:fast:0";
const HASHED: &str = "HT-SHA-256-NONE";

/// What goes along with an authentication.
#[derive(Clone, Debug)]
pub struct Along {
    /// Whether there is stream management, and a session goes on.
    pub sessions: bool,
    /// Whether tokens are issued.
    pub tokens: bool,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    count: u32,
    /// How many stanzas of the client's were handled in each session.
    sessions: BTreeMap<String, u32>,
    /// The token of each user agent.
    tokens: BTreeMap<String, String>,
}

/// What a client wants along.
#[derive(Debug)]
pub(super) struct Asked {
    agent: String,
    /// The session that is to go on.
    previous: Option<String>,
    /// The tag of the resource, and whether stream management is to be there.
    bind: Option<(String, bool)>,
    token: bool,
    /// The login is for no more than to take the token back.
    invalidates: bool,
}

impl Along {
    /// With these.
    pub fn new(sessions: bool, tokens: bool) -> Self {
        Self {
            sessions,
            tokens,
            kept: Arc::default(),
        }
    }

    /// The stream feature, with these mechanisms.
    pub(super) fn announce(&self, mechanisms: &str) -> String {
        let mut inline = format!("<bind xmlns='{BIND2}'><inline>");
        if self.sessions {
            inline += &format!("<feature var='{SM}'/>");
        }
        inline += "</inline></bind>";
        if self.sessions {
            inline += &format!("<sm xmlns='{SM}'/>");
        }
        if self.tokens {
            inline += &format!("<fast xmlns='{FAST}'><mechanism>{HASHED}</mechanism></fast>");
        }
        format!("<authentication xmlns='{SASL2}'>{mechanisms}<inline>{inline}</inline></authentication>")
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn next(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}-{}", self.count)
    }
}

impl Script {
    /// XEP-0388 §2.3.
    pub(super) fn authenticate(&mut self, element: Node<'_, '_>) -> Word {
        let child = |name: &str, ns: &str| child(element, name, ns);
        let fast = child("fast", FAST);
        let agent = child("user-agent", SASL2).and_then(|agent| agent.attribute("id"));
        self.asked = Some(Asked {
            agent: agent.unwrap_or_default().to_owned(),
            previous: child("resume", SM).and_then(|resume| Some(resume.attribute("previd")?.to_owned())),
            bind: child("bind", BIND2).map(|bind| {
                let tag = self::child(bind, "tag", BIND2).and_then(|tag| tag.text());
                (
                    tag.unwrap_or("bound").to_owned(),
                    self::child(bind, "enable", SM).is_some(),
                )
            }),
            token: child("request-token", FAST).is_some(),
            invalidates: fast.is_some_and(|fast| matches!(fast.attribute("invalidate"), Some("true" | "1"))),
        });
        let mechanism = element.attribute("mechanism").unwrap_or_default();
        let initial = child("initial-response", SASL2).and_then(|initial| initial.text());
        let initial = initial.unwrap_or_default();
        match (mechanism, fast) {
            (HASHED, Some(_)) => self.hashed(agent.unwrap_or_default(), initial),
            _ => self.auth(mechanism, initial),
        }
    }

    /// The user, and a hash by the token (draft-schmaus-kitten-sasl-ht).
    fn hashed(&mut self, agent: &str, initial: &str) -> Word {
        let Ok(message) = STANDARD.decode(initial) else {
            return Word::Failure("incorrect-encoding");
        };
        let mut parts = message.splitn(2, |byte| *byte == 0);
        let (Some(user), Some(hash)) = (parts.next(), parts.next()) else {
            return Word::Failure("malformed-request");
        };
        let along = self.offer.along.as_ref().filter(|along| along.tokens);
        let token = along.and_then(|along| along.kept().tokens.get(agent).cloned());
        match token {
            Some(token) if Hash::Sha256.hmac(token.as_bytes(), b"Initiator") == hash => {
                self.user = String::from_utf8_lossy(user).into_owned();
                Word::Success(Some(STANDARD.encode(Hash::Sha256.hmac(token.as_bytes(), b"Responder"))))
            }
            _ => Word::Failure("not-authorized"),
        }
    }

    /// XEP-0388 §2.6.1: the end of the authentication, what went along, and the features.
    pub(super) fn succeed(&mut self, asked: Asked, data: Option<String>) -> Vec<String> {
        let Some(along) = self.offer.along.clone() else {
            return Vec::new();
        };
        let mut kept = along.kept();
        let (user, domain) = (&self.user, &self.offer.domain);
        let mut jid = format!("{user}@{domain}");
        let mut more = String::new();
        if let Some(previous) = asked.previous {
            match kept.sessions.get(&previous) {
                Some(handled) => {
                    more += &format!("<resumed xmlns='{SM}' previd='{previous}' h='{handled}'/>");
                    self.handled = *handled;
                    self.session = Some(previous);
                }
                None => more += &format!("<failed xmlns='{SM}'/>"),
            }
        }
        let mut offered = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
        if self.session.is_some() {
            offered = "";
        } else if let Some((tag, enable)) = asked.bind {
            offered = "";
            jid += &format!("/{}", kept.next(&tag));
            let mut enabled = String::new();
            if enable && along.sessions {
                let id = kept.next("session");
                enabled = format!("<enabled xmlns='{SM}' id='{id}' resume='true'/>");
                kept.sessions.insert(id.clone(), 0);
                self.session = Some(id);
            }
            more += &format!("<bound xmlns='{BIND2}'>{enabled}</bound>");
        }
        if asked.invalidates {
            kept.tokens.remove(&asked.agent);
        } else if along.tokens && asked.token {
            let token = kept.next("token");
            more += &format!("<token xmlns='{FAST}' token='{token}' expiry='2100-01-01T00:00:00Z'/>");
            kept.tokens.insert(asked.agent, token);
        }
        let data = data.map(|data| format!("<additional-data>{data}</additional-data>"));
        let sm = if along.sessions {
            format!("<sm xmlns='{SM}'/>")
        } else {
            String::new()
        };
        let features = &self.offer.features;
        vec![
            format!(
                "<success xmlns='{SASL2}'>{}<authorization-identifier>{jid}</authorization-identifier>{more}</success>",
                data.unwrap_or_default()
            ),
            format!(
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{offered}{sm}{features}</stream:features>"
            ),
        ]
    }

    /// So many have been handled, for a later connection to know.
    pub(super) fn keep(&self) {
        if let (Some(along), Some(session)) = (&self.offer.along, &self.session) {
            along.kept().sessions.insert(session.clone(), self.handled);
        }
    }
}

fn child<'a, 'b>(element: Node<'a, 'b>, name: &str, ns: &str) -> Option<Node<'a, 'b>> {
    element.children().find(|child| child.has_tag_name((ns, name)))
}
