//! The few questions about Unicode that preparing an address or a password asks.
//!
//! Tables of Unicode data would cost as much as the rest of the product (`src/manual/adr/0002`). Every platform that
//! runs wasm has them already, behind `String.prototype.normalize`, `toLowerCase` and `\p{..}` in regular
//! expressions: on wasm32 `platform` asks those. Natively, where tests and fuzzing run, it asks crates. The same
//! table of cases (`tests/unicode_cases.rs`) is run on both.
//!
//! What neither has to be asked for stands here, in short ranges that Unicode promises or in practice keeps stable.
//! Callers keep ASCII away: none of this is needed for it, and crossing into JavaScript is not free.
//!
//! The two sides may follow different versions of Unicode. They then differ only on characters that one of
//! them does not know yet.

#[cfg_attr(target_arch = "wasm32", path = "unicode/platform.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "unicode/native.rs")]
mod platform;

pub(crate) use platform::{lowercase, nfc, nfkc};

/// A set of characters that the platform knows by General_Category.
#[derive(Clone, Copy)]
pub(crate) enum Set {
    /// Beyond ASCII and neither letter (L), decimal digit (Nd), nor combining mark (Mn, Mc): what is outside of
    /// LetterDigits, RFC 8264 §9.1.
    NotWord,
    /// Control, format, private use, and the line and paragraph separators (Cc, Cf, Co, Zl, Zp).
    Hidden,
    /// Combining marks (M).
    Mark,
}

/// The first character of `text` that is in `set`.
pub(crate) fn find(text: &str, set: Set) -> Option<char> {
    platform::find(text, set)
}

/// How a character runs, as far as the rules for mixed directions ask: the Bidi_Class of UAX #9, coarsened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// R and AL.
    RightToLeft,
    /// L.
    LeftToRight,
    /// EN: `0` to `9`, and the digits of Persian and Urdu.
    EuropeanNumber,
    /// AN.
    ArabicNumber,
    /// NSM: a combining mark, which goes with what it stands on.
    Mark,
    /// Everything else.
    Neutral,
}

/// The direction of `c`. A browser does not tell Bidi_Class; but right-to-left scripts have areas of their own, in which
/// even unassigned code points are right-to-left by default (UAX #9 §3.2), so the areas and their exceptions serve.
pub(crate) fn direction(c: char) -> Direction {
    if c.is_ascii() {
        return match c {
            'a'..='z' | 'A'..='Z' => Direction::LeftToRight,
            '0'..='9' => Direction::EuropeanNumber,
            _ => Direction::Neutral,
        };
    }
    match c {
        '\u{06F0}'..='\u{06F9}' => return Direction::EuropeanNumber,
        '\u{0600}'..='\u{0605}'
        | '\u{0660}'..='\u{0669}'
        | '\u{066B}'..='\u{066C}'
        | '\u{06DD}'
        | '\u{0890}'..='\u{0891}'
        | '\u{08E2}'
        | '\u{10D30}'..='\u{10D39}'
        | '\u{10D40}'..='\u{10D49}'
        | '\u{10E60}'..='\u{10E7E}' => return Direction::ArabicNumber,
        // Punctuation and symbols inside the areas that are neutral all the same.
        '\u{0606}'..='\u{0607}'
        | '\u{0609}'..='\u{060A}'
        | '\u{060C}'
        | '\u{060E}'..='\u{060F}'
        | '\u{066A}'
        | '\u{06DE}'
        | '\u{06E9}'
        | '\u{07F6}'..='\u{07F9}'
        | '\u{FB29}'
        | '\u{FD3E}'..='\u{FD4F}'
        | '\u{FDCF}'
        | '\u{FDFD}'..='\u{FDFF}'
        | '\u{FEFF}'
        | '\u{1091F}'
        | '\u{10B39}'..='\u{10B3F}'
        | '\u{10D6E}'
        | '\u{1EEF0}'..='\u{1EEF1}' => return Direction::Neutral,
        _ => {}
    }
    if is(c, Set::Mark) {
        return Direction::Mark;
    }
    match c {
        _ if is_right_to_left_area(c) => Direction::RightToLeft,
        _ if is(c, Set::NotWord) => Direction::Neutral,
        _ => Direction::LeftToRight,
    }
}

/// Whether `c` is where Unicode puts right-to-left scripts. Where no character is, no direction can mix.
pub(crate) fn is_right_to_left_area(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{200F}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Whether `c` alone is in `set`.
pub(crate) fn is(c: char, set: Set) -> bool {
    find(c.encode_utf8(&mut [0; 4]), set).is_some()
}

/// RFC 3454 table B.1, "commonly mapped to nothing".
pub(crate) fn is_mapped_to_nothing(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{1806}' | '\u{180B}'..='\u{180D}' | '\u{200B}'..='\u{200D}'
        | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// The spaces (Zs) other than U+0020.
pub(crate) fn is_non_ascii_space(c: char) -> bool {
    matches!(
        c,
        '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// The 66 code points that Unicode will never assign (Noncharacter_Code_Point).
pub(crate) fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Writes the number of a code point as Unicode does behind `U+`. A character that is not allowed may well not be visible.
pub(crate) fn push_code(c: char, out: &mut String) {
    let code = u32::from(c);
    for shift in [20, 16, 12, 8, 4, 0] {
        // Four digits at least, as many as it takes.
        if shift < 16 || code >> shift != 0 {
            let digit = char::from_digit((code >> shift) & 0xF, 16);
            out.push(digit.unwrap_or('0').to_ascii_uppercase());
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;
    use unicode_bidi::{BidiClass, bidi_class};
    use unicode_properties::{GeneralCategory as Gc, UnicodeGeneralCategory};

    fn assigned() -> impl Iterator<Item = char> {
        ('\0'..='\u{1FFFF}').filter(|c| c.general_category() != Gc::Unassigned)
    }

    #[test]
    fn uax9_right_to_left_and_numbers_are_exact() {
        for c in assigned() {
            let exact = match bidi_class(c) {
                // A mark newer than the crate's table, which gives it the default of its area.
                BidiClass::R | BidiClass::AL if is(c, Set::Mark) => Direction::Mark,
                BidiClass::R | BidiClass::AL => Direction::RightToLeft,
                BidiClass::AN => Direction::ArabicNumber,
                // The digits among the symbols (², ①) are in no name and no prepared password.
                BidiClass::EN if c.general_category() == Gc::DecimalNumber && nfkc(&c.to_string()) == c.to_string() => {
                    Direction::EuropeanNumber
                }
                // Left-to-right and neutral are told apart by category, which is near enough: see the next test.
                _ => {
                    let d = direction(c);
                    let others = [Direction::LeftToRight, Direction::Mark, Direction::Neutral];
                    assert!(others.contains(&d), "U+{:04X}", u32::from(c));
                    continue;
                }
            };
            assert_eq!(direction(c), exact, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn uax9_letters_run_left_to_right() {
        let letters = assigned().filter(|&c| !is_right_to_left_area(c) && !is(c, Set::NotWord) && !is(c, Set::Mark));
        let (mut all, mut neutral) = (0, 0);
        for c in letters {
            all += 1;
            match bidi_class(c) {
                BidiClass::L => assert!(matches!(direction(c), Direction::LeftToRight), "U+{:04X}", u32::from(c)),
                BidiClass::EN => {}
                // Modifier letters, taken for letters of the script beside them.
                _ => neutral += u32::from(!c.is_ascii()),
            }
        }
        assert!(
            all > 60_000 && neutral < 100,
            "{all} letters, {neutral} of them neutral"
        );
    }

    #[test]
    fn the_short_ranges_are_what_unicode_says() {
        for c in assigned() {
            let space = c != ' ' && c.general_category() == Gc::SpaceSeparator;
            assert_eq!(is_non_ascii_space(c), space, "U+{:04X}", u32::from(c));
            assert_eq!(
                is_mapped_to_nothing(c),
                stringprep::tables::commonly_mapped_to_nothing(c),
                "U+{:04X}",
                u32::from(c)
            );
        }
        assert_eq!(('\0'..=char::MAX).filter(|&c| is_noncharacter(c)).count(), 66);
    }

    #[test]
    fn writes_code_points_as_unicode_does() {
        let code = |c| {
            let mut out = String::new();
            push_code(c, &mut out);
            out
        };
        assert_eq!(
            ["\0", " ", "Ⅳ", "\u{1F511}", "\u{10FFFF}"].map(|s| code(s.chars().next().unwrap())),
            ["0000", "0020", "2163", "1F511", "10FFFF"]
        );
    }
}
