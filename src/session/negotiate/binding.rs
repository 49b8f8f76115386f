//! Resource binding (RFC 6120 §7), and the session of RFC 3921 §3 where a server still requires it.

use super::{EARLY, Failure, Negotiate, Outcome, Progress, Step, violation};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::Shared;
use crate::session::io::Note;
use crate::session::ledger::Beyond;
use crate::session::online::miscount;
use crate::session::outgoing::Parcel;
use crate::session::sm::{self, Word};
use crate::stanza::StanzaError;
use crate::stream::features::Features;
use crate::stream::ns;
use crate::xml::Element;

/// What a server answers a bind request that it takes for no such thing: it has come too early for it.
const TOO_EARLY: [&str; 4] = [
    "feature-not-implemented",
    "not-authorized",
    "service-unavailable",
    "unexpected-request",
];

impl Negotiate {
    /// The server's features after the login.
    pub(super) fn bind(&mut self, shared: &mut Shared, features: &Features) -> Outcome {
        self.take_features(shared, features);
        if !features.bind {
            return Err(violation(
                Phase::Bind,
                "the server does not offer to bind a resource",
                "undefined-condition",
            ));
        }
        self.requires_session = features.session;
        self.binding = true;
        let ahead = core::mem::take(&mut self.ahead.resume);
        let asleep = shared.asleep.as_ref().filter(|_| self.sm);
        if let Some(asleep) = asleep {
            if !ahead {
                let resume = sm::resume(&asleep.id, asleep.ledger.handled);
                shared.write(&resume);
            }
            return Ok(Progress::To(Step::Resume));
        }
        // It can be resumed nowhere else.
        shared.bury_asleep(&lost());
        Ok(self.ask_to_bind(shared))
    }

    pub(super) fn take_features(&mut self, shared: &mut Shared, features: &Features) {
        shared.memory.roster_ver = features.roster_ver;
        self.limits = features.limits;
        self.stumbles = features.prosody;
        self.sm = features.sm;
        self.csi = features.csi;
    }

    /// Asks for a resource, unless that has left ahead; and behind it for stream management, so that all that follows counts.
    fn ask_to_bind(&mut self, shared: &mut Shared) -> Progress {
        let id = match self.ahead.bind.take() {
            Some(id) => id,
            None => request_bind(shared),
        };
        if self.sm && !self.enabled && !self.requires_session {
            self.enabled = true;
            shared.write(&sm::enable());
        }
        Progress::To(Step::Bind(id))
    }

    /// XEP-0198 §5: the answer to `<resume/>`.
    pub(super) fn resumed(&mut self, shared: &mut Shared, element: &Element) -> Outcome {
        match sm::read(element) {
            Some(Word::Resumed { id, h }) => match &mut shared.asleep {
                Some(asleep) if asleep.id == id => match asleep.ledger.acknowledge(h) {
                    Ok(taken) => {
                        // What isn't among it has not been handled, as far as a restored session is concerned neither.
                        for parcel in &mut shared.outbox.waiting {
                            parcel.unhandled = true;
                        }
                        for parcel in taken.into_iter().filter(Parcel::is_message) {
                            shared.finish(parcel, Ok(None));
                        }
                        Ok(Progress::Resumed)
                    }
                    Err(Beyond) => Ok(miscounted(shared)),
                },
                _ => Ok(miscounted(shared)),
            },
            Some(Word::Failed { h }) => {
                not_resumed(shared, h);
                Ok(self.ask_to_bind(shared))
            }
            _ => Ok(Progress::To(Step::Resume)),
        }
    }

    /// The answer to the bind request.
    pub(super) fn bound(&mut self, shared: &mut Shared, iq: &Element) -> Outcome {
        if let Some(error) = StanzaError::of(iq) {
            if error.condition == "conflict" && shared.config.resource != shared.bound && shared.bound.take().is_some()
            {
                // It was our own idea.
                return Ok(Progress::Anew);
            }
            let too_early = TOO_EARLY.contains(&error.condition.as_ref());
            return Err(Failure {
                haste: too_early,
                ..bind_error(error).into()
            });
        }
        let jid = iq
            .child("bind", ns::BIND)
            .and_then(|bind| bind.child_text("jid", ns::BIND))
            .and_then(|text| Jid::parse(text.trim()).ok())
            .filter(Jid::is_full);
        let Some(jid) = jid else {
            let message = "the server bound something that is no full JID";
            return Err(Error::new(Code::BindFailed, Phase::Bind, message).into());
        };
        let jid = ours(shared, Some(jid))?;
        if !self.requires_session {
            return Ok(Progress::Bound(jid, Vec::new()));
        }
        let id = match self.ahead.session.take() {
            Some(id) => id,
            None => ask(shared, Element::new("session", ns::SESSION)),
        };
        let early = Vec::new();
        Ok(Progress::To(Step::Session { id, jid, early }))
    }

    /// What comes in while the session of RFC 3921 is awaited.
    pub(super) fn before_session(element: Element, id: String, jid: Jid, mut early: Vec<Element>) -> Outcome {
        if !answers(&element, &id) {
            early = self::early(early, element)?;
            return Ok(Progress::To(Step::Session { id, jid, early }));
        }
        match StanzaError::of(&element) {
            Some(error) => Err(bind_error(error).into()),
            None => Ok(Progress::Bound(jid, early)),
        }
    }
}

/// A session that was to be resumed counts otherwise than we do: an earlier page's record is out of date, or the server is at
/// fault. Either way nothing that it says of that session can be relied on.
fn miscounted(shared: &mut Shared) -> Progress {
    let error = miscount();
    if shared.asleep.as_ref().is_some_and(|asleep| !asleep.restored) {
        shared.note(Note::Failed(error.clone()));
    }
    shared.bury_asleep(&error);
    Progress::Anew
}

/// The session that was to be resumed is gone. Of what was sent in it the server has handled `h` stanzas, where it says so.
pub(super) fn not_resumed(shared: &mut Shared, h: Option<u32>) {
    if let Some(asleep) = &mut shared.asleep
        && let Some(taken) = h.and_then(|h| asleep.ledger.acknowledge(h).ok())
    {
        // It has not handled anything of it since.
        for parcel in asleep.ledger.iter_mut().chain(&mut shared.outbox.waiting) {
            parcel.unhandled = true;
        }
        for parcel in taken.into_iter().filter(Parcel::is_message) {
            shared.finish(parcel, Ok(None));
        }
    }
    shared.bury_asleep(&lost());
}

/// RFC 6120 §7.1: what is bound is a resource of the account that was authenticated. Only an anonymous login learns its
/// address here. A domain in its ASCII form may come back in its Unicode form.
pub(super) fn ours(shared: &Shared, jid: Option<Jid>) -> Result<Jid, Error> {
    let account = &shared.config.account;
    let domain_fits = |jid: &Jid| jid.domain() == account.domain() || account.domain().contains("xn--");
    match jid {
        Some(jid) if domain_fits(&jid) && (account.local().is_none() || jid.local() == account.local()) => Ok(jid),
        jid => {
            let jid = jid.as_ref().map_or("none", Jid::as_str);
            let message = "the server bound the address of another account: ".to_owned() + jid;
            Err(Error::new(Code::BindFailed, Phase::Bind, message))
        }
    }
}

/// The resource is bound: others may reach it before the server has said all that is to be known.
pub(super) fn early(mut early: Vec<Element>, element: Element) -> Result<Vec<Element>, Failure> {
    if early.len() >= EARLY {
        let message = "the server sends and sends, and doesn't come to the end of the login";
        return Err(violation(Phase::Bind, message, "policy-violation"));
    }
    early.push(element);
    Ok(early)
}

fn lost() -> Error {
    Error::new(Code::Closed, Phase::Session, "the server no longer has the session")
}

/// Asks for a resource; the id of the question.
pub(super) fn request_bind(shared: &mut Shared) -> String {
    // The one before, so that nothing is left of its session. Where it was bound by a tag (XEP-0386 §2.2.1), it begins with what
    // the app has asked for.
    let asked = shared.config.resource.as_deref();
    let bound = shared.bound.as_deref();
    let bound = bound.filter(|bound| asked.is_none_or(|asked| bound.starts_with(asked)));
    let resource = bound.or(asked).map(str::to_owned);
    let payload = Element::new("bind", ns::BIND)
        .with_opt_child(resource.map(|resource| Element::new("resource", ns::BIND).with_text(resource)));
    ask(shared, payload)
}

/// Asks for the session of RFC 3921; the id of the question.
pub(super) fn request_session(shared: &mut Shared) -> String {
    ask(shared, Element::new("session", ns::SESSION))
}

/// Sends an iq to the server during the negotiation.
fn ask(shared: &mut Shared, payload: Element) -> String {
    let id = shared.rng.id();
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("id", id.as_str())
        .with_child(payload);
    shared.write(&iq);
    id
}

/// Whether this is the server's answer to the iq that we sent it. Before a resource is bound, nobody else can reach us.
pub(super) fn answers(iq: &Element, id: &str) -> bool {
    iq.is("iq", ns::CLIENT) && iq.attr("id") == Some(id) && matches!(iq.attr("type"), Some("result" | "error"))
}

fn bind_error(error: StanzaError) -> Error {
    let code = match error.condition.as_ref() {
        "conflict" => Code::Conflict,
        _ => Code::BindFailed,
    };
    let message = "the server refused to bind a resource: ".to_owned() + &error.condition;
    Error::new(code, Phase::Bind, message)
        .with_retryable(error.kind == "wait")
        .with_condition(error.condition)
        .with_text(error.text)
}
