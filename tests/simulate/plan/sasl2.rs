//! What a server that speaks SASL2 (XEP-0388) does with it, and along with it.

use super::ServerPlan;
use crate::random::Random;

#[derive(Clone, Debug, Default)]
pub struct Sasl2Plan {
    /// The server speaks it, at first.
    pub offered: bool,
    /// How many restarts in a hundred change what it speaks.
    pub changes: u64,
    /// Bind 2 (XEP-0386).
    pub bind: bool,
    /// Sessions can be resumed along with the authentication (XEP-0198), and stream management enabled along with a resource.
    pub resume: bool,
    pub enable: bool,
    /// FAST (XEP-0484).
    pub tokens: bool,
    /// How many logins in a hundred by a token bring another one.
    pub rotates: u64,
    /// How many tokens in a hundred the server no longer trusts when they are used.
    pub distrusts: u64,
    /// Tokens outlive a restart that sessions don't.
    pub keeps_tokens: bool,
    /// A new resource ends the sessions that its user agent has had before.
    pub terminates: bool,
    /// A user agent gets the same resource each time.
    pub stable: bool,
    /// What the archive is like is said along with the resource.
    pub metadata: bool,
    /// What is sent again in a session that was resumed comes before the features.
    pub early: bool,
    /// The page may keep its token in the store.
    pub keep_token: bool,
}

impl Sasl2Plan {
    pub(super) fn new(random: &mut Random, server: &ServerPlan) -> Sasl2Plan {
        Sasl2Plan {
            offered: random.percent(50),
            changes: random.pick(&[0, 0, 40, 100]),
            bind: random.percent(85),
            resume: random.percent(90) && server.sm,
            enable: random.percent(85) && server.sm,
            tokens: random.percent(80),
            rotates: random.pick(&[0, 20, 100]),
            distrusts: random.pick(&[0, 0, 20]),
            keeps_tokens: random.percent(50),
            terminates: random.percent(60),
            stable: random.percent(50),
            metadata: random.percent(60),
            early: random.percent(50),
            keep_token: random.percent(60),
        }
    }
}
