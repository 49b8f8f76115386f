//! A feature's way to the outside, and what it says there.

use super::facts::Facts;
use super::{Event, Reply};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::tracker::PATIENCE;
use crate::session::{Doubt, Kind, Millis, Origin, Outgoing, Session, Status, Ticket, Token};
use crate::xml::Element;

/// What a feature says to the engine.
#[derive(Debug)]
pub enum Said {
    /// To the listeners.
    Event(Event),
    /// To a caller.
    Reply(Ticket, Result<Reply, Error>),
    /// To the clock: the timer of the feature with this place in the list, in the place of what it was set to.
    Timer(u8, Option<Millis>),
}

/// A feature's way to the outside.
pub struct Ctx<'a> {
    now: Millis,
    session: &'a mut Session,
    said: &'a mut Vec<Said>,
    /// Whether a call is still to be settled.
    open: &'a dyn Fn(Ticket) -> bool,
    /// What features know of each other's.
    pub facts: &'a mut Facts,
    pub(super) owner: u8,
    /// Whether what is sent is to leave ahead of the session.
    pub(super) ahead: bool,
}

impl<'a> Ctx<'a> {
    /// For whichever feature is called next. `open` says of calls whether they are still to be settled.
    pub fn new(
        now: Millis,
        session: &'a mut Session,
        said: &'a mut Vec<Said>,
        open: &'a dyn Fn(Ticket) -> bool,
        facts: &'a mut Facts,
    ) -> Self {
        Ctx {
            now,
            session,
            said,
            open,
            facts,
            owner: Origin::APP,
            ahead: false,
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The bound address, while online.
    pub fn jid(&self) -> Option<&Jid> {
        self.session.jid()
    }

    /// The account.
    pub fn account(&self) -> &Jid {
        // An anonymous account learns its address when it is bound.
        self.session.jid().unwrap_or_else(|| self.session.account())
    }

    /// Whether the account is another one each time, and has its address from the server.
    pub fn is_anonymous(&self) -> bool {
        self.session.account().local().is_none()
    }

    /// What the server said of the resource, where it was bound along with the authentication: a `<bound/>` (XEP-0386 §2.2).
    pub fn inline(&self) -> Option<&Element> {
        self.session.inline().map(|(bound, _)| bound)
    }

    /// Whether what a feature wants enabled along with a resource has been: see [`Feature::inline`](super::Feature::inline)(super::Feature::inline).
    pub fn is_enabled(&self, xmlns: &str) -> bool {
        let inline = self.session.inline();
        inline.is_some_and(|(_, enabled)| enabled.iter().any(|feature| feature == xmlns))
    }

    /// Whether the server keeps an archive for the account. One that doesn't is asked for a resource in another way, by which
    /// it hands over what it kept for somebody who was offline.
    pub fn learn_of_archive(&mut self, archive: bool) {
        self.session.learn_of_archive(archive);
    }

    /// Whether the server numbers the versions of rosters (RFC 6121 §2.6.1), as far as its features have said so, now or at the
    /// login before.
    pub fn numbers_rosters(&self) -> bool {
        self.session.numbers_rosters()
    }

    /// Whether a call is still to be settled.
    pub fn is_open(&self, ticket: Ticket) -> bool {
        (self.open)(ticket)
    }

    /// The connection's state.
    pub fn status(&self) -> Status {
        self.session.status()
    }

    /// 128 random bits as text.
    pub fn id(&mut self) -> String {
        self.session.rng().id()
    }

    /// Tells the listeners.
    pub fn emit(&mut self, event: Event) {
        self.said.push(Said::Event(event));
    }

    /// Settles a call.
    pub fn reply(&mut self, ticket: Ticket, result: Result<Reply, Error>) {
        self.said.push(Said::Reply(ticket, result));
    }

    /// Sends a stanza of the feature's own.
    ///
    /// # Errors
    /// As [`Ctx::ask`].
    pub fn send(&mut self, stanza: &Element) -> Result<(), Error> {
        let outgoing = Outgoing::new(stanza, Kind::Send, None)?;
        self.submit(outgoing)
    }

    /// Sends a stanza for a call; [`Feature::on_reply`](super::Feature::on_reply) hears when it has left, however long there is no connection.
    ///
    /// # Errors
    /// As [`Ctx::ask`].
    pub fn send_for(&mut self, ticket: Ticket, stanza: &Element) -> Result<(), Error> {
        let outgoing = Outgoing::new(stanza, Kind::Send, Some(self.origin(Token::Call(ticket))))?;
        self.submit(outgoing)
    }

    /// Answers a request. Where it cannot be sent, the session that it belonged to is over.
    pub fn answer(&mut self, answer: &Element) {
        let _ = self.send(answer);
    }

    /// Asks by an iq; [`Feature::on_reply`](super::Feature::on_reply) gets the answer. A question on the feature's own account is given up after
    /// 30 s; one for a call lasts as long as the call, and isn't asked where that has ended already: nothing would end it then.
    ///
    /// # Errors
    /// `offline`, `queue-full`, `invalid-argument`, `aborted`: nothing was asked, and nothing will be answered.
    pub fn ask(&mut self, set: bool, to: Option<Jid>, payload: Element, token: Token) -> Result<(), Error> {
        let id = self.id();
        let deadline = match token {
            Token::Own(_) => Some(self.now.after(PATIENCE)),
            Token::Call(ticket) if !self.is_open(ticket) => {
                return Err(Error::new(
                    Code::Aborted,
                    Phase::Stanza,
                    "the call has ended before it was asked for",
                ));
            }
            Token::Call(_) => None,
        };
        let outgoing = Outgoing::ask(id, set, to, payload, deadline, self.origin(token))?;
        self.submit(outgoing)
    }

    /// Sends a message; [`Feature::on_reply`](super::Feature::on_reply) hears when the server has taken it, or that it has not.
    ///
    /// # Errors
    /// As [`Ctx::ask`].
    pub fn deliver(&mut self, message: &Element, id: String, to: Jid, token: Token) -> Result<(), Error> {
        let outgoing = Outgoing::message(message, id, to, self.origin(token))?;
        self.submit(outgoing)
    }

    /// The messages of which nobody knows yet whether the server has taken them: their session has ended without its last word.
    /// As long as there are any, no other message of the app's is sent, so that none overtakes them.
    pub fn doubts(&self) -> Vec<Doubt> {
        self.session.doubts()
    }

    /// The archive has a message of ours: one in doubt was taken.
    pub fn found(&mut self, doubt: &Doubt, stanza_id: &Element) {
        self.session.found(doubt, stanza_id);
    }

    /// The archive has been searched. Of the messages still in doubt, those that it would have if they had been taken
    /// (`absent` says so) are sent again; the rest end with `delivery-unknown`, unless the server has said that it
    /// hasn't handled them.
    pub fn end_doubts(&mut self, absent: &dyn Fn(&Doubt) -> bool) {
        self.session.end_doubts(self.now, absent);
    }

    /// The number of the last stanza that was to be sent, and up to which of them it is known of every message what has become
    /// of it.
    pub fn progress(&self) -> (u64, u64) {
        self.session.progress()
    }

    /// Sets the feature's one timer, or stops it: see [`Feature::on_timer`](super::Feature::on_timer).
    pub fn set_timer(&mut self, at: Option<Millis>) {
        self.said.push(Said::Timer(self.owner, at));
    }

    /// What [`Feature::save`](super::Feature::save) would say has changed.
    pub fn changed(&mut self) {
        self.session.changed(self.now);
    }

    fn submit(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        if self.ahead {
            self.session.submit_ahead(outgoing)
        } else {
            self.session.submit(self.now, outgoing)
        }
    }

    fn origin(&self, token: Token) -> Origin {
        Origin {
            owner: self.owner,
            token,
        }
    }
}
