//! Service discovery, XEP-0030 2.5.0: what this client says of itself when it is asked.
//!
//! Left out for now: asking others.

use super::{Config, Ctx, DISCO, Feature, Flow, Never};
use crate::session::Ticket;
use crate::stanza::iq;
use crate::xml::Element;

const INFO: &str = "http://jabber.org/protocol/disco#info";

/// Answers for all features.
#[derive(Debug, Default)]
pub struct Disco;

impl Feature for Disco {
    type Command = Never;
    type Reply = Never;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[INFO];

    fn new(_: &Config) -> Self {
        Disco
    }

    fn command(&mut self, _: &mut Ctx<'_>, _: Ticket, command: Never) {
        match command {}
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        let (Some(false), Some(query)) = (iq::request(stanza), stanza.child("query", INFO)) else {
            return Flow::Next;
        };
        if query.attr("node").is_some() {
            // §3.2: we have no nodes.
            cx.answer(&iq::error(stanza, "cancel", "item-not-found"));
            return Flow::Taken;
        }
        let identity = Element::new("identity", INFO)
            .with_attr("category", "client")
            .with_attr("type", "web")
            .with_attr("name", "stanzawire");
        let mut info = Element::new("query", INFO).with_child(identity);
        for feature in DISCO.iter().flat_map(|features| features.iter()) {
            info = info.with_child(Element::new("feature", INFO).with_attr("var", *feature));
        }
        cx.answer(&iq::result(stanza, Some(info)));
        Flow::Taken
    }
}
