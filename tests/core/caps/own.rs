//! What this client says of itself by a hash.

use super::*;

/// The hashes in a presence of ours: that of XEP-0115 with its node, and that of XEP-0390.
fn own(presence: &Element) -> [String; 3] {
    assert!(presence.is("presence", NS_CLIENT));
    let caps = presence.child("c", CAPS).expect("XEP-0115");
    assert_eq!(caps.attr("hash"), Some("sha-1"));
    let hash = presence
        .child("c", CAPS_2)
        .expect("XEP-0390")
        .child("hash", HASHES)
        .unwrap();
    assert_eq!(hash.attr("algo"), Some("sha-256"));
    [
        caps.attr("node").unwrap().into(),
        caps.attr("ver").unwrap().into(),
        hash.text(),
    ]
}

/// What the client says of itself, by this node.
fn own_info(pair: &mut Pair, node: Option<&str>) -> Option<Element> {
    let attr = node.map(|node| format!("node='{node}'")).unwrap_or_default();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='d' from='bob@example.org/x'><query xmlns='{INFO}' {attr}/></iq>"
    ));
    let info = pair.element().child("query", INFO).cloned();
    if let Some(info) = &info {
        assert_eq!(info.attr("node"), node, "XEP-0030 §3.2");
    }
    info.filter(|info| info.children().next().is_some())
}

#[test]
fn xep0115_6_1_each_presence_of_ours_says_what_this_client_can() {
    let mut config = config();
    config.im.features = vec!["urn:z".into(), "urn:xmpp:ping".into(), "aaa".into()];
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    let (_, presence) = pair.take_first_stanzas();
    let said = own(&presence);
    pair.im("setPresence", json!([{ "show": "away" }]));
    let presence = pair.element();
    assert_eq!(
        (own(&presence), presence.child_text("show", NS_CLIENT).as_deref()),
        (said.clone(), Some("away"))
    );

    let info = own_info(&mut pair, None).expect("it is told");
    let features: Vec<&str> = info.children().filter_map(|child| child.attr("var")).collect();
    assert!(
        features.is_sorted() && features.contains(&"urn:z") && features.contains(&CAPS) && features.contains(&CAPS_2)
    );
    assert_eq!(
        features.iter().filter(|feature| **feature == "urn:xmpp:ping").count(),
        1
    );
    let [node, ver, hash] = said;
    let text = features.iter().map(|feature| format!("{feature}<")).collect::<String>();
    assert_eq!(ver, sha_1(&format!("client/web//stanzawire<{text}")));
    let text = features
        .iter()
        .map(|feature| format!("{feature}\u{1f}"))
        .collect::<String>();
    let text = format!("{text}\u{1c}client\u{1f}web\u{1f}\u{1f}stanzawire\u{1f}\u{1e}\u{1c}\u{1c}");
    assert_eq!(hash, STANDARD.encode(Sha256::digest(text)));
    // By these nodes it is asked, and by no others.
    for node in [format!("{node}#{ver}"), format!("urn:xmpp:caps#sha-256.{hash}")] {
        let told = own_info(&mut pair, Some(&node)).expect("it is told");
        assert_eq!(told.children().collect::<Vec<_>>(), info.children().collect::<Vec<_>>());
    }
    assert_eq!(own_info(&mut pair, Some(&format!("{node}#other"))), None);
    assert_eq!(own_info(&mut pair, Some("urn:xmpp:caps#sha-256.other")), None);
}

#[test]
fn xep0115_6_1_a_page_that_can_something_else_says_it() {
    // What the page before could is in the store.
    for (other, again) in [(false, false), (true, true)] {
        let mut old = sm::online_with(sm::kept::storing());
        if other {
            old.im("setPresence", json!([{}]));
        }
        old.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
        old.handle(stanzawire::engine::Input::PageHidden);
        if other {
            for kept in old.kept.values_mut() {
                *kept = kept.replace("urn:xmpp:caps#sha-256.", "urn:xmpp:caps#sha-256.x");
            }
        }
        let mut pair = sm::kept::kill(old);
        sm::kept::log_in(&mut pair);
        pair.sent.clear();
        sm::resumed(&mut pair, sm::FIRST + u32::from(other));
        let said = pair.sent.iter().any(|frame| frame.starts_with("<presence"));
        assert_eq!(said, again);
    }
}

#[test]
fn what_is_switched_off_is_no_feature() {
    let mut config = config();
    (config.im.receipts, config.im.last_activity) = (false, false);
    let info = own_info(&mut Pair::online_with(config), None).unwrap();
    let has = |feature: &str| info.children().any(|child| child.attr("var") == Some(feature));
    assert!(!has("urn:xmpp:receipts") && !has("jabber:iq:last") && has(INFO));
}
