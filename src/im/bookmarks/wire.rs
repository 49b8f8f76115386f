//! What a bookmark is on the wire: an item of XEP-0402's node, or a part of what XEP-0048 1.2 (4 August 2020) keeps in one piece.

use super::NODE;
use crate::error::Error;
use crate::given::Arg;
use crate::im::pubsub::PubsubItem;
use crate::jid::Jid;
use crate::xml::{Element, Node};
use serde::Serialize;

/// The namespace, node and place in the private XML of XEP-0048.
pub(super) const OLD: &str = "storage:bookmarks";

/// A room that is kept in mind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Bookmark {
    /// The room.
    pub room: String,
    /// What the user calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the user is called there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// Whether clients are to enter it when they log in.
    pub autojoin: bool,
    /// What it takes to enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What clients know beside that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Vec<Element>>,
}

/// A bookmark as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    /// Its item, which goes by the room's address as some client wrote that.
    pub(super) id: String,
    pub(super) room: Jid,
    /// A `<conference/>` of XEP-0402.
    pub(super) conference: Element,
}

impl Kept {
    /// Reads an item; none where it is no bookmark (§3).
    pub(super) fn of(id: &str, conference: Option<&Element>) -> Option<Kept> {
        let conference = conference.filter(|conference| conference.is("conference", NODE))?;
        Some(Kept {
            id: id.to_owned(),
            room: room(id)?,
            conference: conference.clone(),
        })
    }

    pub(super) fn of_item(item: &PubsubItem) -> Option<Kept> {
        Kept::of(&item.id, item.payload.0.as_ref())
    }

    /// Those of an old `<storage/>` that aren't among these yet.
    pub(super) fn add_old(kept: &mut Vec<Kept>, storage: &Element) {
        for old in storage.all("conference", OLD) {
            let Some(room) = old.attr("jid").and_then(room) else { continue };
            if kept.iter().any(|kept| kept.room == room) {
                continue;
            }
            let mut conference = Element::new("conference", NODE);
            for name in ["autojoin", "name"] {
                if let Some(value) = old.attr(name) {
                    conference.set_attr(name, value);
                }
            }
            let mut extensions = Element::new("extensions", NODE);
            for child in old.children() {
                match child.name() {
                    "nick" | "password" if child.ns() == OLD => {
                        let text = Element::new(child.name().to_owned(), NODE).with_text(child.text());
                        conference.push(Node::Element(text));
                    }
                    _ => extensions.push(Node::Element(child.clone())),
                }
            }
            if extensions.children().next().is_some() {
                conference.push(Node::Element(extensions));
            }
            kept.push(Kept {
                id: room.as_str().to_owned(),
                room,
                conference,
            });
        }
    }

    /// What the app gets of it.
    pub(super) fn bookmark(&self) -> Bookmark {
        let text = |name| self.conference.child_text(name, NODE).filter(|text| !text.is_empty());
        let extensions = self.conference.child("extensions", NODE);
        let extensions: Vec<Element> = extensions.iter().flat_map(|all| all.children()).cloned().collect();
        Bookmark {
            room: self.room.as_str().to_owned(),
            name: self.conference.attr("name").map(str::to_owned),
            nick: text("nick"),
            autojoin: matches!(self.conference.attr("autojoin"), Some("true" | "1")),
            password: text("password"),
            extensions: Some(extensions).filter(|extensions| !extensions.is_empty()),
        }
    }
}

/// A room's address: a bare one.
fn room(jid: &str) -> Option<Jid> {
    Jid::parse(jid).ok().filter(Jid::is_bare)
}

impl Bookmark {
    /// Reads what an app has passed.
    pub(super) fn given(given: &Arg) -> Result<Bookmark, Error> {
        let extensions = given.field("extensions")?.opt_list()?;
        let element = |one: &Arg| one.element(None);
        Ok(Bookmark {
            room: given.of("room", Arg::jid)?.bare_str().to_owned(),
            name: given.text_of("name")?,
            nick: given.text_of("nick")?,
            autojoin: given.of("autojoin", Arg::opt_flag)?.unwrap_or_default(),
            password: given.text_of("password")?,
            extensions: extensions.map(|list| crate::given::each(&list, element)).transpose()?,
        })
    }

    /// The element to be kept, in the place of what was there (§4.4: what isn't known in that stays).
    pub(super) fn into_conference(self, before: Option<&Element>) -> Element {
        let mut conference = Element::new("conference", NODE);
        let attrs = before.into_iter().flat_map(|before| before.attrs());
        for (name, value) in attrs.filter(|(name, _)| !["autojoin", "name"].contains(name)) {
            conference.set_attr(name.to_owned(), value);
        }
        if self.autojoin {
            conference.set_attr("autojoin", "true");
        }
        if let Some(name) = self.name {
            conference.set_attr("name", name);
        }
        for (name, text) in [("nick", self.nick), ("password", self.password)] {
            if let Some(text) = text {
                conference.push(Node::Element(Element::new(name, NODE).with_text(text)));
            }
        }
        let mut extensions = Element::new("extensions", NODE);
        let said = self.extensions.unwrap_or_default();
        for child in before.into_iter().flat_map(|before| before.children()) {
            match child.name() {
                "nick" | "password" if child.ns() == NODE => {}
                "extensions" if child.ns() == NODE => {
                    let says = |known: &Element| said.iter().any(|said| said.is(known.name(), known.ns()));
                    for known in child.children().filter(|known| !says(known)) {
                        extensions.push(Node::Element(known.clone()));
                    }
                }
                _ => conference.push(Node::Element(child.clone())),
            }
        }
        for extension in said {
            extensions.push(Node::Element(extension));
        }
        if extensions.children().next().is_some() {
            conference.push(Node::Element(extensions));
        }
        conference
    }
}

/// An old `<storage/>` without that room; none where it isn't there.
pub(super) fn without(storage: &Element, gone: &Jid) -> Option<Element> {
    let is_gone = |child: &Element| {
        let jid = child.attr("jid").filter(|_| child.is("conference", OLD));
        jid.and_then(room).is_some_and(|room| room == *gone)
    };
    if !storage.children().any(is_gone) {
        return None;
    }
    let mut rest = Element::new("storage", OLD);
    for child in storage.children().filter(|child| !is_gone(child)) {
        rest.push(Node::Element(child.clone()));
    }
    Some(rest)
}
