//! What one feature knows and others need.

use super::Config;
use super::caps;
use crate::jid::Jid;
use std::collections::BTreeSet;

/// Facts of the account and its session. Each is written by the one feature that it names.
#[derive(Debug)]
pub struct Facts {
    /// Who may see our presence, by bare JID (`roster`).
    pub watchers: BTreeSet<String>,
    /// What this client can.
    pub own: caps::Own,
    /// What other clients can (`caps`, and `disco`, which asks them).
    pub caps: caps::Known,
}

impl Facts {
    /// What is known before the first connection.
    pub fn new(config: &Config) -> Facts {
        Facts {
            watchers: BTreeSet::new(),
            own: caps::Own::new(config),
            caps: caps::Known::default(),
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
