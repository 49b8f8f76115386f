//! What is told of nodes.

use super::*;

fn told(pair: &mut Pair, from: &str, event: &str) -> Vec<Value> {
    pair.events.clear();
    pair.receive(&format!(
        "<message xmlns='jabber:client' type='headline' {from}><event xmlns='{EVENT}'>{event}</event></message>"
    ));
    pair.told("pubsub")
}

#[test]
fn xep0060_7_1_2_what_is_published_is_told() {
    let mut pair = Pair::online();
    let items = "<items node='n'><item id='1' publisher='bob@example.org/x'><tune xmlns='urn:tune'/></item><item/>\
                 <retract id='2'/><retract/><other/></items>";
    assert_eq!(
        told(&mut pair, "from='bob@example.org'", items),
        [json!({
            "from": "bob@example.org", "node": "n",
            "items": [
                { "id": "1", "payload": tune(), "publisher": "bob@example.org/x" },
                { "id": "", "payload": null },
            ],
            "retracted": ["2"],
        })]
    );
    let rest = |field: &str| {
        let mut event = json!({ "from": "pubsub.example.org", "node": "n", "items": [], "retracted": [] });
        event[field] = json!(true);
        event
    };
    // §8.5.2 and §8.4.2.
    assert_eq!(
        told(&mut pair, "from='pubsub.example.org'", "<purge node='n'/>"),
        [rest("purged")]
    );
    assert_eq!(
        told(&mut pair, "from='pubsub.example.org'", "<delete node='n'/>"),
        [rest("deleted")]
    );
}

#[test]
fn xep0163_4_3_1_it_is_who_has_sent_it_that_has_said_it() {
    let mut pair = Pair::online();
    // Whoever an item names, and whosever node that usually is.
    let forged = "<items node='urn:xmpp:avatar:metadata'><item id='1' publisher='alice@example.org'/></items>";
    let event = told(&mut pair, "from='mallory@example.org'", forged).remove(0);
    assert_eq!(event["from"], json!("mallory@example.org"));
    // RFC 6120 §8.1.2.1: without a sender it is the account's.
    let own = told(&mut pair, "", forged).remove(0);
    assert_eq!(own["from"], json!("alice@example.org"));
    let own = told(&mut pair, "from='Alice@example.org'", forged).remove(0);
    assert_eq!(own["from"], json!("alice@example.org"));
    // Neither a client nor somebody in a room speaks for the bare JID.
    for from in [
        "from='alice@example.org/elsewhere'",
        "from='bob@example.org/x'",
        "from='room@muc.example.org/mallory'",
        "from='@@'",
        // One that comes back.
        "from='bob@example.org' type='error'",
    ] {
        let from = from.to_owned();
        pair.events.clear();
        let kind = if from.contains("type") { "" } else { "type='headline'" };
        pair.receive(&format!(
            "<message xmlns='jabber:client' {kind} {from}><event xmlns='{EVENT}'>{forged}</event></message>"
        ));
        assert_eq!(pair.told("pubsub"), Vec::<Value>::new(), "{from}");
    }
}

#[test]
fn what_is_no_notification_is_not_told() {
    let mut pair = Pair::online();
    for event in [
        "",
        "<items/>",
        "<purge/>",
        "<delete/>",
        "<configuration node='n'/>",
        "<items xmlns='urn:other' node='n'/>",
    ] {
        assert_eq!(
            told(&mut pair, "from='bob@example.org'", event),
            Vec::<Value>::new(),
            "{event}"
        );
    }
    // An item with two payloads is left out (§7.1.3.6); the others are there.
    let items = "<items node='n'><item id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></item><item id='2'/></items>";
    let event = told(&mut pair, "from='bob@example.org'", items).remove(0);
    assert_eq!(event["items"], json!([{ "id": "2", "payload": null }]));
    // It is a message that says so, to this client, and not one that tells of another.
    pair.receive(&format!(
        "<message xmlns='jabber:client' from='bob@example.org'><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>\
         <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='carol@example.org'>\
         <event xmlns='{EVENT}'><items node='n'/></event></message></forwarded></result></message>"
    ));
    pair.receive(&format!(
        "<iq xmlns='jabber:client' from='bob@example.org' type='set' id='i'><event xmlns='{EVENT}'><items node='n'/></event></iq>"
    ));
    assert_eq!(pair.told("pubsub"), Vec::<Value>::new());
}
