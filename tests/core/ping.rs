//! XEP-0199, both ways.

use crate::pair::Pair;
use stanzawire::engine::{Command, Reply, Ticket};
use stanzawire::error::Code;
use stanzawire::im::{self, ping};
use stanzawire::jid::Jid;

fn ping(pair: &mut Pair, to: Option<&str>, timeout: Option<u64>) -> Ticket {
    pair.call(Command::Im {
        command: im::Command::Ping(ping::Command::Ping(to.map(|to| Jid::parse(to).unwrap()))),
        timeout,
    })
}

#[test]
fn xep0199_4_the_time_it_took() {
    let mut pair = Pair::online();
    let call = ping(&mut pair, None, None);
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), Some("example.org")));
    assert!(iq.child("ping", "urn:xmpp:ping").is_some());
    pair.advance(120);
    pair.answer(&iq, "");
    assert_eq!(pair.reply(call), Ok(Reply::Im(im::Reply::Ping(120))));
}

#[test]
fn xep0199_4_2_a_service_that_does_not_know_pings_is_there_all_the_same() {
    for (condition, there) in [("service-unavailable", true), ("remote-server-not-found", false)] {
        let mut pair = Pair::online();
        let call = ping(&mut pair, Some("muc.example.org"), None);
        let id = pair.element().attr("id").unwrap().to_owned();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}' from='muc.example.org'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        assert_eq!(pair.reply(call).is_ok(), there);
    }
}

#[test]
fn a_ping_ends_when_the_caller_says_so() {
    let mut pair = Pair::online();
    let timed = ping(&mut pair, Some("bob@example.org/x"), Some(500));
    let aborted = ping(&mut pair, Some("bob@example.org/x"), None);
    pair.abort(aborted);
    assert_eq!(pair.error(aborted).code(), Code::Aborted);
    pair.advance(500);
    assert_eq!(pair.error(timed).code(), Code::Timeout);
}

#[test]
fn xep0199_4_2_we_answer() {
    let mut pair = Pair::online();
    pair.receive("<iq xmlns='jabber:client' type='get' id='p' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    let answer = pair.element();
    assert_eq!(
        (answer.attr("type"), answer.attr("id"), answer.attr("to")),
        (Some("result"), Some("p"), Some("example.org"))
    );
}

#[test]
fn rfc6121_8_5_3_2_3_a_user_who_is_not_there_is_not_there() {
    let unavailable = |to: &str| {
        let mut pair = Pair::online();
        let call = ping(&mut pair, Some(to), None);
        let id = pair.element().attr("id").unwrap().to_owned();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}' from='{to}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
        pair.reply(call)
    };
    assert!(unavailable("bob@example.org/gone").is_err());
    assert!(unavailable("muc.example.org").is_ok());
}

#[test]
fn the_time_without_a_connection_does_not_count() {
    let mut pair = Pair::online();
    pair.close_socket();
    let call = ping(&mut pair, None, None);
    pair.advance(5_000);
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    pair.take_first_stanzas();
    let iq = pair.element();
    pair.advance(7);
    pair.answer(&iq, "");
    assert_eq!(pair.reply(call), Ok(Reply::Im(im::Reply::Ping(7))));
}
