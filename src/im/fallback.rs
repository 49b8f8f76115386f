//! Fallback Indication, XEP-0428 0.2.1 (20 March 2024): which part of a text is only for those who don't know something else that
//! the message says. Places in texts are counted as XEP-0426 says (`positions.rs`).
//!
//! Left out: taking those parts out of the text, which is the app's to decide.

use super::{Message, Payload, feature, positions, typescript};
use crate::error::Error;
use crate::given::{Arg, Look};
use crate::stream::ns;
use crate::xml::Element;
use serde::{Serialize, Serializer};

const FALLBACK: &str = "urn:xmpp:fallback:0";

/// How many of them, and parts in all of them together, are read of a message.
const MOST: usize = 20;

typescript!(
    r#"
/**
 * A part of a message's texts that is only for clients which don't know what stands in `for`: show it where you don't show that.
 * What has several parts in one text stands there several times.
 *
 * @example
 * const quote = "> Cake?\n";
 * await client.reply(message, {
 *   body: quote + "Great idea!",
 *   fallback: [{ for: "urn:xmpp:reply:0", body: { start: 0, end: quote.length } }],
 * });
 */
export interface Fallback {
  /** Mostly the namespace of the extension; empty where the sender doesn't say. */
  for: string;
  /** Which part of the body: all of it, or `body.slice(start, end)`. */
  body?: true | { start: number; end: number };
  /** The same of the subject. */
  subject?: true | { start: number; end: number };
}
"#
);

feature::carried! {
    /// Says what is only for those who don't know better.
    Fallen, [FALLBACK]
}

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// From one UTF-16 unit to another, which isn't in it.
    Range([u32; 2]),
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Range {
            start: u32,
            end: u32,
        }
        match *self {
            Part::Whole => serializer.serialize_bool(true),
            Part::Range([start, end]) => Range { start, end }.serialize(serializer),
        }
    }
}

/// A part that stands in for something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fallback {
    /// For what.
    #[serde(rename = "for")]
    pub what: String,
    /// Of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Part>,
    /// Of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Part>,
}

/// Such parts: at least one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fallbacks(pub Vec<Fallback>);

impl Fallbacks {
    /// All that the message says in words.
    pub(super) fn whole(what: &str) -> Fallbacks {
        Fallbacks(vec![Fallback {
            what: what.to_owned(),
            body: Some(Part::Whole),
            subject: Some(Part::Whole),
        }])
    }
}

impl Message {
    /// Whether its text stands in for this and nothing else (§2.2).
    pub(super) fn stands_in(&self, what: &str) -> bool {
        let whole = |fallback: &Fallback| fallback.what == what && fallback.body == Some(Part::Whole);
        let all = self.fallback.as_ref().filter(|_| !what.is_empty());
        all.is_some_and(|all| all.0.iter().any(whole))
    }
}

impl Payload for Fallbacks {
    fn read(message: &Element) -> Option<Fallbacks> {
        let mut all = Vec::new();
        // Of what is looked at, not of what can be read: it is as much work either way.
        let mut left = MOST;
        let mut texts = None;
        for element in message.all("fallback", FALLBACK).take(MOST) {
            let what = element.attr("for").unwrap_or_default();
            if element.children().next().is_none() {
                all.extend(Fallbacks::whole(what).0);
            }
            for part in element.children().take(left) {
                left -= 1;
                let texts = texts.get_or_insert_with(|| TEXTS.map(|name| message.child_text(name, ns::CLIENT)));
                all.extend(read_part(texts, part, what));
            }
        }
        all.truncate(MOST);
        if all.is_empty() { None } else { Some(Fallbacks(all)) }
    }

    fn given(given: &Arg) -> Result<Fallbacks, Error> {
        let mut all = Vec::new();
        for one in given.list()? {
            all.push(Fallback {
                what: one.of("for", Arg::text)?,
                body: one.of("body", given_part)?,
                subject: one.of("subject", given_part)?,
            });
        }
        Ok(Fallbacks(all))
    }

    fn write(&self, mut message: Element) -> Element {
        for fallback in &self.0 {
            let mut element = Element::new("fallback", FALLBACK).with_attr("for", fallback.what.as_str());
            let parts = [("body", fallback.body), ("subject", fallback.subject)];
            let whole = parts.iter().all(|(_, part)| *part == Some(Part::Whole));
            for (name, part) in parts.into_iter().filter(|_| !whole) {
                let Some(part) = part else { continue };
                let child = Element::new(name, FALLBACK);
                element = element.with_child(match part {
                    Part::Whole => child,
                    Part::Range(range) => {
                        let text = message.child_text(name, ns::CLIENT).unwrap_or_default();
                        positions::write(&text, child, ENDS, range)
                    }
                });
            }
            message = message.with_child(element);
        }
        message
    }
}

const ENDS: [&str; 2] = ["start", "end"];

/// What a part can be of.
const TEXTS: [&str; 2] = ["body", "subject"];

fn read_part([body, subject]: &[Option<String>; 2], part: &Element, what: &str) -> Option<Fallback> {
    let is_body = part.is("body", FALLBACK);
    if !is_body && !part.is("subject", FALLBACK) {
        return None;
    }
    let place = match ENDS.map(|name| part.attr(name)) {
        [None, None] => Part::Whole,
        _ => {
            let text = if is_body { body } else { subject };
            Part::Range(positions::read(text.as_deref()?, part, ENDS)?)
        }
    };
    Some(Fallback {
        what: what.to_owned(),
        body: Some(place).filter(|_| is_body),
        subject: Some(place).filter(|_| !is_body),
    })
}

fn given_part(given: &Arg) -> Result<Option<Part>, Error> {
    match given.look()? {
        Look::Absent | Look::Flag(false) => Ok(None),
        Look::Flag(true) => Ok(Some(Part::Whole)),
        _ => {
            let [start, end] = ENDS.map(|name| given.of(name, positions::given));
            match (start?, end?) {
                (Some(start), Some(end)) if start <= end => Ok(Some(Part::Range([start, end]))),
                _ => Err(given.wrong("true, or an object with `start` and `end`")),
            }
        }
    }
}
