//! Last activity, XEP-0012 2.0 (26 November 2008): how long ago somebody was there, or did something.
//!
//! Those who may know that we are there are told when the app last called, or the page came into sight or left it. What the user
//! does beside that, a page would have to watch. Everybody else is answered as if we didn't know this (§4), and so are all where the
//! app wants it so (§8).

use super::{Call, Config, Ctx, Feature, Flow, Never, Reply, typescript, unfit};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::iq;
use crate::xml::Element;
use serde::Serialize;

/// Its namespace.
pub(super) const LAST: &str = "jabber:iq:last";

/// The greatest whole number that JavaScript can tell from its neighbours.
const MOST: u64 = (1 << 53) - 1;

typescript!(
    r#"
export interface Calls {
  /**
   * How long ago somebody was there (XEP-0012). What the seconds count from depends on who was asked: for a bare JID it is when the
   * user was last online, and 0 means now; for a full one when the user last did something there; for a domain when the server was
   * started. Without a timeout it ends after 30 seconds.
   *
   * Rejects `offline`, `invalid-jid`, `protocol-violation`; `stanza-error`: `forbidden` where we may not see their presence.
   *
   * @example
   * const { seconds, status } = await client.lastActivity("bob@example.org");
   * console.log(`last seen ${new Date(Date.now() - seconds * 1000).toLocaleString()}`, status ?? "");
   */
  lastActivity(jid: string, options?: CallOptions): Promise<LastActivity>;
}

/** When somebody was last there. */
export interface LastActivity {
  /** How many seconds ago. */
  seconds: number;
  /** What they said when they left. */
  status?: string;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Asks how long ago somebody was there.
    Ask(Jid),
}

/// When somebody was last there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ago {
    /// How many seconds ago.
    pub seconds: u64,
    /// What they said when they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Asks, and answers.
#[derive(Debug)]
pub struct LastActivity {
    answers: bool,
}

impl Feature for LastActivity {
    type Command = Command;
    type Reply = Ago;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[LAST];

    const CALLS: &'static [Call] = &[Call::once("lastActivity", 1)];

    fn new(config: &Config) -> Self {
        LastActivity {
            answers: config.last_activity,
        }
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(Command::Ask(args.of(0, "jid", Arg::jid)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Ask(jid) = command;
        if let Err(error) = cx.ask(false, Some(jid), Element::new("query", LAST), Token::Call(ticket)) {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(false) || stanza.child("query", LAST).is_none() {
            return Flow::Next;
        }
        // §8: whoever may not see our presence isn't to learn of it in this way.
        let may_know = match stanza.attr("from") {
            None => true,
            Some(from) => Jid::parse(from).is_ok_and(|from| cx.facts.may_know(&from, cx.account())),
        };
        let answer = if self.answers && may_know {
            let seconds = cx.now().since(cx.facts.active) / 1_000;
            let query = Element::new("query", LAST).with_attr("seconds", decimal(seconds as i64));
            iq::result(stanza, Some(query))
        } else {
            // §4.
            iq::error(stanza, "cancel", "service-unavailable")
        };
        cx.answer(&answer);
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let ago = result.and_then(|payload| {
            let ago = payload.as_ref().and_then(ago);
            ago.ok_or_else(|| unfit("the request for the last activity"))
        });
        cx.reply(ticket, ago.map(Reply::LastActivity));
    }
}

/// Reads an answer (§2).
fn ago(query: &Element) -> Option<Ago> {
    let seconds = query.attr("seconds").filter(|_| query.is("query", LAST))?;
    Some(Ago {
        seconds: seconds.parse().ok().filter(|seconds| *seconds <= MOST)?,
        status: Some(query.text().trim().to_owned()).filter(|text| !text.is_empty()),
    })
}
