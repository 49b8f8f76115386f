//! XEP-0202, both ways.

use crate::pair::Pair;
use serde_json::json;
use stanzawire::engine::Input;
use stanzawire::error::{Code, Phase};

const TIME: &str = "urn:xmpp:time";

#[test]
fn xep0202_2_what_somebodys_clock_says() {
    let mut pair = Pair::online();
    for (tzo, utc) in [
        ("-06:00", "2006-12-19T17:58:35Z"),
        ("Z", "2006-12-19T17:58:35.123Z"),
        ("+05:45", "2024-02-29T00:00:00Z"),
    ] {
        let call = pair.im("entityTime", json!(["juliet@capulet.com/balcony"]));
        let request = pair.element();
        assert_eq!(
            (request.attr("type"), request.attr("to")),
            (Some("get"), Some("juliet@capulet.com/balcony"))
        );
        assert!(request.child("time", TIME).is_some());
        pair.answer(
            &request,
            &format!("<time xmlns='{TIME}'><tzo> {tzo} </tzo><utc> {utc} </utc></time>"),
        );
        assert_eq!(pair.value(call), json!({ "utc": utc, "tzo": tzo }));
    }
}

#[test]
fn xep0202_2_an_answer_that_is_none_is_the_other_sides_fault() {
    let answer = |tzo: &str, utc: &str| format!("<time xmlns='{TIME}'>{tzo}{utc}</time>");
    let (tzo, utc) = ("<tzo>Z</tzo>", "<utc>2006-12-19T17:58:35Z</utc>");
    for payload in [
        String::new(),
        answer("", ""),
        answer(tzo, ""),
        answer("", utc),
        answer(tzo, "<utc/>"),
        answer(tzo, "<utc>20061219T17:58:35</utc>"),
        answer(tzo, "<utc>2006-02-30T17:58:35Z</utc>"),
        answer("<tzo/>", utc),
        answer("<tzo>CET</tzo>", utc),
        answer("<tzo>+1</tzo>", utc),
        answer("<tzo>-06:00-06:00</tzo>", utc),
        answer("<tzo>.5Z</tzo>", utc),
        answer("<tzo>5Z</tzo>", utc),
        answer("<tzo>-24:00</tzo>", utc),
        answer(tzo, utc).replace(TIME, "urn:xmpp:other"),
        format!("<other xmlns='{TIME}'>{tzo}{utc}</other>"),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("entityTime", json!(["bob@example.org/x"]));
        let request = pair.element();
        pair.answer(&request, &payload);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{payload}"
        );
    }
}

#[test]
fn rfc6120_8_2_3_only_who_was_asked_says_what_its_clock_says() {
    let mut pair = Pair::online();
    let call = pair.im("entityTime", json!(["bob@example.org/x"]));
    let id = pair.element().attr("id").unwrap().to_owned();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='bob@example.org/y'><time xmlns='{TIME}'>\
         <tzo>Z</tzo><utc>2006-12-19T17:58:35Z</utc></time></iq>"
    ));
    assert!(pair.is_open(call));
}

/// What we say: the time, and the zone.
fn told(pair: &mut Pair) -> Option<(String, String)> {
    pair.sent.clear();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='t1' from='bob@example.org/x'><time xmlns='{TIME}'/></iq>"
    ));
    let answer = pair.element();
    assert_eq!(
        (answer.attr("id"), answer.attr("to")),
        (Some("t1"), Some("bob@example.org/x"))
    );
    let time = answer.child("time", TIME)?;
    Some((time.child_text("utc", TIME)?, time.child_text("tzo", TIME)?))
}

#[test]
fn xep0202_2_what_our_clock_says() {
    let mut pair = Pair::online();
    assert_eq!(told(&mut pair), None, "nobody has said what it says");
    let mut say = |utc, zone| {
        pair.handle(Input::WallClock { utc, zone });
        told(&mut pair).unwrap()
    };
    for (utc, zone, time, tzo) in [
        (0, 0, "1970-01-01T00:00:00Z", "+00:00"),
        (1_166_551_115_999, -360, "2006-12-19T17:58:35Z", "-06:00"),
        (951_782_400_000, 345, "2000-02-29T00:00:00Z", "+05:45"),
        (951_868_799_000, -210, "2000-02-29T23:59:59Z", "-03:30"),
        (951_868_800_000, 840, "2000-03-01T00:00:00Z", "+14:00"),
        (1_735_689_599_000, 60, "2024-12-31T23:59:59Z", "+01:00"),
        (4_107_542_400_000, 60, "2100-03-01T00:00:00Z", "+01:00"),
        (253_402_300_799_000, 60, "9999-12-31T23:59:59Z", "+01:00"),
    ] {
        assert_eq!(say(utc, zone), (time.to_owned(), tzo.to_owned()));
    }
    pair.handle(Input::WallClock {
        utc: 253_402_300_800_000,
        zone: 0,
    });
    assert_eq!(told(&mut pair), None, "XEP-0082 §3.1: a year has four digits");
    pair.handle(Input::WallClock {
        utc: u64::MAX,
        zone: i32::MIN,
    });
    assert_eq!(told(&mut pair), None);
}

#[test]
fn the_clock_goes_on_meanwhile_and_may_be_set() {
    let mut pair = Pair::online();
    pair.handle(Input::WallClock { utc: 0, zone: 60 });
    pair.advance(41_000);
    assert_eq!(told(&mut pair).unwrap().0, "1970-01-01T00:00:41Z");
    pair.handle(Input::WallClock { utc: 5_000, zone: 120 });
    assert_eq!(
        told(&mut pair),
        Some(("1970-01-01T00:00:05Z".to_owned(), "+02:00".to_owned()))
    );
}
