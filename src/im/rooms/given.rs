//! What an app passes to the calls of rooms.

use super::MUC;
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Args, invalid, wrong};
use crate::im::chat::{self, MessageType, OutgoingMessage};
use crate::im::history;
use crate::im::presence::PresenceInit;
use crate::jid::Jid;
use crate::xml::Element;

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Enters a room.
    Join(Jid, Box<Entry>),
    /// Leaves it.
    Leave(Jid),
    /// Sends a message there: to everybody or to one.
    Send(Jid, Box<OutgoingMessage>),
    /// Takes another nickname.
    Nick(Jid, String),
    /// Says something else of the availability there.
    Presence(Jid, PresenceInit),
    /// Has a message of this id taken back, for this reason.
    Moderate(Jid, String, Option<String>),
}

/// How a room is entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// By which nickname.
    pub nick: String,
    /// With which password.
    pub password: Option<String>,
    /// How much history is wanted: a `<history/>`.
    pub history: Option<Element>,
}

pub(super) fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
    let room = args.of(0, "jid", room)?;
    Ok(match name {
        "rooms.join" => {
            let entry = args.of(1, "options", Entry::given)?;
            let address = room.with_resource(&entry.nick).map_err(|_| no_nick())?;
            let nick = address.resource().unwrap_or_default().to_owned();
            Command::Join(room, Box::new(Entry { nick, ..entry }))
        }
        "room.send" => {
            let mut message = args.of(1, "message", chat::words)?;
            message.kind = Some(MessageType::Groupchat);
            room.as_str().clone_into(&mut message.to);
            Command::Send(room, message)
        }
        "room.sendPrivate" => {
            let nick = args.of(1, "nick", Arg::text)?;
            let mut message = args.of(2, "message", chat::words)?;
            message.kind = Some(MessageType::Chat);
            let to = room.with_resource(&nick).map_err(|_| no_nick())?;
            to.as_str().clone_into(&mut message.to);
            Command::Send(room, message)
        }
        "room.setSubject" => {
            // §8.1: without a body, or it is an ordinary message.
            let mut message: Box<OutgoingMessage> = Box::default();
            message.subject = Some(args.of(1, "subject", Arg::text)?);
            message.kind = Some(MessageType::Groupchat);
            room.as_str().clone_into(&mut message.to);
            Command::Send(room, message)
        }
        "room.changeNick" => Command::Nick(room, args.of(1, "nick", Arg::text)?),
        "room.setPresence" => {
            let mut presence = args.of(1, "presence", PresenceInit::given)?;
            presence.priority = None;
            Command::Presence(room, presence)
        }
        "room.moderate" => {
            let id = args.of(1, "stanzaId", Arg::text)?;
            if id.is_empty() {
                return Err(wrong("stanzaId", "an id"));
            }
            Command::Moderate(room, id, args.of(2, "reason", Arg::opt_text)?)
        }
        _ => Command::Leave(room),
    })
}

/// There is no such nickname.
pub(super) fn no_nick() -> Error {
    invalid("`nick` is no nickname: it is empty, too long, or has characters that none can have")
}

/// A room's own address.
fn room(given: &Arg) -> Result<Jid, Error> {
    let jid = given.jid()?;
    if jid.is_full() || jid.local().is_none() {
        return Err(given.wrong("the address of a room, such as `tea@rooms.example.org`"));
    }
    Ok(jid)
}

impl Entry {
    fn given(given: &Arg) -> Result<Entry, Error> {
        let history = given.field("history")?.given()?;
        Ok(Entry {
            nick: given.of("nick", Arg::text)?,
            password: given.text_of("password")?,
            history: history.as_ref().map(element).transpose()?,
        })
    }
}

/// §7.2.14.
fn element(given: &Arg) -> Result<Element, Error> {
    let mut history = Element::new("history", MUC);
    for (name, attr) in [("maxMessages", "maxstanzas"), ("maxChars", "maxchars"), ("seconds", "seconds")] {
        if let Some(most) = given.field(name)?.opt_whole(0, u32::MAX.into())? {
            history.set_attr(attr, decimal(most));
        }
    }
    if let Some(since) = given.of("since", history::time)? {
        history.set_attr("since", since.0);
    }
    Ok(history)
}
