//! What is known of others: by full JID the hash that they say, and by hash what is behind it.

use super::hash::{self, Method};
use super::{CAPS, CAPS_2, HASHES};
use crate::im::disco::{DiscoInfo, INFO};
use crate::im::forms::{FORM_TYPE, FORMS};
use crate::im::sorted::Map;
use crate::jid::Jid;
use crate::xml::Element;

/// How many clients are kept in mind, and how many bytes of text that is at most.
const CLIENTS: [usize; 2] = [5_000, 512 << 10];

/// How many answers are kept in mind, and how long each can be, in bytes. The longest one of a client's that is in use has about 5,000.
const ANSWERS: [usize; 2] = [200, 16 << 10];

/// A hash in somebody's presence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    method: Method,
    /// In Base64.
    hash: String,
    /// By which node its sender tells what is behind it.
    node: String,
}

impl Mark {
    /// What a presence says, where that can be checked.
    fn read(presence: &Element) -> Option<Mark> {
        // XEP-0390 §7.2: where there is that, it counts.
        if let Some(set) = presence.child("c", CAPS_2) {
            let hash = set
                .children()
                .find(|hash| hash.is("hash", HASHES) && hash.attr("algo") == Some("sha-256"))?;
            let hash = hash.text().trim().to_owned();
            return Some(Mark {
                method: Method::Second,
                node: ["urn:xmpp:caps#sha-256.", &hash].concat(),
                hash,
            });
        }
        let caps = presence.child("c", CAPS)?;
        let (node, ver) = (caps.attr("node")?, caps.attr("ver")?);
        Some(Mark {
            method: match caps.attr("hash")? {
                "sha-1" => Method::First,
                "sha-256" => Method::FirstSha256,
                _ => return None,
            },
            node: [node, "#", ver].concat(),
            hash: ver.to_owned(),
        })
    }

    /// By which node its sender tells what is behind it.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Whether both are the same hash, whoever says it.
    pub fn is(&self, other: &Mark) -> bool {
        self.method == other.method && self.hash == other.hash
    }
}

/// What is known of others.
#[derive(Debug)]
pub struct Known {
    marks: Map<Mark>,
    /// How many bytes of text that is.
    size: usize,
    /// The last one is the one that was asked for last.
    infos: Vec<(Mark, DiscoInfo)>,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            marks: Map::new(),
            size: 0,
            infos: Vec::new(),
        }
    }
}

impl Known {
    /// Somebody is there.
    pub(super) fn heard(&mut self, from: &Jid, presence: &Element) {
        let from = from.as_str();
        // XEP-0115 §8.4, XEP-0390 §6.3: a server leaves out what it has said before.
        if presence.child("c", CAPS).is_none() && presence.child("c", CAPS_2).is_none() {
            return;
        }
        self.remove(from);
        let Some(mark) = Mark::read(presence) else { return };
        let size = from.len() + mark.hash.len() + mark.node.len();
        // Who isn't kept in mind can be asked.
        if self.marks.len() < CLIENTS[0] && self.size + size <= CLIENTS[1] {
            self.size += size;
            self.marks.insert(from, mark);
        }
    }

    /// Somebody is gone. RFC 6121 §4.5.4: with a bare JID all of an account's clients go.
    pub(super) fn gone(&mut self, from: &Jid) {
        let from = from.as_str();
        self.remove(from);
        let clients = [from, "/"].concat();
        while let Some(client) = self.marks.first(&clients).map(str::to_owned) {
            self.remove(&client);
        }
    }

    fn remove(&mut self, client: &str) {
        if let Some(mark) = self.marks.remove(client) {
            self.size -= client.len() + mark.hash.len() + mark.node.len();
        }
    }

    /// It isn't known any more who is there. What is behind a hash stays true.
    pub(super) fn forget(&mut self) {
        self.marks.clear();
        self.size = 0;
    }

    /// The hash that a client says.
    pub fn mark(&self, client: &Jid) -> Option<&Mark> {
        self.marks.get(client.as_str())
    }

    /// What is behind a hash, if that is known.
    pub fn info(&mut self, mark: &Mark) -> Option<&DiscoInfo> {
        let place = self.infos.iter().position(|(known, _)| known.is(mark))?;
        let last = self.infos.remove(place);
        self.infos.push(last);
        self.infos.last().map(|(_, info)| info)
    }

    /// Whether a client supports a feature, if that is known.
    pub fn supports(&self, client: &Jid, feature: &str) -> Option<bool> {
        let mark = self.mark(client)?;
        let (_, info) = self.infos.iter().find(|(known, _)| known.is(mark))?;
        Some(info.supports(feature))
    }

    /// Somebody tells what is behind a hash: from now on that is believed of everybody who has that hash, if it is the one of the answer.
    pub fn learn(&mut self, mark: &Mark, answer: &Element) {
        // XEP-0115 §5.4 3.8 and 3.9, XEP-0390 §4.4.
        let Some((hash, length)) = hash::of(mark.method, answer) else { return };
        if hash != mark.hash || length > ANSWERS[1] || self.infos.iter().any(|(known, _)| known.is(mark)) {
            return;
        }
        if self.infos.len() >= ANSWERS[0] {
            self.infos.remove(0);
        }
        if let Ok(info) = DiscoInfo::read(&covered(answer), None) {
            self.infos.push((mark.clone(), info));
        }
    }
}

/// Of an answer what its hash stands for. All else is what this one client says, and nothing to be believed of others: forms that don't say
/// what they are (XEP-0115 §5.4 3.6), titles, labels, options, and what kinds of fields there are.
fn covered(answer: &Element) -> Element {
    let mut info = Element::new("query", INFO).with_opt_attr("xml:lang", answer.attr("xml:lang"));
    for child in answer.children() {
        if child.is("identity", INFO) || child.is("feature", INFO) {
            info = info.with_child(child.clone());
        } else if child.is("x", FORMS) && hash::is_typed(child) {
            let mut form = Element::new("x", FORMS).with_attr("type", "result");
            for field in child.all("field", FORMS) {
                let name = field.attr("var").unwrap_or_default();
                let kind = match field.all("value", FORMS).count() {
                    _ if name == FORM_TYPE => "hidden",
                    0 | 1 => "text-single",
                    _ => "text-multi",
                };
                let mut plain = Element::new("field", FORMS).with_attr("var", name).with_attr("type", kind);
                for value in field.all("value", FORMS) {
                    plain = plain.with_child(Element::new("value", FORMS).with_text(value.text()));
                }
                form = form.with_child(plain);
            }
            info = info.with_child(form);
        }
    }
    info
}
