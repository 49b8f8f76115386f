//! Requests that others make: RFC 6120 §8.2.3, §8.4.

use crate::pair::{NS_CLIENT, Pair};
use stanzawire::engine::{Command, Event, Match, Ticket};
use stanzawire::error::Code;
use stanzawire::xml::Element;

fn request(kind: &str) -> String {
    format!("<iq xmlns='jabber:client' type='{kind}' id='r1' from='bob@example.org/x'><q xmlns='urn:app'/></iq>")
}

fn requested(pair: &Pair) -> Vec<(Ticket, u32)> {
    let request = |event: &Event| match event {
        Event::Request { request, handler, .. } => Some((*request, *handler)),
        _ => None,
    };
    pair.events.iter().filter_map(request).collect()
}

#[test]
fn rfc6120_8_4_what_nobody_knows_is_unavailable() {
    for kind in ["get", "set"] {
        let mut pair = Pair::online();
        pair.receive(&request(kind));
        let answer = pair.element();
        assert_eq!((answer.attr("type"), answer.attr("id")), (Some("error"), Some("r1")));
        let error = answer.child("error", NS_CLIENT).unwrap();
        assert_eq!(error.attr("type"), Some("cancel"));
        assert_eq!(error.children().next().unwrap().name(), "service-unavailable");
    }
}

#[test]
fn rfc6120_8_3_1_nothing_answers_an_answer() {
    let mut pair = Pair::online();
    for kind in ["result", "error", "new"] {
        pair.receive(&request(kind));
    }
    pair.receive("<message xmlns='jabber:client' type='error' from='a@b'/>");
    pair.receive("<presence xmlns='jabber:client' type='error' from='a@b'/>");
    pair.nothing_sent();
}

#[test]
fn the_app_answers_what_it_said_it_would() {
    let mut pair = Pair::online();
    let wanted = Match {
        xmlns: "urn:app".into(),
        set: Some(false),
    };
    pair.engine.answer(7, wanted);
    pair.receive(&request("set"));
    assert_eq!(pair.element().attr("type"), Some("error"), "only gets were wanted");
    pair.receive(&request("get"));
    pair.nothing_sent();
    let (request_id, handler) = requested(&pair)[0];
    assert_eq!(handler, 7);
    let answer = || Command::Answer {
        request: request_id,
        outcome: Ok(Some(Element::new("a", "urn:app"))),
    };
    pair.call(answer());
    let sent = pair.element();
    assert_eq!(
        (sent.attr("type"), sent.attr("to")),
        (Some("result"), Some("bob@example.org/x"))
    );
    assert!(sent.child("a", "urn:app").is_some());
    // Once.
    pair.call(answer());
    pair.nothing_sent();

    pair.receive(&request("get"));
    let (request_id, _) = requested(&pair)[1];
    pair.call(Command::Answer {
        request: request_id,
        outcome: Err("internal-server-error"),
    });
    let error = pair.element();
    assert_eq!(
        error
            .child("error", NS_CLIENT)
            .unwrap()
            .children()
            .next()
            .unwrap()
            .name(),
        "internal-server-error"
    );

    pair.engine.unanswer(7);
    pair.receive(&request("get"));
    assert_eq!(pair.element().attr("type"), Some("error"));
}

#[test]
fn requests_of_a_lost_session_are_not_answered_in_the_next() {
    let mut pair = Pair::online();
    pair.engine.answer(
        1,
        Match {
            xmlns: "urn:app".into(),
            set: None,
        },
    );
    pair.receive(&request("get"));
    let (request, _) = requested(&pair)[0];
    pair.close_socket();
    pair.call(Command::Answer {
        request,
        outcome: Ok(None),
    });
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    pair.take_first_stanzas();
    pair.nothing_sent();
}

#[test]
fn an_app_that_never_answers_is_not_drowned() {
    let mut pair = Pair::online();
    pair.engine.answer(
        1,
        Match {
            xmlns: "urn:app".into(),
            set: None,
        },
    );
    for _ in 0..1_000 {
        pair.receive(&request("get"));
    }
    pair.nothing_sent();
    pair.receive(&request("get"));
    let error = pair.element();
    assert_eq!(error.child("error", NS_CLIENT).unwrap().attr("type"), Some("wait"));
}

#[test]
fn an_answer_that_cannot_be_sent_is_an_error_to_both() {
    let mut pair = Pair::online();
    let wanted = Match {
        xmlns: "urn:app".into(),
        set: None,
    };
    pair.engine.answer(1, wanted);
    pair.receive(&request("get"));
    let (request, _) = requested(&pair)[0];
    let call = pair.call(Command::Answer {
        request,
        outcome: Ok(Some(Element::new("a", "urn:app").with_text("\0"))),
    });
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    assert_eq!(pair.element().attr("type"), Some("error"));
}
