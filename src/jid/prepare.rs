//! Preparation of the three parts of an address, so that equal addresses are equal strings.
//!
//! RFC 7622 (September 2015) §3.2 to §3.4, with PRECIS as of RFC 8264 and RFC 8265 (October 2017): UsernameCaseMapped for
//! the local part, OpaqueString for the resource; RFC 5895 (September 2010) for what a user types as a domain.
//! What is accepted beyond that, and what is left out, the parent module lists.
//!
//! Preparing twice changes nothing more. ASCII, nearly all there is, never leaves Rust.

use super::{JidError, Part};
use crate::unicode::{self, Direction, Set};

/// The longest a part may be once prepared, in octets of UTF-8 (RFC 7622 §3.1).
const MAX_PART: usize = 1023;

/// The longest text that is worth preparing. Normalization can shorten a text, but not by as much as this; what is
/// dropped on the way could be longer, and is nobody's address.
const MAX_RAW: usize = 8 * MAX_PART;

/// The longest label the DNS holds, in octets (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// Appends the prepared local part to `out`: RFC 7622 §3.3.
pub(super) fn local(text: &str, out: &mut String) -> Result<(), JidError> {
    let part = Part::Local;
    if text.is_empty() {
        return Err(JidError::EmptyLocal);
    }
    let text = map_name(text, part)?;
    check_length(&text, part)?;
    // RFC 7622 §3.3.1: eight characters of ASCII are excluded beyond what IdentifierClass excludes (space, controls).
    let excluded = |c: char| c <= ' ' || matches!(c, '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@' | '\x7F');
    if let Some(character) = text.chars().find(|&c| excluded(c)) {
        return Err(JidError::Forbidden { part, character });
    }
    check_identifier(&text, part)?;
    out.push_str(&text);
    Ok(())
}

/// Appends the prepared domain part to `out`: RFC 7622 §3.2.
pub(super) fn domain(text: &str, out: &mut String) -> Result<(), JidError> {
    let part = Part::Domain;
    if let Some(literal) = text.strip_prefix('[') {
        return ipv6(literal, out);
    }
    // RFC 5895 §2: the same mappings as for a name, and then the ideographic full stop.
    let text = map_name(text, part)?.replace('\u{3002}', ".");
    // RFC 7622 §3.2: the dot of the root is stripped before anything else is done with the domain.
    let text = text.strip_suffix('.').unwrap_or(&text);
    if text.is_empty() {
        return Err(JidError::EmptyDomain);
    }
    check_length(text, part)?;
    // Letters, digits and hyphen make a host name (RFC 1123 §2.1). The underscore does not, but networks of containers
    // are full of such names, browsers resolve them, and it cannot be mistaken for anything else.
    let outside = |c: char| c.is_ascii() && !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if let Some(character) = text.chars().find(|&c| outside(c)) {
        return Err(JidError::Forbidden { part, character });
    }
    for label in text.split('.') {
        check_label(label)?;
    }
    out.push_str(text);
    Ok(())
}

/// RFC 7622 §3.2: an IPv6 address stands in brackets (RFC 3986 §3.2.2), of which `literal` lacks the first. Looked at, not
/// parsed: the standard library's parser costs more than a kilobyte, and what connects to the address parses it anyway.
fn ipv6(literal: &str, out: &mut String) -> Result<(), JidError> {
    /// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`
    const LONGEST: usize = 45;
    let address = literal.strip_suffix(']').unwrap_or_default();
    let digit = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    let colons = address.bytes().filter(|&b| b == b':').count();
    if address.len() > LONGEST || colons < 2 || !address.bytes().all(digit) {
        return Err(JidError::Ipv6);
    }
    out.push('[');
    out.push_str(&address.to_ascii_lowercase());
    out.push(']');
    Ok(())
}

/// Appends the prepared resource to `out`: RFC 7622 §3.4.
pub(super) fn resource(text: &str, out: &mut String) -> Result<(), JidError> {
    let part = Part::Resource;
    check_raw(text, part)?;
    let start = out.len();
    if text.is_ascii() {
        out.push_str(text);
    } else {
        let mapped: String = text
            .chars()
            // Beyond RFC 7622: as by RFC 6122 appendix B.3, which is what servers go by.
            .filter(|&c| !unicode::is_mapped_to_nothing(c))
            // RFC 8265 §4.2.2, rule 2: additional mapping.
            .map(|c| if unicode::is_non_ascii_space(c) { ' ' } else { c })
            .collect();
        out.push_str(&unicode::nfc(&mapped));
    }
    let text = out.get(start..).unwrap_or_default();
    if text.is_empty() {
        return Err(JidError::EmptyResource);
    }
    check_length(text, part)?;
    let hidden = if text.is_ascii() {
        text.chars().find(char::is_ascii_control)
    } else {
        text.chars()
            .find(|&c| unicode::is_noncharacter(c))
            .or_else(|| unicode::find(text, Set::Hidden))
    };
    match hidden {
        Some(character) => Err(JidError::Forbidden { part, character }),
        None => Ok(()),
    }
}

/// The mappings that a local part and a domain share: width, case, Normalization Form C, in the order of RFC 8264 §7.
fn map_name(text: &str, part: Part) -> Result<String, JidError> {
    check_raw(text, part)?;
    if text.is_ascii() {
        return Ok(text.to_ascii_lowercase());
    }
    let mut wide = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // RFC 8265 §3.3.1, rule 1: the fullwidth and halfwidth forms, which have this block to themselves.
            '\u{FF01}'..='\u{FFEF}' => wide.push_str(&unicode::nfkc(c.encode_utf8(&mut [0; 4]))),
            // A capital sigma ends a word as ς in running text. PRECIS knows no words: RFC 7622 §3.5, examples 9 to 11.
            'Σ' => wide.push('σ'),
            _ => wide.push(c),
        }
    }
    Ok(unicode::nfc(&unicode::lowercase(&wide)))
}

fn check_raw(text: &str, part: Part) -> Result<(), JidError> {
    if text.len() > MAX_RAW {
        Err(JidError::TooLong(part))
    } else {
        Ok(())
    }
}

fn check_length(text: &str, part: Part) -> Result<(), JidError> {
    if text.len() > MAX_PART {
        Err(JidError::TooLong(part))
    } else {
        Ok(())
    }
}

/// One label of a domain: RFC 5890 §2.3.1 and, beyond ASCII, RFC 5891 §4.2.3.
fn check_label(label: &str) -> Result<(), JidError> {
    let ascii = label.is_ascii();
    let bad = label.is_empty()
        || label.starts_with('-')
        || label.ends_with('-')
        || (ascii && label.len() > MAX_LABEL)
        // RFC 5891 §4.2.3.1: hyphens there are for A-labels.
        || (!ascii && beyond_second(label).starts_with("--"))
        // RFC 5891 §4.2.3.2
        || (!ascii && label.chars().next().is_some_and(|c| unicode::is(c, Set::Mark)));
    if bad {
        return Err(JidError::Label);
    }
    check_identifier(label, Part::Domain)
}

fn beyond_second(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.next();
    chars.as_str()
}

/// What lies beyond ASCII must be in IdentifierClass (RFC 8264 §8; IDNA derives the same letters and digits, RFC 5892 §3), and
/// directions must not mix. `text` is mapped, and its length checked.
fn check_identifier(text: &str, part: Part) -> Result<(), JidError> {
    if text.is_ascii() {
        return Ok(());
    }
    let mut rest = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + character.len_utf8()..).unwrap_or_default();
        match exception(before, character, after) {
            Some(true) => {}
            Some(false) => return Err(JidError::Forbidden { part, character }),
            None => rest.push(character),
        }
    }
    let outside = unicode::find(&rest, Set::NotWord).or_else(|| {
        // RFC 8264 §9.17, HasCompat. Once in form C, a text is unlike its form KC just when a character of it is.
        if unicode::nfkc(text) == text {
            return None;
        }
        text.chars().find(|c| {
            let mut one = [0; 4];
            let one = &*c.encode_utf8(&mut one);
            unicode::nfkc(one) != one
        })
    });
    if let Some(character) = outside {
        return Err(JidError::Forbidden { part, character });
    }
    if mixes_directions(text) {
        return Err(JidError::MixedDirections(part));
    }
    Ok(())
}

/// Characters that are allowed (`true`) or not whatever their category says; `None` leaves it to the category.
fn exception(before: &str, c: char, after: &str) -> Option<bool> {
    let eastern = |c| matches!(c, '\u{6F0}'..='\u{6F9}');
    let arabic = |c| matches!(c, '\u{660}'..='\u{669}');
    let greek = |c| matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}');
    let hebrew = |c| matches!(c, '\u{591}'..='\u{5F4}');
    let japanese = |c| {
        matches!(c, '\u{3005}' | '\u{3007}' | '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}'
            | '\u{30FD}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}')
    };
    Some(match c {
        // RFC 5892 §2.6, Exceptions: PVALID. (ß and ς are letters anyway.)
        '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => true,
        // RFC 5892 appendix A.3 to A.9, CONTEXTO. Scripts are told by their blocks.
        '\u{B7}' => before.ends_with('l') && after.starts_with('l'),
        '\u{375}' => after.starts_with(greek),
        '\u{5F3}' | '\u{5F4}' => before.ends_with(hebrew),
        '\u{30FB}' => before.contains(japanese) || after.contains(japanese),
        '\u{660}'..='\u{669}' => !before.contains(eastern) && !after.contains(eastern),
        '\u{6F0}'..='\u{6F9}' => !before.contains(arabic) && !after.contains(arabic),
        // RFC 5892 §2.6, Exceptions: DISALLOWED.
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}'
        // RFC 8264 §9.9, OldHangulJamo.
        | '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97C}' | '\u{D7B0}'..='\u{D7FB}'
        // RFC 8264 §9.13, PrecisIgnorableProperties, as far as they are letters or marks.
        | '\u{34F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}' => false,
        _ => return None,
    })
}

/// The Bidi Rule, RFC 5893 §2. It asks something only of a text with right-to-left characters in it, and such a text
/// passes just when it runs from right to left as a whole.
fn mixes_directions(text: &str) -> bool {
    if !text.chars().any(unicode::is_right_to_left_area) {
        return false;
    }
    let seen = |wanted| text.chars().any(|c| unicode::direction(c) == wanted);
    if !seen(Direction::RightToLeft) && !seen(Direction::ArabicNumber) {
        return false;
    }
    let first = text.chars().next().map(unicode::direction);
    let last = text
        .chars()
        .rev()
        .map(unicode::direction)
        .find(|&d| d != Direction::Mark);
    // Conditions 1, 2, 3 and 4.
    first != Some(Direction::RightToLeft)
        || seen(Direction::LeftToRight)
        || matches!(last, None | Some(Direction::Neutral))
        || (seen(Direction::EuropeanNumber) && seen(Direction::ArabicNumber))
}
