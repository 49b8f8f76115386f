//! What one feature knows and others need.

use super::Config;
use super::chat::UnderWay;
use super::chat_states::States;
use super::known::Known;
use super::presence::PresenceInit;
use super::rooms::Joined;
use super::sorted::Set;
use super::{caps, displayed};
use crate::jid::Jid;
use crate::session::Millis;

/// Facts of the account and its session. Each is written by the one feature that it names, or by the engine.
#[derive(Debug)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`). Nobody, as long as that isn't known: between the beginning of a session
    /// and the server's answer.
    pub watchers: Set,
    /// What this client can.
    pub own: caps::Own,
    /// What other clients can (`caps`, and `disco`, which asks them).
    pub caps: caps::Known,
    /// What was displayed, and isn't published yet (`displayed`, and those who say so by its `publish`).
    pub displayed: displayed::Outbox,
    /// When the app last called, or the page came into sight or left it (the engine).
    pub active: Millis,
    /// The clock on the wall (the engine).
    pub clock: Option<WallClock>,
    /// The messages under way, in the order of their tickets, which ascend (`chat`).
    pub under_way: Vec<UnderWay>,
    /// Whose message an id names (`chat`).
    pub known: Known,
    /// Who is told how far the user is in a chat (`chat_states`).
    pub states: States,
    /// What the app wants said of the user's availability (`presence`).
    pub presence: Option<PresenceInit>,
    /// The rooms that we are in, and who is there (`rooms`).
    pub rooms: Joined,
}

/// What a clock on the wall said.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    /// When it was looked at.
    pub at: Millis,
    /// Milliseconds since 1970, UTC.
    pub utc: u64,
    /// By how many minutes the local time is ahead of UTC.
    pub zone: i32,
}

impl Facts {
    /// What is known before the first connection.
    pub fn new(config: &Config) -> Facts {
        Facts {
            watchers: Set::default(),
            under_way: Vec::new(),
            known: Known::default(),
            states: States::default(),
            presence: config.presence.clone(),
            rooms: Joined::default(),
            own: caps::Own::new(config),
            caps: caps::Known::default(),
            displayed: displayed::Outbox::default(),
            active: Millis::default(),
            clock: None,
        }
    }

    /// Whether somebody may know that we are there: a contact that sees our presence (RFC 6121 §2.1.2.5), or another client of
    /// ours.
    pub fn may_know(&self, jid: &Jid, account: &Jid) -> bool {
        self.watchers.contains(jid.bare_str()) || jid.same_bare(account)
    }

    /// Whether a client supports a feature, by its full JID; nobody is asked for that, and so it often isn't known.
    pub fn supports(&self, client: &Jid, feature: &str) -> Option<bool> {
        self.caps.supports(client, feature)
    }
}
