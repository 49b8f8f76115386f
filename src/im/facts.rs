//! What one feature knows and others need.

use crate::jid::Jid;
use crate::session::Millis;
use std::collections::BTreeSet;

/// Facts of the account and its session. Each is written by the one feature that it names, or by the engine.
#[derive(Debug, Default)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`). Nobody, as long as that isn't known: between the beginning of a session
    /// and the server's answer.
    pub watchers: BTreeSet<String>,
    /// When the app last called, or the page came into sight or left it (the engine).
    pub active: Millis,
    /// The clock on the wall (the engine).
    pub clock: Option<WallClock>,
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
    /// Whether somebody may know that we are there: a contact that sees our presence (RFC 6121 §2.1.2.5), or another client of
    /// ours.
    pub fn may_know(&self, jid: &Jid, account: &Jid) -> bool {
        self.watchers.contains(jid.bare_str()) || jid.same_bare(account)
    }
}
