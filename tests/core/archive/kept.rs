//! What outlives the page.

use super::*;
use crate::sm;
use crate::sm::kept::{kill, log_in as log_in_again, reload, storing};
use stanzawire::engine::{Command, Input};
use stanzawire::error::Code;
use stanzawire::im::Named;
use stanzawire::im::chat::{Message, News};

/// A page that knows of the archive, with stream management and a store.
fn page_knowing(end: &str) -> Pair {
    let mut pair = sm::online_with(storing());
    live(&mut pair, end);
    pair.advance(10_000);
    pair
}

/// The next page, where the session goes on.
fn resumed(old: Pair, h: u32) -> Pair {
    let mut pair = reload(old);
    log_in_again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, h);
    pair
}

/// The next page, where it doesn't.
fn failed(old: Pair) -> Pair {
    let mut pair = reload(old);
    log_in_again(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    pair
}

/// What the archive is asked, if anything.
fn asked(pair: &mut Pair) -> Option<Element> {
    let place = pair.sent.iter().position(|frame| frame.contains(NS_MAM))?;
    let frame = pair.sent.remove(place).unwrap();
    Some(stanzawire::xml::read(&frame, &Default::default()).unwrap())
}

fn news(pair: &Pair) -> Vec<News> {
    let news = |event: &Event| match event {
        Event::Im(im::Event::Chat(news)) => Some(news.clone()),
        _ => None,
    };
    pair.events.iter().filter_map(news).collect()
}

#[test]
fn a_session_that_goes_on_has_missed_nothing() {
    let mut pair = resumed(page_knowing("1"), sm::FIRST);
    assert_eq!(asked(&mut pair), None);
    // The roster alone is asked for.
    sm::acknowledge(&mut pair, sm::FIRST + 1);
    // What the earlier page has had is known.
    live(&mut pair, "1");
    live(&mut pair, "2");
    assert_eq!(bodies(&pair), ["2"]);
    pair.advance(10_000);
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    assert_eq!(after(&asked(&mut pair).unwrap()).0.as_deref(), Some("2"));
    assert_eq!(gaps(&pair), []);
}

#[test]
fn a_session_that_is_over_is_made_up_for() {
    let mut old = page_knowing("1");
    live(&mut old, "2");
    live(&mut old, "3");
    let mut pair = failed(old);
    let question = asked(&mut pair).unwrap();
    assert_eq!(after(&question).0.as_deref(), Some("1"), "from the mark");
    page(&mut pair, &question, &["2", "3", "4"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["4"]);
    assert_eq!(gaps(&pair), []);
}

#[test]
fn the_archives_time_outlives_the_page_too() {
    let mut old = page_knowing("1");
    sm::back(&mut old);
    old.sent.clear();
    sm::failed(&mut old, None);
    old.bind(crate::pair::JID);
    old.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
    let question = asked(&mut old).unwrap();
    page(&mut old, &question, &[from_bob("22")], true);
    let mut pair = failed(old);
    for _ in 0..2 {
        // The mark is gone, and so is the anchor.
        let question = asked(&mut pair).unwrap();
        refuse(&mut pair, &question, "cancel", "item-not-found");
    }
    let gap = gaps(&pair).pop().unwrap();
    assert_eq!((gap.after.as_deref(), gap.since.unwrap().0), (Some("22"), stamp("22")));
}

#[test]
fn what_was_not_read_to_its_end_is_read_on() {
    let mut old = page_knowing("1");
    sm::back(&mut old);
    old.sent.clear();
    sm::failed(&mut old, None);
    old.bind(crate::pair::JID);
    old.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
    let question = asked(&mut old).unwrap();
    result(&mut old, &question, &from_bob("2"));
    live(&mut old, "9");
    assert_eq!(bodies(&old), ["1", "2"], "the last one waits");
    let mut pair = resumed(old, 0);
    let question = asked(&mut pair).expect("the earlier page's answer is lost");
    live(&mut pair, "10");
    page(&mut pair, &question, &["2", "3", "9", "10"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3", "9", "10"]);
    assert_eq!(gaps(&pair), []);
}

#[test]
fn a_login_that_fails_leaves_it_to_the_next_to_read_on() {
    let mut old = page_knowing("1");
    sm::back(&mut old);
    old.sent.clear();
    sm::failed(&mut old, None);
    old.bind(crate::pair::JID);
    old.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
    let question = asked(&mut old).unwrap();
    result(&mut old, &question, &from_bob("2"));
    let mut pair = reload(old);
    pair.close_socket();
    assert_eq!(pair.engine.status(), stanzawire::engine::Status::Offline);
    pair.connect();
    log_in_again(&mut pair);
    pair.sent.clear();
    sm::resumed(&mut pair, 0);
    let question = asked(&mut pair).expect("the earlier page's answer is lost");
    page(&mut pair, &question, &["2", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3"]);
}

#[test]
fn an_end_that_was_not_known_yet_is_asked_for() {
    let mut old = Pair::new(storing());
    old.connect();
    let (id, _) = old.load.take().unwrap();
    old.handle(Input::Loaded { id, value: None });
    old.open_socket();
    sm::login(&mut old);
    old.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
    let mut pair = resumed(old, sm::FIRST);
    let question = asked(&mut pair).unwrap();
    pair.answer(&question, &metadata("5"));
    assert_eq!(gaps(&pair), [], "the session has gone on");
}

#[test]
fn what_an_earlier_session_may_have_missed_is_told_of_by_the_next_page() {
    // The first session ends before the archive has said where it ends, and so does the page in the second one.
    let mut old = Pair::new(storing());
    old.connect();
    let (id, _) = old.load.take().unwrap();
    old.handle(Input::Loaded { id, value: None });
    old.open_socket();
    sm::login(&mut old);
    old.receive(&format!("<enabled xmlns='{}'/>", sm::SM));
    sm::back(&mut old);
    old.sent
        .retain(|frame| frame.contains("xmpp-bind") || frame.contains(NS_MAM));
    old.bind(crate::pair::JID);
    old.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
    assert!(asked(&mut old).is_some());
    let mut pair = resumed(old, 0);
    let question = asked(&mut pair).unwrap();
    pair.answer(&question, &metadata("7"));
    let [gap] = &gaps(&pair)[..] else { panic!("one gap") };
    assert_eq!(gap, &Gap::default());
    // And once.
    let mut pair = resumed(pair, 0);
    let question = asked(&mut pair).unwrap();
    page(&mut pair, &question, &[], true);
    assert_eq!(gaps(&pair), []);
}

#[test]
fn an_earlier_pages_messages_end_as_events() {
    let mut old = page_knowing("1");
    let ids: Vec<String> = (0..4).map(|n| send(&mut old, &n.to_string()).1).collect();
    let mut pair = failed(old);
    let question = asked(&mut pair).unwrap();
    page(&mut pair, &question, &[sent("7", &ids[1], "1")], true);
    let of = |n: usize, stanza_id: Option<&str>| {
        Box::new(Message {
            id: Some(ids[n].clone()),
            origin_id: Some(ids[n].clone()),
            from: "alice@example.org".into(),
            to: "bob@example.org".into(),
            stanza_id: stanza_id.map(str::to_owned),
            kind: im::chat::MessageType::Chat,
            body: Some(n.to_string()),
            ..Message::default()
        })
    };
    assert_eq!(news(&pair), [News::Sent(of(1, Some("7")))]);
    assert_eq!((news(&pair)[0].name(), news(&pair)[0].error()), ("sent", None));
    let question = asked(&mut pair).unwrap();
    pair.answer(&question, &format!("<prefs xmlns='{NS_MAM}' default='never'/>"));
    let question = asked(&mut pair).unwrap();
    page(&mut pair, &question, &[], true);
    let told = news(&pair);
    assert_eq!(told.len(), 4);
    for (n, news) in [0, 2, 3].into_iter().zip(&told[1..]) {
        let News::NotSent(kept, error) = news else {
            panic!("{news:?}")
        };
        assert_eq!(
            (kept, error.code(), news.name()),
            (&of(n, None), Code::DeliveryUnknown, "not-sent")
        );
        assert_eq!(news.error(), Some(error));
        let json = serde_json::to_value(news).unwrap();
        assert_eq!(json.get("error"), None, "the edge makes it a real one");
        assert_eq!(json["originId"], ids[n].as_str());
    }
}

#[test]
fn what_an_acknowledgement_settles_has_no_archives_id() {
    let mut old = page_knowing("1");
    send(&mut old, "1");
    let pair = resumed(old, sm::FIRST + 1);
    let [News::Sent(kept)] = &news(&pair)[..] else {
        panic!("{:?}", news(&pair))
    };
    assert_eq!((kept.body.as_deref(), kept.stanza_id.as_deref()), (Some("1"), None));
}

#[test]
fn garbage_that_was_kept_does_no_harm() {
    let old = page_knowing("1");
    let old = {
        let mut old = old;
        old.handle(Input::PageHidden);
        old
    };
    let header = old.kept.iter().find(|(_, value)| value.contains("<archive")).unwrap();
    let (key, good) = (header.0.clone(), header.1.clone());
    let start = good.find("<archive").unwrap();
    let end = good.find("</archive>").unwrap() + "</archive>".len();
    for garbage in [
        "",
        "<",
        "x",
        "<archive/>",
        "<archive xmlns='urn:xmpp:mam:2' seen='AAECAwQ!BQYHCAkK' mark=''/>",
        "<archive xmlns='urn:xmpp:mam:2' seen='éééééééé' after='x' stamp='yesterday' mark='&#10;'/>",
        "<archive xmlns='urn:xmpp:mam:2' seen='AAECAwQFBgcI' after='x'/>",
        "<archive xmlns='urn:xmpp:mam:2' unread='1'/>",
        "<archive xmlns='urn:xmpp:mam:2' sent='!'><own/><own>@@</own><other/></archive>",
        "<archive xmlns='urn:xmpp:mam:2' of='mallory@example.org' after='7'/>",
    ] {
        let mut pair = Pair::seeded(storing(), 7);
        pair.kept = old.kept.clone();
        pair.kept
            .insert(key.clone(), [&good[..start], garbage, &good[end..]].concat());
        pair.connect();
        let (id, _) = pair.load.take().unwrap();
        pair.handle(Input::Loaded { id, value: None });
        log_in_again(&mut pair);
        pair.sent.clear();
        sm::failed(&mut pair, None);
        pair.bind(crate::pair::JID);
        let question = asked(&mut pair).expect("it is asked something");
        assert!(
            question.child("metadata", NS_MAM).is_some() || garbage.contains("x'"),
            "{garbage}: {question:?}"
        );
        live(&mut pair, "2");
        pair.answer(&question, &metadata("2"));
        assert_eq!(bodies(&pair), ["2"], "{garbage}");
    }
}

#[test]
fn what_the_account_has_sent_does_not_take_the_place_of_what_came() {
    let mut old = page_knowing("1");
    let came: Vec<String> = (2..60).map(|n| n.to_string()).collect();
    came.iter().for_each(|id| live(&mut old, id));
    let sent = (0..120).map(|n| kept(&format!("own-{n}"), OWN, "bob@example.org", "out"));
    let entries: Vec<_> = sent.chain(came.iter().map(|id| from_bob(id))).collect();
    // A page that is loaded again while it reads, and the next one, which reads the same.
    let mut pair = failed(old);
    for _ in 0..2 {
        let question = asked(&mut pair).unwrap();
        entries[..120]
            .iter()
            .for_each(|entry| result(&mut pair, &question, entry));
        pair.receive(&format!("<enabled xmlns='{}' id='session-1' resume='true'/>", sm::SM));
        pair = failed(pair);
    }
    let question = asked(&mut pair).unwrap();
    page(&mut pair, &question, &entries, true);
    assert_eq!(bodies(&pair), [""; 0]);
}

#[test]
fn what_a_server_kept_aside_for_long_is_known_by_the_next_page() {
    let mut old = page_knowing("1");
    (2..900).for_each(|n| live(&mut old, &n.to_string()));
    old.advance(10_000);
    let mut pair = failed(old);
    let question = asked(&mut pair).unwrap();
    // From its offline storage, with the archive's id.
    live(&mut pair, "5");
    page(&mut pair, &question, &["899", "900"].map(from_bob), true);
    live(&mut pair, "6");
    assert_eq!(bodies(&pair), ["900"]);
}

#[test]
fn what_was_told_before_it_was_proven_is_written_down() {
    let mut old = Pair::new(storing());
    old.connect();
    let (id, _) = old.load.take().expect("the store is asked");
    old.handle(Input::Loaded { id, value: None });
    let question = log_in(&mut old);
    old.answer(&question, &metadata("1"));
    let question = again(&mut old);
    old.advance(2_000);
    bare_page(&mut old, &question, &[from_bob("2")], true);
    assert_eq!(bodies(&old), ["2"]);
    // The proof never comes.
    old.advance(1_000);
    let mut pair = kill(old);
    let question = log_in(&mut pair);
    assert_eq!(after(&question).0.as_deref(), Some("1"));
    page(&mut pair, &question, &["2", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["3"]);
}

/// The page is killed while it writes for the first time: what the header would say is lost.
fn killed_in_a_write(mut old: Pair) -> Pair {
    old.advance(1_000);
    old.kept
        .retain(|key, _| key.matches(':').count() != 2 || key.ends_with(":tabs"));
    kill(old)
}

/// The next page, which knows of no session.
fn anew(pair: &mut Pair) {
    log_in_again(pair);
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(crate::pair::JID);
}

/// The archive refuses whatever it is asked.
fn refuses(pair: &mut Pair) {
    while let Some(question) = asked(pair) {
        let id = question.attr("id").unwrap();
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
    }
}

#[test]
fn what_no_header_names_is_found_however_often_a_page_is_killed() {
    for settled in [true, false] {
        let mut old = sm::online_with(storing());
        old.send("bob@example.org", "1");
        let mut pair = killed_in_a_write(old);
        anew(&mut pair);
        if settled {
            refuses(&mut pair);
        }
        pair.send("bob@example.org", "2");
        let mut pair = killed_in_a_write(pair);
        anew(&mut pair);
        refuses(&mut pair);
        let lost = |news: &News| match news {
            News::NotSent(kept, _) => kept.body.clone(),
            _ => None,
        };
        let lost: Vec<String> = news(&pair).iter().filter_map(lost).collect();
        assert_eq!(lost, if settled { vec!["2"] } else { vec!["1", "2"] });
        // And nothing stays.
        pair.advance(1_000);
        assert!(
            pair.kept.values().all(|value| !value.contains("<message")),
            "{:?}",
            pair.kept
        );
    }
}

/// The client logs out, and in again: as far as the server's features.
fn out_and_in(pair: &mut Pair) {
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    pair.connect();
    sm::again(pair);
}

/// A page that has been told of three messages, logs out, and finds what another client had left in the store.
fn heir() -> Pair {
    let mut old = page_knowing("1");
    send(&mut old, "out");
    old.handle(Input::PageHidden);
    let mut pair = Pair::seeded(storing(), 7);
    pair.connect();
    let (id, _) = pair.load.take().unwrap();
    pair.handle(Input::Loaded { id, value: None });
    let question = log_in(&mut pair);
    pair.answer(&question, &metadata("1"));
    ["2", "3"].iter().for_each(|id| live(&mut pair, id));
    pair.advance(10_000);
    let own: Vec<String> = pair.kept.keys().cloned().collect();
    pair.kept.extend(old.kept);
    out_and_in(&mut pair);
    assert!(
        own.iter()
            .all(|key| key.ends_with(":tabs") || !pair.kept.contains_key(key))
    );
    pair
}

#[test]
fn what_another_client_has_left_takes_nothing_back() {
    let mut pair = heir();
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    let question = asked(&mut pair).unwrap();
    assert_eq!(after(&question).0.as_deref(), Some("3"));
    page(&mut pair, &question, &[from_bob("4")], true);
    assert_eq!(bodies(&pair), ["2", "3", "4"]);
    // Its message may have been there before.
    let question = asked(&mut pair).unwrap();
    assert_eq!(before(&question).0, "");
}

#[test]
fn a_session_that_another_client_has_left_has_missed_what_came_before_it_went_on() {
    let mut pair = heir();
    pair.sent.clear();
    sm::resumed(&mut pair, sm::FIRST);
    live(&mut pair, "2");
    let question = asked(&mut pair).expect("the other client may have been told of some");
    assert_eq!(after(&question).0.as_deref(), Some("3"));
    page(&mut pair, &question, &[from_bob("4")], true);
    assert_eq!(bodies(&pair), ["2", "3", "4"]);
}

#[test]
fn a_page_that_is_killed_in_its_second_login_leaves_what_it_knew() {
    let mut old = page_knowing("1");
    out_and_in(&mut old);
    let mut pair = kill(old);
    let question = log_in(&mut pair);
    assert_eq!(after(&question).0.as_deref(), Some("1"));
    page(&mut pair, &question, &[from_bob("2")], true);
    assert_eq!(bodies(&pair), ["2"]);
}

#[test]
fn a_login_that_fails_behind_a_logout_forgets_no_mark() {
    let mut pair = page_knowing("1");
    live(&mut pair, "2");
    pair.call(Command::Disconnect);
    pair.receive("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    pair.connect();
    pair.close_socket();
    pair.connect();
    sm::again(&mut pair);
    let question = asked(&mut pair).unwrap();
    assert_eq!(after(&question).0.as_deref(), Some("1"), "somewhat before the last one");
}
