//! The calls that haven't been settled: the one place that makes each promise settle exactly once.

use super::{Millis, Ticket};

/// Open calls.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// In the order of their tickets, which ascend.
    open: Vec<(Ticket, Option<Millis>)>,
    /// Those with a deadline, the earliest first.
    deadlines: Vec<(Millis, Ticket)>,
}

impl Tickets {
    /// Begins a call. Tickets ascend.
    pub(super) fn open(&mut self, ticket: Ticket, deadline: Option<Millis>) {
        debug_assert!(self.open.last().is_none_or(|(last, _)| *last < ticket));
        self.open.push((ticket, deadline));
        if let Some(deadline) = deadline {
            let entry = (deadline, ticket);
            let place = self.deadlines.partition_point(|other| *other < entry);
            self.deadlines.insert(place, entry);
        }
    }

    /// Ends a call; false if it had ended before.
    pub(super) fn close(&mut self, ticket: Ticket) -> bool {
        let Some((_, deadline)) = self.place(ticket).map(|place| self.open.remove(place)) else {
            return false;
        };
        if let Some(deadline) = deadline
            && let Ok(place) = self.deadlines.binary_search(&(deadline, ticket))
        {
            self.deadlines.remove(place);
        }
        true
    }

    pub(super) fn is_open(&self, ticket: Ticket) -> bool {
        self.place(ticket).is_some()
    }

    /// The oldest open call.
    pub(super) fn first(&self) -> Option<Ticket> {
        self.open.first().map(|(ticket, _)| *ticket)
    }

    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// A call whose time has come.
    pub(super) fn expired(&self, now: Millis) -> Option<Ticket> {
        let (deadline, ticket) = self.deadlines.first()?;
        (*deadline <= now).then_some(*ticket)
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.open.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_once() {
        let mut tickets = Tickets::default();
        for number in 0..5 {
            tickets.open(Ticket(number), Some(Millis(20 - number)));
        }
        assert!(tickets.close(Ticket(2)));
        assert!(!tickets.close(Ticket(2)));
        assert_eq!(tickets.first(), Some(Ticket(0)));
        assert!(tickets.is_open(Ticket(4)));
        assert_eq!(tickets.next_deadline(), Some(Millis(16)));
        assert_eq!(tickets.expired(Millis(15)), None);
        assert_eq!(tickets.expired(Millis(16)), Some(Ticket(4)));
        for number in [4, 3, 1, 0] {
            assert_eq!(tickets.expired(Millis(99)), Some(Ticket(number)));
            assert!(tickets.close(Ticket(number)));
        }
        assert_eq!((tickets.first(), tickets.next_deadline()), (None, None));
    }
}
