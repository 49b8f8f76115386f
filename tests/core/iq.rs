//! Requests and who may answer them: RFC 6120 §8.2.3, §8.1.2.1.

use crate::pair::Pair;
use stanzawire::engine::Reply;
use stanzawire::error::{Code, Phase};

#[test]
fn rfc6120_8_2_3_a_result_and_its_payload() {
    let mut pair = Pair::online();
    let call = pair.iq(Some("bob@example.org/x"));
    let iq = pair.element();
    assert_eq!(
        (iq.attr("type"), iq.attr("to")),
        (Some("get"), Some("bob@example.org/x"))
    );
    pair.answer(&iq, "<answer xmlns='urn:example'/>");
    let Ok(Reply::Payload(Some(payload))) = pair.reply(call) else {
        panic!("a payload")
    };
    assert!(payload.is("answer", "urn:example"));

    let call = pair.iq(None);
    let iq = pair.element();
    assert_eq!(iq.attr("to"), None);
    pair.answer(&iq, "");
    assert_eq!(pair.reply(call), Ok(Reply::Payload(None)));
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_can_answer() {
    for (to, forged) in [
        (
            Some("bob@example.org/x"),
            vec!["mallory@example.org/x", "bob@example.org", "bob@example.org/y", ""],
        ),
        (
            None,
            vec![
                "mallory@example.org",
                "alice@example.org/elsewhere",
                "example.com",
                "alice@example.com",
            ],
        ),
        (Some("example.org"), vec!["alice@example.org", "muc.example.org", ""]),
    ] {
        let mut pair = Pair::online();
        let call = pair.iq(to);
        let iq = pair.element();
        let id = iq.attr("id").unwrap();
        for from in forged {
            let from = if from.is_empty() {
                String::new()
            } else {
                format!("from='{from}'")
            };
            pair.receive(&format!(
                "<iq xmlns='jabber:client' type='result' id='{id}' {from}><lie xmlns='urn:x'/></iq>"
            ));
            assert!(pair.is_open(call), "{to:?} was answered {from}");
        }
        pair.receive("<iq xmlns='jabber:client' type='result' id='another'/>");
        assert!(pair.is_open(call));
        pair.nothing_sent();
        pair.answer(&iq, "");
        assert!(pair.reply(call).is_ok());
    }
}

#[test]
fn rfc6120_8_3_an_error_keeps_its_condition_and_text() {
    let mut pair = Pair::online();
    let call = pair.iq(None);
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Not you</text></error></iq>"
    ));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::StanzaError, Phase::Stanza));
    assert_eq!((error.condition(), error.text()), (Some("forbidden"), Some("Not you")));
}

#[test]
fn an_unanswered_request_is_given_up() {
    let mut pair = Pair::online();
    let call = pair.iq(None);
    let iq = pair.element();
    pair.advance(29_999);
    assert!(pair.is_open(call));
    pair.advance(1);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::Timeout, Phase::Stanza));
    // A late answer changes nothing.
    pair.answer(&iq, "");
    assert_eq!(pair.error(call).code(), Code::Timeout);
}

#[test]
fn a_lost_connection_ends_the_questions() {
    let mut pair = Pair::online();
    let call = pair.iq(None);
    pair.close_socket();
    let error = pair.error(call);
    assert_eq!((error.code(), error.retryable()), (Code::Closed, true));
}
