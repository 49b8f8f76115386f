//! Places in a text. On the wire they are counted in Unicode code points (XEP-0426 0.3.0, 27 December 2022); in JavaScript in
//! UTF-16 code units, so that `body.slice(start, end)` is what is meant.

use crate::decimal::decimal;
use crate::error::Error;
use crate::given::Arg;
use crate::stream::ns;
use crate::xml::Element;

/// The body of a message.
pub(super) fn body(message: &Element) -> String {
    message.child_text("body", ns::CLIENT).unwrap_or_default()
}

/// The UTF-16 units before the code point of this number; beyond the end all that there are.
pub(super) fn units(text: &str, points: u32) -> u32 {
    let before = text.chars().take(points as usize);
    count(before.map(char::len_utf16).sum())
}

/// The code points before the one that has the UTF-16 unit of this number; beyond the end all that there are.
pub(super) fn points(text: &str, units: u32) -> u32 {
    let mut end = 0;
    let before = text.chars().take_while(|c| {
        end += c.len_utf16();
        end <= units as usize
    });
    count(before.count())
}

/// How long a text may be, in bytes, for places in it to be read: each is counted from its beginning.
const LONGEST: usize = 64 << 10;

/// A part of this text, in UTF-16 units, as two attributes say in code points. §2.1: any place in it will do.
pub(super) fn read(text: &str, element: &Element, [start, end]: [&str; 2]) -> Option<[u32; 2]> {
    let number = |name| element.attr(name)?.trim().parse::<u32>().ok();
    let (start, end) = (number(start)?, number(end)?);
    (start <= end && text.len() <= LONGEST).then(|| [units(text, start), units(text, end)])
}

/// Puts such a part into an element.
pub(super) fn write(text: &str, element: Element, [first, last]: [&'static str; 2], [start, end]: [u32; 2]) -> Element {
    let number = |units| decimal(points(text, units).into());
    element.with_attr(first, number(start)).with_attr(last, number(end))
}

/// Reads a place that an app has passed.
pub(super) fn given(place: &Arg) -> Result<Option<u32>, Error> {
    let place = place.opt_whole(0, u32::MAX.into())?;
    Ok(place.and_then(|place| u32::try_from(place).ok()))
}

/// Texts are shorter than that.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xep0426_2_places_are_code_points_on_the_wire() {
        // The standard's own example: 13 code points, 21 units.
        let text = "🧛🏾 👨‍👨‍👦‍👦 🇺🇳";
        assert_eq!((units(text, 13), points(text, 21)), (21, 13));
        let all: Vec<u16> = text.encode_utf16().collect();
        for (place, (at, _)) in text.char_indices().enumerate() {
            let place = count(place);
            let before = text.get(..at).map(|before| before.encode_utf16().count());
            assert_eq!(Some(units(text, place) as usize), before);
            assert_eq!(points(text, units(text, place)), place);
        }
        // Half of a pair is the whole character, and there is nothing beyond the end.
        assert_eq!((points("🦊", 1), points("🦊", 2)), (0, 1));
        assert_eq!(
            (units(text, u32::MAX) as usize, points(text, u32::MAX)),
            (all.len(), 13)
        );
    }
}
