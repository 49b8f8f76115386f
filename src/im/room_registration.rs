//! Becoming a room's member by a form, and the nick that it keeps for one: XEP-0045 1.35.5 (3 May 2026) §7.10, §7.12, with the elements of
//! XEP-0077 2.4 (25 January 2012).
//!
//! Left out: registering by anything but a form, which rooms must have.

use super::disco::{DiscoInfo, INFO};
use super::forms::{self, DataForm, FORMS};
use super::pep::{self, Question, Steps};
use super::{Call, Config, Ctx, Feature, Never, OrNull, Reply, typescript, unfit};
use crate::error::Error;
use crate::given::{Arg, Args, Look};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

const REGISTER: &str = "jabber:iq:register";
const FORM: &str = "http://jabber.org/protocol/muc#register";
/// §16.4.
const NODE: &str = "x-roomuser-item";

typescript!(
    r#"
export interface Room {
  /**
   * What the room wants to know of those who would be its members, and whether the account is registered already (XEP-0045 §7.10).
   *
   * Rejects `stanza-error` (`not-allowed`, `registration-required`, `forbidden`: one can't; `service-unavailable`: nobody can),
   * `protocol-violation` where the answer is none, `offline`.
   *
   * @example
   * const { registered } = await room.registration();
   */
  registration(options?: CallOptions): Promise<RoomRegistration>;
  /**
   * Registers with the room, by the values of its form, or by a nick alone: where the room allows it, that nick is kept for the account, which
   * becomes a member. A room may want an admin's consent first.
   *
   * Rejects `stanza-error` (`conflict`: the nick is somebody else's; `bad-request`, `not-acceptable`: something is missing), `invalid-argument`,
   * `offline`.
   *
   * @example
   * const { registered, form } = await room.registration();
   * if (!registered) await room.register("thirdwitch");
   */
  register(values: string | DataValues, options?: CallOptions): Promise<void>;
  /**
   * Takes the registration back. Rejects `stanza-error`, `offline`.
   *
   * @example
   * await room.unregister();
   */
  unregister(options?: CallOptions): Promise<void>;
  /**
   * The nick that the room keeps for the account; `null` where there is none, or the room doesn't say (XEP-0045 §7.12).
   *
   * Rejects `stanza-error`, `protocol-violation`, `offline`.
   *
   * @example
   * const nick = await room.reservedNick() ?? room.nick;
   */
  reservedNick(options?: CallOptions): Promise<string | null>;
}

export interface Rooms {
  /**
   * {@link Room.registration} of a room that one needn't be in. Rejects `invalid-jid` as well.
   *
   * @example
   * const { registered } = await client.rooms.registration("coven@rooms.example.org");
   */
  registration(jid: string, options?: CallOptions): Promise<RoomRegistration>;
  /**
   * {@link Room.register} with such a room.
   *
   * @example
   * await client.rooms.register("coven@rooms.example.org", "thirdwitch");
   */
  register(jid: string, values: string | DataValues, options?: CallOptions): Promise<void>;
  /**
   * {@link Room.unregister} from such a room.
   *
   * @example
   * await client.rooms.unregister("coven@rooms.example.org");
   */
  unregister(jid: string, options?: CallOptions): Promise<void>;
  /**
   * {@link Room.reservedNick} of such a room: by which it is to be entered.
   *
   * @example
   * const nick = await client.rooms.reservedNick("coven@rooms.example.org") ?? "alice";
   * const room = await client.rooms.join("coven@rooms.example.org", { nick });
   */
  reservedNick(jid: string, options?: CallOptions): Promise<string | null>;
}

/** What there is to know before one registers with a room. */
export interface RoomRegistration {
  /** Whether the account is registered. */
  registered: boolean;
  /** The nick that the room keeps for it. */
  nick?: string;
  /** What to do, in words. */
  instructions?: string;
  /** What is to be filled in for {@link Room.register}, or has been. One who isn't registered gets it. */
  form?: DataForm;
}
"#
);

/// What the app can call: a question to a room, and what is to come of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The room.
    pub room: Jid,
    /// Whether it changes something.
    pub set: bool,
    /// What is asked.
    pub payload: Element,
    /// What the answer is read as.
    pub wanted: Wanted,
}

/// What an answer is read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// It has been done.
    Nothing,
    /// What the room wants to know.
    Registration,
    /// A nick.
    Nick,
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// What the room wants to know.
    Registration(Box<Registration>),
    /// A nick.
    Nick(OrNull<String>),
}

/// What a room wants to know of those who would be its members.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Registration {
    /// Whether the account is registered.
    pub registered: bool,
    /// The nick that is kept for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What is to be filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<DataForm>,
}

/// The calls under way.
#[derive(Debug)]
pub struct RoomRegistration {
    steps: Steps<Wanted>,
}

impl Feature for RoomRegistration {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::once("room.registration", 1),
        Call::once("room.register", 2),
        Call::once("room.unregister", 1),
        Call::once("room.reservedNick", 1),
        Call::once("rooms.registration", 1),
        Call::once("rooms.register", 2),
        Call::once("rooms.unregister", 1),
        Call::once("rooms.reservedNick", 1),
    ];

    fn new(_: &Config) -> Self {
        RoomRegistration { steps: Steps::new() }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let room = args.of(0, "room", Arg::jid)?.to_bare();
        let query = Element::new("query", REGISTER);
        let (_, name) = name.split_once('.').unwrap_or_default();
        let (set, payload, wanted) = match name {
            "registration" => (false, query, Wanted::Registration),
            "register" => {
                let values = args.take(1, "values");
                let form = match values.look()? {
                    Look::Text(nick) => forms::submit(FORM).with_child(forms::field("muc#register_roomnick", &[nick])),
                    _ => forms::given(&values, FORM)?,
                };
                (true, query.with_child(form), Wanted::Nothing)
            }
            // XEP-0077 §3.2.
            "unregister" => (true, query.with_child(Element::new("remove", REGISTER)), Wanted::Nothing),
            _ => (false, Element::new("query", INFO).with_attr("node", NODE), Wanted::Nick),
        };
        Ok(Command {
            room,
            set,
            payload,
            wanted,
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let question = Question {
            set: command.set,
            to: Some(command.room),
            payload: command.payload,
        };
        self.steps.ask(cx, ticket, question, command.wanted);
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, wanted)) = self.steps.next(token) else { return };
        let answer = match (wanted, result) {
            // §7.12: it need not know that node.
            (Wanted::Nick, Err(error)) if pep::is_nothing(&error) => Ok(Answer::Nick(OrNull(None))),
            (wanted, result) => result.and_then(|answer| wanted.read(answer.as_ref())),
        };
        cx.reply(ticket, answer.map(Reply::RoomRegistration));
    }
}

impl Wanted {
    /// Reads the answer.
    ///
    /// # Errors
    /// `protocol-violation` for what is none.
    fn read(self, answer: Option<&Element>) -> Result<Answer, Error> {
        let query = |ns| answer.filter(|answer| answer.is("query", ns));
        match self {
            Wanted::Nothing => Ok(Answer::Done),
            Wanted::Registration => registration(query(REGISTER)),
            Wanted::Nick => {
                let query = query(INFO).ok_or_else(|| unfit("the request for a nick"))?;
                let info = DiscoInfo::read(query, Some(NODE))?;
                let nick = info.identities.into_iter().find_map(|identity| identity.name);
                Ok(Answer::Nick(OrNull(nick)))
            }
        }
    }
}

fn registration(query: Option<&Element>) -> Result<Answer, Error> {
    let unfit = || unfit("the request to register with a room");
    let query = query.ok_or_else(unfit)?;
    let registered = query.child("registered", REGISTER).is_some();
    let form = query.child("x", FORMS).map(DataForm::read).transpose()?;
    // §7.10: who isn't registered is told how to.
    if !registered && form.is_none() {
        return Err(unfit());
    }
    // XEP-0077 knows both, and some use the second.
    let mut named = ["username", "nick"].into_iter().filter_map(|name| query.child_text(name, REGISTER));
    let nick = named.find(|nick| registered && !nick.is_empty());
    Ok(Answer::Registration(Box::new(Registration {
        registered,
        nick,
        instructions: query.child_text("instructions", REGISTER),
        form,
    })))
}
