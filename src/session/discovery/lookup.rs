//! Asking for host-meta: XRD and JSON at once. The first document with an endpoint that may be used wins, and the other is
//! dropped; where one fails, the other is waited for; where both do, the error says what was wrong with each.

use super::super::Shared;
use super::super::io::{Fetched, Ticket, Wish};
use super::{Endpoint, MAX_HOST_META, Source, host_meta_url, problem, read_json, read_xrd};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};

/// Both documents, asked for.
#[derive(Debug)]
pub(in crate::session) struct Lookup {
    xrd: Part,
    json: Part,
}

/// One document.
#[derive(Debug)]
enum Part {
    /// It is under way.
    Asked(Ticket),
    /// It has come.
    Used,
    /// This was wrong with it.
    Failed(Error),
}

impl Lookup {
    /// Asks.
    pub(in crate::session) fn begin(shared: &mut Shared) -> Result<Lookup, Error> {
        let config = &shared.config;
        let url = host_meta_url(
            config.account.domain(),
            config.host_meta.as_deref(),
            config.allow_insecure,
        )?;
        // RFC 6415 §3: the JSON has a place of its own.
        let json = url.clone() + ".json";
        Ok(Lookup {
            xrd: ask(shared, url),
            json: ask(shared, json),
        })
    }

    /// Takes what came of a fetch; `None` while nothing is decided.
    pub(in crate::session) fn fetched(
        &mut self,
        shared: &mut Shared,
        id: Ticket,
        outcome: Fetched<'_>,
    ) -> Option<Result<Vec<Endpoint>, Error>> {
        let (part, source) = match (&self.xrd, &self.json) {
            (Part::Asked(xrd), _) if *xrd == id => (&mut self.xrd, Source::Xrd),
            (_, Part::Asked(json)) if *json == id => (&mut self.json, Source::Json),
            _ => return None,
        };
        match read(outcome, source, shared.config.allow_insecure) {
            Ok(endpoints) => {
                *part = Part::Used;
                self.cancel(shared);
                return Some(Ok(endpoints));
            }
            Err(error) => *part = Part::Failed(error),
        }
        match (&self.xrd, &self.json) {
            (Part::Failed(xrd), Part::Failed(json)) => Some(Err(both(xrd, json))),
            _ => None,
        }
    }

    /// Drops what is under way.
    pub(in crate::session) fn cancel(&self, shared: &mut Shared) {
        for part in [&self.xrd, &self.json] {
            if let Part::Asked(id) = part {
                shared.wish(Wish::CancelFetch { id: *id });
            }
        }
    }
}

fn ask(shared: &mut Shared, url: String) -> Part {
    let id = shared.ticket();
    let limit = MAX_HOST_META;
    shared.wish(Wish::Fetch { id, url, limit });
    Part::Asked(id)
}

fn read(outcome: Fetched<'_>, source: Source, allow_insecure: bool) -> Result<Vec<Endpoint>, Error> {
    match outcome {
        Fetched::Response { status, body } if (200..300).contains(&status) => match source {
            Source::Json => read_json(body, allow_insecure),
            _ => read_xrd(body, allow_insecure),
        },
        Fetched::Response { status, .. } => {
            let said = "answered with HTTP status ".to_owned() + &decimal(status.into());
            let error = problem(Code::DiscoveryHttp, said);
            // RFC 9110 §15.6, RFC 6585 §4: trouble that may pass.
            Err(if status >= 500 || status == 429 {
                error
                    .with_retryable(true)
                    .with_hint("The domain's web server is in trouble. Try again later.")
            } else {
                error
            })
        }
        Fetched::Failed => Err(problem(
            Code::DiscoveryNetwork,
            "could not be fetched (network or CORS: the browser does not say which)",
        )),
        Fetched::TooLarge => Err(problem(Code::DiscoveryParse, "is larger than any host-meta should be")),
    }
}

/// The error of both: of the kind that tells more, in the words of each, and worth another try where either is.
fn both(xrd: &Error, json: &Error) -> Error {
    let kind = if telling(json) > telling(xrd) { json } else { xrd };
    let message = if xrd.message() == json.message() {
        [
            "the domain's host-meta ",
            xrd.message(),
            "; the same goes for its host-meta.json",
        ]
        .concat()
    } else {
        [
            "the domain's host-meta ",
            xrd.message(),
            "; its host-meta.json ",
            json.message(),
        ]
        .concat()
    };
    Error::new(kind.code(), Phase::Discovery, message)
        .with_retryable(xrd.retryable() || json.retryable())
        .with_hint(kind.hint())
}

/// How much an error tells: the further it got, the more; and among equals, whether it may pass.
fn telling(error: &Error) -> (u8, bool) {
    let reached = match error.code() {
        Code::Insecure => 4,
        Code::DiscoveryNoLink => 3,
        Code::DiscoveryParse => 2,
        Code::DiscoveryHttp => 1,
        _ => 0,
    };
    (reached, error.retryable())
}
