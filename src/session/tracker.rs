//! Which iq is whose: RFC 6120 §8.2.3 and, for who may answer, §8.1.2.1.
//!
//! An answer belongs to a question when its id **and** its sender fit. An id alone is no secret to the server's
//! other users once it has been seen, and a forged answer would be a lie told to the app.

use super::io::{Millis, Origin, Token};
use crate::jid::Jid;
use crate::xml::Element;

/// How long an answer may take that no call of the app's waits for, in milliseconds.
pub const PATIENCE: u64 = 30_000;

/// The questions that are under way.
#[derive(Debug, Default)]
pub struct Tracker {
    /// In the order of asking, which mostly is that of the answers.
    pending: Vec<Pending>,
    /// How many of them watch their own time.
    timed: usize,
}

#[derive(Debug)]
struct Pending {
    id: String,
    to: Option<Jid>,
    origin: Origin,
    deadline: Option<Millis>,
}

impl Tracker {
    /// Remembers a question that was sent.
    pub fn insert(&mut self, id: String, to: Option<Jid>, origin: Origin, deadline: Option<Millis>) {
        self.timed += usize::from(deadline.is_some());
        self.pending.push(Pending {
            id,
            to,
            origin,
            deadline,
        });
    }

    /// Takes out the question that this iq (a result or an error) answers, for the account bound as `own`.
    pub fn answered(&mut self, iq: &Element, own: &Jid) -> Option<Origin> {
        let id = iq.attr("id")?;
        let place = self
            .pending
            .iter()
            .position(|pending| pending.id == id && may_answer(pending.to.as_ref(), iq.attr("from"), own))?;
        self.take(place)
    }

    /// Takes out the question asked for a call.
    pub fn cancel(&mut self, token: Token) -> Option<Origin> {
        let place = self.pending.iter().position(|pending| pending.origin.token == token)?;
        self.take(place)
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.timed == 0 {
            return None;
        }
        self.pending.iter().filter_map(|pending| pending.deadline).min()
    }

    /// Takes out one question whose deadline has come.
    pub fn expired(&mut self, now: Millis) -> Option<Origin> {
        let place = self
            .pending
            .iter()
            .position(|pending| pending.deadline.is_some_and(|deadline| deadline <= now))?;
        self.take(place)
    }

    /// The session goes on, in which nobody could answer meanwhile: what watches its own time has all of it again.
    pub fn resumed(&mut self, now: Millis) {
        let until = now.after(PATIENCE);
        for deadline in self.pending.iter_mut().filter_map(|pending| pending.deadline.as_mut()) {
            *deadline = until.max(*deadline);
        }
    }

    /// Takes out everything, in the order of asking.
    pub fn drain(&mut self) -> impl Iterator<Item = Origin> + use<> {
        self.timed = 0;
        core::mem::take(&mut self.pending)
            .into_iter()
            .map(|pending| pending.origin)
    }

    fn take(&mut self, place: usize) -> Option<Origin> {
        self.pending.get(place)?;
        let pending = self.pending.remove(place);
        self.timed -= usize::from(pending.deadline.is_some());
        Some(pending.origin)
    }

    /// How many questions are under way.
    pub fn under_way(&self) -> usize {
        self.pending.len()
    }
}

/// Whether `from` may answer what was asked of `to`.
fn may_answer(to: Option<&Jid>, from: Option<&str>, own: &Jid) -> bool {
    let asked_account = to.is_none_or(|to| to.is_bare() && to.same_bare(own));
    let Some(from) = from else {
        // RFC 6120 §8.1.2.1 item 4: without a sender, it is the own account's.
        return asked_account;
    };
    let Ok(from) = Jid::parse(from) else { return false };
    match to {
        // Item 2: the account's bare JID. A server that names itself or the very client speaks for the account
        // too, and nobody else can use those addresses.
        None => (from.is_bare() && from.same_bare(own)) || from == *own || from == own.domain_jid(),
        Some(to) => from == *to,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        Jid::parse(text).unwrap()
    }

    fn accepts(to: Option<&str>, from: Option<&str>) -> bool {
        let mut tracker = Tracker::default();
        let origin = Origin {
            owner: 0,
            token: Token::Own(1),
        };
        tracker.insert("id".into(), to.map(jid), origin, None);
        let iq = Element::new("iq", crate::stream::ns::CLIENT)
            .with_attr("id", "id")
            .with_opt_attr("from", from);
        tracker.answered(&iq, &jid("me@example.org/here")).is_some()
    }

    #[test]
    fn rfc6120_8_1_2_1_the_account_answers_for_itself() {
        for to in [None, Some("me@example.org")] {
            assert!(accepts(to, None));
            assert!(accepts(to, Some("me@example.org")));
            assert!(accepts(to, Some("ME@example.org")));
            assert!(!accepts(to, Some("you@example.org")));
            assert!(
                !accepts(to, Some("me@example.org/there")),
                "another client of mine is not the account"
            );
            assert!(!accepts(to, Some("example.com")));
            assert!(!accepts(to, Some("@@")));
        }
        assert!(accepts(None, Some("example.org")));
        assert!(accepts(None, Some("me@example.org/here")));
    }

    #[test]
    fn rfc6120_8_2_3_only_who_was_asked_may_answer() {
        assert!(accepts(Some("you@example.org/x"), Some("you@example.org/x")));
        assert!(!accepts(Some("you@example.org/x"), Some("you@example.org")));
        assert!(!accepts(Some("you@example.org/x"), Some("eve@example.org/x")));
        assert!(!accepts(Some("you@example.org/x"), None));
        assert!(accepts(Some("example.org"), Some("example.org")));
        assert!(!accepts(Some("example.org"), None));
    }

    #[test]
    fn an_answer_is_taken_once() {
        let mut tracker = Tracker::default();
        let origin = Origin {
            owner: 0,
            token: Token::Own(1),
        };
        tracker.insert("id".into(), None, origin, Some(Millis(5)));
        let own = jid("me@example.org/here");
        let iq = Element::new("iq", crate::stream::ns::CLIENT).with_attr("id", "id");
        assert_eq!(tracker.answered(&iq, &own), Some(origin));
        assert_eq!(tracker.answered(&iq, &own), None);
        assert_eq!(tracker.expired(Millis(9)), None);
    }
}
