//! XEP-0054 and XEP-0292: profiles, read and written.

use crate::nick::{PUBSUB, asked, items, open_to_all, published, refuse};
use crate::pair::{NS_CLIENT, Pair};
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::error::Code;
use stanzawire::xml::Element;

const NODE: &str = "urn:xmpp:vcard4";
const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";
const TEMP: &str = "vcard-temp";

fn vcard4(fields: &str) -> String {
    format!("<item id='1'><vcard xmlns='{VCARD4}'>{fields}</vcard></item>")
}

/// Takes a question for a vcard-temp.
fn asked_temp(pair: &mut Pair, owner: Option<&str>) -> Element {
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("get"), owner));
    assert!(iq.child("vCard", TEMP).is_some());
    iq
}

fn answer_temp(pair: &mut Pair, iq: &Element, fields: &str) {
    pair.answer(iq, &format!("<vCard xmlns='{TEMP}'>{fields}</vCard>"));
}

/// The profile in a vCard4.
fn of_vcard4(fields: &str) -> Value {
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!(["p@example.org"]));
    let iq = asked(&mut pair, Some("p@example.org"), NODE);
    items(&mut pair, &iq, NODE, &vcard4(fields));
    pair.value(call)
}

/// The profile in a vcard-temp.
fn of_temp(fields: &str) -> Value {
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!(["p@example.org"]));
    let iq = asked(&mut pair, Some("p@example.org"), NODE);
    refuse(&mut pair, &iq, "item-not-found");
    let iq = asked_temp(&mut pair, Some("p@example.org"));
    answer_temp(&mut pair, &iq, fields);
    pair.value(call)
}

#[test]
fn xep0292_4_1_a_vcard4_is_read() {
    let profile = of_vcard4(
        "<fn><text>Peter Saint-Andre</text></fn>
         <n><surname>Saint-Andre</surname><given>Peter</given><additional></additional></n>
         <nickname><text>stpeter</text></nickname><nickname><text>psa</text></nickname>
         <photo><uri>https://stpeter.im/me.jpg</uri></photo>
         <bday><date>1966-08-06</date></bday>
         <adr><parameters><type><text>Work</text><text>parcel</text></type><pref><integer>1</integer></pref></parameters>
           <ext>Suite 600</ext><street>1899 Wynkoop Street</street><locality>Denver</locality><region>CO</region>
           <code>80202</code><country>USA</country></adr>
         <tel><parameters><type><text>cell</text><text>voice</text></type></parameters><uri>tel:+1-303-308-3282</uri></tel>
         <tel><text>+1 303 555 1212</text></tel>
         <url><uri>https://stpeter.im/</uri></url>
         <org><text>XSF</text></org><title><text>Director</text></title><role><text>Saint</text></role>
         <note><text>
           More
         </text></note>
         <email><parameters><type><text>home</text></type></parameters><text>stpeter@jabber.org</text></email>",
    );
    let expected = json!({
        "source": "vcard4",
        "fullName": "Peter Saint-Andre",
        "name": { "family": "Saint-Andre", "given": "Peter" },
        "nickname": "stpeter",
        "birthday": "1966-08-06",
        "emails": [{ "address": "stpeter@jabber.org", "types": ["home"] }],
        "phones": [{ "number": "+1-303-308-3282", "types": ["cell", "voice"] }, { "number": "+1 303 555 1212" }],
        "addresses": [{ "extended": "Suite 600", "street": "1899 Wynkoop Street", "locality": "Denver", "region": "CO",
            "code": "80202", "country": "USA", "types": ["work"] }],
        "urls": ["https://stpeter.im/"],
        "organization": "XSF", "title": "Director", "role": "Saint", "note": "More",
    });
    assert_eq!(profile, expected);
}

#[test]
fn xep0054_3_3_a_vcard_temp_is_read() {
    let profile = of_temp(
        "<FN>Peter Saint-Andre</FN><N><FAMILY>Saint-Andre</FAMILY><GIVEN>Peter</GIVEN><MIDDLE/></N>
         <NICKNAME>stpeter</NICKNAME><URL>http://www.xmpp.org/</URL><BDAY>1966-08-06</BDAY>
         <ORG><ORGNAME>XSF</ORGNAME><ORGUNIT/></ORG><TITLE>Director</TITLE><ROLE>Saint</ROLE>
         <TEL><WORK/><VOICE/><NUMBER>303-308-3282</NUMBER></TEL><TEL><WORK/><FAX/><NUMBER/></TEL>
         <ADR><HOME/><EXTADD/><STREET/><LOCALITY>Denver</LOCALITY><CTRY>USA</CTRY></ADR>
         <EMAIL><INTERNET/><PREF/><USERID>stpeter@jabber.org</USERID></EMAIL>
         <EMAIL>loose@jabber.org</EMAIL><JABBERID>stpeter@jabber.org</JABBERID>
         <PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO><DESC> More </DESC><NOTE>Less</NOTE>",
    );
    let expected = json!({
        "source": "vcard-temp",
        "fullName": "Peter Saint-Andre",
        "name": { "family": "Saint-Andre", "given": "Peter" },
        "nickname": "stpeter",
        "birthday": "1966-08-06",
        "emails": [{ "address": "stpeter@jabber.org" }, { "address": "loose@jabber.org" }],
        "phones": [{ "number": "303-308-3282", "types": ["work", "voice"] }],
        "addresses": [{ "locality": "Denver", "country": "USA", "types": ["home"] }],
        "urls": ["http://www.xmpp.org/"],
        "organization": "XSF", "title": "Director", "role": "Saint", "note": "More",
    });
    assert_eq!(profile, expected);
    assert_eq!(of_temp("<NOTE>Less</NOTE>")["note"], "Less");
}

#[test]
fn a_card_is_read_within_bounds() {
    let urls = "<url><uri>x</uri></url>".repeat(40);
    let long = "x".repeat(8_193);
    let profile = of_vcard4(&format!(
        "{urls}<note><text>{long}</text></note><title><text/></title><fn/>"
    ));
    assert_eq!(profile["urls"].as_array().unwrap().len(), 32);
    assert_eq!(profile.as_object().unwrap().len(), 2, "{profile}");
    let other = "<FN xmlns='urn:x'>F</FN><N><FAMILY xmlns='urn:x'>F</FAMILY></N><fn>f</fn>";
    assert_eq!(of_temp(other), json!({ "source": "vcard-temp" }));
}

#[test]
fn xep0054_3_3_who_has_no_card_has_an_empty_profile() {
    for condition in ["item-not-found", "service-unavailable"] {
        let mut pair = Pair::online();
        let call = pair.im("profiles.get", json!(["p@example.org"]));
        let iq = pair.element();
        refuse(&mut pair, &iq, "forbidden");
        let iq = asked_temp(&mut pair, Some("p@example.org"));
        refuse(&mut pair, &iq, condition);
        assert_eq!(pair.value(call), json!({}));
    }
    assert_eq!(of_temp(""), json!({}));
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!([]));
    let iq = asked(&mut pair, None, NODE);
    items(&mut pair, &iq, NODE, "");
    let iq = asked_temp(&mut pair, None);
    refuse(&mut pair, &iq, "not-allowed");
    assert_eq!(pair.error(call).condition(), Some("not-allowed"));
}

#[test]
fn who_is_in_a_room_is_asked_through_it() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!(["room@muc.example.org/Nick"]));
    let iq = asked_temp(&mut pair, Some("room@muc.example.org/Nick"));
    answer_temp(&mut pair, &iq, "<FN>Nick</FN>");
    assert_eq!(pair.value(call)["fullName"], "Nick");
}

#[test]
fn what_is_no_card_is_a_violation() {
    let temp = |answer: &str| {
        let mut pair = Pair::online();
        let call = pair.im("profiles.get", json!(["p@example.org"]));
        let iq = pair.element();
        refuse(&mut pair, &iq, "item-not-found");
        let iq = pair.element();
        pair.answer(&iq, answer);
        pair.error(call).code()
    };
    for answer in ["", "<vcard xmlns='vcard-temp'/>", "<vCard xmlns='urn:x'/>"] {
        assert_eq!(temp(answer), Code::ProtocolViolation, "{answer}");
    }
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!(["p@example.org"]));
    let iq = pair.element();
    pair.answer(&iq, &format!("<vcard xmlns='{VCARD4}'/>"));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn rfc6120_8_1_2_1_nobody_else_answers_for_a_card() {
    let mut pair = Pair::online();
    let call = pair.im("profiles.get", json!(["p@example.org"]));
    let forge = |pair: &mut Pair, iq: &Element, payload: &str| {
        let id = iq.attr("id").unwrap();
        for from in [
            "from='mallory@example.org'",
            "from='p@example.org/x'",
            "from='example.org'",
            "",
        ] {
            pair.receive(&format!(
                "<iq xmlns='{NS_CLIENT}' type='result' id='{id}' {from}>{payload}</iq>"
            ));
        }
    };
    let iq = asked(&mut pair, Some("p@example.org"), NODE);
    let forged = vcard4("<fn><text>Mallory</text></fn>");
    forge(
        &mut pair,
        &iq,
        &format!("<pubsub xmlns='{PUBSUB}'><items node='{NODE}'>{forged}</items></pubsub>"),
    );
    assert!(pair.is_open(call));
    refuse(&mut pair, &iq, "item-not-found");
    let iq = asked_temp(&mut pair, Some("p@example.org"));
    forge(&mut pair, &iq, "<vCard xmlns='vcard-temp'><FN>Mallory</FN></vCard>");
    assert!(pair.is_open(call));
    answer_temp(&mut pair, &iq, "<FN>P</FN>");
    assert_eq!(pair.value(call)["fullName"], "P");
}

/// The account's server as far as cards are concerned, until the client is through: what it has, and what was written.
#[derive(Default)]
struct Server {
    vcard4: Option<String>,
    temp: Option<String>,
    /// It makes the vcard-temp of the vCard4: it says this once that has been published.
    converts: Option<&'static str>,
    no_pep: bool,
    no_temp: bool,
    wrote4: Option<Element>,
    wrote_temp: Option<Element>,
}

impl Server {
    fn serve(&mut self, pair: &mut Pair) {
        while let Some(frame) = pair.sent.pop_front() {
            let iq = stanzawire::xml::read(&frame, &Default::default()).unwrap();
            let set = iq.attr("type") == Some("set");
            let payload = iq.children().next().unwrap();
            match (payload.is("pubsub", PUBSUB), set) {
                (true, _) if self.no_pep => refuse(pair, &iq, "service-unavailable"),
                (true, false) => match self.vcard4.clone() {
                    Some(card) => items(pair, &iq, NODE, &vcard4(&card)),
                    None => refuse(pair, &iq, "item-not-found"),
                },
                (true, true) => {
                    pair.sent.push_front(frame);
                    let (_, item, options) = published(pair, NODE);
                    assert!(open_to_all(&options));
                    assert_eq!(item.attr("id"), Some("current"));
                    self.wrote4 = item.children().next().cloned();
                    self.temp = self.converts.map(str::to_owned).or(self.temp.take());
                    pair.answer(&iq, "");
                }
                (false, _) if self.no_temp => refuse(pair, &iq, "service-unavailable"),
                (false, false) => match self.temp.clone() {
                    Some(card) => answer_temp(pair, &iq, &card),
                    None => refuse(pair, &iq, "item-not-found"),
                },
                (false, true) => {
                    self.wrote_temp = Some(payload.clone());
                    pair.answer(&iq, "");
                }
            }
        }
    }

    fn set(mut self, profile: &Value) -> Server {
        let mut pair = Pair::online();
        let call: Ticket = pair.im("profiles.set", json!([profile]));
        self.serve(&mut pair);
        assert_eq!(pair.value(call), json!(null));
        self
    }
}

/// A card as it is written here.
fn card(element: Option<&Element>) -> String {
    let text = stanzawire::xml::write(element.expect("it was written")).unwrap();
    let (_, inner) = text.split_once('>').unwrap();
    inner.rsplit_once('<').map_or("", |(inner, _)| inner).to_owned()
}

fn everything() -> Value {
    json!({
        "fullName": "Queequeg", "name": { "given": "Queequeg" }, "nickname": "Q", "birthday": "1819-08-01",
        "emails": [{ "address": "q@example.org", "types": ["home", "work"] }],
        "phones": [{ "number": "+1 555 0100", "types": ["cell"] }],
        "addresses": [{ "locality": "Kokovoko", "types": ["home"] }],
        "urls": ["https://a.example/", "https://b.example/"],
        "organization": "Pequod", "title": "Harpooner", "role": "Friend", "note": "a <note>",
    })
}

#[test]
fn xep0292_4_1_2_a_new_card_is_written_in_both_kinds() {
    let server = Server::default().set(&everything());
    assert_eq!(
        card(server.wrote4.as_ref()),
        "<fn><text>Queequeg</text></fn><n><surname/><given>Queequeg</given><additional/><prefix/><suffix/></n>\
         <nickname><text>Q</text></nickname><bday><date>1819-08-01</date></bday>\
         <email><parameters><type><text>home</text><text>work</text></type></parameters><text>q@example.org</text></email>\
         <tel><parameters><type><text>cell</text></type></parameters><uri>tel:+1-555-0100</uri></tel>\
         <adr><parameters><type><text>home</text></type></parameters><pobox/><ext/><street/>\
         <locality>Kokovoko</locality><region/><code/><country/></adr>\
         <url><uri>https://a.example/</uri></url><url><uri>https://b.example/</uri></url>\
         <org><text>Pequod</text></org><title><text>Harpooner</text></title><role><text>Friend</text></role>\
         <note><text>a &lt;note&gt;</text></note>"
    );
    assert_eq!(
        card(server.wrote_temp.as_ref()),
        "<FN>Queequeg</FN><N><GIVEN>Queequeg</GIVEN></N><NICKNAME>Q</NICKNAME><BDAY>1819-08-01</BDAY>\
         <EMAIL><HOME/><WORK/><USERID>q@example.org</USERID></EMAIL>\
         <TEL><CELL/><NUMBER>+1 555 0100</NUMBER></TEL><ADR><HOME/><LOCALITY>Kokovoko</LOCALITY></ADR>\
         <URL>https://a.example/</URL><URL>https://b.example/</URL><ORG><ORGNAME>Pequod</ORGNAME></ORG>\
         <TITLE>Harpooner</TITLE><ROLE>Friend</ROLE><DESC>a &lt;note&gt;</DESC>"
    );
    // And read again it is the same.
    let mut expected = everything();
    expected["source"] = json!("vcard-temp");
    assert_eq!(of_temp(&card(server.wrote_temp.as_ref())), expected);
    expected["source"] = json!("vcard4");
    expected["phones"][0]["number"] = json!("+1-555-0100");
    assert_eq!(of_vcard4(&card(server.wrote4.as_ref())), expected);
}

#[test]
fn what_a_profile_does_not_know_stays_in_the_cards() {
    let server = Server {
        vcard4: Some(
            "<lang><language-tag>en</language-tag></lang>\
             <email><parameters><pref><integer>1</integer></pref></parameters><text>q@example.org</text></email>\
             <title><text>Old</text></title><nickname><text>Q</text></nickname><nickname><text>Quee</text></nickname>\
             <url><uri>https://gone.example/</uri></url><x-mine xmlns='urn:x'>1</x-mine>"
                .into(),
        ),
        temp: Some(
            "<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO><TITLE>Old</TITLE>\
             <ORG><ORGNAME>Pequod</ORGNAME><ORGUNIT>Boats</ORGUNIT></ORG><ROLE>Gone</ROLE><X-MINE>1</X-MINE>"
                .into(),
        ),
        ..Server::default()
    };
    let server = server.set(&json!({
        "emails": [{ "address": "new@example.org" }, { "address": "q@example.org" }],
        "nickname": "Q", "title": "New", "organization": "Pequod", "source": "vcard4",
    }));
    assert_eq!(
        card(server.wrote4.as_ref()),
        "<lang><language-tag>en</language-tag></lang><email><text>new@example.org</text></email>\
         <email><parameters><pref><integer>1</integer></pref></parameters><text>q@example.org</text></email>\
         <title><text>New</text></title><nickname><text>Q</text></nickname><nickname><text>Quee</text></nickname>\
         <x-mine xmlns=\"urn:x\">1</x-mine><org><text>Pequod</text></org>"
    );
    assert_eq!(
        card(server.wrote_temp.as_ref()),
        "<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO><TITLE>New</TITLE>\
         <ORG><ORGNAME>Pequod</ORGNAME><ORGUNIT>Boats</ORGUNIT></ORG><X-MINE>1</X-MINE>\
         <NICKNAME>Q</NICKNAME><EMAIL><USERID>new@example.org</USERID></EMAIL><EMAIL><USERID>q@example.org</USERID></EMAIL>"
    );
    // What there is one of: another takes the place of the first, and none that of all.
    let nicknames = "<nickname><text>Q</text></nickname><nickname><text>Quee</text></nickname>";
    for (set, left) in [
        (
            json!({ "nickname": "Z" }),
            "<nickname><text>Z</text></nickname><nickname><text>Quee</text></nickname>",
        ),
        (json!({ "nickname": "Quee" }), "<nickname><text>Quee</text></nickname>"),
        (json!({}), ""),
    ] {
        let server = Server {
            vcard4: Some(nicknames.into()),
            ..Server::default()
        };
        assert_eq!(card(server.set(&set).wrote4.as_ref()), left);
    }
}

#[test]
fn a_server_that_makes_the_one_of_the_other_is_left_to_it() {
    let server = Server {
        vcard4: Some("<fn><text>Old</text></fn>".into()),
        temp: Some("<FN>Old</FN>".into()),
        // As Prosody's vcard_legacy does: empty parts, other types, what stands in the note's place.
        converts: Some(
            "<FN>Queequeg</FN><N><FAMILY/><GIVEN>Queequeg</GIVEN><MIDDLE/><PREFIX/><SUFFIX/></N><NICKNAME>Q</NICKNAME>\
             <BDAY>1819-08-01</BDAY><EMAIL><USERID>q@example.org</USERID><INTERNET/><HOME/></EMAIL>\
             <TEL><NUMBER>+1-555-0100</NUMBER></TEL><ADR><POBOX/><LOCALITY>Kokovoko</LOCALITY><HOME/></ADR>\
             <URL>https://a.example/</URL><URL>https://b.example/</URL><ORG><ORGNAME>Pequod</ORGNAME></ORG>\
             <TITLE>Harpooner</TITLE><ROLE>Friend</ROLE><NOTE>a &lt;note&gt;</NOTE><PHOTO><TYPE>image/png</TYPE></PHOTO>",
        ),
        ..Server::default()
    };
    let server = server.set(&everything());
    assert!(server.wrote4.is_some());
    assert_eq!(server.wrote_temp, None);
    // What such a server can't say in a vcard-temp is no reason to write one, which it would make another vCard4 of.
    let server = Server {
        vcard4: Some("<tel><text>+1 555</text></tel><fn><text>Old</text></fn>".into()),
        converts: Some("<FN>New</FN><N><FAMILY/></N>"),
        ..Server::default()
    };
    let server = server.set(&json!({ "fullName": "New", "phones": [{ "number": "+1 555" }] }));
    assert_eq!(server.wrote_temp, None);
}

#[test]
fn a_server_with_one_kind_of_card_has_that_written() {
    let server = Server {
        no_temp: true,
        ..Server::default()
    };
    let server = server.set(&everything());
    assert!(server.wrote4.is_some() && server.wrote_temp.is_none());
    let server = Server {
        no_pep: true,
        temp: Some("<PHOTO/>".into()),
        ..Server::default()
    };
    let server = server.set(&json!({ "nickname": "Q" }));
    assert_eq!(server.wrote4, None);
    assert_eq!(card(server.wrote_temp.as_ref()), "<PHOTO/><NICKNAME>Q</NICKNAME>");
    let mut pair = Pair::online();
    let call = pair.im("profiles.set", json!([{ "nickname": "Q" }]));
    let mut server = Server {
        no_pep: true,
        no_temp: true,
        ..Server::default()
    };
    server.serve(&mut pair);
    assert_eq!(pair.error(call).condition(), Some("service-unavailable"));
}

#[test]
fn nothing_is_written_where_a_card_cannot_be_read() {
    for (answer, code) in [
        (
            "<error type='wait'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            Code::StanzaError,
        ),
        ("<vCard xmlns='vcard-temp'/>", Code::ProtocolViolation),
    ] {
        let mut pair = Pair::online();
        let call = pair.im("profiles.set", json!([{ "nickname": "Q" }]));
        let iq = asked(&mut pair, None, NODE);
        let kind = if code == Code::StanzaError { "error" } else { "result" };
        let id = iq.attr("id").unwrap();
        pair.receive(&format!(
            "<iq xmlns='{NS_CLIENT}' type='{kind}' id='{id}'>{answer}</iq>"
        ));
        assert_eq!(pair.error(call).code(), code);
        pair.nothing_sent();
    }
    let mut pair = Pair::online();
    let call = pair.im("profiles.set", json!([{ "nickname": "Q" }]));
    let iq = asked(&mut pair, None, NODE);
    items(&mut pair, &iq, NODE, "");
    let (iq, ..) = published(&mut pair, NODE);
    refuse(&mut pair, &iq, "conflict");
    let (iq, _, options) = published(&mut pair, NODE);
    assert_eq!(options, []);
    pair.answer(&iq, "");
    let iq = asked_temp(&mut pair, None);
    pair.answer(&iq, "<other xmlns='urn:x'/>");
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
    pair.nothing_sent();
}

#[test]
fn what_is_no_profile_is_refused() {
    let mut pair = Pair::online();
    let many: Vec<&str> = vec!["https://a.example/"; 33];
    for bad in [
        json!([]),
        json!(["Q"]),
        json!([{ "fullName": 5 }]),
        json!([{ "fullName": "a\u{1}" }]),
        json!([{ "note": "x".repeat(8_193) }]),
        json!([{ "name": "Q" }]),
        json!([{ "name": { "given": 5 } }]),
        json!([{ "emails": "q@example.org" }]),
        json!([{ "emails": ["q@example.org"] }]),
        json!([{ "emails": [{ "address": "q@example.org", "types": ["boat"] }] }]),
        json!([{ "emails": [{ "address": "q@example.org", "types": "home" }] }]),
        json!([{ "urls": many }]),
        json!([{ "urls": [{}] }]),
    ] {
        let error = pair.try_im("profiles.set", bad.clone()).expect_err(&bad.to_string());
        assert_eq!(error.code(), Code::InvalidArgument, "{bad}");
    }
    assert_eq!(
        pair.try_im("profiles.get", json!(["@"])).unwrap_err().code(),
        Code::InvalidJid
    );
    pair.nothing_sent();
}

#[test]
fn xep0054_3_2_an_owner_sets_the_profile_of_a_room() {
    let room = "room@muc.example.org";
    let mut pair = Pair::online();
    let call = pair.im(
        "room.setProfile",
        json!([room, { "fullName": "The Coven", "note": "Spells" }]),
    );
    let iq = asked_temp(&mut pair, Some(room));
    answer_temp(
        &mut pair,
        &iq,
        "<FN>Old</FN><TITLE>Old</TITLE><PHOTO><TYPE>image/png</TYPE></PHOTO>",
    );
    let iq = pair.element();
    assert_eq!((iq.attr("type"), iq.attr("to")), (Some("set"), Some(room)));
    assert_eq!(
        stanzawire::xml::write(iq.children().next().unwrap()).unwrap(),
        "<vCard xmlns=\"vcard-temp\"><FN>The Coven</FN><PHOTO><TYPE>image/png</TYPE></PHOTO><DESC>Spells</DESC></vCard>"
    );
    pair.answer(&iq, "");
    assert_eq!(pair.value(call), Value::Null);
    // It is read as anybody's.
    let call = pair.im("profiles.get", json!([room]));
    let iq = asked(&mut pair, Some(room), NODE);
    refuse(&mut pair, &iq, "feature-not-implemented");
    let iq = asked_temp(&mut pair, Some(room));
    answer_temp(&mut pair, &iq, "<FN>The Coven</FN>");
    assert_eq!(pair.value(call)["fullName"], json!("The Coven"));
    let call = pair.im("room.setProfile", json!([room, {}]));
    let iq = asked_temp(&mut pair, Some(room));
    refuse(&mut pair, &iq, "forbidden");
    assert_eq!(pair.error(call).condition(), Some("forbidden"));
    pair.nothing_sent();
}
