//! A frame in, an [`Element`] out.
//!
//! Specs: RFC 7395 §3.3.3 (October 2014), RFC 6120 §11 (March 2011), XML 1.0 and Namespaces in XML 1.0.
//!
//! Three steps: the linear pass (`scan.rs`), roxmltree on the frame, and its borrowed tree copied into an owned one.
//! Left out: the place of an error in the frame, since nobody mends a frame by hand.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use roxmltree::{Document, Error};

use super::XML_NAMESPACE;
use super::element::{Element, Namespace, Node};
use super::scan::scan;

/// How many different namespaces a frame may name. A stanza with a dozen payloads names a dozen.
const NAMESPACES: usize = 512;

/// What a frame may cost. The defaults bound the time and memory of frames that are made to be expensive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most bytes, as UTF-8. Default: 1 MiB; servers take stanzas of half as much at most, and make longer ones only
    /// of rosters and lists.
    pub bytes: usize,
    /// The most levels of elements; no more than [`MAX_DEPTH`](super::MAX_DEPTH) whatever it says. Default: 64; a
    /// forwarded message in an archive result with formatted text has about 15.
    pub depth: usize,
    /// The most attributes of one element, declarations of namespaces among them. Default: 64; XMPP's own elements
    /// have up to ten.
    pub attributes: usize,
    /// The most elements, attributes, declarations, texts and CDATA sections together. Default: 32,768, a roster of
    /// 5,000 contacts with names and groups. Twice as many `<`, `=`, `&` and carriage returns may be there, in
    /// texts too.
    pub nodes: usize,
    /// Whether comments and processing instructions are passed over, as in any XML document, or refused, as in a
    /// stream (RFC 6120 §11.1). Default: refused.
    pub asides: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 1 << 20,
            depth: 64,
            attributes: 64,
            nodes: 1 << 15,
            asides: false,
        }
    }
}

/// Reads a frame that holds one element.
///
/// An XML declaration before it and white space around it are allowed.
///
/// # Errors
///
/// The frame isn't one well-formed element, it uses XML that XMPP bans, or it passes a limit.
pub fn read(frame: &str, limits: &Limits) -> Result<Element, ReadError> {
    scan(frame, limits)?;
    let frame = normalise(frame);
    let document = Document::parse(&frame).map_err(|error| match error {
        Error::NodesLimitReached | Error::AttributesLimitReached => ReadError::TooLarge(Bound::Nodes),
        Error::NamespacesLimitReached => ReadError::TooLarge(Bound::Namespaces),
        _ => ReadError::NotWellFormed,
    })?;
    convert(document.root_element())
}

/// XML 1.0 §2.11: a line feed alone ends a line. Done here, since roxmltree leaves the carriage return that stands
/// before a reference.
fn normalise(frame: &str) -> Cow<'_, str> {
    if !frame.contains('\r') {
        return Cow::Borrowed(frame);
    }
    let mut out = String::with_capacity(frame.len());
    for (n, piece) in frame.split('\r').enumerate() {
        if n == 0 {
            out.push_str(piece);
        } else {
            out.push('\n');
            out.push_str(piece.strip_prefix('\n').unwrap_or(piece));
        }
    }
    Cow::Owned(out)
}

/// Copies the tree, with a stack of its own in place of recursion.
fn convert(root: roxmltree::Node<'_, '_>) -> Result<Element, ReadError> {
    let mut names = Namespaces(Vec::new());
    let mut open = Vec::with_capacity(8);
    let mut element = names.start(root)?;
    let mut next = root.first_child();
    loop {
        match next {
            Some(node) if node.is_element() => {
                open.push((element, node.next_sibling()));
                element = names.start(node)?;
                next = node.first_child();
            }
            Some(node) => {
                if let Some(text) = node.text().filter(|_| node.is_text()) {
                    element.push(Node::Text(text.to_owned()));
                }
                next = node.next_sibling();
            }
            None => {
                let Some((mut parent, sibling)) = open.pop() else {
                    return Ok(element);
                };
                parent.0.children.push(Node::Element(element));
                (element, next) = (parent, sibling);
            }
        }
    }
}

/// The namespaces of a frame, each held once however many elements are in it, in the order of their addresses:
/// roxmltree keeps each at one.
struct Namespaces(Vec<(usize, Namespace)>);

impl Namespaces {
    fn start(&mut self, node: roxmltree::Node<'_, '_>) -> Result<Element, ReadError> {
        let tag = node.tag_name();
        let mut element = Element::new(tag.name().to_owned(), self.get(tag.namespace().unwrap_or_default())?);
        let attributes = node.attributes();
        element.0.attrs.reserve_exact(attributes.len());
        for attribute in attributes {
            let local = attribute.name();
            let name = match attribute.namespace() {
                None => local.to_owned(),
                Some(XML_NAMESPACE) => ["xml:", local].concat(),
                Some(ns) => ["{", ns, "}", local].concat(),
            };
            // roxmltree has refused duplicates.
            element.0.attrs.push((Cow::Owned(name), attribute.value().to_owned()));
        }
        Ok(element)
    }

    fn get(&mut self, name: &str) -> Result<Namespace, ReadError> {
        if name.is_empty() {
            return Ok(Namespace::from(""));
        }
        let address = name.as_ptr().addr();
        match self.0.binary_search_by_key(&address, |(known, _)| *known) {
            Ok(at) => self
                .0
                .get(at)
                .map(|(_, namespace)| namespace.clone())
                .ok_or(ReadError::NotWellFormed),
            Err(_) if self.0.len() >= NAMESPACES => Err(ReadError::TooLarge(Bound::Namespaces)),
            Err(at) => {
                let namespace = Namespace::from(Rc::<str>::from(name));
                self.0.insert(at, (address, namespace.clone()));
                Ok(namespace)
            }
        }
    }
}

/// Why a frame was refused. After any of these the stream is closed (RFC 6120 §4.9.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// Not XML, or not by the rules of namespaces.
    NotWellFormed,
    /// More than one element in the frame (RFC 7395 §3.3.3).
    TwoRoots,
    /// XML that XMPP bans (RFC 6120 §11.1).
    Restricted(Restricted),
    /// Well-formed, but in a namespace that has no place there.
    Namespace,
    /// Past one of the [`Limits`].
    TooLarge(Bound),
}

/// What RFC 6120 §11.1 bans from a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restricted {
    /// A document type declaration.
    Dtd,
    /// A processing instruction.
    ProcessingInstruction,
    /// A comment.
    Comment,
    /// A reference to an entity other than the five predefined ones.
    Entity,
}

/// Which bound a frame passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// [`Limits::bytes`].
    Bytes,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::attributes`], or too many elements with many attributes.
    Attributes,
    /// [`Limits::nodes`].
    Nodes,
    /// Too many namespaces, prefixes, or attributes in namespaces with long names.
    Namespaces,
}

impl ReadError {
    /// The stream error to close the stream with.
    pub fn condition(&self) -> &'static str {
        match self {
            // RFC 6120 §4.9.3.13, the rules of namespaces among them
            ReadError::NotWellFormed | ReadError::TwoRoots => "not-well-formed",
            // RFC 6120 §4.9.3.18
            ReadError::Restricted(_) => "restricted-xml",
            // RFC 6120 §4.9.3.10, RFC 7395 §3.3.2
            ReadError::Namespace => "invalid-namespace",
            // RFC 6120 §4.9.3.14
            ReadError::TooLarge(_) => "policy-violation",
        }
    }

    /// What is wrong, for people.
    pub fn text(&self) -> &'static str {
        match self {
            ReadError::NotWellFormed => "it is not one well-formed XML element",
            ReadError::TwoRoots => "it holds more than one element",
            ReadError::Restricted(Restricted::Dtd) => "it has a document type declaration",
            ReadError::Restricted(Restricted::ProcessingInstruction) => "it has a processing instruction",
            ReadError::Restricted(Restricted::Comment) => "it has a comment",
            ReadError::Restricted(Restricted::Entity) => "it refers to an entity that XML does not predefine",
            ReadError::Namespace => "its namespace has no place in this stream",
            ReadError::TooLarge(Bound::Bytes) => "it is too long",
            ReadError::TooLarge(Bound::Depth) => "it is nested too deeply",
            ReadError::TooLarge(Bound::Attributes) => "it has too many attributes",
            ReadError::TooLarge(Bound::Nodes) => "it has too many elements, attributes or texts",
            ReadError::TooLarge(Bound::Namespaces) => "it has too many namespaces",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for ReadError {}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests;
