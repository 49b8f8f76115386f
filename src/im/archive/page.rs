//! What the archive is asked, and how its answers read: XEP-0313 §4, with XEP-0059 for the pages.

use super::Point;
use crate::decimal::decimal;
use crate::jid::Jid;
use crate::stanza::{Stamp, delay};
use crate::stream::ns;
use crate::xml::Element;

pub(super) const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";
const FORM: &str = "jabber:x:data";

/// Where a page begins, or ends.
#[derive(Debug)]
pub(super) enum From<'a> {
    /// Behind this entry; with the first where there is none.
    After(Option<&'a str>),
    /// At this time.
    Start(&'a Stamp),
    /// Before this entry, backwards; with the last where there is none.
    Before(Option<&'a str>),
}

/// A query for a page of so many entries at most.
pub(super) fn query(id: &str, from: &From<'_>, max: u32) -> Element {
    let limit = |name, text: &str| Element::new(name, RSM).with_text(text);
    let set = Element::new("set", RSM).with_child(limit("max", &decimal(max.into())));
    let query = Element::new("query", MAM).with_attr("queryid", id);
    match from {
        From::After(after) => query.with_child(set.with_opt_child(after.map(|after| limit("after", after)))),
        From::Before(before) => query.with_child(set.with_child(limit("before", before.unwrap_or_default()))),
        From::Start(stamp) => {
            // §4.1.2: every server knows the field `start`.
            let field = |name, value: &str| {
                let value = Element::new("value", FORM).with_text(value);
                Element::new("field", FORM).with_attr("var", name).with_child(value)
            };
            let form = Element::new("x", FORM)
                .with_attr("type", "submit")
                .with_child(field("FORM_TYPE", MAM).with_attr("type", "hidden"))
                .with_child(field("start", &stamp.0));
            query.with_child(form).with_child(set)
        }
    }
}

/// One entry of a page.
pub(super) struct Entry<'a> {
    pub(super) point: Point,
    /// None where the server has taken it out (§3.2).
    pub(super) message: Option<&'a Element>,
}

/// The entry in this stanza, if it is one that was asked for by this query.
pub(super) fn entry<'a>(stanza: &'a Element, query: &str, account: &Jid) -> Option<Entry<'a>> {
    let result = stanza.child("result", MAM)?;
    // §8.2: from the archive that was asked, and with the id that was asked by.
    let genuine = match stanza.attr("from") {
        None => true,
        Some(from) => Jid::parse(from).is_ok_and(|from| from.is_bare() && from.same_bare(account)),
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
pub(super) struct Fin {
    /// There is no more in this direction.
    pub(super) complete: bool,
    /// The first and the last entry of the page.
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
}

/// Reads a `<fin/>`.
pub(super) fn fin(payload: Option<&Element>) -> Option<Fin> {
    let fin = payload.filter(|payload| payload.is("fin", MAM))?;
    let end = |name| fin.child("set", RSM).and_then(|set| set.child_text(name, RSM));
    let (first, last) = (end("first"), end("last"));
    Some(Fin {
        complete: matches!(fin.attr("complete"), Some("true" | "1")),
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
