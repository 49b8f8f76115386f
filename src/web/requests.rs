//! Requests that the app answers itself: `handle()`.

use super::callback::Kind;
use super::convert;
use super::drain::Inner;
use super::element;
use super::error::{report, to_js};
use super::fields::{Fields, is_absent, wrong};
use crate::engine::{Command, Event, Match, Ticket};
use crate::error::Error;
use crate::xml::{self, Element};
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// The conditions that a handler may answer with, by throwing an object that names one (RFC 6120 §8.3.3).
const CONDITIONS: [&str; 22] = [
    "bad-request",
    "conflict",
    "feature-not-implemented",
    "forbidden",
    "gone",
    "internal-server-error",
    "item-not-found",
    "jid-malformed",
    "not-acceptable",
    "not-allowed",
    "not-authorized",
    "policy-violation",
    "recipient-unavailable",
    "redirect",
    "registration-required",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
    "service-unavailable",
    "subscription-required",
    "undefined-condition",
    "unexpected-request",
];

/// Reads which requests the app wants to answer.
pub(super) fn wanted(value: &JsValue) -> Result<Match, Error> {
    let fields = Fields::of(value, "match")?;
    Ok(Match {
        xmlns: fields.required("xmlns")?,
        set: match fields.string("type")?.as_deref() {
            None => None,
            Some("get") => Some(false),
            Some("set") => Some(true),
            Some(_) => return Err(wrong("type", "\"get\" or \"set\"")),
        },
    })
}

impl Inner {
    /// Lets the app's handler answer.
    pub(super) fn ask_handler(&self, event: &Event) {
        let Event::Request { request, handler, .. } = event else {
            return;
        };
        let Some(function) = self.handler(*handler) else {
            // Taken away meanwhile: as if it had never been there.
            return self.answer(*request, Err("service-unavailable"));
        };
        match function.call1(&JsValue::UNDEFINED, &convert::event(event, None)) {
            Ok(answer) => {
                self.callback
                    .settled(&answer, Kind::Answer, Kind::AnswerFailed, request.0 as f64);
            }
            Err(error) => self.handler_failed(*request, &error),
        }
    }

    /// The handler has answered.
    pub(super) fn handler_answered(&self, request: Ticket, answer: &JsValue) {
        match payload(answer) {
            Ok(payload) => self.answer(request, Ok(payload)),
            Err(error) => self.handler_failed(request, &to_js(&error, None)),
        }
    }

    /// The handler threw.
    pub(super) fn handler_failed(&self, request: Ticket, error: &JsValue) {
        let condition = Fields::of(error, "error")
            .and_then(|fields| fields.string("condition"))
            .ok()
            .flatten();
        let condition = CONDITIONS
            .into_iter()
            .find(|known| condition.as_deref() == Some(*known));
        if condition.is_none() {
            report(error);
        }
        self.answer(request, Err(condition.unwrap_or("internal-server-error")));
    }

    fn answer(&self, request: Ticket, outcome: Result<Option<Element>, &'static str>) {
        let ticket = self.ticket();
        self.enter(Box::new(move |engine, now| {
            engine.command(now, ticket, Command::Answer { request, outcome });
        }));
    }

    fn handler(&self, number: u32) -> Option<Function> {
        let handlers = self.handlers.borrow();
        let found = handlers.iter().find(|(other, _)| *other == number);
        found.map(|(_, function)| function.clone())
    }
}

/// The payload of the answer, which must be one that can be written.
fn payload(answer: &JsValue) -> Result<Option<Element>, Error> {
    if is_absent(answer) {
        return Ok(None);
    }
    let payload = element::from_js(answer, "answer", None)?;
    match xml::write(&payload) {
        Ok(_) => Ok(Some(payload)),
        Err(error) => Err(crate::given::invalid(
            ["the answer cannot be sent: ", error.text()].concat(),
        )),
    }
}
