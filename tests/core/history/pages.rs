//! Page by page, in both directions, whatever the server makes of it.

use super::*;
use crate::pair::config;
use crate::server::Fault;
use crate::sm;

#[test]
fn xep0059_2_2_forwards() {
    let mut pair = Pair::online();
    let wanted = || json!({ "with": "bob@example.org", "page": 2 });
    let (ticket, asked) = ask(&mut pair, wanted());
    page(&mut pair, &asked, &["1", "2"], false);
    let (bodies, next) = read(&pair, ticket);
    assert_eq!(bodies, ["1", "2"]);
    pair.nothing_sent();
    let (ticket, asked) = go_on(&mut pair, wanted(), &next);
    assert_eq!(set(&asked, "after").as_deref(), Some("2"));
    assert_eq!(fields(&asked), json!({ "with": ["bob@example.org"] }));
    page(&mut pair, &asked, &["3"], true);
    assert_eq!(read(&pair, ticket), (vec!["3".to_owned()], Value::Null));
}

#[test]
fn xep0059_2_3_backwards_each_page_turned() {
    let mut pair = Pair::online();
    let wanted = || json!({ "order": "newest", "page": 3 });
    let (ticket, asked) = ask(&mut pair, wanted());
    assert_eq!(set(&asked, "before").as_deref(), Some(""));
    assert!(query(&asked).child("flip-page", NS_MAM).is_none());
    page(&mut pair, &asked, &["3", "4", "5"], false);
    let (bodies, next) = read(&pair, ticket);
    assert_eq!(bodies, ["5", "4", "3"]);
    let (ticket, asked) = go_on(&mut pair, wanted(), &next);
    assert_eq!(set(&asked, "before").as_deref(), Some("3"));
    page(&mut pair, &asked, &["1", "2"], true);
    assert_eq!(read(&pair, ticket), (vec!["2".to_owned(), "1".to_owned()], Value::Null));
}

#[test]
fn xep0059_2_1_a_page_is_no_longer_than_was_asked_for() {
    let ids = ["1", "2", "3", "4", "5"];
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({ "page": 3 }));
    page(&mut pair, &asked, &ids, true);
    // What was too much is on the next one.
    assert_eq!(
        read(&pair, ticket),
        (["1", "2", "3"].map(String::from).to_vec(), json!("3"))
    );
    let (ticket, asked) = ask(&mut pair, json!({ "page": 3, "order": "newest" }));
    page(&mut pair, &asked, &ids, true);
    assert_eq!(
        read(&pair, ticket),
        (["5", "4", "3"].map(String::from).to_vec(), json!("3"))
    );
}

#[test]
fn a_page_holds_no_more_than_four_megabytes() {
    let large = "x".repeat(900_000);
    for (order, kept, next) in [("oldest", 4, "3"), ("newest", 4, "3")] {
        let mut pair = Pair::online();
        let (ticket, asked) = ask(&mut pair, json!({ "order": order, "page": 250 }));
        let id = query(&asked).attr("queryid").unwrap().to_owned();
        for at in 0..7 {
            pair.receive(&result_from(
                "",
                &id,
                &at.to_string(),
                &message(BOB, &large).replace(&format!("m-{large}"), "m"),
            ));
        }
        fin(&mut pair, &asked, Some(("0", "6")), true);
        let page = pair.value(ticket);
        assert_eq!(
            (page["items"].as_array().unwrap().len(), page["next"].as_str()),
            (kept, Some(next)),
            "{order}"
        );
    }
}

#[test]
fn what_could_not_be_read_is_passed_over() {
    // The ends say more than the entries: one was too large to be read.
    for (order, next) in [("oldest", "3"), ("newest", "1")] {
        let mut pair = Pair::online();
        let (ticket, asked) = ask(&mut pair, json!({ "order": order }));
        entry(&mut pair, &asked, "2");
        fin(&mut pair, &asked, Some(("1", "3")), false);
        assert_eq!(read(&pair, ticket), (vec!["2".to_owned()], json!(next)));
    }
}

#[test]
fn pages_that_lead_nowhere_end() {
    // As long as there are entries that is an error; without any there is nothing more.
    for (ids, ends, failed) in [
        (&["1", "2"][..], Some(("1", "2")), false),
        (&["1", "2"][..], None, false),
        (&["1", "0"][..], Some(("1", "0")), true),
        (&["1", "0"][..], None, true),
        (&[][..], None, false),
        (&[][..], Some(("0", "0")), false),
    ] {
        let mut pair = Pair::online();
        let (ticket, asked) = go_on(&mut pair, json!({}), &json!("0"));
        for id in ids {
            entry(&mut pair, &asked, id);
        }
        fin(&mut pair, &asked, ends, false);
        if failed {
            assert_eq!(pair.error(ticket).code(), Code::ProtocolViolation);
            continue;
        }
        let next = if ids.is_empty() { Value::Null } else { json!("2") };
        assert_eq!(read(&pair, ticket).1, next, "{ids:?} {ends:?}");
    }
}

#[test]
fn xep0198_5_a_page_goes_on_in_a_session_that_does() {
    let mut pair = sm::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    entry(&mut pair, &asked, "1");
    // The server has handled the question, and says the rest again.
    sm::back(&mut pair);
    sm::resumed(&mut pair, sm::FIRST + 1);
    page(&mut pair, &asked, &["2", "3"], true);
    assert_eq!(read(&pair, ticket).0, ["1", "2", "3"]);
    // It hasn't: it is asked again as it was.
    pair.sent.clear();
    let (ticket, asked) = ask(&mut pair, json!({}));
    sm::back(&mut pair);
    sm::resumed(&mut pair, sm::FIRST + 1);
    let again = pair
        .sent
        .iter()
        .find(|frame| frame.contains(NS_MAM))
        .expect("the question");
    assert_eq!(xml::read(again, &Default::default()).unwrap(), asked);
    page(&mut pair, &asked, &["4"], true);
    assert_eq!(read(&pair, ticket).0, ["4"]);
}

/// Loses the connection and logs in anew; what the archives are asked by the app there.
fn anew(pair: &mut Pair) -> Option<Element> {
    pair.close_socket();
    while pair.socket.is_none() {
        let next = pair.engine.next_deadline().unwrap();
        pair.advance(next.since(pair.now));
    }
    pair.open_socket();
    pair.login(&Fault::None);
    let (asked, _) = pair.sent.drain(..).fold((None, ()), |(asked, ()), frame| {
        let read = xml::read(&frame, &Default::default()).unwrap();
        (read.child("query", NS_MAM).is_some().then_some(read).or(asked), ())
    });
    asked
}

#[test]
fn a_page_is_asked_for_again_in_the_next_session() {
    let mut pair = Pair::online();
    let (ticket, asked) = go_on(&mut pair, json!({ "with": "bob@example.org" }), &json!("0"));
    entry(&mut pair, &asked, "1");
    let again = anew(&mut pair).expect("it is asked again");
    assert_eq!(
        (set(&again, "after"), fields(&again)),
        (Some("0".into()), fields(&asked))
    );
    assert_ne!(query(&again).attr("queryid"), query(&asked).attr("queryid"));
    entry(&mut pair, &asked, "old");
    page(&mut pair, &again, &["1", "2"], true);
    assert_eq!(read(&pair, ticket).0, ["1", "2"]);
}

#[test]
fn a_page_that_ends_each_session_is_not_asked_for_for_ever() {
    let mut pair = Pair::online();
    let (ticket, _) = ask(&mut pair, json!({}));
    let mut sessions = 0;
    while pair.is_open(ticket) {
        sessions += 1;
        assert!(sessions < 9, "it has no end");
        anew(&mut pair);
    }
    assert_eq!(pair.error(ticket).code(), Code::Closed);
    assert!(pair.error(ticket).retryable());
}

#[test]
fn what_is_asked_without_a_connection_waits_for_one() {
    let mut pair = Pair::online();
    pair.close_socket();
    let ticket = pair.im("archive.query", json!([{ "after": "1" }]));
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    pair.login(&Fault::None);
    pair.take_first_stanzas();
    let asked = pair.element();
    page(&mut pair, &asked, &["2"], true);
    assert_eq!(read(&pair, ticket).0, ["2"]);
    // Where none comes, it ends with that.
    let (ticket, _) = ask(&mut pair, json!({}));
    pair.call(stanzawire::engine::Command::Disconnect);
    pair.advance(3_000);
    assert_eq!(pair.error(ticket).code(), Code::Closed);
}

#[test]
fn another_anonymous_account_has_another_archive() {
    let mut config = config();
    config.session = stanzawire::session::Config {
        credentials: stanzawire::session::CredentialSource::Fixed(stanzawire::sasl::Credentials::Anonymous),
        account: stanzawire::jid::Jid::parse("example.org").unwrap(),
        ..config.session
    };
    let mut pair = Pair::new(config);
    pair.connect();
    let log_in = |pair: &mut Pair, jid: &str| {
        pair.open_socket();
        pair.greet("<mechanism>ANONYMOUS</mechanism>");
        pair.element();
        pair.receive("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        pair.restart("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
        pair.bind(jid);
        pair.sent.clear();
    };
    log_in(&mut pair, "one@example.org/x");
    let (ticket, _) = ask(&mut pair, json!({}));
    pair.close_socket();
    assert_eq!(pair.error(ticket).code(), Code::Closed);
}
