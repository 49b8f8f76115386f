//! The extensible profile of SASL (XEP-0388), and what goes along with it: Bind 2 (XEP-0386), resumption (XEP-0198), tokens
//! (XEP-0484).

mod choice;
mod hostile;
mod inline;
mod token;
mod worst;

use crate::pair::{NS_MAM, Pair, config};
use crate::server::{Fault, Scram};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stanzawire::engine::{Config, Reply, Ticket};
use stanzawire::session::Status;
use stanzawire::xml::{self, Element};

pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
pub const SASL2: &str = "urn:xmpp:sasl:2";
pub const BIND2: &str = "urn:xmpp:bind:0";
pub const FAST: &str = "urn:xmpp:fast:0";
pub const SM: &str = "urn:xmpp:sm:3";
pub const FULL: &str = "alice@example.org/stanzawire.1";

/// All that a server can offer along with an authentication.
pub const INLINE: &str = "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:csi:0'/>\
                          <feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/>\
                          <fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>";
/// What it offers behind that.
pub const BEHIND: &str =
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>";

/// The server's header, and its features with these mechanisms and this inline.
pub fn announce(pair: &mut Pair, mechanisms: &[&str], inline: &str) {
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    let list: String = mechanisms
        .iter()
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    features(
        pair,
        &format!(
            "<mechanisms xmlns='{SASL}'>{list}</mechanisms>\
             <authentication xmlns='{SASL2}'>{list}<inline>{inline}</inline></authentication>"
        ),
    );
}

pub fn features(pair: &mut Pair, features: &str) {
    pair.receive(&format!(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
    ));
}

/// The client's header, which names the account.
pub fn header(pair: &mut Pair) {
    let open = pair.element();
    assert!(open.is("open", "urn:ietf:params:xml:ns:xmpp-framing"), "{open:?}");
    assert_eq!(open.attr("from"), Some("alice@example.org"));
}

/// The client's `<authenticate/>`, by this mechanism.
pub fn authenticate(pair: &mut Pair, mechanism: &str) -> Element {
    let authenticate = pair.element();
    assert!(authenticate.is("authenticate", SASL2), "{authenticate:?}");
    assert_eq!(authenticate.attr("mechanism"), Some(mechanism));
    let agent = authenticate.child("user-agent", SASL2).expect("a user agent");
    assert_eq!(agent.attr("id").map(str::len), Some(36));
    authenticate
}

pub fn initial(authenticate: &Element) -> String {
    authenticate.child_text("initial-response", SASL2).unwrap()
}

/// SCRAM-SHA-1 from the challenge on; the server's proof in base64.
pub fn scram(pair: &mut Pair, authenticate: &Element) -> String {
    let mut scram = Scram::new("secret");
    let challenge = scram.challenge(&initial(authenticate), &Fault::None);
    pair.receive(&challenge.replace(SASL, SASL2));
    pair.derive_key();
    let response = pair.element();
    assert!(response.is("response", SASL2), "{response:?}");
    pair.nothing_sent();
    let success = scram.success(&response.text(), &Fault::None);
    let success = xml::read(&success, &Default::default()).unwrap();
    assert_eq!(success.name(), "success");
    success.text()
}

/// The end of an authentication: its additional data, the address, and what went along.
pub fn success(pair: &mut Pair, data: Option<&str>, jid: &str, along: &str) {
    let data = data.map(|data| format!("<additional-data>{data}</additional-data>"));
    pair.receive(&format!(
        "<success xmlns='{SASL2}'>{}<authorization-identifier>{jid}</authorization-identifier>{along}</success>",
        data.unwrap_or_default()
    ));
}

pub fn bound(inner: &str) -> String {
    format!("<bound xmlns='{BIND2}'>{inner}</bound>")
}

pub fn enabled(id: &str) -> String {
    format!("<enabled xmlns='{SM}' id='{id}' resume='true' max='300'/>")
}

pub fn issued(token: &str) -> String {
    format!("<token xmlns='{FAST}' expiry='2030-01-01T00:00:00Z' token='{token}'/>")
}

/// What each side says of a token.
pub fn hashed(token: &str, role: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(role.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn responder(token: &str) -> String {
    STANDARD.encode(hashed(token, "Responder"))
}

/// A first login by SCRAM on a server that offers everything, which issues `token`.
pub fn first(pair: &mut Pair, call: Ticket, token: &str) {
    pair.open_socket();
    header(pair);
    pair.nothing_sent();
    announce(pair, &["SCRAM-SHA-1"], INLINE);
    let asked = authenticate(pair, "SCRAM-SHA-1");
    let proof = scram(pair, &asked);
    let along = bound(&enabled("session-1")) + &issued(token);
    success(pair, Some(&proof), FULL, &along);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    features(pair, BEHIND);
}

/// The roster, the presence and the questions to the archive, which is empty; the stanzas are acknowledged.
pub fn settle(pair: &mut Pair) {
    let mut count = 0;
    while let Some(frame) = pair.sent.pop_front() {
        if frame.starts_with("<iq") || frame.starts_with("<presence") {
            count += 1;
        }
        let stanza = xml::read(&frame, &Default::default()).unwrap();
        if stanza.child("query", NS_MAM).is_some() {
            let set = "<set xmlns='http://jabber.org/protocol/rsm'/>";
            pair.answer(&stanza, &format!("<fin xmlns='{NS_MAM}' complete='true'>{set}</fin>"));
        } else if stanza.child("metadata", NS_MAM).is_some() {
            pair.answer(&stanza, &format!("<metadata xmlns='{NS_MAM}'/>"));
        }
    }
    pair.receive(&format!("<a xmlns='{SM}' h='{count}'/>"));
    pair.sent.retain(|frame| !frame.starts_with("<r "));
    pair.nothing_sent();
}

pub fn online(token: &str) -> Pair {
    online_with(config(), token)
}

pub fn online_with(config: Config, token: &str) -> Pair {
    let mut pair = Pair::new(config);
    let call = pair.connect();
    if let Some((id, _)) = pair.load.take() {
        pair.handle(stanzawire::engine::Input::Loaded { id, value: None });
    }
    first(&mut pair, call, token);
    settle(&mut pair);
    assert_eq!(pair.engine.status(), Status::Online);
    assert_eq!(pair.engine.jid().as_str(), FULL);
    pair
}

/// Comes back over a new socket.
pub fn back(pair: &mut Pair) {
    pair.close_socket();
    pair.advance(60_000);
    pair.open_socket();
    header(pair);
}
