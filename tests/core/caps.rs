//! XEP-0115 and XEP-0390.

mod kept;
mod own;

use crate::disco::{INFO, refuse};
use crate::pair::{NS_CLIENT, Pair, config};
use crate::sm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use stanzawire::engine::{Command, Ticket};
use stanzawire::error::Code;
use stanzawire::xml::Element;

const CAPS: &str = "http://jabber.org/protocol/caps";
const CAPS_2: &str = "urn:xmpp:caps";
const HASHES: &str = "urn:xmpp:hashes:2";
const MUC: &str = "http://jabber.org/protocol/muc";
pub const ROMEO: &str = "romeo@montague.lit/orchard";
const NURSE: &str = "nurse@capulet.lit/chamber";

/// XEP-0115 §5.2.
pub const EXODUS: &str = "<identity category='client' type='pc' name='Exodus 0.9.1'/>\
     <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/muc'/>\
     <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/disco#info'/>";
pub const EXODUS_VER: &str = "QgayPKawpkPSDYmwT/WM94uAlu0=";

/// XEP-0115 §5.3.
const PSI: &str = "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
     <identity xml:lang='el' category='client' name='&#936; 0.11' type='pc'/>\
     <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
     <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>\
     <x xmlns='jabber:x:data' type='result'>\
     <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
     <field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field>\
     <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>\
     <field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x>";
const PSI_VER: &str = "q07IKJEyjvHSyhy//CH0CxmKi8w=";

/// XEP-0390 §4.5.1.
const BOMBUS: [&str; 17] = [
    "http://jabber.org/protocol/si",
    "http://jabber.org/protocol/bytestreams",
    "http://jabber.org/protocol/chatstates",
    INFO,
    "http://jabber.org/protocol/disco#items",
    "urn:xmpp:ping",
    "jabber:iq:time",
    "jabber:iq:privacy",
    "jabber:iq:version",
    "http://jabber.org/protocol/rosterx",
    "urn:xmpp:time",
    "jabber:x:oob",
    "http://jabber.org/protocol/ibb",
    "http://jabber.org/protocol/si/profile/file-transfer",
    "urn:xmpp:receipts",
    "jabber:iq:roster",
    "jabber:iq:last",
];
const BOMBUS_HASH: &str = "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=";

/// XEP-0390 §4.5.2, what isn't a feature.
const TKABBER: &str = "<identity category='client' name='Tkabber' type='pc' xml:lang='en'/>\
     <identity category='client' name='Ткаббер' type='pc' xml:lang='ru'/>\
     <x xmlns='jabber:x:data' type='result'>\
     <field type='hidden' var='FORM_TYPE'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
     <field var='software'><value>Tkabber</value></field>\
     <field var='software_version'><value>0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)</value></field>\
     <field var='os'><value>Windows</value></field><field var='os_version'><value>XP</value></field></x>";
const TKABBER_FEATURES: &str = "games:board http://jabber.org/protocol/activity http://jabber.org/protocol/activity+notify \
     http://jabber.org/protocol/bytestreams http://jabber.org/protocol/chatstates http://jabber.org/protocol/commands \
     http://jabber.org/protocol/disco#info http://jabber.org/protocol/disco#items http://jabber.org/protocol/evil \
     http://jabber.org/protocol/feature-neg http://jabber.org/protocol/geoloc http://jabber.org/protocol/geoloc+notify \
     http://jabber.org/protocol/ibb http://jabber.org/protocol/iqibb http://jabber.org/protocol/mood \
     http://jabber.org/protocol/mood+notify http://jabber.org/protocol/rosterx http://jabber.org/protocol/si \
     http://jabber.org/protocol/si/profile/file-transfer http://jabber.org/protocol/tune \
     http://www.facebook.com/xmpp/messages http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify jabber:iq:avatar \
     jabber:iq:browse jabber:iq:dtcp jabber:iq:filexfer jabber:iq:ibb jabber:iq:inband jabber:iq:jidlink jabber:iq:last \
     jabber:iq:oob jabber:iq:privacy jabber:iq:roster jabber:iq:time jabber:iq:version jabber:x:data jabber:x:event \
     jabber:x:oob urn:xmpp:avatar:metadata+notify urn:xmpp:ping urn:xmpp:receipts urn:xmpp:time";
const TKABBER_HASH: &str = "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=";

pub fn first(ver: &str) -> String {
    format!("<c xmlns='{CAPS}' hash='sha-1' node='urn:client' ver='{ver}'/>")
}

fn second(hash: &str) -> String {
    format!(
        "<c xmlns='{CAPS_2}'><hash xmlns='{HASHES}' algo='sha3-256'>AAAA</hash><hash xmlns='{HASHES}' algo='sha-256'>{hash}</hash></c>"
    )
}

pub fn there(pair: &mut Pair, who: &str, caps: &str) {
    pair.receive(&format!(
        "<presence xmlns='jabber:client' from='{who}'>{caps}</presence>"
    ));
}

fn supports(pair: &mut Pair, who: &str, feature: &str) -> Ticket {
    pair.im("disco.supports", json!([who, feature]))
}

/// What the client asks next of `who`, by which node.
fn asked(pair: &mut Pair, who: &str, node: Option<&str>) -> Element {
    let iq = pair.element();
    let query = iq.child("query", INFO).expect("it is asked");
    assert_eq!((iq.attr("to"), query.attr("node")), (Some(who), node));
    iq
}

pub fn tell(pair: &mut Pair, iq: &Element, info: &str) {
    let node = iq.child("query", INFO).unwrap().attr("node");
    let node = node.map(|node| format!("node='{node}'")).unwrap_or_default();
    pair.answer(iq, &format!("<query xmlns='{INFO}' {node}>{info}</query>"));
}

/// Whether an answer to the question of one is believed of another with the same hash.
fn is_believed(caps: &str, info: &str) -> bool {
    let mut pair = Pair::online();
    there(&mut pair, ROMEO, caps);
    there(&mut pair, NURSE, caps);
    let call = pair.im("disco.info", json!([ROMEO]));
    let iq = pair.element();
    tell(&mut pair, &iq, info);
    // Of itself it is what it says, if that can be read.
    assert!(!pair.is_open(call));
    let call = supports(&mut pair, NURSE, MUC);
    let believed = !pair.is_open(call);
    assert_eq!(believed, pair.sent.is_empty());
    believed
}

/// The hash of XEP-0115 for what is written like this.
fn sha_1(text: &str) -> String {
    STANDARD.encode(Sha1::digest(text))
}

#[test]
fn xep0115_5_4_a_hash_is_asked_for_once_and_believed_of_all_who_have_it() {
    let mut pair = Pair::online();
    there(&mut pair, ROMEO, &first(EXODUS_VER));
    there(&mut pair, NURSE, &first(EXODUS_VER));
    pair.nothing_sent();
    // Two ask at once.
    let calls = [supports(&mut pair, ROMEO, MUC), supports(&mut pair, NURSE, "urn:other")];
    // §6.2: the exact JID.
    let iq = asked(&mut pair, ROMEO, Some(&format!("urn:client#{EXODUS_VER}")));
    pair.nothing_sent();
    tell(&mut pair, &iq, EXODUS);
    assert_eq!(calls.map(|call| pair.value(call)), [json!(true), json!(false)]);
    // From now on nobody is asked.
    let call = pair.im("disco.info", json!([NURSE]));
    pair.nothing_sent();
    let info = pair.value(call);
    assert_eq!(
        info["identities"],
        json!([{ "category": "client", "type": "pc", "name": "Exodus 0.9.1" }])
    );
    assert_eq!(
        (info["features"].as_array().unwrap().len(), info.get("node")),
        (4, None)
    );
    // Somebody of another software with the same hash is the same (§5.4 3.8).
    let other = first(EXODUS_VER).replace("urn:client", "urn:other");
    there(&mut pair, "bard@shakespeare.lit/globe", &other);
    let call = supports(&mut pair, "bard@shakespeare.lit/globe", MUC);
    assert_eq!(pair.value(call), json!(true));
    // A node of theirs is another thing.
    pair.im("disco.info", json!([NURSE, "n"]));
    asked(&mut pair, NURSE, Some("n"));
}

#[test]
fn xep0115_5_3_and_xep0390_4_5_the_examples() {
    assert!(is_believed(&first(EXODUS_VER), EXODUS));
    assert!(is_believed(&first(PSI_VER), PSI));
    let features = |features: &mut dyn Iterator<Item = &str>| {
        let features = features.map(|feature| format!("<feature var='{feature}'/>"));
        features.collect::<String>()
    };
    let bombus = "<identity category='client' name='BombusMod' type='mobile'/>".to_owned();
    let bombus = bombus + &features(&mut BOMBUS.into_iter());
    assert!(is_believed(&second(BOMBUS_HASH), &bombus));
    let tkabber = TKABBER.to_owned() + &features(&mut TKABBER_FEATURES.split_whitespace());
    assert!(is_believed(&second(TKABBER_HASH), &tkabber));
    assert!(is_believed(&second(&format!("\n {TKABBER_HASH}\n")), &tkabber));
    // XEP-0115 with SHA-256.
    let text = format!("client/pc//<{MUC}<");
    let caps = first(&STANDARD.encode(Sha256::digest(&text))).replace("sha-1", "sha-256");
    assert!(is_believed(
        &caps,
        &format!("<identity category='client' type='pc'/><feature var='{MUC}'/>")
    ));
}

#[test]
fn xep0115_5_4_a_hash_that_does_not_fit_is_believed_of_nobody_else() {
    // XEP-0390 §8.2 the same.
    for (caps, node) in [
        (first(EXODUS_VER), format!("urn:client#{EXODUS_VER}")),
        (second(BOMBUS_HASH), format!("urn:xmpp:caps#sha-256.{BOMBUS_HASH}")),
    ] {
        let mut pair = Pair::online();
        there(&mut pair, "mallory@example.org/x", &caps);
        there(&mut pair, NURSE, &caps);
        let lie = "<identity category='client' type='pc'/><feature var='urn:evil'/>";
        let mallory = supports(&mut pair, "mallory@example.org/x", "urn:evil");
        let nurse = supports(&mut pair, NURSE, "urn:evil");
        let iq = asked(&mut pair, "mallory@example.org/x", Some(&node));
        tell(&mut pair, &iq, lie);
        // Mallory is what Mallory says. Of the nurse nothing is known: she is asked herself (§5.4 3.9).
        assert_eq!(pair.value(mallory), json!(true));
        assert!(pair.is_open(nurse));
        let iq = asked(&mut pair, NURSE, Some(&node));
        if caps.contains("sha3") {
            continue;
        }
        tell(&mut pair, &iq, EXODUS);
        assert_eq!(pair.value(nurse), json!(false));
        // And that is true, also of Mallory's hash.
        let call = supports(&mut pair, "mallory@example.org/x", "urn:evil");
        assert_eq!(pair.value(call), json!(false));
    }
}

#[test]
fn xep0115_5_4_what_is_ill_formed_is_believed_of_nobody_else() {
    let identity = "<identity category='client' type='pc' name='A'/>";
    let feature = format!("<feature var='{MUC}'/>");
    let form = |fields: &str| format!("<x xmlns='jabber:x:data' type='result'>{fields}</x>");
    let typed = |rest: &str| format!("<field var='FORM_TYPE' type='hidden'><value>a</value>{rest}</field>");
    for (text, info) in [
        // 3.3: the same identity twice.
        (
            format!("client/pc//A<client/pc//A<{MUC}<"),
            format!("{identity}{identity}{feature}"),
        ),
        // 3.4: the same feature twice.
        (
            format!("client/pc//A<{MUC}<{MUC}<"),
            format!("{identity}{feature}{feature}"),
        ),
        // 3.5: two forms of one type, and one of two types.
        (
            format!("client/pc//A<{MUC}<a<a<"),
            format!("{identity}{feature}{0}{0}", form(&typed(""))),
        ),
        (
            format!("client/pc//A<{MUC}<a<"),
            format!("{identity}{feature}{}", form(&typed("<value>b</value>"))),
        ),
        // Who is nothing.
        (format!("{MUC}<"), feature.clone()),
    ] {
        assert!(!is_believed(&first(&sha_1(&text)), &info), "{info}");
    }
    // The same with nothing wrong; and 3.6: a form without a type is left out.
    let text = format!("client/pc//A<{MUC}<a<");
    assert!(is_believed(
        &first(&sha_1(&text)),
        &format!("{identity}{feature}{}", form(&typed("")))
    ));
    let text = format!("client/pc//A<{MUC}<");
    for untyped in [
        "",
        "<field var='FORM_TYPE'><value>a</value></field>",
        "<field var='b'><value>a</value></field>",
    ] {
        assert!(
            is_believed(&first(&sha_1(&text)), &format!("{identity}{feature}{}", form(untyped))),
            "{untyped}"
        );
    }
}

#[test]
fn xep0115_9_3_what_may_be_the_hash_of_another_answer_is_believed_of_nobody_else() {
    // All of these have the hash of a client with the two features `urn:a` and the rooms', which would be hidden by that.
    let text = format!("client/pc//A<{MUC}<urn:a<");
    let feature = format!("<feature var='{MUC}'/>");
    for info in [
        format!("<identity category='client' type='pc' name='A&lt;{MUC}'/><feature var='urn:a'/>"),
        format!("<identity category='client' type='pc' name='A'/><feature var='{MUC}&lt;urn:a'/>"),
        format!(
            "<identity category='client' type='pc' name='A'/>{feature}<x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field></x>"
        ),
        format!(
            "<identity category='client' type='pc' name='A'/><x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>{MUC}</value></field><field var='urn:a'/></x>"
        ),
        "<identity category='client' type='pc' name='A'/><identity category='http:' type='' xml:lang='jabber.org' \
         name='protocol/muc'/><feature var='urn:a'/>"
            .to_owned(),
        format!("<feature var='client/pc//A'/>{feature}<feature var='urn:a'/>"),
    ] {
        assert!(!is_believed(&first(&sha_1(&text)), &info), "{info}");
    }
    let honest = format!("<identity category='client' type='pc' name='A'/>{feature}<feature var='urn:a'/>");
    assert!(is_believed(&first(&sha_1(&text)), &honest));
}

#[test]
fn xep0390_4_1_what_has_no_hash_is_believed_of_nobody_else() {
    let text = "urn:a\u{1f}\u{1c}client\u{1f}pc\u{1f}\u{1f}\u{1f}\u{1e}\u{1c}";
    let hash = |forms: &str| second(&STANDARD.encode(Sha256::digest(format!("{text}{forms}\u{1c}"))));
    let info = |rest: &str| format!("<identity category='client' type='pc'/><feature var='urn:a'/>{rest}");
    let form = |rest: &str| {
        info(&format!(
            "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>t</value></field>{rest}</x>"
        ))
    };
    let typed = "FORM_TYPE\u{1f}t\u{1f}\u{1e}\u{1d}";
    assert!(is_believed(&hash(""), &info("")));
    assert!(is_believed(&hash(typed), &form("")));
    for (forms, info) in [
        // Steps 1, 2 and 3.
        ("", info("<other xmlns='urn:other'/>")),
        (typed, form("<reported><field var='a'/></reported>")),
        (typed, form("<item/>")),
        (
            &typed.replace("FORM_TYPE\u{1f}t\u{1f}", ""),
            info("<x xmlns='jabber:x:data' type='result'><field/></x>"),
        ),
    ] {
        assert!(!is_believed(&hash(forms), &info), "{info}");
    }
}

#[test]
fn xep0390_7_2_the_newer_hash_counts_and_what_cannot_be_checked_does_not() {
    let mut pair = Pair::online();
    // XEP-0115's would be known.
    there(&mut pair, NURSE, &first(EXODUS_VER));
    let call = supports(&mut pair, NURSE, MUC);
    let iq = asked(&mut pair, NURSE, Some(&format!("urn:client#{EXODUS_VER}")));
    tell(&mut pair, &iq, EXODUS);
    assert_eq!(pair.value(call), json!(true));
    there(&mut pair, ROMEO, &(first(EXODUS_VER) + &second(BOMBUS_HASH)));
    supports(&mut pair, ROMEO, MUC);
    asked(&mut pair, ROMEO, Some(&format!("urn:xmpp:caps#sha-256.{BOMBUS_HASH}")));
    for (number, caps) in [
        second(BOMBUS_HASH).replace("sha-256", "blake2b-256"),
        format!("<c xmlns='{CAPS_2}'/>") + &first(EXODUS_VER),
        first(EXODUS_VER).replace("sha-1", "md5"),
        // From before XEP-0115 1.4.
        first(EXODUS_VER).replace("hash='sha-1'", ""),
        first(EXODUS_VER).replace("node='urn:client'", ""),
        first(EXODUS_VER).replace("ver=", "version="),
        String::new(),
    ]
    .iter()
    .enumerate()
    {
        let who = format!("bob@example.org/{number}");
        there(&mut pair, &who, caps);
        supports(&mut pair, &who, MUC);
        asked(&mut pair, &who, None);
    }
}

#[test]
fn what_was_asked_for_a_hash_in_vain_is_asked_in_another_way() {
    let node = format!("urn:client#{EXODUS_VER}");
    let mut pair = Pair::online();
    there(&mut pair, ROMEO, &first(EXODUS_VER));
    there(&mut pair, NURSE, &first(EXODUS_VER));
    let calls = [supports(&mut pair, ROMEO, MUC), supports(&mut pair, NURSE, MUC)];
    let iq = asked(&mut pair, ROMEO, Some(&node));
    refuse(&mut pair, &iq, "item-not-found");
    // Some know no nodes.
    let iq = asked(&mut pair, ROMEO, None);
    refuse(&mut pair, &iq, "service-unavailable");
    assert_eq!(pair.error(calls[0]).condition(), Some("service-unavailable"));
    let iq = asked(&mut pair, NURSE, Some(&node));
    pair.answer(&iq, "<query xmlns='urn:other'/>");
    assert_eq!(pair.error(calls[1]).code(), Code::ProtocolViolation);
    // Nor does anybody wait forever, or for somebody else.
    let first = supports(&mut pair, NURSE, MUC);
    asked(&mut pair, NURSE, Some(&node));
    pair.advance(1);
    supports(&mut pair, ROMEO, MUC);
    let given_up = supports(&mut pair, ROMEO, MUC);
    pair.abort(given_up);
    pair.advance(29_999);
    assert_eq!(pair.error(first).code(), Code::Timeout);
    let iq = asked(&mut pair, ROMEO, Some(&node));
    refuse(&mut pair, &iq, "item-not-found");
    asked(&mut pair, ROMEO, None);
    pair.nothing_sent();
    // Of the node that was asked for alone.
    let call = supports(&mut pair, NURSE, MUC);
    let iq = asked(&mut pair, NURSE, Some(&node));
    pair.answer(&iq, &format!("<query xmlns='{INFO}' node='other'>{EXODUS}</query>"));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn with_the_session_all_questions_end() {
    let mut pair = Pair::online();
    there(&mut pair, ROMEO, &first(EXODUS_VER));
    there(&mut pair, NURSE, &first(EXODUS_VER));
    let calls = [
        supports(&mut pair, ROMEO, MUC),
        supports(&mut pair, NURSE, MUC),
        supports(&mut pair, "a@b/c", MUC),
    ];
    pair.call(Command::Disconnect);
    pair.advance(60_000);
    for call in calls {
        assert_eq!(pair.error(call).code(), Code::Closed);
    }
    pair.sent.clear();
    pair.connect();
    pair.open_socket();
    pair.login(&crate::server::Fault::None);
    pair.take_first_stanzas();
    // Who is there is told anew.
    supports(&mut pair, ROMEO, MUC);
    asked(&mut pair, ROMEO, None);
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_says_what_is_behind_a_hash() {
    let mut pair = Pair::online();
    there(&mut pair, ROMEO, &first(EXODUS_VER));
    let call = supports(&mut pair, ROMEO, MUC);
    let id = pair.element().attr("id").unwrap().to_owned();
    for from in ["", "from='mallory@example.org/x'", "from='romeo@montague.lit'"] {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' {from}><query xmlns='{INFO}'>{EXODUS}</query></iq>"
        ));
        assert!(pair.is_open(call), "{from}");
    }
}

#[test]
fn xep0115_5_4_3_6_what_no_hash_covers_is_believed_of_nobody_else() {
    let field = |more: &str| format!("<field var='os'{more}><value>Plan 9</value></field>");
    let form = |fields: &str| format!("<x xmlns='jabber:x:data' type='result'><title>lies</title>{fields}</x>");
    let typed = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>";
    let text = format!("client/pc//A<{MUC}<urn:xmpp:dataforms:softwareinfo<os<Plan 9<");
    let info = format!(
        "<identity category='client' type='pc' name='A'/><feature var='{MUC}'/>{}{}",
        form(&format!("{typed}{}", field(" label='lies' type='list-multi'"))),
        form(&field("")),
    );
    let mut pair = Pair::online();
    let caps = first(&sha_1(&text));
    there(&mut pair, ROMEO, &caps);
    there(&mut pair, NURSE, &caps);
    let call = pair.im("disco.info", json!([ROMEO]));
    let iq = pair.element();
    tell(&mut pair, &iq, &info);
    // Of itself it is what it says.
    assert_eq!(pair.value(call)["forms"].as_array().unwrap().len(), 2);
    let call = pair.im("disco.info", json!([NURSE]));
    let believed = pair.value(call);
    let forms = believed["forms"].as_array().unwrap();
    assert_eq!(forms.len(), 1, "{believed}");
    assert!(!believed.to_string().contains("lies"), "{believed}");
    assert_eq!(forms[0]["fields"][1]["value"], json!("Plan 9"), "{believed}");
}
