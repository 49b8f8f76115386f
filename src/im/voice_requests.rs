//! Asking for a voice in a moderated room, and granting it: XEP-0045 1.35.5 (3 May 2026) §7.13, §8.6.
//!
//! A moderator without the form can give somebody a voice as well, by their role ([`room_admin`](super::room_admin)). Left out: asking for
//! another role.

use super::forms::{self, DataForm, FORMS, FieldValue, FormType};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

const REQUEST: &str = "http://jabber.org/protocol/muc#request";

/// §16.5.2.
const ROLE: &str = "muc#role";
const JID: &str = "muc#jid";
const NICK: &str = "muc#roomnick";
const ALLOW: &str = "muc#request_allow";

typescript!(
    r#"
export interface FeatureEvents {
  /** Somebody in a room asks for a voice, and this account may give it: see {@link Room.answerVoiceRequest}. */
  "voice-request": VoiceRequest;
}

/** Somebody in a moderated room would like to be heard there. */
export interface VoiceRequest {
  /** The room. */
  room: string;
  /** Who, by their nick there, as the room says. */
  nick: string;
  /** The same by their JID, where the room says so. */
  jid?: string;
  /** What they would like to be: mostly `"participant"`. */
  role: string;
}

export interface Room {
  /**
   * Asks those who moderate the room for a voice there (XEP-0045 §7.13). It resolves when that has been sent: what comes of it is seen by the own
   * role; where the room has something against it, there is a `message` of type `error` from it.
   *
   * Rejects `offline`, `queue-full`.
   *
   * @example
   * if (room.role === "visitor") await room.requestVoice();
   */
  requestVoice(options?: CallOptions): Promise<void>;
  /**
   * Answers such a request (XEP-0045 §8.6). Who isn't given a voice isn't told.
   *
   * Rejects `invalid-argument` where the request is another room's, `offline`, `queue-full`.
   *
   * @example
   * client.on("voice-request", async (request) => {
   *   const room = client.rooms.get(request.room);
   *   await room?.answerVoiceRequest(request, confirm(`May ${request.nick} speak?`));
   * });
   */
  answerVoiceRequest(request: VoiceRequest, allow: boolean, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call: a form for a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The room.
    pub room: Jid,
    /// What is submitted.
    pub form: Element,
}

/// Somebody in a moderated room would like to be heard there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VoiceRequest {
    /// The room.
    pub room: String,
    /// Who, by their nick.
    pub nick: String,
    /// The same by their JID, where the room says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jid: Option<String>,
    /// What they would like to be.
    pub role: String,
}

impl Named for VoiceRequest {
    fn name(&self) -> &'static str {
        "voice-request"
    }
}

/// Asks, and tells who asks.
#[derive(Debug)]
pub struct VoiceRequests;

impl Feature for VoiceRequests {
    type Command = Command;
    type Reply = ();
    type Event = VoiceRequest;

    const DISCO: &'static [&'static str] = &[];

    const CALLS: &'static [Call] = &[Call::once("room.requestVoice", 1), Call::once("room.answerVoiceRequest", 3)];

    fn new(_: &Config) -> Self {
        VoiceRequests
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let room = args.of(0, "room", Arg::jid)?.to_bare();
        let form = forms::submit(REQUEST);
        let form = match name {
            "room.requestVoice" => {
                form.with_child(forms::field(ROLE, &["participant"]).with_attr("type", "list-single"))
            }
            _ => {
                let request = args.take(1, "request");
                let of = request.field("room")?;
                if of.jid()?.to_bare() != room {
                    return Err(of.wrong("the room that is asked"));
                }
                let allow = args.take(2, "allow");
                let allow = allow.opt_flag()?.ok_or_else(|| allow.wrong("a boolean"))?;
                let role = request.of("role", Arg::opt_text)?;
                let form = form
                    .with_child(forms::field(ROLE, &[role.as_deref().unwrap_or("participant")]))
                    .with_child(forms::field(NICK, &[request.of("nick", Arg::text)?]))
                    .with_child(forms::field(ALLOW, &[if allow { "true" } else { "false" }]));
                form.with_opt_child(request.text_of("jid")?.map(|jid| forms::field(JID, &[jid])))
            }
        };
        Ok(Command { room, form })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let message = Element::new("message", ns::CLIENT)
            .with_attr("to", command.room.as_str())
            .with_attr("id", cx.id())
            .with_child(command.form);
        if let Err(error) = cx.send_for(ticket, &message) {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if let Some(request) = request(stanza, cx.account()) {
            cx.emit(Event::VoiceRequests(request));
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        if let Token::Call(ticket) = token {
            cx.reply(ticket, result.map(|_| Reply::VoiceRequests(())));
        }
    }
}

/// Reads a request that a room passes on.
fn request(message: &Element, account: &Jid) -> Option<VoiceRequest> {
    if !message.is("message", ns::CLIENT) || matches!(message.attr("type"), Some("error" | "groupchat")) {
        return None;
    }
    let form = message.child("x", FORMS)?;
    // §8.6: it comes from the room itself. Who is in it, or anywhere else, has a full JID.
    let room = Jid::parse(message.attr("from")?).ok()?;
    if room.is_full() || room.local().is_none() || room.same_bare(account) {
        return None;
    }
    let form = DataForm::read(form).ok()?;
    if form.kind != FormType::Form || form.form_type() != Some(REQUEST) {
        return None;
    }
    let text = |name| match form.field(name).map(|field| &field.value) {
        Some(FieldValue::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    Some(VoiceRequest {
        room: room.as_str().to_owned(),
        nick: text(NICK)?,
        jid: text(JID),
        role: text(ROLE).unwrap_or_else(|| "participant".to_owned()),
    })
}
