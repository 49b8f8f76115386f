//! What was found, in the attempts that follow.

use super::*;

#[test]
fn what_was_found_is_used_again() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    pair.jrd(response(200, JRD));
    logs_in(&mut pair, call);

    // When the connection is lost.
    pair.close_socket();
    pair.advance(1_000);
    assert_eq!(pair.fetches, []);
    assert_eq!(dialled(&pair), "wss://three.example.org/ws");
    pair.sent.clear();
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.engine.status(), Status::Online);

    // And when the app logs in anew.
    log_out(&mut pair);
    let call = pair.connect();
    assert_eq!(pair.fetches, []);
    assert_eq!(dialled(&pair), "wss://three.example.org/ws");
    logs_in(&mut pair, call);
}

#[test]
fn what_was_found_is_dropped_when_it_fails() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    logs_in(&mut pair, call);
    log_out(&mut pair);

    // The first no longer opens: the second takes its place, for this login and later ones.
    let call = pair.connect();
    pair.close_socket();
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");
    logs_in(&mut pair, call);
    log_out(&mut pair);
    let call = pair.connect();
    assert_eq!(pair.fetches, []);
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");

    // Nor does that one speak XMPP any more: they are looked up anew, for the same call.
    pair.handle(stanzawire::engine::Input::SocketOpen {
        generation: pair.generation(),
        protocol: "",
    });
    assert!(pair.is_open(call));
    assert_eq!((&pair.socket, pair.fetches.len()), (&None, 2));
    assert_eq!(
        pair.engine.next_deadline(),
        Some(pair.now.after(30_000)),
        "the endpoint's own time is over with it"
    );
    pair.jrd(response(200, JRD));
    assert_eq!(dialled(&pair), "wss://three.example.org/ws");

    // Once: what has just been found and fails, fails the call.
    pair.close_socket();
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::SocketFailed, Phase::Socket));
    assert_eq!(pair.fetches, []);

    // And nothing of it is kept.
    pair.connect();
    assert_eq!((&pair.socket, pair.fetches.len()), (&None, 2));
}

#[test]
fn what_was_found_is_looked_up_anew_within_the_time_of_the_login() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.close_socket();
    logs_in(&mut pair, call);
    log_out(&mut pair);

    // The one that is left is silent: it has its share of the time, though no other is known.
    let call = pair.connect();
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");
    pair.advance(10_000);
    assert_eq!((&pair.socket, pair.fetches.len()), (&None, 2));
    pair.advance(19_999);
    assert!(pair.is_open(call));
    pair.advance(1);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Timeout, Phase::Discovery));
    assert_eq!((pair.fetches, pair.engine.next_deadline()), (Vec::new(), None));
}

#[test]
fn an_endpoint_that_lets_the_time_run_out_is_dropped() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    logs_in(&mut pair, call);
    log_out(&mut pair);
    let call = pair.call(Command::Connect { timeout: Some(5_000) });
    assert_eq!(dialled(&pair), "wss://one.example.org/ws");
    pair.advance(5_000);
    assert_eq!(
        (pair.error(call).code(), pair.error(call).phase()),
        (Code::Timeout, Phase::Socket)
    );
    pair.connect();
    assert_eq!(dialled(&pair), "wss://two.example.org/ws");
}

#[test]
fn a_refused_account_and_an_abort_drop_nothing() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
    assert_eq!(pair.error(call).code(), Code::NotAuthorized);

    let call = pair.connect();
    assert_eq!(dialled(&pair), "wss://one.example.org/ws");
    pair.abort(call);
    assert_eq!(pair.error(call).code(), Code::Aborted);

    let call = pair.connect();
    assert_eq!((dialled(&pair), pair.fetches.len()), ("wss://one.example.org/ws", 0));
    logs_in(&mut pair, call);
}

#[test]
fn rfc7395_3_6_1_a_way_elsewhere_that_leads_nowhere_drops_nothing() {
    let mut pair = Pair::new(discovering());
    let call = pair.connect();
    found(&mut pair, XRD);
    logs_in(&mut pair, call);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/'/>");
    pair.advance(1_000);
    assert_eq!(dialled(&pair), "wss://b.example.org/");
    pair.close_socket();
    pair.advance(3_000);
    assert_eq!((dialled(&pair), pair.fetches.len()), ("wss://one.example.org/ws", 0));
}

#[test]
fn a_named_endpoint_is_neither_looked_up_nor_remembered() {
    let mut pair = Pair::new(config());
    for _ in 0..2 {
        let call = pair.connect();
        assert_eq!((dialled(&pair), pair.fetches.len()), ("wss://example.org/ws", 0));
        pair.close_socket();
        assert_eq!(pair.error(call).code(), Code::SocketFailed);
        assert_eq!(pair.fetches, []);
    }
}
