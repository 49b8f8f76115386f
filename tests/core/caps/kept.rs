//! What is kept in mind of hashes, and for how long.

use super::*;

#[test]
fn a_hash_is_that_of_who_is_there() {
    let node = format!("urn:client#{EXODUS_VER}");
    let gone = |pair: &mut Pair, who: &str| {
        pair.receive(&format!(
            "<presence xmlns='jabber:client' type='unavailable' from='{who}'/>"
        ));
    };
    let mut pair = Pair::online();
    let romeo = [
        "romeo@montague.lit/a",
        "Romeo@montague.lit/b",
        "romeo@montague.lit2/c",
        "romeo@montague.li/d",
    ];
    for who in romeo {
        there(&mut pair, who, &first(EXODUS_VER));
    }
    // XEP-0115 §8.4: a server leaves out what it has said before. Neither an error nor a subscription says anything.
    there(&mut pair, romeo[0], "");
    for kind in ["error", "subscribe", "other"] {
        pair.receive(&format!(
            "<presence xmlns='jabber:client' type='{kind}' from='{}'>{}</presence>",
            romeo[0],
            first("other")
        ));
    }
    let call = supports(&mut pair, romeo[0], MUC);
    let iq = asked(&mut pair, romeo[0], Some(&node));
    tell(&mut pair, &iq, EXODUS);
    assert_eq!(pair.value(call), json!(true));
    // RFC 6121 §4.5.4: with the bare JID all go, and nobody else.
    gone(&mut pair, "romeo@montague.lit");
    for (who, known) in [
        (romeo[0], false),
        ("romeo@montague.lit/b", false),
        (romeo[2], true),
        (romeo[3], true),
    ] {
        supports(&mut pair, who, MUC);
        assert_eq!(pair.sent.is_empty(), known, "{who}");
        pair.sent.clear();
    }
    gone(&mut pair, romeo[2]);
    supports(&mut pair, romeo[2], MUC);
    asked(&mut pair, romeo[2], None);
    // Who can something else now is somebody else.
    there(&mut pair, romeo[3], &first("other"));
    supports(&mut pair, romeo[3], MUC);
    asked(&mut pair, romeo[3], Some("urn:client#other"));
}

#[test]
fn what_is_kept_in_mind_is_bounded() {
    let mut pair = Pair::online();
    let info = |number: usize| {
        let feature = format!("urn:f:{number}");
        let caps = first(&sha_1(&format!("client/pc//<{feature}<")));
        (
            caps,
            format!("<identity category='client' type='pc'/><feature var='{feature}'/>"),
        )
    };
    for number in 0..=200 {
        let (caps, info) = info(number);
        there(&mut pair, NURSE, &caps);
        supports(&mut pair, NURSE, MUC);
        let iq = pair.element();
        tell(&mut pair, &iq, &info);
        // Somebody looks at the first one all the while.
        there(&mut pair, NURSE, &first(&sha_1("client/pc//<urn:f:0<")));
        supports(&mut pair, NURSE, MUC);
        pair.nothing_sent();
    }
    for (number, known) in [(0, true), (1, false), (2, true), (200, true)] {
        there(&mut pair, NURSE, &info(number).0);
        supports(&mut pair, NURSE, MUC);
        assert_eq!(pair.sent.is_empty(), known, "{number}");
        pair.sent.clear();
    }
    // One that is longer than any client's is not kept.
    let long = "x".repeat(20_000);
    let text = format!("client/pc//<{long}<");
    let info = format!("<identity category='client' type='pc'/><feature var='{long}'/>");
    assert!(!is_believed(&first(&sha_1(&text)), &info));
    // Nor are the hashes of more clients than anybody has, or longer ones.
    let mut pair = Pair::online();
    let long = "x".repeat(100_000);
    for number in 0..10 {
        there(&mut pair, &format!("bob@example.org/{number}"), &first(&long));
    }
    supports(&mut pair, "bob@example.org/9", MUC);
    asked(&mut pair, "bob@example.org/9", None);
    // In the place of those who are gone there is room.
    pair.receive("<presence xmlns='jabber:client' type='unavailable' from='bob@example.org'/>");
    there(&mut pair, NURSE, &first(&long));
    supports(&mut pair, NURSE, MUC);
    asked(&mut pair, NURSE, Some(&format!("urn:client#{long}")));
}
