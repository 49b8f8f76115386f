//! What the session waits for: one deadline a purpose, and the earliest of them for the edge's only timer.

use super::io::Millis;

/// What a deadline is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// A login takes too long, all endpoints together.
    Attempt,
    /// One endpoint takes too long while others wait.
    Endpoint,
    /// The server does not answer our `<close/>` (RFC 7395 §3.6).
    Close,
    /// The next attempt after a lost connection is due.
    Backoff,
    /// The server does not confirm what it was sent.
    Confirm,
    /// The server is silent about what was sent ahead of its turn.
    Haste,
    /// Nothing has been sent for a while.
    Keepalive,
    /// The app's store is silent.
    Load,
    /// The state is to be written.
    Keep,
    /// The server has had the time to read what was said last apart.
    Gap,
    /// The app's store doesn't say that it knows the numbers of what is under way.
    Numbers,
    /// The app's store doesn't say that it has let go of what was given up.
    LetGo,
}

impl Timer {
    const ALL: [Timer; 12] = [
        Timer::Attempt,
        Timer::Endpoint,
        Timer::Close,
        Timer::Backoff,
        Timer::Confirm,
        Timer::Haste,
        Timer::Keepalive,
        Timer::Load,
        Timer::Keep,
        Timer::Gap,
        Timer::Numbers,
        Timer::LetGo,
    ];
}

/// The deadlines that are set.
#[derive(Debug, Default)]
pub struct Timers([Option<Millis>; Timer::ALL.len()]);

impl Timers {
    /// Sets a deadline in the place of any that was there.
    pub fn set(&mut self, timer: Timer, at: Millis) {
        *self.slot(timer) = Some(at);
    }

    /// Forgets a deadline.
    pub fn stop(&mut self, timer: Timer) {
        *self.slot(timer) = None;
    }

    /// When this one is due, if it is set.
    pub fn due(&self, timer: Timer) -> Option<Millis> {
        self.0.get(timer as usize).copied().flatten()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Millis> {
        self.0.iter().flatten().copied().min()
    }

    /// Takes out one timer that is due, the earliest first.
    pub fn expired(&mut self, now: Millis) -> Option<Timer> {
        let (timer, _) = Timer::ALL
            .into_iter()
            .zip(self.0)
            .filter_map(|(timer, at)| at.filter(|at| *at <= now).map(|at| (timer, at)))
            .min_by_key(|(_, at)| *at)?;
        self.stop(timer);
        Some(timer)
    }

    #[allow(clippy::indexing_slicing)] // the table has a place for every discriminant
    fn slot(&mut self, timer: Timer) -> &mut Option<Millis> {
        &mut self.0[timer as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timer_fires_once_and_the_earliest_first() {
        let mut timers = Timers::default();
        timers.set(Timer::Attempt, Millis(30));
        timers.set(Timer::Close, Millis(10));
        timers.set(Timer::Close, Millis(20));
        assert_eq!(timers.next(), Some(Millis(20)));
        assert_eq!(timers.expired(Millis(19)), None);
        assert_eq!(timers.expired(Millis(40)), Some(Timer::Close));
        assert_eq!(timers.expired(Millis(40)), Some(Timer::Attempt));
        assert_eq!(timers.expired(Millis(40)), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn every_timer_has_its_own_place() {
        for (place, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, place);
        }
    }
}
