//! Frames made to cost as much as possible, of those that are taken and of those that are refused: natively their memory is
//! counted, in a browser their time is shown.

#![allow(unreachable_pub, reason = "a module of several test crates")]

/// What each is full of, and the frame: a stanza of a stranger's, made for that bound on bytes and that on nodes.
pub fn all(bytes: usize, nodes: usize) -> Vec<(&'static str, String)> {
    let numbered = |n: usize, piece: &str| (0..n).map(|n| piece.replace('#', &n.to_string())).collect::<String>();
    let attributes = numbered(60, " a#=''");
    let longer = numbered(60, " a#='x'");
    let prefixes = numbered(15, " xmlns:p#='urn:p'");
    let foreign = numbered(15, " p#:a=''");
    let namespaces = numbered(500, "<a xmlns='urn:#'/>");
    let fill = |used: usize| "x".repeat(bytes.saturating_sub(used + 200));
    // Behind what it is about, text up to the limit.
    let rest = |piece: String| {
        let text = fill(piece.len() + 2_000);
        piece + &text
    };
    let long = |n: usize| "u".repeat(n);
    let inner = [
        // Taken, or refused at the last moment.
        ("text", fill(0)),
        ("text of two bytes a character", "é".repeat(bytes / 2 - 200)),
        ("text of four bytes a character", "🦀".repeat(bytes / 4 - 200)),
        ("one attribute", format!("<a a='{}'/>", fill(20))),
        (
            "one attribute of line feeds",
            format!("<a a='{}'/>", "\n".repeat(bytes - 300)),
        ),
        ("one name", format!("<{}/>", fill(20))),
        ("one CDATA section", format!("<![CDATA[{}]]>", fill(40))),
        (
            "one CDATA section of brackets",
            format!("<![CDATA[{}]]>", "]".repeat(bytes - 300)),
        ),
        ("brackets", "]".repeat(bytes - 300)),
        ("references", rest("&amp;".repeat(2 * nodes - 100))),
        (
            "long references",
            "&#x0000000000000000000000026;".repeat(2 * nodes - 100),
        ),
        (
            "references in an attribute",
            format!("<a a='{}'/>", "&amp;".repeat(2 * nodes - 100)),
        ),
        ("carriage returns", rest("\r".repeat(2 * nodes - 100))),
        ("carriage returns and references", rest("\r&lt;".repeat(nodes - 100))),
        ("marks in a text", rest("=".repeat(2 * nodes - 100))),
        (
            "marks in a section",
            format!("<![CDATA[{}]]>", rest("<".repeat(2 * nodes - 100))),
        ),
        ("empty elements", rest("<a/>".repeat(nodes - 100))),
        ("elements with an end tag", rest("<a></a>".repeat(nodes - 100))),
        (
            "elements with long names",
            format!("<{}/>", long(50)).repeat(nodes - 100),
        ),
        ("elements and texts", rest("<a/>x".repeat(nodes / 2 - 100))),
        ("sections", rest("<![CDATA[x]]>".repeat(nodes - 100))),
        ("one attribute each", rest("<a a=''/>".repeat(nodes / 2 - 100))),
        ("sixty attributes each", rest(format!("<a{attributes}/>").repeat(290))),
        (
            "sixty filled attributes each",
            rest(format!("<a{longer}/>").repeat(290)),
        ),
        ("a declaration each", rest("<a xmlns='urn:x'/>".repeat(nodes / 2 - 100))),
        ("many namespaces", rest(namespaces.repeat(16))),
        (
            "prefixes in scope",
            format!("<a{prefixes}>{}</a>", rest("<a xmlns='u'/>".repeat(4_000))),
        ),
        (
            "prefixed attributes",
            format!("<a{prefixes}>{}</a>", rest(format!("<a{foreign}/>").repeat(1_900))),
        ),
        (
            "a long namespace",
            format!("<a xmlns:p='{}'>{}</a>", long(1_000), rest("<a p:a=''/>".repeat(4_000))),
        ),
        (
            "a long default namespace",
            format!("<a xmlns='{}'>{}</a>", long(1_000), rest("<a/>".repeat(nodes - 100))),
        ),
        (
            "as deep as it goes",
            rest(("<a>".repeat(60) + &"</a>".repeat(60)).repeat(nodes / 60 - 10)),
        ),
        ("bodies", rest("<body>x</body>".repeat(nodes / 2 - 100))),
        // Refused.
        ("too many elements", "<a/>".repeat(bytes / 4 - 100)),
        ("too many attributes", format!("<a{}/>", numbered(100_000, " a#=''"))),
        (
            "too many prefixes",
            format!("<a{}/>", numbered(100_000, " xmlns:a#='u'")),
        ),
        ("too many references", "&lt;".repeat(bytes / 4 - 100)),
        ("too many carriage returns", "\r".repeat(bytes - 300)),
        ("too many marks", "=".repeat(bytes - 300)),
        ("too deep", "<a>".repeat(bytes / 3 - 100)),
        ("an end that is missing", fill(0) + "<"),
        ("an end that is another's", rest("<a/>".repeat(nodes - 200)) + "</b>"),
        (
            "a duplicate at the end",
            rest(format!("<a{attributes}/>").repeat(280)) + "<a b='' b=''/>",
        ),
        ("an entity at the end", fill(0) + "&lol;"),
        ("five megabytes", "x".repeat(5 << 20)),
    ];
    let message = |inner: String| format!("<message xmlns='jabber:client' from='eve@evil.example/x'>{inner}</message>");
    inner.map(|(name, inner)| (name, message(inner))).into()
}
