//! Software version, XEP-0092 1.1 (15 February 2007): what somebody runs.
//!
//! Of the operating system nothing is said unless the app says it (§5).

use super::{Call, Config, Ctx, Feature, Flow, Never, Reply, typescript, unfit};
use crate::error::Error;
use crate::given::{Arg, Args, invalid};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stanza::iq;
use crate::xml::{self, Element};
use serde::Serialize;

const VERSION: &str = "jabber:iq:version";

typescript!(
    r#"
export interface Calls {
  /**
   * What software somebody runs (XEP-0092). Without a timeout it ends after 30 seconds.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`, `protocol-violation`.
   *
   * @example
   * const { name, version } = await client.softwareVersion("example.org");
   * console.log(`the server is ${name} ${version}`);
   */
  softwareVersion(jid: string, options?: CallOptions): Promise<SoftwareVersion>;
}

/** What software somebody runs. */
export interface SoftwareVersion {
  name: string;
  version: string;
  /** On which operating system. */
  os?: string;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Asks what somebody runs.
    Ask(Jid),
}

/// A piece of software.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The operating system that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
}

impl Default for Software {
    fn default() -> Self {
        Software {
            name: "stanzawire".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            os: None,
        }
    }
}

impl Software {
    /// Reads what an app says of itself.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn given(software: &Arg) -> Result<Software, Error> {
        let text = |name| match software.text_of(name)? {
            Some(text) if !text.chars().all(xml::is_xml_char) => {
                Err(invalid(["`", name, "` has a character that XML can't carry"].concat()))
            }
            text => Ok(text),
        };
        // XEP-0115 §5.1: it goes into the hash of what this client can, which has these between its words.
        let name = text("name")?.filter(|name| !name.is_empty() && !name.contains('<'));
        Ok(Software {
            name: name.ok_or_else(|| invalid("`software` needs a `name`, without a `<` in it"))?,
            version: text("version")?.unwrap_or_default(),
            os: text("os")?,
        })
    }

    fn element(&self) -> Element {
        let text = |name, text: &String| Element::new(name, VERSION).with_text(text.as_str());
        Element::new("query", VERSION)
            .with_child(text("name", &self.name))
            .with_child(text("version", &self.version))
            .with_opt_child(self.os.as_ref().map(|os| text("os", os)))
    }

    /// Reads an answer (§2).
    fn read(query: &Element) -> Option<Software> {
        let text = |name| query.child_text(name, VERSION).map(|text| text.trim().to_owned());
        Some(Software {
            name: text("name").filter(|_| query.is("query", VERSION))?,
            version: text("version")?,
            os: text("os").filter(|os| !os.is_empty()),
        })
    }
}

/// Asks, and answers.
#[derive(Debug)]
pub struct SoftwareVersion {
    own: Software,
}

impl Feature for SoftwareVersion {
    type Command = Command;
    type Reply = Software;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[VERSION];

    const CALLS: &'static [Call] = &[Call::once("softwareVersion", 1)];

    fn new(config: &Config) -> Self {
        SoftwareVersion {
            own: config.software.clone(),
        }
    }

    fn read(_: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(Command::Ask(args.of(0, "jid", Arg::jid)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let Command::Ask(jid) = command;
        if let Err(error) = cx.ask(false, Some(jid), Element::new("query", VERSION), Token::Call(ticket)) {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if iq::request(stanza) != Some(false) || stanza.child("query", VERSION).is_none() {
            return Flow::Next;
        }
        cx.answer(&iq::result(stanza, Some(self.own.element())));
        Flow::Taken
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let software = result.and_then(|payload| {
            let software = payload.as_ref().and_then(Software::read);
            software.ok_or_else(|| unfit("the request for the software version"))
        });
        cx.reply(ticket, software.map(Reply::SoftwareVersion));
    }
}
