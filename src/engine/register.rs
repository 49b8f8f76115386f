//! An account that is being made (XEP-0077): what the session is told, the forms of the features' side understand.

use super::{Engine, Millis, Reply, Ticket};
use crate::error::{Code, Error, Phase};
use crate::im;
use crate::im::register::{Answer, Next, Values};
use crate::xml::Element;

impl Engine {
    /// The server says what it wants to know.
    pub(super) fn form(&mut self, now: Millis, ticket: Ticket, query: &Element) {
        let Some(account) = &mut self.making else { return };
        match account.answer(query) {
            Ok(Next::Tell(query)) => self.session.fill(now, ticket, None, query),
            Ok(Next::Ask(form)) => self.reply(ticket, Ok(Reply::Im(im::Reply::Register(Answer::Form(form))))),
            Err(error) => self.session.cancel(ticket, error),
        }
    }

    /// The app has filled in the rest.
    pub(super) fn fill(
        &mut self,
        now: Millis,
        ticket: Ticket,
        timeout: Option<u64>,
        values: &Values,
    ) -> Result<(), Error> {
        let nothing = || Error::new(Code::InvalidState, Phase::Session, "there is nothing to be filled in");
        let query = self.making.as_ref().ok_or_else(nothing)?.filled(values)?;
        self.session.fill(now, ticket, timeout, query);
        Ok(())
    }
}
