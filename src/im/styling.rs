//! Message Styling, XEP-0393 1.1.1 (4 April 2021): what `*strong*` and the like in a text look like.
//!
//! Blocks first, then the spans of each line; one pass over each, however the text is made. The signs that style stay in the text: §8
//! has them shown.
//!
//! Left out: nothing.

mod spans;

use super::{Call, Config, Ctx, Feature, Never, Payload, Reply, typescript};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::session::Ticket;
use crate::xml::Element;
use serde::Serialize;

const STYLING: &str = "urn:xmpp:styling:0";

/// How many quotations may stand in each other.
const DEEPEST: u32 = 20;

typescript!(
    r#"
export interface Calls {
  /**
   * How a body is to look by XEP-0393. Where the message says `unstyled`, don't ask, and show it as it is.
   *
   * @example
   * const dom = (span: Span): Node => {
   *   const names = { quote: "blockquote", pre: "pre", line: "div", text: "span", strong: "b", emphasis: "i", strike: "s", code: "code" };
   *   const element = document.createElement(names[span.type]);
   *   element.append(...(span.children?.map(dom) ?? [span.text ?? ""]));
   *   return element;
   * };
   * list.append(...(await client.styling(message.body ?? "")).map(dom));
   */
  styling(body: string, options?: CallOptions): Promise<Span[]>;
}

export interface MessageInitFields {
  /** The body isn't to be styled (XEP-0393). */
  unstyled?: boolean | undefined;
}

/**
 * A part of a styled body. At the top there are blocks: a `line`, a `quote` of other blocks, or `pre` with its text. A line has `text`, and
 * what is `strong`, `emphasis`, `strike` or `code`, each of which has text, and perhaps some of the others in it.
 *
 * The signs that style are part of the text, to be shown like it (XEP-0393 §8): who wants them away takes the first and the last
 * character of a span off. Those of blocks are gone.
 */
export interface Span {
  type: "quote" | "pre" | "line" | "text" | "strong" | "emphasis" | "strike" | "code";
  /** Of `text`, `code` and `pre`. */
  text?: string;
  /** Of `pre`: what stands behind the first signs, if anything. */
  info?: string;
  /** Of all others. */
  children?: Span[];
}
"#
);

/// A part of a styled text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Span {
    /// What kind of part.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a preformatted text says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// Its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Span>>,
}

impl Span {
    fn text(kind: &'static str, text: impl Into<String>) -> Span {
        Span {
            kind,
            text: Some(text.into()),
            ..Span::default()
        }
    }

    fn of(kind: &'static str, children: Vec<Span>) -> Span {
        Span {
            kind,
            children: Some(children),
            ..Span::default()
        }
    }
}

/// The body isn't to be styled (§7).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unstyled(pub bool);

impl Payload for Unstyled {
    const STAYS: bool = true;

    fn read(message: &Element) -> Option<Unstyled> {
        message.child("unstyled", STYLING).map(|_| Unstyled(true))
    }

    fn given(given: Arg) -> Result<Unstyled, Error> {
        Ok(Unstyled(given.opt_flag()? == Some(true)))
    }

    fn write(&self, message: Element) -> Element {
        message.with_opt_child(self.0.then(|| Element::new("unstyled", STYLING)))
    }
}

/// Says how texts are to look.
#[derive(Debug, Default)]
pub struct Styling;

impl Feature for Styling {
    type Command = String;
    type Reply = Vec<Span>;
    type Event = Never;

    const DISCO: &'static [&'static str] = &[STYLING];

    const CALLS: &'static [Call] = &[Call::once("styling", 1)];

    fn new(_: &Config) -> Self {
        Styling
    }

    fn read(_: &str, args: &mut Args) -> Result<String, Error> {
        args.take(0, "body").text()
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, body: String) {
        cx.reply(ticket, Ok(Reply::Styling(parse(&body))));
    }
}

/// The parts of a text.
pub fn parse(body: &str) -> Vec<Span> {
    let lines: Vec<&str> = body.split('\n').collect();
    blocks(&lines, DEEPEST)
}

fn blocks(lines: &[&str], deeper: u32) -> Vec<Span> {
    let mut blocks = Vec::new();
    let mut lines = lines.iter().copied().peekable();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            // §6.1.2: to such a line, or the end of what it is in.
            let mut text: Vec<&str> = Vec::new();
            for line in lines.by_ref().take_while(|line| *line != "```") {
                text.push(line);
            }
            blocks.push(Span {
                info: Some(info.to_owned()).filter(|info| !info.is_empty()),
                ..Span::text("pre", text.join("\n"))
            });
        } else if let Some(first) = quoted(line, deeper) {
            // §6.1.3: to the first line that isn't quoted.
            let mut inner = vec![first];
            while let Some(line) = lines.next_if(|line| line.starts_with('>')) {
                inner.extend(quoted(line, deeper));
            }
            blocks.push(Span::of("quote", self::blocks(&inner, deeper.saturating_sub(1))));
        } else {
            blocks.push(Span::of("line", spans::parse(line)));
        }
    }
    blocks
}

/// What is quoted in a line, without the first white space.
fn quoted(line: &str, deeper: u32) -> Option<&str> {
    let rest = line.strip_prefix('>').filter(|_| deeper > 0)?;
    Some(rest.strip_prefix(char::is_whitespace).unwrap_or(rest))
}
