//! Displayed Markers, XEP-0333 1.0.0 (17 April 2024): up to which message somebody has seen a conversation. The markers `received`
//! and `acknowledged` of its earlier versions are read as well.
//!
//! Left out: knowing that a marker is older than the last one (§5), which takes the app's list of messages.

use super::message_ref::{About, MessageRef};
use super::{Call, Config, Ctx, Feature, Never, OutgoingMessage, Payload, Reply, displayed, hints, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::session::Ticket;
use crate::xml::Element;
use super::chat::MessageType;
use serde::Serialize;

const MARKERS: &str = "urn:xmpp:chat-markers:0";

typescript!(
    r#"
export interface Calls {
  /**
   * Tells the other side that the user has seen the conversation up to this message. Meant for a message whose sender asks for it
   * (`marker: { type: "markable" }`) and, in rooms, for any.
   *
   * The other side is told nothing, and it resolves all the same, of a message of the account's own, and where somebody outside of rooms
   * may not know that we are there. The account's other clients are told of any that has a `stanzaId`, as by
   * {@link Displayed.set}, where the server can keep that; this doesn't wait for it.
   *
   * Rejects `invalid-argument` where the message has no id, and as {@link Client.send} does.
   *
   * @example
   * client.on("message", async (message) => {
   *   if (message.marker?.type === "markable" && document.hasFocus()) await client.markDisplayed(message);
   * });
   */
  markDisplayed(message: MessageRef, options?: CallOptions): Promise<void>;
}

export interface FeatureEvents {
  /**
   * Somebody has seen the conversation up to the message of the id `marker.id` (in a room, of that `stanzaId`), or has got it.
   *
   * As with a `receipt` a marker from somebody else than the message was sent to isn't told, as long as it is among the last 1,000:
   * look up the id in the conversation with `from`, and heed nothing that would go back.
   */
  marker: Message;
}

/** That the sender would like to know whether the message is seen, or up to which one it has been. */
export type Marker =
  | { type: "markable"; id?: undefined }
  | { type: "received" | "displayed" | "acknowledged"; /** Of the message. */ id: string };
"#
);

/// What markers there are; `markable` asks for the others.
const KINDS: [&str; 4] = ["markable", "received", "displayed", "acknowledged"];

/// A marker, or that one is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Marker {
    /// One of `KINDS`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Of the message, except with `markable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Marker {
    fn is_request(&self) -> bool {
        self.id.is_none()
    }
}

impl Payload for Marker {
    fn event(&self) -> &'static str {
        if self.is_request() { "" } else { "marker" }
    }

    fn read(message: &Element) -> Option<Marker> {
        let mut children = message.children().filter(|child| child.ns() == MARKERS);
        let (child, kind) = children.find_map(|child| {
            let kind = KINDS.into_iter().find(|kind| *kind == child.name())?;
            Some((child, kind))
        })?;
        if kind == KINDS[0] {
            return Some(Marker { kind, id: None });
        }
        let id = child.attr("id").filter(|id| !id.is_empty())?;
        Some(Marker {
            kind,
            id: Some(id.to_owned()),
        })
    }

    fn given(given: &Arg) -> Result<Marker, Error> {
        let kind = given.field("type")?.opt_one(&KINDS)?;
        let kind = kind.ok_or_else(|| given.wrong("an object with a `type`"))?;
        Ok(Marker {
            kind,
            id: match kind == KINDS[0] {
                true => None,
                false => Some(given.of("id", Arg::text)?),
            },
        })
    }

    fn write(&self, message: Element) -> Element {
        message.with_child(Element::new(self.kind, MARKERS).with_opt_attr("id", self.id.as_deref()))
    }
}

/// Marks what the user has seen.
#[derive(Debug, Default)]
pub struct Markers;

impl Feature for Markers {
    type Command = About;
    type Reply = ();
    type Event = Never;

    const DISCO: &'static [&'static str] = &[MARKERS];

    const CALLS: &'static [Call] = &[Call::once("markDisplayed", 1)];

    // A message is sent for as long as it takes.
    const PATIENCE: Option<u64> = None;

    fn new(_: &Config) -> Self {
        Markers
    }

    fn read(_: &str, args: &mut Args) -> Result<About, Error> {
        let about = args.of(0, "message", MessageRef::given)?;
        // §4.3: a room's own id where it gives them.
        let id = match about.is_in_room().then(|| about.of_room()) {
            Some(Ok(id)) => id,
            _ => about.stanza_attr()?,
        };
        let mut message: Box<OutgoingMessage> = Box::default();
        message.kind = Some(MessageType::Chat);
        message.marker = Some(Marker {
            kind: KINDS[2],
            id: Some(id),
        });
        message.hints = Some(hints::Hints::store());
        Ok(About {
            about,
            message,
            own: false,
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: About) {
        let (about, account) = (&command.about, cx.account());
        // §5: not of one's own messages. §7: it says that we are there.
        let from = about.from.as_ref().filter(|from| !from.same_bare(account));
        let told = about.is_in_room() || from.is_some_and(|from| cx.facts.may_know(from, account));
        let seen = about.conversation(account).ok().zip(about.stanza_id.clone());
        let (room, occupant) = (about.is_in_room(), about.occupant);
        if told {
            command.send(cx, ticket, |_| Reply::Markers(()));
        } else {
            cx.reply(ticket, Ok(Reply::Markers(())));
        }
        // XEP-0490 §3.
        if let Some((with, id)) = seen {
            let with = if occupant { with } else { with.to_bare() };
            displayed::publish(cx, &with, id, room.then_some(&with));
        }
    }
}
