//! What has become of messages that were under way when their session ended.

use super::*;
use crate::sm;
use stanzawire::engine::{Command, Reply};
use stanzawire::error::Code;
use stanzawire::im::chat::{self, MessageType, OutgoingMessage};

const ALWAYS: &str = "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>";

fn stanza_id(pair: &Pair, call: Ticket) -> Option<String> {
    match pair.reply(call) {
        Ok(Reply::Im(im::Reply::Chat(sent))) => sent.stanza_id,
        other => panic!("{other:?}"),
    }
}

/// The bodies of the messages that the client has sent.
fn said(pair: &mut Pair) -> Vec<String> {
    sm::bodies(pair)
}

/// Takes the question what the archive keeps.
fn prefs(pair: &mut Pair) -> Element {
    let asked = pair.element();
    assert!(
        asked.child("prefs", NS_MAM).is_some() && asked.attr("type") == Some("get"),
        "{asked:?}"
    );
    asked
}

#[test]
fn xep0359_3_2_a_message_is_found_by_its_origin_id() {
    let mut pair = knowing("0");
    let (one, first) = send(&mut pair, "1");
    let (two, second) = send(&mut pair, "2");
    let asked = again(&mut pair);
    let three = pair.send("bob@example.org", "3");
    assert_eq!(after(&asked).0.as_deref(), Some("0"));
    // The one with an id alone, as from an archive that keeps no more than it has to.
    let plain = format!(
        "<message xmlns='jabber:client' from='alice@example.org/here' to='bob@example.org' type='chat' id='{second}'>\
         <body>2</body></message>"
    );
    let entries = [
        from_bob("1"),
        sent("2", &first, "1"),
        ("3".to_owned(), plain),
        from_bob("4"),
    ];
    page(&mut pair, &asked, &entries, true);
    assert_eq!(stanza_id(&pair, one).as_deref(), Some("2"));
    assert_eq!(stanza_id(&pair, two).as_deref(), Some("3"));
    assert_eq!(bodies(&pair), ["1", "4"]);
    assert!(pair.is_open(three));
    assert_eq!(
        said(&mut pair),
        ["3"],
        "nothing twice, and the archive is asked nothing more"
    );
}

#[test]
fn what_is_absent_is_sent_again_before_what_is_newer() {
    let mut pair = knowing("0");
    let (one, _) = send(&mut pair, "1");
    let (two, second) = send(&mut pair, "2");
    let (three, _) = send(&mut pair, "3");
    let asked = again(&mut pair);
    let four = pair.send("bob@example.org", "4");
    page(&mut pair, &asked, &[sent("1", &second, "2")], true);
    let asked = prefs(&mut pair);
    pair.nothing_sent();
    pair.answer(&asked, ALWAYS);
    // A second look: it may have been on its way.
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("1"));
    pair.nothing_sent();
    page(&mut pair, &asked, &[], true);
    assert_eq!(stanza_id(&pair, two).as_deref(), Some("1"));
    assert_eq!(said(&mut pair), ["1", "3", "4"]);
    assert!([one, three, four].iter().all(|call| pair.is_open(*call)));
}

#[test]
fn what_arrives_meanwhile_is_found() {
    let mut pair = knowing("0");
    let (call, id) = send(&mut pair, "1");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[], true);
    let asked = prefs(&mut pair);
    pair.answer(&asked, ALWAYS);
    let asked = pair.element();
    page(&mut pair, &asked, &[sent("1", &id, "1"), from_bob("2")], true);
    assert_eq!(stanza_id(&pair, call).as_deref(), Some("1"));
    assert_eq!(said(&mut pair), [""; 0]);
    assert_eq!(bodies(&pair), ["2"]);
}

#[test]
fn xep0441_2_whether_absence_tells_is_for_the_preferences_to_say() {
    let listed = |default: &str, always: &str, never: &str| {
        let list = |name, jid: &str| match jid {
            "" => format!("<{name}/>"),
            jid => format!("<{name}><jid>{jid}</jid></{name}>"),
        };
        format!(
            "<prefs xmlns='{NS_MAM}' default='{default}'>{}{}</prefs>",
            list("always", always),
            list("never", never)
        )
    };
    for (answer, decided) in [
        (listed("always", "", ""), true),
        (listed("never", "", ""), false),
        (listed("roster", "", ""), false),
        (listed("never", "bob@example.org", ""), true),
        (listed("roster", " Bob@example.org ", ""), true),
        (listed("always", "", "bob@example.org"), false),
        (listed("always", "", "carol@example.org"), true),
        (listed("always", "", "bob@example.org/elsewhere"), true),
        (listed("always", "bob@example.org", "bob@example.org"), false),
        (listed("sometimes", "", ""), false),
        (format!("<prefs xmlns='{NS_MAM}'/>"), false),
        ("<prefs xmlns='urn:xmpp:mam:1' default='always'/>".into(), false),
        (String::new(), false),
    ] {
        let mut pair = knowing("0");
        let (call, _) = send(&mut pair, "1");
        let asked = again(&mut pair);
        page(&mut pair, &asked, &[from_bob("1")], true);
        let asked = prefs(&mut pair);
        pair.answer(&asked, &answer);
        let asked = pair.element();
        page(&mut pair, &asked, &[], true);
        match decided {
            true => assert_eq!(said(&mut pair), ["1"], "{answer}"),
            false => assert_eq!(pair.error(call).code(), Code::DeliveryUnknown, "{answer}"),
        }
    }
}

#[test]
fn xep0441_2_an_archive_without_preferences_keeps_everything() {
    let mut pair = knowing("0");
    send(&mut pair, "1");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[], true);
    let asked = prefs(&mut pair);
    refuse(&mut pair, &asked, "cancel", "feature-not-implemented");
    let asked = pair.element();
    page(&mut pair, &asked, &[], true);
    assert_eq!(said(&mut pair), ["1"]);
}

#[test]
fn xep0313_6_1_1_of_what_no_archive_keeps_absence_says_nothing() {
    let mut pair = knowing("0");
    let headline = pair.call(Command::Im {
        command: im::Command::Chat(chat::Command::Send(Box::new(OutgoingMessage {
            to: "bob@example.org".into(),
            body: Some("1".into()),
            kind: Some(MessageType::Headline),
            ..Default::default()
        }))),
        timeout: None,
    });
    let chat = pair.send("bob@example.org", "2");
    pair.sent.clear();
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[], true);
    let asked = prefs(&mut pair);
    pair.answer(&asked, ALWAYS);
    let asked = pair.element();
    page(&mut pair, &asked, &[], true);
    assert_eq!(pair.error(headline).code(), Code::DeliveryUnknown);
    assert!(pair.is_open(chat));
    assert_eq!(said(&mut pair), ["2"]);
}

#[test]
fn xep0359_6_somebody_elses_message_of_that_id_is_another_one() {
    let mut pair = knowing("0");
    let (call, id) = send(&mut pair, "1");
    let asked = again(&mut pair);
    let mallory = format!(
        "<message xmlns='jabber:client' from='mallory@example.org/x' to='alice@example.org' id='{id}'>\
         <body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
    );
    let carol = sent("2", &id, "1").1.replace("bob@", "carol@");
    page(&mut pair, &asked, &[("1".into(), mallory), ("2".into(), carol)], true);
    assert!(pair.is_open(call));
    prefs(&mut pair);
}

#[test]
fn xep0359_6_nobody_else_can_make_a_message_to_oneself_appear_taken() {
    let mut pair = knowing("0");
    let call = pair.send("alice@example.org", "1");
    let message = pair.element();
    let id = message.attr("id").unwrap();
    let asked = again(&mut pair);
    let forged = sent("1", id, "1").1.replace("to='bob@", "to='alice@");
    let forged = forged.replace("from='alice@", "from='mallory@");
    page(&mut pair, &asked, &[("1".into(), forged)], true);
    assert!(pair.is_open(call));
    prefs(&mut pair);
}

#[test]
fn an_archive_that_fails_at_the_last_moment_has_decided_nothing() {
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "1");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[], true);
    let asked = prefs(&mut pair);
    pair.answer(&asked, ALWAYS);
    let asked = pair.element();
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
}

/// A message that the server has archived and not acknowledged, while others came in: the search begins before it.
#[test]
fn a_search_begins_before_what_is_in_doubt() {
    let mut pair = sm::online_with(config());
    pair.receive(
        "<message xmlns='jabber:client' from='bob@example.org/x'><body>0</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='0'/></message>",
    );
    pair.advance(5_000);
    let (call, id) = send(&mut pair, "1");
    for n in 2..5 {
        live(&mut pair, &n.to_string());
        pair.advance(4_000);
        sm::back(&mut pair);
        pair.sent.clear();
        sm::resumed(&mut pair, sm::FIRST);
        assert_eq!(said(&mut pair), ["1"], "sent again, and not acknowledged again");
    }
    live(&mut pair, "5");
    sm::back(&mut pair);
    pair.sent.clear();
    sm::failed(&mut pair, None);
    pair.bind(crate::pair::JID);
    pair.sent.retain(|frame| frame.contains(NS_MAM));
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("0"));
    let entries = [
        sent("1", &id, "1"),
        from_bob("2"),
        from_bob("3"),
        from_bob("4"),
        from_bob("5"),
        from_bob("6"),
    ];
    page(&mut pair, &asked, &entries, true);
    assert_eq!(stanza_id(&pair, call).as_deref(), Some("1"));
    assert_eq!(bodies(&pair), ["0", "2", "3", "4", "5", "6"]);

    // When all is acknowledged it begins later.
    pair.sent.clear();
    live(&mut pair, "7");
    pair.advance(10_000);
    sm::back(&mut pair);
    pair.sent
        .retain(|frame| frame.contains("xmpp-bind") || frame.contains(NS_MAM));
    pair.bind(crate::pair::JID);
    let asked = pair.element();
    assert_eq!(after(&asked).0.as_deref(), Some("7"));
}

#[test]
fn an_archive_that_cannot_be_read_keeps_no_message_waiting() {
    // It says no.
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "1");
    let asked = again(&mut pair);
    let waiting = pair.send("bob@example.org", "2");
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
    assert!(pair.is_open(waiting));
    assert_eq!(said(&mut pair), ["2"]);

    // It says not now.
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "1");
    let mut asked = again(&mut pair);
    for wait in [1_000, 2_000, 4_000, 8_000] {
        refuse(&mut pair, &asked, "wait", "resource-constraint");
        assert!(pair.is_open(call));
        pair.advance(wait);
        asked = pair.element();
    }
    refuse(&mut pair, &asked, "wait", "resource-constraint");
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);
    // But at its word it is taken, whenever that comes.
    pair.advance(16_000);
    let asked = pair.element();
    page(&mut pair, &asked, &[from_bob("1")], true);
    assert_eq!(bodies(&pair), ["1"]);

    // It has lost what was known of it.
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "1");
    let asked = again(&mut pair);
    refuse(&mut pair, &asked, "cancel", "item-not-found");
    let asked = pair.element();
    page(&mut pair, &asked, &[from_bob("1")], true);
    assert_eq!((pair.error(call).code(), gaps(&pair).len()), (Code::DeliveryUnknown, 1));
}

#[test]
fn whatever_the_archive_says_the_messages_come_to_their_end() {
    type Answer = fn(&mut Pair, &Element);
    let answers: [Answer; 8] = [
        |pair, asked| refuse(pair, asked, "cancel", "item-not-found"),
        |pair, asked| refuse(pair, asked, "modify", "bad-request"),
        |pair, asked| refuse(pair, asked, "auth", "forbidden"),
        |pair, asked| refuse(pair, asked, "wait", "internal-server-error"),
        |pair, asked| pair.answer(asked, ""),
        |pair, asked| fin(pair, asked, None, false),
        |pair, asked| fin(pair, asked, Some(("1", "1")), false),
        // Nothing at all.
        |_, _| {},
    ];
    // Whatever it said before that, and in whatever order.
    for (one, first) in answers.iter().enumerate() {
        for (two, then) in answers.iter().enumerate() {
            for (known, right) in [true, false]
                .into_iter()
                .flat_map(|known| (0..4).map(move |right| (known, right)))
            {
                let mut pair = if known { knowing("0") } else { self::first().0 };
                let call = pair.send("bob@example.org", "1");
                pair.close_socket();
                while pair.socket.is_none() {
                    pair.advance(1_000);
                }
                pair.sent.clear();
                pair.open_socket();
                pair.login(&Fault::None);
                let (mut turn, mut ended, begun) = (0, false, pair.now);
                while !ended {
                    let asked = pair.sent.iter().position(|frame| frame.contains(NS_MAM));
                    let Some(asked) = asked else {
                        ended = !pair.is_open(call) || !said(&mut pair).is_empty();
                        pair.advance(1_000);
                        let context = format!("answers {one} and {two}, the right one at {right}, known: {known}");
                        assert!(ended || pair.now < begun.after(600_000), "{context}");
                        continue;
                    };
                    let asked = pair.sent.remove(asked).unwrap();
                    let asked = stanzawire::xml::read(&asked, &Default::default()).unwrap();
                    turn += 1;
                    if turn == right {
                        // Once in between it does as it should.
                        match asked.children().next().unwrap().name() {
                            "metadata" => pair.answer(&asked, &metadata("9")),
                            "prefs" => pair.answer(&asked, ALWAYS),
                            _ => page(&mut pair, &asked, &[from_bob("7")], true),
                        }
                    } else if turn % 2 == 1 {
                        first(&mut pair, &asked);
                    } else {
                        then(&mut pair, &asked);
                    }
                }
            }
        }
    }
}

#[test]
fn a_search_that_is_cut_off_leaves_them_to_the_next_session() {
    let mut pair = knowing("0");
    let (one, first) = send(&mut pair, "1");
    let (two, second) = send(&mut pair, "2");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[sent("1", &first, "1"), from_bob("2")], false);
    pair.close_socket();
    assert!(stanza_id(&pair, one).is_some() && pair.is_open(two));
    let asked = back(&mut pair);
    assert_eq!(
        after(&asked).0.as_deref(),
        Some("2"),
        "what was read needn't be read again"
    );
    page(&mut pair, &asked, &[sent("3", &second, "2")], true);
    assert_eq!(stanza_id(&pair, two).as_deref(), Some("3"));
    assert_eq!(said(&mut pair), [""; 0]);
}

#[test]
fn xep0313_4_3_3_where_no_place_before_them_is_known_it_is_read_backwards() {
    let lost = || {
        // The archive's first answer never came.
        let (mut pair, _) = first();
        let (call, id) = send(&mut pair, "1");
        let asked = again(&mut pair);
        pair.answer(&asked, &metadata("9"));
        let asked = pair.element();
        assert_eq!(before(&asked), (String::new(), 100));
        (pair, call, id, asked)
    };
    let (mut pair, call, id, asked) = lost();
    page(&mut pair, &asked, &[from_bob("8"), from_bob("9")], false);
    let asked = pair.element();
    assert_eq!(before(&asked).0, "8");
    page(&mut pair, &asked, &[from_bob("6"), sent("7", &id, "1")], false);
    assert_eq!(stanza_id(&pair, call).as_deref(), Some("7"));
    assert_eq!(
        (bodies(&pair), said(&mut pair)),
        (vec![], vec![]),
        "of what was before nothing is told"
    );
    assert_eq!(gaps(&pair).len(), 1);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("9"));

    // Absent from the whole of it.
    let (mut pair, call, _, asked) = lost();
    page(&mut pair, &asked, &[from_bob("8"), from_bob("9")], true);
    let asked = prefs(&mut pair);
    pair.answer(&asked, ALWAYS);
    let asked = pair.element();
    page(&mut pair, &asked, &[], true);
    assert!(pair.is_open(call));
    assert_eq!(said(&mut pair), ["1"]);

    // Absent from as much of it as anybody wants to read.
    let (mut pair, call, _, mut asked) = lost();
    for n in 0..20 {
        assert!(pair.is_open(call));
        page(&mut pair, &asked, &[from_bob(&(100 - n).to_string())], false);
        if n < 19 {
            asked = pair.element();
        }
    }
    pair.nothing_sent();
    assert_eq!(pair.error(call).code(), Code::DeliveryUnknown);

    // A server that has to be asked for its last entry.
    let (mut pair, _) = first();
    let (call, id) = send(&mut pair, "1");
    let asked = again(&mut pair);
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    let asked = pair.element();
    assert_eq!(before(&asked), (String::new(), 100));
    page(&mut pair, &asked, &[sent("8", &id, "1"), from_bob("9")], false);
    assert_eq!(stanza_id(&pair, call).as_deref(), Some("8"));
    pair.nothing_sent();
}

#[test]
fn an_end_that_is_asked_for_late_proves_nothing_about_what_was_sent_before() {
    // The archive's end is the message itself, which wasn't acknowledged.
    let (mut pair, asked) = first();
    let (call, id) = send(&mut pair, "1");
    refuse(&mut pair, &asked, "cancel", "service-unavailable");
    let asked = pair.element();
    page(&mut pair, &asked, &[sent("5", &id, "1")], false);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("5"));
    page(&mut pair, &asked, &[from_bob("6")], true);
    let asked = pair.element();
    assert_eq!(
        before(&asked),
        (String::new(), 100),
        "behind the anchor it isn't, before it it may be"
    );
    page(&mut pair, &asked, &[sent("5", &id, "1"), from_bob("6")], true);
    assert_eq!(stanza_id(&pair, call).as_deref(), Some("5"));
    assert_eq!((bodies(&pair), said(&mut pair)), (vec!["6".to_owned()], vec![]));
}

#[test]
fn a_full_queue_does_not_keep_the_archive_from_being_asked() {
    let mut config = config();
    config.session.queue = 3;
    let mut pair = Pair::online_with(config);
    let calls: Vec<_> = (0..2).map(|n| pair.send("bob@example.org", &n.to_string())).collect();
    pair.close_socket();
    while pair.socket.is_none() {
        pair.advance(1_000);
    }
    pair.sent.clear();
    let third = pair.send("bob@example.org", "2");
    let full = pair.send("bob@example.org", "3");
    assert_eq!(pair.error(full).code(), Code::QueueFull);
    let asked = log_in(&mut pair);
    pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
    let asked = prefs(&mut pair);
    pair.answer(&asked, ALWAYS);
    let asked = pair.element();
    page(&mut pair, &asked, &[], true);
    assert!(calls.iter().chain([&third]).all(|call| pair.is_open(*call)));
    assert_eq!(said(&mut pair), ["0", "1", "2"]);
}
