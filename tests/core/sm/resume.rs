//! XEP-0198 §5: a session goes on over another connection, or can't.

use super::{FIRST, SM, acknowledge, again, back, bodies, enabled, failed, login, online, resumed, stanzas};
use crate::pair::{JID, Pair, config};
use stanzawire::engine::{Command, Event, Input, Reply, Status, Ticket};
use stanzawire::error::Code;

const BOB: &str = "bob@example.org";

fn open(pair: &Pair, calls: &[Ticket]) -> bool {
    calls.iter().all(|call| pair.is_open(*call))
}

fn was_resumed(pair: &Pair) -> bool {
    pair.events.contains(&Event::Resumed { restored: false })
}

#[test]
fn xep0198_5_what_the_server_has_not_handled_is_sent_again_in_order() {
    let mut pair = online();
    let calls: Vec<_> = (1..=4).map(|n| pair.send(BOB, &n.to_string())).collect();
    let question = pair.iq(None);
    back(&mut pair);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    let later = pair.send(BOB, "5");
    assert!(open(&pair, &calls));
    let resume = pair.sent.back().unwrap().clone();
    assert!(
        resume.contains("previd=\"session-1\"") && resume.contains("h=\"0\""),
        "{resume}"
    );
    pair.sent.clear();
    resumed(&mut pair, FIRST + 2);
    assert!(was_resumed(&pair));
    assert_eq!(pair.engine.status(), Status::Online);
    assert!(pair.reply(calls[0]).is_ok() && pair.reply(calls[1]).is_ok());
    assert!(
        pair.sent.iter().any(|frame| frame.contains("urn:example")),
        "the question as well"
    );
    assert_eq!(bodies(&mut pair), ["3", "4", "5"], "and what waited comes behind");
    assert!(pair.is_open(question) && pair.is_open(later));
    // They have entered the queue again.
    acknowledge(&mut pair, FIRST + 6);
    assert!(calls.iter().chain([&later]).all(|call| pair.reply(*call).is_ok()));
}

#[test]
fn xep0198_5_what_is_sent_again_is_sent_again_once_more() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    for _ in 0..5 {
        back(&mut pair);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
        assert_eq!(bodies(&mut pair), ["1"]);
    }
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(call).is_ok());
}

#[test]
fn xep0198_5_nothing_leaves_between_the_socket_and_the_session() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    back(&mut pair);
    pair.send(BOB, "2");
    let question = pair.iq(None);
    let early: Vec<_> = pair
        .sent
        .iter()
        .filter(|frame| !frame.starts_with("<open") && !frame.starts_with("<resume"))
        .collect();
    assert!(early.is_empty(), "{early:?}");
    assert!(pair.is_open(call) && pair.is_open(question));
}

#[test]
fn xep0198_5_the_session_goes_on_for_whoever_asked_in_it() {
    let mut pair = online();
    let question = pair.iq(Some("bob@example.org/x"));
    let asked = pair.element();
    let roster = pair.roster();
    pair.sent.clear();
    back(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST + 1);
    pair.nothing_sent();
    pair.answer(&asked, "");
    assert!(pair.reply(question).is_ok(), "its answer comes over the new connection");
    assert!(pair.is_open(roster));
    assert_eq!(pair.engine.jid().as_str(), JID);
}

#[test]
fn an_answer_that_never_comes_is_given_up_while_there_is_no_connection() {
    let mut pair = online();
    let question = pair.iq(None);
    pair.close_socket();
    pair.advance(1_000);
    assert!(pair.is_open(question));
    pair.advance(30_000);
    assert_eq!(pair.error(question).code(), Code::Timeout);
}

#[test]
fn what_came_in_counts_over_the_connections() {
    let mut pair = online();
    for n in 0..3 {
        pair.receive(&format!(
            "<message xmlns='jabber:client' from='bob@example.org/x'><body>{n}</body></message>"
        ));
    }
    back(&mut pair);
    assert!(pair.sent.back().unwrap().contains("h=\"3\""), "{:?}", pair.sent);
    resumed(&mut pair, FIRST);
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>3</body></message>");
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    assert_eq!(pair.element().attr("h"), Some("4"));
    assert_eq!(pair.messages().len(), 4);
}

#[test]
fn xep0198_5_a_failed_resumption_tells_how_far_the_server_came() {
    let mut pair = online();
    let calls: Vec<_> = (1..=3).map(|n| pair.send(BOB, &n.to_string())).collect();
    let question = pair.iq(None);
    back(&mut pair);
    let later = pair.send(BOB, "4");
    pair.sent.clear();
    failed(&mut pair, Some(FIRST + 1));
    assert!(pair.reply(calls[0]).is_ok(), "handled before the session ended");
    assert!(open(&pair, &calls[1..]));
    assert_eq!(
        pair.error(question).code(),
        Code::Closed,
        "its answer went to a session that is no more"
    );
    // Once more from the beginning, and for the same resource, which ends what may be left of the old session.
    let bind = pair.element();
    let resource = bind
        .children()
        .next()
        .unwrap()
        .child_text("resource", "urn:ietf:params:xml:ns:xmpp-bind");
    assert_eq!(resource.as_deref(), Some("here"));
    pair.sent.push_front(stanzawire::xml::write(&bind).unwrap());
    let rest = pair.sent.clone();
    pair.bind(JID);
    assert_eq!(rest.len(), 2, "bind and <enable/>: {rest:?}");
    assert!(!was_resumed(&pair));
    assert!(open(&pair, &calls[1..]) && pair.is_open(later));
}

#[test]
fn a_session_that_cannot_be_resumed_is_not_tried() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    login(&mut pair);
    pair.element();
    stanzas(&mut pair);
    pair.receive(&format!("<enabled xmlns='{SM}'/>"));
    acknowledge(&mut pair, FIRST);
    let call = pair.send(BOB, "1");
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(call).is_ok(), "but what it acknowledges counts");
    pair.close_socket();
    again_without(&mut pair);
    assert!(pair.sent.iter().all(|frame| !frame.starts_with("<resume")));
}

fn again_without(pair: &mut Pair) {
    pair.advance(2_000);
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&crate::server::Fault::None));
}

#[test]
fn a_stanza_that_the_server_ends_two_streams_over_is_given_up() {
    let mut pair = online();
    let good = pair.send(BOB, "good");
    let bad = pair.send(BOB, "bad");
    let fine = pair.send(BOB, "fine");
    let error = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                 <invalid-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    pair.receive(error);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    again(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    // What was under way is sent one by one, so that it shows which of them it was.
    assert_eq!(bodies(&mut pair), ["good"]);
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(good).is_ok());
    assert_eq!(bodies(&mut pair), ["bad"]);
    let later = pair.send(BOB, "later");
    pair.nothing_sent();
    pair.receive(error);
    again(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST + 1);
    let error = pair.error(bad);
    assert_eq!((error.code(), error.retryable()), (Code::NotDelivered, false));
    assert_eq!(bodies(&mut pair), ["fine"]);
    acknowledge(&mut pair, FIRST + 2);
    assert_eq!(bodies(&mut pair), ["later"]);
    acknowledge(&mut pair, FIRST + 3);
    assert!(pair.reply(fine).is_ok() && pair.reply(later).is_ok());
}

#[test]
fn a_message_that_is_too_big_for_the_socket_holds_nothing_up() {
    let mut pair = online();
    let big = pair.send(BOB, "big");
    let fine = pair.send(BOB, "fine");
    for _ in 0..2 {
        // RFC 6455 §7.4.1: a message that is too big to process. Of a stream error there is no word.
        let (generation, _) = pair.socket.take().unwrap();
        pair.handle(Input::SocketClosed {
            generation,
            code: 1009,
            clean: true,
        });
        assert_eq!(pair.engine.status(), Status::Reconnecting);
        again(&mut pair);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
    }
    let error = pair.error(big);
    assert_eq!((error.code(), error.retryable()), (Code::NotDelivered, false));
    assert_eq!(bodies(&mut pair), ["fine"]);
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(fine).is_ok());
}

#[test]
fn a_server_that_restarts_again_and_again_costs_no_message() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    for _ in 0..4 {
        pair.receive(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
             <system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        );
        again(&mut pair);
        pair.sent.clear();
        resumed(&mut pair, FIRST);
        assert_eq!(bodies(&mut pair), ["1"]);
    }
    assert!(pair.is_open(call));
}

#[test]
fn giving_up_ends_everything() {
    let mut pair = online();
    let sent = pair.send(BOB, "1");
    let question = pair.iq(None);
    pair.close_socket();
    let waiting = pair.send(BOB, "2");
    let end = pair.call(Command::Disconnect);
    assert_eq!(pair.reply(end), Ok(Reply::Done));
    assert_eq!(pair.error(sent).code(), Code::DeliveryUnknown);
    assert_eq!(pair.error(waiting).code(), Code::NotDelivered);
    assert_eq!(pair.error(question).code(), Code::Closed);
    // And is not taken up again.
    pair.connect();
    pair.open_socket();
    assert!(pair.sent.iter().all(|frame| !frame.contains("resume")));
}

#[test]
fn an_aborted_message_keeps_its_place_in_the_count_and_is_not_sent_again() {
    let mut pair = online();
    let first = pair.send(BOB, "1");
    let second = pair.send(BOB, "2");
    let third = pair.send(BOB, "3");
    pair.abort(second);
    assert_eq!(pair.error(second).code(), Code::Aborted);
    pair.receive(&format!("<a xmlns='{SM}' h='{}'/>", FIRST + 1));
    assert!(pair.reply(first).is_ok() && pair.is_open(third));
    back(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST + 1);
    assert_eq!(bodies(&mut pair), ["3"]);
    acknowledge(&mut pair, FIRST + 2);
    assert!(pair.reply(third).is_ok());
}

#[test]
fn a_server_that_has_moved_is_followed_and_the_session_with_it() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/ws'/>");
    pair.advance(1_000);
    assert_eq!(pair.socket.as_ref().unwrap().1, "wss://b.example.org/ws");
    pair.sent.clear();
    pair.open_socket();
    super::login_up_to_features(&mut pair);
    assert!(pair.sent.back().unwrap().starts_with("<resume"), "{:?}", pair.sent);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"]);
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(call).is_ok());
}

#[test]
fn a_new_session_can_be_resumed_in_its_turn() {
    let mut pair = online();
    back(&mut pair);
    pair.sent.clear();
    failed(&mut pair, Some(FIRST));
    pair.bind(JID);
    enabled(&mut pair, "session-2");
    pair.handle(Input::PageShown);
    back(&mut pair);
    assert!(pair.sent.iter().any(|frame| frame.contains("session-2")));
}

#[test]
fn xep0198_5_where_the_server_would_like_it() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    login(&mut pair);
    assert_eq!(pair.engine.location(), None);
    pair.receive(&format!(
        "<enabled xmlns='{SM}' id='1' resume='true' location='xmpp2.example.org:5222'/>"
    ));
    assert_eq!(pair.engine.location(), Some("xmpp2.example.org:5222"));
}
