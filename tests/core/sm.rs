//! Stream management, XEP-0198 1.6.3: what is counted, what is asked, and what becomes of it when the connection goes.

mod alone;
mod bad;
pub mod kept;
mod resume;
mod store;

use crate::pair::{JID, NS_MAM, Pair, config};
use crate::server::Fault;
use stanzawire::engine::{Command, Config, Event, Input, Reply};
use stanzawire::error::Error;

pub const SM: &str = "urn:xmpp:sm:3";
const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const OFFER: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>\
                     <csi xmlns='urn:xmpp:csi:0'/>";

/// A client whose server manages streams, its first stanzas (all of them) taken and acknowledged.
pub fn online() -> Pair {
    online_with(config())
}

pub fn online_with(config: Config) -> Pair {
    let mut pair = Pair::new(config);
    let call = pair.connect();
    if let Some((id, _)) = pair.load.take() {
        pair.handle(Input::Loaded { id, value: None });
    }
    pair.open_socket();
    login(&mut pair);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    enabled(&mut pair, "session-1");
    pair
}

/// The login up to the bound resource, on a server that was never met.
pub fn login(pair: &mut Pair) {
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart(OFFER);
    pair.bind(JID);
}

/// Takes `<enable/>` and what follows it, and lets the session be resumed.
pub fn enabled(pair: &mut Pair, id: &str) {
    let enable = pair.element();
    assert!(enable.is("enable", SM), "{enable:?}");
    assert_eq!(enable.attr("resume"), Some("true"));
    // It counts what comes behind its answer.
    let asked = |name| pair.sent.iter().find(|frame| frame.contains(name)).cloned();
    let [carbons, archive] = ["<enable", "<metadata"].map(asked);
    let first = stanzas(pair);
    for (asked, answer) in [
        (carbons, String::new()),
        (archive, format!("<metadata xmlns='{NS_MAM}'/>")),
    ] {
        let asked = stanzawire::xml::read(&asked.unwrap(), &Default::default()).unwrap();
        pair.answer(&asked, &answer);
    }
    pair.receive(&format!("<enabled xmlns='{SM}' id='{id}' resume='true' max='300'/>"));
    acknowledge(pair, first);
}

/// Takes what is sent, up to the end or a question, and counts the stanzas.
pub fn stanzas(pair: &mut Pair) -> u32 {
    let mut count = 0;
    while let Some(frame) = pair.sent.pop_front() {
        count += u32::from(frame.starts_with("<iq") || frame.starts_with("<message") || frame.starts_with("<presence"));
    }
    count
}

pub fn acknowledge(pair: &mut Pair, h: u32) {
    pair.receive(&format!("<a xmlns='{SM}' h='{h}'/>"));
    pair.sent.retain(|frame| !frame.starts_with("<r "));
}

/// The number of the last of the first stanzas.
pub const FIRST: u32 = 4;

/// Comes back over a new socket, as far as the server's features.
pub fn back(pair: &mut Pair) {
    pair.close_socket();
    again(pair);
}

pub fn again(pair: &mut Pair) {
    while pair.socket.is_none() {
        let next = pair.engine.next_deadline().expect("another attempt");
        pair.advance(next.since(pair.now));
    }
    pair.sent.clear();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    // It begins by what it knows of the server.
    assert!(pair.authenticate(&Fault::None));
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s2' version='1.0'/>");
    pair.receive(&format!(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{OFFER}</stream:features>"
    ));
}

/// A login at the client's pace, as far as the server's features.
pub fn login_up_to_features(pair: &mut Pair) {
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s2' version='1.0'/>");
    pair.receive(&format!(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{OFFER}</stream:features>"
    ));
}

pub fn resumed(pair: &mut Pair, h: u32) {
    pair.receive(&format!("<resumed xmlns='{SM}' previd='session-1' h='{h}'/>"));
}

pub fn failed(pair: &mut Pair, h: Option<u32>) {
    let h = h.map(|h| format!(" h='{h}'")).unwrap_or_default();
    pair.receive(&format!(
        "<failed xmlns='{SM}'{h}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
    ));
}

pub fn bodies(pair: &mut Pair) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some(frame) = pair.sent.pop_front() {
        if let Some((_, rest)) = frame.split_once("<body>") {
            bodies.push(rest.split_once("</body>").unwrap().0.to_owned());
        }
    }
    bodies
}

pub fn errors(pair: &Pair) -> Vec<Error> {
    let error = |event: &Event| match event {
        Event::Error(error) => Some(error.clone()),
        _ => None,
    };
    pair.events.iter().filter_map(error).collect()
}

#[test]
fn xep0198_3_everything_behind_enable_counts_and_the_client_is_online_with_it() {
    let mut pair = Pair::new(config());
    let call = pair.connect();
    pair.open_socket();
    login(&mut pair);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert!(pair.element().is("enable", SM), "before any stanza");
    let sent = pair.send("bob@example.org", "the first");
    pair.receive(&format!("<enabled xmlns='{SM}' id='x' resume='true'/>"));
    assert!(pair.is_open(sent));
    let count = stanzas(&mut pair);
    acknowledge(&mut pair, count - 1);
    assert!(pair.is_open(sent));
    acknowledge(&mut pair, count);
    assert!(pair.reply(sent).is_ok());
}

#[test]
fn xep0198_3_a_server_that_refuses_is_asked_by_pings() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    login(&mut pair);
    pair.element();
    pair.sent.clear();
    let sent = pair.send("bob@example.org", "hi");
    pair.element();
    pair.nothing_sent();
    pair.receive(&format!("<failed xmlns='{SM}'/>"));
    pair.confirm();
    assert!(pair.reply(sent).is_ok());
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    pair.nothing_sent();
}

#[test]
fn xep0198_4_a_question_at_a_time_and_the_next_with_the_answer() {
    let mut pair = online();
    let calls: Vec<_> = (0..5).map(|n| pair.send("bob@example.org", &n.to_string())).collect();
    let names: Vec<String> = pair.sent.iter().map(|frame| frame[1..2].to_owned()).collect();
    assert_eq!(names, ["m", "r", "m", "m", "m", "m"], "one question behind the first");
    pair.sent.clear();
    // Steady traffic doesn't put the next one off.
    pair.receive(&format!("<a xmlns='{SM}' h='{}'/>", FIRST + 1));
    assert!(pair.element().is("r", SM));
    pair.nothing_sent();
    assert!(pair.reply(calls[0]).is_ok());
    assert!(calls[1..].iter().all(|call| pair.is_open(*call)));
    pair.receive(&format!("<a xmlns='{SM}' h='{}'/>", FIRST + 5));
    pair.nothing_sent();
    assert!(calls.iter().all(|call| pair.reply(*call).is_ok()));
}

#[test]
fn xep0198_4_what_has_been_handled_is_said_when_it_is_asked_for() {
    let mut pair = online();
    for frame in [
        "<message xmlns='jabber:client' from='bob@example.org/x'><body>1</body></message>",
        "<presence xmlns='jabber:client' from='bob@example.org/x'/>",
        "<iq xmlns='jabber:client' type='result' id='nobody-asked'/>",
    ] {
        pair.receive(frame);
    }
    // One that is dropped is handled too.
    let deep = format!(
        "<message xmlns='jabber:client'>{}{}</message>",
        "<x>".repeat(99),
        "</x>".repeat(99)
    );
    pair.receive(&deep);
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    let answer = pair.element();
    assert!(answer.is("a", SM));
    assert_eq!(answer.attr("h"), Some("4"));
}

#[test]
fn xep0198_4_it_is_said_at_the_end_as_well() {
    let mut pair = online();
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>1</body></message>");
    let sent = pair.send("bob@example.org", "hi");
    pair.sent.clear();
    pair.call(Command::Disconnect);
    let answer = pair.element();
    assert_eq!((answer.name(), answer.attr("h")), ("a", Some("1")));
    pair.receive(&format!("<a xmlns='{SM}' h='{}'/>", FIRST + 1));
    assert!(pair.reply(sent).is_ok(), "what is acknowledged while closing counts");
}

/// XEP-0352 §4.2.
#[test]
fn xep0352_4_2_the_server_hears_whether_anybody_looks() {
    let mut pair = online();
    pair.handle(Input::Visible(false));
    assert!(pair.element().is("inactive", "urn:xmpp:csi:0"));
    pair.handle(Input::Visible(true));
    assert!(pair.element().is("active", "urn:xmpp:csi:0"));
    // Each connection begins active.
    pair.handle(Input::Visible(false));
    back(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert!(pair.element().is("inactive", "urn:xmpp:csi:0"));
    // It is no stanza.
    let sent = pair.send("bob@example.org", "hi");
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(sent).is_ok());
}

#[test]
fn a_server_without_any_of_it_hears_nothing_of_it() {
    let mut pair = Pair::online();
    pair.handle(Input::Visible(false));
    pair.handle(Input::Visible(true));
    pair.nothing_sent();
    let sent = pair.send("bob@example.org", "hi");
    pair.element();
    pair.confirm();
    assert!(pair.reply(sent).is_ok());
}

#[test]
fn the_session_of_a_server_without_sm_is_bound_alone() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart(BIND);
    pair.bind(JID);
    assert!(pair.sent.iter().all(|frame| !frame.contains(SM)));
}

#[test]
fn rfc7395_3_6_no_word_of_stream_managements_leaves_behind_our_close() {
    let mut pair = online();
    pair.send("bob@example.org", "1");
    pair.send("bob@example.org", "2");
    pair.call(Command::Disconnect);
    pair.sent.clear();
    pair.receive(&format!("<r xmlns='{SM}'/>"));
    pair.receive(&format!("<a xmlns='{SM}' h='{}'/>", FIRST + 1));
    pair.nothing_sent();
}

#[test]
fn what_is_sent_before_the_server_has_said_that_it_counts_is_confirmed_at_the_end() {
    let mut pair = Pair::new(config());
    pair.connect();
    pair.open_socket();
    login(&mut pair);
    let sent = pair.send("bob@example.org", "1");
    pair.call(Command::Disconnect);
    // A server that answers everything in order, and closes at the end.
    let frames: Vec<String> = pair.sent.drain(..).collect();
    let mut stanzas = 0;
    for frame in frames {
        let element = stanzawire::xml::read(&frame, &Default::default()).unwrap();
        stanzas += u32::from(matches!(element.name(), "iq" | "message" | "presence"));
        match element.name() {
            "enable" => pair.receive(&format!("<enabled xmlns='{SM}' id='x' resume='true'/>")),
            "r" => pair.receive(&format!("<a xmlns='{SM}' h='{stanzas}'/>")),
            "iq" if element.attr("type") != Some("result") => pair.answer(&element, ""),
            "close" => pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
            _ => {}
        }
    }
    assert!(pair.reply(sent).is_ok(), "{:?}", pair.reply(sent));
}
