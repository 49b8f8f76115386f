//! Profiles: vcard-temp, XEP-0054 1.3.0 (27 June 2024), and vCard4 over PEP, XEP-0292 0.12.0 (14 March 2023), as one.
//!
//! **Read**: an account is asked for its vCard4, and for its vcard-temp where it has none or doesn't let us see it.
//!
//! **Written**: into the account's vCard4, where the server keeps nodes for it, and into its vcard-temp. No server says whether it makes
//! the one of the other: XEP-0398 is about pictures alone. So the vCard4 is published first, and then the vcard-temp is looked at.
//! Where that says the same already nothing more is done: a server that has only one of the two (Prosody's `vcard_legacy`) answers by
//! what it was just told, and to write its vcard-temp would be to replace the vCard4 by a poorer one. Where it doesn't (ejabberd, which
//! keeps both apart) the profile is written there too. Both cards are read before they are written, and all that a profile doesn't
//! know in them stays, a vcard-temp's photo too.
//!
//! A room's profile is its vcard-temp alone, read and written.
//!
//! Left out: notifications of changed cards, contact cards (XEP-0292 §5), and pictures, which are the matter of `avatar`.

mod card;

pub use card::{Field, Profile};

pub(super) use card::TEMP;

use super::pep::{self, Publication, Question, Steps};
use super::{Call, Config, Ctx, Feature, Flow, Never, Reply, pubsub, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;
use card::{Kind, VCARD4};
use serde::{Serialize, Serializer};

/// The node of a vCard4.
const NODE: &str = "urn:xmpp:vcard4";

typescript!(
    r#"
/** Where something belongs, or what it is for. */
export type ProfileType = "home" | "work" | "cell" | "voice" | "fax" | "pager" | "text" | "video";

/** What somebody says of themselves. Whoever knows their address can read it. */
export interface Profile {
  /** Where it was read; left out where there is none. */
  source?: "vcard4" | "vcard-temp" | undefined;
  /** The name as it is to be shown. A card should have one. */
  fullName?: string | undefined;
  /** The name in its parts. */
  name?: ProfileName | undefined;
  nickname?: string | undefined;
  /** A date, such as `"1819-08-01"`. */
  birthday?: string | undefined;
  emails?: ProfileEmail[] | undefined;
  phones?: ProfilePhone[] | undefined;
  addresses?: ProfileAddress[] | undefined;
  /** Web pages, as somebody else wrote them: look at the scheme before you make a link of one. */
  urls?: string[] | undefined;
  organization?: string | undefined;
  /** The position there. */
  title?: string | undefined;
  /** What the person does there. */
  role?: string | undefined;
  /** Anything else, in words. */
  note?: string | undefined;
}

/** The parts of a name. */
export interface ProfileName {
  family?: string | undefined;
  given?: string | undefined;
  /** Middle names. */
  additional?: string | undefined;
  prefix?: string | undefined;
  suffix?: string | undefined;
}

/** An email address. */
export interface ProfileEmail {
  address: string;
  types?: ProfileType[] | undefined;
}

/** A phone number. */
export interface ProfilePhone {
  number: string;
  types?: ProfileType[] | undefined;
}

/** A postal address. */
export interface ProfileAddress {
  poBox?: string | undefined;
  extended?: string | undefined;
  street?: string | undefined;
  locality?: string | undefined;
  region?: string | undefined;
  code?: string | undefined;
  country?: string | undefined;
  types?: ProfileType[] | undefined;
}

export interface Profiles {
  /**
   * What an account says of itself: its vCard4 (XEP-0292), else its vcard-temp (XEP-0054); without `jid`, the own account. An
   * account without a card, or that isn't there, has an empty profile. `jid` is bare: a full one is that of somebody in a room.
   *
   * Of a card that has more than 32 emails and the like, or a text of more than 8,192 bytes, what is beyond that is left out.
   *
   * Rejects `offline`, `invalid-jid`, `stanza-error`, `protocol-violation` where the answer is no card.
   *
   * @example
   * const profile = await client.profiles.get("queequeg@example.org");
   * console.log(profile.fullName ?? profile.nickname);
   * const own = await client.profiles.get();
   * await client.profiles.set({ ...own, title: "Harpooner" });
   */
  get(jid?: string | null, options?: CallOptions): Promise<Profile>;

  /**
   * Makes this the own profile, which **everybody can read**: as vCard4, and as vcard-temp where the server doesn't make that of it
   * by itself. What is left out is removed, and what the cards have beside the fields of a profile stays. `source` doesn't matter.
   *
   * Rejects `offline`, `invalid-argument`, `stanza-error`, `protocol-violation`; the vCard4 may have been written then.
   *
   * @example
   * await client.profiles.set({
   *   fullName: "Queequeg", birthday: "1819-08-01", emails: [{ address: "q@example.org", types: ["home"] }],
   *   addresses: [{ locality: "Kokovoko" }], urls: ["https://example.org/"],
   * });
   */
  set(profile: Profile, options?: CallOptions): Promise<void>;
}

export interface Room {
  /**
   * Makes this the room's profile (XEP-0054): {@link Profiles.get} with the room's JID reads it. What is left out is removed, and what the room's
   * vCard has beside the fields of a profile stays. It takes an owner.
   *
   * Rejects `offline`, `invalid-argument`, `stanza-error` (`forbidden`; `service-unavailable`: it has none), `protocol-violation`.
   *
   * @example
   * await room.setProfile({ fullName: "The Coven" });
   */
  setProfile(profile: Profile, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What an account says of itself; nobody is our own.
    Get(Option<Jid>),
    /// Makes this our own.
    Set(Vec<Field>),
    /// Makes this a room's.
    SetOf(Jid, Vec<Field>),
}

/// What a call resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A profile.
    Profile(Profile),
    /// It has been written.
    Done,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Profile(profile) => profile.serialize(serializer),
            Answer::Done => serializer.serialize_unit(),
        }
    }
}

/// The calls under way.
#[derive(Debug)]
pub struct Vcard {
    steps: Steps<Step>,
}

#[derive(Debug)]
enum Step {
    /// The vCard4 of whom a profile is wanted of.
    Read(Option<Jid>),
    /// The vcard-temp.
    ReadTemp,
    /// Our own vCard4, into which this is to be written.
    Own(Vec<Field>),
    /// It has been written, and a server that makes a vcard-temp of it has the second to say there.
    Publish(Publication, Vec<Field>, Vec<Field>),
    /// Our own vcard-temp; the second as before, where there is a vCard4.
    OwnTemp(Vec<Field>, Option<Vec<Field>>),
    /// A room's vcard-temp, into which this is to be written.
    Room(Jid, Vec<Field>),
    /// It has been written.
    Write,
}

impl Feature for Vcard {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    // XEP-0292 §7.
    const DISCO: &'static [&'static str] = &[VCARD4];

    const CALLS: &'static [Call] = &[
        Call::once("profiles.get", 1),
        Call::once("profiles.set", 1),
        Call::once("room.setProfile", 2),
    ];

    fn new(_: &Config) -> Self {
        Vcard { steps: Steps::new() }
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(match name {
            "profiles.get" => Command::Get(args.of(0, "jid", Arg::opt_jid)?),
            "room.setProfile" => {
                let room = args.of(0, "room", Arg::jid)?.to_bare();
                Command::SetOf(room, args.of(1, "profile", card::given)?)
            }
            _ => Command::Set(args.of(0, "profile", card::given)?),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        match command {
            // The server of a room passes questions about somebody in it on to their account, those for a vcard-temp alone.
            Command::Get(Some(jid)) if jid.is_full() => {
                self.steps.ask(cx, ticket, temp(Some(jid)), Step::ReadTemp);
            }
            Command::Get(jid) => {
                let question = pep::last_item(jid.clone(), NODE);
                self.steps.ask(cx, ticket, question, Step::Read(jid));
            }
            Command::Set(fields) => {
                let question = pep::last_item(None, NODE);
                self.steps.ask(cx, ticket, question, Step::Own(fields));
            }
            Command::SetOf(room, fields) => {
                self.steps.ask(cx, ticket, temp(Some(room.clone())), Step::Room(room, fields));
            }
        }
    }

    fn on_stanza(&mut self, _: &mut Ctx<'_>, _: &Element) -> Flow {
        Flow::Next
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some((ticket, step)) = self.steps.next(token) else { return };
        if let Err(error) = self.go_on(cx, ticket, step, result) {
            cx.reply(ticket, Err(error));
        }
    }
}

impl Vcard {
    /// An answer has come. Errors end the call.
    fn go_on(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        step: Step,
        result: Result<Option<Element>, Error>,
    ) -> Result<(), Error> {
        let answer = match (step, result) {
            (Step::Read(jid), Err(error)) if error.code() == Code::StanzaError => {
                self.steps.ask(cx, ticket, temp(jid), Step::ReadTemp);
                return Ok(());
            }
            (Step::Read(jid), result) => match vcard4(result?.as_ref())? {
                Some(card) => Answer::Profile(Profile {
                    source: Some("vcard4"),
                    fields: card::read(&card, Kind::New, false),
                }),
                None => {
                    self.steps.ask(cx, ticket, temp(jid), Step::ReadTemp);
                    return Ok(());
                }
            },
            (Step::ReadTemp, Err(error)) if pep::is_nothing(&error) => Answer::Profile(Profile::default()),
            (Step::ReadTemp, result) => {
                let card = temp_of(result?)?;
                Answer::Profile(Profile {
                    // XEP-0054 §3.1: an empty card is none.
                    source: card.children().next().map(|_| TEMP),
                    fields: card::read(&card, Kind::Temp, false),
                })
            }
            (Step::Own(fields), Err(error)) if pep::has_no_service(&error) => {
                self.steps.ask(cx, ticket, temp(None), Step::OwnTemp(fields, None));
                return Ok(());
            }
            (Step::Own(fields), result) => {
                let card = match result {
                    Err(error) if pubsub::is_missing(&error) => None,
                    result => vcard4(result?.as_ref())?,
                };
                let card = card::merge(card.as_ref(), Kind::New, &fields);
                let shown = card::read(&card, Kind::New, true);
                let publication = Publication::new(NODE, Some("current".to_owned()), card);
                self.publish(cx, ticket, publication, fields, shown);
                return Ok(());
            }
            (Step::Publish(_, fields, shown), Ok(_)) => {
                self.steps.ask(cx, ticket, temp(None), Step::OwnTemp(fields, Some(shown)));
                return Ok(());
            }
            (Step::Publish(_, fields, _), Err(error)) if pep::has_no_service(&error) => {
                self.steps.ask(cx, ticket, temp(None), Step::OwnTemp(fields, None));
                return Ok(());
            }
            (Step::Publish(publication, fields, shown), Err(error)) => {
                let publication = publication.again(&error).ok_or(error)?;
                self.publish(cx, ticket, publication, fields, shown);
                return Ok(());
            }
            // There is no vcard-temp here.
            (Step::OwnTemp(_, Some(_)), Err(error)) if pep::has_no_service(&error) => Answer::Done,
            (Step::OwnTemp(fields, shown), result) => {
                let card = temp_or_none(result)?;
                let said = card.as_ref().map(|card| card::read(card, Kind::Temp, false));
                if shown.is_some_and(|shown| card::alike(&shown, &said.unwrap_or_default())) {
                    Answer::Done
                } else {
                    let question = Question {
                        set: true,
                        to: None,
                        payload: card::merge(card.as_ref(), Kind::Temp, &fields),
                    };
                    self.steps.ask(cx, ticket, question, Step::Write);
                    return Ok(());
                }
            }
            (Step::Room(room, fields), result) => {
                let card = temp_or_none(result)?;
                let question = Question {
                    set: true,
                    to: Some(room),
                    payload: card::merge(card.as_ref(), Kind::Temp, &fields),
                };
                self.steps.ask(cx, ticket, question, Step::Write);
                return Ok(());
            }
            (Step::Write, result) => result.map(|_| Answer::Done)?,
        };
        cx.reply(ticket, Ok(Reply::Vcard(answer)));
        Ok(())
    }

    fn publish(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        publication: Publication,
        fields: Vec<Field>,
        shown: Vec<Field>,
    ) {
        let question = publication.question();
        self.steps.ask(cx, ticket, question, Step::Publish(publication, fields, shown));
    }
}

/// Asks for a vcard-temp.
pub(super) fn temp(of: Option<Jid>) -> Question {
    Question {
        set: false,
        to: of,
        payload: Element::new(Kind::Temp.root(), TEMP),
    }
}

/// Reads the answer.
pub(super) fn temp_of(answer: Option<Element>) -> Result<Element, Error> {
    let card = answer.filter(|answer| answer.is(Kind::Temp.root(), TEMP));
    card.ok_or_else(|| pubsub::violation("the request for a vCard was answered with something else"))
}

/// The same, where there may be none.
pub(super) fn temp_or_none(result: Result<Option<Element>, Error>) -> Result<Option<Element>, Error> {
    match result {
        Err(error) if pep::is_nothing(&error) => Ok(None),
        result => temp_of(result?).map(Some),
    }
}

fn vcard4(answer: Option<&Element>) -> Result<Option<Element>, Error> {
    let card = pep::payload_of(answer, NODE, Kind::New.root(), VCARD4)?;
    Ok(card.map(|(_, card)| card))
}
