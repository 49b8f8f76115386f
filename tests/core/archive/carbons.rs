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
    for n in 0..1_200 {
        pair.receive(&sent("sent", &format!("s{n}")));
    }
    assert_eq!(bodies(&pair).len(), 1_200);
    pair.advance(5_000);
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("0"), "it is not told from the archive");
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
