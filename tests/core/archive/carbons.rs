//! Carbons, and what the archive has of the same messages.

use super::*;
use crate::carbons::{received, sent};
use stanzawire::im::carbons::Carbon;

#[test]
fn xep0280_7_nothing_is_told_twice() {
    let mut pair = knowing("0");
    pair.receive(&received("1", "1"));
    pair.receive(&received("1", "1"));
    live(&mut pair, "1");
    live(&mut pair, "2");
    pair.receive(&received("2", "2"));
    assert_eq!(bodies(&pair), ["1", "2"]);
    let asked = again(&mut pair);
    page(&mut pair, &asked, &["1", "2", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "3"]);
    pair.receive(&received("3", "3"));
    assert_eq!(bodies(&pair), ["1", "2", "3"]);
}

#[test]
fn xep0280_7_what_another_client_was_sent_moves_the_anchor() {
    let mut pair = knowing("0");
    pair.receive(&received("1", "1"));
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("1"));
}

#[test]
fn xep0280_8_what_another_client_has_sent_takes_nobodys_place() {
    let mut pair = knowing("0");
    live(&mut pair, "1");
    for n in 0..1_200 {
        pair.receive(&sent(&format!("sent {n}"), &format!("s{n}")));
    }
    assert_eq!(bodies(&pair).len(), 1_201);
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("1"), "it moves no mark");
    page(&mut pair, &asked, &["1", "2"].map(from_bob), true);
    assert_eq!(bodies(&pair)[1_201..], ["2"]);
}

/// What another client has sent to Bob, as the archive has it.
fn by_another(id: &str, body: &str) -> (String, String) {
    kept(id, "alice@example.org/phone", BOB, body)
}

#[test]
fn what_another_client_has_sent_meanwhile_is_told_in_its_place() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let entries = [from_bob("1"), by_another("2", "answer"), from_bob("3")];
    page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair), ["1", "answer", "3"]);
    let messages = pair.messages();
    let told = &messages[1];
    assert_eq!(told.carbon, Some(Carbon::Sent));
    assert_eq!((told.from.as_str(), told.to.as_str()), ("alice@example.org/phone", BOB));
    assert_eq!(told.stanza_id.as_deref(), Some("2"));
    assert_eq!(told.delay.as_ref().unwrap().0, stamp("2"));
    assert_eq!((messages[0].carbon, messages[2].carbon), (None, None));
    // Once: not as a carbon that has been on its way, nor by the next search, which may begin before it.
    let asked = again(&mut pair);
    pair.receive(&sent("answer", "2"));
    pair.receive(&sent("another", "4"));
    page(
        &mut pair,
        &asked,
        &[by_another("2", "answer"), by_another("4", "another")],
        true,
    );
    assert_eq!(bodies(&pair)[3..], ["another"]);
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[by_another("4", "another")], true);
    assert_eq!(bodies(&pair)[4..], [""; 0]);
}

#[test]
fn what_has_come_as_a_carbon_is_not_told_again_from_the_archive() {
    let mut pair = knowing("0");
    // Not each carbon has the archive's id for it, and some clients give the same ids again and again.
    let bare = sent("one", "1")
        .replace("urn:xmpp:sid:0", "urn:example")
        .replace("m-one", "m");
    pair.receive(&bare);
    pair.receive(&bare.replace("one", "two"));
    assert_eq!(bodies(&pair), ["one", "two"]);
    let asked = again(&mut pair);
    let entry = |id: &str, body: &str| {
        let (id, message) = by_another(id, body);
        (id, message.replace(&format!("m-{body}"), "m"))
    };
    page(
        &mut pair,
        &asked,
        &[entry("1", "one"), entry("2", "two"), entry("3", "three")],
        true,
    );
    assert_eq!(bodies(&pair)[2..], ["three"]);
}

#[test]
fn what_this_client_has_sent_is_not_told_it() {
    let mut pair = knowing("0");
    let from = |id: &str, from: &str| kept(id, from, BOB, id);
    for session in ["here", "there", "elsewhere"] {
        // It sends in one session, and finds that in the next.
        pair.close_socket();
        pair.sent.clear();
        while pair.socket.is_none() {
            pair.advance(1_000);
        }
        pair.open_socket();
        pair.greet("<mechanism>SCRAM-SHA-1</mechanism>");
        assert!(pair.authenticate(&Fault::None));
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        pair.bind(&format!("alice@example.org/{session}"));
        let is_query = |asked: &Element| asked.child("query", NS_MAM).is_some();
        let asked = core::iter::from_fn(|| Some(pair.element())).find(is_query).unwrap();
        let entries = [
            from("1", "alice@example.org/here"),
            from(session, &format!("alice@example.org/{session}")),
            // Nobody knows which client that was.
            from("2", "alice@example.org"),
        ];
        page(&mut pair, &asked, &entries, true);
        assert_eq!(bodies(&pair), [""; 0], "{session}");
    }
    // Nor in the next page: those addresses are remembered.
    let mut old = crate::sm::online_with(crate::sm::kept::storing());
    live(&mut old, "1");
    let mut pair = crate::sm::kept::reload(old);
    crate::sm::kept::log_in(&mut pair);
    pair.sent.clear();
    crate::sm::failed(&mut pair, None);
    pair.bind("alice@example.org/there");
    let is_query = |asked: &Element| asked.child("query", NS_MAM).is_some();
    let asked = core::iter::from_fn(|| Some(pair.element())).find(is_query).unwrap();
    let entries = [
        from("2", "alice@example.org/here"),
        from("3", "alice@example.org/phone"),
    ];
    page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair), ["3"]);
}

#[test]
fn who_wants_no_carbons_is_not_told_what_others_have_sent() {
    let mut config = config();
    config.im.carbons = false;
    let mut pair = Pair::new(config);
    let enter = |pair: &mut Pair| {
        pair.open_socket();
        pair.login(&Fault::None);
        pair.sent.drain(..2);
        pair.element()
    };
    pair.connect();
    let asked = enter(&mut pair);
    pair.answer(&asked, &metadata("0"));
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    let asked = enter(&mut pair);
    page(&mut pair, &asked, &[by_another("1", "answer"), from_bob("2")], true);
    assert_eq!(bodies(&pair), ["2"]);
}

#[test]
fn carbons_that_come_meanwhile_come_after() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    pair.receive(&received("2", "2"));
    pair.receive(&sent("answer", "3"));
    live(&mut pair, "4");
    assert!(bodies(&pair).is_empty());
    page(&mut pair, &asked, &["1", "2"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "answer", "4"]);
    let carbons: Vec<_> = pair.messages().into_iter().map(|message| message.carbon).collect();
    assert_eq!(carbons, [None, None, Some(Carbon::Sent), None]);
}

#[test]
fn a_carbon_without_an_id_waits_with_the_others() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let answer = sent("answer", "3").replace("urn:xmpp:sid:0", "urn:example");
    live(&mut pair, "2");
    pair.receive(&answer);
    page(&mut pair, &asked, &[from_bob("1")], true);
    assert_eq!(bodies(&pair), ["1", "2", "answer"]);
}

#[test]
fn what_only_comes_as_a_carbon_is_not_lost_where_too_much_waits() {
    let mut pair = knowing("start");
    let asked = again(&mut pair);
    pair.receive(&sent("first", "s1"));
    let ids: Vec<String> = (0..600).map(|n: u32| n.to_string()).collect();
    ids.iter().for_each(|id| pair.receive(&received(id, id)));
    pair.receive(&sent("last", "s2"));
    page(&mut pair, &asked, &[from_bob("before")], true);
    let asked = pair.element();
    let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
    page(&mut pair, &asked, &entries, true);
    pair.nothing_sent();
    let told = bodies(&pair);
    assert_eq!(told.len(), 603);
    let others: Vec<_> = told.iter().filter(|body| *body != "first" && *body != "last").collect();
    assert_eq!(others[0], "before");
    assert!(others[1..].iter().copied().eq(&ids));
}

#[test]
fn what_only_comes_as_a_carbon_is_not_lost_with_the_connection() {
    let mut pair = knowing("0");
    again(&mut pair);
    pair.receive(&sent("answer", "2"));
    live(&mut pair, "3");
    pair.close_socket();
    let asked = back(&mut pair);
    page(&mut pair, &asked, &["1", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["answer", "1", "3"]);
}
