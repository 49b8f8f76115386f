//! The state of the rooms that we are in: what each has said, and nothing else.

use super::missed::Missed;
use super::told::Occupant;
use crate::im::chat::OutgoingMessage;
use crate::im::presence::PresenceInit;
use crate::im::sorted::Map;
use crate::jid::Jid;
use crate::session::{Millis, Ticket};
use crate::xml::Element;

/// How many occupants are kept, in all rooms together.
pub(super) const OCCUPANTS: usize = 20_000;

/// How many messages may wait for a room to be entered.
pub(super) const UNSENT: usize = 1_000;

/// Of how many messages of a room it is remembered that they have been told.
const SEEN: usize = 500;

/// How far it is with a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It is being entered for the first time.
    Joining,
    /// We are in it.
    Joined,
    /// It has lost us, or we it, and it is being entered again.
    Rejoining,
    /// It has been told that we leave, and hasn't said that we are gone.
    Leaving,
}

/// What a room says that it can.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Features {
    /// It says who an occupant is, whatever the nickname (XEP-0421).
    pub(super) occupant_ids: bool,
    /// It gives messages ids, and takes out forged ones (XEP-0359 §5).
    pub(super) stanza_ids: bool,
    /// It has an archive.
    pub(super) archive: bool,
}

impl Features {
    pub(super) fn save(self) -> String {
        let letters = [(self.occupant_ids, 'o'), (self.stanza_ids, 's'), (self.archive, 'a')];
        letters.iter().filter(|(can, _)| *can).map(|(_, letter)| *letter).collect()
    }

    pub(super) fn restore(saved: &str) -> Features {
        Features {
            occupant_ids: saved.contains('o'),
            stanza_ids: saved.contains('s'),
            archive: saved.contains('a'),
        }
    }
}

/// Another nickname that has been asked for.
#[derive(Debug)]
pub(super) struct Renaming {
    pub(super) ticket: Ticket,
    /// The id of the presence that asks.
    pub(super) id: String,
    /// The one that it is to take the place of.
    pub(super) from: String,
}

/// Somebody in a room.
#[derive(Debug)]
pub(super) struct There {
    pub(super) occupant: Occupant,
    /// Tells one who has left and come back from one who was there all the time.
    pub(super) generation: u32,
}

/// A room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) jid: Jid,
    /// Our own nickname: as asked for, and then as the room has it.
    pub(super) nick: String,
    pub(super) stage: Phase,
    pub(super) password: Option<String>,
    /// How much history the app wants when we enter first.
    pub(super) history: Option<Element>,
    /// What the app has said of its availability here alone.
    pub(super) presence: Option<PresenceInit>,
    pub(super) occupants: Map<There>,
    pub(super) generation: u32,
    pub(super) subject: Option<String>,
    /// What else it has said when we entered.
    pub(super) codes: Vec<u16>,
    pub(super) features: Option<Features>,
    /// They have been asked for, and the answer isn't there.
    pub(super) asking: bool,
    /// The call that enters or leaves.
    pub(super) ticket: Option<Ticket>,
    pub(super) renaming: Option<Renaming>,
    /// The presence by which we enter has been sent; its id.
    pub(super) entering: bool,
    pub(super) request: String,
    /// The room has said that we are in it.
    pub(super) is_in: bool,
    /// When the last message came that had its place here, by our clock.
    pub(super) heard: Option<Millis>,
    /// The room's id of the last message that was told.
    pub(super) last: Option<String>,
    seen: Vec<String>,
    /// What comes may have been said before we came: the subject ends that (§7.2.15).
    pub(super) history_open: bool,
    /// It has been heard of only through what an earlier page has left.
    pub(super) restored: bool,
    /// When something is to be done: see `alive.rs`.
    pub(super) at: Option<Millis>,
    /// When it was last known for sure that we are in it.
    pub(super) sure: Millis,
    pub(super) pinging: bool,
    /// How often it has been tried in vain to enter again.
    pub(super) failures: u32,
    pub(super) missed: Option<Missed>,
    /// What came in and waits: for what the room can, or for what was missed.
    pub(super) waiting: Vec<Element>,
    pub(super) unsent: Vec<(Ticket, Box<OutgoingMessage>)>,
}

impl Room {
    pub(super) fn new(jid: Jid, nick: String) -> Room {
        Room {
            jid,
            nick,
            stage: Phase::Joining,
            password: None,
            history: None,
            presence: None,
            occupants: Map::new(),
            generation: 0,
            subject: None,
            codes: Vec::new(),
            features: None,
            asking: false,
            ticket: None,
            renaming: None,
            entering: false,
            request: String::new(),
            is_in: false,
            heard: None,
            last: None,
            seen: Vec::new(),
            history_open: false,
            restored: false,
            at: None,
            sure: Millis::default(),
            pinging: false,
            failures: 0,
            missed: None,
            waiting: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// Our own address there.
    pub(super) fn address(&self) -> Jid {
        // It was checked when it was set.
        self.jid.with_resource(&self.nick).unwrap_or_else(|_| self.jid.clone())
    }

    pub(super) fn can(&self) -> Features {
        self.features.unwrap_or_default()
    }

    /// Notes that a message was told; whether for the first time.
    pub(super) fn note(&mut self, key: &str) -> bool {
        if self.seen.iter().any(|seen| seen == key) {
            return false;
        }
        if self.seen.len() >= SEEN {
            self.seen.remove(0);
        }
        self.seen.push(key.to_owned());
        true
    }

    /// What another one knows of what was told, which this one takes over.
    pub(super) fn remember(&mut self, known: Room) {
        self.generation = known.generation;
        self.last = known.last;
        self.seen = known.seen;
        self.heard = known.heard;
    }

    /// Whose message it is that an occupant sends: the same for as long as it is the same one for sure (XEP-0308 §4, XEP-0421).
    pub(super) fn author(&self, from: &Jid, occupant_id: Option<&str>, live: bool) -> String {
        match (occupant_id, from.resource().and_then(|nick| self.occupants.get(nick))) {
            (Some(id), _) => ["\u{1f}", id].concat(),
            (None, Some(there)) if live => {
                let number = crate::decimal::decimal(there.generation.into());
                [from.as_str(), "\u{1f}", &number].concat()
            }
            _ => from.as_str().to_owned(),
        }
    }
}

/// The rooms that we are in, or on the way into or out of.
#[derive(Debug, Default)]
pub struct Joined {
    rooms: Vec<Room>,
}

impl Joined {
    /// The room that this is the address of, or of somebody in it.
    pub(super) fn get(&self, jid: &Jid) -> Option<&Room> {
        self.rooms.iter().find(|room| room.jid.same_bare(jid))
    }

    pub(super) fn get_mut(&mut self, jid: &Jid) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.jid.same_bare(jid))
    }

    /// Whether it is a room, or somebody in it.
    pub(in crate::im) fn has(&self, jid: &str) -> bool {
        !self.rooms.is_empty() && Jid::parse(jid).is_ok_and(|jid| self.get(&jid).is_some())
    }

    pub(super) fn insert(&mut self, room: Room) {
        self.rooms.push(room);
    }

    pub(super) fn remove(&mut self, jid: &Jid) -> Option<Room> {
        let place = self.rooms.iter().position(|room| room.jid.same_bare(jid))?;
        Some(self.rooms.remove(place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    pub(super) fn jids(&self) -> Vec<Jid> {
        self.rooms.iter().map(|room| room.jid.clone()).collect()
    }

    /// Whether another occupant can be kept.
    pub(super) fn has_place(&self) -> bool {
        self.rooms.iter().map(|room| room.occupants.len()).sum::<usize>() < OCCUPANTS
    }

    /// The rooms that are told what the client says of its availability, each with our address there.
    pub(in crate::im) fn addresses(&self) -> Vec<Jid> {
        let told = |room: &&Room| room.stage == Phase::Joined && room.presence.is_none();
        self.rooms.iter().filter(told).map(Room::address).collect()
    }

    /// Whether we are in this room.
    pub(in crate::im) fn is_in(&self, jid: &Jid) -> bool {
        self.get(jid).is_some_and(|room| room.stage == Phase::Joined)
    }
}
