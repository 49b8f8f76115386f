//! Answers that nobody has asked for, and those that lead nowhere.

use super::*;

#[test]
fn xep0313_8_2_results_count_from_the_archive_asked_and_with_the_id_asked() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    let query = asked
        .child("query", NS_MAM)
        .unwrap()
        .attr("queryid")
        .unwrap()
        .to_owned();
    let mut forge = |from: &str, query: &str| {
        pair.receive(&format!(
            "<message xmlns='jabber:client' {from}><result xmlns='{NS_MAM}' {query} id='1'>\
             <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='{BOB}' type='chat'>\
             <body>x</body></message></forwarded></result></message>"
        ));
        pair.messages().len()
    };
    let right = format!("queryid='{query}'");
    for from in [
        "mallory@example.org",
        "alice@example.org/there",
        "example.org",
        "room@muc.example.org",
        "@",
    ] {
        assert_eq!(forge(&format!("from='{from}'"), &right), 0, "{from}");
    }
    for wrong in ["", "queryid=''", "queryid='1'"] {
        assert_eq!(forge("", wrong), 0, "{wrong}");
    }
    assert_eq!(forge("from='ALICE@example.org'", &right), 1);
}

#[test]
fn results_after_the_end_are_none() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[from_bob("1")], true);
    result(&mut pair, &asked, &from_bob("2"));
    assert_eq!(bodies(&pair), ["1"]);
    let asked = again(&mut pair);
    page(&mut pair, &asked, &[from_bob("2")], true);
    assert_eq!(bodies(&pair), ["1", "2"]);
}

#[test]
fn an_entry_that_comes_twice_is_told_once() {
    let mut pair = knowing("0");
    let asked = again(&mut pair);
    page(&mut pair, &asked, &["1", "2", "1", "2", "3"].map(from_bob), true);
    assert_eq!(bodies(&pair), ["1", "2", "3"]);
}

/// Serves pages until there is nothing more to answer; how many.
fn serve(pair: &mut Pair, most: usize, mut answer: impl FnMut(&mut Pair, &Element, usize)) -> usize {
    for turn in 0..most {
        let Some(place) = pair.sent.iter().position(|frame| frame.contains(NS_MAM)) else {
            return turn;
        };
        let frame = pair.sent.remove(place).unwrap();
        let asked = stanzawire::xml::read(&frame, &Default::default()).unwrap();
        answer(pair, &asked, turn);
    }
    panic!("it has no end");
}

#[test]
fn pages_without_progress_come_to_an_end() {
    type Answer = fn(&mut Pair, &Element, usize);
    let answers: [(&str, Answer); 5] = [
        ("nothing, and more to come", |pair, asked, _| {
            fin(pair, asked, None, false)
        }),
        ("the same again", |pair, asked, _| {
            page(pair, asked, &[from_bob("1")], false)
        }),
        ("a circle", |pair, asked, turn| {
            page(pair, asked, &[from_bob(["1", "2", "3"][turn % 3])], false);
        }),
        ("ids alone", |pair, asked, turn| {
            let id = (turn % 7).to_string();
            fin(pair, asked, Some((&id, &id)), false);
        }),
        ("no end in sight", |pair, asked, turn| {
            page(pair, asked, &[from_bob(&format!("p{turn}"))], false);
        }),
    ];
    for (what, answer) in answers {
        let mut pair = knowing("0");
        let asked = again(&mut pair);
        pair.receive("<message xmlns='jabber:client'/>");
        live(&mut pair, "live");
        answer(&mut pair, &asked, 0);
        let turns = serve(&mut pair, 6_000, |pair, asked, turn| answer(pair, asked, turn + 1));
        let told = bodies(&pair);
        assert!(
            told.contains(&"live".to_owned()),
            "{what}: after {turns} pages all goes on"
        );
        let mut each = told.clone();
        each.sort();
        each.dedup();
        assert_eq!(each.len(), told.len(), "{what}: each once");
        // An end that was reached, or a gap.
        assert!(gaps(&pair).len() == 1 || turns < 3, "{what}: {turns} pages");
        live(&mut pair, "later");
        assert_eq!(bodies(&pair).last().map(String::as_str), Some("later"), "{what}");
    }
}

#[test]
fn an_archive_that_answers_nonsense_is_none() {
    for nonsense in [
        "",
        "<fin xmlns='urn:xmpp:mam:1' complete='true'/>",
        "<query xmlns='urn:xmpp:mam:2'/>",
        "<metadata xmlns='urn:xmpp:mam:2'><end/></metadata>",
    ] {
        let mut pair = knowing("0");
        let asked = again(&mut pair);
        live(&mut pair, "2");
        pair.answer(&asked, nonsense);
        pair.nothing_sent();
        assert_eq!(
            (bodies(&pair), gaps(&pair).len()),
            (vec!["2".to_owned()], 1),
            "{nonsense}"
        );
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0.as_deref(), Some("0"), "the next session asks on");
    }
}
