//! Where an archive begins and ends, and what it keeps: XEP-0313 §5, XEP-0441.

use super::*;

#[test]
fn xep0313_5_where_it_begins_and_ends() {
    let mut pair = Pair::online();
    for (args, to) in [
        (json!([]), None),
        (json!([{ "of": format!("{ROOM}/alice") }]), Some(ROOM)),
    ] {
        let ticket = pair.im("archive.metadata", args);
        let asked = pair.element();
        assert_eq!((asked.attr("type"), asked.attr("to")), (Some("get"), to));
        assert!(asked.child("metadata", NS_MAM).is_some());
        pair.answer(
            &asked,
            &format!(
                "<metadata xmlns='{NS_MAM}'><start id='a' timestamp='2008-08-22T21:09:04Z'/>\
                 <end id='z' timestamp='2020-04-20T14:34:21Z'/></metadata>"
            ),
        );
        let ends = json!({
            "start": { "id": "a", "date": "2008-08-22T21:09:04Z" },
            "end": { "id": "z", "date": "2020-04-20T14:34:21Z" },
        });
        assert_eq!(pair.value(ticket), ends);
    }
    let ticket = pair.im("archive.metadata", json!([null]));
    let asked = pair.element();
    pair.answer(&asked, &format!("<metadata xmlns='{NS_MAM}'/>"));
    assert_eq!(pair.value(ticket), json!({}), "it is empty");
}

#[test]
fn xep0313_5_an_end_has_an_id_and_a_time() {
    for nonsense in [
        "",
        "<metadata xmlns='urn:example'/>",
        "<metadata xmlns='urn:xmpp:mam:2'><start id='a' timestamp='2008-08-22T21:09:04Z'/></metadata>",
        "<metadata xmlns='urn:xmpp:mam:2'><start id='a' timestamp='2008-08-22T21:09:04Z'/><end id='z'/></metadata>",
        "<metadata xmlns='urn:xmpp:mam:2'><start id='' timestamp='2008-08-22T21:09:04Z'/>\
         <end id='z' timestamp='2020-04-20T14:34:21Z'/></metadata>",
        "<metadata xmlns='urn:xmpp:mam:2'><start id='a' timestamp='2008-08-22T21:09:04Z'/>\
         <end id='z' timestamp='lately'/></metadata>",
    ] {
        let mut pair = Pair::online();
        let ticket = pair.im("archive.metadata", json!([]));
        let asked = pair.element();
        pair.answer(&asked, nonsense);
        assert_eq!(pair.error(ticket).code(), Code::ProtocolViolation, "{nonsense}");
    }
    let mut pair = Pair::online();
    let ticket = pair.im("archive.metadata", json!([]));
    let asked = pair.element();
    refuse(&mut pair, &asked, "feature-not-implemented");
    assert_eq!(pair.error(ticket).condition(), Some("feature-not-implemented"));
    let wrong = pair.try_im("archive.metadata", json!([{ "of": "@" }])).unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidJid);
}

const PREFS: &str = "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid> Romeo@montague.lit </jid><jid/></always>\
                     <never><jid>montague@montague.lit/x</jid><jid>@</jid></never></prefs>";

#[test]
fn xep0441_2_1_what_is_kept() {
    let mut pair = Pair::online();
    let ticket = pair.im("archive.preferences", json!([]));
    let asked = pair.element();
    assert_eq!((asked.attr("type"), asked.attr("to")), (Some("get"), None));
    assert!(asked.child("prefs", NS_MAM).is_some());
    pair.answer(&asked, PREFS);
    let kept =
        json!({ "default": "roster", "always": ["romeo@montague.lit"], "never": ["montague@montague.lit/x", "@"] });
    assert_eq!(pair.value(ticket), kept);
}

#[test]
fn xep0441_2_1_what_is_to_be_kept() {
    let mut pair = Pair::online();
    for (word, given) in [
        ("always", json!([])),
        ("never", json!(["A@b"])),
        ("roster", json!(["a@b/c", "b"])),
    ] {
        let wanted = json!({ "default": word, "always": given, "never": ["eve@example.org"] });
        let ticket = pair.im("archive.setPreferences", json!([wanted]));
        let asked = pair.element();
        assert_eq!((asked.attr("type"), asked.attr("to")), (Some("set"), None));
        let prefs = asked.child("prefs", NS_MAM).unwrap();
        assert_eq!(prefs.attr("default"), Some(word));
        let list = |name| {
            prefs
                .child(name, NS_MAM)
                .unwrap()
                .children()
                .map(Element::text)
                .collect::<Vec<_>>()
        };
        let prepared: Vec<String> = given
            .as_array()
            .unwrap()
            .iter()
            .map(|jid| jid.as_str().unwrap().to_lowercase())
            .collect();
        assert_eq!(
            (list("always"), list("never")),
            (prepared, vec!["eve@example.org".to_owned()])
        );
        // What is kept from now on is the server's to say.
        pair.answer(&asked, PREFS);
        assert_eq!(pair.value(ticket)["default"], json!("roster"));
    }
    let ticket = pair.im(
        "archive.setPreferences",
        json!([{ "default": "never", "always": [], "never": [] }]),
    );
    let asked = pair.element();
    refuse(&mut pair, &asked, "not-allowed");
    assert_eq!(pair.error(ticket).condition(), Some("not-allowed"));
}

#[test]
fn xep0441_2_1_nonsense_is_none() {
    for nonsense in [
        "",
        "<prefs xmlns='urn:example' default='always'/>",
        "<prefs xmlns='urn:xmpp:mam:2'><always/><never/></prefs>",
        "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'><always/><never/></prefs>",
    ] {
        let mut pair = Pair::online();
        let ticket = pair.im("archive.preferences", json!([]));
        let asked = pair.element();
        pair.answer(&asked, nonsense);
        assert_eq!(pair.error(ticket).code(), Code::ProtocolViolation, "{nonsense}");
    }
    let mut pair = Pair::online();
    for (wrong, code) in [
        (json!(null), Code::InvalidArgument),
        (json!({ "always": [], "never": [] }), Code::InvalidArgument),
        (
            json!({ "default": "sometimes", "always": [], "never": [] }),
            Code::InvalidArgument,
        ),
        (json!({ "default": "always", "always": [] }), Code::InvalidArgument),
        (
            json!({ "default": "always", "always": "a@b", "never": [] }),
            Code::InvalidArgument,
        ),
        (
            json!({ "default": "always", "always": [1], "never": [] }),
            Code::InvalidArgument,
        ),
        (
            json!({ "default": "always", "always": ["@"], "never": [] }),
            Code::InvalidJid,
        ),
    ] {
        let error = pair.try_im("archive.setPreferences", json!([wrong])).unwrap_err();
        assert_eq!(error.code(), code, "{wrong}");
    }
    pair.nothing_sent();
}
