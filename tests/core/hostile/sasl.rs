//! A hostile server within SASL: RFC 6120 §6, RFC 5802. The plain cases are in `login.rs`.

use super::{At, at, comes_back, ended};
use crate::pair::Pair;
use crate::server::{Fault, Scram};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stanzawire::engine::{Reply, Ticket};
use stanzawire::error::{Code, Error, Phase};
use stanzawire::session::Status;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// The login's end; the socket is closed without a word of credentials, and the next login works.
fn fails(mut pair: Pair, call: Ticket, case: &str) -> Error {
    let error = ended(&pair, call).unwrap_or_else(|| panic!("{case}: the login goes on"));
    assert_eq!((error.phase(), pair.socket.is_none()), (Phase::Auth, true), "{case}");
    assert!(pair.derive.take().is_none(), "{case}: nothing is derived for it");
    let last = pair.sent.back().expect("the stream is ended");
    assert!(last.starts_with("<close "), "{case}: {last}");
    comes_back(pair, call);
    error
}

#[test]
fn rfc5802_7_challenges_that_are_none() {
    let huge = format!("r=NONCE,s={},i=4096", STANDARD.encode(vec![7; 1 << 19]));
    let endless = format!("r=NONCE{},s=SALT,i=4096", "x".repeat(1 << 19));
    for (challenge, code) in [
        ("r=NONCE,s=,i=4096", Code::ProtocolViolation),
        ("r=NONCE,s=!,i=4096", Code::ProtocolViolation),
        (&huge, Code::ProtocolViolation),
        ("r=NONCE,i=4096", Code::ProtocolViolation),
        ("r=NONCE,s=SALT", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=-4096", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=4096.0", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=99999999999999999999", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=1000001", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=0", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=1", Code::Downgrade),
        ("r=NONCE,s=SALT,i=4095", Code::Downgrade),
        ("s=SALT,r=NONCE,i=4096", Code::ProtocolViolation),
        ("m=NONCE,r=NONCE,s=SALT,i=4096", Code::ProtocolViolation),
        ("r=NONCE,m=x,s=SALT,i=4096", Code::ProtocolViolation),
        ("r=NONCE,s=SALT,i=4096,m=x", Code::ProtocolViolation),
        ("r=,s=SALT,i=4096", Code::ServerSignature),
        ("r=x,s=SALT,i=4096", Code::ServerSignature),
        (&endless, Code::ProtocolViolation),
        ("e=unknown-user", Code::ProtocolViolation),
        ("\0", Code::ProtocolViolation),
        (",,,", Code::ProtocolViolation),
        ("=", Code::ProtocolViolation),
    ] {
        let (mut pair, call) = at(At::Features);
        greet(&mut pair);
        let auth = pair.element().text();
        let fault = Fault::Challenge(Box::leak(challenge.to_owned().into_boxed_str()));
        pair.receive(&Scram::new("secret").challenge(&auth, &fault));
        let shown = &challenge[..challenge.len().min(60)];
        assert_eq!(fails(pair, call, shown).code(), code, "{shown}");
    }
}

#[test]
fn rfc5802_5_1_a_nonce_that_is_ours_alone_is_no_nonce() {
    let (mut pair, call) = at(At::Features);
    greet(&mut pair);
    let auth = String::from_utf8(STANDARD.decode(pair.element().text()).unwrap()).unwrap();
    let (_, ours) = auth.split_once(",r=").unwrap();
    let challenge = STANDARD.encode(format!("r={ours},s=c2FsdA==,i=4096"));
    pair.receive(&format!("<challenge xmlns='{SASL}'>{challenge}</challenge>"));
    assert_eq!(fails(pair, call, "ours").code(), Code::ServerSignature);
}

#[test]
fn rfc5802_5_1_what_a_client_does_not_know_does_no_harm() {
    let (mut pair, call) = at(At::Features);
    greet(&mut pair);
    let mut scram = Scram::new("secret");
    let fault = Fault::Challenge("r=NONCE,s=SALT,i=4096,x=unknown");
    let challenge = scram.challenge(&pair.element().text(), &fault);
    pair.receive(&challenge);
    pair.derive_key();
    let success = scram.success(&pair.element().text(), &Fault::None);
    let (start, rest) = success.split_once('>').unwrap();
    let verifier = STANDARD.decode(rest.split_once('<').unwrap().0).unwrap();
    let more = [&verifier[..], b",x=unknown"].concat();
    pair.receive(&format!("{start}>{}</success>", STANDARD.encode(more)));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(crate::pair::JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn rfc5802_3_successes_that_prove_nothing() {
    // Made without the key, of every length; an error; the client's own proof; words.
    for (data, code) in [
        ("v=", Code::ServerSignature),
        ("v=AA==", Code::ServerSignature),
        ("v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Code::ServerSignature),
        ("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", Code::ServerSignature),
        ("x=y", Code::ServerSignature),
        ("", Code::ServerSignature),
        ("e=invalid-proof", Code::NotAuthorized),
        ("e=", Code::ServerSignature),
    ] {
        let (mut pair, call) = at(At::Success);
        pair.receive(&format!("<success xmlns='{SASL}'>{}</success>", STANDARD.encode(data)));
        assert_eq!(fails(pair, call, data).code(), code, "{data}");
    }
    // No base64 at all.
    let (mut pair, call) = at(At::Success);
    pair.receive(&format!("<success xmlns='{SASL}'>v=AAAA</success>"));
    assert_eq!(fails(pair, call, "no base64").code(), Code::ProtocolViolation);
}

#[test]
fn rfc6120_6_5_failures_that_say_little_or_much() {
    let long = "x".repeat(1 << 19);
    for (inner, condition) in [
        ("", "not-authorized"),
        ("<text>only text</text>", "not-authorized"),
        ("<account-disabled/><not-authorized/>", "account-disabled"),
        ("<account-disabled xmlns='urn:x'/>", "account-disabled"),
        (
            "<text xml:lang='en'/><credentials-expired>1</credentials-expired>",
            "credentials-expired",
        ),
        (&format!("<not-authorized/><text>{long}</text>"), "not-authorized"),
    ] {
        for state in [At::Challenge, At::Success] {
            let (mut pair, call) = at(state);
            pair.receive(&format!("<failure xmlns='{SASL}'>{inner}</failure>"));
            let shown = &inner[..inner.len().min(60)];
            let error = fails(pair, call, shown);
            assert_eq!(
                (error.code(), error.condition()),
                (Code::NotAuthorized, Some(condition)),
                "{shown}"
            );
        }
    }
}

#[test]
fn rfc6120_6_4_data_that_is_no_base64() {
    for data in ["====", "a", "%%%%", "cj14 cj14", "cj14=", "\u{FFFD}"] {
        let (mut pair, call) = at(At::Challenge);
        pair.receive(&format!("<challenge xmlns='{SASL}'>{data}</challenge>"));
        let said = crate::stream::condition(&mut pair);
        assert_eq!(said.as_deref(), Some("invalid-xml"), "{data}");
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Auth),
            "{data}"
        );
        assert_eq!((pair.socket, pair.engine.status()), (None, Status::Offline));
    }
}

#[test]
fn rfc6120_6_3_3_offers_that_nobody_can_take() {
    let many: String = (0..5_000).map(|n| format!("<mechanism>X-{n}</mechanism>")).collect();
    for mechanisms in [
        "",
        "<mechanism/>",
        "<mechanism> </mechanism>",
        "<mechanism>scram-sha-1</mechanism>",
        "<mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism>",
        "<mechanism>PLAIN</mechanism>",
        "<mechanism>EXTERNAL</mechanism><mechanism>ANONYMOUS</mechanism>",
        "<mechanism xmlns='urn:x'>SCRAM-SHA-1</mechanism>",
        "<mechanism>SCRAM-SHA-1<x/>-PLUS</mechanism>",
        &many,
    ] {
        let (mut pair, call) = at(At::Features);
        pair.receive(&format!(
            "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='{SASL}'>{mechanisms}</mechanisms></features>"
        ));
        let shown = &mechanisms[..mechanisms.len().min(60)];
        assert_eq!(fails(pair, call, shown).code(), Code::NoMechanism, "{shown}");
    }
}

fn greet(pair: &mut Pair) {
    pair.receive(&format!(
        "<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='{SASL}'>\
         <mechanism>SCRAM-SHA-1</mechanism></mechanisms></features>"
    ));
}
