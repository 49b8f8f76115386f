//! Authentication and binding: RFC 6120 §6 and §7, RFC 5802.

use crate::pair::{JID, Pair, config, password};
use crate::server::Fault;
use stanzawire::engine::{Input, Reply, Ticket};
use stanzawire::error::{Code, Error, Phase};
use stanzawire::sasl::Credentials;
use stanzawire::session::{CredentialSource, Status};

/// A client whose socket is open, and the call that waits for the login.
fn connecting() -> (Pair, Ticket) {
    connecting_with(config())
}

fn connecting_with(config: stanzawire::engine::Config) -> (Pair, Ticket) {
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    (pair, call)
}

/// A client whose resource is bound, on a server that requires the session of RFC 3921 as well.
fn bound_without_session() -> (Pair, Ticket) {
    let (mut pair, call) = connecting();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart(
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>",
    );
    pair.bind(JID);
    (pair, call)
}

/// After any failed login: the call failed once, the socket is gone, and the same client can log in.
pub fn recovers(mut pair: Pair, call: Ticket) -> Error {
    let error = pair.error(call);
    assert_eq!(pair.socket, None, "the socket is closed");
    assert_eq!(pair.engine.status(), Status::Offline);
    assert_eq!(pair.engine.next_deadline(), None, "nothing is left ticking");
    pair.sent.clear();
    let again = pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    assert_eq!(pair.reply(again), Ok(Reply::Done));
    error
}

#[test]
fn rfc6120_4_3_from_socket_to_bound_resource() {
    let (mut pair, call) = connecting();
    assert_eq!(pair.engine.status(), Status::Connecting);
    pair.login(&Fault::None);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.engine.jid().as_str(), JID);
    assert_eq!(pair.statuses(), [Status::Connecting, Status::Online]);
    pair.take_first_stanzas();
    pair.nothing_sent();
}

#[test]
fn rfc3921_3_a_session_is_asked_for_only_where_it_is_required() {
    let (mut pair, call) = bound_without_session();
    assert!(pair.is_open(call));
    let session = pair.element();
    assert!(
        session
            .child("session", "urn:ietf:params:xml:ns:xmpp-session")
            .is_some()
    );
    pair.answer(&session, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn rfc6120_6_5_wrong_password() {
    let (mut pair, call) = connecting_with({
        let mut config = config();
        config.session.credentials = password("guess");
        config
    });
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(!pair.authenticate(&Fault::None));
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::NotAuthorized, Phase::Auth));
    assert_eq!(error.condition(), Some("not-authorized"));
    assert!(!error.retryable());
    assert_eq!(pair.socket, None);
    assert_eq!(pair.statuses(), [Status::Connecting, Status::Offline]);
    pair.advance(3_600_000);
    assert_eq!(pair.socket, None, "a refused login is not tried again");
}

#[test]
fn rfc6120_6_5_each_condition_has_its_typed_error() {
    for (condition, code, retryable) in [
        ("aborted", Code::NotAuthorized, false),
        ("account-disabled", Code::NotAuthorized, false),
        ("credentials-expired", Code::NotAuthorized, false),
        ("encryption-required", Code::NoMechanism, false),
        ("incorrect-encoding", Code::NotAuthorized, false),
        ("invalid-authzid", Code::NotAuthorized, false),
        ("invalid-mechanism", Code::NoMechanism, false),
        ("malformed-request", Code::NotAuthorized, false),
        ("mechanism-too-weak", Code::NoMechanism, false),
        ("not-authorized", Code::NotAuthorized, false),
        ("temporary-auth-failure", Code::NotAuthorized, true),
        ("something-new", Code::NotAuthorized, false),
    ] {
        let (mut pair, call) = connecting();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        pair.receive(&format!(
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/><text>No.</text></failure>"
        ));
        let error = recovers(pair, call);
        assert_eq!((error.code(), error.retryable()), (code, retryable), "{condition}");
        assert_eq!((error.condition(), error.text()), (Some(condition), Some("No.")));
    }
}

#[test]
fn rfc5802_3_the_server_must_prove_itself() {
    for (fault, code) in [
        (Fault::WrongSignature, Code::ServerSignature),
        (Fault::TruncatedSignature, Code::ServerSignature),
        (Fault::NoSignature, Code::ServerSignature),
        (Fault::ForeignNonce, Code::ServerSignature),
        (Fault::Iterations(1), Code::Downgrade),
        (Fault::Iterations(4_095), Code::Downgrade),
        (Fault::Iterations(1_000_000_000), Code::ProtocolViolation),
        (Fault::Challenge("m=ext,r=x,s=eA==,i=4096"), Code::ProtocolViolation),
        (Fault::Challenge("nonsense"), Code::ProtocolViolation),
        (Fault::Challenge(""), Code::ProtocolViolation),
    ] {
        let (mut pair, call) = connecting();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        assert!(!pair.authenticate(&fault), "{fault:?}");
        let error = recovers(pair, call);
        assert_eq!((error.code(), error.phase()), (code, Phase::Auth), "{fault:?}");
        assert!(!error.retryable());
    }
}

#[test]
fn rfc6120_6_4_6_a_success_out_of_order_is_no_success() {
    let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

    // Before anything was offered.
    let (mut pair, call) = connecting();
    pair.element();
    pair.receive(success);
    let error = recovers(pair, call);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Stream));

    // Instead of a challenge.
    let (mut pair, call) = connecting();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    pair.receive(success);
    let error = recovers(pair, call);
    assert_eq!((error.code(), error.phase()), (Code::ServerSignature, Phase::Auth));

    // While the key is being derived.
    let (mut pair, call) = connecting();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    let auth = pair.element();
    let challenge = crate::server::Scram::new("secret").challenge(&auth.text(), &Fault::None);
    pair.receive(&challenge);
    assert!(pair.derive.is_some());
    pair.receive(success);
    pair.derive = None;
    let error = recovers(pair, call);
    assert_eq!(error.code(), Code::ProtocolViolation);
}

#[test]
fn rfc6120_6_3_3_the_strongest_possible_mechanism_wins() {
    let (mut pair, _) = connecting();
    pair.greet("<mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256</mechanism>");
    assert_eq!(pair.element().attr("mechanism"), Some("SCRAM-SHA-256"));
}

#[test]
fn rfc6120_6_3_3_what_cannot_run_is_not_chosen() {
    for mechanisms in [
        "",
        "<mechanism>PLAIN</mechanism>",
        "<mechanism>SCRAM-SHA-1-PLUS</mechanism>",
        "<mechanism>X</mechanism>",
    ] {
        let (mut pair, call) = connecting();
        pair.greet(mechanisms);
        let error = recovers(pair, call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::NoMechanism, Phase::Auth),
            "{mechanisms}"
        );
    }
}

#[test]
fn rfc4616_plain_needs_leave_and_a_private_connection() {
    let plain = |url: &str, allow_plain: bool| {
        let mut config = config();
        config.session.url = Some(url.into());
        config.session.allow_plain = allow_plain;
        config.session.allow_insecure = true;
        let (mut pair, call) = connecting_with(config);
        pair.greet("<mechanism>PLAIN</mechanism>");
        if !pair.is_open(call) {
            return None;
        }
        let auth = pair.element();
        pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        pair.bind(JID);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        Some(auth.text())
    };
    // base64 of NUL alice NUL secret
    assert_eq!(
        plain("wss://example.org", true).as_deref(),
        Some("AGFsaWNlAHNlY3JldA==")
    );
    assert_eq!(plain("ws://localhost", true).as_deref(), Some("AGFsaWNlAHNlY3JldA=="));
    assert_eq!(plain("wss://example.org", false), None);
    assert_eq!(plain("ws://example.org", true), None);
}

#[test]
fn rfc4505_anonymous_learns_its_address_from_the_server() {
    let mut config = config();
    config.session.account = stanzawire::jid::Jid::parse("example.org").unwrap();
    config.session.credentials = CredentialSource::Fixed(Credentials::Anonymous);
    let (mut pair, call) = connecting_with(config);
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism><mechanism>ANONYMOUS</mechanism>");
    let auth = pair.element();
    assert_eq!(auth.attr("mechanism"), Some("ANONYMOUS"));
    assert_eq!(auth.text(), "=", "RFC 6120 §6.4.2: an empty response");
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind("7f3a@example.org/x");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.engine.jid().as_str(), "7f3a@example.org/x");
}

#[test]
fn rfc4422_external_names_whom_to_act_as() {
    let mut config = config();
    config.session.credentials = CredentialSource::Fixed(Credentials::External {
        authzid: Some(stanzawire::jid::Jid::parse("alice@example.org").unwrap()),
    });
    let (mut pair, _) = connecting_with(config);
    pair.greet("<mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-1</mechanism>");
    let auth = pair.element();
    assert_eq!(auth.attr("mechanism"), Some("EXTERNAL"));
    assert_eq!(auth.text(), "YWxpY2VAZXhhbXBsZS5vcmc=");
}

#[test]
fn credentials_are_asked_for_when_they_are_needed() {
    let ask = || {
        let mut config = config();
        config.session.credentials = CredentialSource::Ask;
        let (mut pair, call) = connecting_with(config);
        assert_eq!(pair.asked, None);
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        let id = pair.asked.take().expect("asked");
        (pair, call, id)
    };
    let (mut pair, call, id) = ask();
    let CredentialSource::Fixed(credentials) = password("secret") else {
        unreachable!()
    };
    pair.handle(Input::Credentials {
        id,
        outcome: Ok(credentials),
    });
    assert!(pair.authenticate(&Fault::None));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));

    let (mut pair, call, id) = ask();
    let refusal = Error::new(Code::Aborted, Phase::Auth, "the user closed the dialog");
    pair.handle(Input::Credentials {
        id,
        outcome: Err(refusal.clone()),
    });
    assert_eq!(pair.error(call), refusal);
    assert_eq!(pair.socket, None);
}

#[test]
fn rfc6120_7_7_the_resource_asked_for() {
    let mut config = config();
    config.session.resource = Some("<web>".into());
    let (mut pair, call) = connecting_with(config);
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    let bind = pair.element();
    let ns = "urn:ietf:params:xml:ns:xmpp-bind";
    assert_eq!(
        bind.child("bind", ns).unwrap().child_text("resource", ns).as_deref(),
        Some("<web>")
    );
    pair.answer(
        &bind,
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.org/other</jid></bind>",
    );
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(
        pair.engine.jid().resource(),
        Some("other"),
        "the server has the last word"
    );
}

#[test]
fn rfc6120_7_what_binding_can_end_in() {
    let bind_fails = |answer: &str| {
        let (mut pair, call) = connecting();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        assert!(pair.authenticate(&Fault::None));
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        let bind = pair.element();
        pair.receive(&answer.replace("ID", bind.attr("id").unwrap()));
        let error = recovers(pair, call);
        assert_eq!(error.phase(), Phase::Bind);
        (error.code(), error.retryable())
    };
    let refused = |kind: &str, condition: &str| {
        bind_fails(&format!(
            "<iq xmlns='jabber:client' type='error' id='ID'><error type='{kind}'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ))
    };
    let bound = |jid: &str| {
        bind_fails(&format!(
            "<iq xmlns='jabber:client' type='result' id='ID'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{jid}</jid></bind></iq>"
        ))
    };
    assert_eq!(refused("modify", "bad-request"), (Code::BindFailed, false));
    assert_eq!(refused("wait", "resource-constraint"), (Code::BindFailed, true));
    assert_eq!(refused("cancel", "conflict"), (Code::Conflict, false));
    assert_eq!(bound("alice@example.org"), (Code::BindFailed, false));
    assert_eq!(bound("mallory@example.org/here"), (Code::BindFailed, false));
    assert_eq!(bound("alice@example.com/here"), (Code::BindFailed, false));
    assert_eq!(bound("@@"), (Code::BindFailed, false));
    assert_eq!(
        bind_fails("<iq xmlns='jabber:client' type='result' id='ID'/>"),
        (Code::BindFailed, false)
    );
    assert_eq!(
        bind_fails("<iq xmlns='jabber:client' type='result' id='another'/>"),
        (Code::ProtocolViolation, false)
    );
}

#[test]
fn rfc6120_7_3_1_features_without_bind() {
    let (mut pair, call) = connecting();
    pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
    assert!(pair.authenticate(&Fault::None));
    pair.restart("");
    let error = recovers(pair, call);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Bind));
}

#[test]
fn credentials_are_not_in_the_frames_that_are_shown() {
    let mut pair = Pair::new(config());
    pair.engine.observe(stanzawire::engine::Observe {
        stanzas: false,
        frames: true,
    });
    pair.connect();
    pair.open_socket();
    pair.login(&Fault::None);
    let frame = |event: &stanzawire::engine::Event| match event {
        stanzawire::engine::Event::Frame { data, .. } => Some(data.clone()),
        _ => None,
    };
    let frames: Vec<String> = pair.events.iter().filter_map(frame).collect();
    // What the server says counts as well: with its signature, passwords can be tried without asking it.
    for name in ["auth", "challenge", "response", "success"] {
        let shown = frames.iter().find(|frame| frame.starts_with(&format!("<{name}")));
        let shown = shown.expect("the exchange can be followed");
        assert!(shown.ends_with(&format!(">[redacted]</{name}>")), "{shown}");
    }
    assert!(
        frames.iter().any(|frame| frame.contains("<bind")),
        "the rest is as it was"
    );
}

#[test]
fn rfc3921_3_what_arrives_before_the_session_is_granted_is_kept() {
    let (mut pair, call) = bound_without_session();
    let session = pair.element();
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>early</body></message>");
    pair.receive(
        "<iq xmlns='jabber:client' type='get' id='p' from='eve@example.com/x'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert!(pair.is_open(call));
    pair.answer(&session, "");
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    assert_eq!(pair.messages().len(), 1);
    pair.take_first_stanzas();
    assert_eq!(pair.element().attr("id"), Some("p"));
}

#[test]
fn what_arrives_before_the_session_is_granted_is_bounded() {
    let (mut pair, call) = bound_without_session();
    for _ in 0..100 {
        pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>early</body></message>");
    }
    assert!(pair.is_open(call));
    pair.receive("<message xmlns='jabber:client' from='bob@example.org/x'><body>early</body></message>");
    let error = recovers(pair, call);
    assert_eq!((error.code(), error.phase()), (Code::ProtocolViolation, Phase::Bind));
}
