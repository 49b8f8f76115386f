//! Result Set Management, XEP-0059 1.0 (20 September 2006): no feature of its own, but how features ask for long answers page by page.
//!
//! Whoever doesn't know it leaves it out, and answers with all there is. Left out: pages backwards, and by number.

use crate::decimal::decimal;
use crate::xml::Element;

const RSM: &str = "http://jabber.org/protocol/rsm";

/// Asks for so many at most, behind the one that the last page said to be its last.
pub(super) fn set(max: u32, after: Option<&str>) -> Element {
    let limit = |name, text: &str| Element::new(name, RSM).with_text(text);
    Element::new("set", RSM)
        .with_child(limit("max", &decimal(max.into())))
        .with_opt_child(after.map(|after| limit("after", after)))
}

/// Behind which one the next page is to be asked for, by what stands beside so many items; none where there is no more.
pub(super) fn next(answer: &Element, items: usize, after: Option<&str>) -> Option<String> {
    let set = answer.child("set", RSM).filter(|_| items > 0)?;
    let last = set.child_text("last", RSM)?;
    // A page that ends where it began leads nowhere.
    if after == Some(last.as_str()) {
        return None;
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let first = set.child("first", RSM).and_then(|first| number(first.attr("index")?));
    let count = set.child_text("count", RSM).and_then(|count| number(&count));
    // §2.2: both may be left out, and may be wrong where they are rounded; then the last page is the empty one.
    match (first, count) {
        (Some(first), Some(count)) if first.saturating_add(items as u64) >= count => None,
        _ => Some(last),
    }
}
