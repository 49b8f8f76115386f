//! What was under way at a stream error that may be about it is sent one by one.

use super::{FIRST, SM, acknowledge, again, bodies, login, online, resumed, stanzas};
use crate::pair::{Pair, config};
use stanzawire::engine::Input;
use stanzawire::xml;

const BOB: &str = "bob@example.org";
const ERROR: &str = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
                     <invalid-xml xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";

/// An answer to `<r/>`, whatever else has been sent.
fn says(pair: &mut Pair, h: u32) {
    pair.receive(&format!("<a xmlns='{SM}' h='{h}'/>"));
}

#[test]
fn an_old_answer_that_comes_between_does_not_stop_it() {
    let mut pair = online();
    let calls = ["1", "2", "3"].map(|body| pair.send(BOB, body));
    pair.receive(ERROR);
    again(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"]);
    // Another question leaves while the first is under way, and is answered with the same number as the first.
    pair.advance(1_500);
    pair.handle(Input::PageShown);
    says(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), [""; 0], "the first isn't acknowledged");
    says(&mut pair, FIRST + 1);
    assert_eq!(bodies(&mut pair), ["2"]);
    // An answer that was to no question at all is one.
    says(&mut pair, FIRST + 1);
    says(&mut pair, FIRST + 2);
    assert_eq!(bodies(&mut pair), ["3"]);
    acknowledge(&mut pair, FIRST + 3);
    assert!(calls.iter().all(|call| pair.reply(*call).is_ok()));
}

#[test]
fn the_clients_own_questions_come_first() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    login(&mut pair);
    pair.element();
    let asked = pair.sent.iter().find(|frame| frame.contains("<metadata")).unwrap();
    let asked = xml::read(asked, &xml::Limits::default()).unwrap();
    let first = stanzas(&mut pair);
    pair.receive(&format!("<enabled xmlns='{SM}' id='session-1' resume='true'/>"));
    says(&mut pair, first);
    pair.send(BOB, "1");
    pair.send(BOB, "2");
    // The archive is asked something else, and what comes in waits for that.
    let id = asked.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
         <feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert!(
        pair.sent.iter().any(|frame| frame.contains("<query ")),
        "{:?}",
        pair.sent
    );
    pair.receive(ERROR);
    again(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, first);
    assert!(pair.sent.pop_front().is_some_and(|frame| frame.contains("<query ")));
    assert_eq!(bodies(&mut pair), [""; 0], "alone");
    says(&mut pair, first + 1);
    assert_eq!(bodies(&mut pair), ["1"]);
}
