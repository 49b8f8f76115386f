//! Entity Capabilities, XEP-0115 1.6.0 (8 March 2022, with SHA-1 and SHA-256) and XEP-0390 0.3.2 (with SHA-256): what somebody can, by a hash
//! in their presence.
//!
//! Ours stand in every presence that we send (`caps/own.rs`). Those of others are kept as they come, and nobody is asked for what is behind
//! them until somebody wants to know: [`disco`](super::disco) asks then, once for each hash. An answer that is what the hash says is believed of
//! everybody with that hash (`caps/known.rs`); any other says something of the one alone who gave it (`caps/hash.rs`).
//!
//! Left out: the format of XEP-0115 before 1.4, other hashes, what a server says of itself in the stream's features, saying less to
//! servers that keep it in mind (§8.4), and keeping what is known for the next page.

mod hash;
mod known;
mod own;

pub use known::{Known, Mark};
pub use own::Own;

use super::{Config, Ctx, Feature, Flow, Never};
use crate::jid::Jid;
use crate::session::Ticket;
use crate::stream::ns;
use crate::xml::Element;

const CAPS: &str = "http://jabber.org/protocol/caps";
const CAPS_2: &str = "urn:xmpp:caps";
const HASHES: &str = "urn:xmpp:hashes:2";

/// Watches what others say.
#[derive(Debug, Default)]
pub struct Caps;

impl Feature for Caps {
    type Command = Never;
    type Reply = Never;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[CAPS, CAPS_2];

    fn new(_: &Config) -> Self {
        Caps
    }

    fn command(&mut self, _: &mut Ctx<'_>, _: Ticket, command: Never) {
        match command {}
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        // A new session: the server says anew who is there.
        cx.facts.caps.forget();
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let is_there = match stanza.attr("type") {
            None => true,
            Some("unavailable") => false,
            Some(_) => return Flow::Next,
        };
        if stanza.is("presence", ns::CLIENT)
            && let Some(Ok(from)) = stanza.attr("from").map(Jid::parse)
        {
            match is_there {
                true => cx.facts.caps.heard(&from, stanza),
                false => cx.facts.caps.gone(&from),
            }
        }
        Flow::Next
    }
}
