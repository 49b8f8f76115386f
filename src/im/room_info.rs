//! What rooms there are at a service, and what they are: XEP-0045 1.35.5 (3 May 2026) §6.3, §6.4.
//!
//! Left out: who is in a room (§6.5), which rooms seldom tell to those who aren't, and which rooms somebody is in (§6.7).

use super::disco::{self, DiscoInfo, DiscoItem, INFO};
use super::forms::{DataForm, FieldValue};
use super::pep::{Question, Steps};
use super::pubsub::violation;
use super::{Call, Config, Ctx, Feature, Never, Page, Reply, rsm, typescript, unfit};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use serde::Serialize;

const MUC: &str = "http://jabber.org/protocol/muc";
const INFO_FORM: &str = "http://jabber.org/protocol/muc#roominfo";

/// How many rooms a page has, by default and at most.
const PAGE: [u32; 2] = [100, 500];

typescript!(
    r#"
export interface Rooms {
  /**
   * The rooms that a service tells of, page by page where it knows pages (XEP-0045 §6.3, XEP-0059). Hidden ones aren't among them.
   *
   * Rejects `stanza-error`, `protocol-violation` where the answer is no list, `invalid-jid`, `offline`.
   *
   * @example
   * for await (const { jid, name } of client.rooms.list("rooms.example.org")) console.log(jid, name);
   */
  list(
    service: string,
    /** So many at once: 100 by default, 500 at most. */
    page?: { max?: number | null | undefined } | null,
    options?: CallOptions,
  ): AsyncIterableIterator<{ jid: string; name?: string }>;
  /**
   * {@link Room.info} of a room that one needn't be in. Rejects `invalid-jid` as well.
   *
   * @example
   * const { name, occupants, passwordProtected } = await client.rooms.info("coven@rooms.example.org");
   */
  info(jid: string, options?: CallOptions): Promise<RoomInfo>;
}

export interface Room {
  /**
   * What the room says of itself, to those who aren't in it as well (XEP-0045 §6.4). {@link Rooms.info} is to be looked at before one enters: in a
   * room that isn't `"semianonymous"` everybody sees the account's JID.
   *
   * Rejects `stanza-error` (`item-not-found`: there is no such room), `protocol-violation` where it is no room, or its form can't be read, `offline`.
   *
   * @example
   * const { name, occupants, anonymity } = await room.info();
   */
  info(options?: CallOptions): Promise<RoomInfo>;
}

/** What a room says of itself. What it doesn't say is left out. */
export interface RoomInfo {
  name?: string;
  description?: string;
  /** What it is talked about just now. */
  subject?: string;
  /** The language. */
  lang?: string;
  /** How many are there. */
  occupants?: number;
  /** How many there can be. */
  maxUsers?: number;
  /** How many earlier messages one is sent at most who enters. */
  maxHistory?: number;
  /** Only members can enter. */
  membersOnly?: boolean;
  /** It takes a password to enter. */
  passwordProtected?: boolean;
  /** Not everybody who is there has a voice. */
  moderated?: boolean;
  /** It stays when all have left. */
  persistent?: boolean;
  /** Its service tells of it. */
  public?: boolean;
  /** Who sees the JIDs of those who are there: all, or the moderators alone. */
  anonymity?: "nonanonymous" | "semianonymous";
  /** Whether those who are there can change the subject without being moderators. */
  changeSubject?: boolean;
  /** It has an archive, for {@link Archive.query} (XEP-0313). */
  archive: boolean;
  /** Messages come back with the id that they were sent with. */
  stableIds: boolean;
  /** Messages say who has sent them, also where the JID isn't seen (XEP-0421). */
  occupantIds: boolean;
  /** One can register: see {@link Room.registration}. */
  registration: boolean;
  /** It has a vCard, for {@link Profiles.get} and {@link Profiles.avatar} (XEP-0054). */
  vcard: boolean;
  /** The SHA-1 of its picture; of those in several formats each. */
  avatars?: string[];
  /** Whom to turn to: JIDs. */
  contacts?: string[];
  /** Where what was said can be read: look at the scheme before you make a link of it. */
  logs?: string;
  /** All its features. */
  features: string[];
  /** What else it says: the forms as they came. */
  forms: DataForm[];
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// The rooms of a service: so many, behind the end of a page.
    List(Jid, u32, Option<String>),
    /// What a room is.
    Info(Jid),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Rooms.
    List(Page<DiscoItem>),
    /// What a room is.
    Info(Box<RoomInfo>),
}

/// What a room says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "as they are named in the XEP, and said in TypeScript above")]
pub struct RoomInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupants: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_history: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_protected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_subject: Option<bool>,
    pub archive: bool,
    pub stable_ids: bool,
    pub occupant_ids: bool,
    pub registration: bool,
    pub vcard: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatars: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
    pub features: Vec<String>,
    pub forms: Vec<DataForm>,
}

/// The calls under way.
#[derive(Debug)]
pub struct RoomInfos {
    steps: Steps<Wanted>,
}

#[derive(Debug)]
enum Wanted {
    List(Option<String>),
    Info,
}

impl Feature for RoomInfos {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::paged("rooms.list", 2),
        Call::once("room.info", 1),
        Call::once("rooms.info", 1),
    ];

    fn new(_: &Config) -> Self {
        RoomInfos { steps: Steps::new() }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        if name != "rooms.list" {
            return Ok(Command::Info(args.of(0, "room", Arg::jid)?.to_bare()));
        }
        let service = args.of(0, "service", Arg::jid)?;
        let max = args.take(1, "page").opt_field("max")?.opt_whole(1, PAGE[1].into())?;
        let max = max.and_then(|max| u32::try_from(max).ok()).unwrap_or(PAGE[0]);
        Ok(Command::List(service, max, args.of(2, "next", Arg::opt_text)?))
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        let (to, payload, wanted) = match command {
            Command::List(service, max, after) => (service, disco::items(None, max, after.as_deref()), Wanted::List(after)),
            Command::Info(room) => (room, Element::new("query", INFO), Wanted::Info),
        };
        let question = Question {
            set: false,
            to: Some(to),
            payload,
        };
        self.steps.ask(cx, ticket, question, wanted);
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, wanted)) = self.steps.next(token) else { return };
        let result = result.and_then(|answer| {
            let answer = answer.ok_or_else(|| unfit("a question about rooms"))?;
            match wanted {
                Wanted::List(after) => {
                    let items = disco::items_of(&answer, None)?;
                    let next = rsm::next(&answer, items.len(), after.as_deref());
                    Ok(Answer::List(Page { items, next }))
                }
                Wanted::Info => RoomInfo::of(DiscoInfo::read(&answer, None)?).map(|info| Answer::Info(Box::new(info))),
            }
        });
        cx.reply(ticket, result.map(Reply::RoomInfos));
    }
}

impl RoomInfo {
    /// # Errors
    /// `protocol-violation` where it isn't that of a room, or what it says can't be read.
    fn of(info: DiscoInfo) -> Result<RoomInfo, Error> {
        let can = |feature: &str| info.supports(feature);
        // §6.4, §16.3: one feature, or the one that says the opposite.
        let either = |yes: &str, no: &str| match (can(yes), can(no)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        let mut room = RoomInfo {
            members_only: either("muc_membersonly", "muc_open"),
            password_protected: either("muc_passwordprotected", "muc_unsecured"),
            moderated: either("muc_moderated", "muc_unmoderated"),
            persistent: either("muc_persistent", "muc_temporary"),
            public: either("muc_public", "muc_hidden"),
            // What says both is believed the worse.
            anonymity: either("muc_nonanonymous", "muc_semianonymous").map(|open| match open {
                true => "nonanonymous",
                false => "semianonymous",
            }),
            archive: can("urn:xmpp:mam:2") || can("urn:xmpp:mam:1"),
            stable_ids: can("http://jabber.org/protocol/muc#stable_id"),
            occupant_ids: can("urn:xmpp:occupant-id:0"),
            registration: can("http://jabber.org/protocol/muc#register") || can("jabber:iq:register"),
            vcard: can("vcard-temp"),
            ..RoomInfo::default()
        };
        let is_room = can(MUC);
        // §6.4: a room says what it is. A service says the same, and has rooms.
        let mut identities = info.identities.into_iter().filter(|identity| identity.category == "conference");
        let Some(identity) = identities.next().filter(|_| is_room) else {
            return Err(violation("what should be a room isn't one"));
        };
        room.name = identity.name.filter(|name| !name.is_empty());
        if let Some(form) = info.forms.iter().find(|form| form.form_type() == Some(INFO_FORM)) {
            room.read(form)?;
        }
        room.features = info.features;
        room.forms = info.forms;
        Ok(room)
    }

    /// Reads the form that says more (§16.5.4).
    fn read(&mut self, form: &DataForm) -> Result<(), Error> {
        let all = |name: &str| {
            let texts = match form.field(name).map(|field| &field.value) {
                Some(FieldValue::Text(text)) => vec![text.clone()],
                Some(FieldValue::List(list)) => list.clone(),
                Some(FieldValue::Flag(flag)) => vec![if *flag { "1" } else { "0" }.to_owned()],
                _ => Vec::new(),
            };
            let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            Some(texts).filter(|texts| !texts.is_empty())
        };
        let text = |name: &str| all(name).map(|lines| lines.join("\n"));
        let number = |name: &str| match text(name).as_deref().map(str::trim) {
            // As configurations have it where there is no bound.
            None | Some("none") => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(violation("a room should say a number, and says something else")),
            },
        };
        self.description = text("muc#roominfo_description");
        self.subject = text("muc#roominfo_subject");
        self.lang = text("muc#roominfo_lang");
        self.logs = text("muc#roominfo_logs");
        self.occupants = number("muc#roominfo_occupants")?;
        self.max_users = match number("muc#roominfo_maxusers")? {
            None => number("muc#roomconfig_maxusers")?,
            known => known,
        };
        self.max_history = number("muc#maxhistoryfetch")?;
        self.avatars = all("muc#roominfo_avatarhash");
        let jids = all("muc#roominfo_contactjid");
        let jid = |jid: String| Jid::parse(jid.trim()).map(|jid| jid.as_str().to_owned());
        let jids = jids.map(|jids| jids.into_iter().map(jid).collect::<Result<Vec<_>, _>>()).transpose();
        self.contacts = jids.map_err(|_| violation("a room should say an address, and says something else"))?;
        let change = text("muc#roominfo_subjectmod").or_else(|| text("muc#roomconfig_changesubject"));
        self.change_subject = match change.as_deref() {
            None => None,
            Some("1" | "true") => Some(true),
            Some("0" | "false") => Some(false),
            Some(_) => return Err(violation("a room says something that is neither true nor false")),
        };
        Ok(())
    }
}
