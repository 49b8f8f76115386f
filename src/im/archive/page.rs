//! What the archive is asked, and how its answers read: XEP-0313 §4, with XEP-0059 for the pages.

use super::Point;
use crate::decimal::decimal;
use crate::im::forms;
use crate::jid::Jid;
use crate::stanza::{Stamp, delay};
use crate::stream::ns;
use crate::xml::{Element, Node};

pub(in crate::im) const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";

/// Where a page begins, or ends.
#[derive(Debug)]
pub(in crate::im) enum From<'a> {
    /// Behind this entry; with the first where there is none.
    After(Option<&'a str>),
    /// At this time.
    Start(&'a Stamp),
    /// Before this entry, backwards; with the last where there is none.
    Before(Option<&'a str>),
}

/// A field of the form that says which entries are meant (§4.1), with its values.
pub(in crate::im) type Field = (&'static str, Vec<String>);

/// A query for a page of so many entries at most.
pub(super) fn query(id: &str, from: &From<'_>, max: u32) -> Element {
    among(id, from, max, &[])
}

/// The same among the entries that these fields describe.
pub(in crate::im) fn among(id: &str, from: &From<'_>, max: u32, fields: &[Field]) -> Element {
    let limit = |name, text: &str| Element::new(name, RSM).with_text(text);
    let mut set = Element::new("set", RSM).with_child(limit("max", &decimal(max.into())));
    let mut form = forms::submit(MAM);
    for (name, values) in fields {
        form.push(Node::Element(forms::field(name, values)));
    }
    let mut filtered = !fields.is_empty();
    match from {
        From::After(after) => set = set.with_opt_child(after.map(|after| limit("after", after))),
        From::Before(before) => set = set.with_child(limit("before", before.unwrap_or_default())),
        From::Start(stamp) => {
            // §4.1.2: every server knows the field `start`.
            form = form.with_child(forms::field("start", &[&stamp.0]));
            filtered = true;
        }
    }
    let query = Element::new("query", MAM).with_attr("queryid", id);
    query.with_opt_child(filtered.then_some(form)).with_child(set)
}

/// One entry of a page.
pub(in crate::im) struct Entry<'a> {
    pub(in crate::im) point: Point,
    /// None where the server has taken it out (§3.2).
    pub(in crate::im) message: Option<&'a Element>,
}

/// The entry in this stanza, if it is one that was asked for by this query of the account's own archive.
pub(super) fn entry<'a>(stanza: &'a Element, query: &str, account: &Jid) -> Option<Entry<'a>> {
    entry_of(stanza, query, account, account)
}

/// The same of any archive.
pub(in crate::im) fn entry_of<'a>(stanza: &'a Element, query: &str, archive: &Jid, account: &Jid) -> Option<Entry<'a>> {
    let result = stanza.child("result", MAM)?;
    // §8.2: from the archive that was asked, and with the id that was asked by.
    let genuine = match stanza.attr("from") {
        // RFC 6120 §8.1.2.1: who isn't named is the own account.
        None => archive.same_bare(account),
        Some(from) => Jid::parse(from).is_ok_and(|from| from.is_bare() && from.same_bare(archive)),
    };
    if !genuine || result.attr("queryid") != Some(query) {
        return None;
    }
    let forwarded = result.child("forwarded", "urn:xmpp:forward:0");
    Some(Entry {
        point: Point {
            id: Some(result.attr("id")?.to_owned()),
            stamp: forwarded.and_then(delay),
        },
        message: forwarded.and_then(|forwarded| forwarded.child("message", ns::CLIENT)),
    })
}

/// How a page ends.
#[derive(Debug)]
pub(in crate::im) struct Fin {
    /// There is no more in this direction.
    pub(in crate::im) complete: bool,
    /// It says what the page is (§4).
    pub(in crate::im) set: bool,
    /// The first and the last entry of the page.
    pub(in crate::im) first: Option<String>,
    pub(in crate::im) last: Option<String>,
}

/// Reads a `<fin/>`.
pub(in crate::im) fn fin(payload: Option<&Element>) -> Option<Fin> {
    let fin = payload.filter(|payload| payload.is("fin", MAM))?;
    let end = |name| fin.child("set", RSM).and_then(|set| set.child_text(name, RSM));
    let (first, last) = (end("first"), end("last"));
    Some(Fin {
        complete: matches!(fin.attr("complete"), Some("true" | "1")),
        set: fin.child("set", RSM).is_some(),
        first,
        last,
    })
}

/// The end of an archive, as its `<metadata/>` says (§5): before its first entry where it is empty.
pub(super) fn end(payload: Option<&Element>) -> Option<Point> {
    let metadata = payload.filter(|payload| payload.is("metadata", MAM))?;
    let end = metadata.child("end", MAM);
    Some(Point {
        id: match end {
            Some(end) => Some(end.attr("id")?.to_owned()),
            None => None,
        },
        stamp: end.and_then(|end| end.attr("timestamp")).and_then(Stamp::parse),
    })
}
