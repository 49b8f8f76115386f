//! The account's archive: XEP-0313, XEP-0059, and what a client that was away makes of them.

mod bind2;
mod carbons;
mod catching_up;
mod doubts;
mod gaps;
mod hostile;
mod ids;
mod kept;
mod live;
mod pages;
mod purged;
mod short_lived;
mod torn;

use crate::pair::{NS_CLIENT, NS_MAM, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Event, Ticket};
use stanzawire::im;
use stanzawire::im::archive::Gap;
use stanzawire::xml::Element;

const RSM: &str = "http://jabber.org/protocol/rsm";
const BOB: &str = "bob@example.org/phone";
const OWN: &str = "alice@example.org/there";

/// Logs in on a new socket, as far as the first stanzas; what the archive was asked.
fn log_in(pair: &mut Pair) -> Element {
    pair.open_socket();
    pair.login(&Fault::None);
    assert!(pair.element().child("query", "jabber:iq:roster").is_some());
    assert!(
        pair.element().is("presence", NS_CLIENT),
        "nothing falls between the archive and the presence"
    );
    pair.take_carbons();
    pair.element()
}

/// A client in its first session, in which the archive has been asked where it ends.
fn first() -> (Pair, Element) {
    let mut pair = Pair::new(config());
    pair.connect();
    let asked = log_in(&mut pair);
    (pair, asked)
}

/// One that knows: there.
pub fn knowing(end: &str) -> Pair {
    let (mut pair, asked) = first();
    pair.answer(&asked, &metadata(end));
    pair.nothing_sent();
    pair
}

fn metadata(end: &str) -> String {
    format!(
        "<metadata xmlns='{NS_MAM}'><start id='0' timestamp='2020-01-01T00:00:00Z'/><end id='{end}' timestamp='{}'/></metadata>",
        stamp(end)
    )
}

/// The connection is lost, and there is a new session; what the archive was asked.
pub fn again(pair: &mut Pair) -> Element {
    pair.close_socket();
    back(pair)
}

fn back(pair: &mut Pair) -> Element {
    pair.sent.clear();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    log_in(pair)
}

/// The id that the page begins behind, and the most that it may hold.
fn after(asked: &Element) -> (Option<String>, u32) {
    let set = asked
        .child("query", NS_MAM)
        .expect("a query")
        .child("set", RSM)
        .unwrap();
    assert!(set.child("before", RSM).is_none(), "{asked:?}");
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), None));
    (
        set.child_text("after", RSM),
        set.child_text("max", RSM).unwrap().parse().unwrap(),
    )
}

/// The id that the page ends before, and the most that it may hold.
fn before(asked: &Element) -> (String, u32) {
    let set = asked
        .child("query", NS_MAM)
        .expect("a query")
        .child("set", RSM)
        .unwrap();
    assert!(set.child("after", RSM).is_none(), "{asked:?}");
    (
        set.child_text("before", RSM).unwrap(),
        set.child_text("max", RSM).unwrap().parse().unwrap(),
    )
}

fn stamp(id: &str) -> String {
    format!("2026-11-21T10:00:{:0>2}Z", id.len())
}

/// A message as an archive has it.
pub fn kept(id: &str, from: &str, to: &str, body: &str) -> (String, String) {
    let message = format!(
        "<message xmlns='jabber:client' from='{from}' to='{to}' type='chat' id='m-{body}'><body>{body}</body></message>"
    );
    (id.to_owned(), message)
}

/// From Bob, with the id as its body.
fn from_bob(id: &str) -> (String, String) {
    kept(id, BOB, "alice@example.org", id)
}

/// Sends one result for this query.
fn result(pair: &mut Pair, asked: &Element, (id, message): &(String, String)) {
    let query = asked.child("query", NS_MAM).unwrap().attr("queryid").unwrap();
    let stamp = stamp(id);
    pair.receive(&format!(
        "<message xmlns='jabber:client' to='alice@example.org/here'><result xmlns='{NS_MAM}' queryid='{query}' id='{id}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>{message}</forwarded>\
         </result></message>"
    ));
}

/// Ends a page.
fn fin(pair: &mut Pair, asked: &Element, ends: Option<(&str, &str)>, complete: bool) {
    let complete = if complete { " complete='true'" } else { "" };
    let ends = ends.map(|(first, last)| format!("<first>{first}</first><last>{last}</last>"));
    let ends = ends.unwrap_or_default();
    pair.answer(
        asked,
        &format!("<fin xmlns='{NS_MAM}'{complete}><set xmlns='{RSM}'>{ends}</set></fin>"),
    );
}

/// A whole page, of an archive that still has the entry that it begins behind.
pub fn page(pair: &mut Pair, asked: &Element, entries: &[(String, String)], complete: bool) {
    bare_page(pair, asked, entries, complete);
    let set = |asked: &Element| asked.child("query", NS_MAM)?.child("set", RSM).cloned();
    // For the entry before the first found, or for the newest.
    let proof = |frame: &String| {
        let asked = stanzawire::xml::read(frame, &Default::default()).ok()?;
        let set = set(&asked)?;
        let newest = set.child_text("before", RSM)?.is_empty();
        let fits = set.child_text("max", RSM)? == "1" && (entries.is_empty() || !newest);
        fits.then_some(asked)
    };
    let mut proofs = pair.sent.iter().map(proof).enumerate();
    if let Some(after) = set(asked).and_then(|set| set.child_text("after", RSM))
        && let Some((place, asked)) = proofs.find_map(|(place, asked)| Some((place, asked?)))
    {
        pair.sent.remove(place);
        bare_page(pair, &asked, &[from_bob(&after)], false);
    }
}

/// A whole page, and no more than that.
fn bare_page(pair: &mut Pair, asked: &Element, entries: &[(String, String)], complete: bool) {
    for entry in entries {
        result(pair, asked, entry);
    }
    let ends = entries.first().zip(entries.last());
    fin(
        pair,
        asked,
        ends.map(|(first, last)| (first.0.as_str(), last.0.as_str())),
        complete,
    );
}

/// An error of this type and condition.
fn refuse(pair: &mut Pair, asked: &Element, kind: &str, condition: &str) {
    let id = asked.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

/// A message from Bob, now, with the archive's id for it.
fn live(pair: &mut Pair, id: &str) {
    live_of(pair, id, "chat");
}

pub fn live_of(pair: &mut Pair, id: &str, kind: &str) {
    pair.receive(&format!(
        "<message xmlns='jabber:client' from='{BOB}' to='alice@example.org' type='{kind}'><body>{id}</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='{id}'/></message>"
    ));
}

fn bodies(pair: &Pair) -> Vec<String> {
    pair.messages().into_iter().filter_map(|message| message.body).collect()
}

fn gaps(pair: &Pair) -> Vec<Gap> {
    let gap = |event: &Event| match event {
        Event::Im(im::Event::Archive(gap)) => Some(gap.clone()),
        _ => None,
    };
    pair.events.iter().filter_map(gap).collect()
}

/// Sends a message of which the server says nothing; the call, and the message's id.
pub fn send(pair: &mut Pair, body: &str) -> (Ticket, String) {
    let call = pair.send("bob@example.org", body);
    let place = pair.sent.iter().position(|frame| frame.starts_with("<message"));
    let message = pair.sent.remove(place.expect("a message")).unwrap();
    let message = stanzawire::xml::read(&message, &Default::default()).unwrap();
    pair.sent.clear();
    (call, message.attr("id").unwrap().to_owned())
}

/// That message as the archive has it.
pub fn sent(at: &str, id: &str, body: &str) -> (String, String) {
    let message = format!(
        "<message xmlns='jabber:client' from='alice@example.org/here' to='bob@example.org' type='chat' id='{id}'>\
         <body>{body}</body><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
    );
    (at.to_owned(), message)
}
