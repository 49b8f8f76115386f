//! Pages of archives on their way to calls: what is asked, what has come of it, and how it ends.
//!
//! A page is bounded, whatever a server sends; several are read at once, each by a query id of its own.

use super::Query;
use crate::error::{Code, Error, Phase};
use crate::im::archive::page::{self, Entry, From};
use crate::im::archive::weight;
use crate::im::chat::{self, Message};
use crate::im::disco::INFO;
use crate::im::{Ctx, known, rooms};
use crate::jid::Jid;
use crate::session::{Ticket, Token};
use crate::xml::Element;

/// What an archive says of itself that knows more than `with`, `start` and `end` (XEP-0313 §7).
const EXTENDED: &str = "urn:xmpp:mam:2#extended";

/// How many bytes of a page are kept, roughly.
const BYTES: usize = 4 << 20;

/// In how many sessions more a page is asked for whose session has ended.
const TRIES: u8 = 3;

/// Of how many archives it is remembered what they know.
const ARCHIVES: usize = 100;

/// The pages that are being read.
#[derive(Debug, Default)]
pub(in crate::im) struct Readings {
    // A page is handed on in its box: each move of all its fields is code.
    #[expect(clippy::vec_box, reason = "they leave it in their boxes")]
    open: Vec<Box<Reading>>,
    /// Which archives are known to know more, and which not, in this session.
    extended: Vec<(Option<Jid>, bool)>,
}

/// A page that is being read for a call.
#[derive(Debug)]
pub(in crate::im) struct Reading {
    ticket: Ticket,
    pub(in crate::im) query: Box<Query>,
    pub(in crate::im) cursor: Option<String>,
    /// Where it ends before the archive does: this entry is the first that isn't wanted any more, or the last that is.
    pub(in crate::im) end: Option<End>,
    /// Nothing up to this entry is wanted.
    pub(in crate::im) floor: Option<String>,
    /// The archive itself is asked first what it knows.
    asks_features: bool,
    /// The query's id.
    id: String,
    /// The entries so far, those without anything to tell among them.
    entries: Vec<(String, Option<Box<Message>>, usize)>,
    /// There have been some.
    any: bool,
    /// It was asked for in so many sessions that have ended.
    tries: u8,
    /// How many bytes they are.
    bytes: usize,
    /// There was more than a page holds.
    over: bool,
    /// There is nothing more that is wanted, whatever the archive has.
    ended: bool,
}

/// The end of what is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::im) struct End {
    pub(in crate::im) id: String,
    /// It is wanted itself.
    pub(in crate::im) included: bool,
}

/// What a page has brought.
#[derive(Debug)]
pub(in crate::im) struct Read {
    /// The archive's entries in the order asked for, each with its id.
    pub(in crate::im) messages: Vec<(String, Box<Message>)>,
    /// Where the next page goes on, if there is one.
    pub(in crate::im) next: Option<String>,
    /// The archive had an entry, whether there is anything to tell of it or not.
    pub(in crate::im) any: bool,
}

impl Readings {
    /// A new session: whatever was known of archives may have changed.
    pub(in crate::im) fn forget(&mut self) {
        self.extended.clear();
    }

    /// Asks for a page. The end of it comes out of [`Readings::answered`].
    ///
    /// # Errors
    /// What the call is to be rejected with.
    pub(in crate::im) fn begin(&mut self, cx: &mut Ctx<'_>, mut reading: Box<Reading>) -> Result<(), Error> {
        self.ask(cx, &mut reading)?;
        self.open.push(reading);
        Ok(())
    }

    fn ask(&self, cx: &mut Ctx<'_>, reading: &mut Reading) -> Result<(), Error> {
        let of = &reading.query.of;
        let known = self.extended.iter().find(|(archive, _)| archive == of);
        let fields = match known {
            _ if !reading.query.is_extended() => reading.query.fields(false),
            None => {
                // §4.1: who depends on these fields makes sure of them before.
                reading.asks_features = true;
                let archive = of.clone().unwrap_or_else(|| cx.account().to_bare());
                let question = Element::new("query", INFO);
                return cx.ask(false, Some(archive), question, Token::Call(reading.ticket));
            }
            Some((_, true)) => reading.query.fields(true),
            Some((_, false)) => {
                reading.do_without()?;
                reading.query.fields(false)
            }
        };
        reading.asks_features = false;
        reading.entries.clear();
        reading.bytes = 0;
        (reading.any, reading.over, reading.ended) = (false, false, false);
        reading.id = cx.id();
        let cursor = reading.cursor.as_deref().or(reading.query.from());
        let from = match reading.query.newest {
            true => From::Before(cursor),
            false => From::After(cursor),
        };
        let query = page::among(&reading.id, &from, reading.query.page, &fields);
        cx.ask(true, reading.query.of.clone(), query, Token::Call(reading.ticket))
    }

    /// Takes an entry of one of the pages; whether it is one.
    pub(in crate::im) fn take(&mut self, cx: &Ctx<'_>, stanza: &Element) -> bool {
        let account = cx.account();
        for reading in self.open.iter_mut().filter(|reading| !reading.asks_features) {
            let archive = reading.query.of.as_ref().unwrap_or(account);
            if let Some(entry) = page::entry_of(stanza, &reading.id, archive, account) {
                let told = read(cx, &entry, archive);
                reading.push(entry.point.id.unwrap_or_default(), told, weight(stanza));
                return true;
            }
        }
        false
    }

    /// A question has been answered, or won't be; if that is the end of a page, which, and what has come of it.
    pub(in crate::im) fn answered(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        result: Result<Option<Element>, Error>,
    ) -> Option<(Box<Reading>, Result<Read, Error>)> {
        let place = self.open.iter().position(|reading| reading.ticket == ticket)?;
        let mut reading = self.open.swap_remove(place);
        let again = match result {
            // The session is over. The next one has the same archives, unless it is they that end it.
            Err(error) if error.code() == Code::Closed && reading.tries < TRIES && !cx.is_anonymous() => {
                reading.tries += 1;
                self.ask(cx, &mut reading).map_err(|_| error)
            }
            result if reading.asks_features => self
                .learn(&reading.query.of, result)
                .and_then(|()| self.ask(cx, &mut reading)),
            result => {
                let read = result.and_then(|payload| reading.close(payload.as_ref(), cx.account()));
                return Some((reading, read));
            }
        };
        match again {
            Ok(()) => {
                self.open.push(reading);
                None
            }
            Err(error) => Some((reading, Err(error))),
        }
    }

    /// An archive has said what it knows.
    fn learn(&mut self, of: &Option<Jid>, result: Result<Option<Element>, Error>) -> Result<(), Error> {
        let extended = match result {
            Ok(info) => {
                let info = info.filter(|info| info.is("query", INFO));
                let info = info.ok_or_else(|| unfit("the archive answered something else than what it knows"))?;
                let mut features = info.all("feature", INFO);
                features.any(|feature| feature.attr("var") == Some(EXTENDED))
            }
            // One that says nothing of itself knows no more than it must.
            Err(error) if error.code() == Code::StanzaError => false,
            Err(error) => return Err(error),
        };
        if self.extended.len() >= ARCHIVES {
            self.extended.swap_remove(0);
        }
        self.extended.push((of.clone(), extended));
        Ok(())
    }
}

impl Reading {
    /// A page of what is asked for, behind the one that ended there.
    pub(in crate::im) fn new(ticket: Ticket, query: Box<Query>, cursor: Option<String>) -> Box<Reading> {
        Box::new(Reading {
            ticket,
            query,
            cursor,
            end: None,
            floor: None,
            asks_features: false,
            id: String::new(),
            entries: Vec::new(),
            any: false,
            tries: 0,
            bytes: 0,
            over: false,
            ended: false,
        })
    }

    /// The archive knows no more fields than it must. Where nothing is left out that it has, the entry that it is to end at comes by.
    fn do_without(&mut self) -> Result<(), Error> {
        let query = &self.query;
        if query.ids.is_some() || query.with.is_some() || query.start.is_some() || query.end.is_some() {
            let message = "the archive can't be asked like that: it knows no ids beside those that a page begins or ends at";
            let error = Error::new(Code::StanzaError, Phase::Stanza, message);
            return Err(error.with_condition("feature-not-implemented").with_retryable(false));
        }
        match query.newest {
            true => self.floor.clone_from(&query.after),
            false => {
                self.end = query.before.clone().map(|id| End { id, included: false });
            }
        }
        Ok(())
    }

    fn push(&mut self, id: String, message: Option<Box<Message>>, bytes: usize) {
        self.any = true;
        let newest = self.query.newest;
        if !newest && (self.ended || self.over) {
            return;
        }
        let end = self.end.as_ref().filter(|end| end.id == id).map(|end| end.included);
        self.ended |= end.is_some();
        if end == Some(false) {
            return;
        }
        if self.floor.as_ref() == Some(&id) {
            self.entries.clear();
            self.bytes = 0;
            self.over = false;
            self.ended |= newest;
            return;
        }
        // XEP-0059 §2.1: a page is no longer than was asked for. Of one that is, those count that are next to the page before.
        let most = self.query.page as usize;
        while let Some((_, _, first)) = self.entries.first()
            && (self.entries.len() >= most || self.bytes.saturating_add(bytes) > BYTES)
        {
            self.over = true;
            if !newest {
                return;
            }
            self.bytes = self.bytes.saturating_sub(*first);
            self.entries.remove(0);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push((id, message, bytes));
    }

    /// The page has come to its end.
    fn close(&mut self, payload: Option<&Element>, account: &Jid) -> Result<Read, Error> {
        let fin = page::fin(payload).filter(|fin| fin.complete || fin.set);
        let fin = fin.ok_or_else(|| unfit("the archive didn't end the page as XEP-0313 has it"))?;
        let complete = (fin.complete || self.ended) && !self.over;
        let (named, kept) = match self.query.newest {
            true => (fin.first, self.entries.first()),
            false => (fin.last, self.entries.last()),
        };
        // What was too large to be read is on the page all the same, and so is what isn't told.
        let named = named.filter(|id| !id.is_empty() && !self.over);
        let next = named.or(kept.map(|(id, ..)| id.clone())).filter(|_| !complete);
        let asked = self.cursor.as_deref().or(self.query.from());
        if self.any && !complete && next.as_deref().is_none_or(|next| Some(next) == asked) {
            return Err(unfit("the archive's pages lead nowhere"));
        }
        let next = next.filter(|next| Some(next.as_str()) != asked);
        let entries = core::mem::take(&mut self.entries);
        let told = |(id, message, _): (String, Option<Box<Message>>, usize)| Some((id, message?));
        let mut messages: Vec<_> = entries.into_iter().filter_map(told).collect();
        known::sift(&mut messages, account);
        if self.query.newest {
            messages.reverse();
        }
        Ok(Read {
            messages,
            next,
            any: self.any,
        })
    }
}

/// What listeners would have been told of an entry, if anything.
fn read(cx: &Ctx<'_>, entry: &Entry<'_>, archive: &Jid) -> Option<Box<Message>> {
    let account = cx.account();
    let message = entry.message?;
    let mut room = None;
    if !archive.same_bare(account) {
        // §6.1.2: what a room keeps was said in it, and by whom else would be for the room to say.
        let from = message.attr("from").and_then(|from| Jid::parse(from).ok())?;
        if !from.same_bare(archive) || (from.is_full() && rooms::moderation(message).is_some()) {
            return None;
        }
        room = Some(from);
    }
    let mut told = chat::read(message, account)?;
    if let Some(from) = room {
        rooms::mark(cx.facts, &from, &mut told, false);
    }
    let mut told = chat::believed(cx, told, true)?;
    told.stanza_id.clone_from(&entry.point.id);
    told.delay = entry.point.stamp.clone().or(told.delay);
    Some(told)
}

/// The archive's answer is none.
pub(super) fn unfit(message: &'static str) -> Error {
    Error::new(Code::ProtocolViolation, Phase::Stanza, message)
}
