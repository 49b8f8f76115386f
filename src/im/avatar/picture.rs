//! A picture: its bytes, their SHA-1, and what metadata says of them.

use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, invalid};
use crate::im::pubsub::violation;
use crate::im::vcard::TEMP;
use crate::im::{Bytes, Named, OrNull};
use crate::xml::{Element, Node};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use sha1::{Digest, Sha1};

/// The namespace of metadata, and its node.
pub(super) const METADATA: &str = "urn:xmpp:avatar:metadata";
/// The namespace of data, and its node.
pub(super) const DATA: &str = "urn:xmpp:avatar:data";

/// How many bytes a picture may have: as many as come in a frame of 1 MiB, which is the bound of all that comes in, in base64 with
/// lines of 76 characters.
pub(super) const LARGEST: usize = 720 << 10;

/// A picture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Avatar {
    /// The SHA-1 of its bytes.
    pub id: String,
    /// The media type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The picture, where it is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u16>,
    /// Where it is, where it isn't here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Avatar {
    /// The photo of a vCard, which must be the one that was announced, where one was.
    pub(super) fn photo(card: &Element, announced: Option<&str>) -> Result<Option<Avatar>, Error> {
        let photo = card.child("PHOTO", TEMP);
        let text = photo.and_then(|photo| photo.child_text("BINVAL", TEMP)).unwrap_or_default();
        if text.trim().is_empty() {
            return Ok(None);
        }
        let data = decode(text, announced)?;
        let said = photo.and_then(|photo| photo.child_text("TYPE", TEMP)).unwrap_or_default();
        Ok(Some(Avatar {
            id: id_of(&data),
            kind: type_of(&data, said.trim()),
            data: Some(Bytes(data)),
            width: None,
            height: None,
            url: None,
        }))
    }
}

/// A picture that somebody has announced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AvatarEvent {
    /// Whose.
    pub from: String,
    /// The SHA-1 of its bytes; none where there is no picture.
    pub id: OrNull<String>,
    /// The media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u16>,
    /// Where it is, where the account hasn't got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl AvatarEvent {
    /// Somebody has announced a picture of this name, or none.
    pub(super) fn new(from: &str, id: Option<String>) -> AvatarEvent {
        AvatarEvent {
            from: from.to_owned(),
            id: OrNull(id),
            kind: None,
            bytes: None,
            width: None,
            height: None,
            url: None,
        }
    }

    /// The same, with what is said of it.
    pub(super) fn of(from: &str, info: Option<Info>) -> AvatarEvent {
        let Some(info) = info else { return AvatarEvent::new(from, None) };
        AvatarEvent {
            kind: Some(info.kind),
            bytes: info.bytes,
            width: info.width,
            height: info.height,
            url: info.url,
            ..AvatarEvent::new(from, Some(info.id))
        }
    }
}

impl Named for AvatarEvent {
    fn name(&self) -> &'static str {
        "avatar"
    }
}

/// A picture to be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Init {
    pub(super) info: Info,
    pub(super) data: Vec<u8>,
}

impl Init {
    /// Reads what an app has passed.
    pub(super) fn given(given: &Arg) -> Result<Init, Error> {
        let data = given.of("data", Arg::bytes)?;
        if data.len() > LARGEST {
            return Err(too_large());
        }
        let kind = given.field("type")?;
        let info = Info {
            id: id_of(&data),
            kind: kind.text()?,
            bytes: u32::try_from(data.len()).ok(),
            width: given.of("width", pixels)?,
            height: given.of("height", pixels)?,
            url: None,
        };
        if data.is_empty() {
            return Err(invalid("`data` is empty"));
        }
        // XEP-0084 §4.2.1 has videos too; nobody shows them.
        if !is_image(&info.kind) {
            return Err(kind.wrong("the media type of a picture"));
        }
        Ok(Init { info, data })
    }
}

fn pixels(given: &Arg) -> Result<Option<u16>, Error> {
    let pixels = given.opt_whole(1, u16::MAX.into())?;
    Ok(pixels.and_then(|pixels| u16::try_from(pixels).ok()))
}

/// The base64 of others (RFC 4648 §4): with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a picture from base64, which must be the one of that id where it has one.
///
/// # Errors
/// `protocol-violation` where it isn't, or where it can't be read; `too-large`.
pub(super) fn decode(mut text: String, id: Option<&str>) -> Result<Vec<u8>, Error> {
    // XEP-0084 §4.1, XEP-0153 §4.6: white space in it has to be passed over.
    text.retain(|c| !c.is_ascii_whitespace());
    let data = BASE64.decode(text).map_err(|_| violation("the picture is no base64"))?;
    if data.len() > LARGEST {
        return Err(too_large());
    }
    // XEP-0084 §3.2, XEP-0153 §3.1: what was announced is its hash.
    if id.is_some_and(|id| id_of(&data) != id) {
        return Err(violation("it isn't the picture that was announced"));
    }
    Ok(data)
}

/// A picture that has too many bytes.
pub(super) fn too_large() -> Error {
    Error::new(Code::TooLarge, Phase::Stanza, "the picture has more than 737,280 bytes")
}

/// Writes base64, without line feeds.
pub(super) fn encode(data: &[u8]) -> String {
    BASE64.encode(data)
}

/// The id of a picture: the SHA-1 of its bytes, in hexadecimal and lower case.
pub(super) fn id_of(data: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or_default();
    let hash = Sha1::digest(data);
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads an id. XEP-0153 §3.1: both cases are in use.
pub(super) fn read_id(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    digits.then(|| text.to_ascii_lowercase())
}

/// The type of a picture: what its bytes show, and else what is said, if that is one of a picture (XEP-0153 §5).
pub(super) fn type_of(data: &[u8], said: &str) -> String {
    const SIGNS: [(&[u8], &str); 3] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
    ];
    let shown = SIGNS.iter().find(|(sign, _)| data.starts_with(sign));
    let webp = data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP");
    match shown {
        Some((_, shown)) => (*shown).to_owned(),
        None if webp => "image/webp".to_owned(),
        None if is_image(said) => said.to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// Whether it is the type of a picture.
pub(super) fn is_image(said: &str) -> bool {
    let name = said.strip_prefix("image/").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    !name.is_empty() && said.len() <= 127 && name.bytes().all(allowed)
}

/// A vCard with this photo, or none, and all else as it was (XEP-0153 §3.1).
pub(super) fn with_photo(card: Option<&Element>, photo: Option<&Init>) -> Element {
    let mut with = Element::new("vCard", TEMP);
    for (name, value) in card.into_iter().flat_map(|card| card.attrs()) {
        with.set_attr(name.to_owned(), value);
    }
    for child in card.into_iter().flat_map(|card| card.children()) {
        if !child.is("PHOTO", TEMP) {
            with.push(Node::Element(child.clone()));
        }
    }
    let text = |name, text: String| Element::new(name, TEMP).with_text(text);
    with.with_opt_child(photo.map(|photo| {
        Element::new("PHOTO", TEMP)
            .with_child(text("TYPE", photo.info.kind.clone()))
            .with_child(text("BINVAL", encode(&photo.data)))
    }))
}

/// What is said of a picture, in an `<info/>` (XEP-0084 §4.2.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Info {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) bytes: Option<u32>,
    pub(super) width: Option<u16>,
    pub(super) height: Option<u16>,
    /// Where it is to be had, where that isn't the data node.
    pub(super) url: Option<String>,
}

impl Info {
    /// Reads metadata: one of its pictures, that of the data node where it is there; nothing inside where the account has none. None at
    /// all where it can't be read.
    pub(super) fn read(metadata: &Element, item: &str) -> Option<Option<Info>> {
        if !metadata.is("metadata", METADATA) {
            return None;
        }
        let mut infos = metadata.all("info", METADATA).peekable();
        if infos.peek().is_none() {
            // §3.5.
            return Some(None);
        }
        let mut best: Option<Info> = None;
        // §4.2.1: the item goes by the name of the one that is in the data node.
        let rank = |info: &Info| (info.url.is_none(), info.url.is_none() && read_id(item).as_ref() == Some(&info.id));
        for info in infos.filter_map(Info::of) {
            if best.as_ref().is_none_or(|best| rank(&info) > rank(best)) {
                best = Some(info);
            }
        }
        best.map(Some)
    }

    fn of(info: &Element) -> Option<Info> {
        let url = info.attr("url").map(str::to_owned);
        // §4.2.1: `http:` or `https:`. One with another is to be had nowhere.
        let usable = |url: &String| {
            let start = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
            (start("https://") || start("http://")) && url.len() <= 2_048
        };
        if !url.iter().all(usable) {
            return None;
        }
        Some(Info {
            id: read_id(info.attr("id")?)?,
            kind: type_of(&[], info.attr("type").unwrap_or_default()),
            bytes: info.attr("bytes").and_then(|bytes| bytes.trim().parse().ok()),
            width: info.attr("width").and_then(|width| width.trim().parse().ok()),
            height: info.attr("height").and_then(|height| height.trim().parse().ok()),
            url,
        })
    }

    /// The picture itself, with its bytes where they are here.
    pub(super) fn picture(self, data: Option<Vec<u8>>) -> Avatar {
        Avatar {
            id: self.id,
            kind: type_of(data.as_deref().unwrap_or_default(), &self.kind),
            data: data.map(Bytes),
            width: self.width,
            height: self.height,
            url: self.url,
        }
    }

    /// The metadata of one picture, or of none.
    pub(super) fn metadata(info: Option<&Info>) -> Element {
        let number = |number: i64| decimal(number);
        let info = info.map(|info| {
            Element::new("info", METADATA)
                .with_opt_attr("bytes", info.bytes.map(|bytes| number(bytes.into())))
                .with_attr("id", info.id.as_str())
                .with_attr("type", info.kind.as_str())
                .with_opt_attr("width", info.width.map(|width| number(width.into())))
                .with_opt_attr("height", info.height.map(|height| number(height.into())))
        });
        Element::new("metadata", METADATA).with_opt_child(info)
    }
}
