//! Pictures and sounds in a form, such as a question that only people can answer: XEP-0221 1.0 (3 September 2008), with bits that come
//! along, XEP-0231 1.0 (3 September 2008).

use super::super::{Bytes, feature, typescript};
use super::{DataForm, FORMS};
use crate::xml::Element;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

const MEDIA: &str = "urn:xmpp:media-element";
const BOB: &str = "urn:xmpp:bob";

/// How many forms of one thing are read, and how many bits that come along.
const MOST: usize = 20;

/// The longest text of such bits, in base64: XEP-0231 §5 has 8 kB of bytes.
const LONGEST: usize = 256 * 1024;

typescript!(
    r#"
/** One form of a picture or sound. */
export interface DataMedia {
  /** Its media type, such as `"image/png"`. */
  type: string;
  /** Where it is. Look at its scheme before you follow it; with `cid:` it is to come along (XEP-0231). */
  uri: string;
  /** Itself, where it has come along. */
  data?: Uint8Array;
}
"#
);

/// One form of a picture or sound.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DataMedia {
    /// Its media type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub uri: String,
    /// Itself, where it has come along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
}

/// The forms of what belongs to a field (XEP-0221 §3); none where there is nothing.
pub(super) fn of(field: &Element) -> Option<Vec<DataMedia>> {
    debug_assert!(field.ns() == FORMS);
    let uris = field.child("media", MEDIA)?;
    feature::some(uris.all("uri", MEDIA), MOST, &|uri| {
        Some(DataMedia {
            kind: uri.attr("type")?.to_owned(),
            uri: uri.text().trim().to_owned(),
            data: None,
        })
    })
}

impl DataForm {
    /// Takes in what has come along beside the form, in `<data/>` elements of XEP-0231.
    pub(in crate::im) fn attach(&mut self, beside: &Element) {
        for bits in beside.all("data", BOB).take(MOST) {
            let text: String = bits.text().split_whitespace().collect();
            let (Some(cid), Ok(bytes)) = (
                bits.attr("cid").filter(|_| text.len() <= LONGEST),
                STANDARD.decode(&text),
            ) else {
                continue;
            };
            for media in self.fields.iter_mut().flat_map(|field| &mut field.media).flatten() {
                if media.uri.strip_prefix("cid:") == Some(cid) {
                    media.data = Some(Bytes(bytes.clone()));
                }
            }
        }
    }
}
