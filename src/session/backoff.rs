//! When to try again after a lost connection: full jitter under a growing cap, so that a server that comes back
//! isn't met by all its clients at once.

use super::io::Millis;
use crate::session::rng::Rng;

/// How the app wants lost connections to be made again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReconnectPolicy {
    /// The cap of the first delay, in milliseconds. It grows threefold with each failure.
    pub base: u64,
    /// The largest cap, in milliseconds.
    pub max: u64,
    /// After how many failures in a row to give up; `None` for never.
    pub attempts: Option<u32>,
}

/// The caps of the first delays of a client that is in use, in milliseconds. Its other delays are as many steps behind those of the
/// rest.
const HURRY: [u64; 2] = [400, 2_000];

/// How many times the last one a cap is. `cargo xtask herd` tells what smaller steps do to a server that comes back.
const STEP: u64 = 3;

/// How often something from outside (the network is back, the page is looked at) may bring an attempt forward: a few times at
/// once, and after that as often as they are earned again. A machine that wakes says so in many ways at once, and a network
/// that comes and goes says so all the time.
#[derive(Debug)]
pub(crate) struct Allowance<const N: usize> {
    /// When the last ones were allowed, in a ring.
    used: [Option<Millis>; N],
    next: usize,
}

/// How often something from outside brings an attempt forward.
pub(crate) type Wakings = Allowance<3>;

/// How often a client in use may hurry back. A server that takes a login and drops it the next moment is not to be stormed.
pub(crate) type Hurries = Allowance<30>;

/// How long it takes to earn an attempt again, in milliseconds.
const EARN: u64 = 60_000;

impl<const N: usize> Default for Allowance<N> {
    fn default() -> Self {
        let used = [None; N];
        Allowance { used, next: 0 }
    }
}

impl<const N: usize> Allowance<N> {
    /// Whether one more is allowed.
    pub(crate) fn allow(&mut self, now: Millis) -> bool {
        let Some(oldest) = self.used.get_mut(self.next) else {
            return false;
        };
        if oldest.is_some_and(|oldest| now.since(oldest) < EARN) {
            return false;
        }
        *oldest = Some(now);
        self.next = (self.next + 1) % N;
        true
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        ReconnectPolicy {
            base: 8_000,
            max: 60_000,
            attempts: None,
        }
    }
}

impl ReconnectPolicy {
    /// How long to wait before attempt number `attempt` (from 0), in milliseconds; `None` to give up.
    ///
    /// `hurry`: the client was in use when the connection was lost, and somebody waits. Its first attempt comes soon, and the
    /// others are sooner than those of the rest: not all clients of a server are ever in use at once.
    pub fn delay(&self, attempt: u32, hurry: bool, rng: &mut Rng) -> Option<u64> {
        if self.attempts.is_some_and(|attempts| attempt >= attempts) {
            return None;
        }
        let soon = HURRY.get(attempt as usize).filter(|_| hurry);
        let steps = attempt.saturating_sub(if hurry { HURRY.len() as u32 } else { 0 });
        let cap = match soon {
            Some(cap) => self.base.min(*cap),
            None => self.base.saturating_mul(STEP.saturating_pow(steps)).min(self.max),
        };
        Some(rng.below(cap.saturating_add(1)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn delays_spread_over_the_whole_cap_and_stay_below_it() {
        let policy = ReconnectPolicy::default();
        let mut rng = Rng::new([7; 32]);
        for attempt in 0..40 {
            let cap = [8_000, 24_000].get(attempt as usize).copied().unwrap_or(60_000);
            let delays: Vec<u64> = (0..200)
                .map(|_| policy.delay(attempt, false, &mut rng).unwrap())
                .collect();
            assert!(delays.iter().all(|delay| *delay <= cap));
            assert!(delays.iter().any(|delay| *delay < cap / 5), "full jitter reaches down");
            assert!(delays.iter().any(|delay| *delay > cap / 5 * 4), "and up");
        }
    }

    #[test]
    fn who_is_in_use_is_two_steps_ahead() {
        let policy = ReconnectPolicy::default();
        let mut rng = Rng::new([7; 32]);
        for (attempt, cap) in [
            (0, 400),
            (1, 2_000),
            (2, 8_000),
            (3, 24_000),
            (4, 60_000),
            (u32::MAX, 60_000),
        ] {
            let delays = (0..200).map(|_| policy.delay(attempt, true, &mut rng).unwrap());
            let most = delays.max().unwrap();
            assert!(most <= cap && most > cap / 5 * 4, "{attempt}: {most}");
        }
    }

    #[test]
    fn gives_up_when_told_to() {
        let policy = ReconnectPolicy {
            attempts: Some(2),
            ..ReconnectPolicy::default()
        };
        let mut rng = Rng::new([7; 32]);
        assert!(policy.delay(1, false, &mut rng).is_some());
        assert_eq!(policy.delay(2, false, &mut rng), None);
    }
}
