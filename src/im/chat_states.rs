//! Chat State Notifications, XEP-0085 2.1 (23 September 2009): whether somebody is writing just now.
//!
//! Where the app says so once for somebody, messages with a text to that address say `active`, until it has shown that it doesn't know
//! such states, or says that it doesn't (§5.1). No state is sent twice in a row (§5.3), and who was writing and has said no more has `paused` after half a
//! minute (§2).
//!
//! Left out: asking by service discovery where a client hasn't said itself that it knows them (§5.1), and states in a room by the same call: `send()` with a `state` sends one.

use super::chat::MessageType;
use super::{Call, Config, Ctx, Feature, Flow, Never, OutgoingMessage, Payload, Reply, chat, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Millis, Status, Ticket};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

const STATES: &str = "http://jabber.org/protocol/chatstates";

/// How many conversations are remembered.
const MOST: usize = 100;

/// After how many milliseconds without a word who was writing has paused (§2).
const PAUSE: u64 = 30_000;

typescript!(
    r#"
export interface Calls {
  /**
   * Tells somebody how far the user is in a chat. Call it as often as the user types: what has been said already isn't sent again, and
   * after half a minute without a call `"paused"` follows `"composing"` by itself. From then on messages to that address say
   * `"active"` by themselves.
   *
   * It is of the moment, and resolves though nothing is sent: while there is no connection, and to who has answered without any
   * such state and so doesn't know them. A user must be able to turn it off: then don't call it.
   *
   * Rejects `invalid-jid`, `invalid-argument`.
   *
   * @example
   * input.addEventListener("input", () => client.setChatState("bob@example.org", "composing"));
   * input.addEventListener("blur", () => client.setChatState("bob@example.org", "inactive"));
   */
  setChatState(to: string, state: ChatState, options?: CallOptions): Promise<void>;
}

export interface FeatureEvents {
  /** Somebody says by `state` how far they are in a chat, and nothing else. They may never say another word: forget it after a while. */
  "chat-state": Message;
}

/**
 * How far somebody is in a chat: taking part, writing, having stopped to write, doing something else for some minutes, or gone.
 */
export type ChatState = "active" | "composing" | "paused" | "inactive" | "gone";
"#
);

/// How far somebody is in a chat (§2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatState {
    /// They take part.
    Active,
    /// They are writing.
    Composing,
    /// They have stopped to write.
    Paused,
    /// They do something else for some minutes.
    Inactive,
    /// They have left.
    Gone,
}

const KINDS: [(&str, ChatState); 5] = [
    ("active", ChatState::Active),
    ("composing", ChatState::Composing),
    ("paused", ChatState::Paused),
    ("inactive", ChatState::Inactive),
    ("gone", ChatState::Gone),
];

impl ChatState {
    fn element(self) -> Element {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self);
        Element::new(kind.map_or("active", |(name, _)| *name), STATES)
    }
}

impl Payload for ChatState {
    const EVENT: &'static str = "chat-state";

    const LIVE: bool = true;

    fn read(message: &Element) -> Option<ChatState> {
        let mut all = message.children().filter(|child| child.ns() == STATES);
        // §5.6: one.
        let (Some(child), None) = (all.next(), all.next()) else {
            return None;
        };
        let (_, state) = KINDS.iter().find(|(name, _)| *name == child.name())?;
        // §5.5: nobody is gone from a room by that.
        let gone = *state == ChatState::Gone && message.attr("type") == Some("groupchat");
        (!gone).then_some(*state)
    }

    fn given(given: &Arg) -> Result<ChatState, Error> {
        let kind = given.opt_known(&KINDS)?.map(|(_, kind)| *kind);
        kind.ok_or_else(|| given.wrong("a chat state"))
    }

    fn write(&self, message: Element) -> Element {
        message.with_child(self.element())
    }
}

/// Who is told how far the user is.
#[derive(Debug, Default)]
pub struct States {
    /// The one that was told last comes last.
    peers: Vec<Peer>,
}

#[derive(Debug)]
struct Peer {
    jid: Jid,
    /// What was said last in this session, and when the app last said so.
    said: Option<(ChatState, Millis)>,
    /// They have been told of a state, and so would answer with one.
    told: bool,
    /// And have answered without one.
    silent: bool,
}

impl Peer {
    /// Whether it is somebody of that address.
    fn is(&self, jid: &Jid) -> bool {
        self.jid == *jid || self.jid.same_bare(jid) && (self.jid.is_bare() || jid.is_bare())
    }

    /// When the user has paused, who was writing.
    fn pause(&self) -> Option<Millis> {
        match self.said {
            Some((ChatState::Composing, at)) => Some(at.after(PAUSE)),
            _ => None,
        }
    }
}

impl States {
    fn find(&mut self, jid: &Jid) -> Option<&mut Peer> {
        self.peers.iter_mut().rev().find(|peer| peer.is(jid))
    }

    /// The one of that address, who becomes the newest.
    fn take(&mut self, jid: &Jid) -> Peer {
        let place = self.peers.iter().rposition(|peer| peer.is(jid));
        place.map(|place| self.peers.remove(place)).unwrap_or_else(|| Peer {
            jid: jid.clone(),
            said: None,
            told: false,
            silent: false,
        })
    }

    fn put(&mut self, peer: Peer) {
        if self.peers.len() >= MOST {
            self.peers.remove(0);
        }
        self.peers.push(peer);
    }

    /// Puts into a message the state that goes with it; which it says.
    pub(super) fn with(&mut self, to: &Jid, message: &mut OutgoingMessage) -> Option<ChatState> {
        let chat = matches!(message.kind, None | Some(MessageType::Chat)) && message.body.is_some();
        if let Some(peer) = self.find(to).filter(|peer| chat && !peer.silent) {
            // §5.3.
            message.state.get_or_insert(ChatState::Active);
            peer.told = true;
        }
        // Whoever gets a text knows what has become of the writing.
        message.state.or(chat.then_some(ChatState::Active))
    }

    /// A message with that state is sent.
    pub(super) fn said(&mut self, to: &Jid, state: Option<ChatState>, now: Millis) {
        if let (Some(state), Some(peer)) = (state, self.find(to)) {
            peer.said = Some((state, now));
        }
    }
}

/// Says how far the user is.
#[derive(Debug, Default)]
pub struct ChatStates;

impl Feature for ChatStates {
    type Command = (Jid, ChatState);
    type Reply = ();
    type Event = Never;

    const DISCO: &'static [&'static str] = &[STATES];

    const CALLS: &'static [Call] = &[Call::once("setChatState", 2)];

    fn new(_: &Config) -> Self {
        ChatStates
    }

    fn read(_: &str, args: &mut Args) -> Result<(Jid, ChatState), Error> {
        Ok((args.of(0, "to", Arg::jid)?, args.of(1, "state", ChatState::given)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, (to, state): (Jid, ChatState)) {
        let mut peer = cx.facts.states.take(&to);
        peer.jid = to.clone();
        // §5.1: what a client says of itself counts.
        let knows = cx.facts.supports(&to, STATES) != Some(false);
        if is_online(cx) && knows && !peer.silent {
            // §5.3: never the same twice in a row.
            if peer.said.is_none_or(|(said, _)| said != state) {
                chat::send_notice(cx, to.as_str(), Some("chat"), state.element());
            }
            peer.said = Some((state, cx.now()));
            peer.told = true;
        }
        cx.facts.states.put(peer);
        wait(cx);
        cx.reply(ticket, Ok(Reply::ChatStates(())));
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if stanza.is("message", ns::CLIENT)
            && matches!(chat::kind(stanza), MessageType::Chat | MessageType::Normal)
            && let Some(from) = stanza.attr("from").and_then(|from| Jid::parse(from).ok())
            && let Some(peer) = cx.facts.states.find(&from)
        {
            if stanza.children().any(|child| child.ns() == STATES) {
                peer.silent = false;
            } else if peer.told && stanza.child("body", ns::CLIENT).is_some() {
                // §5.1.
                peer.silent = true;
            }
        }
        Flow::Next
    }

    fn on_timer(&mut self, cx: &mut Ctx<'_>) {
        // Where there is no connection, the session may go on.
        if is_online(cx) {
            pause(cx);
        }
    }

    fn on_resumed(&mut self, cx: &mut Ctx<'_>, _restored: bool, _lost: bool) {
        pause(cx);
    }

    fn on_offline(&mut self, cx: &mut Ctx<'_>) {
        // Whoever hears of us in the next session has seen us go.
        for peer in &mut cx.facts.states.peers {
            peer.said = None;
        }
        cx.set_timer(None);
    }
}

/// What is of the moment never waits for a connection.
fn is_online(cx: &Ctx<'_>) -> bool {
    matches!(cx.status(), Status::Online | Status::Verifying)
}

/// Says so of those to whom the user has stopped to write.
fn pause(cx: &mut Ctx<'_>) {
    let now = cx.now();
    let mut paused = Vec::new();
    for peer in &mut cx.facts.states.peers {
        if peer.pause().is_some_and(|at| at <= now) {
            peer.said = Some((ChatState::Paused, now));
            paused.extend(Some(peer.jid.clone()).filter(|_| !peer.silent));
        }
    }
    for jid in &paused {
        chat::send_notice(cx, jid.as_str(), Some("chat"), ChatState::Paused.element());
    }
    wait(cx);
}

fn wait(cx: &mut Ctx<'_>) {
    let next = cx.facts.states.peers.iter().filter_map(Peer::pause).min();
    cx.set_timer(next);
}
