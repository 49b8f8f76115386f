//! Coming back after a lost connection, and when not to.

use crate::pair::{Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Fetched, Input, Reply};
use stanzawire::error::Code;
use stanzawire::session::{ReconnectPolicy, Status};

#[test]
fn the_connection_comes_back_by_itself() {
    let mut pair = Pair::online();
    pair.close_socket();
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    let expected = [Status::Connecting, Status::Online, Status::Reconnecting, Status::Online];
    assert_eq!(pair.statuses(), expected);
}

#[test]
fn what_was_sent_meanwhile_goes_out_in_order() {
    let mut pair = Pair::online();
    pair.close_socket();
    let first = pair.send("bob@example.org", "1");
    let question = pair.iq(None);
    pair.advance(1_000);
    let second = pair.send("bob@example.org", "2");
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    assert_eq!(pair.element().child_text("body", "jabber:client").as_deref(), Some("1"));
    pair.confirm();
    let iq = pair.element();
    pair.answer(&iq, "");
    assert_eq!(pair.element().child_text("body", "jabber:client").as_deref(), Some("2"));
    pair.confirm();
    assert!(pair.reply(first).is_ok() && pair.reply(second).is_ok());
    assert_eq!(pair.reply(question), Ok(Reply::Payload(None)));
    pair.nothing_sent();
}

#[test]
fn the_queue_is_bounded() {
    let mut config = config();
    config.session.queue = 2;
    let mut pair = Pair::online_with(config);
    pair.close_socket();
    let calls = [1, 2, 3].map(|n| pair.send("bob@example.org", &n.to_string()));
    assert!(pair.is_open(calls[0]) && pair.is_open(calls[1]));
    assert_eq!(pair.error(calls[2]).code(), Code::QueueFull);
}

#[test]
fn the_bound_holds_for_what_is_unconfirmed_too() {
    let mut config = config();
    config.session.queue = 3;
    let mut pair = Pair::online_with(config);
    // The roster request is under way as well.
    let calls = [1, 2, 3].map(|n| pair.send("bob@example.org", &n.to_string()));
    assert!(pair.is_open(calls[0]) && pair.is_open(calls[1]));
    assert_eq!(pair.error(calls[2]).code(), Code::QueueFull);
}

#[test]
fn what_was_never_sent_is_certainly_not_delivered() {
    let mut pair = Pair::online();
    pair.close_socket();
    let call = pair.send("bob@example.org", "1");
    let done = pair.call(Command::Disconnect);
    assert_eq!(pair.error(call).code(), Code::NotDelivered);
    assert_eq!(pair.reply(done), Ok(Reply::Done));
    pair.advance(3_600_000);
    assert_eq!((pair.socket, pair.engine.status()), (None, Status::Offline));
}

#[test]
fn a_server_that_is_down_is_asked_again_and_again() {
    let mut pair = Pair::online();
    pair.close_socket();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let from = pair.now;
        let next = pair.engine.next_deadline().expect("another attempt");
        pair.advance(next.since(from));
        waits.push(next.since(from));
        assert!(pair.socket.is_some());
        pair.close_socket();
        assert_eq!(pair.engine.status(), Status::Reconnecting);
    }
    assert!(waits.iter().all(|wait| *wait <= 60_000));
    assert!(
        waits[6..].iter().any(|wait| *wait > 4_000),
        "the delays grow: {waits:?}"
    );
    let done = pair.call(Command::Disconnect);
    assert_eq!(pair.reply(done), Ok(Reply::Done));
}

#[test]
fn a_network_that_comes_back_cuts_the_wait_short() {
    let mut pair = Pair::online();
    for _ in 0..10 {
        pair.close_socket();
        while pair.socket.is_none() {
            pair.advance(1_000);
        }
    }
    pair.close_socket();
    pair.handle(Input::Network { online: true });
    pair.advance(500);
    assert!(pair.socket.is_some());
}

#[test]
fn a_changed_password_is_not_tried_again() {
    let mut pair = Pair::online();
    pair.close_socket();
    pair.advance(1_000);
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    let waiting = pair.send("bob@example.org", "1");
    pair.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
    assert_eq!(pair.engine.status(), Status::Offline);
    assert_eq!(pair.error(waiting).code(), Code::NotDelivered);
    assert_eq!(pair.engine.next_deadline(), None);
}

#[test]
fn discovery_is_part_of_coming_back() {
    let mut config = config();
    config.session.url = None;
    let mut pair = Pair::new(config);
    pair.connect();
    let body = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://example.org/ws'/></XRD>";
    pair.xrd(Fetched::Response { status: 200, body });
    pair.open_socket();
    pair.login(&Fault::None);
    pair.close_socket();
    pair.advance(1_000);
    // The endpoint is down, and so may the web server be: it says 404, or nothing at all.
    pair.close_socket();
    pair.xrd(Fetched::Response { status: 404, body: "" });
    pair.jrd(Fetched::Failed);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    pair.advance(3_000);
    pair.xrd(Fetched::Response { status: 200, body });
    assert!(pair.socket.is_some());
}

#[test]
fn an_app_can_do_without() {
    let mut config = config();
    config.session.reconnect = None;
    let mut pair = Pair::online_with(config);
    pair.close_socket();
    assert_eq!(
        (pair.engine.status(), pair.engine.next_deadline()),
        (Status::Offline, None)
    );

    let mut config = self::config();
    config.session.reconnect = Some(ReconnectPolicy {
        attempts: Some(1),
        ..ReconnectPolicy::default()
    });
    let mut pair = Pair::online_with(config);
    pair.close_socket();
    pair.advance(8_000);
    pair.close_socket();
    assert_eq!(pair.engine.status(), Status::Offline);
}

/// Logs in again, as far as the first stanzas.
fn back(pair: &mut Pair) {
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
}

#[test]
fn a_login_that_does_not_last_is_no_success() {
    let mut pair = Pair::online();
    let mut waits = Vec::new();
    for _ in 0..12 {
        pair.close_socket();
        let wait = pair.engine.next_deadline().expect("another attempt").since(pair.now);
        waits.push(wait);
        pair.advance(wait);
        back(&mut pair);
    }
    assert!(
        waits[6..].iter().any(|wait| *wait > 4_000),
        "the delays grow: {waits:?}"
    );
    // One that lasts is.
    pair.advance(50_000);
    pair.confirm();
    pair.advance(10_000);
    pair.close_socket();
    assert!(pair.engine.next_deadline().unwrap().since(pair.now) <= 1_000);

    let mut config = config();
    config.session.reconnect = Some(ReconnectPolicy {
        attempts: Some(2),
        ..ReconnectPolicy::default()
    });
    let mut pair = Pair::online_with(config);
    for _ in 0..2 {
        pair.close_socket();
        pair.advance(30_000);
        back(&mut pair);
    }
    pair.close_socket();
    assert_eq!(pair.engine.status(), Status::Offline);
}

#[test]
fn the_servers_requests_are_answered_however_full_the_queue_is() {
    let mut config = config();
    config.session.queue = 2;
    let mut pair = Pair::online_with(config);
    pair.send("bob@example.org", "1");
    pair.sent.clear();
    let full = pair.send("bob@example.org", "2");
    assert_eq!(pair.error(full).code(), Code::QueueFull);
    pair.receive("<iq xmlns='jabber:client' type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(pair.element().attr("id"), Some("p"));
}

#[test]
fn a_network_that_comes_and_goes_opens_no_socket_each_time() {
    let mut pair = Pair::online();
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(100);
    }
    let before = pair.generation();
    for _ in 0..100 {
        pair.advance(100);
        for input in [
            Input::Network { online: false },
            Input::Visible(false),
            Input::Network { online: true },
            Input::Visible(true),
            Input::PageShown,
            Input::ClockJumped,
        ] {
            pair.handle(input);
        }
    }
    let opened = pair.generation() - before;
    assert!(opened <= 5, "{opened} sockets in ten seconds");
}

#[test]
fn a_network_that_comes_back_in_the_middle_of_a_login_begins_it_anew() {
    let mut pair = Pair::online();
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(100);
    }
    pair.open_socket();
    pair.advance(500);
    let before = pair.generation();
    pair.handle(Input::Network { online: false });
    pair.advance(5_000);
    pair.handle(Input::Network { online: true });
    pair.advance(1_000);
    assert!(pair.generation() > before, "nobody knows whether that socket is alive");
}

#[test]
fn who_has_only_just_logged_in_is_not_in_use_for_that() {
    let mut config = config();
    config.session.reconnect = Some(ReconnectPolicy::default());
    let mut long = 0;
    for seed in 0..20 {
        let mut pair = Pair::seeded(config.clone(), seed);
        pair.connect();
        pair.open_socket();
        pair.login(&Fault::None);
        pair.take_first_stanzas();
        pair.close_socket();
        let wait = pair.engine.next_deadline().unwrap().since(pair.now);
        long += u32::from(wait > 400);
    }
    assert!(long > 10, "{long} of 20 have waited");
}

#[test]
fn a_server_that_speaks_nonsense_for_once_is_asked_again() {
    for nonsense in [
        "<message xmlns='jabber:client' from='bob@example.org/x'><body>too early</body></message>",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1'/>",
        "<html/>",
    ] {
        let mut pair = Pair::online();
        pair.close_socket();
        let call = pair.send("bob@example.org", "1");
        pair.advance(1_000);
        pair.open_socket();
        pair.receive(nonsense);
        assert_eq!(pair.engine.status(), Status::Reconnecting, "{nonsense}");
        assert!(pair.is_open(call));
    }
    let mut pair = Pair::online();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    assert_eq!(pair.engine.status(), Status::Reconnecting);
}
