//! Private XML, XEP-0049 1.2 (1 March 2004): elements that the server keeps for the account alone, one of each name and namespace. What is
//! new is kept in nodes instead ([`pubsub`](super::pubsub), XEP-0223).

use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Never, OrNull, Reply, typescript};
use crate::error::Error;
use crate::given::{Args, invalid};
use crate::session::{Ticket, Token};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

const PRIVATE: &str = "jabber:iq:private";

typescript!(
    r#"
export interface Calls {
  /** Elements that the server keeps for the account alone. */
  readonly privateXml: PrivateXml;
}

/** Elements that the server keeps for the account alone (XEP-0049). All calls reject `offline`, `stanza-error`, `invalid-argument`. */
export interface PrivateXml {
  /**
   * What was kept under this name and namespace; `null` where nothing was, or an element with nothing in it.
   *
   * @example
   * const prefs = await client.privateXml.get("prefs", "https://example.org/chat");
   */
  get(name: string, xmlns: string, options?: CallOptions): Promise<XmlElement | null>;
  /**
   * Keeps an element, in the place of one of that name and namespace.
   *
   * @example
   * await client.privateXml.set(xml("prefs", { xmlns: "https://example.org/chat", theme: "dark" }));
   */
  set(element: XmlElement, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What is kept under the name and namespace of this element.
    Get(Element),
    /// Keeps it.
    Set(Element),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// What was kept.
    Kept(OrNull<Element>),
}

/// The calls under way.
#[derive(Debug, Default)]
pub struct PrivateXml {
    /// Each with the element that it asks for, where it does.
    asked: Vec<(Ticket, Option<Element>)>,
}

impl Feature for PrivateXml {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[Call::once("privateXml.get", 2), Call::once("privateXml.set", 1)];

    fn new(_: &Config) -> Self {
        PrivateXml::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let element = match name {
            "privateXml.get" => Element::new(args.take(0, "name").text()?, args.take(1, "xmlns").text()?),
            _ => args.take(0, "element").element(None)?,
        };
        // §2.3: it is kept under a namespace of its own.
        if element.ns().is_empty() || [ns::CLIENT, PRIVATE].contains(&element.ns()) {
            return Err(invalid("what is kept needs a namespace of its own"));
        }
        Ok(match name {
            "privateXml.get" => Command::Get(element),
            _ => Command::Set(element),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let (element, wanted) = match command {
            Command::Get(element) => (element.clone(), Some(element)),
            Command::Set(element) => (element, None),
        };
        let query = Element::new("query", PRIVATE).with_child(element);
        // §2.3: of the own account alone, and so it is asked for without an address.
        match cx.ask(wanted.is_none(), None, query, Token::Call(ticket)) {
            Ok(()) => self.asked.push((ticket, wanted)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.asked.iter().position(|(asked, _)| *asked == ticket) else {
            return;
        };
        let (_, wanted) = self.asked.swap_remove(place);
        let result = result.and_then(|answer| match wanted {
            Some(wanted) => kept(answer.as_ref(), &wanted).map(|kept| Answer::Kept(OrNull(kept))),
            None => Ok(Answer::Done),
        });
        cx.reply(ticket, result.map(Reply::PrivateXml));
    }
}

/// What was kept in the place of the empty element by which it was asked for.
fn kept(answer: Option<&Element>, wanted: &Element) -> Result<Option<Element>, Error> {
    let query = answer.filter(|answer| answer.is("query", PRIVATE));
    let element = query.and_then(|query| query.child(wanted.name(), wanted.ns()));
    let element = element.ok_or_else(|| violation("the request for what is kept was answered with something else"))?;
    // §2.3: where there is nothing, the question comes back.
    Ok(Some(element).filter(|element| *element != wanted).cloned())
}
