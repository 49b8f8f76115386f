//! What not every archive knows: `urn:xmpp:mam:2#extended` (XEP-0313 §4.1.3, §7).

use super::*;

#[test]
fn xep0313_7_an_archive_is_asked_first_what_it_knows() {
    for (wanted, form, at) in [
        (
            json!({ "before": "z", "after": "a" }),
            json!({ "before-id": ["z"] }),
            ("after", Some("a")),
        ),
        (json!({ "before": "z" }), json!({ "before-id": ["z"] }), ("after", None)),
        (
            json!({ "before": "z", "after": "a", "order": "newest" }),
            json!({ "after-id": ["a"] }),
            ("before", Some("z")),
        ),
        (
            json!({ "after": "a", "order": "newest" }),
            json!({ "after-id": ["a"] }),
            ("before", Some("")),
        ),
        (
            json!({ "ids": ["1", "2"], "with": "bob@example.org" }),
            json!({ "with": ["bob@example.org"], "ids": ["1", "2"] }),
            ("after", None),
        ),
    ] {
        let mut pair = Pair::online();
        let (ticket, info) = ask(&mut pair, wanted.clone());
        assert_eq!((info.attr("type"), info.attr("to")), (Some("get"), Some(OWN)));
        assert!(info.child("query", INFO).is_some(), "{info:?}");
        features(&mut pair, &info, true);
        let asked = pair.element();
        assert_eq!(fields(&asked), form);
        assert_eq!(set(&asked, at.0).as_deref(), at.1, "{wanted}");
        page(&mut pair, &asked, &["m"], false);
        let (bodies, next) = read(&pair, ticket);
        assert_eq!(bodies, ["m"]);
        // Once a session.
        let (_, asked) = go_on(&mut pair, wanted, &next);
        assert_eq!((fields(&asked), set(&asked, at.0).as_deref()), (form, Some("m")));
    }
}

#[test]
fn each_archive_is_asked_for_itself() {
    let mut pair = Pair::online();
    let wanted = json!({ "before": "z" });
    let (_, info) = ask(&mut pair, wanted.clone());
    features(&mut pair, &info, true);
    pair.element();
    let (_, info) = ask(&mut pair, json!({ "before": "z", "of": ROOM }));
    assert_eq!(info.attr("to"), Some(ROOM));
    features(&mut pair, &info, false);
    assert_eq!(fields(&pair.element()), Value::Null);
    let (_, asked) = ask(&mut pair, wanted.clone());
    assert_eq!(fields(&asked), json!({ "before-id": ["z"] }));
    // And anew in a new session.
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    pair.sent.clear();
    let (_, info) = ask(&mut pair, wanted);
    assert!(info.child("query", INFO).is_some());
}

#[test]
fn without_it_the_end_is_waited_for() {
    let mut pair = Pair::online();
    let forwards = || json!({ "after": "a", "before": "4", "page": 2 });
    let (ticket, info) = ask(&mut pair, forwards());
    features(&mut pair, &info, false);
    let asked = pair.element();
    assert_eq!(
        (fields(&asked), set(&asked, "after").as_deref()),
        (Value::Null, Some("a"))
    );
    page(&mut pair, &asked, &["1", "2"], false);
    let (bodies, next) = read(&pair, ticket);
    assert_eq!((bodies.len(), &next), (2, &json!("2")));
    let (ticket, asked) = go_on(&mut pair, forwards(), &next);
    page(&mut pair, &asked, &["3", "4"], false);
    assert_eq!(read(&pair, ticket), (vec!["3".to_owned()], Value::Null));

    let backwards = || json!({ "after": "2", "order": "newest", "page": 3 });
    let (ticket, asked) = ask(&mut pair, backwards());
    page(&mut pair, &asked, &["5", "6", "7"], false);
    let (bodies, next) = read(&pair, ticket);
    assert_eq!((bodies.len(), &next), (3, &json!("5")));
    let (ticket, asked) = go_on(&mut pair, backwards(), &next);
    page(&mut pair, &asked, &["2", "3", "4"], false);
    assert_eq!(read(&pair, ticket), (vec!["4".to_owned(), "3".to_owned()], Value::Null));
}

#[test]
fn without_it_what_might_not_come_by_is_not_waited_for() {
    for wanted in [
        json!({ "ids": ["1"] }),
        json!({ "before": "4", "with": "bob@example.org" }),
        json!({ "before": "4", "start": "2026-01-01T00:00:00Z" }),
        json!({ "after": "4", "order": "newest", "end": "2026-01-01T00:00:00Z" }),
    ] {
        let mut pair = Pair::online();
        let (ticket, info) = ask(&mut pair, wanted.clone());
        features(&mut pair, &info, false);
        let error = pair.error(ticket);
        assert_eq!(
            (error.code(), error.condition(), error.retryable()),
            (Code::StanzaError, Some("feature-not-implemented"), false),
            "{wanted}"
        );
        pair.nothing_sent();
    }
}

#[test]
fn what_an_archive_says_of_itself_may_be_nothing_or_nonsense() {
    let wanted = || json!({ "before": "4" });
    let mut pair = Pair::online();
    let (ticket, info) = ask(&mut pair, wanted());
    refuse(&mut pair, &info, "service-unavailable");
    let asked = pair.element();
    page(&mut pair, &asked, &["3", "4", "5"], true);
    assert_eq!(read(&pair, ticket).0, ["3"]);

    for nonsense in ["", "<query xmlns='urn:example'/>"] {
        let mut pair = Pair::online();
        let (ticket, info) = ask(&mut pair, wanted());
        pair.answer(&info, nonsense);
        assert_eq!(pair.error(ticket).code(), Code::ProtocolViolation);
    }
    // Somebody else's word is none.
    let mut pair = Pair::online();
    let (ticket, info) = ask(&mut pair, json!({ "before": "4", "of": ROOM }));
    let id = info.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='mallory@example.org'><query xmlns='{INFO}'>\
         <feature var='urn:xmpp:mam:2#extended'/></query></iq>"
    ));
    pair.nothing_sent();
    assert!(pair.is_open(ticket));
}
