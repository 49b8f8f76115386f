//! Presence: RFC 6121 §4.

use crate::pair::{NS_CLIENT, NS_MAM, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Reply};
use stanzawire::error::Code;
use stanzawire::im;
use stanzawire::im::presence::{self, PresenceInit, PresenceType, Show};

fn set(pair: &mut Pair, presence: PresenceInit) -> stanzawire::engine::Ticket {
    pair.call(Command::Im {
        command: im::Command::Presence(presence::Command::Set(presence)),
        timeout: None,
    })
}

#[test]
fn rfc6121_4_2_1_initial_presence() {
    let mut config = config();
    config.im.presence = Some(PresenceInit {
        show: Some(Show::Dnd),
        status: Some("<busy>".into()),
        priority: Some(-1),
    });
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let (_, presence) = pair.take_first_stanzas();
    assert_eq!((presence.attr("to"), presence.attr("type")), (None, None));
    assert_eq!(presence.child_text("show", NS_CLIENT).as_deref(), Some("dnd"));
    assert_eq!(presence.child_text("status", NS_CLIENT).as_deref(), Some("<busy>"));
    assert_eq!(presence.child_text("priority", NS_CLIENT).as_deref(), Some("-1"));
}

#[test]
fn without_presence_nobody_is_told() {
    let mut config = config();
    config.im.presence = None;
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    assert!(pair.element().child("query", "jabber:iq:roster").is_some());
    assert!(pair.element().child("metadata", NS_MAM).is_some());
    pair.nothing_sent();
}

#[test]
fn rfc6121_4_4_a_changed_presence_is_sent_and_kept() {
    let mut pair = Pair::online();
    let away = PresenceInit {
        show: Some(Show::Away),
        ..PresenceInit::default()
    };
    let call = set(&mut pair, away);
    assert_eq!(pair.reply(call), Ok(Reply::Im(im::Reply::Presence(()))));
    assert_eq!(pair.element().child_text("show", NS_CLIENT).as_deref(), Some("away"));
    pair.close_socket();
    pair.advance(1_000);
    pair.open_socket();
    pair.login(&Fault::None);
    let (_, presence) = pair.take_first_stanzas();
    assert_eq!(presence.child_text("show", NS_CLIENT).as_deref(), Some("away"));
}

#[test]
fn a_presence_that_xml_cannot_carry_is_refused() {
    let mut pair = Pair::online();
    let call = set(
        &mut pair,
        PresenceInit {
            status: Some("\u{1}".into()),
            ..PresenceInit::default()
        },
    );
    assert_eq!(pair.error(call).code(), Code::InvalidArgument);
    pair.nothing_sent();
}

#[test]
fn rfc6121_4_7_presence_in() {
    let mut pair = Pair::online();
    pair.receive(
        "<presence xmlns='jabber:client' from='bob@example.org/x'><show>xa</show><status>out</status>\
         <priority> 5 </priority></presence>",
    );
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x' type='unavailable'/>");
    pair.receive("<presence xmlns='jabber:client' from='carol@example.org' type='subscribe'/>");
    // Nobody's, or of no known type.
    pair.receive("<presence xmlns='jabber:client'/>");
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x' type='probe'/>");
    let seen = pair.presences();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].from, "bob@example.org/x");
    assert_eq!((seen[0].kind, seen[0].show), (None, Some(Show::Xa)));
    assert_eq!((seen[0].status.as_deref(), seen[0].priority), (Some("out"), 5));
    assert_eq!(seen[1].kind, Some(PresenceType::Unavailable));
    assert_eq!(seen[2].kind, Some(PresenceType::Subscribe));
}

#[test]
fn rfc6121_4_7_2_values_that_do_not_fit() {
    let mut pair = Pair::online();
    pair.receive(
        "<presence xmlns='jabber:client' from='bob@example.org/x'><show>sleepy</show><priority>999</priority></presence>",
    );
    let seen = pair.presences().pop().unwrap();
    assert_eq!((seen.show, seen.priority), (None, 0));
}

#[test]
fn a_presence_that_is_not_sent_is_not_resolved() {
    let mut pair = Pair::online();
    pair.call(Command::Disconnect);
    let call = set(&mut pair, PresenceInit::default());
    assert_eq!(pair.error(call).code(), Code::Offline);
}
