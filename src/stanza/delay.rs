//! Delayed delivery, XEP-0203 2.0: when a stanza was first sent, if that was not just now.

use crate::xml::Element;

/// A point in time as XEP-0082 writes it, such as `2002-09-10T23:08:25Z`. JavaScript gets it as a `Date`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp(pub String);

impl Stamp {
    /// The text, where it has the shape of XEP-0082 §3.2; whether such a day exists is for the calendar of the edge to say.
    pub fn parse(text: &str) -> Option<Stamp> {
        let shape = |b: &[u8]| b.get(4) == Some(&b'-') && b.get(10) == Some(&b'T') && b.is_ascii() && b.len() <= 40;
        shape(text.as_bytes()).then(|| Stamp(text.to_owned()))
    }
}

/// When the stanza was first sent, as far as it says. Nothing vouches for it: a sender can claim any time.
pub fn delay(stanza: &Element) -> Option<Stamp> {
    Stamp::parse(stanza.child("delay", "urn:xmpp:delay")?.attr("stamp")?)
}

#[cfg(not(target_arch = "wasm32"))]
impl serde::Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
