//! What the reader takes, and what it refuses with which stream error; named by clause.

use super::*;

fn parse(frame: &str) -> Result<Element, ReadError> {
    read(frame, &Limits::default())
}

fn text(frame: &str) -> String {
    parse(frame).unwrap().text()
}

const SAMPLE: &str = "<?xml version='1.0'?>\n<message xmlns='jabber:client' xmlns:s=\"urn:s\" to='é@example.org' \
    xml:lang='en'><body>a &lt; b &#x1F980;</body><![CDATA[<&]]>\t<s:x s:y=\"1'2\" y='>'/><z xmlns=''/></message>";

#[test]
fn names_are_resolved() {
    let message = parse(SAMPLE).unwrap();
    let expected = Element::new("message", "jabber:client")
        .with_attr("to", "é@example.org")
        .with_attr("xml:lang", "en")
        .with_child(Element::new("body", "jabber:client").with_text("a < b 🦀"))
        .with_text("<&\t")
        .with_child(
            Element::new("x", "urn:s")
                .with_attr("{urn:s}y", "1'2")
                .with_attr("y", ">"),
        )
        .with_child(Element::new("z", ""));
    assert_eq!(message, expected);
}

#[test]
fn every_truncation_is_an_error() {
    for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
        assert!(parse(&SAMPLE[..end]).is_err(), "{}", &SAMPLE[..end]);
    }
    for start in (1..SAMPLE.len()).filter(|start| SAMPLE.is_char_boundary(*start)) {
        // The declaration may go, and the line feed behind it.
        let frame = &SAMPLE[start..];
        assert_eq!(
            parse(frame).is_ok(),
            frame.len() > 150 && frame.trim_start().starts_with("<m"),
            "{frame}"
        );
    }
}

#[test]
fn rfc7395_3_3_3_takes_one_element() {
    for frame in [
        "<a/>",
        " <a/> ",
        "\n<a></a>\r\n",
        "<?xml version='1.0'?><a/>",
        "<a />",
        "<a></a >",
    ] {
        assert_eq!(parse(frame).unwrap(), Element::new("a", ""), "{frame}");
    }
    for frame in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?> <a/>",
        "<?xml version='1.0' standalone='yes' ?><a/>",
    ] {
        assert_eq!(parse(frame).unwrap(), Element::new("a", ""), "{frame}");
    }
}

#[test]
fn rfc7395_3_3_3_rejects_two_elements_in_a_frame() {
    for frame in ["<a/><b/>", "<a></a><a></a>", "<a/> <b>", "<a/><b", "<a/><"] {
        assert_eq!(parse(frame), Err(ReadError::TwoRoots), "{frame}");
    }
    assert_eq!(ReadError::TwoRoots.condition(), "not-well-formed");
}

#[test]
fn rfc6120_4_9_3_13_rejects_what_is_not_well_formed() {
    for frame in [
        // No element, or something beside it.
        "",
        " ",
        "a",
        "a<a/>",
        "<a/>a",
        "<a/>&amp;",
        "<a/><![CDATA[]]>",
        "<![CDATA[a]]>",
        "\u{FEFF}<a/>",
        "</a>",
        "<a/></a>",
        // Tags.
        "<",
        "<>",
        "< a/>",
        "<a",
        "<a/",
        "<a/ >",
        "<a></b>",
        "<a></a",
        "<a><b></a></b>",
        "<a",
        "<1/>",
        "<a:/>",
        "<:a/>",
        "<a:b:c xmlns:a='u'/>",
        "<a<b/>",
        "<a></a b=''>",
        "<!a/>",
        "<!ELEMENT a ANY><a/>",
        "<!doctype a><a/>",
        // Attributes.
        "<a b/>",
        "<a b=/>",
        "<a b=c/>",
        "<a b='c/>",
        "<a b='c\"/>",
        "<a b='<'/>",
        "<a b='&'/>",
        "<a b=''c=''/>",
        "<a =''/>",
        "<a ''/>",
        "<a b='' b=''/>",
        "<a :b=''/>",
        "<a 1=''/>",
        // References and characters.
        "<a>&</a>",
        "<a>&;</a>",
        "<a>&amp</a>",
        "<a>& amp;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#X41;</a>",
        "<a>&#xG;</a>",
        "<a>&#+65;</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#xD800;</a>",
        "<a b='&#xDFFF;'/>",
        "<a>&#x110000;</a>",
        "<a>&#x100000041;</a>",
        "<a>&#99999999999999999999;</a>",
        "<a b='&#0;'/>",
        "<a>\0</a>",
        "<a b='\0'/>",
        "<\0/>",
        "<a>\u{1}</a>",
        "<a>\u{FFFE}</a>",
        "<a b='\u{FFFF}'/>",
        "<a><![CDATA[\0]]></a>",
        // Sections.
        "<a>]]></a>",
        "<a><![CDATA[</a>",
        "<a><![CDATA[]]</a>",
        "<a><![CDATA[a]]>]]></a>",
        "<a><![cdata[a]]></a>",
        // Declarations.
        "<?xml version='1.0'>",
        "<?xml version='1.0'?>",
        "<?xml encoding='UTF-8'?><a/>",
        "<?xml version?><a/>",
        "<?xml ?><a/>",
        "<?xml version='1.0' <a/>?><a/>",
    ] {
        assert_eq!(parse(frame), Err(ReadError::NotWellFormed), "{frame}");
    }
    assert_eq!(ReadError::NotWellFormed.condition(), "not-well-formed");
}

#[test]
fn xml_names_rejects_bad_namespaces() {
    for frame in [
        // §5: a prefix is declared.
        "<b:a/>",
        "<a b:c=''/>",
        "<a xmlns:b='u'></a><b:c/>",
        "<a><b xmlns:c='u'/><c:d/></a>",
        "<xml:a/>",
        // §2.2, §3: none is undeclared, or declared twice, in whatever spelling.
        "<a xmlns:b=''/>",
        "<a xmlns:b='u' xmlns:b='v'/>",
        "<a xmlns='u' xmlns='u'/>",
        "<a xmlns:='u'/>",
        "<a :xmlns='u'/>",
        "<a xmlns:b='u' b:xmlns='v'/>",
        "<a xml:xmlns='v'/>",
        // §3: reserved prefixes and names.
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:xml='u'/>",
        "<xmlns:a/>",
        "<a xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:b='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:b='http://www.w3.org/2000/xmlns&#47;'/>",
        // §6.3: one attribute by two prefixes.
        "<a xmlns:b='u' xmlns:c='u' b:d='' c:d=''/>",
        "<a xmlns:b='u' xmlns:c='&#117;' b:d='' c:d=''/>",
    ] {
        match parse(frame) {
            Err(ReadError::NotWellFormed) => {}
            Err(ReadError::TwoRoots) if frame.contains("</a><") => {}
            // Legal, but beyond what is taken.
            Err(ReadError::TooLarge(Bound::Namespaces)) if frame.contains(":xmlns=") => {}
            other => panic!("{frame}: {other:?}"),
        }
    }
    // A prefix may be declared anew, the default namespace taken back, and `xml` declared as what it is.
    let a = parse("<p:a xmlns:p='u'><p:b xmlns:p='v'/><c xmlns='w'><d xmlns=''/></c><p:e/></p:a>").unwrap();
    assert_eq!(a.children().map(Element::ns).collect::<Vec<_>>(), ["v", "w", "u"]);
    assert!(a.child("c", "w").unwrap().child("d", "").is_some());
    assert!(
        parse("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/>")
            .unwrap()
            .attr("xml:lang")
            .is_some()
    );
    // An attribute without a prefix is in no namespace, whatever the default (§6.2).
    let a = parse("<a xmlns='u' xmlns:b='u' c='1' b:c='2' xmlns:d='v' d:c='3'/>").unwrap();
    assert_eq!(
        a.attrs().collect::<Vec<_>>(),
        [("c", "1"), ("{u}c", "2"), ("{v}c", "3")]
    );
}

#[test]
fn rfc6120_11_1_rejects_restricted_xml() {
    let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;</a>";
    for (frame, what) in [
        (laughs, Restricted::Dtd),
        ("<!DOCTYPE a><a/>", Restricted::Dtd),
        (
            "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            Restricted::Dtd,
        ),
        ("<a/><!DOCTYPE a>", Restricted::Dtd),
        ("<!-- --><a/>", Restricted::Comment),
        ("<a><!-- --></a>", Restricted::Comment),
        ("<a/><!-- -->", Restricted::Comment),
        ("<?b c?><a/>", Restricted::ProcessingInstruction),
        ("<a><?b?></a>", Restricted::ProcessingInstruction),
        ("<a/><?b?>", Restricted::ProcessingInstruction),
        ("<?xml-stylesheet href='b'?><a/>", Restricted::ProcessingInstruction),
        (" <?xml version='1.0'?><a/>", Restricted::ProcessingInstruction),
        (
            "<?xml version='1.0'?><?xml version='1.0'?><a/>",
            Restricted::ProcessingInstruction,
        ),
        ("<a>&nbsp;</a>", Restricted::Entity),
        ("<a b='&lol;'/>", Restricted::Entity),
    ] {
        let error = parse(frame).unwrap_err();
        assert_eq!(error, ReadError::Restricted(what), "{frame}");
        assert_eq!(error.condition(), "restricted-xml");
    }
    // In a section or a value they are but characters.
    assert_eq!(
        text("<a><![CDATA[<!-- --><?b?><!DOCTYPE>&c;]]></a>"),
        "<!-- --><?b?><!DOCTYPE>&c;"
    );
    assert_eq!(parse("<a b='?> -->'/>").unwrap().attr("b"), Some("?> -->"));
}

#[test]
fn values_and_texts() {
    let a =
        parse("<a b='\"&quot;&apos;>]]>/' c=\"'>\" d = ' x ' e='\t1\n2\r\n3\r4' f='&#9;&#10;&#13;&#x20;'/>").unwrap();
    // XML 1.0 §3.3.3
    let values = ["\"\"'>]]>/", "'>", " x ", " 1 2 3 4", "\t\n\r "];
    assert_eq!(a.attrs().map(|(_, value)| value).collect::<Vec<_>>(), values);
    assert_eq!(
        text("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#0000000000067;&#x10FFFF;</a>"),
        "<>&\"'ABC\u{10FFFF}"
    );
    assert_eq!(text("<a>&amp;lt;</a>"), "&lt;");
    assert_eq!(text("<a>b<![CDATA[]]]]>c<![CDATA[>]]>]</a>"), "b]]c>]");
    assert_eq!(parse("<a>b<![CDATA[c]]>d</a>").unwrap().nodes().len(), 1);
    assert_eq!(parse("<a><![CDATA[]]></a>").unwrap(), Element::new("a", ""));
    assert_eq!(text("<a> \u{7F}\u{85}🦀</a>"), " \u{7F}\u{85}🦀");
}

#[test]
fn xml_2_11_line_ends() {
    assert_eq!(text("<a>1\r\n2\r3\n4\r\r\n5&#13;\r</a>"), "1\n2\n3\n4\n\n5\r\n");
    assert_eq!(text("<a>\r&amp;\r&#13;\r\n&#10;</a>"), "\n&\n\r\n\n");
    assert_eq!(text("<a>\r<![CDATA[\r\n\r]]>\n</a>"), "\n\n\n\n");
    assert_eq!(parse("<a\rb='1'\r\nc='2'\r/>").unwrap().attrs().count(), 2);
}

#[test]
fn bounds_are_policy() {
    let many = |n: usize| (0..n).map(|i| format!("<b xmlns='u{i}'/>")).collect::<String>();
    assert!(parse(&format!("<a>{}</a>", many(NAMESPACES))).is_ok());
    for (frame, bound) in [
        (format!("<a>{}</a>", many(NAMESPACES + 1)), Bound::Namespaces),
        ("<a>".repeat(10_000), Bound::Depth),
        (format!("<a>{}</a>", "x".repeat(5 << 20)), Bound::Bytes),
        (format!("<a{}/>", " b='c'".repeat(100_000)), Bound::Attributes),
        (format!("<a>{}</a>", "<b/>".repeat(100_000)), Bound::Nodes),
    ] {
        let error = parse(&frame).unwrap_err();
        assert_eq!(error, ReadError::TooLarge(bound));
        assert_eq!(error.condition(), "policy-violation");
    }
    // One namespace, however often it is declared, is one, and shared.
    let a = parse(&format!("<a>{}</a>", "<b xmlns='u'/>".repeat(5_000))).unwrap();
    let first = a.children().next().unwrap().ns().as_ptr();
    assert!(a.children().all(|b| b.ns().as_ptr() == first));
}
