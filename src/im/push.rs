//! Push Notifications, XEP-0357 0.4.1 (11 February 2020): to whom the server tells of what comes while no client is there.
//!
//! The push service is the app's own, or that of who makes it: what it does with what it is told is its own affair. Left out: how it is
//! registered at (§5), which has no protocol of its own, and what it is told (§7), which goes between servers.

use super::disco::{DiscoInfo, INFO};
use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Never, Reply, forms, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::{Serialize, Serializer};

const PUSH: &str = "urn:xmpp:push:0";
const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

typescript!(
    r#"
export interface Calls {
  /** To whom the server tells of what comes while no client is there (XEP-0357). */
  readonly push: Push;
}

/**
 * To whom the server tells of what comes while no client is there (XEP-0357): a push service, which is the app's own or that of who makes it.
 * All calls reject `offline`, `invalid-jid`, `stanza-error`.
 */
export interface Push {
  /**
   * Whether the server tells push services for this account.
   *
   * @example
   * if (await client.push.supported()) showNotificationSettings();
   */
  supported(options?: CallOptions): Promise<boolean>;
  /**
   * From now on the server tells a service, also in later sessions. The same once more, with the same `node`, takes the place of the one
   * before.
   *
   * @example
   * const { endpoint } = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
   * const { service, node, secret } = await registerAtAppServer(endpoint);
   * await client.push.enable({ service, node, options: { secret } });
   */
  enable(target: PushTarget & { options?: DataValues | null | undefined }, options?: CallOptions): Promise<void>;
  /**
   * The server no longer tells a service: of this node, or of any without one.
   *
   * @example
   * await client.push.disable({ service: "push.example.org" });
   */
  disable(target: PushTarget, options?: CallOptions): Promise<void>;
}

/** Where a push service is told. For `enable`, `options` are what it wants to hear with each notification, such as `{ secret }`. */
export interface PushTarget {
  /** The service: a JID. */
  service: string;
  /** The node that it has made for this client. */
  node?: string | null | undefined;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Whether the server can.
    Supported,
    /// Tell a service: the whole request.
    Enable(Element),
    /// Tell it no longer: the whole request.
    Disable(Element),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Whether the server can.
    Supported(bool),
    /// Nothing.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Supported(supported) => supported.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// The calls under way that ask what the server can.
#[derive(Debug, Default)]
pub struct Push {
    questions: Vec<Ticket>,
}

impl Feature for Push {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::once("push.supported", 0),
        Call::once("push.enable", 1),
        Call::once("push.disable", 1),
    ];

    fn new(_: &Config) -> Self {
        Push::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        let element = match name {
            "push.supported" => return Ok(Command::Supported),
            "push.enable" => "enable",
            _ => "disable",
        };
        let target = args.take(0, "target");
        let service: Jid = target.of("service", Arg::jid)?;
        let request = Element::new(element, PUSH)
            .with_attr("jid", service.as_str())
            .with_opt_attr("node", target.text_of("node")?);
        if name == "push.disable" {
            return Ok(Command::Disable(request));
        }
        // §5: as a form.
        let form = match target.field("options")?.given()? {
            Some(options) => Some(forms::given(&options, PUBLISH_OPTIONS)?),
            None => None,
        };
        Ok(Command::Enable(request.with_opt_child(form)))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let asked = match command {
            // §4.1: the account is asked, not the server.
            Command::Supported => {
                self.questions.push(ticket);
                let account = cx.account().to_bare();
                cx.ask(false, Some(account), Element::new("query", INFO), Token::Call(ticket))
            }
            Command::Enable(request) | Command::Disable(request) => cx.ask(true, None, request, Token::Call(ticket)),
        };
        if let Err(error) = asked {
            self.questions.retain(|question| *question != ticket);
            cx.reply(ticket, Err(error));
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let result = match self.questions.iter().position(|question| *question == ticket) {
            Some(place) => {
                self.questions.swap_remove(place);
                result.and_then(|answer| {
                    let nothing = || violation("the question what the account can was answered with nothing");
                    let info = DiscoInfo::read(&answer.ok_or_else(nothing)?, None)?;
                    Ok(Answer::Supported(info.supports(PUSH)))
                })
            }
            None => result.map(|_| Answer::Done),
        };
        cx.reply(ticket, result.map(Reply::Push));
    }
}
