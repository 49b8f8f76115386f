//! Message Reactions, XEP-0444 0.2.1 (15 April 2024): emojis at a message. Each says anew all that its sender thinks of it.
//!
//! Left out: what a service allows (§2.2; who sends more gets an error), that a late reaction doesn't take the place of a newer one
//! (§4.1), and that a room's occupant may be a former one (§4.1): these take the app's list of messages and the room's presence.

use super::chat::MessageType;
use super::message_ref::{About, MessageRef};
use super::{OutgoingMessage, Payload, feature, hints, typescript};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::xml::Element;
use serde::Serialize;

const REACTIONS: &str = "urn:xmpp:reactions:0";

/// How many reactions there may be at once, and how many bytes each.
const MOST: [usize; 2] = [100, 64];

typescript!(
    r#"
export interface Calls {
  /**
   * Says which emojis the user has for a message, in place of those that were sent before; none takes them away. At most 100, of
   * 64 bytes in UTF-8 each. Of a message in a room the `stanzaId` counts.
   *
   * Rejects as {@link Client.send} does, and `invalid-argument` where the message has no such id.
   *
   * @example
   * client.on("message", async (message) => {
   *   await client.react(message, ["👋", "🐢"]);
   *   await client.react(message, []); // and away with them
   * });
   */
  react(message: MessageRef, emojis: readonly string[], options?: CallOptions): Promise<SentMessage>;
}

export interface FeatureEvents {
  /**
   * Somebody has other emojis for a message: those of `reactions` take the place of all that `from` had for it before, between two by
   * the bare JID, in a room by the full one. The message is anybody's in this conversation. Where there is a `delay`, a newer one
   * may have come already, and counts.
   */
  reaction: Message;
}

/** Emojis for a message. */
export interface Reactions {
  /** Of the message: its `originId`, or its `id` where it has none; in a room its `stanzaId`. */
  id: string;
  /** All of them. At most 100, of 64 bytes in UTF-8 each, and none twice; what is more or longer than that isn't told. */
  emojis: string[];
}
"#
);

feature::carried! {
    /// Reacts to messages.
    Reacting, [REACTIONS], "react" / 2 by react
}

fn react(args: &mut Args) -> Result<About, Error> {
    let about = MessageRef::given(&args.take(0, "message"))?;
    let message = OutgoingMessage {
        // §4: "chat" or "groupchat".
        kind: Some(MessageType::Chat),
        reactions: Some(Reactions {
            id: about.origin()?,
            emojis: emojis(&args.take(1, "emojis"))?,
        }),
        // §4.
        hints: (!about.unstored).then(hints::Hints::store),
        ..OutgoingMessage::default()
    };
    Ok(About {
        about,
        message: Box::new(message),
        own: false,
    })
}

/// Emojis for a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reactions {
    /// Of the message.
    pub id: String,
    /// All of them.
    pub emojis: Vec<String>,
}

impl Payload for Reactions {
    const EVENT: &'static str = "reaction";

    const FALLBACK: &'static str = REACTIONS;

    fn read(message: &Element) -> Option<Reactions> {
        let mut all = message.children().filter(|child| child.is("reactions", REACTIONS));
        // §4: one.
        let (Some(element), None) = (all.next(), all.next()) else {
            return None;
        };
        let id = element.attr("id").filter(|id| !id.is_empty())?;
        let mut emojis: Vec<String> = Vec::new();
        for child in element.children().filter(|child| child.is("reaction", REACTIONS)) {
            let emoji = child.text();
            if emojis.len() < MOST[0] && fits(&emoji) && !emojis.contains(&emoji) {
                emojis.push(emoji);
            }
        }
        Some(Reactions {
            id: id.to_owned(),
            emojis,
        })
    }

    fn given(given: Arg) -> Result<Reactions, Error> {
        Ok(Reactions {
            id: given.field("id")?.text()?,
            emojis: emojis(&given.field("emojis")?)?,
        })
    }

    fn write(&self, message: Element) -> Element {
        let mut element = Element::new("reactions", REACTIONS).with_attr("id", self.id.as_str());
        for emoji in &self.emojis {
            element = element.with_child(Element::new("reaction", REACTIONS).with_text(emoji.as_str()));
        }
        message.with_child(element)
    }
}

fn fits(emoji: &str) -> bool {
    !emoji.is_empty() && emoji.len() <= MOST[1]
}

fn emojis(given: &Arg) -> Result<Vec<String>, Error> {
    let wrong = || {
        let [most, bytes] = MOST.map(|most| decimal(most as i64));
        given.wrong(&["an array of at most ", &most, " emojis of ", &bytes, " bytes"].concat())
    };
    let list = given.opt_list()?.ok_or_else(wrong)?;
    let mut emojis: Vec<String> = Vec::new();
    for emoji in list.iter().map(Arg::text) {
        let emoji = emoji?;
        if !fits(&emoji) || emojis.len() >= MOST[0] {
            return Err(wrong());
        }
        if !emojis.contains(&emoji) {
            emojis.push(emoji);
        }
    }
    Ok(emojis)
}
