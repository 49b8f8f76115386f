//! Presence, RFC 6121 §4: who is there, and that we are.
//!
//! A server says once in a session who is there. A page that goes on with an earlier one's session hasn't heard it, so the
//! earlier one keeps it for the next.
//!
//! Requests to see our presence are answered by [`roster`](super::roster).

use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, rooms, typescript};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Args, invalid};
use crate::session::{Kind, Outgoing, Status, Ticket};
use crate::stanza::{Stamp, StanzaError, delay};
use crate::stream::ns;
use crate::xml::{self, Element};
use serde::{Deserialize, Serialize};

/// What the client says of its own availability.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct PresenceInit {
    /// What kind of availability; plain "available" where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// -128 to 127: which of an account's clients gets messages sent to its bare JID (RFC 6121 §4.7.2.3). Default 0;
    /// below 0 none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i8>,
}

/// A kind of availability (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub enum Show {
    /// Temporarily away.
    Away,
    /// Keen to chat.
    Chat,
    /// Do not disturb.
    Dnd,
    /// Away for an extended period.
    Xa,
}

/// A presence that came in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct PresenceEvent {
    /// Whose: a full JID, or a bare one for subscriptions.
    pub from: String,
    /// Left out where the sender is available.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<PresenceType>,
    /// What kind of availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// -128 to 127; 0 where the sender names none.
    pub priority: i8,
    /// When it was sent, where that was not just now (XEP-0203).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", tsify(type = "Date"))]
    pub delay: Option<Stamp>,
    /// With type `error`: the condition (RFC 6120 §8.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// What a presence is about, if not availability (RFC 6121 §4.7.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub enum PresenceType {
    /// The sender is no longer available.
    Unavailable,
    /// The sender asks to see our presence.
    Subscribe,
    /// The sender lets us see theirs.
    Subscribed,
    /// The sender no longer wants to see ours.
    Unsubscribe,
    /// The sender no longer lets us see theirs.
    Unsubscribed,
    /// A presence that we sent could not be delivered.
    Error,
}

typescript!(
    r#"
export interface Calls {
  /**
   * Says something else of the own availability, now and after each reconnection.
   *
   * Rejects `offline`.
   */
  setPresence(presence: PresenceInit, options?: CallOptions): Promise<void>;
}

export interface FeatureEvents {
  /** A presence came in, or a request to see ours. Who is in a room that we are in is told by {@link FeatureEvents.room} events, and not here. */
  presence: PresenceEvent;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Says something else of our own availability, now and after each reconnection.
    Set(PresenceInit),
}

impl Named for PresenceEvent {
    fn name(&self) -> &'static str {
        "presence"
    }
}

/// How many available clients are kept for the next page, and how many bytes of text at most.
const KEPT: [usize; 2] = [500, 64 << 10];

/// How many bytes of it may be one client's. A longer presence is kept without its words.
const KEPT_EACH: usize = 1 << 10;

/// Our own presence, and that of others.
#[derive(Debug)]
pub struct Presence {
    own: Option<PresenceInit>,
    /// What has been said ahead of the session.
    ahead: Option<PresenceInit>,
    /// What has been said in the session last.
    said: Option<PresenceInit>,
    /// What this client could when that was said.
    can: String,
    /// Who is available, by full JID, each with the presence in XML.
    there: Vec<(String, String)>,
    /// How many bytes all that is.
    size: usize,
    /// It was an earlier page that has heard it; this one's app hasn't.
    untold: bool,
}

impl Feature for Presence {
    type Command = Command;
    type Reply = ();
    type Event = PresenceEvent;

    const NAME: &'static str = "presence";

    const CALLS: &'static [Call] = &[Call::once("setPresence", 1)];

    const PATIENCE: Option<u64> = None;

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        args.of(0, "presence", PresenceInit::given).map(Command::Set)
    }

    fn new(config: &Config) -> Self {
        Presence {
            own: config.presence.clone(),
            ahead: None,
            said: None,
            can: String::new(),
            there: Vec::new(),
            size: 0,
            untold: false,
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Set(presence) = command;
        let result = match cx.status() {
            // What waits is sent when there is a connection again.
            Status::Reconnecting => presence.check(),
            _ => self.say(cx, &presence),
        };
        if result.is_ok() {
            cx.facts.presence = Some(presence.clone());
            self.own = Some(presence);
        }
        cx.reply(ticket, result.map(Reply::Presence));
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        // The text is for those whom the user trusts, and the server hasn't proved yet who it is.
        let silent = self.own.as_ref().filter(|own| own.status.is_none());
        self.ahead = silent.filter(|own| send(cx, own).is_ok()).cloned();
        self.can = cx.facts.own.id().to_owned();
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        self.said = self.ahead.take();
        // A new session: the server says anew who is there.
        for (from, _) in self.forget() {
            cx.emit(Event::Presence(PresenceEvent::unavailable(from)));
        }
        self.say_own(cx);
        cx.changed();
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, _: bool, lost: bool) {
        // RFC 6121 §4.2.1: a server sends nothing to a client that hasn't said that it is there.
        // XEP-0115 §6.1: and what an earlier page has said of what it could is to be said anew where this one can something else.
        let anew = lost || self.can != cx.facts.own.id();
        if let Some(said) = self.said.take_if(|_| anew)
            && self.own.is_none()
        {
            let _ = self.say(cx, &said);
        }
        if core::mem::take(&mut self.untold) {
            for (_, presence) in &self.there {
                if let Some(event) = xml::read(presence, &xml::Limits::default()).ok().as_ref().and_then(read) {
                    cx.emit(Event::Presence(event));
                }
            }
        }
        self.say_own(cx);
    }

    fn on_offline(&mut self, _: &mut Ctx<'_>) {
        self.ahead = None;
        self.said = None;
        if self.untold {
            self.untold = false;
            self.forget();
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if !stanza.is("presence", ns::CLIENT) {
            return Flow::Next;
        }
        if let Some(event) = read(stanza) {
            // Of rooms, and of who is in one, those tell who know of them.
            if cx.facts.rooms.has(&event.from) {
                return Flow::Next;
            }
            if matches!(event.kind, None | Some(PresenceType::Unavailable)) {
                self.note(&event);
                cx.changed();
            }
            cx.emit(Event::Presence(event));
        }
        Flow::Next
    }

    fn save(&self) -> Option<String> {
        let said = self.said.as_ref().and_then(|said| in_a_line(&element(said)));
        let mut text = ["<saved xmlns='", ns::CLIENT, "' can='", &self.can, "'>", said.as_deref().unwrap_or_default()].concat();
        text.reserve(self.size);
        for (_, presence) in &self.there {
            text.push_str(presence);
        }
        text.push_str("</saved>");
        Some(text)
    }

    fn restore(&mut self, _: &mut Ctx<'_>, saved: &str) {
        let saved = xml::read(saved, &xml::Limits::default()).ok();
        let can = saved.as_ref().and_then(|saved| saved.attr("can"));
        self.can = can.unwrap_or_default().to_owned();
        for presence in saved.iter().flat_map(Element::children) {
            match read(presence) {
                Some(event) => self.note(&event),
                None => self.said = Some(init(presence)),
            }
        }
        self.untold = true;
    }
}

impl Presence {
    fn say(&mut self, cx: &mut Ctx<'_>, presence: &PresenceInit) -> Result<(), Error> {
        send(cx, presence)?;
        // XEP-0045 §7.7: a room is told apart.
        for address in cx.facts.rooms.addresses() {
            let stanza = rooms::own(cx, &address, Some(presence));
            cx.answer(&stanza);
        }
        self.can = cx.facts.own.id().to_owned();
        self.said = Some(presence.clone());
        cx.changed();
        Ok(())
    }

    /// Says what the app wants said, unless that is what was said last.
    fn say_own(&mut self, cx: &mut Ctx<'_>) {
        // RFC 6121 §4.2.1: initial presence has no `to`.
        if let Some(own) = self.own.clone().filter(|own| self.said.as_ref() != Some(own)) {
            // Checked where it was set.
            let _ = self.say(cx, &own);
        }
    }

    /// Keeps in mind who is there.
    fn note(&mut self, event: &PresenceEvent) {
        let from = event.from.as_str();
        let gone = event.kind.is_some();
        // RFC 6121 §4.5.4: with its bare JID all of an account's clients go.
        let is_of = |known: &str| {
            let rest = known.strip_prefix(from);
            rest.is_some_and(|rest| rest.is_empty() || (gone && rest.starts_with('/')))
        };
        self.there.retain(|(known, _)| !is_of(known));
        self.size = self.there.iter().map(|(_, presence)| presence.len()).sum();
        if gone {
            return;
        }
        let mut presence = event.clone();
        let mut text = in_a_line(&presence.element());
        if text.as_ref().is_some_and(|text| text.len() > KEPT_EACH) {
            presence.status = None;
            text = in_a_line(&presence.element());
        }
        if let Some(text) = text.filter(|text| text.len() <= KEPT_EACH)
            && self.there.len() < KEPT[0]
            && self.size + text.len() <= KEPT[1]
        {
            self.size += text.len();
            self.there.push((event.from.clone(), text));
        }
    }

    fn forget(&mut self) -> Vec<(String, String)> {
        self.size = 0;
        core::mem::take(&mut self.there)
    }
}

impl PresenceEvent {
    fn unavailable(from: String) -> PresenceEvent {
        PresenceEvent {
            from,
            kind: Some(PresenceType::Unavailable),
            show: None,
            status: None,
            priority: 0,
            delay: None,
            condition: None,
        }
    }

    /// An available presence as it came.
    fn element(&self) -> Element {
        let init = PresenceInit {
            show: self.show,
            status: self.status.clone(),
            priority: Some(self.priority).filter(|priority| *priority != 0),
        };
        let delay = |at: &Stamp| Element::new("delay", "urn:xmpp:delay").with_attr("stamp", at.0.as_str());
        element(&init)
            .with_attr("from", self.from.as_str())
            .with_opt_child(self.delay.as_ref().map(delay))
    }
}

impl PresenceInit {
    /// Reads what an app has passed.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn given(presence: &Arg) -> Result<PresenceInit, Error> {
        static SHOWS: [(&str, Show); 4] = [
            ("away", Show::Away),
            ("chat", Show::Chat),
            ("dnd", Show::Dnd),
            ("xa", Show::Xa),
        ];
        let status = presence.text_of("status")?;
        if status
            .as_deref()
            .is_some_and(|text| !text.chars().all(xml::is_xml_char))
        {
            return Err(invalid("`status` has a character that XML can't carry"));
        }
        let show = presence.of("show", |show| show.opt_known(&SHOWS))?;
        // RFC 6121 §4.7.2.3.
        let priority = presence.field("priority")?.opt_whole(-128, 127)?;
        Ok(PresenceInit {
            show: show.map(|(_, show)| *show),
            status,
            priority: priority.and_then(|priority| i8::try_from(priority).ok()),
        })
    }

    /// Whether it can be sent.
    ///
    /// # Errors
    /// `invalid-argument` for a status that XML cannot carry.
    pub fn check(&self) -> Result<(), Error> {
        Outgoing::new(&element(self), Kind::Send, None).map(drop)
    }
}

/// Says it, and what this client can (XEP-0115 §6.1, XEP-0390 §6.1).
fn send(cx: &mut Ctx<'_>, presence: &PresenceInit) -> Result<(), Error> {
    let presence = cx.facts.own.mark(element(presence));
    cx.send(&presence)
}

pub(super) fn element(presence: &PresenceInit) -> Element {
    let text = |name, text: Option<String>| text.map(|text| Element::new(name, ns::CLIENT).with_text(text));
    let show = presence.show.map(|show| match show {
        Show::Away => "away",
        Show::Chat => "chat",
        Show::Dnd => "dnd",
        Show::Xa => "xa",
    });
    Element::new("presence", ns::CLIENT)
        .with_opt_child(text("show", show.map(str::to_owned)))
        .with_opt_child(text("status", presence.status.clone()))
        .with_opt_child(text("priority", presence.priority.map(|priority| decimal(priority.into()))))
}

/// In XML without control characters: as references those of white space are the same in a text.
pub(super) fn in_a_line(presence: &Element) -> Option<String> {
    let text = xml::write(presence).ok()?;
    Some(text.replace('\n', "&#10;").replace('\t', "&#9;"))
}

/// Reads what [`element`] writes.
pub(super) fn init(presence: &Element) -> PresenceInit {
    PresenceInit {
        show: show(presence),
        status: presence.child_text("status", ns::CLIENT),
        priority: priority(presence),
    }
}

fn show(presence: &Element) -> Option<Show> {
    match presence.child_text("show", ns::CLIENT).as_deref().map(str::trim) {
        Some("away") => Some(Show::Away),
        Some("chat") => Some(Show::Chat),
        Some("dnd") => Some(Show::Dnd),
        Some("xa") => Some(Show::Xa),
        _ => None,
    }
}

fn priority(presence: &Element) -> Option<i8> {
    presence.child_text("priority", ns::CLIENT)?.trim().parse().ok()
}

/// A presence without a sender, or of a type that isn't defined, is nobody's.
fn read(stanza: &Element) -> Option<PresenceEvent> {
    let kind = match stanza.attr("type") {
        None => None,
        Some("unavailable") => Some(PresenceType::Unavailable),
        Some("subscribe") => Some(PresenceType::Subscribe),
        Some("subscribed") => Some(PresenceType::Subscribed),
        Some("unsubscribe") => Some(PresenceType::Unsubscribe),
        Some("unsubscribed") => Some(PresenceType::Unsubscribed),
        Some("error") => Some(PresenceType::Error),
        Some(_) => return None,
    };
    Some(PresenceEvent {
        from: stanza.attr("from")?.to_owned(),
        kind,
        show: show(stanza),
        status: stanza.child_text("status", ns::CLIENT),
        priority: priority(stanza).unwrap_or(0),
        delay: delay(stanza),
        condition: StanzaError::of(stanza).map(|error| error.condition),
    })
}
