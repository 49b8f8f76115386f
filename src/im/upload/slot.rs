//! A place for a file: XEP-0363 §4 and §6.

use super::{UPLOAD, size, whole};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::given::Arg;
use crate::im::unfit;
use crate::jid::Jid;
use crate::session::discovery::check_http;
use crate::stanza::Stamp;
use crate::xml::{Element, is_xml_char};
use serde::Serialize;

/// The headers that a slot may have (§4).
const ALLOWED: [&str; 3] = ["Authorization", "Cookie", "Expires"];

/// A file for which a place is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Of whom, where the app says so.
    pub service: Option<Jid>,
    /// Its name, without a path.
    pub name: String,
    /// In bytes, at least 1.
    pub size: u64,
    /// Its media type.
    pub kind: Option<String>,
}

/// A place for a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UploadSlot {
    /// From where it can be fetched then.
    pub url: String,
    /// Its name.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Its media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// To where it is to be put.
    pub put: String,
    /// What has to go along with it, in order.
    pub headers: Vec<(&'static str, String)>,
}

impl Request {
    /// Reads what an app has passed.
    pub(super) fn given(given: &Arg) -> Result<Request, Error> {
        Ok(Request {
            service: given.of("service", Arg::opt_jid)?,
            name: given.of("name", name)?,
            size: given.of("size", size)?,
            kind: given.of("type", media_type)?,
        })
    }

    pub(super) fn element(&self) -> Element {
        Element::new("request", UPLOAD)
            .with_attr("filename", self.name.as_str())
            .with_attr("size", decimal(i64::try_from(self.size).unwrap_or(i64::MAX)))
            .with_opt_attr("content-type", self.kind.as_deref())
    }

    /// Reads the answer.
    pub(super) fn slot(self, answer: Option<&Element>, allow_insecure: bool) -> Result<UploadSlot, Error> {
        let wrong = || unfit("the request for a place for a file");
        let slot = answer.filter(|answer| answer.is("slot", UPLOAD)).ok_or_else(wrong)?;
        let url = |name: &str| {
            let element = slot.child(name, UPLOAD).ok_or_else(wrong)?;
            let url = element.attr("url").ok_or_else(wrong)?;
            check_http(url, allow_insecure)?;
            Ok::<_, Error>((element, url.to_owned()))
        };
        let (_, fetched) = url("get")?;
        let (element, put) = url("put")?;
        let mut headers = Vec::new();
        for header in element.all("header", UPLOAD) {
            let given = in_one_line(header.attr("name").unwrap_or_default());
            // §4: others must be ignored.
            let Some(name) = ALLOWED.into_iter().find(|name| name.eq_ignore_ascii_case(&given)) else {
                continue;
            };
            let value = in_one_line(&header.text());
            // RFC 9110 §5.5; of characters beyond those of Latin-1 no request can be made.
            if value.chars().any(|c| (c.is_control() && c != '\t') || c > '\u{ff}') {
                return Err(wrong());
            }
            headers.push((name, value));
        }
        Ok(UploadSlot {
            url: fetched,
            name: self.name,
            size: self.size,
            kind: self.kind,
            put,
            headers,
        })
    }
}

/// What a service says to why there is no place (§6).
pub(super) fn refused(error: Error) -> Error {
    let Some(specific) = error.specific() else { return error };
    if specific.is("file-too-large", UPLOAD) {
        let most = specific.child_text("max-file-size", UPLOAD);
        let text = error.text().map(str::to_owned);
        let condition = error.condition().unwrap_or_default().to_owned();
        let error = too_large().with_condition(condition).with_text(text);
        return error.with_max_size(most.as_deref().and_then(whole));
    }
    let stamp = specific.attr("stamp").filter(|_| specific.is("retry", UPLOAD));
    match stamp.and_then(Stamp::parse) {
        Some(Stamp(stamp)) => error.with_retryable(true).with_retry_at(Some(stamp)),
        None => error,
    }
}

pub(super) fn too_large() -> Error {
    let error = Error::new(Code::TooLarge, Phase::Stanza, "the file is larger than the service takes");
    error.with_hint("Send a smaller file. `maxSize`, where it is there, says how large it may be.")
}

/// §4: newlines must be stripped.
fn in_one_line(text: &str) -> String {
    text.replace(['\r', '\n'], "").trim_matches([' ', '\t']).to_owned()
}

/// The name of a file: no path, and nothing that would show it as another one.
fn name(given: &Arg) -> Result<String, Error> {
    let text = given.text()?;
    if !text.chars().all(is_xml_char) {
        return Err(given.wrong("a name that XML can carry"));
    }
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let turned = |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    let name: String = last.chars().filter(|c| !c.is_control() && !turned(*c)).collect();
    match name.trim() {
        "" | "." | ".." => Err(given.wrong("the name of a file")),
        name => Ok(name.to_owned()),
    }
}

/// The media type of a file, if there is any: what can stand in a header.
fn media_type(given: &Arg) -> Result<Option<String>, Error> {
    let text = given.opt_text()?.filter(|text| !text.is_empty());
    match &text {
        Some(kind) if !kind.contains('/') || !kind.bytes().all(|b| (b' '..=b'~').contains(&b)) => {
            Err(given.wrong("a media type, such as image/png"))
        }
        _ => Ok(text),
    }
}
