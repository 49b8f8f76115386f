//! Each mechanism against a server of its own: RFC 5802, RFC 7677, RFC 7628, XEP-0474.

use crate::pair::{JID, Pair, config, password};
use crate::server::{Fault, Scram};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;
use stanzawire::engine::{Reply, Ticket};
use stanzawire::error::{Code, Error, Phase};
use stanzawire::jid::Jid;
use stanzawire::sasl::{
    ChannelBinding, Credentials, Exchange, Mechanism, Next, Offer, Policy, ScramKeys, Secret, Start, derive,
};
use stanzawire::session::{CredentialSource, Status};
use stanzawire::xml;

const PASSWORD: &str = "Pass, = wörd";

const POLICY: Policy = Policy {
    plain: false,
    private: true,
    pinned: true,
    scram: stanzawire::sasl::scram::Limits {
        min_iterations: 4096,
        max_iterations: 1_000_000,
    },
};

fn credentials() -> Credentials {
    Credentials::Password(Secret::new(PASSWORD.into()))
}

fn offer(mechanisms: &[&str], bindings: Option<&[&str]>) -> Offer {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Offer {
        mechanisms: owned(mechanisms),
        bindings: bindings.map(owned),
    }
}

/// What a SASL element carries.
fn data(frame: &str) -> Vec<u8> {
    let element = xml::read(frame, &xml::Limits::default()).unwrap();
    STANDARD.decode(element.text()).unwrap()
}

/// One login without a session around it: the mechanism, the keys that it left, and whether one had to be derived.
fn login(
    server: &mut Scram,
    credentials: Credentials,
    offer: &Offer,
    binding: Option<&ChannelBinding>,
    cached: Option<ScramKeys>,
) -> Result<(Mechanism, ScramKeys, bool), Error> {
    let account = Jid::parse("a,b=ü@example.org").unwrap();
    let mechanism = Mechanism::choose(&credentials, offer, POLICY, binding)?;
    let (exchange, first) = Exchange::start(Start {
        mechanism,
        credentials,
        account: &account,
        nonce: "abcdefgh".into(),
        policy: POLICY,
        binding,
        offer: Some(offer),
        cached,
    })?;
    let challenge = server.challenge(&STANDARD.encode(first), &Fault::None);
    let (exchange, next) = exchange.challenge(&data(&challenge), offer)?;
    let derives = matches!(next, Next::Derive(_));
    let (exchange, last) = match next {
        Next::Derive(request) => exchange.derived(&derive::derive(&request))?,
        Next::Respond(last) => (exchange, last),
    };
    let success = server.success(&STANDARD.encode(last), &Fault::None);
    if success.starts_with("<failure") {
        return Err(exchange.failure("not-authorized", None));
    }
    let keys = exchange.success(Some(&data(&success)))?;
    Ok((mechanism, keys.expect("SCRAM leaves keys"), derives))
}

const ALL: [&str; 6] = [
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512-PLUS",
];

fn channel() -> ChannelBinding {
    ChannelBinding {
        name: "tls-exporter".into(),
        data: vec![0, 1, 0xff, b','],
    }
}

#[test]
fn rfc5802_5_every_form_of_scram_logs_in() {
    let channel = channel();
    for name in ALL {
        let plus = name.ends_with("-PLUS");
        let binding = plus.then_some(&channel);
        let offer = offer(&[name], plus.then_some(&["x", "tls-exporter"]));
        let server = || {
            let mut server = Scram::with(name, PASSWORD);
            server.channel = plus.then_some(("tls-exporter", &[0, 1, 0xff, b',']));
            server
        };
        let (mechanism, keys, derived) = login(&mut server(), credentials(), &offer, binding, None).unwrap();
        assert_eq!((mechanism.name(), derived), (name, true));

        // The keys stand for the password, and a cached one for the derivation.
        let with_keys = login(&mut server(), Credentials::Keys(keys.clone()), &offer, binding, None);
        assert_eq!(with_keys, Ok((mechanism, keys.clone(), false)));
        let cached = login(&mut server(), credentials(), &offer, binding, Some(keys.clone()));
        assert_eq!(cached, Ok((mechanism, keys.clone(), false)));

        // The server has changed the salt, or the count: kept keys are no longer any good, cached ones are made anew.
        let other_salt = || {
            let mut server = server();
            server.salt = b"another salt";
            server
        };
        let other_count = || {
            let mut server = server();
            server.iterations = 5_000;
            server
        };
        for changed in [&other_salt as &dyn Fn() -> Scram, &other_count] {
            let outcome = login(&mut changed(), Credentials::Keys(keys.clone()), &offer, binding, None);
            let error = outcome.unwrap_err();
            assert_eq!((error.code(), error.phase()), (Code::KeysOutdated, Phase::Auth));
            let (_, anew, derived) = login(&mut changed(), credentials(), &offer, binding, Some(keys.clone())).unwrap();
            assert!(derived && anew != keys, "{name}");
        }

        // Keys of another hash are not what this mechanism takes.
        let other = ALL
            .into_iter()
            .find(|other| !name.starts_with(other) && !other.starts_with(name))
            .unwrap();
        let wrong = Mechanism::choose(&Credentials::Keys(keys), &self::offer(&[other], None), POLICY, binding);
        assert_eq!(wrong.unwrap_err().code(), Code::KeysOutdated);
    }
}

#[test]
fn rfc5802_6_a_login_on_another_channel_is_refused() {
    let channel = channel();
    let offer = offer(&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], None);
    for server_end in [
        ("tls-exporter", [0, 1, 0xff, b'.'].as_slice()),
        ("tls-exporter", &[0, 1, 0xff]),
        ("tls-unique", &[0, 1, 0xff, b',']),
    ] {
        let mut server = Scram::with("SCRAM-SHA-256-PLUS", PASSWORD);
        server.channel = Some(server_end);
        let error = login(&mut server, credentials(), &offer, Some(&channel), None).unwrap_err();
        assert_eq!(error.code(), Code::NotAuthorized, "{server_end:?}");
        assert_eq!(server.gs2_header, "p=tls-exporter,,");
    }
}

#[test]
fn rfc5802_6_what_the_server_is_told_of_channel_binding() {
    let channel = channel();
    let told = |mechanisms: &[&str], bindings: Option<&[&str]>, binding| {
        let mut server = Scram::with("SCRAM-SHA-1", PASSWORD);
        login(&mut server, credentials(), &offer(mechanisms, bindings), binding, None).unwrap();
        server.gs2_header
    };
    let both = ["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"];
    let types: &[&str] = &["tls-server-end-point"];
    assert_eq!(told(&["SCRAM-SHA-1"], None, None), "n,,", "a browser can't");
    assert_eq!(told(&both, Some(types), None), "n,,", "whatever is offered");
    assert_eq!(
        told(&["SCRAM-SHA-1"], None, Some(&channel)),
        "y,,",
        "nothing was offered"
    );
    assert_eq!(told(&both, Some(types), Some(&channel)), "n,,", "not what we have");
}

/// The server's own value for XEP-0474 §6.1, made apart from the client's.
fn vouched(mechanisms: &str, bindings: Option<&str>) -> String {
    let list = mechanisms.to_owned() + &bindings.map(|types| format!("\x1f{types}")).unwrap_or_default();
    format!(",h={}", STANDARD.encode(sha2::Sha512::digest(list)))
}

/// A client that has been offered this, its first message taken.
fn offered(mechanisms: &[&str], bindings: Option<&[&str]>, source: CredentialSource) -> (Pair, Ticket, String) {
    let mut config = config();
    config.session.credentials = source;
    let mut pair = Pair::new(config);
    let call = pair.connect();
    pair.open_socket();
    pair.element();
    pair.receive("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s1' version='1.0'/>");
    let names: String = mechanisms
        .iter()
        .map(|name| format!("<mechanism>{name}</mechanism>"))
        .collect();
    let types = bindings.map(|types| {
        let types = types.iter().map(|name| format!("<channel-binding type='{name}'/>"));
        let types: String = types.collect();
        format!("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{types}</sasl-channel-binding>")
    });
    pair.receive(&format!(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{}\
         <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{names}</mechanisms></stream:features>",
        types.unwrap_or_default()
    ));
    let auth = pair.element();
    let text = auth.text();
    assert!(mechanisms.contains(&auth.attr("mechanism").unwrap()));
    (pair, call, text)
}

/// To the end of a login that has been begun with SCRAM-SHA-512.
fn logs_in(mut pair: Pair, call: Ticket, first: &str, extensions: String) {
    let mut server = Scram::with("SCRAM-SHA-512", "secret");
    server.extensions = extensions;
    let challenge = server.challenge(first, &Fault::None);
    pair.receive(&challenge);
    pair.derive_key();
    let response = pair.element();
    let success = server.success(&response.text(), &Fault::None);
    pair.receive(&success);
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
}

#[test]
fn xep0474_6_2_the_offer_that_was_made_is_taken() {
    let mechanisms = ["SCRAM-SHA-512", "PLAIN", "SCRAM-SHA-1"];
    let sorted = "PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-512";
    let (pair, call, first) = offered(&mechanisms, None, password("secret"));
    logs_in(pair, call, &first, vouched(sorted, None));
    let types: &[&str] = &["tls-server-end-point", "tls-exporter"];
    let (pair, call, first) = offered(&mechanisms, Some(types), password("secret"));
    logs_in(
        pair,
        call,
        &first,
        vouched(sorted, Some("tls-exporter\x1etls-server-end-point")),
    );
    // A server that knows nothing of it.
    let (pair, call, first) = offered(&mechanisms, Some(types), password("secret"));
    logs_in(pair, call, &first, String::new());
}

#[test]
fn xep0474_6_2_a_changed_offer_ends_the_login_before_any_proof() {
    let made = vouched("SCRAM-SHA-512\x1eSCRAM-SHA-512-PLUS", Some("tls-exporter"));
    let types: &[&str] = &["tls-exporter"];
    for (arrived, bindings) in [
        (["SCRAM-SHA-512"].as_slice(), Some(types)),
        (&["SCRAM-SHA-512", "SCRAM-SHA-512-PLUS"], None),
        (&["SCRAM-SHA-512", "SCRAM-SHA-512-PLUS"], Some(&["made-up"])),
        (&["SCRAM-SHA-512", "SCRAM-SHA-512-PLUS", "PLAIN"], Some(types)),
    ] {
        // Another hash beside the server's own, before it or behind, does not talk it over.
        let forged = {
            let mut names: Vec<&str> = arrived.to_vec();
            names.sort_unstable();
            vouched(&names.join("\x1e"), bindings.map(|types| types[0]))
        };
        for extensions in [made.clone(), forged.clone() + &made, made.clone() + &forged] {
            let (mut pair, call, first) = offered(arrived, bindings, password("secret"));
            let mut server = Scram::with("SCRAM-SHA-512", "secret");
            server.extensions = extensions;
            let challenge = server.challenge(&first, &Fault::None);
            pair.receive(&challenge);
            assert!(pair.derive.is_none(), "no key is asked for");
            let error = pair.error(call);
            assert_eq!(
                (error.code(), error.phase()),
                (Code::Downgrade, Phase::Auth),
                "{arrived:?}"
            );
            assert!(!error.retryable());
            assert_eq!(pair.socket, None);
            assert!(
                pair.sent.iter().all(|frame| !frame.contains("<response")),
                "{:?}",
                pair.sent
            );
        }
    }
}

#[test]
fn rfc5802_3_kept_keys_log_in_without_a_password() {
    let account = Jid::parse("alice@example.org").unwrap();
    // A login with the password, to have the keys.
    let mechanism = Mechanism::from_name("SCRAM-SHA-512").unwrap();
    let (exchange, first) = Exchange::start(Start {
        mechanism,
        credentials: Credentials::Password(Secret::new(b"secret".to_vec())),
        account: &account,
        nonce: "abcdefgh".into(),
        policy: POLICY,
        binding: None,
        offer: None,
        cached: None,
    })
    .unwrap();
    let mut server = Scram::with("SCRAM-SHA-512", "secret");
    let challenge = server.challenge(&STANDARD.encode(first), &Fault::None);
    let (exchange, next) = exchange.challenge(&data(&challenge), &Offer::default()).unwrap();
    let Next::Derive(request) = next else {
        panic!("no key is asked for");
    };
    let (exchange, last) = exchange.derived(&derive::derive(&request)).unwrap();
    let success = server.success(&STANDARD.encode(last), &Fault::None);
    let keys = exchange.success(Some(&data(&success))).unwrap().unwrap();

    let source = CredentialSource::Fixed(Credentials::Keys(keys));
    let (mut pair, call, first) = offered(&["SCRAM-SHA-1", "SCRAM-SHA-512"], None, source.clone());
    let mut server = Scram::with("SCRAM-SHA-512", "secret");
    let challenge = server.challenge(&first, &Fault::None);
    pair.receive(&challenge);
    assert!(pair.derive.is_none(), "there is nothing to derive");
    let response = pair.element();
    let success = server.success(&response.text(), &Fault::None);
    pair.receive(&success);
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));

    // The server has changed the salt.
    let (mut pair, call, first) = offered(&["SCRAM-SHA-512"], None, source);
    let mut server = Scram::with("SCRAM-SHA-512", "secret");
    server.salt = b"another salt";
    let challenge = server.challenge(&first, &Fault::None);
    pair.receive(&challenge);
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::KeysOutdated, Phase::Auth));
    assert!(
        pair.sent.iter().all(|frame| !frame.contains("<response")),
        "{:?}",
        pair.sent
    );
    assert_eq!(pair.engine.status(), Status::Offline);
}

#[test]
fn rfc7628_3_a_token_and_what_the_server_says_of_it() {
    let token = || CredentialSource::Fixed(Credentials::Token(Secret::new(b"secret-token:a.b".to_vec())));
    let (mut pair, call, first) = offered(&["SCRAM-SHA-512", "OAUTHBEARER"], None, token());
    assert_eq!(
        STANDARD.decode(first).unwrap(),
        b"n,a=alice@example.org,\x01auth=Bearer secret-token:a.b\x01\x01"
    );
    pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    pair.bind(JID);
    assert_eq!(pair.reply(call), Ok(Reply::Done));

    let reason = r#"{"status":"invalid_token","scope":"xmpp"}"#;
    let (mut pair, call, _) = offered(&["OAUTHBEARER"], None, token());
    pair.receive(&format!(
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</challenge>",
        STANDARD.encode(reason)
    ));
    let response = pair.element();
    assert_eq!((response.name(), response.text().as_str()), ("response", "AQ=="));
    assert!(pair.is_open(call));
    pair.receive("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
    let error = pair.error(call);
    assert_eq!((error.code(), error.phase()), (Code::NotAuthorized, Phase::Auth));
    assert_eq!(error.condition(), Some("not-authorized"));
    assert_eq!(error.text(), Some(reason));
    assert!(!error.message().contains("password"), "{error}");
    assert_eq!(pair.socket, None);

    // After a refusal there is no success, and no second challenge.
    for frame in ["<success", "<challenge"] {
        let (mut pair, call, _) = offered(&["OAUTHBEARER"], None, token());
        pair.receive("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>e30=</challenge>");
        pair.element();
        pair.receive(&format!("{frame} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"));
        assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    }
}

#[test]
fn rfc6750_5_3_a_token_is_not_sent_in_the_clear() {
    let connects = |url: &str| {
        let mut config = config();
        config.session.url = Some(url.into());
        config.session.allow_insecure = true;
        config.session.credentials = CredentialSource::Fixed(Credentials::Token(Secret::new(b"t".to_vec())));
        let mut pair = Pair::new(config);
        let call = pair.connect();
        pair.open_socket();
        pair.greet("<mechanism>OAUTHBEARER</mechanism>");
        if pair.is_open(call) {
            return Ok(());
        }
        assert!(pair.sent.iter().all(|frame| !frame.contains("<auth")));
        Err(pair.error(call).code())
    };
    assert_eq!(connects("wss://example.org"), Ok(()));
    assert_eq!(connects("ws://localhost"), Ok(()));
    assert_eq!(connects("ws://example.org"), Err(Code::NoMechanism));
}
