//! The pass over a frame that comes before the parser: linear in the frame, and it stops where a bound is passed.
//!
//! It holds the bounds of [`Limits`], refuses what RFC 6120 §11.1 bans, and refuses the few things that roxmltree
//! takes though XML doesn't. What it lets through is checked in full by roxmltree, whose costs, some of them more than
//! linear, are bounded here:
//!
//! - the check for duplicate attributes compares every two of an element, and an element that declares a namespace
//!   takes over all those in scope, each looked up among those taken: `COMPARED`;
//! - where the attributes have prefixes, the comparison, and the Clark name made of one, read the whole name of the
//!   namespace: `RESOLVED`;
//! - room is reserved for a node at every `<` and for an attribute at every `=`, also in texts; a reference or a
//!   carriage return costs as much time as dozens of other characters: `MARKS`.
//!
//! The two can't disagree on where a tag, a value or a section ends: each ends here at the first byte that could end
//! it, and roxmltree refuses the frame if that isn't the end.

use super::read::{Bound, Limits, ReadError, Restricted};
use super::{MAX_DEPTH, XML_NAMESPACE, is_xml_char};

/// How many prefixes may be in scope at once. XMPP uses one or two.
const PREFIXES: usize = 16;
/// How many pairs of attributes, or of prefixes, may have to be compared in all: a roster of 10,000 contacts costs
/// 30,000.
const COMPARED: usize = 1 << 19;
/// How many bytes of namespace names the attributes with prefixes may cost in all, copied and compared.
const RESOLVED: usize = 4 << 20;
/// How many `<`, `=`, `&` and carriage returns there may be to a node of the limit. An element needs two.
const MARKS: usize = 2;

/// Whether the frame keeps to the limits and to the XML that XMPP allows. `Ok` doesn't say that it is well-formed.
pub(super) fn scan(frame: &str, limits: &Limits) -> Result<(), ReadError> {
    Scanner::new(frame, limits).run()
}

struct Scanner<'a> {
    limits: &'a Limits,
    bytes: &'a [u8],
    /// The next byte: what stands before it is what this pass has cost.
    pos: usize,
    /// Elements, attributes, texts and CDATA sections so far.
    nodes: usize,
    rooted: bool,
    /// For every open element, how many prefixes it declares.
    open: Vec<usize>,
    /// Their sum.
    prefixes: usize,
    /// The length in bytes of the longest name of a namespace so far.
    longest: usize,
    /// What counts against [`COMPARED`].
    compared: usize,
    /// What counts against [`RESOLVED`].
    resolved: usize,
}

impl<'a> Scanner<'a> {
    fn new(frame: &'a str, limits: &'a Limits) -> Self {
        Scanner {
            limits,
            bytes: frame.as_bytes(),
            pos: 0,
            nodes: 0,
            rooted: false,
            open: Vec::new(),
            prefixes: 0,
            longest: XML_NAMESPACE.len(),
            compared: 0,
            resolved: 0,
        }
    }

    fn run(&mut self) -> Result<(), ReadError> {
        if self.bytes.len() > self.limits.bytes {
            return Err(ReadError::TooLarge(Bound::Bytes));
        }
        self.declaration()?;
        while let Some(byte) = self.peek() {
            if byte != b'<' {
                self.text()?;
            } else if self.at(b"</") {
                self.end_tag()?;
            } else if self.at(b"<![CDATA[") {
                self.section()?;
            // RFC 6120 §11.1
            } else if self.at(b"<!--") {
                self.aside(b"-->", Restricted::Comment)?;
            } else if self.at(b"<!DOCTYPE") {
                return Err(ReadError::Restricted(Restricted::Dtd));
            } else if self.at(b"<?") {
                self.aside(b"?>", Restricted::ProcessingInstruction)?;
            } else {
                self.start_tag()?;
            }
        }
        if !self.rooted || !self.open.is_empty() {
            return Err(ReadError::NotWellFormed);
        }
        let marks = self
            .bytes
            .iter()
            .filter(|byte| matches!(byte, b'<' | b'=' | b'&' | b'\r'))
            .count();
        if marks > self.limits.nodes.saturating_mul(MARKS) {
            return Err(ReadError::TooLarge(Bound::Nodes));
        }
        Ok(())
    }

    /// XML 1.0 §2.8: at the very start, with a version. The rest of it is roxmltree's to check.
    fn declaration(&mut self) -> Result<(), ReadError> {
        let start = self.pos;
        if !self.skip(b"<?xml") {
            return Ok(());
        }
        if !self.skip_space() {
            // A processing instruction, `<?xml-stylesheet?>` perhaps.
            self.pos = start;
            return Ok(());
        }
        if !self.at(b"version") {
            return Err(ReadError::NotWellFormed);
        }
        while !self.skip(b"?>") {
            match self.next() {
                Some(b'<' | b'>') | None => return Err(ReadError::NotWellFormed),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), ReadError> {
        if self.open.is_empty() && self.rooted {
            // RFC 7395 §3.3.3: one element a frame.
            return Err(ReadError::TwoRoots);
        }
        if self.open.len() >= self.limits.depth.min(MAX_DEPTH) {
            return Err(ReadError::TooLarge(Bound::Depth));
        }
        self.rooted = true;
        self.node()?;
        self.pos += 1;
        self.name()?;

        let mut tag = Tag::default();
        let empty = loop {
            let spaced = self.skip_space();
            if self.skip(b"/>") {
                break true;
            }
            if self.skip(b">") {
                break false;
            }
            if !spaced {
                return Err(ReadError::NotWellFormed);
            }
            self.attribute(&mut tag)?;
        };

        self.charge(&tag)?;
        if empty {
            self.prefixes -= tag.declared;
        } else {
            self.open.push(tag.declared);
        }
        Ok(())
    }

    /// Counts what a whole start tag will cost roxmltree.
    fn charge(&mut self, tag: &Tag) -> Result<(), ReadError> {
        // The nth is compared with the n - 1 before it.
        self.compared = self.compared.saturating_add(pairs(tag.attributes));
        if self.compared > COMPARED {
            return Err(ReadError::TooLarge(Bound::Attributes));
        }
        if tag.default || tag.declared > 0 {
            self.compared = self.compared.saturating_add(pairs(self.prefixes + 1));
        }
        // And its own name is made.
        let names = pairs(tag.prefixed).saturating_add(tag.prefixed);
        self.resolved = self.resolved.saturating_add(names.saturating_mul(self.longest));
        if self.compared > COMPARED || self.resolved > RESOLVED {
            return Err(ReadError::TooLarge(Bound::Namespaces));
        }
        Ok(())
    }

    fn attribute(&mut self, tag: &mut Tag) -> Result<(), ReadError> {
        tag.attributes += 1;
        if tag.attributes > self.limits.attributes {
            return Err(ReadError::TooLarge(Bound::Attributes));
        }
        self.node()?;
        let name = self.name()?;
        self.skip_space();
        if !self.skip(b"=") {
            return Err(ReadError::NotWellFormed);
        }
        self.skip_space();
        let length = self.value()?;

        if name == b"xmlns" {
            // XML 1.0 §3.1; roxmltree would take the first of two.
            if tag.default {
                return Err(ReadError::NotWellFormed);
            }
            tag.default = true;
            self.longest = self.longest.max(length);
        } else if let Some(prefix) = name.strip_prefix(b"xmlns:") {
            // Namespaces in XML §2.2 and §3: a prefix can't be unbound, and `xmlns` is nobody's to declare.
            if length == 0 || prefix == b"xmlns" {
                return Err(ReadError::NotWellFormed);
            }
            tag.declared += 1;
            self.prefixes += 1;
            if self.prefixes > PREFIXES {
                return Err(ReadError::TooLarge(Bound::Namespaces));
            }
            self.longest = self.longest.max(length);
        } else if name.contains(&b':') {
            // roxmltree would take `p:xmlns` for a declaration. No protocol has an attribute of that name.
            if name.ends_with(b":xmlns") {
                return Err(ReadError::TooLarge(Bound::Namespaces));
            }
            tag.prefixed += 1;
        }
        Ok(())
    }

    /// A quoted value; says its length in bytes as written, which is never less than its length as meant.
    fn value(&mut self) -> Result<usize, ReadError> {
        let quote = match self.next() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(ReadError::NotWellFormed),
        };
        let start = self.pos;
        loop {
            self.pass(|byte| byte != quote && byte != b'&' && byte != b'<');
            match self.next() {
                Some(b'&') => self.reference()?,
                Some(b'<') | None => return Err(ReadError::NotWellFormed),
                Some(_) => return Ok(self.pos - start - 1),
            }
        }
    }

    /// What may stand in a document, though not in a frame: passed over up to its end.
    fn aside(&mut self, end: &[u8], what: Restricted) -> Result<(), ReadError> {
        if !self.limits.asides {
            return Err(ReadError::Restricted(what));
        }
        self.node()?;
        // Past "<!--" or "<?", so that "<!-->" is no comment.
        self.pos += if what == Restricted::Comment { 4 } else { 2 };
        while !self.skip(end) {
            self.next().ok_or(ReadError::NotWellFormed)?;
        }
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), ReadError> {
        let Some(declared) = self.open.pop() else {
            return Err(ReadError::NotWellFormed);
        };
        self.prefixes -= declared;
        self.pass(|byte| byte != b'>');
        self.next().map(drop).ok_or(ReadError::NotWellFormed)
    }

    fn text(&mut self) -> Result<(), ReadError> {
        if self.open.is_empty() {
            // XML 1.0 §2.8: nothing but space beside the root.
            return if self.skip_space() {
                Ok(())
            } else {
                Err(ReadError::NotWellFormed)
            };
        }
        self.node()?;
        loop {
            self.pass(|byte| byte != b'<' && byte != b'&');
            if !self.skip(b"&") {
                return Ok(());
            }
            self.reference()?;
        }
    }

    /// A CDATA section, ended by the first `]]>` (XML 1.0 §2.7).
    fn section(&mut self) -> Result<(), ReadError> {
        if self.open.is_empty() {
            return Err(ReadError::NotWellFormed);
        }
        self.node()?;
        loop {
            self.pass(|byte| byte != b'>');
            let behind = self.bytes.get(..self.pos).is_some_and(|text| text.ends_with(b"]]"));
            self.next().ok_or(ReadError::NotWellFormed)?;
            if behind {
                return Ok(());
            }
        }
    }

    /// What follows `&`, up to the `;`.
    fn reference(&mut self) -> Result<(), ReadError> {
        let start = self.pos;
        self.pass(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'-' | b'.' | b':' | 0x80..));
        let name = self.since(start);
        if self.next() != Some(b';') {
            return Err(ReadError::NotWellFormed);
        }
        match name {
            b"amp" | b"lt" | b"gt" | b"quot" | b"apos" => Ok(()),
            [b'#', b'x', digits @ ..] => character(digits, 16),
            [b'#', digits @ ..] => character(digits, 10),
            [] => Err(ReadError::NotWellFormed),
            // RFC 6120 §11.1: no entity but the predefined.
            _ => Err(ReadError::Restricted(Restricted::Entity)),
        }
    }

    /// A name as far as it matters here; its characters are roxmltree's to check.
    fn name(&mut self) -> Result<&'a [u8], ReadError> {
        let start = self.pos;
        self.pass(|byte| {
            !matches!(
                byte,
                b' ' | b'\t' | b'\n' | b'\r' | b'=' | b'/' | b'>' | b'<' | b'"' | b'\''
            )
        });
        match self.since(start) {
            // roxmltree would take `:a` for `a`.
            [] | [b':', ..] => Err(ReadError::NotWellFormed),
            name => Ok(name),
        }
    }

    fn node(&mut self) -> Result<(), ReadError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            Err(ReadError::TooLarge(Bound::Nodes))
        } else {
            Ok(())
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    fn at(&self, text: &[u8]) -> bool {
        self.bytes.get(self.pos..).is_some_and(|rest| rest.starts_with(text))
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        let there = self.at(text);
        if there {
            self.pos += text.len();
        }
        there
    }

    fn skip_space(&mut self) -> bool {
        let start = self.pos;
        self.pass(is_space);
        self.pos > start
    }

    /// Goes past the bytes for which this holds.
    fn pass(&mut self, holds: impl Fn(u8) -> bool) {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        self.pos += rest.iter().position(|byte| !holds(*byte)).unwrap_or(rest.len());
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.pos).unwrap_or_default()
    }
}

/// What one start tag has so far.
#[derive(Default)]
struct Tag {
    /// All attributes, declarations among them.
    attributes: usize,
    /// Those with a prefix.
    prefixed: usize,
    /// Declarations of a prefix.
    declared: usize,
    /// Whether it declares the default namespace.
    default: bool,
}

fn pairs(n: usize) -> usize {
    n.saturating_mul(n.saturating_sub(1)) / 2
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// XML 1.0 §4.1: a reference may name only what XML can carry. roxmltree would read a surrogate as U+FFFD.
fn character(digits: &[u8], radix: u32) -> Result<(), ReadError> {
    let mut code = 0u32;
    for digit in digits {
        let digit = char::from(*digit).to_digit(radix).ok_or(ReadError::NotWellFormed)?;
        code = code.saturating_mul(radix).saturating_add(digit);
    }
    match char::from_u32(code) {
        Some(c) if is_xml_char(c) => Ok(()),
        _ => Err(ReadError::NotWellFormed),
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests;
