//! The pictures of rooms.

use super::*;

#[test]
fn xep0153_3_1_a_room_announces_its_picture() {
    let room = "room@muc.example.org";
    let mut pair = Pair::online();
    presence(&mut pair, room, &update(&format!("<photo>{ID}</photo>")));
    assert_eq!(pair.told("avatar"), [json!({ "from": room, "id": ID })]);
    // It is asked for as anybody's, and must be what was announced.
    for (text, found) in [(PNG, true), ("iVBORw0KGgoi", false)] {
        let call = pair.im("profiles.avatar", json!([room]));
        let iq = asked(&mut pair, Some(room), METADATA);
        refuse(&mut pair, &iq, "service-unavailable");
        let iq = asked_vcard(&mut pair, Some(room));
        pair.answer(&iq, &photo(text));
        match found {
            true => assert_eq!(pair.value(call)["data"], bytes()),
            false => assert_eq!(pair.error(call).code(), Code::ProtocolViolation),
        }
    }
    // Who is in it announces another's: their own.
    let occupant = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    presence(
        &mut pair,
        "room@muc.example.org/mallory",
        &(update(&format!("<photo>{OTHER}</photo>")) + occupant),
    );
    assert_eq!(
        pair.told("avatar"),
        [json!({ "from": "room@muc.example.org/mallory", "id": OTHER })]
    );
    let call = pair.im("profiles.avatar", json!([room]));
    let iq = asked(&mut pair, Some(room), METADATA);
    refuse(&mut pair, &iq, "service-unavailable");
    let iq = asked_vcard(&mut pair, Some(room));
    pair.answer(&iq, &photo(PNG));
    assert_eq!(pair.value(call)["id"], json!(ID));
}

#[test]
fn xep0153_3_1_an_owner_sets_the_picture_of_a_room() {
    let room = "room@muc.example.org";
    let new = json!({ "data": { "$bytes": [137, 80, 78, 71, 13, 10, 26, 10, 33] }, "type": "image/png" });
    let put = format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{PNG}</BINVAL></PHOTO>");
    for (avatar, before, after) in [
        (new.clone(), photo("AAAA"), vcard(&put)),
        (new.clone(), vcard(""), vcard(&put)),
        (json!(null), photo("AAAA"), vcard("")),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("room.setAvatar", json!(["room@muc.example.org/me", avatar]));
        let iq = asked_vcard(&mut pair, Some(room));
        pair.answer(&iq, &before);
        let iq = pair.element();
        assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), Some(room)));
        let card = stanzawire::xml::write(iq.children().next().unwrap()).unwrap();
        assert_eq!(card, after.replace('\'', "\""));
        pair.answer(&iq, "");
        assert_eq!(pair.value(call), json!(null));
    }
    for (condition, goes_on) in [("item-not-found", true), ("forbidden", false)] {
        let mut pair = Pair::online();
        let call = pair.im("room.setAvatar", json!([room, new]));
        let iq = asked_vcard(&mut pair, Some(room));
        refuse(&mut pair, &iq, condition);
        assert_eq!(pair.is_open(call), goes_on);
        if goes_on {
            let iq = pair.element();
            refuse(&mut pair, &iq, "forbidden");
        }
        assert_eq!(pair.error(call).condition(), Some("forbidden"));
    }
    let mut pair = Pair::online();
    for avatar in [json!("x"), json!({ "data": { "$bytes": [] }, "type": "image/png" })] {
        let error = pair.try_im("room.setAvatar", json!([room, avatar])).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}
