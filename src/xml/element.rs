//! The owned element: what a stanza is made from, and what an app is handed.
//!
//! Two elements are equal when they say the same in XML, up to the order of attributes: the prefixes, the quotes and
//! the sections that wrote them are gone, and two texts side by side are one. Left out: comments and processing
//! instructions, which XMPP bans (RFC 6120 §11.1).

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// An XML element. Its namespace is resolved: it never depends on where the element stands.
///
/// An attribute in no namespace goes by its local name, one of the prefix `xml` by `xml:lang` and the like, one in
/// any other namespace by the Clark name `{namespace}local`. Declarations of namespaces aren't attributes here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element(pub(super) Box<Fields>);

/// Boxed: an element is moved from hand to hand, and each move of all this would be code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fields {
    pub(super) name: Cow<'static, str>,
    pub(super) ns: Namespace,
    // No name twice: `set_attr` replaces, and the reader refuses duplicates.
    pub(super) attrs: Vec<(Cow<'static, str>, String)>,
    // No empty text, and no text beside a text: `push` merges.
    pub(super) children: Vec<Node>,
}

/// What an element holds: an element or a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data, unescaped.
    Text(String),
}

impl Element {
    /// An empty element. The name is checked when it is written: it must be an XML name without a prefix.
    pub fn new(name: impl Into<Cow<'static, str>>, ns: impl Into<Namespace>) -> Self {
        Element::make(name.into(), ns.into())
    }

    #[inline(never)]
    fn make(name: Cow<'static, str>, ns: Namespace) -> Self {
        Element(Box::new(Fields {
            name,
            ns,
            attrs: Vec::new(),
            children: Vec::new(),
        }))
    }

    /// With the attribute set, in place of one of that name.
    #[must_use]
    pub fn with_attr(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.set_attr(name, value);
        self
    }

    /// With the attribute set where there is a value.
    #[must_use]
    pub fn with_opt_attr(self, name: impl Into<Cow<'static, str>>, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with_attr(name, value),
            None => self,
        }
    }

    /// With one more child element, behind the others.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.0.children.push(Node::Element(child));
        self
    }

    /// With one more child element where there is one.
    #[must_use]
    pub fn with_opt_child(self, child: Option<Element>) -> Self {
        match child {
            Some(child) => self.with_child(child),
            None => self,
        }
    }

    /// With a text behind the other nodes, joined to the last where that is a text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.push(Node::Text(text.into()));
        self
    }

    /// Sets the attribute, in place of one of that name.
    pub fn set_attr(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.put_attr(name.into(), value.into());
    }

    #[inline(never)]
    fn put_attr(&mut self, name: Cow<'static, str>, value: String) {
        match self.0.attrs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.attrs.push((name, value)),
        }
    }

    /// Appends a node. An empty text adds nothing, and a text behind a text is joined to it.
    pub fn push(&mut self, node: Node) {
        match (self.0.children.last_mut(), node) {
            (_, Node::Text(text)) if text.is_empty() => {}
            (Some(Node::Text(last)), Node::Text(text)) => last.push_str(&text),
            (_, node) => self.0.children.push(node),
        }
    }

    /// The local name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The namespace; empty for none.
    pub fn ns(&self) -> &str {
        &self.0.ns
    }

    /// The namespace, to be cloned cheaply into another element.
    pub fn namespace(&self) -> &Namespace {
        &self.0.ns
    }

    /// Whether this is the element of that name in that namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.0.name == name && &*self.0.ns == ns
    }

    /// The attribute's value, unescaped and normalised.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.0
            .attrs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The attributes, name and value, as they were written.
    pub fn attrs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.attrs.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// All nodes in order.
    pub fn nodes(&self) -> &[Node] {
        &self.0.children
    }

    /// The child element, where there is one and nothing else.
    pub(crate) fn into_only(mut self) -> Option<Element> {
        match (self.0.children.pop(), self.0.children.is_empty()) {
            (Some(Node::Element(only)), true) => Some(only),
            _ => None,
        }
    }

    /// The child elements in order.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.0.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child of that name in that namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The direct text, that of child elements left out.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for node in &self.0.children {
            if let Node::Text(piece) = node {
                text.push_str(piece);
            }
        }
        text
    }

    /// The direct text of the first child of that name in that namespace.
    pub fn child_text(&self, name: &str, ns: &str) -> Option<String> {
        self.child(name, ns).map(Element::text)
    }
}

/// The name of a namespace: a constant of the program, or a text that the elements of a frame share.
#[derive(Clone)]
pub struct Namespace(Name);

#[derive(Clone)]
enum Name {
    Constant(&'static str),
    Shared(Rc<str>),
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Name::Constant(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl From<&'static str> for Namespace {
    fn from(name: &'static str) -> Self {
        Namespace(Name::Constant(name))
    }
}

impl From<String> for Namespace {
    fn from(name: String) -> Self {
        Namespace(Name::Shared(name.into()))
    }
}

impl From<Rc<str>> for Namespace {
    fn from(name: Rc<str>) -> Self {
        Namespace(Name::Shared(name))
    }
}

impl From<&Namespace> for Namespace {
    fn from(name: &Namespace) -> Self {
        name.clone()
    }
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Namespace {}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// As the edge makes it of JavaScript's: `{ name, attrs, children }`, with the namespace in `attrs.xmlns`.
#[cfg(not(target_arch = "wasm32"))]
impl serde::Serialize for Element {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut attrs: std::collections::BTreeMap<&str, &str> = self.attrs().collect();
        attrs.insert("xmlns", self.ns());
        let mut object = serializer.serialize_struct("Element", 3)?;
        object.serialize_field("name", self.name())?;
        object.serialize_field("attrs", &attrs)?;
        object.serialize_field("children", &self.0.children)?;
        object.end()
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl serde::Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Element(element) => element.serialize(serializer),
            Node::Text(text) => serializer.serialize_str(text),
        }
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
mod tests {
    use super::*;

    const CLIENT: &str = "jabber:client";

    fn message() -> Element {
        Element::new("message", CLIENT)
            .with_attr("to", "bob@example.org")
            .with_opt_attr("id", Some("a1"))
            .with_opt_attr("type", None::<String>)
            .with_text("one ")
            .with_child(Element::new("body", CLIENT).with_text("hi"))
            .with_opt_child(None)
            .with_opt_child(Some(Element::new("body", "urn:other").with_text("not this")))
            .with_text("two")
    }

    #[test]
    fn accessors() {
        let message = message();
        assert!(message.is("message", CLIENT));
        assert!(!message.is("message", ""));
        assert!(!message.is("presence", CLIENT));
        assert_eq!((message.name(), message.ns()), ("message", CLIENT));
        assert_eq!(message.attr("to"), Some("bob@example.org"));
        assert_eq!(message.attr("type"), None);
        assert_eq!(
            message.attrs().collect::<Vec<_>>(),
            [("to", "bob@example.org"), ("id", "a1")]
        );
        assert_eq!(message.children().count(), 2);
        assert_eq!(message.nodes().len(), 4);
        assert_eq!(message.text(), "one two");
        assert_eq!(message.child_text("body", CLIENT).as_deref(), Some("hi"));
        assert_eq!(message.child_text("body", "urn:other").as_deref(), Some("not this"));
        assert_eq!(message.child("body", "urn:none"), None);
        assert_eq!(message.child_text("body", "urn:none"), None);
    }

    #[test]
    fn an_attribute_is_there_once() {
        let mut message = message().with_attr("to", "carol@example.org");
        message.set_attr("id", "a2");
        assert_eq!(
            message.attrs().collect::<Vec<_>>(),
            [("to", "carol@example.org"), ("id", "a2")]
        );
    }

    #[test]
    fn texts_side_by_side_are_one() {
        let mut element = Element::new("a", "").with_text("").with_text("x").with_text("");
        element.push(Node::Text("y".to_owned()));
        assert_eq!(element.nodes(), [Node::Text("xy".to_owned())]);
        assert!(Element::new("a", "").with_text("").nodes().is_empty());
    }

    #[test]
    fn namespaces_compare_by_text() {
        let constant = Namespace::from("urn:x");
        let owned = Namespace::from(String::from("urn:x"));
        let shared = Namespace::from(Rc::<str>::from("urn:x"));
        assert_eq!(constant, owned);
        assert_eq!(owned, shared);
        assert_eq!(Element::new("a", owned), Element::new("a", &shared));
        assert_ne!(constant, Namespace::from("urn:y"));
    }
}
