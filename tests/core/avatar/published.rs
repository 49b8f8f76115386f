//! Our own picture.

use super::*;

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
