//! Prosody, which stumbles over a new stream that comes in one read with the end of the login.

use super::*;

/// A client that has logged in to a Prosody once, and out again.
fn acquainted_with_prosody() -> (Pair, Server) {
    let mut pair = Pair::new(config());
    let mut server = Server::new(Quirk::None);
    server.prosody = true;
    login(&mut pair, &mut server);
    logout(&mut pair);
    server.flights.clear();
    (pair, server)
}

#[test]
fn prosody_is_given_a_moment_between_two_streams() {
    let (mut pair, mut server) = acquainted_with_prosody();
    let call = pair.connect();
    pair.open_socket();
    server.heard.push(Vec::new());
    server.flights.push(0);
    server.authenticated = false;
    server.announced = false;
    let generation = pair.generation();
    server.flight(&mut pair, generation);
    assert_eq!(pair.sent.len(), 1, "the response alone: {:?}", pair.sent);
    pair.advance(9);
    assert_eq!(pair.sent.len(), 1);
    pair.advance(1);
    assert_eq!(pair.sent.len(), 7, "and the new stream: {:?}", pair.sent);
    server.flight(&mut pair, generation);
    assert_eq!((pair.reply(call), &server.flights[..]), (Ok(Reply::Done), &[2][..]));

    // What the app says waits until it is clear that the server has read the two apart.
    let message = pair.send("bob@example.org", "hi");
    let pings = pair.sent.iter().filter(|frame| frame.contains("urn:xmpp:ping")).count();
    assert_eq!((pings, pair.sent.len()), (2, 2));
    server.flight(&mut pair, generation);
    assert!(pair.sent[0].starts_with("<message"), "{:?}", pair.sent);
    server.flight(&mut pair, generation);
    assert!(pair.reply(message).is_ok());
}

#[test]
fn prosody_is_not_hurried_so_far_where_the_way_is_short() {
    for (way, flights) in [(39, 3), (40, 2)] {
        let (mut pair, mut server) = acquainted_with_prosody();
        server.way = way;
        login(&mut pair, &mut server);
        assert_eq!(server.flights, [flights], "{way} ms");
    }
}

#[test]
fn prosody_that_stumbles_all_the_same_costs_no_message() {
    let (mut pair, mut server) = acquainted_with_prosody();
    server.quirk = Quirk::Stumbles;
    let call = login(&mut pair, &mut server);
    assert_eq!((pair.reply(call), &server.flights[..]), (Ok(Reply::Done), &[2][..]));
    let message = pair.send("bob@example.org", "hi");
    let question = pair.iq(Some("bob@example.org"));
    let given_up = pair.send("bob@example.org", "never mind");
    pair.abort(given_up);
    let generation = pair.generation();
    server.flight(&mut pair, generation);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    assert!(pair.is_open(message) && pair.is_open(question));
    pair.sent.clear();
    pair.advance(1_000);
    server.flights.clear();
    // In no haste, and not ever again.
    server.serve_until(&mut pair, |pair| pair.engine.status() == Status::Online);
    assert_eq!(server.flights, [5]);
    let said: Vec<&String> = pair.sent.iter().filter(|frame| frame.contains("bob@")).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    logout(&mut pair);
    server.flights.clear();
    login(&mut pair, &mut server);
    assert_eq!(server.flights, [5]);
}

#[test]
fn who_leaves_at_once_leaves_nothing_unsaid() {
    let (mut pair, mut server) = acquainted_with_prosody();
    login(&mut pair, &mut server);
    pair.sent.clear();
    pair.send("bob@example.org", "hi");
    pair.nothing_sent();
    pair.call(stanzawire::engine::Command::Disconnect);
    assert!(pair.sent[0].starts_with("<message"), "{:?}", pair.sent);
}

#[test]
fn without_reconnection_prosody_is_not_hurried_past_its_login() {
    let mut config = config();
    config.session.reconnect = None;
    let mut pair = Pair::new(config);
    let mut server = Server::new(Quirk::None);
    server.prosody = true;
    for flights in [4, 3] {
        server.flights.clear();
        login(&mut pair, &mut server);
        assert_eq!(server.flights, [flights]);
        logout(&mut pair);
    }
}
