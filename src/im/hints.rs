//! Message Processing Hints, XEP-0334 1.0.0 (17 April 2024): what servers and other clients may do with a message.
//!
//! Left out: nothing; what becomes of a hint is for those to decide who get it.

use super::carbons::CARBONS;
use super::{Payload, feature, typescript};
use crate::error::Error;
use crate::given::Arg;
use crate::xml::Element;
use serde::Serialize;

const HINTS: &str = "urn:xmpp:hints";

/// What hints there are.
const KINDS: [&str; 4] = ["no-permanent-store", "no-store", "no-copy", "store"];

typescript!(
    r#"
/**
 * What servers are asked to do with a message: to keep it in no archive, to keep it nowhere at all, to copy it to nobody else, or to
 * keep it though it may not look like it. `no-copy` counts to a full JID alone, and isn't sent to others. Nobody is bound to any.
 *
 * A message that no archive is to keep can't be looked up there either: see `delivery-unknown` at {@link Client.send}.
 *
 * @example
 * await client.send({ to: "bob@example.org", body: "psst", hints: ["no-permanent-store"] });
 */
export type Hint = "no-permanent-store" | "no-store" | "no-copy" | "store";
"#
);

feature::carried! {
    /// Hints at what to do with a message.
    Hinting, []
}

/// Hints, each once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Hints(pub Vec<&'static str>);

impl Hints {
    /// It is to be kept.
    pub(super) fn store() -> Hints {
        Hints(vec![KINDS[3]])
    }
}

impl Payload for Hints {
    const STAYS: bool = true;

    fn read(message: &Element) -> Option<Hints> {
        let hints = KINDS.into_iter().filter(|kind| message.child(kind, HINTS).is_some());
        let hints: Vec<_> = hints.collect();
        if hints.is_empty() { None } else { Some(Hints(hints)) }
    }

    fn given(given: &Arg) -> Result<Hints, Error> {
        let list = given.list()?;
        let mut hints = Vec::new();
        for hint in &list {
            let hint = hint.opt_one(&KINDS)?;
            hints.push(hint.ok_or_else(|| given.wrong("an array of hints"))?);
        }
        Ok(Hints(hints))
    }

    fn write(&self, mut message: Element) -> Element {
        let full = message.attr("to").is_some_and(|to| to.contains('/'));
        for hint in &self.0 {
            // §4.3: to full JIDs only.
            let fits = *hint != KINDS[2] || full;
            if fits && message.child(hint, HINTS).is_none() {
                message = message.with_child(Element::new(*hint, HINTS));
                if *hint == KINDS[2] {
                    // XEP-0280 §9: carbons have a mark of their own.
                    message = message.with_child(Element::new("private", CARBONS));
                }
            }
        }
        message
    }
}

/// With the hint that the message is to be kept, where nothing is said of that.
pub(super) fn stored(message: Element) -> Element {
    match Hints::read(&message) {
        Some(hints) if hints.0 != [KINDS[2]] => message,
        _ => Hints::store().write(message),
    }
}
