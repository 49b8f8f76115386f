//! XEP-0084 and XEP-0153: pictures, announced, fetched and published.

use crate::nick::{PUBSUB, asked, items, notify, open_to_all, published, refuse};
use crate::pair::{NS_CLIENT, Pair};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::xml::Element;

const METADATA: &str = "urn:xmpp:avatar:metadata";
const DATA: &str = "urn:xmpp:avatar:data";
const JULIET: &str = "juliet@example.org";

/// The bytes of a picture as far as anybody looks: "\x89PNG\r\n\x1a\n" and "!".
const PNG: &str = "iVBORw0KGgoh";
/// Its SHA-1.
const ID: &str = "e04c31b8d827efaf1e2b0b587b5e05e3a00d082e";
/// The SHA-1 of something else.
const OTHER: &str = "111f4b3c50d7b0df729d299bc6f8e9ef9066971f";

fn bytes() -> Value {
    json!([137, 80, 78, 71, 13, 10, 26, 10, 33])
}

fn info(attrs: &str) -> String {
    format!("<item id='{ID}'><metadata xmlns='{METADATA}'><info {attrs}/></metadata></item>")
}

fn good() -> String {
    info(&format!("bytes='9' id='{ID}' type='image/png' width='64' height='32'"))
}

fn data(id: &str, text: &str) -> String {
    format!("<item id='{id}'><data xmlns='{DATA}'>{text}</data></item>")
}

fn asked_vcard(pair: &mut Pair, owner: Option<&str>) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), owner));
    assert!(iq.child("vCard", "vcard-temp").is_some());
    iq
}

fn vcard(photo: &str) -> String {
    format!("<vCard xmlns='vcard-temp'><FN>J</FN>{photo}</vCard>")
}

fn photo(text: &str) -> String {
    vcard(&format!(
        "<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>{text}</BINVAL></PHOTO>"
    ))
}

fn presence(pair: &mut Pair, from: &str, inner: &str) {
    pair.receive(&format!(
        "<presence xmlns='{NS_CLIENT}' from='{from}'>{inner}</presence>"
    ));
}

fn update(photo: &str) -> String {
    format!("<x xmlns='vcard-temp:x:update'>{photo}</x>")
}

/// What becomes of a question for somebody's picture: the metadata, and, where it is asked for, the data.
fn ask(metadata: &str, data: &str) -> Result<Value, Code> {
    let mut pair = Pair::online();
    let call = pair.im("profiles.avatar", json!([JULIET]));
    let iq = asked(&mut pair, Some(JULIET), METADATA);
    items(&mut pair, &iq, METADATA, metadata);
    if !pair.sent.is_empty() {
        let iq = asked(&mut pair, Some(JULIET), DATA);
        let wanted = iq
            .child("pubsub", PUBSUB)
            .unwrap()
            .children()
            .next()
            .unwrap()
            .children()
            .next();
        assert_eq!(wanted.unwrap().attr("id"), Some(ID));
        items(&mut pair, &iq, DATA, data);
    }
    pair.nothing_sent();
    match pair.reply(call) {
        Ok(_) => Ok(pair.value(call)),
        Err(error) => Err(error.code()),
    }
}

#[test]
fn xep0084_3_4_a_picture_is_fetched() {
    let expected = json!({ "id": ID, "type": "image/png", "data": bytes(), "width": 64, "height": 32 });
    assert_eq!(ask(&good(), &data(ID, PNG)), Ok(expected));
    // §4.1: line feeds MUST be accepted; some leave out the size, or write the hash in upper case.
    let spaced = data(ID, "\n  iVBOR\r\n\tw0KG\n goh ");
    let loose = good().replace("bytes='9'", "").replacen(
        &format!("id='{ID}' type"),
        &format!("id='{}' type", ID.to_uppercase()),
        1,
    );
    assert_eq!(ask(&loose, &spaced).unwrap()["data"], bytes());
    let own = {
        let mut pair = Pair::online();
        let call = pair.im("profiles.avatar", json!([null]));
        let iq = asked(&mut pair, None, METADATA);
        items(&mut pair, &iq, METADATA, &good());
        let iq = asked(&mut pair, None, DATA);
        items(&mut pair, &iq, DATA, &data(ID, PNG));
        pair.value(call)
    };
    assert_eq!(own["id"], ID);
}

#[test]
fn xep0084_3_2_a_picture_that_does_not_match_its_hash_is_never_handed_out() {
    // The bytes of another picture, one more, none, and what is no base64.
    for forged in ["iVBORw0KGgoi", "iVBORw0KGgohAA==", "", "iVBOR*0KGgoh"] {
        assert_eq!(
            ask(&good(), &data(ID, forged)),
            Err(Code::ProtocolViolation),
            "{forged}"
        );
    }
    // Whatever the metadata calls the same bytes, or says of their size.
    assert_eq!(
        ask(&good().replace("bytes='9'", "bytes='8'"), &data(ID, PNG)),
        Err(Code::ProtocolViolation)
    );
}

#[test]
fn xep0084_3_2_the_item_has_to_be_the_one_that_was_announced() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.avatar", json!([JULIET]));
    let iq = asked(&mut pair, Some(JULIET), METADATA);
    let other = good().replace(ID, OTHER);
    items(&mut pair, &iq, METADATA, &other);
    let iq = asked(&mut pair, Some(JULIET), DATA);
    // A picture that is what it is called, but isn't what was announced.
    items(&mut pair, &iq, DATA, &data(ID, PNG));
    // It may be in the vCard, but has to be it there too.
    let iq = asked_vcard(&mut pair, Some(JULIET));
    pair.answer(&iq, &photo(PNG));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn a_picture_leaves_no_bounds() {
    assert_eq!(
        ask(&good().replace("bytes='9'", "bytes='737281'"), ""),
        Err(Code::TooLarge)
    );
    let large = data(ID, &"A".repeat(4 * (737_281_usize.div_ceil(3))));
    assert_eq!(ask(&good().replace("bytes='9'", ""), &large), Err(Code::TooLarge));
    let mut pair = Pair::online();
    let bytes = vec![0; 737_281];
    let init = json!([{ "data": { "$bytes": bytes }, "type": "image/png" }]);
    assert_eq!(
        pair.try_im("profiles.setAvatar", init).unwrap_err().code(),
        Code::TooLarge
    );
}

#[test]
fn xep0084_4_2_1_the_picture_in_the_node_comes_first() {
    let at = |id: &str, kind: &str| format!("<info bytes='5' id='{id}' type='{kind}' url='https://example.org/x'/>");
    let here = |id: &str| format!("<info bytes='9' id='{id}' type='image/png'/>");
    let metadata = |infos: &str| format!("<item id='{ID}'><metadata xmlns='{METADATA}'>{infos}</metadata></item>");
    for infos in [
        at(OTHER, "image/gif") + &here(ID),
        here(ID) + &at(ID, "image/png"),
        here(OTHER) + &here(ID),
        format!(
            "<info xmlns='urn:x' id='{OTHER}'/><info id='x' type='image/png'/>{}<pointer/>",
            here(ID)
        ),
    ] {
        assert_eq!(
            ask(&metadata(&infos), &data(ID, PNG)).unwrap()["data"],
            bytes(),
            "{infos}"
        );
    }
    // One that is elsewhere is the app's to fetch.
    let elsewhere = ask(&metadata(&at(OTHER, "image/gif")), "").unwrap();
    assert_eq!(
        elsewhere,
        json!({ "id": OTHER, "type": "image/gif", "url": "https://example.org/x" })
    );
    for url in [
        "javascript:alert(1)",
        "data:image/png;base64,",
        "/x",
        "",
        &format!("https://{}", "x".repeat(2_048)),
    ] {
        let bad = at(OTHER, "image/gif").replace("https://example.org/x", url);
        assert_eq!(ask(&metadata(&bad), ""), Err(Code::ProtocolViolation), "{url}");
    }
}

#[test]
fn the_bytes_say_what_they_are() {
    let said = |kind: &str| good().replace("image/png", kind);
    for kind in ["image/gif", "text/html", ""] {
        assert_eq!(ask(&said(kind), &data(ID, PNG)).unwrap()["type"], "image/png");
    }
    let url = |kind: &str| info(&format!("bytes='1' id='{ID}' type='{kind}' url='http://example.org/x'"));
    for (kind, is) in [
        ("image/svg+xml", "image/svg+xml"),
        ("text/html", "application/octet-stream"),
        ("image/", "application/octet-stream"),
        ("image/a b", "application/octet-stream"),
    ] {
        assert_eq!(ask(&url(kind), "").unwrap()["type"], is);
    }
}

#[test]
fn xep0084_3_5_an_account_can_have_no_picture() {
    let none = format!("<item id='1'><metadata xmlns='{METADATA}'/></item>");
    assert_eq!(ask(&none, ""), Ok(json!(null)));
    assert_eq!(
        ask(&none.replace("/></item>", "><stop/></metadata></item>"), ""),
        Ok(json!(null))
    );
    // What says nothing that can be read is no such word.
    assert_eq!(ask(&info("id='1' type='image/png'"), ""), Err(Code::ProtocolViolation));
    assert_eq!(
        ask("<item id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></item>", ""),
        Err(Code::ProtocolViolation)
    );
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_answers_for_a_picture() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.avatar", json!([JULIET]));
    let iq = asked(&mut pair, Some(JULIET), METADATA);
    let id = iq.attr("id").unwrap();
    let forged = format!(
        "<pubsub xmlns='{PUBSUB}'><items node='{METADATA}'>{}</items></pubsub>",
        good()
    );
    for from in ["from='mallory@example.org'", "from='juliet@example.org/x'", ""] {
        pair.receive(&format!(
            "<iq xmlns='{NS_CLIENT}' type='result' id='{id}' {from}>{forged}</iq>"
        ));
    }
    assert!(pair.is_open(call));
    pair.nothing_sent();
}

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
    notify(&mut pair, nurse, &format!("<items node='{METADATA}'>{}</items>", good()));
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
        notify(&mut pair, &stranger, &format!("<items node='{METADATA}'>{}</items>", good()));
    }
    pair.told("avatar");
    presence(&mut pair, "juliet@example.org/balcony", &photo);
    assert_eq!(pair.told("avatar"), Vec::<Value>::new());
    presence(&mut pair, &format!("{nurse}/x"), &photo);
    assert_eq!(pair.told("avatar").len(), 1, "the first of them is forgotten");
}

/// What becomes of a question for the picture of somebody who has announced one by presence, and has none in a node.
fn ask_vcard(announced: Option<&str>, answer: &str) -> Result<Value, Code> {
    let mut pair = Pair::online();
    if let Some(id) = announced {
        presence(
            &mut pair,
            "juliet@example.org/balcony",
            &update(&format!("<photo>{id}</photo>")),
        );
    }
    let call = pair.im("profiles.avatar", json!([JULIET]));
    let iq = asked(&mut pair, Some(JULIET), METADATA);
    if announced.is_some() {
        refuse(&mut pair, &iq, "item-not-found");
    } else {
        items(&mut pair, &iq, METADATA, "");
    }
    let iq = asked_vcard(&mut pair, Some(JULIET));
    pair.answer(&iq, answer);
    match pair.reply(call) {
        Ok(_) => Ok(pair.value(call)),
        Err(error) => Err(error.code()),
    }
}

#[test]
fn xep0153_3_2_the_photo_is_fetched() {
    let expected = json!({ "id": ID, "type": "image/png", "data": bytes() });
    // §4.6: white space MUST be ignored; §5: the type is what the bytes show.
    for announced in [None, Some(ID), Some("")] {
        assert_eq!(ask_vcard(announced, &photo(" iVBORw0K\nGgoh\n")), Ok(expected.clone()));
    }
    for none in [
        vcard(""),
        photo(""),
        photo("\n"),
        vcard("<PHOTO><EXTVAL>http://x</EXTVAL></PHOTO>"),
    ] {
        assert_eq!(ask_vcard(Some(ID), &none), Ok(json!(null)));
    }
}

#[test]
fn xep0153_3_2_a_photo_that_does_not_match_its_hash_is_never_handed_out() {
    assert_eq!(ask_vcard(Some(OTHER), &photo(PNG)), Err(Code::ProtocolViolation));
    assert_eq!(
        ask_vcard(Some(ID), &photo("iVBORw0KGgoi")),
        Err(Code::ProtocolViolation)
    );
    for bad in [photo("*"), "<x xmlns='urn:x'/>".into(), String::new()] {
        assert_eq!(ask_vcard(None, &bad), Err(Code::ProtocolViolation), "{bad}");
    }
    let large = photo(&"A".repeat(4 * (737_281_usize.div_ceil(3))));
    assert_eq!(ask_vcard(None, &large), Err(Code::TooLarge));
}

#[test]
fn xep0153_3_2_somebody_in_a_room_has_a_photo() {
    let mut pair = Pair::online();
    let occupant = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    let photo_of = |id: &str| update(&format!("<photo>{id}</photo>")) + occupant;
    presence(&mut pair, "room@muc.example.org/J", &photo_of(ID));
    let call = pair.im("profiles.avatar", json!(["room@muc.example.org/J"]));
    let iq = asked_vcard(&mut pair, Some("room@muc.example.org/J"));
    pair.answer(&iq, &photo(PNG));
    assert_eq!(pair.value(call)["data"], bytes());
    presence(&mut pair, "room@muc.example.org/J", &photo_of(OTHER));
    let call = pair.im("profiles.avatar", json!(["room@muc.example.org/J"]));
    let iq = asked_vcard(&mut pair, Some("room@muc.example.org/J"));
    pair.answer(&iq, &photo(PNG));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    for (condition, none) in [
        ("service-unavailable", true),
        ("item-not-found", true),
        ("forbidden", false),
    ] {
        let call = pair.im("profiles.avatar", json!(["room@muc.example.org/J"]));
        let iq = pair.element();
        refuse(&mut pair, &iq, condition);
        if none {
            assert_eq!(pair.value(call), json!(null));
        } else {
            assert_eq!(pair.error(call).condition(), Some(condition));
        }
    }
}

#[test]
fn xep0084_3_1_the_data_is_published_before_it_is_announced() {
    let mut pair = Pair::online();
    let init = json!([{ "data": { "$bytes": bytes() }, "type": "image/png", "width": 64, "height": 32 }]);
    let call = pair.im("profiles.setAvatar", init.clone());
    let (iq, item, options) = published(&mut pair, DATA);
    assert!(open_to_all(&options));
    assert_eq!(
        (item.attr("id"), item.child_text("data", DATA).as_deref()),
        (Some(ID), Some(PNG))
    );
    pair.nothing_sent();
    pair.answer(&iq, "");
    let (iq, item, options) = published(&mut pair, METADATA);
    assert!(open_to_all(&options));
    assert_eq!(item.attr("id"), Some(ID));
    let info = item
        .child("metadata", METADATA)
        .unwrap()
        .child("info", METADATA)
        .unwrap();
    let attrs: Vec<_> = info.attrs().collect();
    assert_eq!(
        attrs,
        [
            ("bytes", "9"),
            ("id", ID),
            ("type", "image/png"),
            ("width", "64"),
            ("height", "32")
        ]
    );
    assert!(pair.is_open(call));
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!(null));
    // Nothing is announced that isn't there; and nodes stay as they are configured.
    let call = pair.im("profiles.setAvatar", init);
    let (iq, ..) = published(&mut pair, DATA);
    refuse(&mut pair, &iq, "conflict");
    let (iq, _, options) = published(&mut pair, DATA);
    assert_eq!(options, []);
    refuse(&mut pair, &iq, "not-acceptable");
    assert_eq!(pair.error(call).condition(), Some("not-acceptable"));
    pair.nothing_sent();
}

#[test]
fn xep0084_3_5_no_picture_is_empty_metadata() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.removeAvatar", json!([]));
    let (iq, ..) = published(&mut pair, METADATA);
    refuse(&mut pair, &iq, "conflict");
    let (iq, item, options) = published(&mut pair, METADATA);
    assert_eq!((item.attr("id"), options), (None, vec![]));
    assert_eq!(item.child("metadata", METADATA).unwrap().children().count(), 0);
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), json!(null));
}

#[test]
fn xep0153_4_1_our_own_presence_says_nothing_of_pictures() {
    let mut pair = Pair::online();
    pair.im("setPresence", json!([{ "show": "away" }]));
    assert!(pair.element().child("x", "vcard-temp:x:update").is_none());
}

#[test]
fn what_is_no_picture_is_refused() {
    let mut pair = Pair::online();
    let with = |field: &str, value: Value| {
        let mut init = json!({ "data": { "$bytes": bytes() }, "type": "image/png" });
        init[field] = value;
        json!([init])
    };
    for bad in [
        json!([]),
        with("data", json!("iVBORw0KGgoh")),
        with("data", json!(null)),
        with("data", json!({ "$bytes": [] })),
        with("type", json!(null)),
        with("type", json!("text/html")),
        with("type", json!("image/")),
        with("type", json!("image/png; a=b")),
        with("width", json!(0)),
        with("width", json!(65_536)),
        with("height", json!("64")),
    ] {
        let error = pair
            .try_im("profiles.setAvatar", bad.clone())
            .expect_err(&bad.to_string());
        assert_eq!(error.code(), Code::InvalidArgument, "{bad}");
    }
    assert_eq!(
        pair.try_im("profiles.avatar", json!(["@"])).unwrap_err().code(),
        Code::InvalidJid
    );
    pair.nothing_sent();
}
