//! Message Retraction, XEP-0424 0.4.2 (18 January 2025): the wish that an earlier message of one's own be forgotten. Nobody is bound
//! to it.
//!
//! Whose message the id names is checked as far as that is remembered (`known.rs`): a retraction of somebody else's is nothing at
//! all, and neither is the text that stands in for it.
//!
//! Left out: what an archive leaves in a retracted message's place (§4), and a room's moderators (XEP-0425), of whom the room
//! tells itself.

use super::message_ref::{About, MessageRef};
use super::{OutgoingMessage, Payload, fallback, feature, hints, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::xml::Element;
use serde::Serialize;

const RETRACT: &str = "urn:xmpp:message-retract:1";

/// For those who don't know better.
const TEXT: &str = "/me has retracted an earlier message, which this client doesn't support.";

typescript!(
    r#"
export interface Calls {
  /**
   * Asks everybody to forget a message of the account's own. They may have read it, and need not do it. Of a message in a room the
   * `stanzaId` counts, which it has when it has come back from there.
   *
   * Rejects as {@link Client.send} does, and `invalid-argument` where the message has no such id or somebody else has sent it.
   *
   * @example
   * const sent = await client.send({ to: "bob@example.org", body: "for Carol" });
   * await client.retract(sent);
   */
  retract(message: MessageRef, options?: CallOptions): Promise<SentMessage>;
}

export interface FeatureEvents {
  /**
   * Somebody wishes that an earlier message of their own be forgotten: the one of the id `retracts` (in a room, of that `stanzaId`).
   * A `body` is only for those who don't know better.
   *
   * Where it is known that somebody else has sent that message, it isn't told; that is known of the last 1,000 messages. So look
   * it up among those of `from` in this conversation, and nowhere else: between two by the bare JID, in a room by the full one.
   * Where `from` is the room itself, one of its moderators has done it, and the message may be anybody's there.
   */
  retraction: Message;
}
"#
);

feature::carried! {
    /// Retracts messages.
    Retractions, [RETRACT], "retract" / 1 by retract
}

fn retract(args: &mut Args) -> Result<About, Error> {
    let about = MessageRef::given(&args.take(0, "message"))?;
    // §5.1.
    let id = match about.is_in_room() {
        true => about.of_room()?,
        false => about.stanza_attr()?,
    };
    let message = OutgoingMessage {
        body: Some(TEXT.to_owned()),
        retracts: Some(Retracts(id)),
        fallback: Some(fallback::Fallbacks::whole(RETRACT)),
        hints: Some(hints::Hints::store()),
        ..OutgoingMessage::default()
    };
    Ok(About {
        about,
        message: Box::new(message),
        own: true,
    })
}

/// The id of the message that is retracted. It names one of the same sender's alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Retracts(pub String);

impl Payload for Retracts {
    const EVENT: &'static str = "retraction";

    const LEADS: bool = true;

    fn read(message: &Element) -> Option<Retracts> {
        let id = message.child("retract", RETRACT)?.attr("id")?;
        Some(Retracts(id.to_owned())).filter(|_| !id.is_empty())
    }

    fn given(given: Arg) -> Result<Retracts, Error> {
        given.text().map(Retracts)
    }

    fn write(&self, message: Element) -> Element {
        message.with_child(Element::new("retract", RETRACT).with_attr("id", self.0.as_str()))
    }
}
