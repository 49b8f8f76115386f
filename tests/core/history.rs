//! Archives asked by the app: XEP-0313, XEP-0059, XEP-0441.

mod extended;
mod kept;
mod pages;

use crate::pair::{NS_MAM, Pair};
use crate::rooms;
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::error::Code;
use stanzawire::xml::{self, Element};

const RSM: &str = "http://jabber.org/protocol/rsm";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const FORM: &str = "jabber:x:data";
const BOB: &str = "bob@example.org/phone";
const OWN: &str = "alice@example.org";
const ROOM: &str = "room@muc.example.org";

/// Asks, and takes what the archive is asked.
fn ask(pair: &mut Pair, query: Value) -> (Ticket, Element) {
    let ticket = pair.im("archive.query", json!([query]));
    (ticket, pair.element())
}

/// Asks for the page behind another.
fn go_on(pair: &mut Pair, query: Value, next: &Value) -> (Ticket, Element) {
    let ticket = pair.im("archive.query", json!([query, next]));
    (ticket, pair.element())
}

fn query(asked: &Element) -> &Element {
    asked.child("query", NS_MAM).expect("a query")
}

/// What the page is to be like: its place, and how many entries at most.
fn set(asked: &Element, name: &str) -> Option<String> {
    query(asked).child("set", RSM).unwrap().child_text(name, RSM)
}

/// The fields of the form, without the hidden one.
fn fields(asked: &Element) -> Value {
    let Some(form) = query(asked).child("x", FORM) else {
        return Value::Null;
    };
    assert_eq!(form.attr("type"), Some("submit"));
    let values = |field: &Element| -> Vec<String> { field.children().map(Element::text).collect() };
    let mut fields = form.children();
    let hidden = fields.next().unwrap();
    assert_eq!(
        (hidden.attr("var"), hidden.attr("type"), values(hidden)),
        (Some("FORM_TYPE"), Some("hidden"), vec![NS_MAM.to_owned()])
    );
    fields
        .map(|field| (field.attr("var").unwrap().to_owned(), json!(values(field))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn message(from: &str, body: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}' to='{OWN}' type='chat' id='m-{body}'><body>{body}</body></message>"
    )
}

/// A result for this query, from there.
fn result_from(from: &str, query: &str, id: &str, message: &str) -> String {
    format!(
        "<message xmlns='jabber:client'{from} to='alice@example.org/here'><result xmlns='{NS_MAM}' queryid='{query}' id='{id}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>{message}\
         </forwarded></result></message>"
    )
}

/// One of Bob's, with the id as its body.
fn entry(pair: &mut Pair, asked: &Element, id: &str) {
    let query = query(asked).attr("queryid").unwrap();
    pair.receive(&result_from("", query, id, &message(BOB, id)));
}

/// The end of a page.
fn fin(pair: &mut Pair, asked: &Element, ends: Option<(&str, &str)>, complete: bool) {
    let complete = if complete { " complete='true'" } else { "" };
    let ends =
        ends.map(|(first, last)| format!("<first index='0'>{first}</first><last>{last}</last><count>99</count>"));
    let ends = ends.unwrap_or_default();
    pair.answer(
        asked,
        &format!("<fin xmlns='{NS_MAM}'{complete}><set xmlns='{RSM}'>{ends}</set></fin>"),
    );
}

/// A whole page.
fn page(pair: &mut Pair, asked: &Element, ids: &[&str], complete: bool) {
    for id in ids {
        entry(pair, asked, id);
    }
    fin(pair, asked, ids.first().copied().zip(ids.last().copied()), complete);
}

/// The bodies on a page, and what the next one is asked for by.
fn read(pair: &Pair, ticket: Ticket) -> (Vec<String>, Value) {
    let page = pair.value(ticket);
    let items = page["items"].as_array().unwrap();
    let bodies = items.iter().map(|item| item["body"].as_str().unwrap().to_owned());
    (bodies.collect(), page["next"].clone())
}

/// An error of the archive's.
fn refuse(pair: &mut Pair, asked: &Element, condition: &str) {
    let id = asked.attr("id").unwrap();
    let from = asked.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'{from}><error type='cancel'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
}

/// Says whether the archive knows more than it must.
fn features(pair: &mut Pair, asked: &Element, extended: bool) {
    let extended = if extended { "#extended" } else { "" };
    pair.answer(
        asked,
        &format!("<query xmlns='{INFO}'><feature var='{NS_MAM}'/><feature var='{NS_MAM}{extended}'/></query>"),
    );
}

#[test]
fn xep0313_4_2_items_are_what_listeners_are_told() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), None));
    assert_eq!(
        (set(&asked, "max"), set(&asked, "after"), set(&asked, "before")),
        (Some("50".into()), None, None)
    );
    assert_eq!(fields(&asked), Value::Null);
    let id = query(&asked).attr("queryid").unwrap().to_owned();
    let full = format!(
        "<message xmlns='jabber:client' from='{BOB}' to='{OWN}/there' id='m'><subject>s</subject><body>b</body><thread>t</thread>\
         <origin-id xmlns='urn:xmpp:sid:0' id='o'/><stanza-id xmlns='urn:xmpp:sid:0' by='{OWN}' id='another'/>\
         <delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>"
    );
    pair.receive(&result_from("", &id, "7", &full));
    // Not everything says when it was put there.
    let bare = result_from(&format!(" from='{OWN}'"), &id, "8", &full);
    pair.receive(&bare.replacen("<delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>", "", 1));
    let own = format!("<message xmlns='jabber:client' to='{BOB}' type='chat'><body>mine</body></message>");
    pair.receive(&result_from("", &id, "9", &own));
    assert!(pair.is_open(ticket));
    fin(&mut pair, &asked, Some(("7", "9")), true);
    let told = json!({
        "from": BOB, "to": "alice@example.org/there", "id": "m", "type": "normal", "subject": "s", "body": "b", "thread": "t",
        "originId": "o", "stanzaId": "7", "delay": "2026-11-21T10:00:00Z",
    });
    let mut other = told.clone();
    (other["stanzaId"], other["delay"]) = ("8".into(), "2020-01-01T00:00:00Z".into());
    let mine = json!({
        "from": OWN, "to": BOB, "type": "chat", "body": "mine", "stanzaId": "9", "delay": "2026-11-21T10:00:00Z",
    });
    assert_eq!(pair.value(ticket), json!({ "items": [told, other, mine] }));
    assert_eq!(pair.told("message"), [] as [Value; 0], "they come to who has asked");
}

#[test]
fn what_is_nothing_to_listeners_is_left_out() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    let id = query(&asked).attr("queryid").unwrap().to_owned();
    let state = message(BOB, "x").replace(
        "<body>x</body>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    );
    let carbon = crate::carbons::received("forged", "1").replacen("<received", "<body>forged</body><received", 1);
    for (at, message) in ["", &state, &carbon].into_iter().enumerate() {
        pair.receive(&result_from("", &id, &at.to_string(), message));
    }
    fin(&mut pair, &asked, None, false);
    // They have their places all the same.
    assert_eq!(pair.value(ticket), json!({ "items": [], "next": "2" }));
}

#[test]
fn xep0313_8_2_results_count_from_the_archive_asked_and_with_the_id_asked() {
    let mut pair = Pair::online();
    let (own, asked) = ask(&mut pair, json!({}));
    let (room, of_room) = ask(&mut pair, json!({ "of": "Room@muc.example.org/alice" }));
    assert_eq!(of_room.attr("to"), Some(ROOM));
    let [id, room_id] = [&asked, &of_room].map(|asked| query(asked).attr("queryid").unwrap().to_owned());
    assert_ne!(id, room_id);
    let said = message("room@muc.example.org/bob", "x").replace("type='chat'", "type='groupchat'");
    let from = |from: &str| format!(" from='{from}'");
    for other in [
        "mallory@example.org",
        "alice@example.org/there",
        "example.org",
        ROOM,
        "@",
        "",
    ] {
        pair.receive(&result_from(&from(other), &id, "1", &message(BOB, "forged")));
    }
    for other in [
        "",
        &from(OWN),
        &from("muc.example.org"),
        &from("room@muc.example.org/bob"),
        &from("@"),
    ] {
        pair.receive(&result_from(other, &room_id, "1", &said));
    }
    for wrong in ["", "1", &room_id] {
        pair.receive(&result_from("", wrong, "1", &message(BOB, "forged")));
    }
    for wrong in ["", "1", &id] {
        pair.receive(&result_from(&from(ROOM), wrong, "1", &said));
    }
    pair.receive(&result_from("", &id, "1", &message(BOB, "x")).replacen(" queryid=", " query=", 1));
    assert_eq!(pair.told("message"), [] as [Value; 0]);
    pair.receive(&result_from(
        &from("ALICE@example.org"),
        &id,
        "1",
        &message(BOB, "mine"),
    ));
    pair.receive(&result_from(&from(ROOM), &room_id, "1", &said));
    fin(&mut pair, &of_room, Some(("1", "1")), true);
    fin(&mut pair, &asked, Some(("1", "1")), true);
    assert_eq!(read(&pair, own).0, ["mine"]);
    assert_eq!(read(&pair, room).0, ["x"]);
}

#[test]
fn xep0313_6_1_2_a_room_tells_of_what_was_said_in_it() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM }));
    let id = query(&asked).attr("queryid").unwrap().to_owned();
    let from = format!(" from='{ROOM}'");
    let said = |from: &str| {
        format!("<message xmlns='jabber:client'{from} type='groupchat' id='m'><body>said</body></message>")
    };
    for (at, by) in [
        "",
        " from='bob@example.org/phone'",
        " from='alice@example.org/here'",
        " from='@'",
    ]
    .iter()
    .enumerate()
    {
        pair.receive(&result_from(&from, &id, &at.to_string(), &said(by)));
    }
    pair.receive(&result_from(
        &from,
        &id,
        "9",
        &said(" from='room@muc.example.org/witch'"),
    ));
    fin(&mut pair, &asked, Some(("0", "9")), true);
    let page = pair.value(ticket);
    let told = json!([{
        "from": "room@muc.example.org/witch", "to": "alice@example.org/here", "type": "groupchat", "id": "m", "body": "said",
        "room": ROOM, "nick": "witch", "stanzaId": "9", "delay": "2026-11-21T10:00:00Z",
    }]);
    assert_eq!(page["items"], told);
}

#[test]
fn results_after_the_end_are_none() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    page(&mut pair, &asked, &["1"], true);
    entry(&mut pair, &asked, "2");
    assert_eq!(read(&pair, ticket), (vec!["1".to_owned()], Value::Null));
    assert_eq!(pair.told("message"), [] as [Value; 0]);
    // Nor are those of a call that was aborted.
    let (ticket, asked) = ask(&mut pair, json!({}));
    entry(&mut pair, &asked, "1");
    pair.abort(ticket);
    page(&mut pair, &asked, &["2"], true);
    assert_eq!(pair.error(ticket).code(), Code::Aborted);
    assert_eq!(pair.told("message"), [] as [Value; 0]);
}

#[test]
fn xep0313_4_1_the_form_says_which() {
    let mut pair = Pair::online();
    let wanted = json!({
        "with": "Bob@example.org", "start": { "$date": "2026-01-02T03:04:05.678Z" }, "end": "2026-02-03T04:05:06+01:00",
        "after": "a", "page": 250,
    });
    let (_, asked) = ask(&mut pair, wanted);
    assert_eq!(
        fields(&asked),
        json!({ "with": ["bob@example.org"], "start": ["2026-01-02T03:04:05.678Z"], "end": ["2026-02-03T04:05:06+01:00"] })
    );
    assert_eq!(
        (set(&asked, "max"), set(&asked, "after")),
        (Some("250".into()), Some("a".into()))
    );
    let (_, asked) = ask(&mut pair, json!({ "before": "z", "order": "newest", "page": 1 }));
    assert_eq!(fields(&asked), Value::Null);
    assert_eq!(
        (set(&asked, "max"), set(&asked, "before"), set(&asked, "after")),
        (Some("1".into()), Some("z".into()), None)
    );
    // Nothing at all is everything.
    for args in [json!([]), json!([null])] {
        pair.im("archive.query", args);
        assert_eq!(fields(&pair.element()), Value::Null);
    }
    // And none of the archive's entries are none.
    let ticket = pair.im("archive.query", json!([{ "ids": [] }]));
    pair.nothing_sent();
    assert_eq!(pair.value(ticket), json!({ "items": [] }));
}

#[test]
fn what_cannot_be_asked_is_not() {
    let mut pair = Pair::online();
    for (wrong, code) in [
        (json!({ "of": "@" }), Code::InvalidJid),
        (json!({ "with": "a@" }), Code::InvalidJid),
        (json!({ "with": 1 }), Code::InvalidArgument),
        (json!({ "start": 1 }), Code::InvalidArgument),
        (json!({ "start": "yesterday" }), Code::InvalidArgument),
        (
            json!({ "end": { "$date": "+010000-01-01T00:00:00.000Z" } }),
            Code::InvalidArgument,
        ),
        (json!({ "before": "" }), Code::InvalidArgument),
        (json!({ "after": 1 }), Code::InvalidArgument),
        (json!({ "ids": "1" }), Code::InvalidArgument),
        (json!({ "ids": [1] }), Code::InvalidArgument),
        (json!({ "order": "best" }), Code::InvalidArgument),
        (json!({ "page": 0 }), Code::InvalidArgument),
        (json!({ "page": 251 }), Code::InvalidArgument),
        (json!({ "page": 1.5 }), Code::InvalidArgument),
        (json!("all"), Code::InvalidArgument),
    ] {
        let error = pair.try_im("archive.query", json!([wrong])).unwrap_err();
        assert_eq!(error.code(), code, "{wrong}");
    }
    // What XML can't carry is found where it is written.
    let ticket = pair.im("archive.query", json!([{ "after": "\u{0}" }]));
    assert_eq!(pair.error(ticket).code(), Code::InvalidArgument);
    pair.nothing_sent();
    pair.call(stanzawire::engine::Command::Disconnect);
    let ticket = pair.im("archive.query", json!([]));
    assert_eq!(pair.error(ticket).code(), Code::Offline);
}

#[test]
fn what_ends_a_page_that_is_none_ends_the_query() {
    for nonsense in [
        "",
        "<fin xmlns='urn:xmpp:mam:1' complete='true'/>",
        "<query xmlns='urn:xmpp:mam:2'/>",
        "<fin xmlns='urn:xmpp:mam:2'/>",
        "<fin xmlns='urn:xmpp:mam:2' complete='false'><set xmlns='urn:example'/></fin>",
    ] {
        let mut pair = Pair::online();
        let (ticket, asked) = ask(&mut pair, json!({}));
        entry(&mut pair, &asked, "1");
        pair.answer(&asked, nonsense);
        assert_eq!(pair.error(ticket).code(), Code::ProtocolViolation, "{nonsense}");
    }
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({ "after": "gone" }));
    refuse(&mut pair, &asked, "item-not-found");
    let error = pair.error(ticket);
    assert_eq!(
        (error.code(), error.condition()),
        (Code::StanzaError, Some("item-not-found"))
    );
}

#[test]
fn rfc6120_8_2_3_who_was_asked_ends_it() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM }));
    let forged = |from: &str| {
        let id = asked.attr("id").unwrap();
        format!("<iq xmlns='jabber:client' type='result' id='{id}'{from}><fin xmlns='{NS_MAM}' complete='true'/></iq>")
    };
    for from in [
        "",
        " from='mallory@example.org'",
        " from='room@muc.example.org/witch'",
        " from='muc.example.org'",
    ] {
        pair.receive(&forged(from));
        assert!(pair.is_open(ticket), "{from}");
    }
    pair.receive(&forged(" from='room@muc.example.org'"));
    assert_eq!(pair.value(ticket), json!({ "items": [] }));
}

#[test]
fn several_are_read_at_once_and_beside_what_has_been_missed() {
    let mut pair = Pair::online();
    pair.receive(&message(BOB, "live").replace(
        "</message>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='live'/></message>",
    ));
    pair.close_socket();
    let queries = [
        json!({ "with": "bob@example.org" }),
        json!({ "with": "eve@example.org" }),
    ];
    let tickets = queries.map(|query| pair.im("archive.query", json!([query])));
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    let asked: Vec<Element> = pair
        .sent
        .drain(..)
        .map(|frame| xml::read(&frame, &Default::default()).unwrap())
        .collect();
    let asked: Vec<&Element> = asked
        .iter()
        .filter(|asked| asked.child("query", NS_MAM).is_some())
        .collect();
    let [missed, bob, eve] = asked[..] else {
        panic!("{asked:?}")
    };
    pair.told("message");
    for (asked, id) in [(bob, "b1"), (missed, "m1"), (eve, "e1"), (missed, "m2"), (bob, "b2")] {
        entry(&mut pair, asked, id);
    }
    fin(&mut pair, eve, Some(("e1", "e1")), true);
    fin(&mut pair, missed, Some(("m1", "m2")), true);
    fin(&mut pair, bob, Some(("b1", "b2")), true);
    assert_eq!(read(&pair, tickets[0]).0, ["b1", "b2"]);
    assert_eq!(read(&pair, tickets[1]).0, ["e1"]);
    let told: Vec<Value> = pair
        .told("message")
        .into_iter()
        .map(|told| told["body"].clone())
        .collect();
    assert_eq!(told, ["m1", "m2"]);
}

/// A whole page of these entries.
fn entries(pair: &mut Pair, asked: &Element, messages: &[String]) {
    let query = query(asked).attr("queryid").unwrap().to_owned();
    let ids: Vec<String> = (1..=messages.len()).map(|n| n.to_string()).collect();
    let from = asked.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
    for (id, message) in ids.iter().zip(messages) {
        pair.receive(&result_from(&from, &query, id, message));
    }
    fin(
        pair,
        asked,
        ids.first()
            .zip(ids.last())
            .map(|(first, last)| (first.as_str(), last.as_str())),
        true,
    );
}

#[test]
fn xep0308_4_and_xep0424_5_nobody_changes_what_somebody_else_has_said() {
    let said = |from: &str, id: &str, content: &str| {
        format!(
            "<message xmlns='jabber:client' from='{from}' to='{OWN}/there' type='groupchat' id='{id}'>{content}</message>"
        )
    };
    let (bob, mallory) = (format!("{ROOM}/bob"), format!("{ROOM}/mallory"));
    let corrects = "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    let retracts = "<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='1'/>";
    for newest in [false, true] {
        let mut pair = Pair::online();
        let order = if newest { "newest" } else { "oldest" };
        let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM, "order": order }));
        let page = [
            said(&bob, "m1", "<body>1</body>"),
            said(&mallory, "m2", corrects),
            said(&mallory, "m3", retracts),
            said(&bob, "m4", corrects),
            said(&bob, "m5", retracts),
        ];
        entries(&mut pair, &asked, &page);
        let told = pair.value(ticket);
        let mut told: Vec<Value> = told["items"].as_array().unwrap().clone();
        if newest {
            told.reverse();
        }
        let of = |name: &str| told.iter().map(|item| item[name].clone()).collect::<Vec<_>>();
        assert_eq!(of("id"), [json!("m1"), json!("m2"), json!("m4"), json!("m5")]);
        assert_eq!(of("replaces"), [Value::Null, Value::Null, json!("m1"), Value::Null]);
        assert_eq!(of("retracts"), [Value::Null, Value::Null, Value::Null, json!("1")]);
    }
    // Also where it is known from what came in.
    let mut pair = Pair::online();
    rooms::enter_room(&mut pair, ROOM);
    pair.receive(&said(&bob, "m1", "<body>1</body>"));
    let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM }));
    entries(&mut pair, &asked, &[said(&mallory, "m2", corrects)]);
    assert_eq!(pair.value(ticket)["items"][0].get("replaces"), None);
}

#[test]
fn xep0085_2_what_is_of_the_moment_is_in_no_archive() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    let states = "http://jabber.org/protocol/chatstates";
    let page = [
        message(BOB, "1").replace("<body>1</body>", &format!("<composing xmlns='{states}'/>")),
        message(BOB, "2").replace("</message>", &format!("<active xmlns='{states}'/></message>")),
        message(BOB, "3").replace("<body>3</body>", "<reactions xmlns='urn:xmpp:reactions:0' id='m'/>"),
    ];
    entries(&mut pair, &asked, &page);
    let told = pair.value(ticket);
    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["body"], items[0].get("state")), (&json!("2"), None));
    assert_eq!(items[1]["reactions"]["id"], "m");
}
