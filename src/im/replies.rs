//! Message Replies, XEP-0461 0.2.1 (25 February 2026): which earlier message this one answers.
//!
//! Left out: putting the earlier message's words before the answer, for those who don't know better (§3.1): an app that wants it does
//! so, and says which part that is by `fallback`.

use super::message_ref::{About, MessageRef};
use super::{Payload, chat, feature, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::xml::Element;
use serde::Serialize;

const REPLY: &str = "urn:xmpp:reply:0";

typescript!(
    r#"
export interface Calls {
  /**
   * Sends an answer to a message, in its conversation and its thread. Of a message in a room the `stanzaId` counts.
   *
   * Rejects as {@link Client.send} does, and `invalid-argument` where the message has no such id.
   *
   * @example
   * client.on("message", async (message) => {
   *   if (message.body === "Cake?") await client.reply(message, "Great idea!");
   * });
   */
  reply(message: MessageRef, answer: string | Omit<MessageInit, "to" | "reply">, options?: CallOptions): Promise<SentMessage>;
}

/** Which message this is an answer to. */
export interface Reply {
  /** Of that message: its `originId`, or its `id` where it has none; in a room its `stanzaId`. */
  id: string;
  /** Who has written it, as the sender says. Nobody vouches for it: look it up in the conversation. */
  to?: string;
}
"#
);

feature::carried! {
    /// Answers messages.
    Replies, [REPLY], "reply" / 2 by reply
}

fn reply(args: &mut Args) -> Result<About, Error> {
    let about = MessageRef::given(&args.take(0, "message"))?;
    let mut message = chat::words(&args.take(1, "answer"))?;
    message.reply = Some(Reply {
        id: about.origin()?,
        to: about.from.as_ref().map(|from| from.as_str().to_owned()),
    });
    // XEP-0085 §5.7: its thread, for who uses them.
    message.thread = message.thread.or_else(|| about.thread.clone());
    Ok(About {
        about,
        message: Box::new(message),
        own: false,
    })
}

/// Which message this is an answer to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reply {
    /// Its id.
    pub id: String,
    /// Who has written it, as the sender says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Payload for Reply {
    const STAYS: bool = true;

    fn read(message: &Element) -> Option<Reply> {
        let element = message.child("reply", REPLY)?;
        let id = element.attr("id").filter(|id| !id.is_empty())?;
        let to = element.attr("to").and_then(|to| Jid::parse(to).ok());
        Some(Reply {
            id: id.to_owned(),
            to: to.map(|to| to.as_str().to_owned()),
        })
    }

    fn given(given: Arg) -> Result<Reply, Error> {
        let to = given.field("to")?.opt_jid()?;
        Ok(Reply {
            id: given.field("id")?.text()?,
            to: to.map(|to| to.as_str().to_owned()),
        })
    }

    fn write(&self, message: Element) -> Element {
        let element = Element::new("reply", REPLY).with_opt_attr("to", self.to.as_deref());
        message.with_child(element.with_attr("id", self.id.as_str()))
    }
}
