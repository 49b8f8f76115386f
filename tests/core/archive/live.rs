//! Messages that come while there is a session.

use super::*;

#[test]
fn xep0359_5_an_id_counts_only_by_the_own_archive() {
    let mut pair = knowing("0");
    for by in ["mallory@example.org", "example.org", "alice@example.org/here", "", "@@"] {
        for _ in 0..2 {
            pair.receive(&format!(
                "<message xmlns='jabber:client' from='{BOB}' type='chat'><body>{by}</body>\
                 <stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='1'/></message>"
            ));
        }
    }
    assert_eq!(bodies(&pair).len(), 10, "nothing is left out for a forged id");
    live(&mut pair, "1");
    live(&mut pair, "1");
    assert_eq!(bodies(&pair).len(), 11);
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("1"));
}

#[test]
fn xep0313_6_1_1_a_rooms_message_moves_nothing() {
    let mut pair = knowing("0");
    live_of(&mut pair, "1", "groupchat");
    live_of(&mut pair, "1", "groupchat");
    assert!(bodies(&pair).is_empty(), "nor is it told: we are in no room");
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("0"));
}

#[test]
fn every_kind_that_is_kept_moves_the_anchor() {
    for kind in ["chat", "normal", "headline", "error", "unheard-of"] {
        let mut pair = knowing("0");
        live_of(&mut pair, "1", kind);
        pair.advance(5_000);
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("1"), "{kind}");
    }
}

#[test]
fn too_many_to_wait_are_found_in_the_archive() {
    let mut pair = knowing("start");
    let asked = again(&mut pair);
    let ids: Vec<String> = (0..600).map(|n: u32| n.to_string()).collect();
    ids.iter().for_each(|id| live(&mut pair, id));
    page(&mut pair, &asked, &[from_bob("before")], true);
    assert_eq!(bodies(&pair), ["before"]);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("before"), "once more");
    live(&mut pair, "600");
    let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
    page(&mut pair, &asked, &entries, true);
    pair.nothing_sent();
    let expected: Vec<String> = std::iter::once("before".to_owned())
        .chain(ids)
        .chain(["600".to_owned()])
        .collect();
    assert_eq!(bodies(&pair), expected);
}

#[test]
fn an_anonymous_account_is_another_one_each_time() {
    use stanzawire::jid::Jid;
    use stanzawire::sasl::Credentials;
    use stanzawire::session::{self, CredentialSource};
    let mut config = config();
    config.session = session::Config {
        url: config.session.url,
        ..session::Config::new(
            Jid::parse("example.org").unwrap(),
            CredentialSource::Fixed(Credentials::Anonymous),
        )
    };
    let mut pair = Pair::new(config);
    pair.connect();
    for user in ["one", "two"] {
        while pair.socket.is_none() {
            pair.advance(1_000);
        }
        pair.open_socket();
        pair.greet("<mechanism>ANONYMOUS</mechanism>");
        pair.element();
        pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        pair.bind(&format!("{user}@example.org/x"));
        let said: Vec<_> = (0..3).map(|_| pair.element()).collect();
        let asked = said.iter().find(|said| said.child("metadata", NS_MAM).is_some());
        let asked = asked.expect("nothing is known of this one's archive").clone();
        pair.answer(&asked, &metadata("1"));
        assert_eq!(gaps(&pair), []);
        pair.sent.clear();
        pair.close_socket();
    }
}
