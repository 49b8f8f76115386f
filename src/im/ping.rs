//! XMPP Ping, XEP-0199 2.0.1: whether somebody is there, and how far away.

use super::{Call, Config, Ctx, Feature, Flow, Never, Reply, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Millis, Ticket, Token};
use crate::stanza::iq;
use crate::xml::Element;

const PING: &str = "urn:xmpp:ping";

typescript!(
    r#"
export interface Calls {
  /**
   * The milliseconds that a server or client takes to answer; without `to`, the own server. A server that doesn't know
   * pings answers as well; a user who isn't there is a `stanza-error`.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`.
   *
   * @example
   * console.log(`the server answers within ${await client.ping()} ms`);
   * const there = await client.ping("bob@example.org/phone").then(() => true, () => false);
   */
  ping(to?: string | null, options?: CallOptions): Promise<number>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Asks whether somebody is there; nobody is our own server. Resolves to the time it took, in milliseconds.
    Ping(Option<Jid>),
}

/// The pings under way, and when they were sent.
#[derive(Debug, Default)]
pub struct Ping {
    sent: Vec<Sent>,
}

#[derive(Debug)]
struct Sent {
    ticket: Ticket,
    at: Millis,
    /// A server or a service, not a user.
    server: bool,
}

impl Feature for Ping {
    type Command = Command;
    type Reply = u32;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[PING];

    const CALLS: &'static [Call] = &[Call::once("ping", 1)];

    fn new(_: &Config) -> Self {
        Ping::default()
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(Command::Ping(args.of(0, "to", Arg::opt_jid)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Ping(to) = command;
        let to = to.unwrap_or_else(|| cx.account().domain_jid());
        let server = to.local().is_none();
        match cx.ask(false, Some(to), Element::new("ping", PING), Token::Call(ticket)) {
            Ok(()) => self.sent.push(Sent {
                ticket,
                at: cx.now(),
                server,
            }),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        // Those that waited for the connection go out now.
        for sent in &mut self.sent {
            sent.at = cx.now();
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) == Some(false) && stanza.child("ping", PING).is_some() {
            cx.answer(&iq::result(stanza, None));
            return Flow::Taken;
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.sent.iter().position(|sent| sent.ticket == ticket) else {
            return;
        };
        let sent = self.sent.swap_remove(place);
        let took = u32::try_from(cx.now().since(sent.at)).unwrap_or(u32::MAX);
        let result = match result {
            // §4.2: a server that does not know pings says so, and is there all the same. For a user who isn't there a
            // server says just that (RFC 6121 §8.5.3.2.3).
            Err(error)
                if sent.server
                    && error.code() == Code::StanzaError
                    && error.condition() == Some("service-unavailable") =>
            {
                Ok(took)
            }
            result => result.map(|_| took),
        };
        cx.reply(ticket, result.map(Reply::Ping));
    }
}
