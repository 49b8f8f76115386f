//! An [`Element`] in, a frame out.
//!
//! Specs: XML 1.0 §2.2, §2.4 and §3.3.3, Namespaces in XML 1.0 §6.
//!
//! Every name and every character is checked, so that no string of a caller's can become markup. The element declares
//! its own default namespace, as RFC 7395 §3.3.3 asks, and so does every descendant whose namespace differs from its
//! parent's. Left out: prefixes for elements, CDATA sections, indentation.

use std::fmt;

use crate::decimal::decimal;

use super::element::{Element, Node};
use super::{MAX_DEPTH, XML_NAMESPACE, XMLNS_NAMESPACE, is_ncname, is_xml_char};

/// The most bytes of a frame: no server takes a tenth of it. An element as it was read can be longer when written,
/// since a namespace declared once may have to be declared for every element in it.
const BYTES: usize = 8 << 20;

/// Writes the element as a frame of its own.
///
/// # Errors
///
/// XML can't carry the element: see [`WriteError`].
pub fn write(element: &Element) -> Result<String, WriteError> {
    let mut out = String::new();
    write_element(&mut out, element, "", 1)?;
    Ok(out)
}

fn write_element(out: &mut String, element: &Element, parent_ns: &str, depth: usize) -> Result<(), WriteError> {
    if depth > MAX_DEPTH {
        return Err(WriteError::Depth);
    }
    let (name, ns) = (element.name(), element.ns());
    if !is_ncname(name) {
        return Err(WriteError::ElementName);
    }
    out.push('<');
    out.push_str(name);
    if ns != parent_ns {
        // Namespaces in XML §3: neither may be the default.
        if ns == XML_NAMESPACE || ns == XMLNS_NAMESPACE {
            return Err(WriteError::Namespace);
        }
        write_attribute(out, "xmlns", ns)?;
    }
    let mut foreign = Vec::new();
    for (name, value) in element.attrs() {
        match split(name)? {
            Name::Plain => write_attribute(out, name, value)?,
            Name::Foreign(ns, local) => {
                let known = foreign.iter().position(|known| *known == ns);
                let prefix = ["n", &decimal(known.unwrap_or(foreign.len()) as i64)].concat();
                if known.is_none() {
                    write_attribute(out, &["xmlns:", &prefix].concat(), ns)?;
                    foreign.push(ns);
                }
                write_attribute(out, &[&prefix, ":", local].concat(), value)?;
            }
        }
    }
    if element.nodes().is_empty() {
        out.push_str("/>");
    } else {
        out.push('>');
        for node in element.nodes() {
            match node {
                Node::Element(child) => write_element(out, child, ns, depth + 1)?,
                Node::Text(text) => escape(out, text, false)?,
            }
        }
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
    if out.len() > BYTES {
        Err(WriteError::Length)
    } else {
        Ok(())
    }
}

fn write_attribute(out: &mut String, name: &str, value: &str) -> Result<(), WriteError> {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value, true)?;
    out.push('"');
    Ok(())
}

enum Name<'a> {
    /// Written as it is: a local name, or one with the prefix `xml`, which needs no declaration.
    Plain,
    /// Namespace and local name.
    Foreign(&'a str, &'a str),
}

/// Checks an attribute's name.
fn split(name: &str) -> Result<Name<'_>, WriteError> {
    if let Some(clark) = name.strip_prefix('{') {
        // A namespace may have a brace in it, a local name can't.
        let Some((ns, local)) = clark.rsplit_once('}') else {
            return Err(WriteError::AttributeName);
        };
        // `xml:` has one spelling here, lest it be written twice; `xmlns` is not for attributes; and there is no
        // prefix for no namespace (Namespaces in XML §2.2 and §3). The reader takes no `p:xmlns`.
        if ns.is_empty() || ns == XML_NAMESPACE || ns == XMLNS_NAMESPACE || local == "xmlns" || !is_ncname(local) {
            return Err(WriteError::AttributeName);
        }
        return Ok(Name::Foreign(ns, local));
    }
    let local = name.strip_prefix("xml:").unwrap_or(name);
    // An element's namespace is set on the element, never by an attribute. `xmlns:a` isn't a local name.
    if local == "xmlns" || !is_ncname(local) {
        return Err(WriteError::AttributeName);
    }
    Ok(Name::Plain)
}

/// Appends the text so that a parser reads it back as it is.
fn escape(out: &mut String, text: &str, attribute: bool) -> Result<(), WriteError> {
    out.reserve(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // In a text `]]>` may not stand (XML 1.0 §2.4).
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Would be read as a line feed (XML 1.0 §2.11).
            '\r' => out.push_str("&#13;"),
            // Would be read as a space (XML 1.0 §3.3.3).
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            c if is_xml_char(c) => out.push(c),
            _ => return Err(WriteError::Character),
        }
    }
    Ok(())
}

/// Why an element can't be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// An element's name isn't an XML name, or has a prefix.
    ElementName,
    /// An attribute's name isn't one that [`Element`] describes, or declares a namespace.
    AttributeName,
    /// An element is in a namespace that is XML's own.
    Namespace,
    /// A value, a text or a namespace has a character that XML has no way to write.
    Character,
    /// More than [`MAX_DEPTH`] levels.
    Depth,
    /// More than 8 MiB.
    Length,
}

impl WriteError {
    /// What is wrong, for people.
    pub fn text(&self) -> &'static str {
        match self {
            WriteError::ElementName => "an element's name must be an XML name without a prefix",
            WriteError::AttributeName => {
                "an attribute's name must be an XML name without a prefix, and a namespace is not declared by an attribute"
            }
            WriteError::Namespace => "an element can't be in a namespace that is XML's own",
            WriteError::Character => {
                "XML can't carry control characters (other than tab, line feed and carriage return), U+FFFE or U+FFFF"
            }
            WriteError::Depth => "the element is nested too deeply",
            WriteError::Length => "the element is too long",
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for WriteError {}

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
    use crate::xml::{Limits, Namespace, read};

    fn element(name: &'static str) -> Element {
        Element::new(name, "urn:x")
    }

    #[test]
    fn a_message() {
        let message = Element::new("message", "jabber:client")
            .with_attr("to", "bob@example.org")
            .with_attr("xml:lang", "en")
            .with_child(Element::new("body", "jabber:client").with_text("<&\"'> 🦀"))
            .with_child(Element::new("request", "urn:xmpp:receipts"))
            .with_child(Element::new("none", ""));
        assert_eq!(
            write(&message).unwrap(),
            "<message xmlns=\"jabber:client\" to=\"bob@example.org\" xml:lang=\"en\">\
             <body>&lt;&amp;&quot;&apos;&gt; 🦀</body><request xmlns=\"urn:xmpp:receipts\"/><none xmlns=\"\"/></message>"
        );
        assert_eq!(write(&Element::new("a", "")).unwrap(), "<a/>");
    }

    #[test]
    fn xml_3_3_3_white_space_survives() {
        let a = Element::new("a", "").with_attr("b", " \t\r\n ").with_text(" \t\r\n ");
        assert_eq!(write(&a).unwrap(), "<a b=\" &#9;&#13;&#10; \"> \t&#13;\n </a>");
    }

    #[test]
    fn an_attribute_in_a_namespace_gets_a_prefix() {
        let a = Element::new("a", "urn:x")
            .with_attr("{urn:y}b", "1")
            .with_attr("{urn:{z}}b", "2")
            .with_attr("{urn:y}c", "3")
            .with_attr("b", "4");
        let frame = write(&a).unwrap();
        assert_eq!(
            frame,
            "<a xmlns=\"urn:x\" xmlns:n0=\"urn:y\" n0:b=\"1\" xmlns:n1=\"urn:{z}\" n1:b=\"2\" n0:c=\"3\" b=\"4\"/>"
        );
        assert_eq!(read(&frame, &Limits::default()).unwrap(), a);
    }

    #[test]
    fn no_name_can_become_markup() {
        for name in [
            "",
            "a b",
            "a/",
            "a><b",
            "a:b",
            "1a",
            "a\0",
            "!--",
            "?a",
            "a='b'",
            "a\u{FFFE}",
        ] {
            assert_eq!(write(&element(name)), Err(WriteError::ElementName), "{name:?}");
            assert_eq!(
                write(&element("a").with_attr(name, "")),
                Err(WriteError::AttributeName),
                "{name:?}"
            );
        }
        for name in [
            "xmlns",
            "xmlns:a",
            "xml:",
            "xml:a b",
            "xml:xmlns",
            "xml:a:b",
            "{urn:y",
            "{urn:y}",
            "{urn:y}a b",
            "{urn:y}a:b",
            "{urn:y}xmlns",
            "{}a",
            "{http://www.w3.org/2000/xmlns/}a",
            "{http://www.w3.org/XML/1998/namespace}lang",
        ] {
            assert_eq!(
                write(&element("a").with_attr(name, "")),
                Err(WriteError::AttributeName),
                "{name:?}"
            );
        }
        // Through values, texts and namespaces neither.
        let tricky = "\"'/><b xmlns='urn:evil'/>]]>&lt;<!--";
        let a = Element::new("a", Namespace::from(tricky.to_owned()))
            .with_attr("b", tricky)
            .with_attr(["{", tricky, "}c"].concat(), tricky)
            .with_text(tricky);
        assert_eq!(read(&write(&a).unwrap(), &Limits::default()).unwrap(), a);
    }

    #[test]
    fn xml_2_2_what_xml_cannot_carry_is_refused() {
        for c in ['\0', '\u{1}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            let text = format!("a{c}b");
            for a in [
                element("a").with_text(text.clone()),
                element("a").with_attr("b", text.clone()),
                element("a").with_attr(format!("{{{text}}}b"), ""),
                Element::new("a", text.clone()),
                element("a").with_child(element("b").with_text(text.clone())),
            ] {
                assert_eq!(write(&a), Err(WriteError::Character), "{c:?}");
            }
        }
        assert!(write(&element("a").with_text("\u{7F}\u{85}\u{FFFD}\u{10FFFF}")).is_ok());
        for ns in [XML_NAMESPACE, XMLNS_NAMESPACE] {
            assert_eq!(write(&Element::new("a", ns)), Err(WriteError::Namespace));
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nest = |levels: usize| (1..levels).fold(element("a"), |child, _| element("a").with_child(child));
        assert!(write(&nest(MAX_DEPTH)).is_ok());
        assert_eq!(write(&nest(MAX_DEPTH + 1)), Err(WriteError::Depth));

        // One name of 100 kB, written a hundred times.
        let ns = Namespace::from("n".repeat(100_000));
        let mut root = element("a");
        for _ in 0..100 {
            root.push(Node::Element(Element::new("b", &ns)));
        }
        assert_eq!(write(&root), Err(WriteError::Length));
    }
}
