//! External Service Discovery, XEP-0215 1.0.0 (23 August 2022): what the server knows that speaks no XMPP, such as STUN and TURN, with what
//! it takes to use it.
//!
//! Left out: asking anybody but the own server.

use super::forms::{DataForm, FORMS};
use super::{Call, Config, Ctx, Event, Feature, Flow, Named, Reply, from_account, typescript, unfit};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::{Stamp, iq};
use crate::xml::Element;
use serde::Serialize;

const SERVICES: &str = "urn:xmpp:extdisco:2";

/// How many services are read.
const MOST: usize = 200;

typescript!(
    r#"
export interface Calls {
  /** Services that speak no XMPP, such as STUN and TURN (XEP-0215). */
  readonly externalServices: ExternalServices;
}

export interface FeatureEvents {
  /** The server says what has changed of the services that {@link ExternalServices.get} has told of (XEP-0215). */
  "external-services": ExternalServicesEvent;
}

/**
 * Services that speak no XMPP, as the own server knows them (XEP-0215). A server without them is a `stanza-error`, `service-unavailable`.
 * All calls reject `offline`, `stanza-error`, `protocol-violation`.
 */
export interface ExternalServices {
  /**
   * All of them, or those of a type.
   *
   * @example
   * const services = await client.externalServices.get({ type: "turn" });
   * const iceServers = services.map(({ type, host, port = 3478, transport = "udp", username = "", password = "" }) =>
   *   ({ urls: `${type}:${host}:${port}?transport=${transport}`, username, credential: password }));
   * const connection = new RTCPeerConnection({ iceServers });
   */
  get(filter?: { type?: string | null | undefined } | null, options?: CallOptions): Promise<ExternalService[]>;
  /**
   * What it takes to use one that is `restricted`, where {@link ExternalServices.get} hasn't told it, or it has expired. There may be several
   * on one host.
   *
   * @example
   * const [turn] = await client.externalServices.credentials({ type: "turn", host: "turn.example.org" });
   */
  credentials(
    service: { type: string; host: string; port?: number | null | undefined },
    options?: CallOptions,
  ): Promise<ExternalService[]>;
}

/** A service that speaks no XMPP. */
export interface ExternalService {
  /** Such as `"stun"`, `"turn"` or `"turns"`. */
  type: string;
  /** A domain name, or an address of IP. */
  host: string;
  port?: number;
  /** Such as `"udp"` or `"tcp"`. */
  transport?: string;
  /** A name for people. */
  name?: string;
  username?: string;
  password?: string;
  /** It wants a name and a password: what isn't here is asked for by {@link ExternalServices.credentials}. */
  restricted?: true;
  /** Until when name and password can be used. */
  expires?: Date;
  /** What else the server says of it. */
  form?: DataForm;
}

/** What has changed of services. */
export interface ExternalServicesEvent {
  /** Which ones it is about, where it is about those of a type alone. */
  type?: string;
  services: (ExternalService & { action: "add" | "modify" | "delete" })[];
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// All services, or those of a type.
    Get(Option<String>),
    /// What it takes to use one.
    Credentials {
        /// Its type.
        kind: String,
        /// Where it is.
        host: String,
        /// The port there, where there are several.
        port: Option<i64>,
    },
}

/// A service that speaks no XMPP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExternalService {
    /// With a push: what has happened to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub host: String,
    /// The port there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Over what it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A name to log in by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// A password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// It wants both.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub restricted: bool,
    /// Until when they can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Stamp>,
    /// What else the server says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<DataForm>,
}

/// What has changed of services.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The type that was asked for.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What has changed.
    pub services: Vec<ExternalService>,
}

impl Named for Change {
    fn name(&self) -> &'static str {
        "external-services"
    }
}

/// The calls under way, each with the name of the element that answers it.
#[derive(Debug, Default)]
pub struct ExternalServices {
    asked: Vec<(Ticket, &'static str)>,
}

impl Feature for ExternalServices {
    type Command = Command;
    type Reply = Vec<ExternalService>;
    type Event = Change;

    const CALLS: &'static [Call] = &[
        Call::once("externalServices.get", 1),
        Call::once("externalServices.credentials", 1),
    ];

    fn new(_: &Config) -> Self {
        ExternalServices::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        match name {
            "externalServices.get" => args.take(0, "filter").opt_of("type", Arg::opt_text).map(Command::Get),
            _ => {
                let service = args.take(0, "service");
                Ok(Command::Credentials {
                    kind: service.of("type", Arg::text)?,
                    host: service.of("host", Arg::text)?,
                    port: service.of("port", |port| port.opt_whole(0, 65_535))?,
                })
            }
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let (name, payload) = match command {
            Command::Get(kind) => ("services", Element::new("services", SERVICES).with_opt_attr("type", kind)),
            Command::Credentials { kind, host, port } => {
                let service = Element::new("service", SERVICES)
                    .with_attr("host", host)
                    .with_opt_attr("port", port.map(decimal))
                    .with_attr("type", kind);
                ("credentials", Element::new("credentials", SERVICES).with_child(service))
            }
        };
        let server = cx.account().domain_jid();
        match cx.ask(false, Some(server), payload, Token::Call(ticket)) {
            Ok(()) => self.asked.push((ticket, name)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(true) {
            return Flow::Next;
        }
        let Some(services) = stanza.child("services", SERVICES) else {
            return Flow::Next;
        };
        // §3.2: it is the responding service that pushes, and none but the own server is asked.
        let domain = cx.account().domain_jid();
        let from = stanza.attr("from").and_then(|from| Jid::parse(from).ok());
        if !from_account(stanza, cx.account()) && from != Some(domain) {
            cx.answer(&iq::error(stanza, "cancel", "service-unavailable"));
            return Flow::Taken;
        }
        cx.answer(&iq::result(stanza, None));
        let change = Change {
            kind: services.attr("type").map(str::to_owned),
            services: read(services, true),
        };
        if !change.services.is_empty() {
            cx.emit(Event::ExternalServices(change));
        }
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.asked.iter().position(|(asked, _)| *asked == ticket) else {
            return;
        };
        let (_, name) = self.asked.swap_remove(place);
        let services = result.and_then(|answer| match answer {
            Some(answer) if answer.is(name, SERVICES) => Ok(read(&answer, false)),
            _ => Err(unfit("the request for external services")),
        });
        cx.reply(ticket, services.map(Reply::ExternalServices));
    }
}

/// The services in a list, those apart that nobody could use.
fn read(list: &Element, pushed: bool) -> Vec<ExternalService> {
    let mut services = Vec::new();
    for element in list.all("service", SERVICES).take(MOST) {
        services.extend(service(element, pushed));
    }
    services
}

fn service(element: &Element, pushed: bool) -> Option<ExternalService> {
    let text = |name| element.attr(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let port = element.attr("port").map(|port| port.trim().parse::<u16>());
    // The table in §2 has another word for it than the schema in §9.
    let action = match element.attr("action") {
        _ if !pushed => None,
        Some("delete" | "remove") => Some("delete"),
        Some("modify") => Some("modify"),
        _ => Some("add"),
    };
    Some(ExternalService {
        action,
        kind: text("type")?,
        host: text("host")?,
        port: port.transpose().ok()?,
        transport: text("transport"),
        name: text("name"),
        username: text("username"),
        password: text("password"),
        restricted: matches!(element.attr("restricted").map(str::trim), Some("true" | "1")),
        expires: element.attr("expires").and_then(Stamp::parse),
        form: element.child("x", FORMS).and_then(|form| DataForm::read(form).ok()),
    })
}
