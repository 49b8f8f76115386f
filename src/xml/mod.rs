//! XML as XMPP uses it: one element a frame, read into an owned [`Element`] and written from one.
//!
//! Specs: XML 1.0 (fifth edition, 26 November 2008), Namespaces in XML 1.0 (third edition, 8 December 2009), cut
//! down by RFC 6120 §11.1 (March 2011): no DTD, no processing instruction, no comment, no entity beyond the five
//! predefined ones. RFC 7395 §3.3.3 (October 2014) has every frame a document of its own.
//!
//! - [`read()`]: a frame becomes an `Element`. One linear pass (`scan.rs`) holds every bound before the parser
//!   proper, roxmltree, allocates anything.
//! - [`write()`]: an `Element` becomes a frame. A caller can't inject markup through any string, and what XML can't
//!   carry is refused.
//!
//! The two agree: what one writes the other reads back equal.
//!
//! Left out: XML 1.1, external entities, validation, the inheritance of `xml:lang` (the stanza's matter).

mod element;
mod read;
mod scan;
mod write;

pub use element::{All, Children, Element, Namespace, Node};
pub use read::{Bound, Limits, ReadError, Restricted, read};
pub use write::{WriteError, write};

/// The most levels that any element may have, read or written, whatever the [`Limits`] say: writing, comparing and
/// dropping a tree recurse, and a browser's stack is about 1 MB.
pub const MAX_DEPTH: usize = 256;

/// The namespace to which the prefix `xml` is bound for ever (Namespaces in XML §3).
pub(crate) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the declarations themselves; nothing may be bound to it (Namespaces in XML §3).
pub(crate) const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// Whether XML can carry the character at all, even as a reference (XML 1.0 §2.2, `Char`).
pub(crate) fn is_xml_char(c: char) -> bool {
    // A `char` is never a surrogate.
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

/// Whether the text is a name without a colon (Namespaces in XML §3, `NCName`): all that an element or an attribute
/// may be called.
pub(crate) fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// XML 1.0 §2.3, `NameStartChar`, less the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// XML 1.0 §2.3, `NameChar`, less the colon.
fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
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
    fn xml_2_2_characters() {
        for c in [
            '\t',
            '\n',
            '\r',
            ' ',
            '\u{7F}',
            '\u{D7FF}',
            '\u{E000}',
            '\u{FFFD}',
            '\u{10000}',
            '\u{10FFFF}',
        ] {
            assert!(is_xml_char(c), "{c:?}");
        }
        for c in [
            '\0', '\u{1}', '\u{8}', '\u{B}', '\u{C}', '\u{E}', '\u{1F}', '\u{FFFE}', '\u{FFFF}',
        ] {
            assert!(!is_xml_char(c), "{c:?}");
        }
    }

    #[test]
    fn xml_names_3_ncname() {
        for name in ["a", "_", "stanza-id", "x.1", "été", "名", "a\u{B7}"] {
            assert!(is_ncname(name), "{name}");
        }
        for name in [
            "", "1", "-a", ".a", "a:b", ":a", "a b", "a>", "a/", "a\"", "a=", "a\0", "\u{B7}", "×", "{n}a",
        ] {
            assert!(!is_ncname(name), "{name:?}");
        }
    }
}
