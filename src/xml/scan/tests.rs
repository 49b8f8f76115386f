//! The bounds, and that the pass stops at them: what it costs is counted in bytes looked at, whatever the machine.

use super::*;

/// What the pass says, and how many bytes it looked at.
fn cost(frame: &str) -> (Result<(), ReadError>, usize) {
    let limits = Limits::default();
    let mut scanner = Scanner::new(frame, &limits);
    let result = scanner.run();
    (result, scanner.pos)
}

fn too_large(bound: Bound) -> Result<(), ReadError> {
    Err(ReadError::TooLarge(bound))
}

#[test]
fn five_megabytes_cost_nothing() {
    let frame = format!("<a>{}</a>", "x".repeat(5 << 20));
    assert_eq!(cost(&frame), (too_large(Bound::Bytes), 0));
}

#[test]
fn ten_thousand_levels_stop_at_the_limit() {
    let frame = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
    let depth = Limits::default().depth;
    assert_eq!(cost(&frame), (too_large(Bound::Depth), depth * 3));
    let frame = "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert_eq!(cost(&frame).0, Ok(()));
}

#[test]
fn no_setting_goes_past_the_depth_of_the_stack() {
    let frame = "<a>".repeat(10_000);
    let limits = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    let mut scanner = Scanner::new(&frame, &limits);
    assert_eq!(scanner.run(), too_large(Bound::Depth));
    assert_eq!(scanner.pos, MAX_DEPTH * 3);
}

#[test]
fn a_hundred_thousand_attributes_stop_at_the_limit() {
    let attributes = |n: usize| (0..n).map(|i| format!(" a{i:05}=''")).collect::<String>();
    let limit = Limits::default().attributes;
    let (result, cost_of) = cost(&format!("<a{}/>", attributes(100_000)));
    assert_eq!(result, too_large(Bound::Attributes));
    assert!(cost_of <= 4 + limit * 10, "{cost_of}");
    assert_eq!(cost(&format!("<a{}/>", attributes(limit))).0, Ok(()));
    assert_eq!(
        cost(&format!("<a{}/>", attributes(limit + 1))).0,
        too_large(Bound::Attributes)
    );
}

#[test]
fn nodes_of_every_kind_are_counted() {
    let limit = Limits::default().nodes;
    for (piece, each) in [
        ("<b/>", 1),
        ("<b c=''/>", 2),
        ("<b xmlns='d'/>", 2),
        ("<b/>e", 2),
        ("<![CDATA[]]>", 1),
    ] {
        // The root is one.
        let fits = (limit - 1) / each;
        assert_eq!(cost(&format!("<a>{}</a>", piece.repeat(fits))).0, Ok(()), "{piece}");
        let (result, cost_of) = cost(&format!("<a>{}</a>", piece.repeat(fits + 2)));
        assert_eq!(result, too_large(Bound::Nodes), "{piece}");
        assert!(cost_of <= 3 + (fits + 1) * piece.len(), "{piece}");
    }
}

#[test]
fn marks_in_a_text_are_counted() {
    // roxmltree reserves an attribute for every `=` and a node for every `<`, wherever it stands.
    let most = Limits::default().nodes * MARKS;
    for mark in ["=", "&lt;", "\r"] {
        assert_eq!(cost(&format!("<a>{}</a>", mark.repeat(most - 2))).0, Ok(()));
        assert_eq!(
            cost(&format!("<a>{}</a>", mark.repeat(most - 1))).0,
            too_large(Bound::Nodes)
        );
    }
    assert_eq!(
        cost(&format!("<a><![CDATA[{}]]></a>", "<".repeat(most - 2))).0,
        too_large(Bound::Nodes)
    );
}

#[test]
fn prefixes_in_scope_are_counted() {
    let declare = |n: usize| (0..n).map(|i| format!(" xmlns:p{i}='u'")).collect::<String>();
    assert_eq!(cost(&format!("<a{}/>", declare(PREFIXES))).0, Ok(()));
    assert_eq!(
        cost(&format!("<a{}/>", declare(PREFIXES + 1))).0,
        too_large(Bound::Namespaces)
    );
    let half = declare(PREFIXES / 2 + 1);
    assert_eq!(
        cost(&format!("<a><b{half}/><b{half}/><b{half}></b><b{half}/></a>")).0,
        Ok(())
    );
    assert_eq!(
        cost(&format!("<a><b{half}><b{half}/></b></a>")).0,
        too_large(Bound::Namespaces)
    );
    // The default namespace is one, however often it changes.
    let depth = Limits::default().depth;
    assert_eq!(cost(&("<a xmlns='u'>".repeat(depth) + &"</a>".repeat(depth))).0, Ok(()));
}

#[test]
fn comparisons_are_counted() {
    // 64 attributes are 2,016 pairs, 16 prefixes and the default namespace 136.
    let attributes = (0..64).map(|i| format!(" a{i}=''")).collect::<String>();
    let frame = |n: usize| format!("<a>{}</a>", format!("<b{attributes}/>").repeat(n));
    assert_eq!(cost(&frame(COMPARED / 2_016)).0, Ok(()));
    assert_eq!(cost(&frame(COMPARED / 2_016 + 1)).0, too_large(Bound::Attributes));
    let declarations = (0..16).map(|i| format!(" xmlns:p{i}='u'")).collect::<String>();
    let frame = |n: usize| format!("<a{declarations}>{}</a>", "<b xmlns='v'/>".repeat(n));
    assert_eq!(cost(&frame(COMPARED / 136 - 2)).0, Ok(()));
    assert_eq!(cost(&frame(COMPARED / 136 + 1)).0, too_large(Bound::Namespaces));
}

#[test]
fn long_names_of_namespaces_are_counted() {
    let frame = |length: usize, elements: usize| {
        format!(
            "<a xmlns:p='{}'>{}</a>",
            "u".repeat(length),
            "<b p:c='' p:d=''/>".repeat(elements)
        )
    };
    assert_eq!(cost(&frame(100, 1_000)).0, Ok(()));
    assert_eq!(cost(&frame(100_000, 13)).0, Ok(()));
    assert_eq!(cost(&frame(100_000, 14)).0, too_large(Bound::Namespaces));
    // Declared behind its use, within the same tag.
    let frame = format!("<a p:b='' p:c='' p:d='' xmlns:p='{}'/>", "u".repeat(1_000_000));
    assert_eq!(cost(&frame).0, too_large(Bound::Namespaces));
}

#[test]
fn a_banned_thing_stops_the_pass() {
    for (frame, what, at) in [
        ("<!DOCTYPE a []><a/>", Restricted::Dtd, 0),
        ("<a><!DOCTYPE a></a>", Restricted::Dtd, 3),
        ("<a><?b?></a>", Restricted::ProcessingInstruction, 3),
        ("<a><!-- b --></a>", Restricted::Comment, 3),
        ("<a>&b;</a>", Restricted::Entity, 6),
        ("<a b='&c;'/>", Restricted::Entity, 9),
    ] {
        assert_eq!(cost(frame), (Err(ReadError::Restricted(what)), at), "{frame}");
    }
}

#[test]
fn a_document_may_have_asides_and_a_frame_may_not() {
    let document = "<!-- by hand --><?style x?><a><!-- <b> --><c/><? y ?></a><!---->";
    assert_eq!(cost(document).0, Err(ReadError::Restricted(Restricted::Comment)));
    let limits = Limits {
        asides: true,
        ..Limits::default()
    };
    assert_eq!(scan(document, &limits), Ok(()));
    for open in ["<a/><!-- ", "<a/><!-->", "<a/><? ", "<a><!-- </a>"] {
        assert_eq!(scan(open, &limits), Err(ReadError::NotWellFormed), "{open}");
    }
}
