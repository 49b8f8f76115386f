//! Entity time, XEP-0202 2.0 (11 September 2009): what somebody's clock says, and in which time zone it stands.
//!
//! The time is the edge's to know ([`Input::WallClock`](crate::session::Input::WallClock)).

use super::{Call, Config, Ctx, Feature, Flow, Never, Reply, typescript, unfit};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::{Stamp, iq, two_digits};
use crate::xml::Element;
use serde::Serialize;

const TIME: &str = "urn:xmpp:time";

typescript!(
    r#"
export interface Calls {
  /**
   * What somebody's clock says (XEP-0202). Without a timeout it ends after 30 seconds.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`, `protocol-violation`.
   *
   * @example
   * const { utc, tzo } = await client.entityTime("example.org");
   * console.log(`the server's clock is off by ${utc.getTime() - Date.now()} ms, and stands at UTC${tzo}`);
   */
  entityTime(jid: string, options?: CallOptions): Promise<EntityTime>;
}

/** What somebody's clock says. */
export interface EntityTime {
  /** The time. */
  utc: Date;
  /** How far the local time is ahead of UTC: `"+01:00"`, `"-06:30"`, or `"Z"` for not at all. */
  tzo: string;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Asks what somebody's clock says.
    Ask(Jid),
}

/// What a clock says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Time {
    /// The time.
    pub utc: Stamp,
    /// How far the local time is ahead of UTC, as XEP-0082 writes it.
    pub tzo: String,
}

/// Asks, and answers.
#[derive(Debug)]
pub struct EntityTime;

impl Feature for EntityTime {
    type Command = Command;
    type Reply = Time;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[TIME];

    const CALLS: &'static [Call] = &[Call::once("entityTime", 1)];

    fn new(_: &Config) -> Self {
        EntityTime
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(Command::Ask(args.of(0, "jid", Arg::jid)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Ask(jid) = command;
        if let Err(error) = cx.ask(false, Some(jid), Element::new("time", TIME), Token::Call(ticket)) {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(false) || stanza.child("time", TIME).is_none() {
            return Flow::Next;
        }
        let time = cx.facts.clock.and_then(|clock| {
            let utc = Stamp::of(clock.utc.saturating_add(cx.now().since(clock.at)))?;
            let text = |name, text| Element::new(name, TIME).with_text(text);
            let time = Element::new("time", TIME).with_child(text("tzo", zone(clock.zone)));
            Some(time.with_child(text("utc", utc.0)))
        });
        cx.answer(&match time {
            Some(time) => iq::result(stanza, Some(time)),
            // We have no clock.
            None => iq::error(stanza, "cancel", "service-unavailable"),
        });
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let time = result.and_then(|payload| {
            let time = payload.as_ref().and_then(time);
            time.ok_or_else(|| unfit("the request for the time"))
        });
        cx.reply(ticket, time.map(Reply::EntityTime));
    }
}

/// Reads an answer (§2).
fn time(time: &Element) -> Option<Time> {
    let text = |name| time.child_text(name, TIME).filter(|_| time.is("time", TIME));
    let tzo = text("tzo")?.trim().to_owned();
    // XEP-0082 §3.2: a zone is what may stand at the end of a time.
    tzo.find(['Z', '+', '-']).filter(|place| *place == 0)?;
    Stamp::parse(&["1970-01-01T00:00:00", &tzo].concat())?;
    Some(Time {
        utc: Stamp::parse(&text("utc")?)?,
        tzo,
    })
}

/// So many minutes ahead of UTC (XEP-0082 §3.2).
fn zone(minutes: i32) -> String {
    let sign = if minutes < 0 { "-" } else { "+" };
    let minutes = minutes.unsigned_abs().min(23 * 60 + 59);
    [sign, &two_digits(minutes / 60), ":", &two_digits(minutes % 60)].concat()
}
