//! XEP-0084 and XEP-0153: pictures, announced, fetched and published.

mod announced;
mod published;
mod rooms;

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
