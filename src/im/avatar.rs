//! Pictures of people: User Avatar, XEP-0084 1.1.4 (20 September 2019), both ways; vCard-Based Avatars, XEP-0153 1.1.1 (10 June 2024),
//! read.
//!
//! A picture goes by the SHA-1 of its bytes, and is never handed out where it isn't what was announced by that: by an account in its
//! metadata node, by its clients or by somebody in a room in presence. Where the account has spoken, what presence says doesn't count.
//! Without an announcement a photo goes by its own hash.
//!
//! Our own picture is published in the nodes alone. A server that keeps vCards makes that of it, and adds its hash to our presence
//! (XEP-0398 1.0.0 §3, §4); this client adds nothing there, which to those who read XEP-0153 says that it isn't ready to advertise one,
//! and to such a server that it may. What has a `url` is for the app to fetch.
//!
//! A room's picture is the photo of its vCard, which its owners can write.
//!
//! Left out: `<pointer/>`, publishing by URL or in several formats, writing the photo of the own vCard.

mod picture;

pub use picture::{Avatar, AvatarEvent, Init};

use super::pep::{self, Publication, Question, Steps};
use super::vcard::{temp, temp_of, temp_or_none};
use super::{Call, Config, Ctx, Event, Feature, Flow, OrNull, Reply, pubsub, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::stream::ns;
use crate::xml::Element;
use picture::{DATA, Info, LARGEST, METADATA};
use serde::{Serialize, Serializer};
use super::sorted::Map;

/// In presence.
const UPDATE: &str = "vcard-temp:x:update";
/// In the presence of somebody in a room (XEP-0045 §7.2.3).
const OCCUPANT: &str = "http://jabber.org/protocol/muc#user";

/// Of how many people, contacts apart, it is kept in mind which picture they have announced.
const KNOWN: usize = 1_000;

typescript!(
    r#"
export interface FeatureEvents {
  /** Somebody has another picture: ourselves, or whoever has told us, who needn't be a contact. */
  avatar: AvatarEvent;
}

/** A picture that somebody has announced. */
export interface AvatarEvent {
  /** Whose: a bare JID, or a full one where it is somebody in a room. {@link Profiles.avatar} takes it as it is. */
  from: string;
  /** The SHA-1 of the picture: by this you know whether you have it already. `null` where there is none any more. */
  id: string | null;
  /** The media type. */
  type?: string;
  /** How many bytes it has. */
  bytes?: number;
  /** In pixels. */
  width?: number;
  /** In pixels. */
  height?: number;
  /** Where it is to be had, where the account hasn't got it itself. To fetch it tells whoever is there of your address. */
  url?: string;
}

/** A picture. Its bytes are as somebody else made them: show them in an `<img>`, and nowhere else. */
export interface Avatar {
  /** The SHA-1 of its bytes, in hexadecimal. They have been found to match. */
  id: string;
  /** The media type. */
  type: string;
  /** The picture; left out where there is a `url` instead. */
  data?: Uint8Array<ArrayBuffer>;
  /** In pixels, as far as its owner says. */
  width?: number;
  /** In pixels, as far as its owner says. */
  height?: number;
  /** Where it is to be had, by `http:` or `https:`: what you fetch there should have the SHA-1 `id`. */
  url?: string;
}

/** A picture to be published. */
export interface AvatarInit {
  /** Up to 737,280 bytes; small is better: every contact fetches it. */
  data: Uint8Array;
  /** The media type. Only `"image/png"` is understood by all. */
  type: string;
  /** In pixels. */
  width?: number | undefined;
  /** In pixels. */
  height?: number | undefined;
}

export interface Profiles {
  /**
   * Somebody's picture (XEP-0084), or else the photo of their vCard (XEP-0153); without `jid`, the own one. `null` where there is none.
   * `jid` is bare; a full one is that of somebody in a room, who has only the latter.
   *
   * Rejects `protocol-violation` where it isn't the picture that was announced, `too-large` where it has more than 737,280 bytes,
   * `stanza-error`, `offline`, `invalid-jid`.
   *
   * @example
   * client.on("avatar", async ({ from, id }) => {
   *   const avatar = id === null ? null : await client.profiles.avatar(from);
   *   if (avatar?.data) show(from, URL.createObjectURL(new Blob([avatar.data], { type: avatar.type })));
   * });
   */
  avatar(jid?: string | null, options?: CallOptions): Promise<Avatar | null>;

  /**
   * Publishes a picture, for everybody to see.
   *
   * Rejects `offline`, `invalid-argument`, `too-large`, `stanza-error`, such as where the server keeps none.
   *
   * @example
   * const data = new Uint8Array(await file.arrayBuffer());
   * await client.profiles.setAvatar({ data, type: file.type, width: 192, height: 192 });
   */
  setAvatar(avatar: AvatarInit, options?: CallOptions): Promise<void>;

  /**
   * Says that there is no picture any more. The server may keep the bytes of the last one, for those who know its `id`.
   *
   * Rejects `offline`, `stanza-error`.
   *
   * @example
   * await client.profiles.removeAvatar();
   * console.log(await client.profiles.avatar()); // null
   */
  removeAvatar(options?: CallOptions): Promise<void>;
}

export interface Room {
  /**
   * Makes this the room's picture, or, with `null`, takes it away: in its vCard (XEP-0153), of which all else stays. It takes an owner.
   * {@link Profiles.avatar} with the room's JID reads it, and an `avatar` event of that JID tells those who are in the room.
   *
   * Rejects `offline`, `invalid-argument`, `too-large`, `stanza-error` (`forbidden`; `service-unavailable`: it has none), `protocol-violation`.
   *
   * @example
   * await room.setAvatar({ data: new Uint8Array(await file.arrayBuffer()), type: file.type });
   */
  setAvatar(avatar: AvatarInit | null, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Somebody's picture; nobody is ourselves.
    Get(Option<Jid>),
    /// Publishes a picture.
    Set(Init),
    /// Says that there is none.
    Remove,
    /// Makes this a room's, or nothing.
    SetOf(Jid, Option<Init>),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A picture.
    Avatar(OrNull<Avatar>),
    /// It has been published.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Avatar(avatar) => avatar.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// The calls under way, and which pictures have been announced.
#[derive(Debug)]
pub struct Avatars {
    steps: Steps<Step>,
    known: Map<Known>,
}

/// What somebody has announced.
#[derive(Debug)]
enum Known {
    /// By a node.
    Node,
    /// By presence: a picture, or none.
    Presence(Option<String>),
}

#[derive(Debug)]
enum Step {
    /// The metadata of whose picture is wanted.
    Metadata(Option<Jid>),
    /// The picture that it announces.
    Data(Option<Jid>, Info),
    /// The vCard, and which picture it must have, where we know.
    Photo(Option<String>),
    /// The data, before the metadata.
    PublishData(Publication, Info),
    /// The metadata.
    Publish(Publication),
    /// A room's vCard, of which this is to be the photo.
    Room(Jid, Option<Init>),
    /// It has been written.
    Write,
}

impl Feature for Avatars {
    type Command = Command;
    type Reply = Answer;
    type Event = AvatarEvent;

    const DISCO: &'static [&'static str] = &["urn:xmpp:avatar:metadata+notify"];

    const CALLS: &'static [Call] = &[
        Call::once("profiles.avatar", 1),
        Call::once("profiles.setAvatar", 1),
        Call::once("profiles.removeAvatar", 0),
        Call::once("room.setAvatar", 2),
    ];

    fn new(_: &Config) -> Self {
        Avatars {
            steps: Steps::new(),
            known: Map::new(),
        }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(match name {
            "profiles.avatar" => Command::Get(args.of(0, "jid", Arg::opt_jid)?),
            "profiles.setAvatar" => Command::Set(args.of(0, "avatar", Init::given)?),
            "room.setAvatar" => {
                let room = args.of(0, "room", Arg::jid)?.to_bare();
                let avatar = args.take(1, "avatar").given()?;
                Command::SetOf(room, avatar.as_ref().map(Init::given).transpose()?)
            }
            _ => Command::Remove,
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        match command {
            // The server of a room passes on questions for a vCard, and no others.
            Command::Get(Some(jid)) if jid.is_full() => self.ask_vcard(cx, ticket, Some(jid)),
            Command::Get(jid) => {
                let question = pep::last_item(jid.clone(), METADATA);
                self.steps.ask(cx, ticket, question, Step::Metadata(jid));
            }
            Command::Set(Init { info, data }) => {
                // §3.1: the data has to be there before it is announced.
                let element = Element::new("data", DATA).with_text(picture::encode(&data));
                self.publish_data(cx, ticket, Publication::new(DATA, Some(info.id.clone()), element), info);
            }
            Command::Remove => self.publish(cx, ticket, Publication::new(METADATA, None, Info::metadata(None))),
            Command::SetOf(room, avatar) => {
                self.steps.ask(cx, ticket, temp(Some(room.clone())), Step::Room(room, avatar));
            }
        }
    }

    fn on_online(&mut self, _: &mut Ctx<'_>) {
        // A new session: all is announced anew.
        self.known.clear();
    }

    fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
        if stanza.is("presence", ns::CLIENT) {
            self.presence(cx, stanza);
        } else if let Some(told) = pubsub::event(stanza, cx.account())
            // It is that of the account whose bare JID says so, whatever else the notification says.
            && let Some(left) = pep::left(&told, METADATA)
        {
            let announced = match &left {
                Some(item) => item.payload.and_then(|metadata| Info::read(metadata, item.id)),
                None => Some(None),
            };
            if let Some(info) = announced {
                let from = told.from.as_str();
                self.learn(cx, from, Known::Node);
                cx.emit(Event::Avatar(AvatarEvent::of(from, info)));
            }
        }
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, step)) = self.steps.next(token) else { return };
        if let Err(error) = self.go_on(cx, ticket, step, result) {
            cx.reply(ticket, Err(error));
        }
    }
}

impl Avatars {
    /// What somebody's presence says of their picture.
    fn presence(&mut self, cx: &mut Ctx<'_>, presence: &Element) {
        let from = presence.attr("from").unwrap_or_default();
        match presence.attr("type") {
            None => {}
            Some("unavailable") if from.contains('/') => {
                // One that was in a room. Of an account the bare JID is known, which other clients may have as well.
                self.known.remove(from);
                return;
            }
            Some(_) => return,
        }
        let photo = presence.child("x", UPDATE).and_then(|update| update.child_text("photo", UPDATE));
        // XEP-0153 §4.1: without a photo nothing is said, with an empty one that there is none.
        let id = match photo.as_deref().map(str::trim) {
            Some("") => None,
            Some(photo) => match picture::read_id(photo) {
                Some(id) => Some(id),
                None => return,
            },
            None => return,
        };
        let Ok(from) = Jid::parse(from) else { return };
        // One who is in a room has no other address; else it is the account's picture, whichever client says so.
        let from = match presence.child("x", OCCUPANT) {
            Some(_) => from.as_str(),
            None => from.bare_str(),
        };
        let news = match self.known.get(from) {
            Some(Known::Node) => false,
            Some(Known::Presence(known)) => *known != id,
            // Those who never had one needn't be told of.
            None => id.is_some(),
        };
        if news {
            cx.emit(Event::Avatar(AvatarEvent::new(from, id.clone())));
        }
        if !matches!(self.known.get(from), Some(Known::Node)) {
            self.learn(cx, from, Known::Presence(id));
        }
    }

    /// Keeps it in mind. Where there is too much of it, somebody is forgotten, and told of again when they are heard again: a stranger,
    /// since anybody can be that, and rather one of whom nothing but presence has been heard.
    fn learn(&mut self, cx: &Ctx<'_>, from: &str, known: Known) {
        let stays = |jid: &str| cx.facts.contacts.contains(jid) || jid == cx.account().bare_str();
        if self.known.len() >= KNOWN && self.known.get(from).is_none() && !stays(from) {
            let known = &self.known;
            let stranger = known.find(&|jid, known| matches!(known, Known::Presence(_)) && !stays(jid));
            let stranger = stranger.or_else(|| known.find(&|jid, _| !stays(jid))).map(str::to_owned);
            if let Some(stranger) = stranger {
                self.known.remove(&stranger);
            }
        }
        self.known.insert(from, known);
    }

    /// An answer has come. Errors end the call.
    fn go_on(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        step: Step,
        result: Result<Option<Element>, Error>,
    ) -> Result<(), Error> {
        let answer = match (step, result) {
            (Step::Metadata(jid), Err(error)) if error.code() == Code::StanzaError => {
                self.ask_vcard(cx, ticket, jid);
                return Ok(());
            }
            (Step::Metadata(jid), result) => {
                let Some((item, metadata)) = pep::payload_of(result?.as_ref(), METADATA, "metadata", METADATA)? else {
                    self.ask_vcard(cx, ticket, jid);
                    return Ok(());
                };
                let info = Info::read(&metadata, &item);
                let info = info.ok_or_else(|| pubsub::violation("the metadata of the picture can't be read"))?;
                match info {
                    Some(info) if info.url.is_none() => {
                        if info.bytes.is_some_and(|bytes| bytes as usize > LARGEST) {
                            return Err(picture::too_large());
                        }
                        let question = Question {
                            set: false,
                            to: jid.clone(),
                            payload: pubsub::items(DATA, &[&info.id], None),
                        };
                        self.steps.ask(cx, ticket, question, Step::Data(jid, info));
                        return Ok(());
                    }
                    info => Answer::Avatar(OrNull(info.map(|info| info.picture(None)))),
                }
            }
            (Step::Data(jid, info), result) => {
                let items = match result {
                    Err(error) if error.code() == Code::StanzaError => Vec::new(),
                    result => pubsub::items_of(result?.as_ref(), DATA)?,
                };
                // §3.1: the item goes by the name of what is in it.
                let item = items.into_iter().find(|item| picture::read_id(&item.id).as_ref() == Some(&info.id));
                let Some(data) = item.and_then(|item| item.payload.0).filter(|data| data.is("data", DATA)) else {
                    // It may be in the vCard, which a server makes the same of (XEP-0398).
                    self.steps.ask(cx, ticket, temp(jid), Step::Photo(Some(info.id)));
                    return Ok(());
                };
                let data = picture::decode(data.text(), Some(&info.id))?;
                if info.bytes.is_some_and(|bytes| bytes as usize != data.len()) {
                    return Err(pubsub::violation("the picture isn't as long as its metadata says"));
                }
                Answer::Avatar(OrNull(Some(info.picture(Some(data)))))
            }
            (Step::Photo(_), Err(error)) if pep::is_nothing(&error) => Answer::Avatar(OrNull(None)),
            (Step::Photo(announced), result) => {
                let card = temp_of(result?)?;
                Answer::Avatar(OrNull(Avatar::photo(&card, announced.as_deref())?))
            }
            (Step::PublishData(publication, info), Err(error)) => {
                let publication = publication.again(&error).ok_or(error)?;
                self.publish_data(cx, ticket, publication, info);
                return Ok(());
            }
            (Step::PublishData(_, info), Ok(_)) => {
                let metadata = Info::metadata(Some(&info));
                self.publish(cx, ticket, Publication::new(METADATA, Some(info.id), metadata));
                return Ok(());
            }
            (Step::Publish(publication), Err(error)) => {
                let publication = publication.again(&error).ok_or(error)?;
                self.publish(cx, ticket, publication);
                return Ok(());
            }
            (Step::Room(room, avatar), result) => {
                let question = Question {
                    set: true,
                    to: Some(room),
                    payload: picture::with_photo(temp_or_none(result)?.as_ref(), avatar.as_ref()),
                };
                self.steps.ask(cx, ticket, question, Step::Write);
                return Ok(());
            }
            (Step::Write, result) => result.map(|_| Answer::Done)?,
            (Step::Publish(_), Ok(_)) => Answer::Done,
        };
        cx.reply(ticket, Ok(Reply::Avatar(answer)));
        Ok(())
    }

    /// Asks for the photo of a vCard.
    fn ask_vcard(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, jid: Option<Jid>) {
        let whose = jid.as_ref().map_or_else(|| cx.account().bare_str(), Jid::as_str);
        let announced = match self.known.get(whose) {
            Some(Known::Presence(announced)) => announced.clone(),
            _ => None,
        };
        self.steps.ask(cx, ticket, temp(jid), Step::Photo(announced));
    }

    fn publish_data(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, publication: Publication, info: Info) {
        let question = publication.question();
        self.steps.ask(cx, ticket, question, Step::PublishData(publication, info));
    }

    fn publish(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, publication: Publication) {
        let question = publication.question();
        self.steps.ask(cx, ticket, question, Step::Publish(publication));
    }
}
