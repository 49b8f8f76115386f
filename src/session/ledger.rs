//! What has been sent on a session and not been acknowledged yet, counted as XEP-0198 §4 counts: modulo 2³², each side for
//! itself, from `<enable/>` on.
//!
//! Without stream management the same is counted for ourselves alone, messages only, and the answer to a ping says how far the
//! server has come.

use super::outgoing::{Kind, Parcel};

/// The counters of a session, and what the server has not acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// How many of our stanzas the server has acknowledged.
    acknowledged: u32,
    /// What was sent since, in order.
    sent: Vec<Parcel>,
    /// How many of those somebody waits for.
    awaited: usize,
    /// How many of the server's stanzas we have handled.
    pub(crate) handled: u32,
    /// How many of those the server has been told of.
    pub(crate) told: u32,
}

/// The server acknowledges what was never sent, or takes back what it has acknowledged: counting modulo 2³², the one is the
/// other.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Beyond;

impl Ledger {
    /// The counters of a new session.
    pub(crate) fn begun(at: u32) -> Ledger {
        Ledger::restored(at, at)
    }

    /// The counters of an earlier page's session.
    pub(crate) fn restored(acknowledged: u32, handled: u32) -> Ledger {
        Ledger {
            acknowledged,
            handled,
            told: handled,
            ..Ledger::default()
        }
    }

    /// A stanza is being sent.
    pub(crate) fn push(&mut self, parcel: Parcel) {
        self.awaited += usize::from(parcel.is_message());
        self.sent.push(parcel);
    }

    /// The number of the last stanza sent.
    pub(crate) fn written(&self) -> u32 {
        self.acknowledged.wrapping_add(self.sent.len() as u32)
    }

    /// The number of the last stanza acknowledged.
    pub(crate) fn acknowledged(&self) -> u32 {
        self.acknowledged
    }

    /// The server has handled all up to this number: what is new among them.
    pub(crate) fn acknowledge(&mut self, h: u32) -> Result<Vec<Parcel>, Beyond> {
        let count = h.wrapping_sub(self.acknowledged) as usize;
        if count > self.sent.len() {
            return Err(Beyond);
        }
        self.acknowledged = h;
        let taken: Vec<Parcel> = self.sent.drain(..count).collect();
        self.awaited -= taken.iter().filter(|parcel| parcel.is_message()).count();
        Ok(taken)
    }

    /// Takes out all that isn't acknowledged, to be sent again or not.
    pub(crate) fn take(&mut self) -> Vec<Parcel> {
        self.awaited = 0;
        core::mem::take(&mut self.sent)
    }

    /// One more stanza of the server's has been handled.
    pub(crate) fn handle(&mut self) {
        self.handled = self.handled.wrapping_add(1);
    }

    /// How many stanzas aren't acknowledged.
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    /// How many messages aren't acknowledged.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parcel> {
        self.sent.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Parcel> {
        self.sent.iter_mut()
    }

    /// Takes what is waited for out of a stanza, which keeps its place in the count.
    pub(crate) fn void(&mut self, which: impl Fn(&Parcel) -> bool) -> Option<Parcel> {
        let parcel = self.sent.iter_mut().find(|parcel| which(parcel))?;
        self.awaited -= usize::from(parcel.is_message());
        Some(core::mem::replace(parcel, Parcel::void()))
    }

    /// Leaves places for stanzas of which nothing but their number is known.
    pub(crate) fn leave_room(&mut self, until: u32) {
        while self.written() != until {
            self.push(Parcel::void());
        }
    }
}

impl Parcel {
    /// Whether somebody waits to hear that the server has it.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.outgoing.kind, Kind::Deliver { .. })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(acknowledged: u32, count: u32) -> Ledger {
        let mut ledger = Ledger::restored(acknowledged, 0);
        ledger.leave_room(acknowledged.wrapping_add(count));
        ledger
    }

    #[test]
    fn xep0198_4_acknowledged_up_to_h() {
        let mut ledger = filled(0, 5);
        assert_eq!(ledger.acknowledge(3).unwrap().len(), 3);
        assert_eq!(ledger.acknowledge(3).unwrap().len(), 0, "said again");
        assert_eq!((ledger.acknowledged(), ledger.written(), ledger.len()), (3, 5, 2));
        assert_eq!(ledger.acknowledge(5).unwrap().len(), 2);
    }

    #[test]
    fn xep0198_4_never_more_than_was_sent_and_never_less_than_before() {
        let mut ledger = filled(7, 5);
        for h in [13, 6, 0, u32::MAX] {
            assert_eq!(ledger.acknowledge(h).unwrap_err(), Beyond, "{h}");
        }
        assert_eq!((ledger.acknowledged(), ledger.len()), (7, 5), "and nothing has changed");
    }

    #[test]
    fn xep0198_4_counters_wrap_at_2_to_the_32() {
        let mut ledger = filled(u32::MAX - 1, 4);
        assert_eq!(ledger.written(), 2);
        assert_eq!(ledger.acknowledge(u32::MAX).unwrap().len(), 1);
        assert_eq!(ledger.acknowledge(1).unwrap().len(), 2);
        assert_eq!(ledger.acknowledge(3).unwrap_err(), Beyond);
        assert_eq!(ledger.acknowledge(u32::MAX).unwrap_err(), Beyond);
        assert_eq!(ledger.acknowledge(2).unwrap().len(), 1);
        ledger.handled = u32::MAX;
        ledger.handle();
        assert_eq!(ledger.handled, 0);
    }
}
