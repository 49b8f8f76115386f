//! Presence: RFC 6121 §4.

use crate::pair::{NS_CLIENT, NS_MAM, Pair, config};
use crate::server::Fault;
use crate::sm;
use serde_json::json;
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
    pair.take_carbons();
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
fn rfc6121_4_7_1_each_type_is_told_as_what_it_is() {
    let mut pair = Pair::online();
    for kind in ["unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed"] {
        pair.receive(&format!(
            "<presence xmlns='jabber:client' from='bob@example.org' type='{kind}'><status>so</status></presence>"
        ));
        let told = pair.told("presence");
        let expected = json!({ "from": "bob@example.org", "type": kind, "status": "so", "priority": 0 });
        assert_eq!(told, [expected]);
    }
}

#[test]
fn rfc6120_8_3_a_presence_that_comes_back_says_why() {
    let mut pair = Pair::online();
    pair.receive(
        "<presence xmlns='jabber:client' from='nobody@example.org' type='error' id='s1'><error type='cancel'>\
         <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
    pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x' type='error'/>");
    let told = pair.told("presence");
    let condition = |told: &serde_json::Value| (told["type"].clone(), told["condition"].clone());
    assert_eq!(condition(&told[0]), (json!("error"), json!("remote-server-not-found")));
    assert_eq!(condition(&told[1]), (json!("error"), json!("undefined-condition")));
    // A condition is the matter of an error alone.
    pair.receive(
        "<presence xmlns='jabber:client' from='bob@example.org/x'><error type='cancel'>\
         <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
    assert_eq!(pair.told("presence")[0].get("condition"), None);
}

#[test]
fn rfc6121_4_7_2_what_is_said_of_ones_own() {
    let mut pair = Pair::online();
    for (presence, said) in [
        (json!({}), [None, None, None]),
        (
            json!({ "show": "chat", "status": "a<b", "priority": 127 }),
            [Some("chat"), Some("a<b"), Some("127")],
        ),
        (
            json!({ "show": "away", "priority": -128 }),
            [Some("away"), None, Some("-128")],
        ),
        (json!({ "show": "xa", "status": "" }), [Some("xa"), Some(""), None]),
        (json!({ "show": "dnd", "status": null }), [Some("dnd"), None, None]),
    ] {
        let call = pair.im("setPresence", json!([presence]));
        assert_eq!(pair.value(call), serde_json::Value::Null);
        let sent = pair.element();
        assert_eq!((sent.attr("to"), sent.attr("type")), (None, None));
        let texts = ["show", "status", "priority"].map(|name| sent.child_text(name, NS_CLIENT));
        assert_eq!(texts.each_ref().map(Option::as_deref), said);
    }
    for presence in [
        json!(null),
        json!("away"),
        json!({ "show": "sleepy" }),
        json!({ "show": 7 }),
        json!({ "status": 7 }),
        json!({ "status": "\u{1}" }),
        json!({ "priority": 128 }),
        json!({ "priority": -129 }),
        json!({ "priority": 0.5 }),
        json!({ "priority": "1" }),
    ] {
        let error = pair
            .try_im("setPresence", json!([presence]))
            .expect_err("it can't be used");
        assert_eq!(error.code(), Code::InvalidArgument, "{presence}");
    }
    pair.nothing_sent();
}

#[test]
fn a_presence_that_is_not_sent_is_not_resolved() {
    let mut pair = Pair::online();
    pair.call(Command::Disconnect);
    let call = set(&mut pair, PresenceInit::default());
    assert_eq!(pair.error(call).code(), Code::Offline);
}

/// What a page with these presences leaves, and its session goes on or not.
fn next_page(presences: &[&str], config: stanzawire::engine::Config, goes_on: bool) -> Pair {
    let hear = |old: &mut Pair| {
        for presence in presences {
            old.receive(&format!("<presence xmlns='jabber:client' {presence}</presence>"));
        }
    };
    next_page_behind(hear, config, goes_on.then_some(sm::FIRST))
}

/// The page behind one in which that has happened; where the session goes on, the server has handled so much of it.
fn next_page_behind(happens: impl FnOnce(&mut Pair), config: stanzawire::engine::Config, h: Option<u32>) -> Pair {
    let mut old = sm::online_with(sm::kept::storing());
    happens(&mut old);
    old.handle(stanzawire::engine::Input::PageHidden);
    let controls = |text: &String| {
        text.chars()
            .any(|c| c.is_control() && !matches!(c, '\u{1e}' | '\u{1f}'))
    };
    assert!(!old.kept.values().any(controls), "those are the record's own");
    let mut pair = Pair::seeded(config, 7);
    pair.kept = old.kept;
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(stanzawire::engine::Input::Loaded { id, value: None });
    sm::kept::log_in(&mut pair);
    pair.sent.clear();
    if let Some(h) = h {
        sm::resumed(&mut pair, h);
        // RFC 6121 §2.2: it is asked for before anything is said.
        let roster = pair.element();
        assert!(roster.child("query", "jabber:iq:roster").is_some());
        pair.sent.retain(|frame| !frame.starts_with("<r "));
    } else {
        sm::failed(&mut pair, None);
        pair.bind(crate::pair::JID);
    }
    pair
}

const THERE: [&str; 6] = [
    "from='bob@example.org/x'><show>dnd</show><status>busy\n&amp;\tquiet</status><priority>5</priority>",
    "from='carol@example.org/y'>",
    "from='carol@example.org/z'><delay xmlns='urn:xmpp:delay' stamp='2026-11-21T10:00:00Z'/>",
    "from='bob@example.org/x'><show>away</show><status>busy\n&amp;\tquiet</status><priority>-5</priority>",
    "from='dave@example.org/gone'>",
    "from='dave@example.org' type='unavailable'>",
];

#[test]
fn who_is_there_is_told_to_the_next_page_whose_session_goes_on() {
    let mut pair = next_page(&THERE, sm::kept::storing(), true);
    let told = pair.presences();
    let from: Vec<&str> = told.iter().map(|event| event.from.as_str()).collect();
    assert_eq!(
        from,
        ["carol@example.org/y", "carol@example.org/z", "bob@example.org/x"]
    );
    let bob = &told[2];
    assert_eq!((bob.show, bob.priority, bob.kind), (Some(Show::Away), -5, None));
    assert_eq!(bob.status.as_deref(), Some("busy\n&\tquiet"));
    assert_eq!(told[1].delay.as_ref().unwrap().0, "2026-11-21T10:00:00Z");
    assert!(
        pair.sent.iter().all(|frame| !frame.starts_with("<presence")),
        "ours is what it was"
    );
    // Once.
    pair.events.clear();
    sm::back(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST);
    assert_eq!(pair.presences(), []);
}

#[test]
fn who_was_there_in_a_session_that_is_over_is_not() {
    let pair = next_page(&THERE, sm::kept::storing(), false);
    assert_eq!(pair.presences(), [], "the server says it anew");
    assert!(pair.sent.iter().any(|frame| frame.starts_with("<presence")));

    // Where the app has been told, it is told.
    let mut pair = next_page(&THERE, sm::kept::storing(), true);
    pair.events.clear();
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    assert_eq!(pair.presences(), []);
    pair.bind(crate::pair::JID);
    let told = pair.presences();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|event| event.kind == Some(PresenceType::Unavailable)));
}

#[test]
fn a_presence_of_ours_that_has_changed_with_the_page_is_said() {
    let mut config = sm::kept::storing();
    config.im.presence = Some(PresenceInit {
        show: Some(Show::Away),
        ..PresenceInit::default()
    });
    let mut pair = next_page(&[], config, true);
    assert_eq!(pair.element().child_text("show", NS_CLIENT).as_deref(), Some("away"));
    // Nothing was to be said: it stays at what the earlier page has said.
    let mut config = sm::kept::storing();
    config.im.presence = None;
    let pair = next_page(&[], config, true);
    assert!(pair.sent.iter().all(|frame| !frame.starts_with("<presence")));
}

#[test]
fn rfc6121_4_2_1_a_presence_of_an_earlier_page_that_the_server_has_not_got_is_said_again() {
    let away = PresenceInit {
        show: Some(Show::Away),
        ..PresenceInit::default()
    };
    // It is this page's own, or that of the earlier one's app alone.
    for own in [Some(away.clone()), None] {
        let next_page = |h: u32| {
            let mut config = sm::kept::storing();
            config.im.presence.clone_from(&own);
            next_page_behind(|old| _ = set(old, away.clone()), config, Some(h))
        };
        let pair = next_page(sm::FIRST + 1);
        assert!(pair.sent.iter().all(|frame| !frame.starts_with("<presence")));
        let mut pair = next_page(sm::FIRST);
        assert_eq!(pair.element().child_text("show", NS_CLIENT).as_deref(), Some("away"));
        // What came meanwhile came to nobody.
        assert!(pair.sent.iter().any(|frame| frame.contains(NS_MAM)), "{:?}", pair.sent);
        // Once.
        let said = 2 + sm::stanzas(&mut pair);
        sm::back(&mut pair);
        pair.sent.clear();
        sm::resumed(&mut pair, sm::FIRST + said);
        assert!(pair.sent.iter().all(|frame| !frame.starts_with("<presence")));
    }
}

#[test]
fn a_presence_that_changes_while_there_is_no_connection_is_said_when_the_session_goes_on() {
    let mut pair = sm::online();
    pair.close_socket();
    let away = PresenceInit {
        show: Some(Show::Away),
        ..PresenceInit::default()
    };
    let call = set(&mut pair, away);
    assert!(pair.reply(call).is_ok());
    sm::again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST);
    assert_eq!(pair.element().child_text("show", NS_CLIENT).as_deref(), Some("away"));
}

#[test]
fn no_more_is_kept_than_fits() {
    let long = "x".repeat(5_000);
    let many: Vec<String> = (0..700)
        .map(|n| {
            format!(
                "from='c{n}@example.org/{n}'><status>{}</status>",
                if n == 0 { &long } else { "here" }
            )
        })
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let pair = next_page(&many, sm::kept::storing(), true);
    let told = pair.presences();
    assert!((400..=500).contains(&told.len()), "{}", told.len());
    assert_eq!(
        (told[0].status.as_deref(), told[1].status.as_deref()),
        (None, Some("here"))
    );
    let header = pair.kept.values().map(String::len).max().unwrap();
    assert!(header < 70_000, "{header}");
}
