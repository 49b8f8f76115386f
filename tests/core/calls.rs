//! Calls: each is settled exactly once, whatever happens, and can be aborted at any point.

use crate::pair::{Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Fetched, Input, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::session::{CredentialSource, Status};

#[test]
fn connecting_twice_is_refused_and_harms_nothing() {
    let mut pair = Pair::new(config());
    let first = pair.connect();
    let second = pair.connect();
    assert_eq!(pair.error(second).code(), Code::InvalidState);
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(first), Ok(Reply::Done));
    let third = pair.connect();
    assert_eq!(pair.error(third).code(), Code::InvalidState);
    assert_eq!(pair.engine.status(), Status::Online);
    pair.call(Command::Disconnect);
    let fourth = pair.connect();
    assert_eq!(pair.error(fourth).code(), Code::InvalidState);
}

#[test]
fn a_login_can_be_aborted_in_each_phase() {
    let mut discovering = config();
    discovering.session.url = None;
    let mut asking = config();
    asking.session.credentials = CredentialSource::Ask;
    let open = |pair: &mut Pair| pair.open_socket();
    let greet = |pair: &mut Pair| {
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    };
    let derive = |pair: &mut Pair| {
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        let auth = pair.element();
        let challenge = crate::server::Scram::new("secret").challenge(&auth.text(), &Fault::None);
        pair.receive(&challenge);
    };
    let bind = |pair: &mut Pair| {
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        assert!(pair.authenticate(&Fault::None));
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    };
    type Reach<'a> = &'a dyn Fn(&mut Pair);
    let cases: [(_, Reach<'_>, Phase); 7] = [
        (discovering, &|_| {}, Phase::Discovery),
        (config(), &|_| {}, Phase::Socket),
        (config(), &open, Phase::Stream),
        (config(), &greet, Phase::Auth),
        (asking, &greet, Phase::Auth),
        (config(), &derive, Phase::Auth),
        (config(), &bind, Phase::Bind),
    ];
    for (config, reach, phase) in cases {
        let mut pair = Pair::new(config);
        let call = pair.connect();
        reach(&mut pair);
        pair.abort(call);
        let error = pair.error(call);
        assert_eq!((error.code(), error.phase()), (Code::Aborted, phase));
        assert_eq!((&pair.socket, &pair.fetches), (&None, &Vec::new()), "{phase:?}");
        assert_eq!(
            (pair.engine.status(), pair.engine.next_deadline()),
            (Status::Offline, None)
        );
        // What was under way comes too late.
        if let Some((id, request)) = pair.derive.take() {
            let key = stanzawire::sasl::derive::derive(&request);
            pair.handle(Input::Derived { id, key });
        }
        assert_eq!(pair.error(call).code(), Code::Aborted);
        // And the client works as before.
        pair.sent.clear();
        let again = pair.connect();
        assert!(pair.is_open(again), "{phase:?}");
    }
}

#[test]
fn disconnecting_ends_a_login() {
    let mut pair = Pair::new(config());
    let login = pair.connect();
    pair.open_socket();
    let done = pair.call(Command::Disconnect);
    assert_eq!(pair.error(login).code(), Code::Aborted);
    assert_eq!(pair.reply(done), Ok(Reply::Done));
    assert_eq!((pair.socket.take(), pair.engine.status()), (None, Status::Offline));
    let done = pair.call(Command::Disconnect);
    assert_eq!(
        pair.reply(done),
        Ok(Reply::Done),
        "when there is nothing to disconnect, that's done"
    );
}

#[test]
fn disconnecting_settles_everything() {
    let mut pair = Pair::online();
    let message = pair.send("bob@example.org", "1");
    let question = pair.iq(Some("bob@example.org/x"));
    let roster = pair.roster();
    let done = pair.call(Command::Disconnect);
    let late = pair.send("bob@example.org", "2");
    assert_eq!(pair.error(late).code(), Code::Offline);
    pair.advance(3_000);
    assert_eq!(pair.error(message).code(), Code::DeliveryUnknown);
    assert_eq!(pair.error(question).code(), Code::Closed);
    assert!(pair.reply(roster).is_err());
    assert_eq!(pair.reply(done), Ok(Reply::Done));
}

#[test]
fn a_message_confirmed_while_closing_is_sent() {
    let mut pair = Pair::online();
    let message = pair.send("bob@example.org", "1");
    pair.element();
    let ping = pair.element();
    pair.call(Command::Disconnect);
    pair.answer(&ping, "");
    assert!(pair.reply(message).is_ok());
}

#[test]
fn an_aborted_call_that_waits_is_never_sent() {
    let mut pair = Pair::online();
    pair.close_socket();
    let call = pair.send("bob@example.org", "1");
    pair.abort(call);
    assert_eq!(pair.error(call).code(), Code::Aborted);
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    pair.nothing_sent();
    pair.abort(call);
    assert_eq!(pair.error(call).code(), Code::Aborted, "aborting twice is nothing");
}

#[test]
fn an_aborted_question_ignores_its_answer() {
    let mut pair = Pair::online();
    let call = pair.iq(None);
    let iq = pair.element();
    pair.abort(call);
    pair.answer(&iq, "");
    assert_eq!(pair.error(call).code(), Code::Aborted);
}

#[test]
fn a_client_that_has_gone_offline_can_come_back() {
    let mut pair = Pair::online();
    for _ in 0..3 {
        pair.call(Command::Disconnect);
        pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        pair.sent.clear();
        let call = pair.connect();
        pair.open_socket();
        pair.login(&Fault::None);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        pair.take_first_stanzas();
    }
}

#[test]
fn answers_to_questions_never_asked_are_ignored() {
    let mut pair = Pair::new(config());
    let id = stanzawire::engine::Ticket(99);
    pair.handle(Input::Fetched {
        id,
        outcome: Fetched::Failed,
    });
    pair.handle(Input::Deadline);
    pair.connect();
    pair.handle(Input::Fetched {
        id,
        outcome: Fetched::Failed,
    });
    let key = stanzawire::sasl::Secret::new(vec![0; 20]);
    pair.handle(Input::Derived { id, key });
    assert_eq!(pair.engine.status(), Status::Connecting);
}

#[test]
fn messages_sent_before_an_orderly_end_are_confirmed() {
    let mut pair = Pair::online();
    let calls = ["1", "2", "3"].map(|body| pair.send("bob@example.org", body));
    let done = pair.call(Command::Disconnect);
    // A server that answers everything in order, and closes at the end.
    while !pair.sent.is_empty() {
        let element = pair.element();
        if element.name() == "iq" {
            pair.answer(&element, "");
        } else if element.name() == "close" {
            pair.nothing_sent();
            pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        }
    }
    for call in calls {
        assert!(pair.reply(call).is_ok());
    }
    assert_eq!(pair.reply(done), Ok(Reply::Done));
}

#[test]
fn rfc7395_3_6_nothing_is_sent_behind_our_close() {
    let mut pair = Pair::online();
    pair.send("bob@example.org", "1");
    pair.element();
    let first = pair.element();
    pair.send("bob@example.org", "2");
    pair.call(Command::Disconnect);
    while pair.element().name() != "close" {}
    pair.answer(&first, "");
    pair.receive("<iq xmlns='jabber:client' type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    pair.nothing_sent();
}
