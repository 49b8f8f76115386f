//! What those do in a room who have a say there: roles and affiliations, its configuration, and its end, XEP-0045 1.35.5 (3 May 2026) §8 to
//! §10. What follows for those who are in it they hear by presence, as everybody does.
//!
//! Left out: lists by role (§8.5, §9.8), which presence tells, several changes in one request, and the approval of registrations by a form
//! (§9.9).

use super::forms::{self, DataForm, FORM_TYPE, FORMS};
use super::pep::{Question, Steps};
use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Never, Reply, typescript, unfit};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
const OWNER: &str = "http://jabber.org/protocol/muc#owner";
const CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";

/// §5.1.
const ROLES: [&str; 4] = ["none", "visitor", "participant", "moderator"];
/// §5.2. Of the first there is no list.
const AFFILIATIONS: [&str; 5] = ["none", "outcast", "member", "admin", "owner"];

typescript!(
    r#"
export interface Room {
  /**
   * Gives somebody who is in the room another role, by their nick: `"none"` kicks them, `"visitor"` takes their voice, `"participant"` gives
   * it, `"moderator"` makes them one (XEP-0045 §8). It ends when they leave.
   *
   * Rejects `stanza-error` (`not-allowed`, `forbidden`: one has no such power over them; `item-not-found` or `not-acceptable`: there is nobody
   * of that nick), `invalid-argument`, `offline`.
   *
   * @example await room.setRole("pistol", "none", "Avaunt, you cullion!");
   */
  setRole(
    nick: string, role: "none" | "visitor" | "participant" | "moderator", reason?: string | null, options?: CallOptions,
  ): Promise<void>;
  /**
   * Gives somebody another affiliation with the room, who needn't be there, by their bare JID: `"outcast"` bans them (XEP-0045 §9, §10). It
   * lasts. With `nick` a nick is kept for them, where the room does such a thing.
   *
   * Rejects `stanza-error` (`not-allowed`, `forbidden`; `conflict`: a room has an owner), `invalid-jid`, `invalid-argument`, `offline`.
   *
   * @example await room.setAffiliation("mallory@example.org", "outcast", { reason: "Spam" });
   */
  setAffiliation(
    jid: string, affiliation: "none" | "outcast" | "member" | "admin" | "owner",
    more?: { nick?: string | null | undefined; reason?: string | null | undefined } | null, options?: CallOptions,
  ): Promise<void>;
  /**
   * Who has this affiliation with the room: its bans, its members, its admins, its owners.
   *
   * Rejects `stanza-error` (`forbidden`: who may see a list is up to the room), `protocol-violation` where the answer is no such list, `offline`.
   *
   * @example
   * for (const { jid, reason } of await room.affiliations("outcast")) console.log(jid, reason);
   */
  affiliations(affiliation: "outcast" | "member" | "admin" | "owner", options?: CallOptions): Promise<RoomListEntry[]>;
  /**
   * How the room is configured: a form that can be filled in for {@link Room.configure}. Owners are told (XEP-0045 §10.2).
   *
   * Rejects `stanza-error` (`forbidden`), `protocol-violation` where the answer isn't the form, `offline`.
   *
   * @example
   * const form = await room.configuration();
   * for (const { name, label, value } of form.fields) show(label ?? name, value);
   */
  configuration(options?: CallOptions): Promise<DataForm>;
  /**
   * Configures the room. What isn't named stays as it is, and `{}` takes all as it is: a new room, which is locked until then, is open to others
   * (XEP-0045 §10.1).
   *
   * Rejects `stanza-error` (`not-acceptable`: it can't be like that; `forbidden`), `invalid-argument`, `invalid-jid`, `offline`.
   *
   * @example
   * await room.configure({ "muc#roomconfig_membersonly": true, "muc#roomconfig_roomname": "The Coven" });
   */
  configure(values?: DataValues | null, options?: CallOptions): Promise<void>;
  /**
   * Leaves the room's configuration as it is. **A new room that hasn't been configured is to be gone by that** (XEP-0045 §10.1.3); some stay,
   * locked.
   *
   * Rejects `stanza-error`, `offline`.
   *
   * @example
   * if (room.created) await room.cancelConfiguration();
   */
  cancelConfiguration(options?: CallOptions): Promise<void>;
  /**
   * Destroys the room: all who are there are sent away, with a reason, and the address of another room to go to, with its password where it has
   * one (XEP-0045 §10.9).
   *
   * Rejects `stanza-error` (`forbidden`), `invalid-jid`, `offline`.
   *
   * @example await room.destroy({ reason: "Macbeth doth come.", alternate: "coven@rooms.example.org" });
   */
  destroy(
    more?: { reason?: string | null | undefined; alternate?: string | null | undefined; password?: string | null | undefined } | null,
    options?: CallOptions,
  ): Promise<void>;
}

/** Somebody on a list of a room's. */
export interface RoomListEntry {
  /** Who: mostly a bare JID; a domain stands for all its users. */
  jid: string;
  affiliation: "outcast" | "member" | "admin" | "owner";
  /** The nick that is kept for them, where the room says so. */
  nick?: string;
  /** Why, where the room says so. */
  reason?: string;
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
    /// A list of those with this affiliation.
    List(&'static str),
    /// A form.
    Form,
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// Who has an affiliation.
    List(Vec<Affiliated>),
    /// A form.
    Form(DataForm),
}

/// Somebody's affiliation with a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Affiliated {
    /// Who.
    pub jid: String,
    /// Which.
    pub affiliation: &'static str,
    /// The nick that is kept for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The calls under way.
#[derive(Debug)]
pub struct RoomAdmin {
    steps: Steps<Wanted>,
}

impl Feature for RoomAdmin {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::once("room.setRole", 4),
        Call::once("room.setAffiliation", 4),
        Call::once("room.affiliations", 2),
        Call::once("room.configuration", 1),
        Call::once("room.configure", 2),
        Call::once("room.cancelConfiguration", 1),
        Call::once("room.destroy", 2),
    ];

    fn new(_: &Config) -> Self {
        RoomAdmin { steps: Steps::new() }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let room = args.of(0, "room", Arg::jid)?.to_bare();
        let (set, payload, wanted) = match name {
            "room.setRole" => {
                let nick = args.of(1, "nick", nick)?;
                let role = one_of(&args.take(2, "role"), &ROLES)?;
                let reason = args.of(3, "reason", Arg::opt_text)?;
                let item = element("item", ADMIN).with_attr("nick", nick).with_attr("role", role);
                (true, query(ADMIN, item.with_opt_child(text("reason", ADMIN, reason))), Wanted::Nothing)
            }
            "room.setAffiliation" => {
                // §9.1: it is that of the account.
                let jid = args.of(1, "jid", Arg::jid)?.to_bare();
                let affiliation = one_of(&args.take(2, "affiliation"), &AFFILIATIONS)?;
                let more = args.take(3, "more");
                let item = element("item", ADMIN)
                    .with_attr("affiliation", affiliation)
                    .with_attr("jid", jid.as_str())
                    .with_opt_attr("nick", more.opt_of("nick", Arg::opt_text)?);
                let reason = text("reason", ADMIN, more.opt_of("reason", Arg::opt_text)?);
                (true, query(ADMIN, item.with_opt_child(reason)), Wanted::Nothing)
            }
            "room.affiliations" => {
                let [_, lists @ ..] = AFFILIATIONS;
                let affiliation = one_of(&args.take(1, "affiliation"), &lists)?;
                let item = element("item", ADMIN).with_attr("affiliation", affiliation);
                (false, query(ADMIN, item), Wanted::List(affiliation))
            }
            "room.configuration" => (false, element("query", OWNER), Wanted::Form),
            "room.configure" => (true, query(OWNER, submission(&args.take(1, "values"))?), Wanted::Nothing),
            "room.cancelConfiguration" => (true, query(OWNER, form("cancel")), Wanted::Nothing),
            _ => {
                let more = args.take(1, "more");
                let alternate = more.jid_of("alternate")?;
                let destroy = element("destroy", OWNER)
                    .with_opt_attr("jid", alternate.as_ref().map(Jid::as_str))
                    .with_opt_child(text("password", OWNER, more.opt_of("password", Arg::opt_text)?))
                    .with_opt_child(text("reason", OWNER, more.opt_of("reason", Arg::opt_text)?));
                (true, query(OWNER, destroy), Wanted::Nothing)
            }
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
        let result = result.and_then(|answer| wanted.read(answer.as_ref()));
        cx.reply(ticket, result.map(Reply::RoomAdmin));
    }
}

impl Wanted {
    /// Reads the answer.
    ///
    /// # Errors
    /// `protocol-violation` for what is none.
    fn read(self, answer: Option<&Element>) -> Result<Answer, Error> {
        match self {
            Wanted::Nothing => Ok(Answer::Done),
            Wanted::List(affiliation) => {
                let answer = answer.filter(|answer| answer.is("query", ADMIN));
                let list = answer.ok_or_else(|| unfit("the request for a list of a room's"))?;
                let item = |item: &Element| affiliated(item, affiliation);
                let items: Option<Vec<Affiliated>> = list.all("item", ADMIN).map(item).collect();
                let items = items.ok_or_else(|| violation("somebody is on a list of a room's who doesn't belong there"))?;
                Ok(Answer::List(items))
            }
            Wanted::Form => {
                let query = answer.filter(|answer| answer.is("query", OWNER));
                let form = query.and_then(|query| query.child("x", FORMS));
                let form = DataForm::read(form.ok_or_else(|| unfit("the request for a room's configuration"))?)?;
                // §16.5.3.
                match form.form_type() {
                    None | Some(CONFIG) => Ok(Answer::Form(form)),
                    Some(_) => Err(violation("a room's configuration is a form for something else")),
                }
            }
        }
    }
}

/// §9.2: each has both attributes.
fn affiliated(item: &Element, affiliation: &'static str) -> Option<Affiliated> {
    let jid = item.attr("jid").filter(|_| item.attr("affiliation") == Some(affiliation))?;
    Some(Affiliated {
        // Rooms may know addresses that RFC 7622 no longer allows.
        jid: Jid::parse(jid).map_or_else(|_| jid.to_owned(), |jid| jid.as_str().to_owned()),
        affiliation,
        nick: item.attr("nick").map(str::to_owned),
        reason: item.child_text("reason", ADMIN),
    })
}

/// The form that is submitted for what the app has passed.
fn submission(values: &Arg) -> Result<Element, Error> {
    if values.is_absent()? {
        return Ok(form("submit"));
    }
    let filled_in = forms::given(values, CONFIG)?;
    let says = |field: &Element| field.attr("var") != Some(FORM_TYPE);
    // §10.1.2: to take all as it is, there must be nothing in it.
    Ok(if filled_in.children().any(says) { filled_in } else { form("submit") })
}

fn form(kind: &'static str) -> Element {
    element("x", FORMS).with_attr("type", kind)
}

fn element(name: &'static str, ns: &'static str) -> Element {
    Element::new(name, ns)
}

fn query(ns: &'static str, child: Element) -> Element {
    element("query", ns).with_child(child)
}

fn text(name: &'static str, ns: &'static str, text: Option<String>) -> Option<Element> {
    text.map(|text| element(name, ns).with_text(text))
}

fn nick(given: &Arg) -> Result<String, Error> {
    let nick = given.text()?;
    if nick.is_empty() { Err(given.wrong("a nick")) } else { Ok(nick) }
}

fn one_of(given: &Arg, words: &[&'static str]) -> Result<&'static str, Error> {
    given.opt_one(words)?.ok_or_else(|| given.wrong(&["one of ", &words.join(", ")].concat()))
}
