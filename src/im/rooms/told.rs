//! What apps are told of rooms.

use super::room::{Phase, Room};
use crate::im::Named;
use crate::im::chat::Message;
use crate::im::presence::Show;
use crate::jid::Jid;
use crate::stanza::Stamp;
use serde::{Serialize, Serializer};

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing.
    Done,
    /// The room, by its JID.
    Room(Which),
    /// Our nickname.
    Nick(String),
}

/// Which room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Which {
    room: String,
}

impl Reply {
    pub(super) fn room(jid: &Jid) -> Reply {
        let room = jid.as_str().to_owned();
        Reply::Room(Which { room })
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reply::Done => serializer.serialize_unit(),
            Reply::Room(room) => room.serialize(serializer),
            Reply::Nick(nick) => nick.serialize(serializer),
        }
    }
}

/// What listeners are told: all of it by the event `room`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// How far it is with the room.
    State(Box<State>),
    /// Who is there.
    Occupant(Box<Occupancy>),
    /// What it is about.
    Subject(Subject),
    /// What was said there.
    Said(Said),
    /// A message was taken back.
    Moderated(Moderated),
    /// It has been configured.
    Config(Config),
}

impl Named for News {
    fn name(&self) -> &'static str {
        "room"
    }
}

impl Serialize for News {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            News::State(state) => state.serialize(serializer),
            News::Occupant(occupancy) => occupancy.serialize(serializer),
            News::Subject(subject) => subject.serialize(serializer),
            News::Said(said) => said.serialize(serializer),
            News::Moderated(moderated) => moderated.serialize(serializer),
            News::Config(config) => config.serialize(serializer),
        }
    }
}

/// Somebody in a room, as it says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Occupant {
    /// By which name.
    pub nick: String,
    /// What they may do now.
    pub role: &'static str,
    /// What they are to the room.
    pub affiliation: &'static str,
    /// Who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jid: Option<String>,
    /// The same without saying who (XEP-0421).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupant_id: Option<String>,
    /// What kind of availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// It is us.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub own: Option<bool>,
}

/// How far it is with a room.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct State {
    room: String,
    kind: &'static str,
    status: &'static str,
    nick: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assigned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occupants: Option<Vec<Occupant>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) codes: Option<Vec<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alternate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
}

impl State {
    /// A room's, without more.
    pub(super) fn of(room: &Room, status: &'static str) -> State {
        State {
            room: room.jid.as_str().to_owned(),
            kind: "status",
            status,
            nick: room.nick.clone(),
            ..State::default()
        }
    }

    /// That of one that we are in, with all that it has said.
    pub(super) fn joined(room: &Room) -> State {
        let has = |code| room.codes.contains(&code);
        let mut state = State::of(room, "joined");
        let rest = room.codes.iter().filter(|code| ![110, 201, 210].contains(*code));
        let rest: Vec<u16> = rest.copied().collect();
        state.created = has(201).then_some(true);
        state.assigned = has(210).then_some(true);
        state.codes = Some(rest).filter(|codes| !codes.is_empty());
        state.subject.clone_from(&room.subject);
        let shown = |nick: &str, occupant: &Occupant| {
            let mut occupant = occupant.clone();
            occupant.own = (nick == room.nick).then_some(true);
            if !room.can().occupant_ids {
                // XEP-0421 §4: anybody may have put it there.
                occupant.occupant_id = None;
            }
            occupant
        };
        let occupants = room.occupants.values().iter();
        let occupants = occupants.map(|there| shown(&there.occupant.nick, &there.occupant));
        state.occupants = Some(occupants.collect());
        state
    }

    /// That of one that we have left.
    pub(super) fn left(jid: &Jid, reason: &'static str) -> State {
        State {
            room: jid.as_str().to_owned(),
            kind: "status",
            status: "left",
            reason: Some(reason),
            ..State::default()
        }
    }

    /// With what is known of the room, which it is about.
    pub(super) fn about(mut self, room: &Room) -> State {
        self.room = room.jid.as_str().to_owned();
        self.kind = "status";
        self.nick.clone_from(&room.nick);
        self
    }

    /// The same for another stage of it.
    pub(super) fn with_status(mut self, status: &'static str) -> State {
        self.status = status;
        self
    }
}

/// Somebody has come, left, or is something else.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Occupancy {
    pub(super) room: String,
    pub(super) kind: &'static str,
    pub(super) change: &'static str,
    pub(super) occupant: Occupant,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

impl Occupancy {
    pub(super) fn of(room: &Room, change: &'static str, mut occupant: Occupant) -> Occupancy {
        occupant.own = (occupant.nick == room.nick && room.stage == Phase::Joined).then_some(true);
        if !room.can().occupant_ids {
            occupant.occupant_id = None;
        }
        Occupancy {
            room: room.jid.as_str().to_owned(),
            kind: "occupant",
            change,
            occupant,
            ..Occupancy::default()
        }
    }
}

/// What a room is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Subject {
    pub(super) room: String,
    pub(super) kind: &'static str,
    pub(super) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nick: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay: Option<Stamp>,
}

/// What was said in a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Said {
    room: String,
    kind: &'static str,
    message: Box<Message>,
}

impl Said {
    /// A message, if it is a room's.
    pub(in crate::im) fn of(message: &Message) -> Option<Said> {
        let room = message.room.clone()?;
        let kind = match message.event()? {
            "message" if message.occupant.is_some() => "private-message",
            kind => kind,
        };
        let message = Box::new(message.clone());
        Some(Said { room, kind, message })
    }
}

/// A message was taken back by a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moderated {
    pub(super) room: String,
    pub(super) kind: &'static str,
    pub(super) stanza_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occupant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// Who has had it taken back, and why.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moderation {
    /// By an occupant's JID, or that of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// By what the room calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupant_id: Option<String>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A room has been configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Config {
    pub(super) room: String,
    pub(super) kind: &'static str,
    pub(super) codes: Vec<u16>,
}
