//! Who has another picture, as a node or presence says.

use super::*;

#[test]
fn xep0084_3_3_who_announces_a_picture_has_it() {
    let mut pair = Pair::online();
    notify(
        &mut pair,
        JULIET,
        &format!("<items node='{METADATA}'>{}</items>", good()),
    );
    let told =
        |from: &str| json!({ "from": from, "id": ID, "type": "image/png", "bytes": 9, "width": 64, "height": 32 });
    assert_eq!(pair.told("avatar"), [told(JULIET)]);
    // Somebody else can only speak of themselves, whatever they say of others.
    let forged = good().replace("<item ", &format!("<item publisher='{JULIET}' "));
    notify(
        &mut pair,
        "mallory@example.org",
        &format!("<items node='{METADATA}'>{forged}</items>"),
    );
    assert_eq!(pair.told("avatar"), [told("mallory@example.org")]);
    for from in ["juliet@example.org/x", "room@muc.example.org/mallory", "@@"] {
        notify(&mut pair, from, &format!("<items node='{METADATA}'>{}</items>", good()));
    }
    pair.receive(&format!(
        "<message xmlns='{NS_CLIENT}' from='{JULIET}' type='error'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
         <items node='{METADATA}'>{}</items></event></message>",
        good()
    ));
    notify(
        &mut pair,
        JULIET,
        &format!("<items node='urn:other'>{}</items>", good()),
    );
    notify(
        &mut pair,
        JULIET,
        &format!("<items node='{METADATA}'><item id='{ID}'/></items>"),
    );
    notify(
        &mut pair,
        JULIET,
        &format!("<items node='{METADATA}'>{}</items>", info("id='1' type='image/png'")),
    );
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
    let empty = format!("<items node='{METADATA}'><item id='1'><metadata xmlns='{METADATA}'/></item></items>");
    for gone in [
        empty,
        format!("<items node='{METADATA}'><retract id='{ID}'/></items>"),
        format!("<purge node='{METADATA}'/>"),
    ] {
        notify(&mut pair, JULIET, &gone);
        assert_eq!(pair.told("avatar"), [json!({ "from": JULIET, "id": null })]);
    }
}

#[test]
fn xep0153_3_1_presence_announces_a_picture_once() {
    let mut pair = Pair::online();
    let id = |id: Value, from: &str| json!({ "from": from, "id": id });
    // Nobody had one before, and what is no hash is nothing.
    for nothing in [
        "",
        &update(""),
        &update("<photo/>"),
        &update("<photo>current</photo>"),
        &format!("<x xmlns='urn:x'><photo>{ID}</photo></x>"),
    ] {
        presence(&mut pair, "juliet@example.org/balcony", nothing);
    }
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
    let photo = update(&format!("<photo>{}</photo>", ID.to_uppercase()));
    presence(&mut pair, "juliet@example.org/balcony", &photo);
    presence(&mut pair, "juliet@example.org/chamber", &photo);
    presence(&mut pair, "juliet@example.org/chamber", "<show>away</show>");
    assert_eq!(pair.told("avatar"), [id(json!(ID), JULIET)]);
    presence(&mut pair, "juliet@example.org/balcony", &update("<photo/>"));
    assert_eq!(pair.told("avatar"), [id(json!(null), JULIET)]);
    // Somebody in a room has no other address.
    let occupant = "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/></x>";
    presence(&mut pair, "room@muc.example.org/J", &(photo.clone() + occupant));
    assert_eq!(pair.told("avatar"), [id(json!(ID), "room@muc.example.org/J")]);
    // Another session hears it anew, and so does one that comes back to a room.
    pair.receive(&format!(
        "<presence xmlns='{NS_CLIENT}' from='room@muc.example.org/J' type='unavailable'>{photo}{occupant}</presence>"
    ));
    presence(&mut pair, "room@muc.example.org/J", &(photo.clone() + occupant));
    assert_eq!(pair.told("avatar").len(), 1);
    for kind in ["subscribe", "error", "unavailable"] {
        pair.receive(&format!(
            "<presence xmlns='{NS_CLIENT}' from='{JULIET}' type='{kind}'>{photo}</presence>"
        ));
    }
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
}

#[test]
fn what_presence_says_does_not_count_where_the_account_has_spoken() {
    let mut pair = Pair::online();
    notify(
        &mut pair,
        JULIET,
        &format!("<items node='{METADATA}'>{}</items>", good()),
    );
    pair.told("avatar");
    presence(
        &mut pair,
        "juliet@example.org/balcony",
        &update(&format!("<photo>{OTHER}</photo>")),
    );
    presence(&mut pair, "juliet@example.org/balcony", &update("<photo/>"));
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
}

#[test]
fn what_is_kept_of_presence_is_bounded() {
    let mut pair = Pair::online();
    let photo = update(&format!("<photo>{ID}</photo>"));
    for number in 0..1_001 {
        presence(&mut pair, &format!("p{number}@example.org/x"), &photo);
    }
    assert_eq!(pair.told("avatar").len(), 1_001);
    // One was forgotten, and so is told again.
    presence(&mut pair, "p0@example.org/x", &photo);
    presence(&mut pair, "p999@example.org/x", &photo);
    let told = pair.told("avatar");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["from"], "p0@example.org");
}

#[test]
fn strangers_put_no_contact_out_of_mind() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='{NS_CLIENT}' type='set' id='push'><query xmlns='jabber:iq:roster'>\
         <item jid='{JULIET}' subscription='both'/></query></iq>"
    ));
    let photo = update(&format!("<photo>{ID}</photo>"));
    presence(&mut pair, "juliet@example.org/balcony", &photo);
    // One who isn't a contact, and has spoken for the account.
    let nurse = "a@example.org";
    notify(
        &mut pair,
        nurse,
        &format!("<items node='{METADATA}'>{}</items>", good()),
    );
    assert_eq!(pair.told("avatar").len(), 2);
    for number in 0..2_000 {
        presence(&mut pair, &format!("p{number}@example.com/x"), &photo);
    }
    assert_eq!(pair.told("avatar").len(), 2_000);
    presence(&mut pair, "juliet@example.org/chamber", &photo);
    presence(&mut pair, &format!("{nurse}/x"), &update("<photo/>"));
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
    // Nodes of strangers' are bounded as well, and put no contact out of mind either.
    for number in 0..1_100 {
        let stranger = format!("n{number}@example.com");
        notify(
            &mut pair,
            &stranger,
            &format!("<items node='{METADATA}'>{}</items>", good()),
        );
    }
    pair.told("avatar");
    presence(&mut pair, "juliet@example.org/balcony", &photo);
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
    presence(&mut pair, &format!("{nurse}/x"), &photo);
    assert_eq!(pair.told("avatar").len(), 1, "the first of them is forgotten");
}
