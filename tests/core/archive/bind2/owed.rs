//! What could not be read back, in later sessions and pages.

use super::*;

#[test]
fn what_was_not_read_back_is_still_owed() {
    let (mut pair, _) = entered("");
    live(&mut pair, "2");
    let asked = anew(&mut pair);
    assert_eq!(before(&asked), (String::new(), 100));
    result(&mut pair, &asked, &from_bob("1"));
    result(&mut pair, &asked, &from_bob("2"));
    live(&mut pair, "3");
    let asked = anew(&mut pair);
    assert_eq!(before(&asked), (String::new(), 100));
    bare_page(&mut pair, &asked, &["1", "2", "3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "3", "4"]);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn xep0313_3_2_what_has_been_thrown_away_since_leaves_a_gap() {
    let (mut pair, mut asked) = entered("");
    live(&mut pair, "1");
    for wait in [1_000, 2_000, 4_000] {
        refuse(&mut pair, &asked, "wait", "internal-server-error");
        pair.advance(wait);
        asked = pair.element();
    }
    assert_eq!(bodies(&pair), ["1"], "nobody waits for ever");
    let (call, _) = send(&mut pair, "mine");
    let asked = as_of_old(&mut pair);
    bare_page(&mut pair, &asked, &["8", "9"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "8", "9"]);
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert!(before_is(gap, "8"), "{gap:?}");
    assert_eq!(
        pair.error(call).code(),
        Code::DeliveryUnknown,
        "it may have been thrown away as well"
    );
}

#[test]
fn what_was_not_read_back_is_owed_by_the_next_page() {
    for resumed in [true, false] {
        let (mut old, asked) = storing_page(&metadata("1"));
        assert_eq!(before(&asked), (String::new(), 100));
        result(&mut old, &asked, &from_bob("1"));
        live(&mut old, "2");

        let (mut pair, asked) = next_page(old, resumed);
        assert_eq!(before(&asked), (String::new(), 100));
        bare_page(&mut pair, &asked, &["1", "2", "3"].map(from_bob), true);
        assert_eq!(bodies(&pair), ["1", "2", "3"]);
        assert!(gaps(&pair).is_empty());
    }
}

/// The first page of a client with a store, with this in the `<bound/>`; what the archive was asked.
fn storing_page(inner: &str) -> (Pair, Element) {
    let mut pair = Pair::new(storing());
    let call = pair.connect();
    let (id, _) = pair.load.take().expect("the store is asked");
    pair.handle(Input::Loaded { id, value: None });
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], sasl2::INLINE);
    let login = authenticate(&mut pair, "SCRAM-SHA-1");
    let proof = scram(&mut pair, &login);
    let along = bound(&(sasl2::enabled("session-1") + inner));
    success(&mut pair, Some(&proof), FULL, &along);
    assert_eq!(pair.reply(call), Ok(Reply::Done));
    sasl2::features(&mut pair, BEHIND);
    let asked = first_stanzas(&mut pair);
    (pair, asked)
}

/// The page is loaded again, and goes on with the session, or begins another one, bound as of old; what the archive was
/// asked.
fn next_page(old: Pair, resumed: bool) -> (Pair, Element) {
    let mut pair = reload(old);
    pair.open_socket();
    header(&mut pair);
    announce(&mut pair, &["SCRAM-SHA-1"], sasl2::INLINE);
    let login = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(login.child("resume", sasl2::SM).is_some(), "{login:?}");
    let proof = scram(&mut pair, &login);
    if resumed {
        let along = "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>";
        success(&mut pair, Some(&proof), FULL, along);
    } else {
        let along = "<failed xmlns='urn:xmpp:sm:3'/>";
        success(&mut pair, Some(&proof), "alice@example.org", along);
        sasl2::features(&mut pair, BEHIND);
        pair.bind(crate::pair::JID);
    }
    let asked = question(&mut pair);
    (pair, asked)
}

#[test]
fn xep0386_2_2_what_was_dropped_where_there_is_no_archive_is_told_of_by_the_next_page() {
    // A server that says nothing of an archive that it doesn't have.
    for resumed in [true, false] {
        let (old, _) = storing_page("");
        let (mut pair, asked) = next_page(old, resumed);
        refuse(&mut pair, &asked, "cancel", "service-unavailable");
        let asked = question(&mut pair);
        refuse(&mut pair, &asked, "cancel", "service-unavailable");
        assert_eq!(gaps(&pair), [Gap::default()], "{resumed}");
        let learnt =
            |(_, value): &(String, Option<String>)| value.as_ref().is_some_and(|value| value.contains("no-archive"));
        assert!(
            !resumed || pair.stored.iter().any(learnt),
            "the next resource is bound as of old"
        );
    }
}

#[test]
fn what_was_told_of_by_one_page_is_not_told_again_by_the_next() {
    let (mut old, asked) = storing_page("");
    refuse(&mut old, &asked, "cancel", "service-unavailable");
    let asked = question(&mut old);
    refuse(&mut old, &asked, "cancel", "service-unavailable");
    assert_eq!(gaps(&old), [Gap::default()]);
    let (mut pair, asked) = next_page(old, true);
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    let asked = question(&mut pair);
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    assert_eq!(gaps(&pair), []);
}

#[test]
fn what_ends_with_its_session_is_no_failure_of_the_archive() {
    let (mut pair, mut asked) = storing_page(&metadata("1"));
    live(&mut pair, "2");
    for wait in [1_000, 2_000] {
        refuse(&mut pair, &asked, "wait", "internal-server-error");
        pair.advance(wait);
        asked = question(&mut pair);
    }
    pair.close_socket();
    pair.sent.clear();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    header(&mut pair);
    let login = authenticate(&mut pair, "SCRAM-SHA-1");
    assert!(login.child("resume", sasl2::SM).is_some(), "{login:?}");
    announce(&mut pair, &["SCRAM-SHA-1"], sasl2::INLINE);
    let proof = scram(&mut pair, &login);
    // The one session ends, and the next one begins.
    let along = "<failed xmlns='urn:xmpp:sm:3'/>".to_owned() + &bound(&(sasl2::enabled("session-2") + &metadata("2")));
    success(&mut pair, Some(&proof), FULL, &along);
    sasl2::features(&mut pair, BEHIND);
    assert!(bodies(&pair).is_empty(), "nothing overtakes what is read back");
    let asked = question(&mut pair);
    bare_page(&mut pair, &asked, &["1", "2"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2"]);
}
