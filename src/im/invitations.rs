//! Invitations to rooms: direct ones, XEP-0249 1.2 (22 September 2011), and those that a room passes on, XEP-0045 1.35.5 (3 May 2026) §7.8.2.
//!
//! What a room passes on is believed of the room itself, by its bare JID; who has invited is what it says. One that is blocked
//! ([`blocking`]) can't invite through a room either: as long as it isn't known who is, an invitation waits for that. A room
//! that names those who invite by their nick there alone (Prosody's do) hides them from that.
//!
//! Nobody is told of an invitation to where they are already (XEP-0249 §4). Left out: that who is invited in both ways is told once, which is for
//! the app to see.

use super::blocking::{self, is_blocked};
use super::carbons::Carbon;
use super::chat::{self, Message, MessageType, OutgoingMessage};
use super::rooms::MUC_USER;
use super::{Call, Config, Ctx, Event, Feature, Named, Payload, Place, Reply, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::Stamp;
use crate::xml::Element;
use serde::Serialize;

const DIRECT: &str = "jabber:x:conference";

/// How many may wait. What is beyond that is told of nobody: it would be a flood.
const WAITING: usize = 100;

typescript!(
    r#"
export interface FeatureEvents {
  /**
   * Somebody invites to a room, now or while this client was away. Such a message never is a `message` event, whatever its text. Nobody whom the
   * account has blocked can invite, not through a room either, as far as that says who they are: some tell their nick there alone.
   */
  invitation: InvitationEvent;
  /** Somebody whom this account has invited doesn't want to come, as the room says. */
  "invitation-declined": InvitationDeclinedEvent;
}

export interface MessageInitFields {
  /** Invites whom it is sent to directly: see {@link Room.invite}, which is the easier way. */
  invitation?: InvitationInit | undefined;
}

/** A direct invitation to be sent (XEP-0249). */
export interface InvitationInit {
  /** The room. */
  room: string;
  /** Why one should come. */
  reason?: string | undefined;
  /** What it takes to enter. */
  password?: string | undefined;
  /** The room goes on with what was talked about between two, in that thread. */
  continue?: boolean | undefined;
  thread?: string | undefined;
}

/** What a message says of an invitation. */
export interface Invitation {
  /** The room. */
  room: string;
  /**
   * Who invites. Where the room has passed it on, that is its claim alone: the JID of an account, or of somebody in the room; left out where it
   * doesn't say.
   */
  from?: string;
  /** Why one should come, or won't. */
  reason?: string;
  /** What it takes to enter. */
  password?: string;
  /** The room has passed it on (XEP-0045 §7.8.2); otherwise it came from whom it is `from` (XEP-0249). */
  mediated: boolean;
  /** The room goes on with what was talked about between two. */
  continue?: true;
  /** In which thread that was. */
  thread?: string;
  /** It isn't an invitation, but says that somebody doesn't want to come. */
  declined?: true;
}

/** Somebody invites to a room. */
export interface InvitationEvent extends Omit<Invitation, "declined"> {
  /** When it was sent, where that was not just now. */
  delay?: Date;
  /** It came to another client of the account. */
  carbon?: "received";
}

/** Somebody doesn't want to come to a room. */
export interface InvitationDeclinedEvent {
  /** The room. */
  room: string;
  /** Who, as the room says. */
  from?: string;
  /** Why. */
  reason?: string;
  /** When it was sent, where that was not just now. */
  delay?: Date;
  /** It came to another client of the account. */
  carbon?: "received";
}

export interface Rooms {
  /**
   * Says to whom has invited that the account won't come, through the room (XEP-0045 §7.8.2). Of a direct invitation nobody is told (XEP-0249 §2).
   *
   * Rejects as {@link Client.send} does, and `invalid-argument` where it isn't known who has invited.
   *
   * @example
   * client.on("invitation", async (invitation) => {
   *   if (!confirm(`${invitation.from} invites to ${invitation.room}`)) await client.rooms.decline(invitation, "Too busy");
   * });
   */
  decline(invitation: { room: string; from?: string; mediated: boolean }, reason?: string | null, options?: CallOptions): Promise<void>;
}

export interface Room {
  /**
   * Invites somebody: through the room, which one must be in, and which may make a member of them; or, with `direct`, by a message to them, which
   * they get even where they get nothing from strangers. Where the room isn't for members alone that is the better way.
   *
   * It resolves when the server has taken the message. What the room has against it comes as a `message` of type `error` with its `id`.
   *
   * Rejects as {@link Client.send} does.
   *
   * @example await room.invite("hecate@example.org", { reason: "This is the place for all good witches!", direct: true });
   */
  invite(
    jid: string,
    how?: {
      direct?: boolean | null | undefined;
      reason?: string | null | undefined;
      password?: string | null | undefined;
      /** The room goes on with what was talked about between two, in that thread. */
      continue?: boolean | null | undefined;
      thread?: string | null | undefined;
    } | null,
    options?: CallOptions,
  ): Promise<SentMessage>;
}
"#
);

/// What a message says of an invitation.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Invitation {
    /// The room.
    pub room: String,
    /// Who invites, or declines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it takes to enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the room has passed it on.
    pub mediated: bool,
    /// The room goes on with what was talked about between two.
    #[serde(rename = "continue", skip_serializing_if = "core::ops::Not::not")]
    pub goes_on: bool,
    /// In which thread that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Somebody doesn't want to come.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub declined: bool,
    /// Whom the room is to pass it on to.
    #[serde(skip)]
    pub to: Option<String>,
}

impl Payload for Invitation {
    const EVENT: &'static str = "invitation";

    // The text beside it is for those who don't know it.
    const LEADS: bool = true;

    fn read(message: &Element) -> Option<Invitation> {
        // §7.8.2: of type "normal". What is said to all in a room invites nobody.
        if matches!(chat::kind(message), MessageType::Groupchat | MessageType::Headline) {
            return None;
        }
        let from = Jid::parse(message.attr("from")?).ok()?;
        mediated(message, &from).or_else(|| {
            let x = message.child("x", DIRECT)?;
            let text = |name| x.attr(name).map(str::to_owned);
            Some(Invitation {
                room: Jid::parse(x.attr("jid")?).ok()?.bare_str().to_owned(),
                from: Some(from.as_str().to_owned()),
                reason: text("reason").filter(|reason| !reason.is_empty()),
                password: text("password"),
                goes_on: matches!(x.attr("continue"), Some("true" | "1")),
                thread: text("thread"),
                ..Invitation::default()
            })
        })
    }

    fn given(given: &Arg) -> Result<Invitation, Error> {
        Ok(Invitation {
            room: given.of("room", Arg::jid)?.bare_str().to_owned(),
            ..words(given)?
        })
    }

    fn write(&self, message: Element) -> Element {
        let Some(to) = &self.to else {
            let x = Element::new("x", DIRECT)
                .with_opt_attr("continue", self.goes_on.then_some("true"))
                .with_attr("jid", self.room.as_str())
                .with_opt_attr("password", self.password.as_deref())
                .with_opt_attr("reason", self.reason.as_deref())
                .with_opt_attr("thread", self.thread.as_deref());
            return message.with_child(x);
        };
        let text = |name, text: &Option<String>| text.as_ref().map(|text| Element::new(name, MUC_USER).with_text(text.as_str()));
        let name = if self.declined { "decline" } else { "invite" };
        let goes_on = || Element::new("continue", MUC_USER).with_opt_attr("thread", self.thread.as_deref());
        let invite = Element::new(name, MUC_USER)
            .with_attr("to", to.as_str())
            .with_opt_child(text("reason", &self.reason))
            .with_opt_child(self.goes_on.then(goes_on));
        let x = Element::new("x", MUC_USER).with_child(invite);
        message.with_child(x.with_opt_child(text("password", &self.password)))
    }

    fn event(&self) -> &'static str {
        if self.declined { "invitation-declined" } else { "invitation" }
    }
}

/// Reads what a room has passed on.
fn mediated(message: &Element, from: &Jid) -> Option<Invitation> {
    // §7.8.2: the room itself passes it on. Who is in it, and whoever else wrote this as if it were one, has a full JID.
    if from.is_full() || from.local().is_none() {
        return None;
    }
    let x = message.child("x", MUC_USER)?;
    let (invite, declined) = match (x.child("invite", MUC_USER), x.child("decline", MUC_USER)) {
        (Some(invite), _) => (invite, false),
        (None, decline) => (decline?, true),
    };
    let by = invite.attr("from").and_then(|by| Jid::parse(by).ok());
    let goes_on = invite.child("continue", MUC_USER);
    Some(Invitation {
        room: from.as_str().to_owned(),
        from: by.map(|by| by.as_str().to_owned()),
        reason: invite.child_text("reason", MUC_USER).filter(|reason| !reason.is_empty()),
        password: x.child_text("password", MUC_USER),
        mediated: true,
        goes_on: goes_on.is_some(),
        thread: goes_on.and_then(|goes_on| goes_on.attr("thread")).map(str::to_owned),
        declined,
        to: None,
    })
}

/// What an invitation says, whatever the room.
fn words(given: &Arg) -> Result<Invitation, Error> {
    let text = |name| given.opt_of(name, Arg::opt_text);
    let thread = text("thread")?;
    let goes_on = given.opt_of("continue", Arg::opt_flag)?;
    Ok(Invitation {
        reason: text("reason")?,
        password: text("password")?,
        goes_on: goes_on.unwrap_or(thread.is_some()),
        thread,
        ..Invitation::default()
    })
}

/// What listeners are told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct News {
    /// The room.
    pub room: String,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it takes to enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the room has passed it on; nothing where somebody declines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mediated: Option<bool>,
    /// The room goes on with what was talked about between two.
    #[serde(rename = "continue", skip_serializing_if = "core::ops::Not::not")]
    pub goes_on: bool,
    /// In which thread that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Stamp>,
    /// It came to another client of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carbon: Option<Carbon>,
}

impl Named for News {
    fn name(&self) -> &'static str {
        if self.mediated.is_none() { "invitation-declined" } else { "invitation" }
    }
}

/// Invitations that wait until it is known who is blocked.
#[derive(Debug, Default)]
pub struct Waiting {
    news: Vec<News>,
    /// It has been asked.
    asked: bool,
    /// The server doesn't say.
    unknown: bool,
}

/// What the app can call: a message to be sent, where there is any; whether its caller is told what has been sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    message: Option<Box<OutgoingMessage>>,
    told: bool,
}

/// Invites.
#[derive(Debug)]
pub struct Invitations;

impl Feature for Invitations {
    type Command = Command;
    type Reply = ();
    type Event = News;

    const DISCO: &'static [&'static str] = &[DIRECT];

    const CALLS: &'static [Call] = &[Call::once("room.invite", 3), Call::once("rooms.decline", 2)];

    // A message is sent for as long as it takes.
    const PATIENCE: Option<u64> = None;

    fn new(_: &Config) -> Self {
        Invitations
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let mut message: Box<OutgoingMessage> = Box::default();
        message.kind = Some(MessageType::Normal);
        if name == "room.invite" {
            let room = args.of(0, "room", Arg::jid)?.to_bare();
            let jid = args.of(1, "jid", Arg::jid_text)?;
            let how = args.take(2, "how");
            let mut invitation = words(&how)?;
            invitation.room = room.as_str().to_owned();
            if how.opt_of("direct", Arg::opt_flag)? == Some(true) {
                message.to = jid;
            } else {
                message.to.clone_from(&invitation.room);
                invitation.to = Some(jid);
            }
            message.invitation = Some(invitation);
            return Ok(Command {
                message: Some(message),
                told: true,
            });
        }
        let invitation = args.take(0, "invitation");
        let room = invitation.of("room", Arg::jid)?.to_bare();
        let reason = args.of(1, "reason", Arg::opt_text)?;
        // XEP-0249 §2: such a one is silently discarded.
        let mediated = invitation.of("mediated", Arg::opt_flag)? == Some(true);
        if mediated {
            message.to = room.as_str().to_owned();
            message.invitation = Some(Invitation {
                room: room.as_str().to_owned(),
                reason,
                declined: true,
                to: Some(invitation.of("from", Arg::jid_text)?),
                ..Invitation::default()
            });
        }
        Ok(Command {
            message: mediated.then_some(message),
            told: false,
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        match command.message {
            Some(message) if command.told => chat::send(cx, ticket, message, Reply::Chat),
            Some(message) => chat::send(cx, ticket, message, |_| Reply::Invitations(())),
            None => cx.reply(ticket, Ok(Reply::Invitations(()))),
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        let waiting = &mut cx.facts.invitations;
        waiting.asked = false;
        waiting.unknown = false;
        if !waiting.news.is_empty() {
            go_on(cx);
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, _: Token, result: Result<Option<Element>, Error>) {
        let waiting = &mut cx.facts.invitations;
        waiting.asked = false;
        // The next session asks again.
        if result.as_ref().is_err_and(|error| error.code() == Code::Closed) {
            return;
        }
        let known = cx.facts.blocked.is_some() || blocking::learn(cx, result).is_ok();
        cx.facts.invitations.unknown = !known;
        go_on(cx);
    }
}

/// Tells of an invitation that has come; whether there was something to be told.
pub(super) fn tell(cx: &mut Ctx<'_>, message: Box<Message>) -> bool {
    let account = cx.account();
    let Some(invitation) = message.invitation else { return false };
    let is_own = |jid: &str| Jid::parse(jid).is_ok_and(|jid| jid.same_bare(account));
    // What another client of the account has sent, and what the room says to all who are here.
    let own = is_own(&message.from) || invitation.from.as_deref().is_some_and(is_own);
    if own || message.carbon == Some(Carbon::Sent) {
        return false;
    }
    // XEP-0249 §4.
    if !invitation.declined && Jid::parse(&invitation.room).is_ok_and(|room| cx.facts.rooms.is_in(&room)) {
        return true;
    }
    let waiting = &mut cx.facts.invitations;
    if waiting.news.len() < WAITING {
        waiting.news.push(News {
            room: invitation.room,
            from: invitation.from,
            reason: invitation.reason,
            password: invitation.password.filter(|_| !invitation.declined),
            mediated: (!invitation.declined).then_some(invitation.mediated),
            goes_on: invitation.goes_on,
            thread: invitation.thread,
            delay: message.delay,
            carbon: message.carbon,
        });
        go_on(cx);
    }
    true
}

/// Tells of those that wait, once it is known who is blocked.
fn go_on(cx: &mut Ctx<'_>) {
    let waiting = &mut cx.facts.invitations;
    if cx.facts.blocked.is_none() && !waiting.unknown {
        if !waiting.asked {
            waiting.asked = true;
            // Whichever feature has told of it: the answer is ours.
            let owner = core::mem::replace(&mut cx.owner, Place::Invitations as u8);
            // Where it can't be asked, the session is over, and the next one will.
            cx.facts.invitations.asked = cx.ask(false, None, blocking::question(), Token::Own(0)).is_ok();
            cx.owner = owner;
        }
        return;
    }
    for news in core::mem::take(&mut waiting.news) {
        let named = [Some(&news.room), news.from.as_ref()];
        let blocked = cx.facts.blocked.as_ref().is_some_and(|list| {
            let mut named = named.into_iter().flatten().filter_map(|jid| Jid::parse(jid).ok());
            named.any(|jid| is_blocked(list, &jid))
        });
        if !blocked {
            cx.emit(Event::Invitations(news));
        }
    }
}
