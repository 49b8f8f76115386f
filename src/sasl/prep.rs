//! SASLprep: the form in which passwords and user names go into SCRAM and PLAIN.
//!
//! RFC 4013 (February 2005), a profile of stringprep, RFC 3454 (December 2002). SCRAM asks for it in RFC 5802 §2.2.
//!
//! Differences, all towards letting a password through, since it is the server that knows what it has stored:
//!
//! - Code points that Unicode 3.2 had not assigned pass (as in a "query", RFC 3454 §7; RFC 5802 asks for a "stored string").
//!   Emoji are among them, and servers let people have such passwords.
//! - They, and the few characters corrected since, are normalized by the Unicode of the platform, not by 3.2.
//! - Left-to-right characters (RFC 3454 table D.2, 360 ranges) are letters outside the right-to-left scripts, and the marks
//!   and digits that count as such today; left-to-right symbols are not among them.

use crate::unicode::{self, Direction};
use core::fmt;
use std::borrow::Cow;

/// Why a text can be neither password nor user name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PrepError {
    /// It holds a character that is not allowed: a control, say, or one from private use.
    Forbidden(char),
    /// It holds right-to-left characters, and left-to-right ones too or something else at an end.
    MixedDirections,
}

impl fmt::Display for PrepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // Not in the words: which character of a password it is stays out of logs.
            PrepError::Forbidden(_) => f.write_str("holds a character that is not allowed in a user name or password"),
            PrepError::MixedDirections => f.write_str("mixes right-to-left and left-to-right characters"),
        }
    }
}

impl core::error::Error for PrepError {}

/// Prepares a user name or password. Text in ASCII comes back as it is.
///
/// # Errors
///
/// When the text holds what RFC 4013 §2.3 prohibits, or breaks the rule for directions (§2.4).
pub fn saslprep(text: &str) -> Result<Cow<'_, str>, PrepError> {
    if text.is_ascii() {
        return match text.chars().find(char::is_ascii_control) {
            Some(c) => Err(PrepError::Forbidden(c)),
            None => Ok(Cow::Borrowed(text)),
        };
    }
    // RFC 4013 §2.1. U+200B is in both tables, and becomes a space as in the libraries that servers use.
    let mapped: String = text
        .chars()
        .map(|c| {
            if c == '\u{200B}' || unicode::is_non_ascii_space(c) {
                ' '
            } else {
                c
            }
        })
        .filter(|&c| !unicode::is_mapped_to_nothing(c))
        .collect();
    // RFC 4013 §2.2
    let text = unicode::nfkc(&mapped);
    if let Some(c) = text.chars().find(|&c| is_prohibited(c)) {
        return Err(PrepError::Forbidden(c));
    }
    if mixes_directions(&text) {
        return Err(PrepError::MixedDirections);
    }
    Ok(Cow::Owned(text))
}

/// RFC 4013 §2.3, by the tables of RFC 3454 appendix C. Spaces (C.1.2) have been mapped, surrogates (C.5) can't occur.
fn is_prohibited(c: char) -> bool {
    c.is_control() // C.2.1, C.2.2
        || unicode::is_noncharacter(c) // C.4
        || matches!(c,
            // C.2.2
            '\u{6DD}' | '\u{70F}' | '\u{180E}' | '\u{200C}' | '\u{200D}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2063}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{1D173}'..='\u{1D17A}'
            // C.3
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}'
            // C.6, and the rest of C.2.2
            | '\u{FFF9}'..='\u{FFFD}'
            // C.7
            | '\u{2FF0}'..='\u{2FFB}'
            // C.8
            | '\u{340}' | '\u{341}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            // C.9
            | '\u{E0001}' | '\u{E0020}'..='\u{E007F}')
}

/// RFC 3454 §6, the second and third requirement.
fn mixes_directions(text: &str) -> bool {
    let right_to_left = |c| unicode::direction(c) == Direction::RightToLeft;
    if !text
        .chars()
        .any(|c| unicode::is_right_to_left_area(c) && right_to_left(c))
    {
        return false;
    }
    text.chars().any(|c| unicode::direction(c) == Direction::LeftToRight)
        || !text.chars().next().is_some_and(right_to_left)
        || !text.chars().next_back().is_some_and(right_to_left)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;

    #[test]
    fn rfc4013_3_examples() {
        for (text, prepared) in [
            ("I\u{AD}X", Ok("IX")),
            ("user", Ok("user")),
            ("USER", Ok("USER")),
            ("\u{AA}", Ok("a")),
            ("\u{2168}", Ok("IX")),
            ("\u{7}", Err(PrepError::Forbidden('\u{7}'))),
            ("\u{627}\u{31}", Err(PrepError::MixedDirections)),
        ] {
            assert_eq!(saslprep(text), prepared.map(Cow::Borrowed), "{text}");
        }
    }

    #[test]
    fn ascii_is_handed_back_as_it_came() {
        assert!(matches!(saslprep("p@ss w/ord"), Ok(Cow::Borrowed("p@ss w/ord"))));
        assert_eq!(saslprep(""), Ok(Cow::Borrowed("")));
        assert_eq!(saslprep("a\x7F"), Err(PrepError::Forbidden('\x7F')));
    }

    #[test]
    fn an_error_does_not_tell_the_password() {
        assert!(!saslprep("secret\u{7}").unwrap_err().to_string().contains("secret"));
    }
}
