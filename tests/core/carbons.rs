//! Copies of what the account's other clients send and are sent: XEP-0280.

use crate::pair::{JID, NS_CLIENT, NS_MAM, Pair, config};
use crate::sasl2::{BIND2, FULL, INLINE, announce, authenticate, bound, enabled, header, scram, success};
use crate::server::Fault;
use crate::sm;
use stanzawire::im::carbons::Carbon;
use stanzawire::im::chat::MessageType;
use stanzawire::jid::Jid;
use stanzawire::sasl::Credentials;
use stanzawire::session::{CredentialSource, Status};

const CARBONS: &str = "urn:xmpp:carbons:2";
const BOB: &str = "bob@example.org/phone";
const OWN: &str = "alice@example.org";

/// A message between these two, with the archive's id for it.
pub fn message(from: &str, to: &str, body: &str, id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{from}' to='{to}' type='chat' id='m-{body}'><body>{body}</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='{id}'/></message>"
    )
}

/// A carbon from there.
pub fn carbon_from(from: &str, kind: &str, message: &str) -> String {
    format!(
        "<message xmlns='jabber:client'{from} to='alice@example.org/here' type='chat'>\
         <{kind} xmlns='{CARBONS}'><forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></{kind}></message>"
    )
}

/// A carbon as the own server makes them.
pub fn carbon(kind: &str, message: &str) -> String {
    carbon_from(" from='alice@example.org'", kind, message)
}

pub fn received(body: &str, id: &str) -> String {
    carbon("received", &message(BOB, "alice@example.org/phone", body, id))
}

pub fn sent(body: &str, id: &str) -> String {
    carbon("sent", &message("alice@example.org/phone", BOB, body, id))
}

fn bodies(pair: &Pair) -> Vec<String> {
    pair.messages().into_iter().filter_map(|message| message.body).collect()
}

#[test]
fn xep0386_2_2_they_are_enabled_along_with_the_resource() {
    for (offer, asked) in [
        (INLINE.to_owned(), true),
        (INLINE.replace(CARBONS, "urn:example"), false),
    ] {
        let mut pair = Pair::new(config());
        pair.connect();
        pair.open_socket();
        header(&mut pair);
        announce(&mut pair, &["SCRAM-SHA-1"], &offer);
        let login = authenticate(&mut pair, "SCRAM-SHA-1");
        let bind = login.child("bind", BIND2).unwrap();
        assert_eq!(bind.child("enable", CARBONS).is_some(), asked, "{offer}");
        // §4.1: it succeeds without a word.
        let proof = scram(&mut pair, &login);
        success(&mut pair, Some(&proof), FULL, &bound(&enabled("session-1")));
        let later = pair.sent.iter().any(|frame| frame.contains(CARBONS));
        assert_eq!(later, !asked, "{:?}", pair.sent);
    }
}

#[test]
fn xep0280_4_they_are_asked_for_between_the_presence_and_the_archive() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    assert!(pair.reply(call).is_ok(), "nobody waits for them");
    assert!(pair.element().child("query", "jabber:iq:roster").is_some());
    assert!(pair.element().is("presence", NS_CLIENT));
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), None));
    assert!(asked.child("enable", CARBONS).is_some());
    assert!(pair.element().child("metadata", NS_MAM).is_some());
    // A server that has none says so.
    let id = asked.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='{NS_CLIENT}' type='error' id='{id}'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    pair.nothing_sent();
    assert_eq!(pair.engine.status(), Status::Online);
    // One that says nothing keeps nobody waiting either.
    pair.advance(60_000);
    assert_eq!(pair.engine.status(), Status::Online);
    assert!(!pair.sent.iter().any(|frame| frame.contains(CARBONS)));
}

#[test]
fn they_are_asked_for_in_each_session_and_once() {
    let mut pair = sm::online();
    sm::back(&mut pair);
    sm::resumed(&mut pair, sm::FIRST);
    assert!(!pair.sent.iter().any(|frame| frame.contains(CARBONS)), "it goes on");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(JID);
    let asked = pair.sent.iter().filter(|frame| frame.contains(CARBONS)).count();
    assert_eq!(asked, 1);
}

#[test]
fn who_wants_none_asks_for_none() {
    let mut config = config();
    config.im.carbons = false;
    let mut pair = Pair::new(config.clone());
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    assert!(!pair.sent.is_empty() && !pair.sent.iter().any(|frame| frame.contains(CARBONS)));

    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], INLINE);
    let login = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(login.child("bind", BIND2).unwrap().child("enable", CARBONS).is_none());
    let proof = scram(&mut pair, &login);
    success(&mut pair, Some(&proof), FULL, &bound(&enabled("session-1")));
    assert!(!pair.sent.is_empty() && !pair.sent.iter().any(|frame| frame.contains(CARBONS)));
}

#[test]
fn nobody_else_has_an_anonymous_account() {
    let mut config = config();
    config.session.account = Jid::parse("example.org").unwrap();
    config.session.credentials = CredentialSource::Fixed(Credentials::Anonymous);
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>ANONYMOUS</mechanism>");
    pair.element();
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind("guest@example.org/x");
    assert!(pair.sent.iter().any(|frame| frame.contains("jabber:iq:roster")));
    assert!(
        !pair.sent.iter().any(|frame| frame.contains(CARBONS)),
        "{:?}",
        pair.sent
    );
    // Nor is anything asked ahead.
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    pair.open_socket();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    pair.receive(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
         <mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>",
    );
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    assert!(
        pair.sent.iter().any(|frame| frame.contains("jabber:iq:roster")),
        "{:?}",
        pair.sent
    );
    assert!(
        !pair.sent.iter().any(|frame| frame.contains(CARBONS)),
        "{:?}",
        pair.sent
    );
}

#[test]
fn xep0280_7_what_another_client_was_sent() {
    let mut pair = Pair::online();
    pair.receive(&received("hi", "7"));
    let [told] = &pair.messages()[..] else {
        panic!("one message")
    };
    assert_eq!(told.carbon, Some(Carbon::Received));
    assert_eq!((told.from.as_str(), told.to.as_str()), (BOB, "alice@example.org/phone"));
    assert_eq!((told.kind, told.body.as_deref()), (MessageType::Chat, Some("hi")));
    assert_eq!(
        (told.id.as_deref(), told.stanza_id.as_deref()),
        (Some("m-hi"), Some("7"))
    );
    assert!(told.delay.is_none());
}

#[test]
fn xep0280_8_what_another_client_has_sent() {
    let mut pair = Pair::online();
    pair.receive(&sent("hi", "7"));
    let [told] = &pair.messages()[..] else {
        panic!("one message")
    };
    assert_eq!(told.carbon, Some(Carbon::Sent));
    assert_eq!((told.from.as_str(), told.to.as_str()), ("alice@example.org/phone", BOB));
    assert_eq!(told.stanza_id.as_deref(), Some("7"));
    // What comes as it is is none.
    pair.receive(&message(BOB, OWN, "direct", "8"));
    assert_eq!(pair.messages()[1].carbon, None);
}

/// The 2017 carbons advisory: clients took a carbon of anybody's for one of the account's, and so a message from whomever it named.
#[test]
fn xep0280_11_a_carbon_is_the_own_accounts() {
    for from in [
        "mallory@example.org/x",
        "mallory@example.org",
        "example.org",
        "alice@example.org/here",
        "alice@example.org/phone",
        "alice@example.com",
        "",
        "@@",
    ] {
        for kind in ["sent", "received"] {
            let mut pair = Pair::online();
            let inner = match kind {
                "sent" => message("alice@example.org/phone", BOB, "forged", "7"),
                _ => message(BOB, "alice@example.org/phone", "forged", "7"),
            };
            let forged = carbon_from(&format!(" from='{from}'"), kind, &inner);
            pair.receive(&forged);
            // Whoever says more than that is not heard either.
            let more = format!("<body>forged</body><{kind} ");
            pair.receive(&forged.replacen(&format!("<{kind} "), &more, 1));
            assert_eq!(pair.messages(), [], "{forged}");
            // It takes nobody's place: the id counts only by the own archive.
            pair.receive(&message(BOB, OWN, "genuine", "7"));
            assert_eq!(bodies(&pair), ["genuine"], "{forged}");
        }
    }
    // RFC 6120 §8.1.2.1: nobody is the own account.
    let mut pair = Pair::online();
    let inner = message(BOB, "alice@example.org/phone", "genuine", "7");
    pair.receive(&carbon_from("", "received", &inner));
    pair.receive(&carbon_from(
        " from='ALICE@example.org'",
        "received",
        &inner.replace("7", "8"),
    ));
    assert_eq!(bodies(&pair), ["genuine"; 2]);
}

#[test]
fn xep0280_11_a_carbon_in_the_archive_is_not_opened() {
    use stanzawire::xml::Element;
    let mut pair = Pair::online();
    pair.receive(&message(BOB, OWN, "first", "1"));
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    pair.login(&Fault::None);
    let is_query = |asked: &Element| asked.child("query", NS_MAM).is_some();
    let asked = (0..4).map(|_| pair.element()).find(is_query).unwrap();
    let query = asked
        .child("query", NS_MAM)
        .unwrap()
        .attr("queryid")
        .unwrap()
        .to_owned();
    for (id, from) in [("2", " from='mallory@example.org/x'"), ("3", "")] {
        let forged = carbon_from(from, "received", &message(BOB, OWN, "forged", "9"));
        let forged = forged.replacen("<received ", "<body>forged</body><received ", 1);
        pair.receive(&format!(
            "<message xmlns='jabber:client'><result xmlns='{NS_MAM}' queryid='{query}' id='{id}'>\
             <forwarded xmlns='urn:xmpp:forward:0'>{forged}</forwarded></result></message>"
        ));
    }
    assert_eq!(bodies(&pair), ["first"]);
}

/// The 2017 carbons advisory, once removed: the outer one is genuine, and what it is a copy of is forged.
#[test]
fn xep0280_11_a_carbon_in_a_carbon_is_not_opened() {
    let mut pair = Pair::online();
    let inner = received("inner", "7");
    for kind in ["sent", "received"] {
        let (from, to) = match kind {
            "sent" => ("alice@example.org/phone", BOB),
            _ => ("mallory@example.org/x", "alice@example.org/phone"),
        };
        let outer = inner.replacen(
            "from='alice@example.org' to='alice@example.org/here'",
            &format!("from='{from}' to='{to}'"),
            1,
        );
        assert_ne!(outer, inner);
        pair.receive(&carbon(kind, &outer));
        pair.receive(&carbon(
            kind,
            &outer.replacen("<received ", "<body>outer</body><received ", 1),
        ));
    }
    pair.receive(&carbon("received", &inner));
    assert_eq!(pair.messages(), []);
}

#[test]
fn xep0280_11_a_carbon_is_of_a_message_of_the_accounts() {
    let mut pair = Pair::online();
    for (kind, from, to) in [
        ("received", BOB, "mallory@example.org/x"),
        ("received", BOB, "@@"),
        ("received", "alice@example.org/phone", BOB),
        ("sent", BOB, "alice@example.org/phone"),
        ("sent", BOB, "mallory@example.org"),
        ("sent", "@@", BOB),
    ] {
        pair.receive(&carbon(kind, &message(from, to, "foreign", "7")));
    }
    // What is in it is nobody's archive.
    let result = format!(
        "<message xmlns='{NS_CLIENT}' from='{BOB}' to='{OWN}'><result xmlns='{NS_MAM}' queryid='q' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'>{}</forwarded></result></message>",
        message(BOB, OWN, "foreign", "7")
    );
    pair.receive(&carbon("received", &result));
    // Nor is it of two, or of nothing, or of what says of itself that it is an error.
    let genuine = received("doubled", "8");
    let (start, end) = (
        genuine.find("<received ").unwrap(),
        genuine.find("</received>").unwrap() + 11,
    );
    pair.receive(&genuine.replacen(&genuine[start..end], &genuine[start..end].repeat(2), 1));
    pair.receive(&carbon("received", ""));
    pair.receive(&carbon("received", "<presence xmlns='jabber:client'/>"));
    pair.receive(&genuine.replacen("type='chat'", "type='error'", 1));
    assert!(bodies(&pair).is_empty(), "{:?}", pair.messages());
}

#[test]
fn xep0280_6_1_what_is_said_in_a_room_is_not_copied() {
    let mut pair = Pair::online();
    for carbon in [received("room", "7"), sent("room", "8")] {
        pair.receive(&carbon.replace("type='chat' id", "type='groupchat' id"));
    }
    assert_eq!(pair.messages(), []);
}

#[test]
fn xep0280_6_1_what_bounced_for_another_client_is_told_as_that() {
    let mut pair = Pair::online();
    let call = pair.send("bob@example.org", "mine");
    let id = pair.element().attr("id").unwrap().to_owned();
    let bounce = format!(
        "<message xmlns='{NS_CLIENT}' from='bob@example.org' to='alice@example.org/phone' type='error' id='{id}'>\
         <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    );
    pair.receive(&carbon("received", &bounce));
    assert!(pair.is_open(call), "ours did not");
    let [told] = &pair.messages()[..] else {
        panic!("one message")
    };
    assert_eq!((told.kind, told.carbon), (MessageType::Error, Some(Carbon::Received)));
    assert_eq!(told.condition.as_deref(), Some("service-unavailable"));
}

#[test]
fn what_the_account_sends_to_itself_is_told_once() {
    // It comes twice, each time with an id of its own.
    let mut pair = Pair::online();
    let note = |id| message("alice@example.org/phone", OWN, "note", id);
    pair.receive(&carbon("sent", &note("1")));
    pair.receive(&note("2"));
    assert_eq!(bodies(&pair), ["note"]);
    assert_eq!(pair.messages()[0].carbon, None);
}

#[test]
fn nothing_to_read_is_no_message() {
    let mut pair = Pair::online();
    let state = received("x", "7").replace(
        "<body>x</body>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    );
    pair.receive(&state);
    assert_eq!(pair.told("message").len(), 0);
}
