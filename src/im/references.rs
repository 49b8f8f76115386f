//! References, XEP-0372 0.5.0 (9 December 2020): what a part of a text is about, such as who is mentioned. Places in texts are
//! counted as XEP-0426 says (`positions.rs`).
//!
//! Left out: files described inside of a reference (XEP-0385), which XEP-0447 has taken the place of.

use super::{Payload, feature, oob, positions, typescript};
use crate::error::Error;
use crate::given::Arg;
use crate::xml::Element;
use serde::Serialize;

const REFERENCE: &str = "urn:xmpp:reference:0";

/// How many of them are read of a message.
const MOST: usize = 50;

typescript!(
    r#"
/**
 * What a part of a text, or the message, is about.
 *
 * @example
 * const body = "Ask Juliet!";
 * await client.send({
 *   to: "room@rooms.example.org",
 *   type: "groupchat",
 *   body,
 *   references: [{ type: "mention", uri: "xmpp:juliet@example.org", begin: 4, end: 10 }],
 * });
 */
export interface Reference {
  /** `"mention"` of somebody, `"data"`, or another. */
  type: string;
  /** Of what: `xmpp:juliet@example.org`, or any other URI. Look at its scheme before you follow it. */
  uri: string;
  /** Where it is in the body, if anywhere: `body.slice(begin, end)`. */
  begin?: number;
  end?: number;
  /** The message that the part is in, where that is another; then `begin` and `end` count the code points of its body. */
  anchor?: string;
}
"#
);

feature::carried! {
    /// Says what a text is about.
    Referring, [REFERENCE]
}

/// What a part of a text is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reference {
    /// What kind of thing.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub uri: String,
    /// Where the part begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin: Option<u32>,
    /// And where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<u32>,
    /// In which other message it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
}

/// References: at least one, and 50 at most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct References(pub Vec<Reference>);

const ENDS: [&str; 2] = ["begin", "end"];

impl Payload for References {
    const EVENT: &'static str = "message";

    fn read(message: &Element) -> Option<References> {
        let body = positions::body(message);
        let read = |element: &Element| {
            // §3.1: both are needed.
            let (kind, uri) = (element.attr("type")?, element.attr("uri")?);
            if kind.is_empty() || !oob::is_uri(uri) {
                return None;
            }
            let anchor = element.attr("anchor").map(str::to_owned);
            let range = match (&anchor, ENDS.map(|name| element.attr(name))) {
                (_, [None, None]) => None,
                (None, _) => Some(positions::read(&body, element, ENDS)?),
                (Some(_), numbers) => Some(as_they_are(numbers)?),
            };
            Some(Reference {
                kind: kind.to_owned(),
                uri: uri.to_owned(),
                begin: range.map(|[begin, _]| begin),
                end: range.map(|[_, end]| end),
                anchor,
            })
        };
        feature::some(message.all("reference", REFERENCE), MOST, &read).map(References)
    }

    fn given(given: &Arg) -> Result<References, Error> {
        let mut all = Vec::new();
        for one in given.list()? {
            let reference = Reference {
                kind: one.of("type", Arg::text)?,
                uri: one.of("uri", oob::uri)?,
                begin: one.of("begin", positions::given)?,
                end: one.of("end", positions::given)?,
                anchor: one.text_of("anchor")?,
            };
            match (reference.begin, reference.end) {
                (None, None) => {}
                (Some(begin), Some(end)) if begin <= end => {}
                _ => return Err(one.wrong("an object with both `begin` and `end`, or neither")),
            }
            all.push(reference);
        }
        Ok(References(all))
    }

    fn write(&self, mut message: Element) -> Element {
        let body = positions::body(&message);
        for reference in &self.0 {
            let mut element = Element::new("reference", REFERENCE)
                .with_attr("type", reference.kind.as_str())
                .with_attr("uri", reference.uri.as_str())
                .with_opt_attr("anchor", reference.anchor.as_deref());
            if let (Some(begin), Some(end)) = (reference.begin, reference.end) {
                element = match &reference.anchor {
                    None => positions::write(&body, element, ENDS, [begin, end]),
                    Some(_) => {
                        let number = |place: u32| crate::decimal::decimal(place.into());
                        element.with_attr(ENDS[0], number(begin)).with_attr(ENDS[1], number(end))
                    }
                };
            }
            message = message.with_child(element);
        }
        message
    }
}

/// Places in a text that isn't here.
fn as_they_are([begin, end]: [Option<&str>; 2]) -> Option<[u32; 2]> {
    let range = [begin?.trim().parse().ok()?, end?.trim().parse().ok()?];
    (range[0] <= range[1]).then_some(range)
}
