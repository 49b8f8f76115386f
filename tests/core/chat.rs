//! Messages: RFC 6121 §5, XEP-0359, XEP-0203, and the promise that a sent message has been taken.

use crate::pair::{NS_CLIENT, Pair, config};
use crate::rooms;
use crate::server::Fault;
use stanzawire::engine::{Command, Reply};
use stanzawire::error::{Code, Phase};
use stanzawire::im::chat::{self, MessageType, OutgoingMessage};
use stanzawire::im::{self};
use stanzawire::xml::Element;

/// A message from there.
pub fn said(from: &str, kind: &str, id: &str, content: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}' to='alice@example.org/here' type='{kind}' id='{id}'>{content}</message>"
    )
}

/// What an app's call sends, which the server takes, and what that resolves to.
pub fn taken(pair: &mut Pair, name: &str, args: serde_json::Value) -> (Element, serde_json::Value) {
    let call = pair.im(name, args);
    let message = pair.element();
    assert!(message.is("message", NS_CLIENT));
    pair.confirm();
    (message, pair.value(call))
}

#[test]
fn rfc6121_5_a_message_out() {
    let mut pair = Pair::online();
    let text = "<&\"'> and an emoji 🦊 ]]>\r\n\tend";
    let call = pair.send("Bob@Example.org/Phone", text);
    let message = pair.element();
    assert!(message.is("message", NS_CLIENT));
    assert_eq!(message.attr("to"), Some("bob@example.org/Phone"));
    assert_eq!(message.attr("type"), Some("chat"));
    assert_eq!(message.child_text("body", NS_CLIENT).as_deref(), Some(text));
    let id = message.attr("id").unwrap();
    assert_eq!(id.len(), 22, "128 random bits");
    assert_eq!(
        message.child("origin-id", "urn:xmpp:sid:0").unwrap().attr("id"),
        Some(id)
    );
    assert!(pair.is_open(call), "not before the server has taken it");
    pair.confirm();
    let Ok(Reply::Im(im::Reply::Chat(sent))) = pair.reply(call) else {
        panic!("sent")
    };
    assert_eq!(
        (sent.id.as_str(), sent.origin_id.as_str(), sent.to.as_str()),
        (id, id, "bob@example.org/Phone")
    );
}

#[test]
fn one_ping_confirms_all_that_went_before_it_and_no_more() {
    let mut pair = Pair::online();
    let first = pair.send("bob@example.org", "1");
    pair.element();
    let ping = pair.element();
    let second = pair.send("bob@example.org", "2");
    let third = pair.send("bob@example.org", "3");
    pair.element();
    pair.element();
    pair.nothing_sent();
    pair.answer(&ping, "");
    assert!(pair.reply(first).is_ok());
    assert!(pair.is_open(second) && pair.is_open(third));
    pair.confirm();
    assert!(pair.reply(second).is_ok() && pair.reply(third).is_ok());
    pair.nothing_sent();
}

#[test]
fn only_the_server_can_confirm() {
    let mut pair = Pair::online();
    let call = pair.send("bob@example.org", "1");
    pair.element();
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in [
        "from='mallory@example.org/x'",
        "from='alice@example.org/here'",
        "from='example.com'",
        "",
    ] {
        pair.receive(&format!("<iq xmlns='jabber:client' type='result' id='{id}' {from}/>"));
        assert!(pair.is_open(call), "{from}");
    }
    // An error is an answer as well.
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='example.org'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert!(pair.reply(call).is_ok());
}

#[test]
fn rfc6120_8_3_a_bounced_message_fails_its_promise() {
    let mut pair = Pair::online();
    let call = pair.send("nobody@example.org", "hello?");
    let id = pair.element().attr("id").unwrap().to_owned();
    let bounce = |from: &str| {
        format!(
            "<message xmlns='jabber:client' type='error' id='{id}' from='{from}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
    };
    pair.receive(&bounce("mallory@example.org"));
    assert!(pair.is_open(call), "not theirs to bounce");
    assert_eq!(pair.messages().len(), 1);
    pair.receive(&bounce("nobody@example.org"));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::StanzaError, Phase::Stanza));
    assert_eq!(error.condition(), Some("service-unavailable"));
    // Once settled, it is news for the listeners.
    pair.receive(&bounce("nobody@example.org"));
    let last = pair.messages().pop().unwrap();
    assert_eq!(
        (last.kind, last.condition.as_deref()),
        (MessageType::Error, Some("service-unavailable"))
    );
}

#[test]
fn a_lost_connection_leaves_no_one_wondering() {
    // A server that has neither stream management nor an archive.
    let comes_back = |pair: &mut Pair| {
        pair.sent.clear();
        pair.advance(1_000);
        pair.open_socket();
        pair.login(&Fault::None);
        for child in ["metadata", "query"] {
            let asked = pair.sent.iter().position(|frame| frame.contains("urn:xmpp:mam:2"));
            let asked = pair.sent.remove(asked.expect("the archive is asked")).unwrap();
            let asked = stanzawire::xml::read(&asked, &Default::default()).unwrap();
            assert_eq!(asked.children().next().unwrap().name(), child);
            let id = asked.attr("id").unwrap();
            pair.receive(&format!("<iq xmlns='jabber:client' type='error' id='{id}'/>"));
        }
    };
    let mut pair = Pair::online();
    let call = pair.send("bob@example.org", "1");
    pair.close_socket();
    assert!(pair.is_open(call));
    comes_back(&mut pair);
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);

    // One that no longer answers is a lost connection too.
    let mut pair = Pair::online();
    let call = pair.send("bob@example.org", "1");
    pair.advance(30_000);
    assert_eq!(pair.closed, 1);
    comes_back(&mut pair);
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
}

#[test]
fn sending_while_offline_is_refused_at_once() {
    let mut pair = Pair::new(config());
    let call = pair.send("bob@example.org", "1");
    assert_eq!(
        (pair.error(call).code(), pair.error(call).phase()),
        (Code::Offline, Phase::Session)
    );
    let call = pair.connect();
    let early = pair.send("bob@example.org", "1");
    assert_eq!(pair.error(early).code(), Code::Offline);
    assert!(pair.is_open(call));
}

#[test]
fn what_cannot_be_sent_is_refused_here() {
    let mut pair = Pair::online();
    let mut send = |message: OutgoingMessage| {
        let call = pair.call(Command::Im {
            command: im::Command::Chat(chat::Command::Send(Box::new(message))),
            timeout: None,
        });
        pair.nothing_sent();
        pair.error(call).code()
    };
    let message = |body: &str| OutgoingMessage {
        to: "bob@example.org".into(),
        body: Some(body.into()),
        ..Default::default()
    };
    assert_eq!(send(message("\0")), Code::InvalidArgument);
    assert_eq!(send(message("\u{fffe}")), Code::InvalidArgument);
    assert_eq!(send(message("\u{1b}[0m")), Code::InvalidArgument);
    for to in ["", "@example.org", "bob@", "bob@example.org/", "bob smith@example.org"] {
        assert_eq!(
            send(OutgoingMessage {
                to: to.into(),
                ..message("x")
            }),
            Code::InvalidJid
        );
    }
    assert_eq!(
        send(OutgoingMessage {
            kind: Some(MessageType::Error),
            ..message("x")
        }),
        Code::InvalidArgument
    );
    assert_eq!(
        send(OutgoingMessage {
            id: Some(String::new()),
            ..message("x")
        }),
        Code::InvalidArgument
    );
}

#[test]
fn rfc6121_5_a_message_in() {
    let mut pair = Pair::online();
    pair.receive(
        "<message xmlns='jabber:client' from='bob@example.org/phone' to='alice@example.org' type='chat' id='m1'>\
         <subject>Re</subject><body>Hi &amp; &lt;b&gt;</body><thread>t</thread>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='mallory@example.org' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='genuine'/>\
         <origin-id xmlns='urn:xmpp:sid:0' id='o1'/>\
         <delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/></message>",
    );
    let message = pair.messages().pop().unwrap();
    assert_eq!(message.from, "bob@example.org/phone");
    assert_eq!(message.to, "alice@example.org");
    assert_eq!(message.kind, MessageType::Chat);
    assert_eq!(
        (message.id.as_deref(), message.thread.as_deref()),
        (Some("m1"), Some("t"))
    );
    assert_eq!(
        (message.body.as_deref(), message.subject.as_deref()),
        (Some("Hi & <b>"), Some("Re"))
    );
    assert_eq!(
        message.stanza_id.as_deref(),
        Some("genuine"),
        "XEP-0359 §5: by whose archive it is"
    );
    assert_eq!(message.origin_id.as_deref(), Some("o1"));
    assert_eq!(message.delay.unwrap().0, "2026-11-21T10:00:00Z");
}

#[test]
fn xep0359_5_a_rooms_id_counts_for_a_rooms_message() {
    let mut pair = rooms::entered(rooms::ALL);
    pair.receive(
        "<message xmlns='jabber:client' from='tea@rooms.example.org/Bob' type='groupchat'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='account'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='tea@rooms.example.org' id='room'/></message>",
    );
    assert_eq!(pair.messages().pop().unwrap().stanza_id.as_deref(), Some("room"));
}

#[test]
fn xep0359_5_what_a_server_left_in_counts_less_than_what_it_put_behind() {
    let mut pair = Pair::online();
    pair.receive(
        "<message xmlns='jabber:client' from='mallory@example.org/x' to='alice@example.org/x' type='chat'><body>x</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='genuine'/></message>",
    );
    assert_eq!(pair.messages().pop().unwrap().stanza_id.as_deref(), Some("genuine"));
}

#[test]
fn rfc6121_5_2_2_unknown_types_are_normal() {
    let mut pair = Pair::online();
    pair.receive("<message xmlns='jabber:client' from='a@b' type='new'><body>x</body></message>");
    pair.receive("<message xmlns='jabber:client' from='a@b'><body>x</body></message>");
    assert!(
        pair.messages()
            .iter()
            .all(|message| message.kind == MessageType::Normal)
    );
}

#[test]
fn a_sender_that_no_jid_can_name_costs_no_message() {
    let mut pair = Pair::online();
    pair.receive(
        "<message xmlns='jabber:client' from='&#x2615;@muc.example.org/n' type='chat'><body>x</body></message>",
    );
    assert_eq!(pair.messages().pop().unwrap().from, "☕@muc.example.org/n");
}

#[test]
fn what_has_nothing_to_read_is_no_message() {
    let mut pair = Pair::online();
    pair.receive(
        "<message xmlns='jabber:client' from='a@b' type='chat'><store xmlns='urn:xmpp:hints'/>\
         <request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><thread>t</thread></message>",
    );
    pair.receive("<message xmlns='urn:other' from='a@b'><body xmlns='jabber:client'>x</body></message>");
    pair.receive("<message xmlns='jabber:client' from='a@b'><body xmlns='urn:other'>x</body></message>");
    assert_eq!(pair.messages(), []);
}

#[test]
fn a_message_beyond_all_measure_is_too_large() {
    let mut pair = Pair::online();
    let call = pair.send("bob@example.org", &"x".repeat(9 << 20));
    assert_eq!(pair.error(call).code(), Code::TooLarge);
    pair.nothing_sent();
}

#[test]
fn giving_up_on_a_message_under_way_is_no_reason_to_send_it_again() {
    let sent_within = |pair: &mut Pair, timeout| {
        pair.call(Command::Im {
            command: im::Command::Chat(chat::Command::Send(Box::new(OutgoingMessage {
                to: "bob@example.org".into(),
                body: Some("1".into()),
                ..Default::default()
            }))),
            timeout: Some(timeout),
        })
    };
    let mut pair = Pair::online();
    let call = sent_within(&mut pair, 200);
    pair.advance(200);
    let error = pair.error(call);
    assert_eq!((error.code(), error.retryable()), (Code::Timeout, false));
    // One that never left is another matter.
    pair.close_socket();
    let call = sent_within(&mut pair, 0);
    pair.advance(0);
    let error = pair.error(call);
    assert_eq!((error.code(), error.retryable()), (Code::Timeout, true));
}
