//! XEP-0393: how a text is to look.

use crate::chat::{said, taken};
use crate::pair::{Pair, config};
use serde_json::{Value, json};
use stanzawire::error::Code;
use stanzawire::im::styling::{Span, parse};

/// A text with what is styled in brackets.
fn shown(body: &str) -> String {
    parse(body).iter().map(show).collect::<Vec<_>>().join("|")
}

fn show(span: &Span) -> String {
    let inner = match &span.children {
        Some(children) => {
            let between = if span.kind == "quote" { "|" } else { "" };
            children.iter().map(show).collect::<Vec<_>>().join(between)
        }
        None => span.text.clone().unwrap(),
    };
    match span.kind {
        "text" | "line" => inner,
        kind => format!("{kind}[{inner}]"),
    }
}

#[test]
fn xep0393_6_2_spans() {
    for (body, expected) in [
        // §6.2's own examples.
        ("plain span", "plain span"),
        ("*strong span*", "strong[*strong span*]"),
        ("plain _emphasis_ plain", "plain emphasis[_emphasis_] plain"),
        ("`pre` plain *strong*", "code[`pre`] plain strong[*strong*]"),
        ("*strong*plain*", "strong[*strong*]plain*"),
        ("* plain *strong*", "* plain strong[*strong*]"),
        ("not strong*", "not strong*"),
        ("*not strong", "*not strong"),
        ("*not \n strong*", "*not | strong*"),
        ("*not *strong", "*not *strong"),
        ("**", "**"),
        ("***", "***"),
        ("****", "****"),
        // §6.2.4 and §6.2.5.
        ("Everyone ~dis~likes cake.", "Everyone strike[~dis~]likes cake."),
        ("This is `*monospace*`", "This is code[`*monospace*`]"),
        (
            "This is *`monospace and bold`*",
            "This is strong[*code[`monospace and bold`]*]",
        ),
        // In each other, as deep as there are signs.
        ("*_~`x`~_*", "strong[*emphasis[_strike[~code[`x`]~]_]*]"),
        ("*a _b_ c*", "strong[*a emphasis[_b_] c*]"),
        // Not behind a letter, nor behind a sign that begins nothing.
        ("snake_case_name", "snake_case_name"),
        ("*_a_", "*_a_"),
        // Lazily: the first end there is.
        ("*a*b*", "strong[*a*]b*"),
        ("*a `b* c`", "strong[*a `b*] c`"),
        ("* a*", "* a*"),
        ("*a *", "*a *"),
        ("*a **", "strong[*a **]"),
        ("\u{2003}*a*", "\u{2003}strong[*a*]"),
        ("🦊 *🦊*", "🦊 strong[*🦊*]"),
        ("", ""),
    ] {
        assert_eq!(shown(body), expected, "{body:?}");
    }
}

#[test]
fn xep0393_6_1_blocks() {
    for (body, expected) in [
        ("three\n*blocks\nhere*", "three|*blocks|here*"),
        (
            "```ignored\n(println \"*x*\")\n```\nafter *it*",
            "pre[(println \"*x*\")]|after strong[*it*]",
        ),
        ("```\na\n``` b\n```c", "pre[a\n``` b\n```c]"),
        ("a ```\nb", "a ```|b"),
        ("> That that is, is.\n\nSaid", "quote[That that is, is.]||Said"),
        (
            ">> That that is, is.\n> Said the old hermit of Prague.\n\nWho?",
            "quote[quote[That that is, is.]|Said the old hermit of Prague.]||Who?",
        ),
        // §6.1.2: to the end of what it is in.
        (
            "> ```\n> (println \"Hello\")\n\nplain",
            "quote[pre[(println \"Hello\")]]||plain",
        ),
        ("> a\n>  b\n>c\n>", "quote[a| b|c|]"),
        ("> *a*\n*b*", "quote[strong[*a*]]|strong[*b*]"),
        (" > a", " > a"),
        ("```", "pre[]"),
    ] {
        assert_eq!(shown(body), expected, "{body:?}");
    }
    assert_eq!(parse("```rust\nx\n```")[0].info.as_deref(), Some("rust"));
    let deep = ">".repeat(1_000) + "x";
    assert_eq!(shown(&deep).matches("quote[").count(), 20);
}

#[test]
fn nothing_gets_lost_and_nothing_takes_long() {
    // What begins everywhere and ends nowhere, and the other way round.
    for piece in [
        " *a",
        "a* ",
        "*_~`",
        " *a _b ~c `d",
        "* ",
        "a*",
        "> ",
        ">",
        "```\n",
        "\n> *a",
    ] {
        let body = piece.repeat(200_000 / piece.len());
        let text: String = parse(&body).iter().map(leaves).collect();
        let signs = |text: &str| text.chars().filter(|c| "*_~a".contains(*c)).count();
        assert_eq!(signs(&text), signs(&body), "{piece:?}");
    }
}

fn leaves(span: &Span) -> String {
    match &span.children {
        Some(children) => children.iter().map(leaves).collect(),
        None => span.text.clone().unwrap(),
    }
}

#[test]
fn an_app_asks_for_it() {
    // With or without a connection.
    for mut pair in [Pair::online(), Pair::new(config())] {
        let call = pair.im("styling", json!(["> hi *there*"]));
        let strong = json!({ "type": "strong", "children": [{ "type": "text", "text": "*there*" }] });
        let line = json!({ "type": "line", "children": [{ "type": "text", "text": "hi " }, strong] });
        assert_eq!(pair.value(call), json!([{ "type": "quote", "children": [line] }]));
        for wrong in [json!([]), json!([1]), json!([{ "body": "x" }])] {
            assert_eq!(pair.try_im("styling", wrong).unwrap_err().code(), Code::InvalidArgument);
        }
    }
}

#[test]
fn xep0393_7_a_message_says_that_it_is_not_to_be_styled() {
    let mut pair = Pair::online();
    for (unstyled, said) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let init = json!([{ "to": "bob@example.org", "body": "> _ <", "unstyled": unstyled }]);
        let (message, _) = taken(&mut pair, "send", init);
        assert_eq!(message.child("unstyled", "urn:xmpp:styling:0").is_some(), said);
    }
    let wrong = json!([{ "to": "bob@example.org", "unstyled": "yes" }]);
    assert_eq!(pair.try_im("send", wrong).unwrap_err().code(), Code::InvalidArgument);
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "m1",
        "<body>&gt; _ &lt;</body><unstyled xmlns='urn:xmpp:styling:0'/>",
    ));
    assert_eq!(pair.told("message")[0]["unstyled"], json!(true));
    pair.receive(&said(
        "bob@example.org/x",
        "chat",
        "m1",
        "<unstyled xmlns='urn:xmpp:styling:0'/>",
    ));
    assert_eq!(pair.messages(), []);
}
