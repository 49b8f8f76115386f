//! Out of Band Data, XEP-0066 1.5 (16 August 2006): addresses of what is to be found elsewhere, such as a picture.
//!
//! Left out: handing over a file by an iq (§2), which XEP-0447 and others have taken the place of.

use super::{Payload, feature, typescript};
use crate::error::Error;
use crate::given::Arg;
use crate::xml::Element;
use serde::Serialize;

const OOB: &str = "jabber:x:oob";

/// How many of them are read of a message.
const MOST: usize = 20;

typescript!(
    r#"
/**
 * Something that is to be found elsewhere. Clients show a picture where its address is all that the body says.
 *
 * @example
 * const url = "https://example.org/cake.jpg";
 * await client.send({ to: "bob@example.org", body: url, oob: [{ url }] });
 */
export interface OutOfBand {
  /** Any URI: look at its scheme before you follow it. */
  url: string;
  /** In words. */
  desc?: string;
}
"#
);

feature::carried! {
    /// Points elsewhere.
    Oob, [OOB]
}

/// Something that is to be found elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OutOfBand {
    /// A URI.
    pub url: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
}

/// What is to be found elsewhere: at least one, and 20 at most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Elsewhere(pub Vec<OutOfBand>);

impl Payload for Elsewhere {
    const EVENT: &'static str = "message";

    const STAYS: bool = true;

    fn read(message: &Element) -> Option<Elsewhere> {
        let read = |x: &Element| {
            let url = x.child_text("url", OOB)?.trim().to_owned();
            let desc = x.child_text("desc", OOB);
            is_uri(&url).then_some(OutOfBand { url, desc })
        };
        let all = message.children().filter(|child| child.is("x", OOB));
        let all: Vec<_> = all.filter_map(read).take(MOST).collect();
        if all.is_empty() { None } else { Some(Elsewhere(all)) }
    }

    fn given(given: Arg) -> Result<Elsewhere, Error> {
        let mut all = Vec::new();
        for one in given.opt_list()?.ok_or_else(|| given.wrong("an array"))? {
            all.push(OutOfBand {
                url: uri(&one.field("url")?)?,
                desc: one.field("desc")?.opt_text()?,
            });
        }
        Ok(Elsewhere(all))
    }

    fn write(&self, mut message: Element) -> Element {
        for one in &self.0 {
            let text = |name, text: &str| Element::new(name, OOB).with_text(text);
            let x = Element::new("x", OOB).with_child(text("url", &one.url));
            message = message.with_child(x.with_opt_child(one.desc.as_deref().map(|desc| text("desc", desc))));
        }
        message
    }
}

/// Whether it can be a URI at all (RFC 3986 §3): a scheme, and nothing that has no place in one.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter))
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Reads one that an app has passed.
pub(super) fn uri(given: &Arg) -> Result<String, Error> {
    let text = given.text()?;
    if is_uri(&text) { Ok(text) } else { Err(given.wrong("a URI")) }
}
