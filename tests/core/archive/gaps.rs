//! What was left out in a gap, fetched on demand.

use super::*;
use crate::sm;
use crate::sm::kept::{reload, storing};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml;

/// The questions to the archive among what was sent.
fn asked(pair: &mut Pair) -> Vec<Element> {
    let sent = pair.sent.drain(..);
    let read = sent.map(|frame| xml::read(&frame, &Default::default()).unwrap());
    read.filter(|asked| asked.child("query", NS_MAM).is_some()).collect()
}

fn the(mut asked: Vec<Element>) -> Element {
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

/// Where it begins: behind which id, and from which time on.
fn place(asked: &Element) -> (Option<String>, Option<String>) {
    let query = asked.child("query", NS_MAM).unwrap();
    let set = query.child("set", RSM).unwrap();
    assert_eq!(set.child_text("max", RSM).as_deref(), Some("50"));
    let mut fields = query
        .child("x", "jabber:x:data")
        .into_iter()
        .flat_map(Element::children);
    let start = fields
        .find(|field| field.attr("var") == Some("start"))
        .and_then(|field| field.child_text("value", "jabber:x:data"));
    (set.child_text("after", RSM), start)
}

fn fill(pair: &mut Pair, gap: &Value) -> Ticket {
    pair.im("archive.fill", json!([gap]))
}

fn filled(pair: &Pair, ticket: Ticket) -> (Vec<String>, Value) {
    let page = pair.value(ticket);
    let bodies = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["body"].as_str().unwrap().to_owned());
    (bodies.collect(), page["next"].clone())
}

/// The only gap that was told of, as an app keeps it.
fn kept(pair: &mut Pair) -> Value {
    let told = pair.told("gap");
    assert_eq!(told.len(), 1, "{told:?}");
    serde_json::from_str(&told[0].to_string()).unwrap()
}

/// A client whose archive said nothing in this session.
fn silent() -> (Pair, Value) {
    let mut pair = knowing("0");
    let question = again(&mut pair);
    refuse(&mut pair, &question, "cancel", "service-unavailable");
    let gap = kept(&mut pair);
    assert_eq!(gap, json!({ "after": "0", "since": stamp("0") }));
    (pair, gap)
}

#[test]
fn it_is_filled_page_by_page_from_where_it_begins() {
    let (mut pair, gap) = silent();
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    assert_eq!((question.attr("type"), question.attr("to")), (Some("set"), None));
    assert_eq!(place(&question), (Some("0".into()), None));
    bare_page(&mut pair, &question, &["1", "22"].map(from_bob), false);
    let page = pair.value(ticket);
    assert_eq!(
        page["items"][1],
        json!({ "from": BOB, "to": "alice@example.org", "type": "chat", "id": "m-22", "body": "22", "stanzaId": "22", "delay": stamp("22") })
    );
    let ticket = pair.im("archive.fill", json!([gap, page["next"]]));
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (Some("22".into()), None));
    bare_page(&mut pair, &question, &[from_bob("3")], true);
    assert_eq!(filled(&pair, ticket), (vec!["3".to_owned()], Value::Null));
    assert_eq!(bodies(&pair), [] as [&str; 0], "they come to who has asked");
}

#[test]
fn it_ends_where_the_client_took_over() {
    // Before the first message that has been told of since.
    let (mut pair, gap) = silent();
    live(&mut pair, "5");
    live(&mut pair, "6");
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &["3", "4", "5", "6", "7"].map(from_bob), false);
    assert_eq!(
        filled(&pair, ticket),
        (vec!["3".to_owned(), "4".to_owned()], Value::Null)
    );

    // Before the entry that it names, which is known from the beginning on alone.
    let gap = json!({ "before": "4" });
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (None, None));
    bare_page(&mut pair, &question, &["1", "2", "3", "4", "45"].map(from_bob), false);
    assert_eq!(
        filled(&pair, ticket),
        (["1", "2", "3"].map(String::from).to_vec(), Value::Null)
    );

    // With the end of the archive, as it was when that was looked up.
    let mut pair = knowing("7");
    let ticket = fill(&mut pair, &json!({ "after": "5" }));
    let question = the(asked(&mut pair));
    live(&mut pair, "8");
    bare_page(&mut pair, &question, &["6", "7", "8"].map(from_bob), false);
    assert_eq!(
        filled(&pair, ticket),
        (vec!["6".to_owned(), "7".to_owned()], Value::Null)
    );
}

#[test]
fn what_the_server_kept_aside_is_no_end() {
    let (mut pair, gap) = silent();
    let aside = |id: &str| {
        format!(
            "<message xmlns='jabber:client' from='{BOB}' to='alice@example.org' type='chat'><body>{id}</body>\
             <delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='{id}'/></message>"
        )
    };
    pair.receive(&aside("2"));
    live(&mut pair, "5");
    assert_eq!(bodies(&pair), ["2", "5"]);
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &["1", "2", "3", "4", "5"].map(from_bob), true);
    // And what has been told isn't told again.
    assert_eq!(filled(&pair, ticket).0, ["1", "3", "4"]);
}

#[test]
fn xep0313_4_3_2_where_its_beginning_is_gone_its_time_counts() {
    let (mut pair, gap) = silent();
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    refuse(&mut pair, &question, "cancel", "item-not-found");
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (None, Some(stamp("0"))));
    bare_page(&mut pair, &question, &["1"].map(from_bob), false);
    let (told, next) = filled(&pair, ticket);
    assert_eq!(told, ["1"]);
    let ticket = pair.im("archive.fill", json!([gap, next]));
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (Some("1".into()), Some(stamp("0"))));
    // It was there, after all: what is before it isn't in the gap.
    bare_page(&mut pair, &question, &["x", "0", "2"].map(from_bob), true);
    assert_eq!(filled(&pair, ticket).0, ["2"]);

    // A server may show nothing instead of saying so.
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &[], true);
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (None, Some(stamp("0"))));
    bare_page(&mut pair, &question, &[], true);
    assert_eq!(filled(&pair, ticket), (vec![], Value::Null));

    // Where that isn't known either, all that there is came later.
    let ticket = fill(&mut pair, &json!({ "after": "0" }));
    let question = the(asked(&mut pair));
    refuse(&mut pair, &question, "cancel", "item-not-found");
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (None, None));
    refuse(&mut pair, &question, "cancel", "service-unavailable");
    assert_eq!(pair.error(ticket).condition(), Some("service-unavailable"));
}

#[test]
fn what_is_in_it_and_what_is_not() {
    let (mut pair, gap) = silent();
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    let mut of_room = kept_from("1", "room@muc.example.org/bob", "alice@example.org", "room");
    of_room.1 = of_room.1.replace("type='chat'", "type='groupchat'");
    let mut state = from_bob("2");
    state.1 = state.1.replace(
        "<body>2</body>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    );
    let note = |id| kept_from(id, OWN, "alice@example.org", "note");
    let entries = [
        of_room,
        state,
        sent("3", "s", "sent"),
        note("4"),
        note("5"),
        from_bob("6"),
    ];
    bare_page(&mut pair, &question, &entries, true);
    assert_eq!(filled(&pair, ticket).0, ["sent", "note", "6"]);
}

fn kept_from(id: &str, from: &str, to: &str, body: &str) -> (String, String) {
    super::kept(id, from, to, body)
}

#[test]
fn while_the_archive_is_searched_it_waits() {
    let mut pair = knowing("0");
    let question = again(&mut pair);
    refuse(&mut pair, &question, "cancel", "item-not-found");
    let search = the(asked(&mut pair)
        .into_iter()
        .filter(|asked| !asked.children().any(|child| child.name() == "prefs"))
        .collect());
    let gap = json!({ "after": "0", "since": stamp("0") });
    let ticket = fill(&mut pair, &gap);
    pair.nothing_sent();
    page(&mut pair, &search, &["3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3", "4"]);
    let question = the(asked(&mut pair));
    refuse(&mut pair, &question, "cancel", "item-not-found");
    let question = the(asked(&mut pair));
    // What had been missing has come by now.
    bare_page(&mut pair, &question, &["1", "2", "3", "4"].map(from_bob), true);
    assert_eq!(
        filled(&pair, ticket),
        (vec!["1".to_owned(), "2".to_owned()], Value::Null)
    );
}

#[test]
fn one_that_was_given_up_while_it_waited_asks_nothing() {
    let mut pair = knowing("0");
    let search = again(&mut pair);
    let ticket = fill(&mut pair, &json!({ "after": "0" }));
    pair.abort(ticket);
    page(&mut pair, &search, &["3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3", "4"]);
    pair.nothing_sent();
    assert_eq!(pair.error(ticket).code(), Code::Aborted);
}

#[test]
fn without_a_connection_it_waits_for_what_has_been_missed() {
    let (mut pair, gap) = silent();
    pair.close_socket();
    let ticket = fill(&mut pair, &gap);
    let search = back(&mut pair);
    pair.nothing_sent();
    page(&mut pair, &search, &["1", "2"].map(from_bob), true);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &["1", "2"].map(from_bob), true);
    assert_eq!(
        filled(&pair, ticket),
        (vec![], Value::Null),
        "it has been told by itself"
    );

    // In a session that goes on nothing was missed.
    let mut pair = sm::online();
    pair.close_socket();
    let ticket = fill(&mut pair, &gap);
    sm::again(&mut pair);
    sm::resumed(&mut pair, sm::FIRST);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &["1"].map(from_bob), true);
    assert_eq!(filled(&pair, ticket).0, ["1"]);

    // Not for ever.
    pair.close_socket();
    let ticket = fill(&mut pair, &gap);
    pair.advance(110_000);
    assert!(pair.is_open(ticket));
    pair.advance(10_000);
    assert_eq!(pair.error(ticket).code(), Code::Timeout);

    // And where none follows, nobody waits.
    let (mut pair, gap) = silent();
    pair.close_socket();
    let ticket = fill(&mut pair, &gap);
    pair.call(stanzawire::engine::Command::Disconnect);
    assert_eq!(pair.error(ticket).code(), Code::Offline);
    let ticket = fill(&mut pair, &gap);
    assert_eq!(pair.error(ticket).code(), Code::Offline);
}

#[test]
fn xep0313_8_2_results_count_from_the_own_archive_and_with_the_id_asked() {
    let (mut pair, gap) = silent();
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    let query = question.child("query", NS_MAM).unwrap().attr("queryid").unwrap();
    let mut forge = |from: &str, query: &str| {
        let message = from_bob("forged").1;
        pair.receive(&format!(
            "<message xmlns='jabber:client'{from}><result xmlns='{NS_MAM}' queryid='{query}' id='9'>\
             <forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></result></message>"
        ));
    };
    for from in ["mallory@example.org", "alice@example.org/there", "example.org", "@"] {
        forge(&format!(" from='{from}'"), query);
    }
    forge("", "1");
    bare_page(&mut pair, &question, &[from_bob("1")], true);
    result(&mut pair, &question, &from_bob("2"));
    assert_eq!(filled(&pair, ticket).0, ["1"]);
    assert_eq!(bodies(&pair), [] as [&str; 0]);
}

#[test]
fn what_is_no_gap() {
    let mut pair = knowing("0");
    for wrong in [
        json!([]),
        json!([null]),
        json!(["5"]),
        json!([{ "after": 5 }]),
        json!([{ "since": "lately" }]),
        json!([{ "before": [] }]),
        json!([{}, "5"]),
    ] {
        let error = pair.try_im("archive.fill", wrong.clone()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
    }
    // A `Date` is one as well as what JSON makes of it.
    fill(&mut pair, &json!({ "since": { "$date": "2026-11-21T10:00:00.000Z" } }));
    let question = the(asked(&mut pair));
    assert_eq!(place(&question), (None, Some("2026-11-21T10:00:00.000Z".into())));
    let call = fill(&mut pair, &json!({ "after": "\u{0}" }));
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
}

#[test]
fn the_next_page_fills_it_as_well() {
    let mut old = sm::online_with(storing());
    live(&mut old, "1");
    // The session is lost, and the archive says nothing.
    sm::back(&mut old);
    old.sent.clear();
    sm::failed(&mut old, None);
    old.bind(crate::pair::JID);
    let question = the(asked(&mut old));
    refuse(&mut old, &question, "cancel", "service-unavailable");
    let gap = kept(&mut old);
    old.receive(&format!("<enabled xmlns='{}' id='session-2' resume='true'/>", sm::SM));
    sm::acknowledge(&mut old, sm::FIRST);
    live(&mut old, "5");
    let mut pair = reload(old);
    sm::kept::log_in(&mut pair);
    pair.receive(&format!(
        "<resumed xmlns='{}' previd='session-2' h='{}'/>",
        sm::SM,
        sm::FIRST
    ));
    pair.sent.clear();
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    assert_eq!(place(&question).0.as_deref(), Some("1"));
    bare_page(&mut pair, &question, &["2", "5", "6"].map(from_bob), false);
    assert_eq!(filled(&pair, ticket), (vec!["2".to_owned()], Value::Null));
}

#[test]
fn it_ends_before_what_was_found_behind_it() {
    let mut pair = knowing("7");
    live(&mut pair, "8");
    pair.advance(5_000);
    let question = again(&mut pair);
    bare_page(&mut pair, &question, &["20", "21"].map(from_bob), true);
    // Whether the entry before that is still there shows behind it.
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &[], true);
    assert_eq!(bodies(&pair), ["8", "20", "21"]);
    let gap = kept(&mut pair);
    assert_eq!(gap["after"], "8");
    let ticket = fill(&mut pair, &gap);
    let question = the(asked(&mut pair));
    bare_page(&mut pair, &question, &["9", "20", "205", "21"].map(from_bob), false);
    assert_eq!(filled(&pair, ticket), (vec!["9".to_owned()], Value::Null));
}
