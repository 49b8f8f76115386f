//! Nicknames, XEP-0172 1.1 (21 March 2012): what somebody calls themselves, published in a node of the account's (XEP-0163), and said
//! in a message to somebody who doesn't know the sender yet.
//!
//! The one of an account is what its own bare JID says of it. To have none, an empty `<nick/>` is published, as for other
//! payloads of XEP-0163: the XEP has no word for it.
//!
//! Left out: nicknames in messages without a text (§4.3, for accounts without such nodes).

use super::pep::{self, Publication, Steps};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, OrNull, Payload, Reply, pubsub, typescript};
use crate::error::Error;
use crate::given::{Arg, Args, invalid};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::{Element, is_xml_char};
use serde::{Serialize, Serializer};

/// The namespace, and the node.
const NICK: &str = "http://jabber.org/protocol/nick";

/// How many bytes a nickname may have: as many as a part of a JID (RFC 7622 §3.1).
const LONGEST: usize = 1_023;

typescript!(
    r#"
export interface Calls {
  /** What people say of themselves. */
  readonly profiles: Profiles;
}

export interface FeatureEvents {
  /** Somebody has told of another nickname, who needn't be a contact, or another client of the account's has changed the own one. */
  nick: NickEvent;
}

/** An account's nickname is another now. */
export interface NickEvent {
  /** Whose: a bare JID. */
  from: string;
  /** The nickname; `null` where there is none any more. */
  nick: string | null;
}

/** What people say of themselves. Nothing of it proves who they are: anybody can take another's name and picture. */
export interface Profiles {
  /**
   * The nickname that an account has given itself (XEP-0172); without `jid`, the own one. `null` where there is none.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error` where the account doesn't let us see it.
   *
   * @example
   * client.on("nick", ({ from, nick }) => names.set(from, nick ?? from));
   * await client.profiles.setNick("Ishmael");
   * const nick = await client.profiles.nick("queequeg@example.org");
   */
  nick(jid?: string | null, options?: CallOptions): Promise<string | null>;

  /**
   * Takes another nickname, which everybody can read; `null` for none. Contacts hear of it by a `nick` event.
   *
   * Rejects `offline`, `invalid-argument` for one of more than 1,023 bytes, `stanza-error`, such as where the server keeps none.
   *
   * @example
   * await client.profiles.setNick("Ishmael");
   * await client.send({ to: "queequeg@example.org", body: "Call me", nick: "Ishmael" }); // who isn't a contact yet
   */
  setNick(nick: string | null, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// The nickname of an account; nobody is our own.
    Get(Option<Jid>),
    /// Takes another.
    Set(Option<Nick>),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The nickname.
    Nick(OrNull<String>),
    /// It has been taken.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Nick(nick) => nick.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// An account's nickname is another now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NickEvent {
    /// Whose.
    pub from: String,
    /// The nickname.
    pub nick: OrNull<String>,
}

impl Named for NickEvent {
    fn name(&self) -> &'static str {
        "nick"
    }
}

/// What the sender of a message calls themselves: for those who don't know them yet. It proves nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Nick(pub String);

impl Nick {
    /// Reads a `<nick/>`; an empty one is none, nor is one that is too long.
    fn of(nick: &Element) -> Option<Nick> {
        let text = nick.text();
        let text = text.trim();
        (nick.is("nick", NICK) && !text.is_empty() && text.len() <= LONGEST).then(|| Nick(text.to_owned()))
    }

    /// What an app has passed; none where that is empty.
    fn read_given(given: &Arg) -> Result<Option<Nick>, Error> {
        let Some(text) = given.opt_text()? else { return Ok(None) };
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(invalid("a nickname may have 1,023 bytes at most"));
        }
        if !text.chars().all(is_xml_char) {
            return Err(invalid("a nickname can't have a character that XML can't carry"));
        }
        Ok((!text.is_empty()).then(|| Nick(text.to_owned())))
    }

    fn element(nick: Option<&Nick>) -> Element {
        let text = nick.map(|nick| nick.0.as_str()).unwrap_or_default();
        Element::new("nick", NICK).with_text(text)
    }
}

impl Payload for Nick {
    fn read(message: &Element) -> Option<Nick> {
        // §3: it is the sender's of what it stands in.
        message.child("nick", NICK).and_then(Nick::of)
    }

    fn given(given: &Arg) -> Result<Nick, Error> {
        Nick::read_given(given)?.ok_or_else(|| invalid("`nick` is empty"))
    }

    fn write(&self, message: Element) -> Element {
        message.with_child(Nick::element(Some(self)))
    }
}

/// The calls under way.
#[derive(Debug)]
pub struct Nicks {
    steps: Steps<Step>,
}

#[derive(Debug)]
enum Step {
    Get,
    Publish(Publication),
}

impl Feature for Nicks {
    type Command = Command;
    type Reply = Answer;
    type Event = NickEvent;

    const DISCO: &'static [&'static str] = &[NICK, "http://jabber.org/protocol/nick+notify"];

    const CALLS: &'static [Call] = &[Call::once("profiles.nick", 1), Call::once("profiles.setNick", 1)];

    fn new(_: &Config) -> Self {
        Nicks { steps: Steps::new() }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(match name {
            "profiles.nick" => Command::Get(args.of(0, "jid", Arg::opt_jid)?),
            _ => Command::Set(args.of(0, "nick", Nick::read_given)?),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        match command {
            Command::Get(jid) => {
                let question = pep::last_item(jid.map(|jid| jid.to_bare()), NICK);
                self.steps.ask(cx, ticket, question, Step::Get);
            }
            Command::Set(nick) => {
                let nick = Nick::element(nick.as_ref());
                self.publish(cx, ticket, Publication::new(NICK, Some("current".to_owned()), nick));
            }
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        // XEP-0163 §4.3: it is that of the account whose bare JID says so, whatever else the notification says.
        if let Some(told) = pubsub::event(stanza, cx.account())
            && let Some(left) = pep::left(&told, NICK)
        {
            let nick = match left {
                Some(item) => item.payload.filter(|payload| payload.is("nick", NICK)).map(Nick::of),
                None => Some(None),
            };
            if let Some(nick) = nick {
                let from = told.from.as_str().to_owned();
                let nick = OrNull(nick.map(|nick| nick.0));
                cx.emit(Event::Nick(NickEvent { from, nick }));
            }
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, step)) = self.steps.next(token) else { return };
        let answer = match (step, result) {
            (Step::Publish(publication), Err(error)) => match publication.again(&error) {
                Some(publication) => return self.publish(cx, ticket, publication),
                None => Err(error),
            },
            (Step::Publish(_), Ok(_)) => Ok(Answer::Done),
            (Step::Get, Err(error)) if pep::is_nothing(&error) => Ok(Answer::Nick(OrNull(None))),
            (Step::Get, result) => result.and_then(|answer| {
                let nick = pep::payload_of(answer.as_ref(), NICK, "nick", NICK)?;
                let nick = nick.and_then(|(_, nick)| Nick::of(&nick));
                Ok(Answer::Nick(OrNull(nick.map(|nick| nick.0))))
            }),
        };
        cx.reply(ticket, answer.map(Reply::Nick));
    }
}

impl Nicks {
    fn publish(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, publication: Publication) {
        let question = publication.question();
        self.steps.ask(cx, ticket, question, Step::Publish(publication));
    }
}
