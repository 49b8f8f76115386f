//! Ad-hoc commands, XEP-0050 1.3.0 (9 June 2020): what can be done with a server, a service or somebody's client, stage by stage.
//!
//! An answer counts for the command and the session that it was asked for; a list has what is its sender's own (§6).
//!
//! Left out: commands of this client's own, which an app can answer by `client.handle()`; lists that come by message (§2.3); what
//! stages have beside forms and notes; the conditions of errors that are the XEP's own (§4.4).

use super::disco::ITEMS;
use super::forms::{self, DataForm, FORMS};
use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Never, Reply, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

const COMMANDS: &str = "http://jabber.org/protocol/commands";

/// How many notes of a stage are read.
const NOTES: usize = 100;

typescript!(
    r#"
export interface Calls {
  /** What can be done with servers, services and clients (XEP-0050). */
  readonly commands: Commands;
}

/** Something that can be done. */
export interface CommandItem {
  /** With whom. */
  jid: string;
  /** By which {@link Commands.execute} knows it. */
  node: string;
  /** A name for people. */
  name?: string;
}

/** How far a command has come. It is plain data: keep it, and go on with it. */
export interface CommandStage {
  /** Who carries it out. */
  jid: string;
  /** Which command. */
  node: string;
  /** Which execution of it. */
  sessionId?: string;
  /** Whether it goes on. What has ended may have failed all the same: the notes say so. */
  status: "executing" | "completed" | "canceled";
  /** To be filled in (type `"form"`), or what has come of it (`"result"`). */
  form?: DataForm;
  /** What there is to be said to a person. */
  notes: CommandNote[];
  /** Where it can go from here: it can always be canceled too. None once it has ended. */
  actions: CommandAction[];
  /** Which of them is the usual one. */
  default?: CommandAction;
}

/** A way on from a stage. */
export type CommandAction = "prev" | "next" | "complete";

/** Something to be said to a person. */
export interface CommandNote {
  type: "info" | "warn" | "error";
  text: string;
}

/**
 * What can be done with servers, services and clients. All calls reject `offline`, `invalid-jid`, `protocol-violation` for an answer that is
 * none, and `stanza-error`: `forbidden` for what isn't allowed, `item-not-found` for what there isn't, `bad-request` for values
 * that won't do, `not-allowed` for an execution that has ended. What has a password among its fields leaves only over an encrypted connection
 * or within this machine, and is `insecure` else.
 */
export interface Commands {
  /**
   * What can be done there; without `jid` with the own server.
   *
   * @example
   * for (const { jid, node, name } of await client.commands.list()) show(name ?? node, jid);
   */
  list(jid?: string | null, options?: CallOptions): Promise<CommandItem[]>;
  /**
   * Begins a command; without `jid` with the own server.
   *
   * @example
   * let stage = await client.commands.execute("example.org", "uptime");
   * while (stage.status === "executing") {
   *   stage = await client.commands.next(stage, await fillIn(stage.form));
   * }
   * for (const { text } of stage.notes) console.log(text);
   */
  execute(jid: string | null | undefined, node: string, options?: CallOptions): Promise<CommandStage>;
  /**
   * Goes on to the next stage, or to the end where there is no `"next"` among the stage's actions: with values by the names of the form's
   * fields, or a form that was filled in. What isn't given is sent as the stage's own form has it.
   *
   * @example
   * const first = await client.commands.execute("example.org", "announce");
   * const second = await client.commands.next(first, await fillIn(first.form));
   */
  next(stage: CommandStage, values?: DataValues | null, options?: CallOptions): Promise<CommandStage>;
  /**
   * Goes back to the stage before.
   *
   * @example
   * let stage = await client.commands.execute("example.org", "announce");
   * if (stage.actions.includes("prev")) stage = await client.commands.prev(stage);
   */
  prev(stage: CommandStage, options?: CallOptions): Promise<CommandStage>;
  /**
   * Carries it out with what is known by now, with values as {@link next}.
   *
   * @example
   * const stage = await client.commands.execute("example.org", "announce");
   * const { notes } = await client.commands.complete(stage, await fillIn(stage.form));
   */
  complete(stage: CommandStage, values?: DataValues | null, options?: CallOptions): Promise<CommandStage>;
  /**
   * Gives it up.
   *
   * @example
   * const stage = await client.commands.execute("example.org", "announce");
   * await client.commands.cancel(stage);
   */
  cancel(stage: CommandStage, options?: CallOptions): Promise<CommandStage>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Who is asked; nobody is the own server.
    jid: Option<Jid>,
    question: Question,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Question {
    List,
    Execute(Execute),
}

/// A step of an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Execute {
    node: String,
    session: Option<String>,
    action: &'static str,
    form: Option<Element>,
    /// Whether nobody may read that on its way.
    private: bool,
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What can be done.
    List(Vec<CommandItem>),
    /// How far it has come.
    Stage(Box<CommandStage>),
}

/// Something that can be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CommandItem {
    /// With whom.
    pub jid: String,
    /// What.
    pub node: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How far a command has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CommandStage {
    /// Who carries it out.
    pub jid: String,
    /// Which command.
    pub node: String,
    /// Which execution of it.
    #[serde(rename = "sessionId", skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whether it goes on.
    pub status: &'static str,
    /// To be filled in, or what has come of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<DataForm>,
    /// What there is to be said to a person.
    pub notes: Vec<CommandNote>,
    /// Where it can go from here.
    pub actions: Vec<&'static str>,
    /// Which of them is the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<&'static str>,
}

/// Something to be said to a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CommandNote {
    /// How serious it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

/// The calls under way, each with who was asked for it.
#[derive(Debug, Default)]
pub struct Adhoc {
    asked: Vec<(Ticket, Jid, Question)>,
}

impl Feature for Adhoc {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::once("commands.list", 1),
        Call::once("commands.execute", 2),
        Call::once("commands.next", 2),
        Call::once("commands.prev", 1),
        Call::once("commands.complete", 2),
        Call::once("commands.cancel", 1),
    ];

    fn new(_: &Config) -> Self {
        Adhoc::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let action = match name {
            "commands.list" => {
                let jid = args.of(0, "jid", Arg::opt_jid)?;
                let question = Question::List;
                return Ok(Command { jid, question });
            }
            "commands.execute" => {
                let jid = args.of(0, "jid", Arg::opt_jid)?;
                let question = Question::Execute(Execute {
                    node: args.of(1, "node", Arg::text)?,
                    session: None,
                    action: "execute",
                    form: None,
                    private: false,
                });
                return Ok(Command { jid, question });
            }
            "commands.next" => "next",
            "commands.prev" => "prev",
            "commands.complete" => "complete",
            _ => "cancel",
        };
        let stage = args.take(0, "stage");
        // §3.4: without a next stage it is the last, and whoever is at it has no other way on.
        let action = match action {
            "next" if !stage.of("actions", Arg::texts)?.iter().any(|known| known == "next") => "complete",
            action => action,
        };
        let form = match action {
            "next" | "complete" => filled(&stage.field("form")?, &args.take(1, "values"))?,
            _ => None,
        };
        let mut private = false;
        for field in stage.field("form")?.opt_field("fields")?.items()? {
            private |= form.is_some() && field.text_of("type")?.as_deref() == Some("text-private");
        }
        Ok(Command {
            jid: Some(stage.of("jid", Arg::jid)?),
            question: Question::Execute(Execute {
                node: stage.of("node", Arg::text)?,
                session: stage.text_of("sessionId")?,
                action,
                form,
                private,
            }),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command { jid, question } = command;
        let jid = jid.unwrap_or_else(|| cx.account().domain_jid());
        let token = Token::Call(ticket);
        let asked = match &question {
            Question::List => {
                let query = Element::new("query", ITEMS).with_attr("node", COMMANDS);
                cx.ask(false, Some(jid.clone()), query, token)
            }
            Question::Execute(step) => {
                let command = Element::new("command", COMMANDS)
                    .with_attr("node", step.node.as_str())
                    .with_attr("action", step.action)
                    .with_opt_attr("sessionid", step.session.as_deref())
                    .with_opt_child(step.form.clone());
                match step.private {
                    true => cx.ask_in_private(true, Some(jid.clone()), command, token),
                    false => cx.ask(true, Some(jid.clone()), command, token),
                }
            }
        };
        match asked {
            Ok(()) => self.asked.push((ticket, jid, question)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.asked.iter().position(|(asked, _, _)| *asked == ticket) else {
            return;
        };
        let (_, jid, question) = self.asked.swap_remove(place);
        let result = result.and_then(|answer| match (&question, answer) {
            (Question::List, Some(answer)) => list(&jid, &answer),
            (Question::Execute(step), Some(answer)) => stage(&jid, step, &answer),
            (_, None) => Err(violation("a command was answered with nothing")),
        });
        cx.reply(ticket, result.map(Reply::Adhoc));
    }
}

/// What is submitted: what the app has passed, and for the rest what the stage's own form has.
fn filled(form: &Arg, values: &Arg) -> Result<Option<Element>, Error> {
    let own = match form.is_absent()? || form.text_of("type")?.as_deref() != Some("form") {
        true => None,
        false => Some(forms::given(form, "")?),
    };
    if values.is_absent()? {
        return Ok(own);
    }
    let mut filled = forms::given(values, "")?;
    let own = own.iter().flat_map(|own| own.all("field", FORMS));
    for field in own {
        let said = filled.all("field", FORMS).any(|other| other.attr("var") == field.attr("var"));
        if !said {
            filled = filled.with_child(field.clone());
        }
    }
    Ok(Some(filled))
}

/// What can be done with somebody.
fn list(jid: &Jid, query: &Element) -> Result<Answer, Error> {
    if !query.is("query", ITEMS) || query.attr("node").is_some_and(|node| node != COMMANDS) {
        return Err(violation("the question what can be done was answered with something else"));
    }
    let mut items = Vec::new();
    for item in query.all("item", ITEMS) {
        // §6: what is said to be another's is ignored.
        let own = item.attr("jid").and_then(|other| Jid::parse(other).ok());
        if let (true, Some(node)) = (own.as_ref() == Some(jid), item.attr("node")) {
            items.push(CommandItem {
                jid: jid.as_str().to_owned(),
                node: node.to_owned(),
                name: item.attr("name").map(str::to_owned),
            });
        }
    }
    Ok(Answer::List(items))
}

/// How far a command has come.
fn stage(jid: &Jid, asked: &Execute, command: &Element) -> Result<Answer, Error> {
    let foreign = || violation("a command was answered with something else");
    let session = command.attr("sessionid").filter(|id| !id.is_empty());
    let other_session = asked.session.is_some() && session.is_some() && session != asked.session.as_deref();
    if !command.is("command", COMMANDS) || command.attr("node").is_some_and(|node| node != asked.node) || other_session {
        return Err(foreign());
    }
    let known = ["executing", "completed", "canceled"];
    let status = known.into_iter().find(|known| command.attr("status") == Some(known));
    let status = status.ok_or_else(foreign)?;
    let (mut actions, mut default) = (Vec::new(), None);
    if status == "executing" {
        (actions, default) = ways_on(command.child("actions", COMMANDS));
    }
    let mut notes = Vec::new();
    for note in command.all("note", COMMANDS).take(NOTES) {
        let kinds = ["info", "warn", "error"];
        let kind = kinds.into_iter().find(|kind| note.attr("type") == Some(kind));
        notes.push(CommandNote {
            kind: kind.unwrap_or("info"),
            text: note.text(),
        });
    }
    Ok(Answer::Stage(Box::new(CommandStage {
        jid: jid.as_str().to_owned(),
        node: asked.node.clone(),
        session: session.or(asked.session.as_deref()).map(str::to_owned),
        status,
        form: command.child("x", FORMS).map(DataForm::read).transpose()?,
        notes,
        actions,
        default,
    })))
}

/// §3.4: where a stage can go, and where it usually goes. Without a word about it there is one stage.
fn ways_on(said: Option<&Element>) -> (Vec<&'static str>, Option<&'static str>) {
    let Some(said) = said else { return (vec!["complete"], Some("complete")) };
    let mut actions = ["prev", "next", "complete"].to_vec();
    actions.retain(|action| said.child(action, COMMANDS).is_some());
    let default = said.attr("execute").unwrap_or("next");
    let default = actions.iter().copied().find(|action| *action == default);
    (actions, default)
}
