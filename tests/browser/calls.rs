//! Messages, questions and answers between two clients.

use crate::support::*;
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

const TRICKY: &str = "<&\"'> \u{1F980} ]]> &amp; \u{202E}x\u{202C} line\nbreak\ttab";

#[wasm_bindgen_test]
async fn messages_each_way_exactly() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let (at_alice, at_bob) = (Events::of(&alice, "message"), Events::of(&bob, "message"));
    let sent = done(alice.send(&message(&bob.jid(), &TRICKY.into()), &NONE)).await;
    assert_eq!(text(&sent, "to"), bob.jid());
    assert_eq!(text(&sent, "id"), text(&sent, "originId"));
    let received = at_bob.next().await;
    assert_eq!(text(&received, "body"), TRICKY);
    assert_eq!(
        (text(&received, "from"), text(&received, "to")),
        (alice.jid(), bob.jid())
    );
    assert_eq!(
        (text(&received, "id"), text(&received, "type")),
        (text(&sent, "id"), "chat".into())
    );
    assert!(!js_sys::Object::has_own(
        received.unchecked_ref::<js_sys::Object>(),
        &"delay".into()
    ));

    let answer = message(&text(&received, "from"), &"back".into());
    set(&answer, "type", &"headline".into());
    set(&answer, "subject", &"<s>".into());
    set(&answer, "thread", &"t".into());
    set(&answer, "id", &"my own".into());
    assert_eq!(text(&done(bob.send(&answer, &NONE)).await, "id"), "my own");
    let received = at_alice.next().await;
    let fields = ["body", "subject", "thread", "id", "type", "originId"].map(|name| text(&received, name));
    assert_eq!(fields, ["back", "<s>", "t", "my own", "headline", "my own"]);
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn a_message_from_before_has_its_date() {
    let alice = online("alice").await;
    // Nobody is there: the server keeps it.
    done(alice.send(&message("bob@localhost", &"kept".into()), &NONE)).await;
    let bob = client("bob");
    let messages = Events::of(&bob, "message");
    done(bob.connect(&NONE)).await;
    let kept = messages.find(|message| text(message, "body") == "kept").await;
    let delay: js_sys::Date = get(&kept, "delay").dyn_into().expect("a Date");
    assert!((js_sys::Date::now() - delay.get_time()).abs() < 60_000.0);
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn offline_calls_say_so() {
    let alice = client("alice");
    for _ in 0..2 {
        let hello = message("bob@localhost", &"hi".into());
        fails(alice.send(&hello, &NONE), "offline", "session").await;
        fails(alice.ping(&NONE, &NONE), "offline", "session").await;
        fails(alice.roster_get(&NONE), "offline", "session").await;
        fails(alice.send_element(&xml("presence", "{}", &[])), "offline", "session").await;
        fails(alice.set_presence(&json("{}"), &NONE), "offline", "session").await;
        let query = xml("query", "{'xmlns': 'jabber:iq:version'}", &[]);
        fails(
            alice.iq(&request("get", "localhost", &query), &NONE),
            "offline",
            "session",
        )
        .await;
        done(alice.connect(&NONE)).await;
        disconnect(&[&alice]).await;
    }
}

#[wasm_bindgen_test]
async fn a_question_has_its_answer() {
    let alice = online("alice").await;
    let query = xml("query", "{'xmlns': 'jabber:iq:version'}", &[]);
    let answer = done(alice.iq(&request("get", "localhost", &query), &NONE)).await;
    assert_eq!(text(&answer, "name"), "query");
    assert_eq!(text(&get(&answer, "attrs"), "xmlns"), "jabber:iq:version");
    let children: Array = get(&answer, "children").unchecked_into();
    let name = children.iter().find(|child| text(child, "name") == "name").unwrap();
    // The namespace is inherited.
    assert!(get(&get(&name, "attrs"), "xmlns").is_undefined());
    assert_eq!(get(&name, "children").unchecked_into::<Array>().get(0), "Prosody");

    let ping = xml("ping", "{'xmlns': 'urn:xmpp:ping'}", &[]);
    assert!(
        done(alice.iq(&request("get", "localhost", &ping), &NONE))
            .await
            .is_null()
    );

    let nonsense = xml("nonsense", "{'xmlns': 'urn:example:nonsense'}", &[]);
    let error = fails(
        alice.iq(&request("set", "localhost", &nonsense), &NONE),
        "stanza-error",
        "stanza",
    )
    .await;
    assert_eq!(text(&error, "condition"), "service-unavailable");
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn the_app_answers_questions() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let question = |body: &str| {
        let payload = xml("ask", "{'xmlns': 'urn:example:ask', 'xml:lang': 'en'}", &[body.into()]);
        request("get", &bob.jid(), &payload)
    };
    let refused = fails(alice.iq(&question("early"), &NONE), "stanza-error", "stanza").await;
    assert_eq!(text(&refused, "condition"), "service-unavailable");

    let answer = function(|iq| {
        assert_eq!(
            (text(&iq, "name"), text(&get(&iq, "attrs"), "xmlns")),
            ("iq".into(), "jabber:client".into())
        );
        let payload = get(&iq, "children").unchecked_into::<Array>().get(0);
        assert_eq!(text(&get(&payload, "attrs"), "xml:lang"), "en");
        let body = get(&payload, "children")
            .unchecked_into::<Array>()
            .get(0)
            .as_string()
            .unwrap();
        let thing = || {
            xml(
                "answer",
                "{'xmlns': 'urn:example:ask'}",
                &[format!("re: {body}").into()],
            )
        };
        match body.as_str() {
            "null" => Ok(JsValue::NULL),
            "later" => Ok(Promise::resolve(&thing()).into()),
            "throw" => Err(json("{'condition': 'not-acceptable'}")),
            "reject" => Ok(Promise::reject(&json("{'condition': 'forbidden'}")).into()),
            _ => Ok(thing()),
        }
    });
    let handler = bob
        .handle(&json("{'xmlns': 'urn:example:ask', 'type': 'get'}"), &answer)
        .unwrap();
    for (asked, expected) in [("now", Some("re: now")), ("later", Some("re: later")), ("null", None)] {
        let answer = done(alice.iq(&question(asked), &NONE)).await;
        match expected {
            Some(expected) => assert_eq!(get(&answer, "children").unchecked_into::<Array>().get(0), expected),
            None => assert!(answer.is_null()),
        }
    }
    for (asked, condition) in [("throw", "not-acceptable"), ("reject", "forbidden")] {
        let error = fails(alice.iq(&question(asked), &NONE), "stanza-error", "stanza").await;
        assert_eq!(text(&error, "condition"), condition);
    }
    // A set is none of its business; and after its end nothing is.
    let set = question("now");
    crate::support::set(&set, "type", &"set".into());
    fails(alice.iq(&set, &NONE), "stanza-error", "stanza").await;
    bob.unhandle(handler);
    fails(alice.iq(&question("late"), &NONE), "stanza-error", "stanza").await;
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn a_handler_that_fails_is_answered_for() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let reports = crate::fakes::Reports::begin();
    let outcomes = [
        function(|_| Err("plain".into())),
        function(|_| Ok("no element".into())),
        function(|_| Ok(xml("answer", "{}", &[]))),
        function(|_| Ok(xml("answer", "{'xmlns': 'urn:example:ask'}", &["\0".into()]))),
    ];
    for outcome in outcomes {
        let handler = bob.handle(&json("{'xmlns': 'urn:example:ask'}"), &outcome).unwrap();
        let payload = xml("ask", "{'xmlns': 'urn:example:ask'}", &[]);
        let error = fails(
            alice.iq(&request("set", &bob.jid(), &payload), &NONE),
            "stanza-error",
            "stanza",
        )
        .await;
        assert_eq!(text(&error, "condition"), "internal-server-error");
        bob.unhandle(handler);
    }
    let reports = reports.end();
    assert_eq!(reports.len(), 4);
    assert_eq!(reports[0], "plain");
    is_error(reports[1].clone(), "invalid-argument", "session");
    disconnect(&[&alice, &bob]).await;
}

#[wasm_bindgen_test]
async fn presence_is_seen_and_changed() {
    let bob = client("bob");
    let presences = Events::of(&bob, "presence");
    done(bob.connect(&NONE)).await;
    let alice = client_with(&options(
        "alice",
        "{'presence': {'show': 'away', 'status': '<lunch>', 'priority': 5}}",
    ));
    done(alice.connect(&NONE)).await;
    let full = alice.jid();
    let first = presences.find(|presence| text(presence, "from") == full).await;
    assert_eq!(
        (text(&first, "show"), text(&first, "status")),
        ("away".into(), "<lunch>".into())
    );
    assert_eq!(get(&first, "priority"), 5);
    done(alice.set_presence(&json("{'show': 'dnd'}"), &NONE)).await;
    let second = presences.find(|presence| text(presence, "from") == full).await;
    assert_eq!(text(&second, "show"), "dnd");
    assert!(!js_sys::Object::has_own(
        second.unchecked_ref::<js_sys::Object>(),
        &"status".into()
    ));
    disconnect(&[&alice]).await;
    let last = presences.find(|presence| text(presence, "from") == full).await;
    assert_eq!(text(&last, "type"), "unavailable");
    disconnect(&[&bob]).await;
}

#[wasm_bindgen_test]
async fn stanzas_and_frames_can_be_watched() {
    // A server that isn't known is waited for.
    let alice = client_with(&options("alice", "{'storage': null}"));
    let (frames, stanzas) = (Events::of(&alice, "frame"), Events::of(&alice, "stanza"));
    done(alice.connect(&NONE)).await;
    let seen = frames.seen();
    assert_eq!(text(&seen[0], "direction"), "out");
    assert!(text(&seen[0], "data").starts_with("<open "));
    assert_eq!(text(&seen[1], "direction"), "in");
    assert!(seen.iter().any(|frame| text(frame, "data").contains("[redacted]")));

    let to_self = xml(
        "message",
        "{'xml:lang': 'eo', 'type': 'chat'}",
        &[xml("note", "{'xmlns': 'urn:example:note'}", &["a".into()])],
    );
    set(&get(&to_self, "attrs"), "to", &alice.jid().into());
    done(alice.send_element(&to_self)).await;
    let back = stanzas.find(|stanza| text(stanza, "name") == "message").await;
    let attrs = get(&back, "attrs");
    assert_eq!(
        (text(&attrs, "xmlns"), text(&attrs, "xml:lang")),
        ("jabber:client".into(), "eo".into())
    );
    let note = get(&back, "children").unchecked_into::<Array>().get(0);
    assert_eq!(text(&get(&note, "attrs"), "xmlns"), "urn:example:note");

    alice.off(frames.number);
    frames.seen();
    done(alice.ping(&NONE, &NONE)).await;
    assert!(frames.seen().is_empty());
    disconnect(&[&alice]).await;
}

#[wasm_bindgen_test]
async fn what_clients_say_of_themselves() {
    let (alice, bob) = (online("alice").await, online("bob").await);
    let at_bob = JsValue::from(bob.jid());
    let time = done(alice.call_im("entityTime", &[&at_bob], &NONE)).await;
    let utc: js_sys::Date = get(&time, "utc").dyn_into().expect("a Date");
    assert!((js_sys::Date::now() - utc.get_time()).abs() < 5_000.0);
    let zone = -js_sys::Date::new_0().get_timezone_offset() as i32;
    let sign = if zone < 0 { '-' } else { '+' };
    let tzo = format!("{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60);
    assert_eq!(text(&time, "tzo"), tzo);
    let software = done(alice.call_im("softwareVersion", &[&at_bob], &NONE)).await;
    let said = ["name", "version"].map(|name| text(&software, name));
    assert_eq!(said, ["stanzawire", env!("CARGO_PKG_VERSION")]);
    assert!(get(&software, "os").is_undefined());
    // Another client of one's own may know, and so may alice, who sees bob's presence.
    let second = online("bob").await;
    for client in [&second, &alice] {
        let ago = done(client.call_im("lastActivity", &[&at_bob], &NONE)).await;
        assert!(get(&ago, "seconds").as_f64().is_some_and(|seconds| seconds < 60.0));
    }
    disconnect(&[&alice, &bob, &second]).await;
}

#[wasm_bindgen_test]
async fn a_contact_comes_and_goes() {
    let alice = online("alice").await;
    let pushes = Events::of(&alice, "roster");
    done(alice.roster_get(&NONE)).await;
    let contact = json("{'jid': 'Carol@localhost/x', 'name': 'C & c', 'groups': ['G', 'H', 'G']}");
    assert!(
        done(alice.call_im("roster.set", &[&contact], &NONE))
            .await
            .is_undefined()
    );
    let push = pushes.next().await;
    let said = ["jid", "name", "subscription"].map(|name| text(&push, name));
    assert_eq!(said, ["carol@localhost", "C & c", "none"]);
    let groups: Array = get(&push, "groups").dyn_into().expect("an array");
    assert_eq!(groups.length(), 2);
    done(alice.call_im("roster.remove", &[&"carol@localhost".into()], &NONE)).await;
    assert_eq!(text(&pushes.next().await, "subscription"), "remove");
    let gone = alice.call_im("roster.remove", &[&"carol@localhost".into()], &NONE);
    fails(gone, "stanza-error", "stanza").await;
    disconnect(&[&alice]).await;
}
