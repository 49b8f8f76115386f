//! What one feature knows and others need.

use super::Config;
use super::chat::{SID, UnderWay};
use super::chat_states::States;
use super::disco::INFO;
use super::known::Known;
use super::presence::PresenceInit;
use super::rooms::Joined;
use super::sorted::Set;
use super::{caps, displayed, invitations};
use crate::jid::Jid;
use crate::session::Millis;
use crate::xml::Element;

/// Facts of the account and its session. Each is written by the one feature that it names, or by the engine.
#[derive(Debug)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`). Nobody, as long as that isn't known: between the beginning of a session
    /// and the server's answer.
    pub watchers: Set,
    /// The contacts, by bare JID (`roster`). None, as long as they aren't known.
    pub contacts: Set,
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
    /// Whether the account is believed to give stanza ids (`archive`, and those who ask what it can: `disco`, `displayed`, `history`).
    pub numbering: Numbering,
    /// Who is told how far the user is in a chat (`chat_states`).
    pub states: States,
    /// Who is blocked, once that is known (`blocking`, and `invitations`, which asks it).
    pub blocked: Option<Set>,
    /// Invitations to rooms that wait for it to be known (`invitations`).
    pub invitations: invitations::Waiting,
    /// What the app wants said of the user's availability (`presence`).
    pub presence: Option<PresenceInit>,
    /// The rooms that we are in, and who is there (`rooms`).
    pub rooms: Joined,
}

/// Whether the `<stanza-id/>`s are believed that the account is said to have given: XEP-0359 §6. Who gives such ids takes out those that others
/// have forged in its name (§3), and says that it does so by the feature `urn:xmpp:sid:0` (§5); those of anybody else may be anybody's. Of
/// rooms that is known to `rooms`.
#[derive(Debug, Default)]
pub struct Numbering {
    /// The account's archive is at work, and whoever keeps one gives such ids (XEP-0313 §3.5).
    pub archive: bool,
    /// The account has said so.
    announced: bool,
}

impl Numbering {
    /// Somebody has said what they can (a `<query/>` of service discovery): it may be the account.
    pub fn heard(&mut self, account: &Jid, by: &Jid, info: &Element) {
        if *by == account.to_bare() {
            let mut features = info.all("feature", INFO);
            self.announced = features.any(|feature| feature.attr("var") == Some(SID));
        }
    }

    /// A new session: what was said before may not be so any more.
    pub fn forget(&mut self) {
        self.announced = false;
    }

    /// Whether the ids that the account is said to have given are its own.
    pub fn is_believed(&self) -> bool {
        self.announced || self.archive
    }
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
            contacts: Set::default(),
            under_way: Vec::new(),
            known: Known::default(),
            numbering: Numbering::default(),
            states: States::default(),
            blocked: None,
            invitations: invitations::Waiting::default(),
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
