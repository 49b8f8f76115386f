//! Messages, RFC 6121 §5, with stanza and origin ids (XEP-0359 0.7.0) and the time of delayed ones (XEP-0203 2.0).

pub use super::{Message, OutgoingMessage};

use super::carbons;
use super::correction::Replaces;
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Place, Reply, rooms, typescript};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args, Look};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::{StanzaError, delay};
use crate::stream::ns;
use crate::xml::Element;
use serde::{Serialize, Serializer};

pub(super) const SID: &str = "urn:xmpp:sid:0";

/// What the ids of that begin with which the client sends of its own accord: see [`send_notice`].
const NOTICE: &str = "~";

/// The kinds of message (RFC 6121 §5.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub enum MessageType {
    /// Part of a conversation between two.
    Chat,
    /// A message for itself, as in email.
    #[default]
    Normal,
    /// Part of a conversation in a room.
    Groupchat,
    /// A notice that no answer is expected to.
    Headline,
    /// A message that we sent could not be delivered. Never to be sent by an app.
    Error,
}

impl MessageType {
    /// Reads what an app has passed, if there is anything.
    ///
    /// # Errors
    /// `invalid-argument`: nobody sends errors.
    pub(super) fn given(kind: &Arg) -> Result<Option<MessageType>, Error> {
        const KINDS: [(&str, MessageType); 4] = [
            ("chat", MessageType::Chat),
            ("normal", MessageType::Normal),
            ("groupchat", MessageType::Groupchat),
            ("headline", MessageType::Headline),
        ];
        Ok(kind.opt_known(&KINDS)?.map(|(_, kind)| *kind))
    }
}

/// A message that the server has taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct SentMessage {
    /// Its id.
    pub id: String,
    /// Its origin id (XEP-0359 §3.2): the same.
    pub origin_id: String,
    /// To whom, prepared (RFC 7622).
    pub to: String,
    /// What kind of message.
    #[serde(rename = "type")]
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Exclude<MessageType, \"error\">"))]
    pub kind: MessageType,
    /// The archive's id for it, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stanza_id: Option<String>,
    /// Where it is a correction, the id of the message that it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(type = "string"))]
    pub replaces: Option<Replaces>,
}

/// A message under way, and what its call is answered with in the end.
#[derive(Debug)]
pub struct UnderWay {
    ticket: Ticket,
    sent: SentMessage,
    reply: fn(SentMessage) -> Reply,
}

typescript!(
    r#"
export interface Calls {
  /**
   * Sends a message, and resolves when the server has taken it: when it has confirmed it by stream management (XEP-0198) or, where
   * it has none, by its answer to a ping sent behind it; or when, after a broken session, the account's archive has it. While the
   * connection is being made again it waits.
   *
   * Rejects `not-delivered` where the server has certainly not taken the message and never will, `stanza-error` where it was
   * refused, `offline`, `queue-full` where as much waits as {@link ConnectOptions.queue} allows, `too-large`, `invalid-jid`.
   *
   * Rejects `delivery-unknown` where nobody can tell whether the server has taken it: it was under way when the connection ended, and
   * - the client comes back no more: after a {@link Client.disconnect} that the server doesn't answer, with `reconnect: false`, or after
   *   an error that forbids it or the last attempt; or
   * - the session could not be resumed, the server doesn't say how much of it it has handled, and its archive (XEP-0313) doesn't tell
   *   either: there is none, it can't be read, it is too long to be searched by a client that hadn't seen its end before, or it
   *   doesn't keep such messages (those without a body, or whose `hints` or `fallback` say that there is nothing to keep, or of type
   *   `groupchat` or `headline`, or to somebody whom the account's preferences leave out).
   *
   * The promise ends with the page, the message doesn't: as long as {@link ConnectOptions.storage} keeps it, the next page
   * sends it, and says by a `sent` or `not-sent` event what has become of it.
   */
  send(message: MessageInit, options?: CallOptions): Promise<SentMessage>;
}

export interface FeatureEvents {
  /**
   * A message came in, now or while this client was away, also as a carbon (XEP-0280). In its first session there may be up to 100
   * that came earlier: see {@link GapEvent}.
   */
  message: Message;
  /** The server has taken a message that an earlier page had sent: see {@link Client.send}. */
  sent: SentEvent;
  /** A message that an earlier page had sent won't be sent: see {@link Client.send}. */
  "not-sent": NotSentEvent;
}

/** A message to be sent. */
export interface MessageInit extends Omit<OutgoingMessage, "type" | keyof MessageInitFields>, MessageInitFields {
  /** Default `"chat"`. */
  type?: Exclude<MessageType, "error"> | undefined;
}

/** A message that an earlier page had sent. */
export interface SentEvent
  extends Omit<Message, "id" | "originId" | "type" | "delay" | "condition" | "carbon">, SentMessage {}

/** The same, where the server hasn't taken it, or nobody knows whether it has. */
export interface NotSentEvent extends Omit<SentEvent, "stanzaId"> {
  /** `not-delivered`, `delivery-unknown`, or whatever else {@link Client.send} would have rejected with. */
  error: XmppError;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Sends a message; resolves when the server has taken it.
    Send(Box<OutgoingMessage>),
}

/// What listeners are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A message came in.
    Message(Box<Message>),
    /// The server has taken a message of an earlier page's.
    Sent(Box<Message>),
    /// It hasn't, or nobody knows.
    NotSent(Box<Message>, Error),
}

impl Named for News {
    fn name(&self) -> &'static str {
        match self {
            News::Message(message) => message.event().unwrap_or("message"),
            News::Sent(_) => "sent",
            News::NotSent(..) => "not-sent",
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            News::NotSent(_, error) => Some(error),
            _ => None,
        }
    }

    fn waits(&self) -> bool {
        // What is said in a room waits there.
        !matches!(self, News::Message(message) if message.room.is_some())
    }
}

impl Serialize for News {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            News::Message(message) | News::Sent(message) | News::NotSent(message, _) => message.serialize(serializer),
        }
    }
}

/// Messages both ways.
#[derive(Debug, Default)]
pub struct Chat;

impl Feature for Chat {
    type Command = Command;
    type Reply = SentMessage;
    type Event = News;

    const CALLS: &'static [Call] = &[Call::once("send", 1)];

    // A message is sent for as long as it takes.
    const PATIENCE: Option<u64> = None;

    fn new(_: &Config) -> Self {
        Chat
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        let message = args.take(0, "message");
        let to = message.of("to", Arg::text)?;
        let mut message = OutgoingMessage::given(&message)?;
        message.to = to;
        Ok(Command::Send(message))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Send(message) = command;
        send(cx, ticket, message, Reply::Chat);
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if !stanza.is("message", ns::CLIENT) {
            return Flow::Next;
        }
        if let Some(message) = open(stanza, cx.account()) {
            tell(cx, message, false);
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let under_way = &mut cx.facts.under_way;
        if let Ok(place) = under_way.binary_search_by_key(&ticket, |one| one.ticket) {
            let UnderWay { mut sent, reply, .. } = under_way.remove(place);
            let result = result.map(|stanza_id| {
                sent.stanza_id = stanza_id.and_then(id_of);
                reply(sent)
            });
            cx.reply(ticket, result);
        }
    }

    fn on_kept(&mut self, cx: &mut Ctx<'_>, message: &Element, result: &Result<Option<Element>, Error>) {
        let mut kept = parse(message, cx.account());
        kept.id.get_or_insert_default();
        kept.origin_id = kept.origin_id.take().or_else(|| kept.id.clone());
        kept.stanza_id = result.as_ref().ok().cloned().flatten().and_then(id_of);
        cx.facts.known.note(&kept, &cx.account().to_bare());
        cx.emit(Event::Chat(match result {
            Ok(_) => News::Sent(kept),
            Err(error) => News::NotSent(kept, error.clone()),
        }));
    }
}

/// Sends a message, and settles the call by what becomes of it: a function makes the reply.
pub(super) fn send(cx: &mut Ctx<'_>, ticket: Ticket, message: Box<OutgoingMessage>, reply: fn(SentMessage) -> Reply) {
    // What has become of it is for the messages' own feature to hear.
    let owner = core::mem::replace(&mut cx.owner, Place::Chat as u8);
    let sent = deliver(cx, ticket, message, reply);
    cx.owner = owner;
    if let Err(error) = sent {
        cx.reply(ticket, Err(error));
    }
}

fn deliver(
    cx: &mut Ctx<'_>,
    ticket: Ticket,
    mut message: Box<OutgoingMessage>,
    reply: fn(SentMessage) -> Reply,
) -> Result<(), Error> {
    let invalid = |message: &'static str| Error::new(Code::InvalidArgument, Phase::Stanza, message);
    let to = Jid::parse(&message.to).map_err(|error| {
        let message = "`to` is no JID: ".to_owned() + &error.text();
        Error::new(Code::InvalidJid, Phase::Stanza, message)
    })?;
    let kind = match message.kind {
        None | Some(MessageType::Chat) => Some("chat"),
        Some(MessageType::Groupchat) => Some("groupchat"),
        Some(MessageType::Headline) => Some("headline"),
        Some(MessageType::Normal) => None,
        Some(MessageType::Error) => return Err(invalid("a message of type \"error\" cannot be sent")),
    };
    let id = match message.id.clone() {
        Some(id) if id.is_empty() => return Err(invalid("`id` is empty")),
        Some(id) => id,
        None => cx.id(),
    };
    let state = cx.facts.states.with(&to, &mut message);
    let text = |name, text: &Option<String>| {
        let text = text.as_ref()?;
        Some(Element::new(name, ns::CLIENT).with_text(text.as_str()))
    };
    let element = Element::new("message", ns::CLIENT)
        .with_attr("to", to.as_str())
        .with_opt_attr("type", kind)
        .with_attr("id", id.as_str())
        .with_opt_child(text("subject", &message.subject))
        .with_opt_child(text("body", &message.body))
        .with_opt_child(text("thread", &message.thread))
        .with_child(Element::new("origin-id", SID).with_attr("id", id.as_str()));
    let mut element = message.write(element);
    if to.is_full() && kind.is_none_or(|kind| kind == "chat") && cx.facts.rooms.is_in(&to) {
        // XEP-0045 §7.5: so that no other client of ours takes it for something else.
        element = element.with_child(Element::new("x", rooms::MUC_USER));
    }
    let sent = SentMessage {
        id: id.clone(),
        origin_id: id.clone(),
        to: to.as_str().to_owned(),
        kind: message.kind.unwrap_or(MessageType::Chat),
        stanza_id: None,
        replaces: message.replaces,
    };
    cx.deliver(&element, id, to.clone(), Token::Call(ticket))?;
    cx.facts.states.said(&to, state, cx.now());
    let account = cx.account().to_bare();
    cx.facts.known.note_sent(&sent, &to, &account);
    cx.facts.under_way.push(UnderWay { ticket, sent, reply });
    Ok(())
}

/// Tells the listeners of a message that came in, now or `late`, as far as it is to be believed; whether there was something to
/// be told.
pub(super) fn tell(cx: &mut Ctx<'_>, message: Box<Message>, late: bool) -> bool {
    let mut message = message;
    if message.room.is_none() {
        rooms::mark_private(cx.facts, &mut message, !late);
    }
    let Some(message) = believed(cx, message, late) else {
        return false;
    };
    let account = cx.account().to_bare();
    cx.facts.known.note(&message, &account);
    let said = rooms::Said::of(&message);
    cx.emit(Event::Chat(News::Message(message)));
    if let Some(said) = said {
        cx.emit(Event::Rooms(rooms::News::Said(said)));
    }
    true
}

/// A message as far as it is to be believed, if there is something to be told; of one that is read `late` without what was so only
/// when it was sent.
pub(super) fn believed(cx: &Ctx<'_>, mut message: Box<Message>, late: bool) -> Option<Box<Message>> {
    if late || message.delay.is_some() {
        message.forget_live();
    }
    if message.room.is_none() {
        // XEP-0421 §4: anybody may have put it there.
        message.occupant_id = None;
    }
    let checked = cx.facts.known.check(&mut message, &cx.account().to_bare());
    (checked && message.event().is_some()).then_some(message)
}

/// Sends something of the client's own accord, with nothing else in it. It isn't tracked, and where it bounces nobody is told.
pub(super) fn send_notice(cx: &mut Ctx<'_>, to: &str, kind: Option<&str>, child: Element) {
    let id = [NOTICE, &cx.id()].concat();
    let message = Element::new("message", ns::CLIENT)
        .with_attr("to", to)
        .with_opt_attr("type", kind)
        .with_attr("id", id)
        .with_child(child);
    cx.answer(&message);
}

/// Reads what is to be said in a message to somebody who is known: a text, or more than that.
///
/// # Errors
/// `invalid-argument` for anything else.
pub(super) fn words(given: &Arg) -> Result<Box<OutgoingMessage>, Error> {
    match given.look()? {
        Look::Text(text) => {
            let mut message: Box<OutgoingMessage> = Box::default();
            message.body = Some(text);
            Ok(message)
        }
        Look::Object => OutgoingMessage::given(given),
        _ => Err(given.wrong("a string or an object")),
    }
}

/// The id in a `<stanza-id/>`.
fn id_of(stanza_id: Element) -> Option<String> {
    let id = stanza_id.attr("id").filter(|_| stanza_id.is("stanza-id", SID));
    id.map(str::to_owned)
}

/// The id that the sending client says it gave a message.
pub(super) fn origin_id(message: &Element) -> Option<&str> {
    message.child("origin-id", SID)?.attr("id")
}

/// The id that this archive has given a message. XEP-0359 §5: it counts only from whose archive it is. Of several the last one does:
/// a server that has left in what a sender forged has put its own behind it.
pub(super) fn stanza_id<'a>(message: &'a Element, archive: &str) -> Option<&'a str> {
    let by_archive = |by: &str| by == archive || Jid::parse(by).is_ok_and(|by| by.as_str() == archive);
    let ids = message.all("stanza-id", SID);
    ids.filter(|child| child.attr("by").is_some_and(by_archive)).last()?.attr("id")
}

/// What kind of message it is.
pub(super) fn kind(message: &Element) -> MessageType {
    match message.attr("type") {
        Some("chat") => MessageType::Chat,
        Some("groupchat") => MessageType::Groupchat,
        Some("headline") => MessageType::Headline,
        Some("error") => MessageType::Error,
        // RFC 6121 §5.2.2: without a type, or with an unknown one, it is "normal".
        _ => MessageType::Normal,
    }
}

/// A message that came in, or the one that came in as a carbon.
pub(super) fn open(stanza: &Element, own: &Jid) -> Option<Box<Message>> {
    match carbons::open(stanza, own) {
        Some((carbon, message)) => {
            let mut message = read(message, own)?;
            message.carbon = Some(carbon);
            Some(message)
        }
        None => read(stanza, own),
    }
}

/// A message with nothing to be told of in it is none for listeners, nor is a carbon that is not to be opened.
pub(super) fn read(stanza: &Element, own: &Jid) -> Option<Box<Message>> {
    if carbons::is_carbon(stanza) {
        return None;
    }
    let message = parse(stanza, own);
    let notice = message.id.as_deref().is_some_and(|id| id.starts_with(NOTICE));
    if message.kind == MessageType::Error && notice {
        return None;
    }
    message.event()?;
    Some(message)
}

fn parse(stanza: &Element, own: &Jid) -> Box<Message> {
    let kind = kind(stanza);
    let text = |name| stanza.child_text(name, ns::CLIENT);
    // RFC 6120 §8.1.2.1: without a sender, it is the own account's.
    let from = stanza.attr("from").unwrap_or(own.bare_str());
    let stanza_id = match kind {
        MessageType::Groupchat => Jid::parse(from)
            .ok()
            .and_then(|room| stanza_id(stanza, room.bare_str())),
        _ => stanza_id(stanza, own.bare_str()),
    };
    let private = matches!(kind, MessageType::Chat | MessageType::Normal)
        && from.contains('/')
        && stanza.child("x", rooms::MUC_USER).is_some();
    let mut message: Box<Message> = Box::default();
    message.to = stanza.attr("to").unwrap_or(own.as_str()).to_owned();
    message.id = stanza.attr("id").map(str::to_owned);
    message.kind = kind;
    message.body = text("body");
    message.subject = text("subject");
    message.thread = text("thread");
    message.stanza_id = stanza_id.map(str::to_owned);
    message.origin_id = origin_id(stanza).map(str::to_owned);
    message.delay = delay(stanza);
    message.condition = StanzaError::of(stanza).map(|error| error.condition);
    message.from = from.to_owned();
    message.occupant = private.then_some(true);
    message.occupant_id = rooms::occupant_id(stanza).map(str::to_owned);
    if kind == MessageType::Groupchat && !from.contains('/') {
        message.moderation = rooms::moderation(stanza);
    }
    // RFC 6120 §8.3.1: an error may have in it what bounced. Nobody says that.
    if kind != MessageType::Error {
        message.read_payloads(stanza);
    }
    message
}
