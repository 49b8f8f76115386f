//! An app that is asked for credentials before the server has been heard.

use super::*;

#[test]
fn an_app_that_is_asked_early_is_asked_once() {
    const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://two.example.org/ws'/></XRD>";
    for answered in [true, false] {
        let mut config = config();
        config.session.url = None;
        config.session.credentials = CredentialSource::Ask;
        let mut pair = Pair::new(config);
        let call = pair.connect();
        pair.xrd(Fetched::Response { status: 200, body: XRD });
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        let id = pair.asked.take().unwrap();
        answer_credentials(&mut pair, id);
        assert!(pair.authenticate(&Fault::None));
        pair.restart(BIND);
        pair.bind(JID);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        log_out(&mut pair);

        let call = pair.connect();
        let id = pair.asked.take().expect("asked at once");
        if answered {
            answer_credentials(&mut pair, id);
        }
        // The first endpoint is gone.
        pair.close_socket();
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        assert_eq!(pair.asked, None, "asked a second time, answered: {answered}");
        if !answered {
            answer_credentials(&mut pair, id);
        }
        assert!(pair.authenticate(&Fault::None));
        pair.restart(BIND);
        pair.bind(JID);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
    }
}

#[test]
fn an_app_that_has_answered_is_not_asked_again_where_the_server_leads_elsewhere() {
    let mut config = config();
    config.session.credentials = CredentialSource::Ask;
    let mut pair = Pair::new(config);
    for round in 0..2 {
        let call = pair.connect();
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        let id = pair.asked.take().expect("asked");
        answer_credentials(&mut pair, id);
        pair.sent.clear();
        pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/ws'/>");
        assert_eq!(pair.asked, None, "asked a second time in round {round}");
        pair.sent.clear();
        pair.open_socket();
        if round == 0 {
            pair.login(&Fault::None);
        } else {
            serve_hurried(&mut pair, BIND);
        }
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        log_out(&mut pair);
    }
}

#[test]
fn an_app_that_answers_while_the_domain_is_asked_has_answered() {
    const XRD: &str = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\
        <Link rel='urn:xmpp:alt-connections:websocket' href='wss://one.example.org/ws'/></XRD>";
    for gives in [true, false] {
        let mut config = config();
        config.session.url = None;
        config.session.credentials = CredentialSource::Ask;
        let mut pair = Pair::new(config);
        let call = pair.connect();
        pair.xrd(Fetched::Response { status: 200, body: XRD });
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        let id = pair.asked.take().unwrap();
        answer_credentials(&mut pair, id);
        assert!(pair.authenticate(&Fault::None));
        pair.restart(BIND);
        pair.bind(JID);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
        log_out(&mut pair);

        let call = pair.connect();
        let id = pair.asked.take().expect("asked at once");
        // What was remembered is gone, and looked up anew.
        pair.close_socket();
        if !gives {
            let error = stanzawire::error::Error::new(Code::InvalidArgument, stanzawire::error::Phase::Auth, "no");
            let outcome = Err(error);
            pair.handle(Input::Credentials { id, outcome });
            assert_eq!(pair.error(call).code(), Code::InvalidArgument);
            assert!(pair.fetches.is_empty());
            continue;
        }
        answer_credentials(&mut pair, id);
        pair.xrd(Fetched::Response { status: 200, body: XRD });
        pair.open_socket();
        serve_hurried(&mut pair, BIND);
        assert_eq!(pair.asked, None);
        assert_eq!(pair.reply(call), Ok(Reply::Done));
    }
}
