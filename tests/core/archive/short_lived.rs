//! Connections that don't last for the whole of a search.

use super::*;

/// A long way from the first mark to the anchor, and connections that don't last for all of it.
#[test]
fn what_has_been_read_is_not_read_again_however_often_the_connection_is_lost() {
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "out");
    let ids: Vec<String> = (1..40).map(|n| n.to_string()).collect();
    ids.iter().for_each(|id| live(&mut pair, id));
    let mut from = "0".to_owned();
    for pages in ids.chunks(10) {
        let asked = again(&mut pair);
        assert_eq!(after(&asked).0, Some(from));
        let entries: Vec<_> = pages.iter().map(|id| from_bob(id)).collect();
        bare_page(&mut pair, &asked, &entries, false);
        // Nothing before it was thrown away.
        let proof = pair.element();
        assert_eq!(before(&proof).0, pages[0]);
        bare_page(&mut pair, &proof, &[from_bob("0")], false);
        let next = pair.element();
        from = pages.last().unwrap().clone();
        assert_eq!(after(&next).0.as_deref(), Some(from.as_str()));
        assert!(pair.is_open(call));
    }
    assert_eq!(bodies(&pair), ids, "each once");
}

/// As far as the anchor everything has been told of, whatever was thrown away before that.
#[test]
fn xep0313_3_2_a_page_before_the_anchor_with_nothing_before_it_is_no_gap_yet() {
    let mut pair = knowing("0");
    let (call, _) = send(&mut pair, "out");
    let ids: Vec<String> = (1..30).map(|n| n.to_string()).collect();
    ids.iter().for_each(|id| live(&mut pair, id));
    let asked = again(&mut pair);
    let first: Vec<_> = ids[5..15].iter().map(|id| from_bob(id)).collect();
    bare_page(&mut pair, &asked, &first, false);
    let proof = pair.element();
    bare_page(&mut pair, &proof, &[], true);
    assert_eq!(gaps(&pair), []);
    // It begins there again the next time, since nobody knows.
    let asked = again(&mut pair);
    assert_eq!(after(&asked).0.as_deref(), Some("0"));
    assert!(pair.is_open(call));
}
