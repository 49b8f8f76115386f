//! Last Message Correction, XEP-0308 1.2.1 (17 May 2022): a message that takes the place of an earlier one of the same sender's.
//!
//! Whose message the id names is checked as far as that is remembered (`known.rs`).
//!
//! Left out: that a room's occupant may have left and come back as somebody else (§4, §5), which takes the room's presence.

use super::message_ref::{About, MessageRef};
use super::{OutgoingMessage, Payload, chat, feature, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::xml::Element;
use serde::Serialize;

const CORRECT: &str = "urn:xmpp:message-correct:0";

typescript!(
    r#"
export interface Calls {
  /**
   * Sends a correction of a message of the account's own, the last one in its conversation by preference; a later correction names the
   * first message again, and is made so where it is given either of them.
   *
   * It takes the place of all that the message has said, not of its text alone. A {@link Message}'s `subject`, `thread`, `reply`,
   * `files`, `oob`, `hints` and `unstyled` are said again unless `correction` has others; the rest, and with a {@link SentMessage} all of it,
   * `correction` has to say.
   *
   * Rejects as {@link Client.send} does, and `invalid-argument` where the message has no `id` or somebody else has sent it.
   *
   * @example
   * const sent = await client.send({ to: "bob@example.org", body: "helo" });
   * const better = await client.correct(sent, "hello");
   * await client.correct(better, "hello, Bob"); // of the same
   */
  correct(message: MessageRef, correction: string | Omit<MessageInit, "to" | "replaces">, options?: CallOptions): Promise<SentMessage>;
}
"#
);

feature::carried! {
    /// Corrects messages.
    Corrections, [CORRECT], "correct" / 2 by correct
}

fn correct(args: &mut Args) -> Result<About, Error> {
    let given = args.take(0, "message");
    let about = MessageRef::given(&given)?;
    let message = chat::words(&args.take(1, "correction"))?;
    // §4: the whole stanza again, but for what is corrected.
    let mut message = message.or(OutgoingMessage::repeated(&given));
    message.replaces = Some(Replaces(about.stanza_attr()?));
    Ok(About {
        about,
        message: Box::new(message),
        own: true,
    })
}

/// The id of the message that is corrected. It names one of the same sender's alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Replaces(pub String);

impl Payload for Replaces {
    // Perhaps nothing is left of it.
    const EVENT: &'static str = "message";

    fn read(message: &Element) -> Option<Replaces> {
        let id = message.child("replace", CORRECT)?.attr("id")?;
        Some(Replaces(id.to_owned())).filter(|_| !id.is_empty())
    }

    fn given(given: Arg) -> Result<Replaces, Error> {
        given.text().map(Replaces)
    }

    fn write(&self, message: Element) -> Element {
        message.with_child(Element::new("replace", CORRECT).with_attr("id", self.0.as_str()))
    }
}
