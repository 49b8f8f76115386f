//! XEP-0050.

use crate::pair::Pair;
use serde_json::{Value, json};
use stanzawire::engine::Ticket;
use stanzawire::error::{Code, Phase};
use stanzawire::xml::Element;

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const FORM: &str = "<x xmlns='jabber:x:data' type='form'><field type='hidden' var='FORM_TYPE'><value>urn:f</value></field>\
    <field type='list-single' var='service'><option><value>httpd</value></option></field>\
    <field type='boolean' var='now'><value>1</value></field></x>";

fn command(attrs: &str, children: &str) -> String {
    format!("<command xmlns='{COMMANDS}' {attrs}>{children}</command>")
}

/// What is sent for a command: to whom, node, action, session, and the fields.
fn sent(pair: &mut Pair) -> (Element, Value) {
    let iq = pair.element();
    assert_eq!(iq.attr("type"), Some("set"));
    let command = iq.child("command", COMMANDS).expect("a command");
    let fields = command.child("x", "jabber:x:data").map(|form| {
        assert_eq!(form.attr("type"), Some("submit"));
        let value = |field: &Element| field.children().map(Element::text).collect::<Vec<_>>().join("|");
        let field = |field: &Element| format!("{}={}", field.attr("var").unwrap(), value(field));
        form.children().map(field).collect::<Vec<_>>()
    });
    let [node, action, session] = ["node", "action", "sessionid"].map(|name| command.attr(name));
    let said = json!([iq.attr("to"), node, action, session, fields]);
    (iq, said)
}

fn executed(pair: &mut Pair, answer: &str) -> Ticket {
    let call = pair.im("commands.execute", json!(["responder.example", "config"]));
    let (iq, said) = sent(pair);
    assert_eq!(said, json!(["responder.example", "config", "execute", null, null]));
    pair.answer(&iq, answer);
    call
}

fn first_stage(pair: &mut Pair) -> Value {
    let children = format!("<actions execute='next'><next/></actions>{FORM}");
    let call = executed(
        pair,
        &command("node='config' sessionid='s1' status='executing'", &children),
    );
    pair.value(call)
}

#[test]
fn xep0050_2_2_what_can_be_done() {
    let mut pair = Pair::online();
    let call = pair.im("commands.list", json!(["Responder.example"]));
    let request = pair.element();
    assert_eq!(
        (request.attr("type"), request.attr("to")),
        (Some("get"), Some("responder.example"))
    );
    let query = request.child("query", ITEMS).unwrap();
    assert_eq!(query.attr("node"), Some(COMMANDS));
    // §6: another's commands are not the responder's to tell.
    let items = "<item jid='responder.example' node='list' name='List it'/><item jid='responder.example' node='config'/>\
        <item jid='responder.example'/><item node='x'/><item jid='bank.example' node='pay' name='Pay'/><item jid='@' node='y'/>\
        <item xmlns='urn:x' jid='responder.example' node='z'/>";
    pair.answer(
        &request,
        &format!("<query xmlns='{ITEMS}' node='{COMMANDS}'>{items}</query>"),
    );
    assert_eq!(
        pair.value(call),
        json!([
            { "jid": "responder.example", "name": "List it", "node": "list" },
            { "jid": "responder.example", "node": "config" },
        ])
    );
    let call = pair.im("commands.list", json!([]));
    let request = pair.element();
    assert_eq!(request.attr("to"), Some("example.org"), "the own server");
    pair.answer(&request, &format!("<query xmlns='{ITEMS}' node='other'/>"));
    assert_eq!(pair.error(call).code(), Code::ProtocolViolation);
}

#[test]
fn xep0050_2_4_a_command_of_one_stage() {
    let mut pair = Pair::online();
    let table = "<x xmlns='jabber:x:data' type='result'><reported><field var='service'/></reported>\
        <item><field var='service'><value>httpd</value></field></item></x>";
    let notes = "<note>Well.</note><note type='warn'>Hm.</note><note type='error'>No!</note><note type='x'>?</note>";
    let call = executed(
        &mut pair,
        &command(
            "node='config' sessionid='s1' status='completed'",
            &format!("{notes}{table}"),
        ),
    );
    let stage = pair.value(call);
    assert_eq!(stage["form"]["items"][0][0]["value"], "httpd");
    let mut rest = stage.clone();
    rest.as_object_mut().unwrap().remove("form");
    let note = |kind, text| json!({ "text": text, "type": kind });
    assert_eq!(
        rest,
        json!({
            "actions": [],
            "jid": "responder.example",
            "node": "config",
            "notes": [note("info", "Well."), note("warn", "Hm."), note("error", "No!"), note("info", "?")],
            "sessionId": "s1",
            "status": "completed",
        })
    );
}

#[test]
fn xep0050_2_4_2_stage_by_stage() {
    let mut pair = Pair::online();
    let stage = first_stage(&mut pair);
    assert_eq!(
        (&stage["actions"], &stage["default"]),
        (&json!(["next"]), &json!("next"))
    );
    assert_eq!(stage["form"]["fields"][1]["name"], "service");

    let call = pair.im("commands.next", json!([stage, { "service": "httpd" }]));
    let (iq, said) = sent(&mut pair);
    let fields = json!(["service=httpd", "FORM_TYPE=urn:f", "now=true"]);
    assert_eq!(said, json!(["responder.example", "config", "next", "s1", fields]));
    let children = format!("<actions execute='complete'><prev/><complete/></actions>{FORM}");
    pair.answer(
        &iq,
        &command("node='config' sessionid='s1' status='executing'", &children),
    );
    let second = pair.value(call);
    assert_eq!(
        (&second["actions"], &second["default"]),
        (&json!(["prev", "complete"]), &json!("complete"))
    );

    // The form may have been filled in where it stands.
    let mut filled = second.clone();
    filled["form"]["fields"][1]["value"] = json!("httpd");
    filled["form"]["fields"][2]["value"] = json!(false);
    for (name, args, action, fields) in [
        ("commands.prev", json!([second]), "prev", json!(null)),
        (
            "commands.complete",
            json!([filled]),
            "complete",
            json!(["FORM_TYPE=urn:f", "service=httpd", "now=false"]),
        ),
        (
            "commands.complete",
            json!([second, filled["form"]]),
            "complete",
            json!(["FORM_TYPE=urn:f", "service=httpd", "now=false"]),
        ),
        (
            "commands.next",
            json!([second]),
            "complete",
            json!(["FORM_TYPE=urn:f", "now=true"]),
        ),
        ("commands.cancel", json!([second]), "cancel", json!(null)),
    ] {
        let call = pair.im(name, args);
        let (iq, said) = sent(&mut pair);
        assert_eq!(
            said,
            json!(["responder.example", "config", action, "s1", fields]),
            "{name}"
        );
        // Who answers need not say it again.
        pair.answer(&iq, &command("status='canceled'", ""));
        let stage = pair.value(call);
        assert_eq!(
            (&stage["status"], &stage["sessionId"]),
            (&json!("canceled"), &json!("s1"))
        );
    }
}

#[test]
fn xep0050_3_4_the_ways_on() {
    for (actions, expected, default) in [
        ("", json!(["complete"]), json!("complete")),
        ("<actions/>", json!([]), json!(null)),
        ("<actions><next/></actions>", json!(["next"]), json!("next")),
        ("<actions><complete/></actions>", json!(["complete"]), json!(null)),
        (
            "<actions execute='prev'><complete/><next/></actions>",
            json!(["next", "complete"]),
            json!(null),
        ),
        (
            "<actions execute='complete'><complete/><pay/><prev/></actions>",
            json!(["prev", "complete"]),
            json!("complete"),
        ),
    ] {
        let mut pair = Pair::online();
        let call = executed(
            &mut pair,
            &command("node='config' sessionid='s1' status='executing'", actions),
        );
        let stage = pair.value(call);
        assert_eq!(
            (&stage["actions"], stage.get("default").unwrap_or(&Value::Null)),
            (&expected, &default),
            "{actions}"
        );
    }
    let mut pair = Pair::online();
    let call = executed(&mut pair, &command("status='completed'", "<actions><next/></actions>"));
    assert_eq!(pair.value(call)["actions"], json!([]), "it is over");
}

#[test]
fn rfc6120_8_1_2_1_only_who_was_asked_answers() {
    let mut pair = Pair::online();
    let call = pair.im("commands.execute", json!(["responder.example", "config"]));
    let (iq, _) = sent(&mut pair);
    let id = iq.attr("id").unwrap();
    let done = command("node='config' status='completed'", "");
    for attrs in [
        format!("id='{id}' from='mallory@example.org'"),
        format!("id='{id}' from='responder.example/x'"),
        format!("id='{id}'"),
        "id='other' from='responder.example'".to_owned(),
    ] {
        pair.receive(&format!("<iq xmlns='jabber:client' type='result' {attrs}>{done}</iq>"));
        assert!(pair.is_open(call), "{attrs}");
    }
}

#[test]
fn xep0050_4_1_another_command_or_session_is_no_answer() {
    for answer in [
        String::new(),
        command("node='pay' sessionid='s1' status='executing'", ""),
        command("node='config' sessionid='s2' status='executing'", ""),
        command("node='config' sessionid='s1'", ""),
        command("node='config' sessionid='s1' status='paid'", ""),
        command(
            "node='config' status='completed'",
            "<x xmlns='jabber:x:data' type='nonsense'/>",
        ),
        "<command xmlns='urn:x' node='config' status='completed'/>".to_owned(),
    ] {
        let mut pair = Pair::online();
        let stage = first_stage(&mut pair);
        let call = pair.im("commands.next", json!([stage]));
        let (iq, _) = sent(&mut pair);
        pair.answer(&iq, &answer);
        let error = pair.error(call);
        assert_eq!(
            (error.code(), error.phase()),
            (Code::ProtocolViolation, Phase::Stanza),
            "{answer}"
        );
    }
}

#[test]
fn xep0050_4_4_a_refusal_says_why() {
    let mut pair = Pair::online();
    let call = pair.im("commands.execute", json!([null, "config"]));
    let (iq, said) = sent(&mut pair);
    assert_eq!(said[0], "example.org", "the own server");
    let id = iq.attr("id").unwrap();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='example.org'><error type='cancel'><forbidden \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert_eq!(pair.error(call).condition(), Some("forbidden"));
}

#[test]
fn a_stage_outlives_json_and_nothing_else_will_do() {
    let mut pair = Pair::online();
    let stage = first_stage(&mut pair);
    let stage: Value = serde_json::from_str(&stage.to_string()).unwrap();
    for args in [
        json!([]),
        json!([null]),
        json!(["s1"]),
        json!([{ "actions": [], "node": "config" }]),
        json!([{ "actions": [], "jid": "responder.example" }]),
        json!([stage, { "service": {} }]),
        json!([stage, 7]),
    ] {
        let code = pair.try_im("commands.next", args.clone()).unwrap_err().code();
        assert_eq!(code, Code::InvalidArgument, "{args}");
    }
    let code = pair.try_im("commands.execute", json!(["@", "x"])).unwrap_err().code();
    assert_eq!(code, Code::InvalidJid);
    assert_eq!(
        pair.try_im("commands.execute", json!([null])).unwrap_err().code(),
        Code::InvalidArgument
    );
    pair.nothing_sent();
}

#[test]
fn a_password_among_the_values_leaves_only_where_it_may() {
    let mut config = crate::pair::config();
    config.session.url = Some("ws://example.org/ws".into());
    config.session.allow_insecure = true;
    let mut pair = Pair::online_with(config);
    let stage = |kind| {
        json!({
            "actions": ["complete"], "jid": "responder.example", "node": "config", "notes": [], "status": "executing",
            "form": { "fields": [{ "name": "pin", "type": kind, "value": null }], "type": "form" },
        })
    };
    let call = pair.im("commands.complete", json!([stage("text-private"), { "pin": "1234" }]));
    assert_eq!(pair.error(call).code(), Code::Insecure);
    pair.nothing_sent();
    pair.im("commands.complete", json!([stage("text-single"), { "pin": "1234" }]));
    sent(&mut pair);
    pair.im("commands.cancel", json!([stage("text-private")]));
    sent(&mut pair);
}
