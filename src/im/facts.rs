//! What one feature knows and others need.

use crate::jid::Jid;
use std::collections::BTreeSet;

/// Facts of the account and its session. Each is written by the one feature that it names.
#[derive(Debug, Default)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`).
    pub watchers: BTreeSet<String>,
}

impl Facts {
    /// Whether somebody may know that we are there: a contact that sees our presence (RFC 6121 §2.1.2.5), or another client of
    /// ours.
    pub fn may_know(&self, jid: &Jid, account: &Jid) -> bool {
        self.watchers.contains(jid.bare_str()) || jid.same_bare(account)
    }
}
