//! Stateless file sharing, XEP-0447 0.3.1 (1 January 2024), with file metadata, XEP-0446 0.2.0 (17 July 2022), and hashes,
//! XEP-0300 1.0.0 (13 November 2019): files that a message points to. Thumbnails are those of XEP-0264 0.4.2 (26 April 2018).
//!
//! Nothing is fetched, uploaded or hashed here: that is the app's. Of what others say of a file this much is seen to: its name
//! leads nowhere in a file system (XEP-0446 §3), and where no hash says what it has to be, it comes by an encrypted way
//! (XEP-0447 §6).
//!
//! Left out: naming another source later (XEP-0447 §3.3), descriptions in several languages, and saying which hashes one can compute
//! (XEP-0300 §5).

use super::oob::{is_uri, uri};
use super::{Bytes, Payload, feature, hints, typescript};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::Arg;
use crate::stanza::Stamp;
use crate::stream::ns;
use crate::xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

const SHARING: &str = "urn:xmpp:sfs:0";
const METADATA: &str = "urn:xmpp:file:metadata:0";
const HASHES: &str = "urn:xmpp:hashes:2";
const THUMBNAILS: &str = "urn:xmpp:thumbs:1";
const URL_DATA: &str = "http://jabber.org/protocol/url-data";

/// How many files are read of a message, and of each how many hashes, thumbnails and sources.
const MOST: usize = 20;

/// The largest number that JavaScript has without a loss.
const LARGEST: u64 = (1 << 53) - 1;

/// The hashes that a browser can compute, SHA-1 apart, which can be forged.
const STRONG: [&str; 3] = ["sha-256", "sha-384", "sha-512"];

typescript!(
    r#"
/**
 * A file that a message points to. Compare its hash before you show it, ask the user before you fetch one with `disposition:
 * "attachment"`, and any that somebody else than a trusted server has.
 *
 * @example
 * const url = "https://upload.example.org/1/cake.jpg"; // where it has been uploaded to
 * const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
 * await client.send({
 *   to: "bob@example.org",
 *   body: url,
 *   fallback: [{ for: "urn:xmpp:sfs:0", body: true }],
 *   oob: [{ url }],
 *   files: [{ name: file.name, type: file.type, size: file.size, hashes: [{ algo: "sha-256", value: hash }], urls: [url] }],
 * });
 */
export interface SharedFile {
  /** Its name; what others send has nothing in it that would lead to another folder. */
  name?: string;
  /** Its media type, as in `image/png`. */
  type?: string;
  /** In bytes. */
  size?: number;
  /** When it was changed last. */
  date?: Date;
  /** In words. */
  desc?: string;
  /** In pixels. */
  width?: number;
  height?: number;
  /** Of sound or a film, in milliseconds. */
  length?: number;
  /** Of its content. */
  hashes?: FileHash[];
  /** Small pictures of it. */
  thumbnails?: Thumbnail[];
  /** Whether it is to be shown with the message, or to be offered. */
  disposition?: "inline" | "attachment";
  /** By which several files in one message are told apart. */
  id?: string;
  /**
   * From where it can be fetched. Without a hash of SHA-2 one that isn't encrypted isn't told: what comes so may be anything.
   */
  urls?: string[];
  /** Other ways to get it, as they are. */
  sources?: XmlElement[];
}

/** A hash of a file's content. */
export interface FileHash {
  /** Such as `"sha-256"`. */
  algo: string;
  value: Uint8Array;
}

/** A small picture of a file. */
export interface Thumbnail {
  /** Where it is: `data:`, `cid:` (XEP-0231) or any other URI. */
  uri: string;
  type?: string;
  width?: number;
  height?: number;
}
"#
);

feature::carried! {
    /// Points to files.
    Sharing, [SHARING]
}

/// A file that a message points to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SharedFile {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Stamp>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Of its content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<FileHash>,
    /// Small pictures of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thumbnails: Vec<Thumbnail>,
    /// One of [`DISPOSITIONS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<&'static str>,
    /// By which several files in one message are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// From where it can be fetched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Other ways to get it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Element>,
}

/// A hash of a file's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileHash {
    /// By which algorithm, as XEP-0300 §3 calls it.
    pub algo: String,
    /// The hash.
    pub value: Bytes,
}

/// A small picture of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Thumbnail {
    /// Where it is.
    pub uri: String,
    /// Its media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
}

/// What is to be done with a file.
pub const DISPOSITIONS: [&str; 2] = ["inline", "attachment"];

/// Files: at least one, and 20 at most.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Files(pub Vec<SharedFile>);

impl Payload for Files {
    const EVENT: &'static str = "message";

    const STAYS: bool = true;

    fn read(message: &Element) -> Option<Files> {
        feature::some(message.all("file-sharing", SHARING), MOST, &read).map(Files)
    }

    fn given(given: &Arg) -> Result<Files, Error> {
        crate::given::each(&given.list()?, given_file).map(Files)
    }

    fn write(&self, mut message: Element) -> Element {
        for file in &self.0 {
            message = message.with_child(file.element());
        }
        // XEP-0447 §3.1: without a text an archive may not keep it.
        match message.child("body", ns::CLIENT) {
            Some(_) => message,
            None => hints::stored(message),
        }
    }
}

impl SharedFile {
    fn element(&self) -> Element {
        let text = |name, text: Option<&str>| text.map(|text| Element::new(name, METADATA).with_text(text));
        let number = |name, number: Option<u64>| text(name, number.map(write_number).as_deref());
        let mut file = Element::new("file", METADATA)
            .with_opt_child(text("media-type", self.kind.as_deref()))
            .with_opt_child(text("name", self.name.as_deref()))
            .with_opt_child(text("date", self.date.as_ref().map(|date| date.0.as_str())))
            .with_opt_child(number("size", self.size))
            .with_opt_child(number("width", self.width))
            .with_opt_child(number("height", self.height))
            .with_opt_child(number("length", self.length))
            .with_opt_child(text("desc", self.desc.as_deref()));
        for hash in &self.hashes {
            let element = Element::new("hash", HASHES).with_attr("algo", hash.algo.as_str());
            file = file.with_child(element.with_text(BASE64.encode(&hash.value.0)));
        }
        for thumbnail in &self.thumbnails {
            let element = Element::new("thumbnail", THUMBNAILS)
                .with_attr("uri", thumbnail.uri.as_str())
                .with_opt_attr("media-type", thumbnail.kind.as_deref())
                .with_opt_attr("width", thumbnail.width.map(write_number))
                .with_opt_attr("height", thumbnail.height.map(write_number));
            file = file.with_child(element);
        }
        let mut sources = Element::new("sources", SHARING);
        for url in &self.urls {
            sources = sources.with_child(Element::new("url-data", URL_DATA).with_attr("target", url.as_str()));
        }
        for source in &self.sources {
            sources = sources.with_child(source.clone());
        }
        let any = sources.children().next().is_some();
        Element::new("file-sharing", SHARING)
            .with_opt_attr("disposition", self.disposition)
            .with_opt_attr("id", self.id.as_deref())
            .with_child(file)
            .with_opt_child(Some(sources).filter(|_| any))
    }
}

fn read(sharing: &Element) -> Option<SharedFile> {
    let file = sharing.child("file", METADATA)?;
    let text = |name| file.child_text(name, METADATA).filter(|text| !text.is_empty());
    let number = |name| read_number(text(name)?.as_str());
    let mut hashes: Vec<FileHash> = Vec::new();
    for hash in file.all("hash", HASHES) {
        let algo = hash.attr("algo").filter(|algo| !algo.is_empty());
        let value = BASE64.decode(hash.text().trim()).ok().filter(|value| !value.is_empty());
        // XEP-0300 §3: one of each kind.
        if let (Some(algo), Some(value)) = (algo, value)
            && hashes.len() < MOST
            && hashes.iter().all(|known| known.algo != algo)
        {
            hashes.push(FileHash {
                algo: algo.to_owned(),
                value: Bytes(value),
            });
        }
    }
    let thumbnails = file.all("thumbnail", THUMBNAILS);
    let thumbnails = thumbnails.filter_map(|thumbnail| {
        let number = |name| read_number(thumbnail.attr(name)?);
        Some(Thumbnail {
            uri: thumbnail.attr("uri").filter(|uri| is_uri(uri))?.to_owned(),
            kind: thumbnail.attr("media-type").map(str::to_owned),
            width: number("width"),
            height: number("height"),
        })
    });
    // XEP-0447 §6.
    let proven = hashes.iter().any(|hash| STRONG.contains(&hash.algo.as_str()));
    let (mut urls, mut sources) = (Vec::new(), Vec::new());
    let given = sharing.child("sources", SHARING).into_iter().flat_map(Element::children);
    for source in given.take(MOST) {
        if !source.is("url-data", URL_DATA) {
            sources.push(source.clone());
        } else if let Some(url) = source.attr("target").filter(|url| is_uri(url) && (proven || is_encrypted(url))) {
            urls.push(url.to_owned());
        }
    }
    let disposition = sharing.attr("disposition");
    Some(SharedFile {
        name: text("name").map(|name| harmless(&name)),
        kind: text("media-type"),
        size: number("size"),
        date: text("date").as_deref().and_then(Stamp::parse),
        desc: text("desc"),
        width: number("width"),
        height: number("height"),
        length: number("length"),
        thumbnails: thumbnails.take(MOST).collect(),
        hashes,
        disposition: DISPOSITIONS.into_iter().find(|known| Some(*known) == disposition),
        id: sharing.attr("id").map(str::to_owned),
        urls,
        sources,
    })
}

#[expect(clippy::field_reassign_with_default, reason = "of a literal each field has its own end where a later one can't be read")]
fn given_file(given: &Arg) -> Result<SharedFile, Error> {
    let text = |name| given.text_of(name);
    let number = |name| given.of(name, given_number);
    let disposition = given.of("disposition", |disposition| disposition.opt_one(&DISPOSITIONS))?;
    let mut file = SharedFile::default();
    file.name = text("name")?;
    file.kind = text("type")?;
    file.size = number("size")?;
    file.date = given.of("date", Arg::opt_date)?.map(Stamp);
    file.desc = text("desc")?;
    file.width = number("width")?;
    file.height = number("height")?;
    file.length = number("length")?;
    file.disposition = disposition;
    file.id = text("id")?;
    let list = |name| given.of(name, Arg::items);
    for hash in list("hashes")? {
        file.hashes.push(FileHash {
            algo: hash.of("algo", Arg::text)?,
            value: Bytes(hash.of("value", Arg::bytes)?),
        });
    }
    for thumbnail in list("thumbnails")? {
        file.thumbnails.push(Thumbnail {
            uri: thumbnail.of("uri", uri)?,
            kind: thumbnail.text_of("type")?,
            width: thumbnail.of("width", given_number)?,
            height: thumbnail.of("height", given_number)?,
        });
    }
    for url in list("urls")? {
        file.urls.push(uri(&url)?);
    }
    for source in list("sources")? {
        file.sources.push(source.element(None)?);
    }
    Ok(file)
}

fn read_number(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| *number <= LARGEST)
}

fn given_number(given: &Arg) -> Result<Option<u64>, Error> {
    let number = given.opt_whole(0, LARGEST as i64)?;
    Ok(number.and_then(|number| u64::try_from(number).ok()))
}

fn write_number(number: u64) -> String {
    decimal(i64::try_from(number).unwrap_or_default())
}

/// Whether nobody on the way can put something else in its place.
fn is_encrypted(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    ["https", "ftps", "aesgcm"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// A name that leads to no other folder (XEP-0446 §3): what would is escaped as in a URI.
fn harmless(name: &str) -> String {
    let escaped = name.replace('/', "%2F").replace('\\', "%5C");
    match escaped.as_str() {
        "." | ".." => escaped.replace('.', "%2E"),
        _ => escaped,
    }
}
