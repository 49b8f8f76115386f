//! What of an archive is believed of whom.

use super::*;

/// A whole page of these entries.
fn entries(pair: &mut Pair, asked: &Element, messages: &[String]) {
    let query = query(asked).attr("queryid").unwrap().to_owned();
    let ids: Vec<String> = (1..=messages.len()).map(|n| n.to_string()).collect();
    let from = asked.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
    for (id, message) in ids.iter().zip(messages) {
        pair.receive(&result_from(&from, &query, id, message));
    }
    fin(
        pair,
        asked,
        ids.first()
            .zip(ids.last())
            .map(|(first, last)| (first.as_str(), last.as_str())),
        true,
    );
}

#[test]
fn xep0308_4_and_xep0424_5_nobody_changes_what_somebody_else_has_said() {
    let said = |from: &str, id: &str, content: &str| {
        format!(
            "<message xmlns='jabber:client' from='{from}' to='{OWN}/there' type='groupchat' id='{id}'>{content}</message>"
        )
    };
    let (bob, mallory) = (format!("{ROOM}/bob"), format!("{ROOM}/mallory"));
    let corrects = "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    let retracts = "<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='1'/>";
    for newest in [false, true] {
        let mut pair = Pair::online();
        let order = if newest { "newest" } else { "oldest" };
        let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM, "order": order }));
        let page = [
            said(&bob, "m1", "<body>1</body>"),
            said(&mallory, "m2", corrects),
            said(&mallory, "m3", retracts),
            said(&bob, "m4", corrects),
            said(&bob, "m5", retracts),
        ];
        entries(&mut pair, &asked, &page);
        let told = pair.value(ticket);
        let mut told: Vec<Value> = told["items"].as_array().unwrap().clone();
        if newest {
            told.reverse();
        }
        let of = |name: &str| told.iter().map(|item| item[name].clone()).collect::<Vec<_>>();
        assert_eq!(of("id"), [json!("m1"), json!("m2"), json!("m4"), json!("m5")]);
        assert_eq!(of("replaces"), [Value::Null, Value::Null, json!("m1"), Value::Null]);
        assert_eq!(of("retracts"), [Value::Null, Value::Null, Value::Null, json!("1")]);
    }
    // Also where it is known from what came in.
    let mut pair = Pair::online();
    rooms::enter_room(&mut pair, ROOM);
    pair.receive(&said(&bob, "m1", "<body>1</body>"));
    let (ticket, asked) = ask(&mut pair, json!({ "of": ROOM }));
    entries(&mut pair, &asked, &[said(&mallory, "m2", corrects)]);
    assert_eq!(pair.value(ticket)["items"][0].get("replaces"), None);
}

#[test]
fn xep0085_2_what_is_of_the_moment_is_in_no_archive() {
    let mut pair = Pair::online();
    let (ticket, asked) = ask(&mut pair, json!({}));
    let states = "http://jabber.org/protocol/chatstates";
    let page = [
        message(BOB, "1").replace("<body>1</body>", &format!("<composing xmlns='{states}'/>")),
        message(BOB, "2").replace("</message>", &format!("<active xmlns='{states}'/></message>")),
        message(BOB, "3").replace("<body>3</body>", "<reactions xmlns='urn:xmpp:reactions:0' id='m'/>"),
    ];
    entries(&mut pair, &asked, &page);
    let told = pair.value(ticket);
    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["body"], items[0].get("state")), (&json!("2"), None));
    assert_eq!(items[1]["reactions"]["id"], "m");
}
