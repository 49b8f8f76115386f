//! The calls that haven't been settled: the one place that makes each promise settle exactly once.

use super::{Millis, Ticket};
use std::collections::VecDeque;

/// Open calls, in the order of their tickets.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    open: VecDeque<(Ticket, Option<Millis>)>,
}

impl Tickets {
    /// Begins a call. Tickets ascend.
    pub(super) fn open(&mut self, ticket: Ticket, deadline: Option<Millis>) {
        debug_assert!(self.open.back().is_none_or(|(last, _)| *last < ticket));
        self.open.push_back((ticket, deadline));
    }

    /// Ends a call; false if it had ended before.
    pub(super) fn close(&mut self, ticket: Ticket) -> bool {
        match self.place(ticket) {
            Some(place) => self.open.remove(place).is_some(),
            None => false,
        }
    }

    pub(super) fn is_open(&self, ticket: Ticket) -> bool {
        self.place(ticket).is_some()
    }

    /// The oldest open call.
    pub(super) fn first(&self) -> Option<Ticket> {
        self.open.front().map(|(ticket, _)| *ticket)
    }

    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.open.iter().filter_map(|(_, deadline)| *deadline).min()
    }

    /// A call whose time has come.
    pub(super) fn expired(&self, now: Millis) -> Option<Ticket> {
        self.open
            .iter()
            .find(|(_, deadline)| deadline.is_some_and(|deadline| deadline <= now))
            .map(|(ticket, _)| *ticket)
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
            tickets.open(Ticket(number), (number == 3).then_some(Millis(10)));
        }
        assert!(tickets.close(Ticket(2)));
        assert!(!tickets.close(Ticket(2)));
        assert_eq!(tickets.first(), Some(Ticket(0)));
        assert_eq!(tickets.next_deadline(), Some(Millis(10)));
        assert_eq!(tickets.expired(Millis(9)), None);
        assert_eq!(tickets.expired(Millis(10)), Some(Ticket(3)));
        assert!(tickets.is_open(Ticket(4)));
    }
}
