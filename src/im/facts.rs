//! What one feature knows and others need.

use super::chat::UnderWay;
use super::chat_states::States;
use super::known::Known;
use crate::jid::Jid;
use std::collections::BTreeSet;

/// Facts of the account and its session. Each is written by the one feature that it names.
#[derive(Debug, Default)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`).
    pub watchers: BTreeSet<String>,
    /// The messages under way, in the order of their tickets, which ascend (`chat`).
    pub under_way: Vec<UnderWay>,
    /// Whose message an id names (`chat`).
    pub known: Known,
    /// Who is told how far the user is in a chat (`chat_states`).
    pub states: States,
}

impl Facts {
    /// Whether somebody may know that we are there: a contact that sees our presence (RFC 6121 §2.1.2.5), or another client of
    /// ours.
    pub fn may_know(&self, jid: &Jid, account: &Jid) -> bool {
        self.watchers.contains(jid.bare_str()) || jid.same_bare(account)
    }
}
