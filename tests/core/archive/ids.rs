//! Messages in doubt whose ids are the app's own.

use super::{again, bodies, fin, knowing, page, refuse, sent};
use crate::pair::{NS_MAM, Pair};
use stanzawire::engine::{Command, Ticket};
use stanzawire::im;
use stanzawire::im::chat;
use stanzawire::xml::{self, Element};

fn send_element(pair: &mut Pair, message: &str) -> (Ticket, Element) {
    let message = xml::read(message, &xml::Limits::default()).unwrap();
    let call = pair.call(Command::SendElement(message));
    let frame = pair.sent.iter().find(|frame| frame.starts_with("<message")).cloned();
    pair.sent.clear();
    (call, xml::read(&frame.unwrap(), &xml::Limits::default()).unwrap())
}

/// As the archive has it.
fn archived(at: &str, message: &Element) -> (String, String) {
    let message = message.clone().with_attr("from", "alice@example.org/here");
    (at.to_owned(), xml::write(&message).unwrap())
}

/// Ends a search in which nothing else was found, by an archive that keeps everything.
fn end(pair: &mut Pair) {
    let asks = |frame: &String| frame.contains(NS_MAM);
    while let Some(place) = pair.sent.iter().position(asks) {
        let frame = pair.sent.remove(place).unwrap();
        let asked = xml::read(&frame, &xml::Limits::default()).unwrap();
        if asked.child("prefs", NS_MAM).is_some() {
            refuse(pair, &asked, "cancel", "feature-not-implemented");
        } else if frame.contains("<before") {
            // Where the search began is still there.
            fin(pair, &asked, Some(("5", "5")), true);
        } else if asked.child("query", NS_MAM).is_some() {
            fin(pair, &asked, None, true);
        }
    }
}

fn messages(pair: &Pair) -> Vec<String> {
    pair.sent
        .iter()
        .filter(|frame| frame.starts_with("<message"))
        .cloned()
        .collect()
}

#[test]
fn what_the_app_sends_without_an_id_is_found_as_well() {
    for message in [
        "<message xmlns='jabber:client' to='bob@example.org' type='chat'><body>1</body></message>",
        "<message xmlns='jabber:client' to='bob@example.org' type='chat' id='x'><body>1</body></message>",
        "<message xmlns='jabber:client' to='bob@example.org' type='chat' id='x'><body>1</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='y'/></message>",
        "<message xmlns='jabber:client' to='bob@example.org' type='chat'><body>1</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='y'/></message>",
    ] {
        let mut pair = knowing("5");
        let (call, message) = send_element(&mut pair, message);
        let asked = again(&mut pair);
        page(&mut pair, &asked, &[archived("6", &message)], true);
        end(&mut pair);
        assert!(messages(&pair).is_empty(), "sent twice: {:?}", messages(&pair));
        assert!(pair.reply(call).is_ok(), "{message:?}");
        assert!(bodies(&pair).is_empty());
    }
}

#[test]
fn one_id_for_two_people_makes_two_messages() {
    let mut pair = knowing("5");
    let calls = ["bob@example.org", "carol@example.org"].map(|to| {
        pair.call(Command::Im {
            command: im::Command::Chat(chat::Command::Send(Box::new(chat::OutgoingMessage {
                to: to.into(),
                body: Some("to all".into()),
                id: Some("one".into()),
                ..Default::default()
            }))),
            timeout: None,
        })
    });
    let asked = again(&mut pair);
    let (at, message) = sent("6", "one", "to all");
    let message = message.replace("bob@example.org", "carol@example.org");
    page(&mut pair, &asked, &[(at, message)], true);
    assert!(pair.reply(calls[1]).is_ok(), "that is hers");
    assert!(pair.is_open(calls[0]), "and not his");
    end(&mut pair);
    let messages = messages(&pair);
    assert!(messages.len() == 1 && messages[0].contains("bob@"), "{messages:?}");
}
