//! Blocking, XEP-0191 1.3 (12 March 2015): whom the server keeps from reaching the account, and the account from reaching.
//!
//! The list is fetched when the app asks for it, and from then on once a session, since the server tells of changes those alone
//! who have fetched it. What came meanwhile is told as what has changed. Where that fails it is tried again, and the list before stands.
//!
//! Left out: that the server can do this isn't asked before; one that can't says so. What is sent to somebody who is blocked comes
//! back as any other error, with the condition `not-acceptable` (§3.3).

use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, from_account, pep, typescript, unfit};
use crate::error::{Code, Error};
use crate::given::{Arg, Args, Look, invalid};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::iq;
use crate::xml::Element;
use serde::{Serialize, Serializer};
use super::sorted::Set;

const BLOCKING: &str = "urn:xmpp:blocking";

typescript!(
    r#"
export interface Calls {
  /** Who can't reach the account, nor be reached (XEP-0191). */
  readonly blocking: Blocking;
}

export interface FeatureEvents {
  /**
   * Somebody was blocked, or is no longer, by this client or another of the account's. It comes once {@link Blocking.get} has been called
   * or an invitation to a room has come, and in later sessions of this client too.
   */
  blocking: BlockingEvent;
}

/** Who can't reach the account, nor be reached (XEP-0191). A server without it is a `stanza-error`, `service-unavailable`. */
export interface Blocking {
  /**
   * The JIDs that are blocked, in their order: a bare one stands for all clients of somebody, a domain for all its users.
   *
   * Rejects `offline`, `stanza-error`.
   *
   * @example
   * const blocked = new Set(await client.blocking.get());
   * client.on("blocking", ({ type, jids }) => {
   *   if (type === "unblocked" && jids.length === 0) blocked.clear();
   *   for (const jid of jids) type === "blocked" ? blocked.add(jid) : blocked.delete(jid);
   * });
   */
  get(options?: CallOptions): Promise<string[]>;
  /**
   * Blocks somebody: to them the account is offline, and what is sent to them is a `stanza-error`, `not-acceptable`.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`.
   *
   * @example await client.blocking.block(["mallory@example.org", "spam.example"]);
   */
  block(jids: string | readonly string[], options?: CallOptions): Promise<void>;
  /**
   * Blocks somebody no longer; without any JID, nobody any longer.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`; `invalid-argument` for an empty array.
   *
   * @example
   * await client.blocking.unblock("mallory@example.org");
   * await client.blocking.unblock(); // and all the others
   */
  unblock(jids?: string | readonly string[] | null, options?: CallOptions): Promise<void>;
}

/** A change of who is blocked. */
export interface BlockingEvent {
  type: "blocked" | "unblocked";
  /** Who, by JID. With `"unblocked"`, none: nobody is blocked any more. */
  jids: string[];
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Who is blocked.
    Get,
    /// Blocks these, at least one.
    Block(Vec<Jid>),
    /// Blocks these no longer; where there are none, nobody.
    Unblock(Vec<Jid>),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Who is blocked, in the order of their JIDs.
    Jids(Vec<String>),
    /// Nothing.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Jids(jids) => jids.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// A change of who is blocked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// Which.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Who; nobody with [`Kind::Unblocked`] is everybody.
    pub jids: Vec<String>,
}

/// What has happened to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// They are blocked.
    Blocked,
    /// They are no longer.
    Unblocked,
}

impl Named for Change {
    fn name(&self) -> &'static str {
        "blocking"
    }
}

/// Asks who is blocked; what is known of it is one of the [`Facts`](super::Facts).
#[derive(Debug, Default)]
pub struct Blocking {
    /// The calls that ask for it.
    gets: Vec<Ticket>,
    /// How many times in a row it could not be had in this session, by the client's own question.
    failures: u32,
}

/// How long it takes, at first and at most, until a question is asked again that came to nothing, in milliseconds.
const AGAIN: [u64; 2] = [5_000, 300_000];

impl Feature for Blocking {
    type Command = Command;
    type Reply = Answer;
    type Event = Change;

    const CALLS: &'static [Call] = &[
        Call::once("blocking.get", 0),
        Call::once("blocking.block", 1),
        Call::once("blocking.unblock", 1),
    ];

    fn new(_: &Config) -> Self {
        Blocking::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        match name {
            "blocking.get" => Ok(Command::Get),
            "blocking.block" => args.of(0, "jids", jids).map(Command::Block),
            _ => {
                let given = args.take(0, "jids").given()?;
                let jids = given.as_ref().map(jids).transpose()?;
                Ok(Command::Unblock(jids.unwrap_or_default()))
            }
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let get = command == Command::Get;
        let payload = match command {
            Command::Get => question(),
            Command::Block(jids) => list("block", &jids),
            Command::Unblock(jids) => list("unblock", &jids),
        };
        // §3.2: of our own account.
        match cx.ask(!get, None, payload, Token::Call(ticket)) {
            Ok(()) if get => self.gets.push(ticket),
            Ok(()) => {}
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        // §3.3: who hasn't asked for it in this session isn't told of changes.
        self.failures = 0;
        if cx.facts.blocked.is_some() {
            self.ask(cx);
        }
    }

    fn on_timer(&mut self, cx: &mut Ctx<'_>) {
        self.ask(cx);
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        cx.set_timer(None);
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(true) {
            return Flow::Next;
        }
        let of_kind = |name| stanza.child(name, BLOCKING);
        let (kind, list) = match (of_kind("block"), of_kind("unblock")) {
            (Some(list), None) => (Kind::Blocked, list),
            (None, Some(list)) => (Kind::Unblocked, list),
            _ => return Flow::Next,
        };
        // As with a roster push (RFC 6121 §2.1.6): nobody but the account says who is blocked.
        if !from_account(stanza, cx.account()) {
            cx.answer(&iq::error(stanza, "cancel", "service-unavailable"));
            return Flow::Taken;
        }
        match items(list) {
            // §3.3: at least one is blocked. §3.5: no item at all is everybody, and that isn't items that can't be read.
            Some(jids) if kind == Kind::Unblocked || !jids.is_empty() => {
                cx.answer(&iq::result(stanza, None));
                if let Some(list) = &mut cx.facts.blocked {
                    match kind {
                        Kind::Blocked => {
                            for jid in &jids {
                                list.insert(jid.clone());
                            }
                        }
                        Kind::Unblocked if jids.is_empty() => list.clear(),
                        Kind::Unblocked => {
                            for jid in &jids {
                                list.remove(jid);
                            }
                        }
                    }
                }
                cx.emit(Event::Blocking(Change { kind, jids }));
            }
            _ => cx.answer(&iq::error(stanza, "modify", "bad-request")),
        }
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let caller = match token {
            Token::Own(_) => None,
            Token::Call(ticket) => Some(ticket),
        };
        if let Some(ticket) = caller {
            let Some(place) = self.gets.iter().position(|get| *get == ticket) else {
                return cx.reply(ticket, result.map(|_| Reply::Blocking(Answer::Done)));
            };
            self.gets.swap_remove(place);
        }
        let jids = learn(cx, result);
        if let (None, Err(error)) = (caller, &jids) {
            return self.again(cx, error);
        }
        if jids.is_ok() {
            // Whoever has asked: the server tells of changes from now on.
            cx.set_timer(None);
        }
        let answer = jids.map(|jids| Reply::Blocking(Answer::Jids(jids)));
        if let Some(ticket) = caller {
            cx.reply(ticket, answer);
        }
    }
}

impl Blocking {
    /// Asks of the client's own accord.
    fn ask(&mut self, cx: &mut Ctx<'_>) {
        if let Err(error) = cx.ask(false, None, question(), Token::Own(0)) {
            self.again(cx, &error);
        }
    }

    /// The list could not be had. What is known of it stands, and may be out of date, until it can: the server tells of no change before.
    fn again(&mut self, cx: &mut Ctx<'_>, error: &Error) {
        let over = matches!(error.code(), Code::Closed | Code::Offline);
        // A server that has no such list tells of no changes.
        if !over && !pep::has_no_service(error) {
            let wait = AGAIN[0] << self.failures.min(6);
            self.failures = self.failures.saturating_add(1);
            cx.set_timer(Some(cx.now().after(wait.min(AGAIN[1]))));
        }
    }
}

/// Asks for the list.
pub(super) fn question() -> Element {
    Element::new("blocklist", BLOCKING)
}

/// The whole list has come, or hasn't: what is different from the one before is told.
pub(super) fn learn(cx: &mut Ctx<'_>, answer: Result<Option<Element>, Error>) -> Result<Vec<String>, Error> {
    let list = answer?.filter(|payload| payload.is("blocklist", BLOCKING));
    let jids = list.as_ref().and_then(items).ok_or_else(|| unfit("the request for who is blocked"))?;
    let now = Set::of(jids);
    let jids = now.as_slice().to_vec();
    if let Some(before) = cx.facts.blocked.replace(now.clone()) {
        for (kind, one, other) in [(Kind::Unblocked, &before, &now), (Kind::Blocked, &now, &before)] {
            let jids: Vec<String> = one.without(other);
            if !jids.is_empty() {
                cx.emit(Event::Blocking(Change { kind, jids }));
            }
        }
    }
    Ok(jids)
}

/// Whether somebody is on the list: they, all their clients, or all of their server (§5).
pub(super) fn is_blocked(list: &Set, jid: &Jid) -> bool {
    let of_domain = jid.resource().map(|resource| [jid.domain(), "/", resource].concat());
    [jid.as_str(), jid.bare_str(), jid.domain()].into_iter().any(|jid| list.contains(jid))
        || of_domain.is_some_and(|jid| list.contains(&jid))
}

/// The JIDs that an app has passed: one, or some in an array.
fn jids(given: &Arg) -> Result<Vec<Jid>, Error> {
    match given.look()? {
        Look::Text(_) => Ok(vec![given.jid()?]),
        Look::List(list) if list.is_empty() => Err(invalid("`jids` is empty")),
        Look::List(_) => crate::given::each(&given.items()?, Arg::jid),
        _ => Err(given.wrong("a JID, or an array of JIDs")),
    }
}

fn list(name: &'static str, jids: &[Jid]) -> Element {
    jids.iter().fold(Element::new(name, BLOCKING), |list, jid| {
        list.with_child(Element::new("item", BLOCKING).with_attr("jid", jid.as_str()))
    })
}

/// The JIDs in a list; none where there is anything else in it.
fn items(list: &Element) -> Option<Vec<String>> {
    let jid = |item: &Element| {
        let jid = item.attr("jid").filter(|_| item.is("item", BLOCKING))?;
        // Who can't have an address any more (RFC 7622) may be blocked all the same.
        Some(Jid::parse(jid).map_or_else(|_| jid.to_owned(), |jid| jid.as_str().to_owned()))
    };
    list.children().map(jid).collect()
}
