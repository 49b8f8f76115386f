//! Sessions that were bound along with the authentication (XEP-0386), by a server that drops what it kept for them.

use super::*;
use crate::sasl2::{self, BIND2, FULL, SASL2, announce, authenticate, bound, header, scram, success};
use crate::sm::kept::{reload, storing};
use stanzawire::engine::{Input, Reply};
use stanzawire::error::Code;
use stanzawire::jid::Jid;
use stanzawire::sasl::Credentials;
use stanzawire::session::{self, CredentialSource, Status};

/// Bind 2, and nothing that lets a session go on.
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/></inline></bind>";
const BEHIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// Logs in on a new socket, with this in the `<bound/>`, or else that there is an archive; what that was asked, behind the
/// presence.
fn enter(pair: &mut Pair, inner: &str) -> Element {
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    header(pair);
    let asked = if pair.sent.is_empty() {
        announce(pair, &["SCRAM-SHA-1"], BIND);
        authenticate(pair, "SCRAM-SHA-1")
    } else {
        let asked = authenticate(pair, "SCRAM-SHA-1");
        announce(pair, &["SCRAM-SHA-1"], BIND);
        asked
    };
    assert!(asked.child("bind", BIND2).is_some(), "{asked:?}");
    let proof = scram(pair, &asked);
    let metadata = metadata("1");
    let inner = if inner.is_empty() { &metadata } else { inner };
    success(pair, Some(&proof), FULL, &bound(inner));
    sasl2::features(pair, BEHIND);
    first_stanzas(pair)
}

fn first_stanzas(pair: &mut Pair) -> Element {
    pair.sent.retain(|frame| !frame.starts_with("<r "));
    assert!(pair.element().child("query", "jabber:iq:roster").is_some());
    assert!(
        pair.element().is("presence", NS_CLIENT),
        "XEP-0386 §2.2: nobody sends what is kept"
    );
    pair.element()
}

/// The first session of a client; what the archive was asked.
fn entered(inner: &str) -> (Pair, Element) {
    let mut pair = Pair::new(config());
    pair.connect();
    let asked = enter(&mut pair, inner);
    (pair, asked)
}

/// The connection is lost, and there is a new session; what the archive was asked.
fn anew(pair: &mut Pair) -> Element {
    pair.close_socket();
    pair.sent.clear();
    enter(pair, "")
}

fn metadata_of(end: Option<&str>) -> String {
    end.map_or(format!("<metadata xmlns='{NS_MAM}'/>"), metadata)
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn numbered(range: std::ops::RangeInclusive<u32>) -> Vec<(String, String)> {
    numbers(range).iter().map(|id| from_bob(id)).collect()
}

fn before_is(gap: &Gap, id: &str) -> bool {
    (gap.before.as_deref(), &gap.after, &gap.since) == (Some(id), &None, &None)
}

#[test]
fn xep0386_2_2_the_last_page_is_read_back() {
    let (mut pair, asked) = entered("");
    assert_eq!(before(&asked), (String::new(), 100));
    live(&mut pair, "5");
    live(&mut pair, "6");
    assert!(bodies(&pair).is_empty());
    let of_a_room = format!("<message xmlns='jabber:client' type='groupchat' from='{BOB}'><body>room</body></message>");
    let entries = [
        from_bob("1"),
        kept("2", OWN, "bob@example.org", "sent"),
        ("3".into(), of_a_room),
        kept("4", OWN, "alice@example.org", "to myself"),
        from_bob("5"),
    ];
    bare_page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair), ["1", "to myself", "5", "6"], "each once, in order");
    assert_eq!(pair.messages()[0].delay.as_ref().unwrap().0, stamp("1"));
    assert_eq!(pair.messages()[0].stanza_id.as_deref(), Some("1"));
    assert!(gaps(&pair).is_empty());
    pair.nothing_sent();
    // From there on.
    let asked = anew(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("5"));
    page(&mut pair, &asked, &["6", "7"].map(from_bob), true);
    assert_eq!(bodies(&pair)[4..], ["7"]);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn where_there_is_more_than_that_there_is_a_gap() {
    let (mut pair, asked) = entered("");
    let mut entries = numbered(1..=100);
    entries[0] = kept("1", OWN, "bob@example.org", "sent");
    bare_page(&mut pair, &asked, &entries, false);
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert!(before_is(gap, "2"), "{gap:?}");
    assert_eq!(bodies(&pair), numbers(2..=100));
    pair.nothing_sent();
    let asked = anew(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("100"));
    page(&mut pair, &asked, &[], true);
    assert_eq!(gaps(&pair).len(), 1, "of which was told");
}

#[test]
fn xep0059_2_1_a_page_is_no_longer_than_was_asked_for() {
    let (mut pair, asked) = entered("");
    bare_page(&mut pair, &asked, &numbered(1..=150), true);
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert!(before_is(gap, "51"), "{gap:?}");
    assert_eq!(bodies(&pair), numbers(51..=150));
}

#[test]
fn xep0059_2_1_a_server_may_have_shorter_pages() {
    for end in 0..3 {
        let (mut pair, asked) = entered("");
        bare_page(&mut pair, &asked, &numbered(71..=100), false);
        live(&mut pair, "101");
        let asked = pair.element();
        assert_eq!(before(&asked), ("71".into(), 70));
        // One that fails is asked for again.
        result(&mut pair, &asked, &from_bob("41"));
        refuse(&mut pair, &asked, "wait", "internal-server-error");
        pair.advance(1_000);
        let asked = pair.element();
        assert_eq!(before(&asked), ("71".into(), 70));
        bare_page(&mut pair, &asked, &numbered(41..=70), false);
        let asked = pair.element();
        assert_eq!(before(&asked), ("41".into(), 40));
        assert!(bodies(&pair).is_empty(), "the oldest first");
        let first = match end {
            0 => {
                bare_page(&mut pair, &asked, &numbered(1..=40), false);
                1
            }
            1 => {
                bare_page(&mut pair, &asked, &numbered(31..=40), true);
                31
            }
            _ => {
                refuse(&mut pair, &asked, "cancel", "item-not-found");
                41
            }
        };
        assert_eq!(bodies(&pair), numbers(first..=101));
        let before: Vec<_> = gaps(&pair).into_iter().map(|gap| gap.before.unwrap()).collect();
        let expected = (end != 1).then(|| first.to_string());
        assert_eq!(before, Vec::from_iter(expected));
        pair.nothing_sent();
        let asked = anew(&mut pair);
        assert_eq!(after(&asked), (Some("100".into()), 100));
    }
}

#[test]
fn what_a_server_has_not_dropped_comes_before_the_newest() {
    let (mut pair, asked) = entered("");
    for id in ["1", "2", "3", "4"] {
        let stamp = stamp(id);
        pair.receive(&format!(
            "<message xmlns='jabber:client' from='{BOB}' to='alice@example.org' type='chat'><body>{id}</body>\
             <delay xmlns='urn:xmpp:delay' from='example.org' stamp='{stamp}'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='{id}'/></message>"
        ));
    }
    live(&mut pair, "6");
    bare_page(&mut pair, &asked, &["3", "4", "5"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "3", "4", "5", "6"]);
}

/// A session that goes on in another page is handed what that one had not read, as it was first sent.
#[test]
fn what_waited_in_a_session_comes_before_the_newest() {
    let (mut pair, asked) = entered("");
    ["1", "2", "102"].iter().for_each(|id| live(&mut pair, id));
    bare_page(&mut pair, &asked, &numbered(2..=101), false);
    assert_eq!(bodies(&pair), numbers(1..=102));
    assert_eq!(gaps(&pair).len(), 1);
}

#[test]
fn where_there_is_nothing_to_tell_there_is_a_first_entry() {
    let (mut pair, asked) = entered("");
    let entries: Vec<_> = numbers(1..=100)
        .iter()
        .map(|id| kept(id, OWN, "bob@example.org", "sent"))
        .collect();
    bare_page(&mut pair, &asked, &entries, false);
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert!(before_is(gap, "1"), "{gap:?}");
    assert!(bodies(&pair).is_empty());
}

#[test]
fn xep0386_2_2_an_archive_that_was_empty_is_read_from_its_beginning() {
    let (mut pair, asked) = entered(&metadata_of(None));
    assert!(asked.child("metadata", NS_MAM).is_some(), "{asked:?}");
    pair.answer(&asked, &metadata_of(None));
    pair.nothing_sent();
    assert!(gaps(&pair).is_empty() && bodies(&pair).is_empty());

    // What came between the resource and the presence.
    let (mut pair, asked) = entered(&metadata_of(None));
    live(&mut pair, "102");
    pair.answer(&asked, &metadata("101"));
    let asked = pair.element();
    assert_eq!(after(&asked), (None, 100));
    let ids: Vec<String> = (0..102).map(|n| n.to_string()).collect();
    let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
    bare_page(&mut pair, &asked, &entries[..100], false);
    let asked = pair.element();
    bare_page(&mut pair, &asked, &entries[100..], true);
    let asked = pair.element();
    assert_eq!(
        before(&asked),
        ("100".to_owned(), 1),
        "nothing was thrown away in between"
    );
    bare_page(&mut pair, &asked, &entries[99..100], false);
    assert_eq!(bodies(&pair)[..102], ids);
    assert_eq!(bodies(&pair)[102..], ["102"]);
    assert!(gaps(&pair).is_empty());
}

/// It has dropped nothing, and hands it over behind the presence.
#[test]
fn xep0386_2_2_a_server_that_says_nothing_of_the_archive_is_met_as_of_old() {
    let (mut pair, asked) = entered("<other xmlns='urn:example'/>");
    live(&mut pair, "1");
    assert!(asked.child("metadata", NS_MAM).is_some(), "{asked:?}");
    pair.answer(&asked, &metadata("7"));
    assert_eq!((bodies(&pair), gaps(&pair)), (vec!["1".to_owned()], vec![]));
}

#[test]
fn xep0386_2_2_an_archive_that_was_not_is_read_back() {
    let (mut pair, asked) = entered(&metadata_of(Some("2")));
    assert_eq!(before(&asked), (String::new(), 100));
    bare_page(&mut pair, &asked, &["1", "2", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "3"]);
}

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

#[test]
fn without_an_archive_there_is_a_gap_and_the_next_resource_is_bound_as_of_old() {
    for condition in ["service-unavailable", "feature-not-implemented", "forbidden"] {
        let (mut pair, asked) = entered("");
        live(&mut pair, "1");
        refuse(&mut pair, &asked, "cancel", condition);
        assert_eq!(gaps(&pair), [Gap::default()]);
        assert_eq!(bodies(&pair), ["1"], "nothing waits for it");
        pair.nothing_sent();

        let asked = as_of_old(&mut pair);
        // Where there is one by now, that is learnt.
        pair.answer(&asked, &metadata("7"));
        pair.nothing_sent();
        let asked = anew(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("7"));
    }
}

/// A login with no resource along with the authentication; what the archive was asked.
fn as_of_old(pair: &mut Pair) -> Element {
    pair.close_socket();
    pair.sent.clear();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.open_socket();
    header(pair);
    let login = authenticate(pair, "SCRAM-SHA-1");
    assert!(login.child("bind", BIND2).is_none(), "{login:?}");
    announce(pair, &["SCRAM-SHA-1"], BIND);
    let proof = scram(pair, &login);
    success(pair, Some(&proof), "alice@example.org", "");
    sasl2::features(pair, BEHIND);
    let asked = pair.sent.front().cloned().unwrap_or_default();
    let (_, resource) = FULL.split_once('/').unwrap();
    assert!(asked.contains(&format!(">{resource}<")), "RFC 6120 §7.7.2.2: {asked}");
    pair.bind(FULL);
    question(pair)
}

#[test]
fn rfc6120_7_7_2_2_what_is_in_doubt_left_by_a_resource_that_is_bound_anew() {
    let (mut pair, asked) = entered("");
    bare_page(&mut pair, &asked, &[from_bob("1")], true);
    let asked = anew(&mut pair);
    page(&mut pair, &asked, &[], true);
    // It may be on its way yet, and the server may let several sessions of one user agent live.
    let (call, _) = send(&mut pair, "mine");
    let asked = as_of_old(&mut pair);
    page(&mut pair, &asked, &[], true);
    let prefs = question(&mut pair);
    pair.answer(&prefs, &format!("<prefs xmlns='{NS_MAM}' default='always'/>"));
    let asked = question(&mut pair);
    page(&mut pair, &asked, &[], true);
    assert!(pair.sent.iter().any(|frame| frame.contains("mine")), "it was not taken");
    pair.sent.clear();
    assert!(pair.is_open(call));
}

/// What the archive is asked.
fn question(pair: &mut Pair) -> Element {
    let is_question = |frame: &String| frame.contains(NS_MAM);
    let place = pair.sent.iter().position(is_question).expect("a question");
    let frame = pair.sent.remove(place).unwrap();
    pair.sent.clear();
    stanzawire::xml::read(&frame, &Default::default()).unwrap()
}

#[test]
fn an_archive_that_is_gone_leaves_a_gap_behind_its_last_entry() {
    let (mut pair, asked) = entered("");
    bare_page(&mut pair, &asked, &["1", "2"].map(from_bob), true);
    let asked = anew(&mut pair);
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert_eq!(gap.after.as_deref(), Some("2"));
    as_of_old(&mut pair);
}

#[test]
fn an_archive_that_fails_is_not_none() {
    let (mut pair, asked) = entered("");
    live(&mut pair, "2");
    refuse(&mut pair, &asked, "wait", "internal-server-error");
    assert!(gaps(&pair).is_empty() && bodies(&pair).is_empty());
    pair.advance(1_000);
    let asked = pair.element();
    assert_eq!(before(&asked).0, "");
    bare_page(&mut pair, &asked, &["1", "2"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2"]);
    anew(&mut pair);
}

#[test]
fn too_many_to_wait_are_found_behind_the_last_page() {
    let (mut pair, asked) = entered("");
    let ids: Vec<String> = (0..600).map(|n: u32| n.to_string()).collect();
    ids.iter().for_each(|id| live(&mut pair, id));
    bare_page(&mut pair, &asked, &[from_bob("before")], true);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("before"));
    let entries: Vec<_> = ids.iter().map(|id| from_bob(id)).collect();
    page(&mut pair, &asked, &entries, true);
    assert_eq!(bodies(&pair)[0], "before");
    assert_eq!(bodies(&pair)[1..], ids);
    assert!(gaps(&pair).is_empty());
}

#[test]
fn a_message_in_doubt_is_looked_for_on_the_last_page_and_before() {
    for found in [1, 2, 3] {
        let (mut pair, _) = entered("");
        let (call, id) = send(&mut pair, "mine");
        let asked = as_of_old(&mut pair);
        assert!(pair.is_open(call));
        let mine = sent("0", &id, "mine");
        match found {
            1 => {
                let mut entries = numbered(1..=100);
                entries[49] = mine;
                bare_page(&mut pair, &asked, &entries, false);
            }
            _ => {
                bare_page(&mut pair, &asked, &numbered(1..=100), false);
                let asked = pair.element();
                assert_eq!(before(&asked), ("1".into(), 100));
                let entry = if found == 2 { mine } else { from_bob("0") };
                bare_page(&mut pair, &asked, &[entry], true);
            }
        }
        assert_eq!(gaps(&pair).len(), 1);
        if found < 3 {
            let Ok(Reply::Im(im::Reply::Chat(sent))) = pair.reply(call) else {
                panic!("{:?}", pair.reply(call))
            };
            assert_eq!(sent.stanza_id.as_deref(), Some("0"));
            assert!(!pair.sent.iter().any(|frame| frame.contains("mine")));
            continue;
        }
        // It isn't there, and so it is sent again, when that is certain.
        assert!(!bodies(&pair).contains(&"0".to_owned()), "no further is told");
        let prefs = pair.element();
        assert!(prefs.child("prefs", NS_MAM).is_some(), "{prefs:?}");
        pair.answer(&prefs, &format!("<prefs xmlns='{NS_MAM}' default='always'/>"));
        let asked = pair.element();
        assert_eq!(after(&asked).0.as_deref(), Some("100"));
        page(&mut pair, &asked, &[], true);
        let again = pair
            .sent
            .iter()
            .find(|frame| frame.contains("mine"))
            .expect("it is sent again");
        assert!(again.contains(&id));
    }
}

#[test]
fn an_anonymous_account_has_nothing_to_be_read_back() {
    let mut config = config();
    config.session = session::Config {
        url: config.session.url,
        ..session::Config::new(
            Jid::parse("example.org").unwrap(),
            CredentialSource::Fixed(Credentials::Anonymous),
        )
    };
    for refused in [false, true] {
        let mut pair = Pair::new(config.clone());
        pair.connect();
        for user in ["one", "two"] {
            while pair.socket.is_none() {
                pair.advance(1_000);
            }
            pair.open_socket();
            pair.element();
            let known = !pair.sent.is_empty();
            let login = |pair: &mut Pair| {
                let login = pair.element();
                assert!(login.is("authenticate", SASL2) && login.child("bind", BIND2).is_some());
            };
            if known {
                login(&mut pair);
            }
            announce(&mut pair, &["ANONYMOUS"], BIND);
            if !known {
                login(&mut pair);
            }
            success(&mut pair, None, &format!("{user}@example.org/x"), &bound(""));
            sasl2::features(&mut pair, BEHIND);
            assert_eq!(pair.engine.status(), Status::Online);
            let asked = first_stanzas(&mut pair);
            assert!(asked.child("metadata", NS_MAM).is_some(), "{asked:?}");
            if refused {
                refuse(&mut pair, &asked, "cancel", "service-unavailable");
                let asked = pair.element();
                refuse(&mut pair, &asked, "cancel", "service-unavailable");
            } else {
                pair.answer(&asked, &metadata("1"));
            }
            pair.nothing_sent();
            assert_eq!(gaps(&pair), []);
            pair.close_socket();
        }
    }
}
