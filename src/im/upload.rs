//! HTTP File Upload, XEP-0363 1.2.0 (17 June 2025): where files can be put, and from where others fetch them then.
//!
//! Here a service is found and asked for a slot. What a slot says is checked before anybody acts on it: its URLs are encrypted or of this
//! machine, and of its headers only those are there that the specification allows, in one line each. To put the file there by HTTP is the
//! package's façade's, or the app's own.
//!
//! Left out: what the file is for (§5), which says how long a service keeps it.

mod service;
mod slot;

pub use slot::{Request, UploadSlot};

use super::{Call, Config, Ctx, Feature, Never, OrNull, Reply, typescript};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;
use service::Search;

const UPLOAD: &str = "urn:xmpp:http:upload:0";

typescript!(
    r#"
export interface Calls {
  /** Files that are put on a server, for others to fetch (XEP-0363). */
  readonly files: FileUploads;
}

/**
 * Files that are put on a server, for whoever knows their address (XEP-0363). They lie there as they are: who wants them encrypted does
 * that before.
 */
export interface FileUploads {
  /**
   * Puts a file where others can fetch it from. It goes by `XMLHttpRequest`, which tells how far it has come, and by `fetch` where there is
   * none (service workers, Node), which doesn't. A connection that is lost meanwhile doesn't matter once the slot is there. Without a timeout
   * it takes as long as it takes.
   *
   * Rejects `too-large`, mostly before anything is sent, with `maxSize` where that is known; `upload-failed` where the file could not be
   * put, with `status` where the server has answered; `stanza-error` where the service refuses (`retryAt` says when it may do so no more) or there
   * is none (`feature-not-implemented`); `insecure` and `protocol-violation` for a slot that can't be used; `offline`, `invalid-argument`,
   * `invalid-jid`. With `signal` the upload itself ends.
   *
   * @example
   * const { url, ...shared } = await client.files.upload(file, { onProgress: ({ loaded, total }) => { bar.value = loaded / total; } });
   * const value = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
   * const files = [{ ...shared, hashes: [{ algo: "sha-256", value }], urls: [url] }];
   * await client.send({ to: "bob@example.org", body: url, fallback: [{ for: "urn:xmpp:sfs:0", body: true }], oob: [{ url }], files });
   */
  upload(file: Blob | ArrayBuffer | Uint8Array, options?: UploadOptions): Promise<UploadedFile>;
  /**
   * Asks for a place for a file, for those who put it there themselves, by a request with just these headers, within a few minutes. A `Cookie` among
   * them can't be set by a browser.
   *
   * Rejects as {@link FileUploads.upload} does, `upload-failed` apart.
   *
   * @example
   * const slot = await client.files.slot({ name: "cake.jpg", size: file.size, type: "image/jpeg" });
   * await fetch(slot.put, { method: "PUT", headers: [...slot.headers, ["Content-Type", "image/jpeg"]], body: file });
   */
  slot(file: UploadRequest, options?: CallOptions): Promise<UploadSlot>;
  /**
   * Where the server has files put, `null` where nowhere. It is looked for once a session.
   *
   * Rejects `offline`.
   *
   * @example
   * const service = await client.files.service();
   * if (service && file.size <= (service.maxSize ?? Infinity)) showSend();
   */
  service(options?: CallOptions): Promise<UploadService | null>;
}

/** How a file is put somewhere. */
export interface UploadOptions extends CallOptions {
  /**
   * Its name; default that of a `File`, and required for what has none. A path before it is left out, and so is what would be written in
   * the other direction, or on another line.
   */
  name?: string | null | undefined;
  /** Its media type; default that of a `Blob`. */
  type?: string | null | undefined;
  /** The service to use: a JID. Default what {@link FileUploads.service} finds. */
  service?: string | null | undefined;
  /** Is told how much of it has gone: in the end, and where the platform says so also before. */
  onProgress?: ((progress: UploadProgress) => void) | null | undefined;
}

/** How much of a file has gone, in bytes. */
export interface UploadProgress {
  loaded: number;
  total: number;
}

/** A file for which a place is asked for. */
export interface UploadRequest {
  /** As {@link UploadOptions.name}. */
  name: string;
  /** In bytes, at least 1. */
  size: number;
  /** Its media type, such as `image/png`. */
  type?: string | null | undefined;
  /** The service to use: a JID. Default what {@link FileUploads.service} finds. */
  service?: string | null | undefined;
}

/** A file that others can fetch. */
export interface UploadedFile {
  /** From where: `https:`, or `http:` on this machine. */
  url: string;
  /** Its name, as the service has been told. */
  name: string;
  /** In bytes. */
  size: number;
  /** Its media type, where one was told. */
  type?: string;
}

/** A place for a file. */
export interface UploadSlot extends UploadedFile {
  /** To where it is to be put: `https:`, or `http:` on this machine. */
  put: string;
  /** What has to go along with it: `Authorization`, `Cookie` and `Expires`, in order, each a name and a value. */
  headers: [string, string][];
}

/** A service that takes files. */
export interface UploadService {
  jid: string;
  /** How large a file may be at most, in bytes, where the service says so. */
  maxSize?: number;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Where files can be put.
    Service,
    /// A place for a file.
    Slot(Request),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Where files can be put, if anywhere.
    Service(OrNull<UploadService>),
    /// A place for a file.
    Slot(UploadSlot),
}

/// A service that takes files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadService {
    /// Its address.
    pub jid: String,
    /// How large a file may be at most, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    #[serde(skip)]
    address: Jid,
}

/// A call, with the file that it is about; without one it asks for the service alone.
type Waiting = (Ticket, Option<Request>);

/// Where files can be put.
#[derive(Debug, Default)]
pub struct Uploads {
    search: Search,
    /// The calls that have asked for a slot.
    slots: Vec<(Ticket, Request)>,
}

impl Feature for Uploads {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[Call::once("files.slot", 1), Call::once("files.service", 0)];

    fn new(_: &Config) -> Self {
        Uploads::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        match name {
            "files.slot" => args.of(0, "file", Request::given).map(Command::Slot),
            _ => Ok(Command::Service),
        }
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let request = match command {
            Command::Service => None,
            Command::Slot(request) => Some(request),
        };
        let named = request.as_ref().and_then(|request| request.service.clone());
        match self.search.known(named.as_ref()) {
            Some(service) => self.go_on(cx, (ticket, request), named.as_ref(), service),
            None => {
                if let Err(error) = self.search.begin(cx, named, (ticket, request)) {
                    cx.reply(ticket, Err(error));
                }
            }
        }
    }

    fn on_online(&mut self, _: &mut Ctx<'_>) {
        // Another session may be with another server.
        self.search.forget();
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        match token {
            Token::Own(token) => {
                let Some((named, waiting, outcome)) = self.search.answered(cx, token, result) else {
                    return;
                };
                for call in waiting {
                    match &outcome {
                        Ok(service) => self.go_on(cx, call, named.as_ref(), service.clone()),
                        Err(error) => cx.reply(call.0, Err(error.clone())),
                    }
                }
            }
            Token::Call(ticket) => {
                let Some(place) = self.slots.iter().position(|(asked, _)| *asked == ticket) else {
                    return;
                };
                let (_, request) = self.slots.swap_remove(place);
                let slot = match result {
                    Ok(answer) => request.slot(answer.as_ref(), cx.allows_insecure()),
                    Err(error) => Err(slot::refused(error)),
                };
                cx.reply(ticket, slot.map(|slot| Reply::Upload(Answer::Slot(slot))));
            }
        }
    }
}

impl Uploads {
    /// It is known now which service there is.
    fn go_on(&mut self, cx: &mut Ctx<'_>, call: Waiting, named: Option<&Jid>, service: Option<UploadService>) {
        let (ticket, request) = call;
        let Some(request) = request else {
            return cx.reply(ticket, Ok(Reply::Upload(Answer::Service(OrNull(service)))));
        };
        let asked = match service {
            None => Err(nowhere(named)),
            // §3: the round trip can be saved.
            Some(service) if service.max_size.is_some_and(|most| request.size > most) => {
                Err(slot::too_large().with_max_size(service.max_size))
            }
            Some(service) => cx.ask(false, Some(service.address), request.element(), Token::Call(ticket)),
        };
        match asked {
            Ok(()) => self.slots.push((ticket, request)),
            Err(error) => cx.reply(ticket, Err(error)),
        }
    }
}

fn nowhere(named: Option<&Jid>) -> Error {
    let message = match named {
        Some(_) => "the service doesn't take files",
        None => "the server has no service that takes files",
    };
    Error::new(Code::StanzaError, Phase::Stanza, message).with_condition("feature-not-implemented")
}

/// A whole number that JavaScript has without a loss.
fn whole(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| *number < 1 << 53)
}

/// A file's size, as the app has passed it.
fn size(given: &Arg) -> Result<u64, Error> {
    let size = given.opt_whole(1, (1 << 53) - 1)?.and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| given.wrong("a whole number of bytes, at least 1"))
}
