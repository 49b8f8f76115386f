//! What a verb says something of: a message that was sent or came in, as an app has it.

use super::chat::{self, MessageType, SentMessage};
use super::{Ctx, OutgoingMessage, Reply, typescript};
use crate::error::Error;
use crate::given::{Arg, invalid};
use crate::jid::Jid;
use crate::session::Ticket;

typescript!(
    r#"
/**
 * What identifies a message to those calls that say something of one: a {@link Message}, a {@link SentMessage}, or any object with
 * those fields. Which of its ids counts is the call's matter.
 *
 * The conversation that it belongs to is `to` where `from` is missing or our own, and else `from`: in a room the room, between
 * two the account, whichever of its clients has sent it.
 */
export interface MessageRef {
  id?: string | undefined;
  /** In rooms what counts is mostly this: a message that one has sent there has one when it has come back. */
  stanzaId?: string | undefined;
  originId?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Default `"chat"`. */
  type?: MessageType | undefined;
  /** Of a correction: it is the message that it corrects of which something is said. */
  replaces?: string | undefined;
  occupant?: true | undefined;
}
"#
);

/// A message, as far as an app has to know it to say something of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MessageRef {
    id: Option<String>,
    pub(super) stanza_id: Option<String>,
    origin_id: Option<String>,
    /// The message that it takes the place of.
    replaces: Option<String>,
    pub(super) from: Option<Jid>,
    to: Option<Jid>,
    kind: MessageType,
    /// The sender is an occupant of a room, and speaks to us alone.
    pub(super) occupant: bool,
    pub(super) thread: Option<String>,
    /// Nobody was to store it.
    pub(super) unstored: bool,
}

impl MessageRef {
    /// Reads what an app has passed.
    ///
    /// # Errors
    /// `invalid-argument`, `invalid-jid`.
    pub(super) fn given(message: &Arg) -> Result<Box<MessageRef>, Error> {
        let id = |name| Ok::<_, Error>(message.text_of(name)?.filter(|id| !id.is_empty()));
        // An app's own object may have other things by these names.
        let text = |name| message.text_of(name).unwrap_or_default();
        let hints = message
            .field("hints")
            .and_then(|hints| hints.texts())
            .unwrap_or_default();
        let mut about: Box<MessageRef> = Box::default();
        about.id = id("id")?;
        about.stanza_id = id("stanzaId")?;
        about.origin_id = id("originId")?;
        about.replaces = text("replaces").filter(|id| !id.is_empty());
        about.from = message.jid_of("from")?;
        about.to = message.jid_of("to")?;
        about.kind = message.of("type", MessageType::given)?.unwrap_or(MessageType::Chat);
        let occupant = message.of("occupant", Arg::opt_flag);
        about.occupant = occupant.unwrap_or_default() == Some(true);
        about.thread = text("thread");
        about.unstored = hints.iter().any(|hint| hint == "no-store");
        Ok(about)
    }

    /// Whether it was said in a room.
    pub(super) fn is_in_room(&self) -> bool {
        self.kind == MessageType::Groupchat
    }

    /// Whether the account itself has sent it, as far as that shows.
    fn is_own(&self, account: &Jid) -> bool {
        self.from.as_ref().is_none_or(|from| from.same_bare(account))
    }

    /// The `id` of the message: of the first one where it is a correction.
    ///
    /// # Errors
    /// `invalid-argument` where there is none.
    pub(super) fn stanza_attr(&self) -> Result<String, Error> {
        let id = self.replaces.as_ref().or(self.id.as_ref());
        id.cloned().ok_or_else(|| invalid("the message has no `id`"))
    }

    /// What identifies it to the room that it was said in.
    ///
    /// # Errors
    /// `invalid-argument` where there is none.
    pub(super) fn of_room(&self) -> Result<String, Error> {
        let message = "a message in a room is named by the room's id for it, and this one has no `stanzaId`";
        self.stanza_id.clone().ok_or_else(|| invalid(message))
    }

    /// The origin id, or else the `id`; in a room the room's.
    ///
    /// # Errors
    /// `invalid-argument` where there is none.
    pub(super) fn origin(&self) -> Result<String, Error> {
        if self.is_in_room() {
            return self.of_room();
        }
        match (&self.replaces, &self.origin_id) {
            (None, Some(origin_id)) => Ok(origin_id.clone()),
            _ => self.stanza_attr(),
        }
    }

    /// The address of the conversation.
    ///
    /// # Errors
    /// `invalid-argument` where nobody else is named.
    pub(super) fn conversation(&self, account: &Jid) -> Result<Jid, Error> {
        let own = self.is_own(account);
        let other = if own { &self.to } else { &self.from };
        let other = other
            .clone()
            .ok_or_else(|| invalid("the message has neither `from` nor `to`"))?;
        // What went to one client goes there again, and an occupant of a room has no other address.
        let whole = !self.is_in_room() && (own || self.occupant);
        Ok(if whole { other } else { other.to_bare() })
    }
}

/// A message to be sent that says something of another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// That other one.
    pub about: Box<MessageRef>,
    /// What is to be sent; to whom and as what type is the other one's matter.
    pub message: Box<OutgoingMessage>,
    /// Only of the account's own messages this can be said.
    pub own: bool,
}

impl About {
    /// Sends it as [`chat::send`] does.
    pub fn send(self, cx: &mut Ctx<'_>, ticket: Ticket, reply: fn(SentMessage) -> Reply) {
        match self.addressed(cx.account()) {
            Ok(message) => chat::send(cx, ticket, message, reply),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn addressed(self, account: &Jid) -> Result<Box<OutgoingMessage>, Error> {
        let About {
            about,
            mut message,
            own,
        } = self;
        // In a room nobody here knows which occupant is the account.
        if own && !about.is_in_room() && !about.is_own(account) {
            return Err(invalid("only the account's own messages can be corrected or retracted"));
        }
        message.to = about.conversation(account)?.as_str().to_owned();
        let kind = message.kind.unwrap_or(about.kind);
        if let Some(reply) = message.reply.as_mut().filter(|_| !about.is_in_room()) {
            // XEP-0461 §3: a bare JID will do between two.
            reply.to.get_or_insert_with(|| account.bare_str().to_owned());
        }
        message.kind = Some(if about.is_in_room() {
            MessageType::Groupchat
        } else {
            kind
        });
        Ok(message)
    }
}
