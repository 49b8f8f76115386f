//! The roster: RFC 6121 §2.

mod changes;
mod pages;
mod versions;

use crate::pair::{NS_CLIENT, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Event, Reply, Ticket};
use stanzawire::error::Code;
use stanzawire::im;
use stanzawire::im::roster::{Answer, News, RosterItem, Subscription};

const ROSTER: &str = "jabber:iq:roster";

fn items(pair: &Pair, call: Ticket) -> Vec<RosterItem> {
    let Ok(Reply::Im(im::Reply::Roster(Answer::Items(items)))) = pair.reply(call) else {
        panic!("a roster")
    };
    items
}

fn pushes(pair: &Pair) -> Vec<RosterItem> {
    let push = |event: &Event| match event {
        Event::Im(im::Event::Roster(News::Item(item))) => Some(item.clone()),
        _ => None,
    };
    pair.events.iter().filter_map(push).collect()
}

/// A client that has its roster: bob alone.
pub fn with_roster() -> Pair {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let (request, _) = pair.take_first_stanzas();
    pair.answer(
        &request,
        &format!(
            "<query xmlns='{ROSTER}'><item jid='Bob@example.org' name='Bob' subscription='both'>\
             <group>Friends</group><group>Work</group></item></query>"
        ),
    );
    pair
}

fn push(from: &str, items: &str) -> String {
    format!("<iq xmlns='jabber:client' type='set' id='p1' {from}><query xmlns='{ROSTER}'>{items}</query></iq>")
}

#[test]
fn rfc6121_2_1_3_the_roster_is_fetched_and_kept() {
    let mut pair = with_roster();
    for _ in 0..2 {
        let call = pair.roster();
        let bob = RosterItem {
            jid: "bob@example.org".into(),
            name: Some("Bob".into()),
            subscription: Subscription::Both,
            pending: false,
            approved: false,
            groups: vec!["Friends".into(), "Work".into()],
        };
        assert_eq!(items(&pair, call), [bob]);
        pair.nothing_sent();
    }
}

#[test]
fn those_who_ask_early_wait_for_the_answer() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let (request, _) = pair.take_first_stanzas();
    let calls = [pair.roster(), pair.roster()];
    assert!(calls.iter().all(|call| pair.is_open(*call)));
    pair.nothing_sent();
    pair.answer(&request, &format!("<query xmlns='{ROSTER}'/>"));
    for call in calls {
        assert_eq!(items(&pair, call), []);
    }
}

#[test]
fn a_refused_roster_is_asked_for_again() {
    let mut pair = Pair::online();
    let call = pair.roster();
    pair.advance(30_000);
    assert_eq!(pair.error(call).code(), Code::Timeout);
    let call = pair.roster();
    let request = pair.element();
    pair.answer(&request, "<other xmlns='urn:x'/>");
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn rfc6121_2_1_6_pushes_are_applied_answered_and_told() {
    let mut pair = with_roster();
    pair.receive(&push(
        "",
        "<item jid='carol@example.org' subscription='none' ask='subscribe'/>",
    ));
    let answer = pair.element();
    assert_eq!((answer.attr("type"), answer.attr("id")), (Some("result"), Some("p1")));
    pair.receive(&push(
        "from='alice@example.org'",
        "<item jid='bob@example.org' subscription='remove'/>",
    ));
    pair.element();
    let call = pair.roster();
    let left = items(&pair, call);
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].jid.as_str(), left[0].pending), ("carol@example.org", true));
    let told = pushes(&pair);
    assert_eq!((told.len(), told[1].subscription), (2, Subscription::Remove));
}

/// The 2015 roster push advisory: clients took anybody's push for the server's, and put the sender's contacts into the roster.
#[test]
fn rfc6121_2_1_6_forged_pushes_change_nothing() {
    let item = "<item jid='mallory@example.org' subscription='both'/>";
    for forged in [
        push("from='mallory@example.org'", item),
        push("from='mallory@example.org/x'", item),
        push("from='alice@example.org/elsewhere'", item),
        push("from='alice@example.com'", item),
        push("from='example.org'", item),
        push("from='@@'", item),
        push("", ""),
        push("", &(item.to_owned() + item)),
        push("", "<item subscription='both'/>"),
        push("", "<item xmlns='urn:other' jid='mallory@example.org'/>"),
        push("", item).replace("type='set'", "type='get'"),
    ] {
        let mut pair = with_roster();
        pair.receive(&forged);
        assert_eq!(pushes(&pair), [], "{forged}");
        let answer = pair.element();
        assert_eq!(answer.attr("type"), Some("error"), "RFC 6120 §8.2.3");
        assert!(answer.child("error", NS_CLIENT).is_some());
        let call = pair.roster();
        assert_eq!(items(&pair, call).len(), 1);
    }
}

#[test]
fn the_roster_is_fetched_anew_in_a_new_session() {
    let mut pair = with_roster();
    pair.close_socket();
    let call = pair.roster();
    assert!(pair.is_open(call));
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&Fault::None);
    let (request, _) = pair.take_first_stanzas();
    pair.answer(&request, &format!("<query xmlns='{ROSTER}'/>"));
    assert_eq!(items(&pair, call), []);
}

#[test]
fn before_the_first_connection_there_is_no_roster() {
    let mut pair = Pair::new(config());
    let call = pair.roster();
    assert_eq!(pair.error(call).code(), Code::Offline);
}

#[test]
fn a_contact_that_no_jid_can_name_is_kept() {
    let mut pair = Pair::online();
    pair.receive(&push("", "<item jid='&#x2615;@muc.example.org' subscription='both'/>"));
    assert_eq!(pushes(&pair)[0].jid, "☕@muc.example.org");
}

#[test]
fn it_can_be_asked_for_however_much_is_under_way() {
    let mut config = config();
    config.session.queue = 2;
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let (request, _) = pair.take_first_stanzas();
    let id = request.attr("id").unwrap();
    pair.receive(&format!("<iq xmlns='jabber:client' type='error' id='{id}'/>"));
    pair.send("bob@example.org", "1");
    pair.send("bob@example.org", "2");
    let refused = pair.send("bob@example.org", "3");
    assert_eq!(pair.error(refused).code(), Code::QueueFull);
    let call = pair.roster();
    assert!(pair.is_open(call));
    let request = pair.sent.pop_back().unwrap();
    let request = stanzawire::xml::read(&request, &Default::default()).unwrap();
    pair.answer(&request, &format!("<query xmlns='{ROSTER}'/>"));
    assert_eq!(items(&pair, call), []);
}

#[test]
fn rfc6121_2_1_6_a_forged_push_is_nobodys_to_handle() {
    let mut pair = Pair::online();
    let wanted = stanzawire::engine::Match {
        xmlns: ROSTER.into(),
        set: None,
    };
    pair.engine.answer(1, wanted);
    pair.receive(&push("from='mallory@example.org'", "<item jid='mallory@example.org'/>"));
    assert!(!pair.events.iter().any(|event| matches!(event, Event::Request { .. })));
}

#[test]
fn a_long_roster_is_taken_in_by_turns() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let (roster, _) = pair.take_first_stanzas();
    let call = pair.im("roster.get", serde_json::json!([]));
    let items: String = (0..600)
        .map(|n| format!("<item jid='c{n:04}@example.org' subscription='both'/>"))
        .collect();
    pair.answer(&roster, &format!("<query xmlns='jabber:iq:roster'>{items}</query>"));
    assert!(pair.is_open(call));
    // What comes behind the answer changes what was answered.
    pair.receive(
        "<iq xmlns='jabber:client' type='set' id='p'><query xmlns='jabber:iq:roster'>\
         <item jid='c0007@example.org' subscription='remove'/></query></iq>",
    );
    assert!(pair.is_open(call));
    pair.advance(1);
    let known = pair.value(call);
    assert_eq!(known.as_array().unwrap().len(), 599);
    // A session that ends meanwhile takes it along.
    pair.close_socket();
}
