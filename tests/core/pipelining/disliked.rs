//! Servers that dislike what comes early, and are waited for from then on.

use super::*;

#[test]
fn a_server_that_wants_to_be_waited_for_is_waited_for() {
    for (quirk, first, known) in [
        (Quirk::None, &[4][..], &[2][..]),
        (Quirk::HangsUpOnBind, &[4, 5], &[5]),
        (Quirk::RefusesBind, &[4, 5], &[5]),
        (Quirk::Loses, &[4, 5], &[5]),
    ] {
        let mut pair = Pair::new(config());
        let mut server = Server::new(quirk);
        let call = login(&mut pair, &mut server);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{quirk:?}");
        assert_eq!(server.flights, first, "{quirk:?}");
        assert_eq!(
            server.names().iter().filter(|name| **name == "presence").count(),
            0,
            "{quirk:?}: not ahead of anything"
        );
        logout(&mut pair);
        server.flights.clear();
        let call = login(&mut pair, &mut server);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{quirk:?}");
        assert_eq!(server.flights, known, "{quirk:?}");
    }
}

#[test]
fn a_server_that_no_longer_takes_it_is_not_hurried_again() {
    for quirk in [
        Quirk::ErrorOnAuth,
        Quirk::FailureOnAuth,
        Quirk::HangsUpOnBind,
        Quirk::RefusesBind,
        Quirk::Loses,
        Quirk::ProvesInChallenge,
    ] {
        let (mut pair, mut server) = acquainted();
        server.quirk = quirk;
        server.flights.clear();
        let call = login(&mut pair, &mut server);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{quirk:?}");
        assert_eq!(server.flights.len(), 2, "{quirk:?}: two connections");
        pair.take_first_stanzas();
        logout(&mut pair);
        server.flights.clear();
        let call = login(&mut pair, &mut server);
        assert_eq!(pair.reply(call), Ok(Reply::Done), "{quirk:?}");
        let expected = if quirk == Quirk::ProvesInChallenge { 6 } else { 5 };
        assert_eq!(server.flights, [expected], "{quirk:?}");
    }
}

#[test]
fn a_mechanism_that_is_gone_costs_the_haste_and_not_the_login() {
    let (mut pair, mut server) = acquainted();
    server.mechanisms = "<mechanism>SCRAM-SHA-256</mechanism>";
    let call = pair.connect();
    server.heard.push(Vec::new());
    server.flights.push(0);
    server.authenticated = false;
    pair.open_socket();
    let generation = pair.generation();
    server.flight(&mut pair, generation);
    assert!(pair.is_open(call));
    assert_ne!(pair.generation(), generation, "another connection");
    pair.sent.clear();
    pair.open_socket();
    assert_eq!(pair.sent.len(), 1, "the header alone");
}
