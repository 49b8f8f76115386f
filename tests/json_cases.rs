//! Host-meta in JSON with what is found in it. Run natively, where a crate reads JSON, and in a browser, where the browser
//! does: that both pass is what keeps them equal.

#![allow(unreachable_pub, reason = "a module of two test crates")]

use stanzawire::session::discovery::read_json;

/// What is found: the endpoints, or the code of the error.
pub type Case = (&'static str, Result<&'static [&'static str], &'static str>);

/// Every case that does not come out as it must, told in words. Empty when all is well.
pub fn failures() -> Vec<String> {
    let mut cases: Vec<(String, Result<Vec<&str>, &str>)> = CASES
        .iter()
        .map(|(text, expected)| (text.replace("LINK", LINK), expected.map(<[&str]>::to_vec)))
        .collect();
    // Deeper than a call stack, as deep as the bound on the size allows; and wider.
    let deep = |inner: &str| ["[".repeat(30_000).as_str(), inner, &"]".repeat(30_000)].concat();
    let object = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    cases.push((deep(""), Err("discovery-parse")));
    cases.push(([r#"{"links":["#, &deep(""), ",", LINK, "]}"].concat(), Ok(vec![URL])));
    cases.push(([r#"{"links":["#, &object, ",", LINK, "]}"].concat(), Ok(vec![URL])));
    cases.push((
        [r#"{"links":["#, &"1,".repeat(30_000), LINK, "]}"].concat(),
        Ok(vec![URL]),
    ));
    cases.push(("[".repeat(60_000), Err("discovery-parse")));
    cases
        .iter()
        .filter_map(|(text, expected)| {
            let got = read_json(text, false);
            let got = match &got {
                Ok(endpoints) => Ok(endpoints.iter().map(|endpoint| endpoint.url.as_str()).collect()),
                Err(error) => Err(error.code().as_str()),
            };
            let shown: String = text.chars().take(200).collect();
            (got != *expected).then(|| format!("{shown} became {got:?}; expected {expected:?}"))
        })
        .collect()
}

const LINK: &str = r#"{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://example.org/ws"}"#;
const URL: &str = "wss://example.org/ws";
const NO_JSON: Result<&[&str], &str> = Err("discovery-parse");
const NO_JRD: Result<&[&str], &str> = Err("discovery-parse");
const NO_LINK: Result<&[&str], &str> = Err("discovery-no-link");

/// The table. `LINK` stands for a link that may be used.
#[rustfmt::skip]
const CASES: &[Case] = &[
    // XEP-0156 §2.3, its example with what it leaves out.
    (r#"{
        "subject": "https://example.com",
        "properties": { "a": null, "b": "c" },
        "links": [
            { "rel": "lrdd", "template": "https://example.com/lrdd?uri={uri}" },
            { "rel": "urn:xmpp:alt-connections:xbosh", "href": "https://web.example.com:5280/bosh" },
            { "rel": "urn:xmpp:alt-connections:websocket", "href": "wss://web.example.com:443/ws" }
        ]
    }"#, Ok(&["wss://web.example.com:443/ws"])),
    (r#"{"links":[LINK]}"#, Ok(&[URL])),
    (r#"{"links":[LINK,{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://b/"},LINK]}"#, Ok(&[URL, "wss://b/"])),
    ("\u{feff} \t\r\n{\"links\":[LINK]} \n", Ok(&[URL])),
    // RFC 8259 §7: any character may be escaped.
    (r#"{"\u006cinks":[{"r\u0065l":"urn:xmpp:alt\u002dconnections:websocket","href":"wss:\/\/example.org\/ws"}]}"#, Ok(&[URL])),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://\ud83d\udd11.example"}]}"#, Ok(&["wss://\u{1f511}.example"])),
    // RFC 8259 §4: of two members of one name, the last.
    (r#"{"links":1,"links":[LINK]}"#, Ok(&[URL])),
    (r#"{"links":[LINK],"links":[]}"#, NO_LINK),
    (r#"{"links":[{"rel":"x","href":"wss://a/","rel":"urn:xmpp:alt-connections:websocket"}]}"#, Ok(&["wss://a/"])),
    // What nobody asks for may be anything.
    (r#"{"a":1e999,"b":-0.0e-999,"c":123456789012345678901234567890,"links":[LINK,1e999]}"#, Ok(&[URL])),
    (r#"{"\ud800":"\udc00\ud800","links":["\ud800",LINK]}"#, Ok(&[URL])),
    (r#"{"links":[null,true,1,"LIST",[],{},[LINK],{"rel":null},{"rel":["urn:xmpp:alt-connections:websocket"]},LINK]}"#, Ok(&[URL])),
    // Half of a surrogate pair (§8.2) is no text.
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://\ud800.example"}]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://\ufffd.example"}]}"#, Ok(&["wss://\u{fffd}.example"])),
    // Names that mean something to JavaScript.
    (r#"{"__proto__":{"links":[LINK]}}"#, NO_LINK),
    (r#"{"links":[{"__proto__":{"rel":"urn:xmpp:alt-connections:websocket"},"href":"wss://a/"}]}"#, NO_LINK),
    (r#"{"links":{"length":1,"0":LINK}}"#, NO_JRD),
    (r#"{"toString":1,"constructor":{},"links":[LINK]}"#, Ok(&[URL])),
    // Nothing that may be used.
    (r#"{}"#, NO_LINK),
    (r#"{"Links":[LINK]}"#, NO_LINK),
    (r#"{"links":[]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket"}]}"#, NO_LINK),
    (r#"{"links":[{"href":"wss://a/"}]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":1}]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"https://a/"}]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a\u0000/"}]}"#, NO_LINK),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"ws://example.org/"}]}"#, Err("insecure")),
    (r#"{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"ws://localhost/"}]}"#, Ok(&["ws://localhost/"])),
    // JSON, but no object with a list of links.
    ("null", NO_JRD),
    ("true", NO_JRD),
    ("0", NO_JRD),
    (r#""links""#, NO_JRD),
    ("[]", NO_JRD),
    ("[LINK]", NO_JRD),
    (r#"{"links":null}"#, NO_JRD),
    (r#"{"links":"LINKS"}"#, NO_JRD),
    (r#"{"links":LINK}"#, NO_JRD),
    // No JSON (RFC 8259 §2 to §7).
    ("", NO_JSON),
    (" ", NO_JSON),
    ("<XRD/>", NO_JSON),
    (r#"{"links":[LINK]}x"#, NO_JSON),
    (r#"{"links":[LINK]}{}"#, NO_JSON),
    (r#"{"links":[LINK],}"#, NO_JSON),
    (r#"{"links":[LINK,]}"#, NO_JSON),
    (r#"{"links":[LINK]"#, NO_JSON),
    (r#"{"links":[LINK}"#, NO_JSON),
    (r#"{links:[LINK]}"#, NO_JSON),
    (r#"{'links':[LINK]}"#, NO_JSON),
    (r#"{"links":[LINK]/**/}"#, NO_JSON),
    (r#"{"a":01,"links":[LINK]}"#, NO_JSON),
    (r#"{"a":NaN,"links":[LINK]}"#, NO_JSON),
    (r#"{"a":"\x20","links":[LINK]}"#, NO_JSON),
    (r#"{"a":"\u12","links":[LINK]}"#, NO_JSON),
    ("{\"a\":\"\n\",\"links\":[LINK]}", NO_JSON),
    ("{\"a\":\"\u{0}\",\"links\":[LINK]}", NO_JSON),
    ("{\"\u{b}\":1,\"links\":[LINK]}", NO_JSON),
    ("\u{a0}{\"links\":[LINK]}", NO_JSON),
    ("{}\u{0}", NO_JSON),
];
