//! Message Delivery Receipts, XEP-0184 1.4.0 (2 August 2018): that a message has come to one of the other side's clients.
//!
//! Who asks for a receipt gets one as the message comes in, by itself, unless the app wants none sent
//! ([`Config::receipts`]). A receipt says that we are there, so that only those get one who may know that (§8); and none is sent
//! for what is a copy, an error, said in a room, or told from the archive (§5.3, §5.5).
//!
//! Left out: not asking a client that says that it doesn't know receipts (§5.2). It sends none.

use super::{Config, Ctx, Feature, Flow, Never, Payload, carbons, chat, typescript};
use crate::error::Error;
use crate::given::{Arg, Look};
use crate::jid::Jid;
use crate::session::Ticket;
use crate::stream::ns;
use crate::xml::Element;
use chat::MessageType;
use serde::Serialize;

pub(super) const RECEIPTS: &str = "urn:xmpp:receipts";

typescript!(
    r#"
export interface MessageInitFields {
  /**
   * Asks for a receipt, by `true`. It comes as a `receipt` event, if at all; in a room it is better not asked for.
   *
   * @example
   * const sent = await client.send({ to: "bob@example.org", body: "hi", receipt: true });
   * client.on("receipt", ({ from, receipt }) => {
   *   if (receipt?.id === sent.id) console.log(from, "has it");
   * });
   */
  receipt?: boolean | Receipt | undefined;
}

export interface FeatureEvents {
  /**
   * A message of ours has come to a client of `from`: the one with the id `receipt.id`. There may be several, one from each client.
   *
   * A receipt from somebody else than the message was sent to isn't told, as long as the message is among the last 1,000. Of an
   * older one it is: so look up the id in the conversation with `from`, and nowhere else.
   */
  receipt: Message;
}

/** That a receipt is asked for, or that it is one. */
export type Receipt = { requested: true; id?: undefined } | { requested?: undefined; /** Of the message. */ id: string };
"#
);

/// That a receipt is asked for, or that it is one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Receipt {
    /// It is asked for.
    Asked {
        /// Whether it is.
        requested: bool,
    },
    /// The message of this id has come in.
    Received {
        /// Its id.
        id: String,
    },
}

impl Receipt {
    /// Which message has come in.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Receipt::Asked { .. } => None,
            Receipt::Received { id } => Some(id),
        }
    }
}

impl Payload for Receipt {
    fn event(&self) -> &'static str {
        match self {
            Receipt::Asked { .. } => "",
            Receipt::Received { .. } => "receipt",
        }
    }

    fn read(message: &Element) -> Option<Receipt> {
        if let Some(received) = message.child("received", RECEIPTS) {
            let id = received.attr("id").filter(|id| !id.is_empty())?;
            return Some(Receipt::Received { id: id.to_owned() });
        }
        message.child("request", RECEIPTS)?;
        Some(Receipt::Asked { requested: true })
    }

    fn given(given: &Arg) -> Result<Receipt, Error> {
        if let Look::Flag(requested) = given.look()? {
            return Ok(Receipt::Asked { requested });
        }
        match given.text_of("id")? {
            Some(id) => Ok(Receipt::Received { id }),
            None => Ok(Receipt::Asked {
                requested: given.of("requested", Arg::opt_flag)? == Some(true),
            }),
        }
    }

    fn write(&self, message: Element) -> Element {
        match self {
            Receipt::Asked { requested: false } => message,
            Receipt::Asked { requested: true } => message.with_child(Element::new("request", RECEIPTS)),
            Receipt::Received { id } => message.with_child(received(id)),
        }
    }
}

/// Answers for the app.
#[derive(Debug)]
pub struct Receipts {
    answers: bool,
}

impl Feature for Receipts {
    type Command = Never;
    type Reply = Never;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[RECEIPTS];

    fn new(config: &Config) -> Self {
        Receipts {
            answers: config.receipts,
        }
    }

    fn command(&mut self, _: &mut Ctx<'_>, _: Ticket, command: Never) {
        match command {}
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if self.answers
            && stanza.is("message", ns::CLIENT)
            && let Some((to, id)) = asked(cx, stanza)
        {
            // §7: of the type of the message, and with nothing else in it.
            let kind = stanza.attr("type").filter(|kind| *kind == "chat");
            chat::send_notice(cx, to.as_str(), kind, received(&id));
        }
        Flow::Next
    }
}

/// Who is to have a receipt, and for the message of which id.
fn asked(cx: &Ctx<'_>, stanza: &Element) -> Option<(Jid, String)> {
    stanza.child("request", RECEIPTS)?;
    let from = Jid::parse(stanza.attr("from")?).ok()?;
    // XEP-0280 §11: a copy is none of ours to answer. §5.4: nor is a receipt.
    if carbons::is_carbon(stanza) || stanza.child("received", RECEIPTS).is_some() {
        return None;
    }
    // §8: it says that we are there.
    if !cx.facts.may_know(&from, cx.account()) || cx.jid() == Some(&from) {
        return None;
    }
    let message = chat::read(stanza, cx.account())?;
    let content = matches!(message.kind, MessageType::Chat | MessageType::Normal) && message.event() == Some("message");
    let id = message.id.filter(|id| content && !id.is_empty())?;
    Some((from, id))
}

fn received(id: &str) -> Element {
    Element::new("received", RECEIPTS).with_attr("id", id)
}
