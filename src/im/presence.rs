//! Presence, RFC 6121 §4: who is there, and that we are.
//!
//! Left out for now: answering subscription requests; they arrive as events.

use super::{Config, Ctx, Event, Feature, Flow, Named, Reply};
use crate::decimal::decimal;
use crate::error::Error;
use crate::session::{Kind, Outgoing, Status, Ticket};
use crate::stanza::{Stamp, StanzaError, delay};
use crate::stream::ns;
use crate::xml::Element;
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

/// Our own presence.
#[derive(Debug)]
pub struct Presence {
    own: Option<PresenceInit>,
    /// What has been said ahead of the session.
    ahead: Option<PresenceInit>,
}

impl Feature for Presence {
    type Command = Command;
    type Reply = ();
    type Event = PresenceEvent;

    fn new(config: &Config) -> Self {
        Presence {
            own: config.presence.clone(),
            ahead: None,
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Set(presence) = command;
        let result = match cx.status() {
            // What waits is sent by `on_online`.
            Status::Reconnecting => presence.check(),
            _ => cx.send(&element(&presence)),
        };
        if result.is_ok() {
            self.own = Some(presence);
        }
        cx.reply(ticket, result.map(Reply::Presence));
    }

    fn on_binding(&mut self, cx: &mut Ctx<'_>) {
        // The text is for those whom the user trusts, and the server hasn't proved yet who it is.
        let silent = self.own.as_ref().filter(|own| own.status.is_none());
        self.ahead = silent.filter(|own| cx.send(&element(own)).is_ok()).cloned();
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        let said = self.ahead.take();
        // RFC 6121 §4.2.1: initial presence has no `to`.
        if let Some(own) = self.own.as_ref().filter(|own| said.as_ref() != Some(*own)) {
            // Checked where it was set.
            let _ = cx.send(&element(own));
        }
    }

    fn on_offline(&mut self, _: &mut Ctx<'_>) {
        self.ahead = None;
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if !stanza.is("presence", ns::CLIENT) {
            return Flow::Next;
        }
        if let Some(event) = read(stanza) {
            cx.emit(Event::Presence(event));
        }
        Flow::Next
    }
}

impl PresenceInit {
    /// Whether it can be sent.
    ///
    /// # Errors
    /// `invalid-argument` for a status that XML cannot carry.
    pub fn check(&self) -> Result<(), Error> {
        Outgoing::new(&element(self), Kind::Send, None).map(drop)
    }
}

fn element(presence: &PresenceInit) -> Element {
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
        show: match stanza.child_text("show", ns::CLIENT).as_deref().map(str::trim) {
            Some("away") => Some(Show::Away),
            Some("chat") => Some(Show::Chat),
            Some("dnd") => Some(Show::Dnd),
            Some("xa") => Some(Show::Xa),
            _ => None,
        },
        status: stanza.child_text("status", ns::CLIENT),
        priority: stanza
            .child_text("priority", ns::CLIENT)
            .and_then(|priority| priority.trim().parse().ok())
            .unwrap_or(0),
        delay: delay(stanza),
        condition: StanzaError::of(stanza).map(|error| error.condition),
    })
}
