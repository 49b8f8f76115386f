//! What features keep in the account's own nodes for everybody to read: Personal Eventing, XEP-0163 1.2.2 (16 February 2022), as
//! XEP-0222 1.0 (8 September 2008) has it used for what is to last; and calls that take more than one question.

use super::Ctx;
use super::pubsub::{self, Item, Notification};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;

/// How many calls of a feature's may be under way at once.
const MOST: usize = 1_000;

/// The calls under way, each with what its next answer is to: one question of it is open at a time.
#[derive(Debug)]
pub(super) struct Steps<S>(Vec<(Ticket, S)>);

/// A question.
pub(super) struct Question {
    /// Whether it changes something.
    pub(super) set: bool,
    /// Whom to ask; nobody is the own account.
    pub(super) to: Option<Jid>,
    /// What.
    pub(super) payload: Element,
}

impl<S> Steps<S> {
    pub(super) fn new() -> Steps<S> {
        Steps(Vec::new())
    }

    /// Asks for a call, which ends here where that can't be.
    pub(super) fn ask(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, question: Question, step: S) {
        let Question { set, to, payload } = question;
        if let Err(error) = cx.ask(set, to, payload, Token::Call(ticket)) {
            return cx.reply(ticket, Err(error));
        }
        self.0.push((ticket, step));
        if self.0.len() > MOST {
            // Mostly one that the app has given up, of which a feature isn't told: then nobody hears of this.
            let (oldest, _) = self.0.remove(0);
            let error = Error::new(Code::QueueFull, Phase::Session, "too many calls are under way");
            cx.reply(oldest, Err(error));
        }
    }

    /// The call that an answer belongs to, and what it is an answer to.
    pub(super) fn next(&mut self, token: Token) -> Option<(Ticket, S)> {
        let Token::Call(ticket) = token else { return None };
        let place = self.0.iter().position(|(open, _)| *open == ticket)?;
        Some(self.0.remove(place))
    }
}

/// An item on its way into one of the account's nodes, which everybody may read.
#[derive(Debug)]
pub(super) struct Publication {
    node: &'static str,
    id: Option<String>,
    payload: Element,
    /// The node is as it is.
    settled: bool,
}

impl Publication {
    pub(super) fn new(node: &'static str, id: Option<String>, payload: Element) -> Publication {
        Publication {
            node,
            id,
            payload,
            settled: false,
        }
    }

    /// Asks for it to be published.
    pub(super) fn question(&self) -> Question {
        // XEP-0222 §3. Its `send_last_published_item` is left to the server: contacts who come later are to hear of a nickname and
        // a picture.
        let options = [("pubsub#persist_items", "true"), ("pubsub#access_model", "open")];
        let options = (!self.settled).then(|| pubsub::options(&options));
        Question {
            set: true,
            to: None,
            payload: pubsub::publish(self.node, self.id.as_deref(), Some(self.payload.clone()), options),
        }
    }

    /// The same, to be asked for once more, where somebody has configured the node otherwise (XEP-0060 §7.1.5). It stays so, and
    /// nobody reads there who couldn't before.
    pub(super) fn again(mut self, error: &Error) -> Option<Publication> {
        let otherwise = !self.settled && error.condition() == Some("conflict");
        self.settled = true;
        otherwise.then_some(self)
    }
}

/// Asks an account for the last item of a node.
pub(super) fn last_item(of: Option<Jid>, node: &'static str) -> Question {
    let any: [&str; 0] = [];
    Question {
        set: false,
        to: of,
        payload: pubsub::items(node, &any, Some(1)),
    }
}

/// The payload of the last item of a node, if it is this element.
///
/// # Errors
/// `protocol-violation` where it was answered with something else than items.
pub(super) fn payload_of(
    answer: Option<&Element>,
    node: &str,
    name: &str,
    ns: &str,
) -> Result<Option<(String, Element)>, Error> {
    let items = pubsub::items_of(answer, node)?.into_iter();
    let mut payloads = items.filter_map(|item| Some((item.id, item.payload.0?)));
    Ok(payloads.find(|(_, payload)| payload.is(name, ns)))
}

/// What is in a node of one item after what a notification tells: its last item, or nothing any more. None where the notification is
/// about another node, or not from the account itself, which alone it can be believed of (XEP-0163 §4.3).
pub(super) fn left<'a>(told: &Notification<'a>, node: &str) -> Option<Option<Item<'a>>> {
    let gone = told.purged || told.deleted || !told.retracted.is_empty();
    let last = told.items.last().cloned();
    (told.node == node && told.from.is_bare() && (gone || last.is_some())).then_some(last)
}

/// Whether an error only says that there is nothing: no item, no node, no such account (XEP-0054 §3.3), or no service of the
/// kind.
pub(super) fn is_nothing(error: &Error) -> bool {
    pubsub::is_missing(error) || has_no_service(error)
}

/// Whether an error says that the service isn't there at all.
pub(super) fn has_no_service(error: &Error) -> bool {
    let condition = matches!(
        error.condition(),
        Some("service-unavailable" | "feature-not-implemented")
    );
    error.code() == Code::StanzaError && condition
}
