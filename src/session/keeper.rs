//! What of a session outlives its page: enough to go on with it, and the messages under way.
//!
//! | key | value |
//! |---|---|
//! | `stanzawire:JID:tabs` | the tags of the clients that have something here, the newest first |
//! | `stanzawire:JID:TAG` | the header: where the session is, its counters, what the features have saved |
//! | `stanzawire:JID:TAG:N` | a segment: messages that were new when the header was written, and are still under way |
//! | `stanzawire:JID:TAG:token` | the token for the next login, where the app allows it (`agent.rs`) |
//!
//! The lock of the same name as the header's key keeps two clients from one another's state. A message is written once, and only
//! if it is still under way a second after it was sent; so what a message costs doesn't depend on how many are waiting. But for the
//! token no secret is among it: who resumes a session has to log in first (XEP-0198 §5).
//!
//! The fields of a record are separated by a character that neither XML nor a JID can carry.

use super::agent::Agent;
use super::io::{Millis, Note, Ticket, Wish};
use super::ledger::Ledger;
use super::letting_go;
use super::outgoing::Parcel;
use super::state::State;
use super::timers::Timer;
use super::{Said, Session, Shared};
use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;

/// The header's first field: its form.
pub(super) const FORM: &str = "1";

/// Between two fields. What features save has another one between theirs.
pub(super) const FIELD: &str = "\u{1e}";

/// How often the state is written at most, in milliseconds.
const INTERVAL: u64 = 1_000;

/// How long stanzas wait for the store, in milliseconds.
const SILENCE: u64 = 2_000;

/// Where the state of this client is kept, and how much of it is there.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// Whether the store has been asked.
    pub(crate) loaded: bool,
    /// The client's tag, whose lock it holds.
    pub(super) tag: Option<String>,
    /// All tags in the store.
    pub(super) tags: Vec<String>,
    /// The segments that are in the store, and how many of their messages are under way.
    pub(super) segments: Vec<(u32, u32)>,
    pub(super) next_segment: u32,
    /// The tag of a session that this client has ended. Whatever a store still says of it, it is over.
    pub(super) ended: Option<String>,
    /// A lock that was asked for and isn't waited for any longer.
    pub(super) late: Option<(Ticket, String)>,
    /// The list of tags was asked for, to take this one out.
    leaving: Option<(Ticket, String)>,
    /// Whether the store has failed: nothing more is written.
    broken: bool,
    /// Whether anything has changed since it was written.
    changed: bool,
    /// Whether it says that nothing was sent since it was written.
    clean: bool,
    /// Whether it is still about the session before this one.
    stale: bool,
    written: Option<Millis>,
    /// The count of handled stanzas that is in the store; where there is none yet, the one that the session began with.
    handled: u32,
    /// Whether it is to be given back after the next write.
    released: bool,
    /// Whether what leaves has to wait for one of them.
    gate: Gate,
    /// The writes that the store hasn't confirmed, and the count in those that are a header of this session's.
    pub(super) writes: Vec<(Ticket, Option<u32>)>,
}

/// Whether stanzas may leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Gate {
    #[default]
    Open,
    /// Not before a header is written.
    Asked,
    /// Not before this one is there.
    Written(Ticket),
}

impl Keeper {
    /// Whether stanzas wait until the store knows their numbers.
    pub(crate) fn is_closed(&self) -> bool {
        self.gate != Gate::Open
    }

    /// They don't, or no longer.
    pub(crate) fn open(&mut self) {
        // It knows that it doesn't know them. With those that leave first it learns the new ones.
        self.stale |= core::mem::take(&mut self.gate) != Gate::Open;
    }

    /// Something has changed that a later page should know.
    pub(crate) fn change(&mut self) {
        self.changed = true;
    }

    /// A message is under way no longer.
    pub(crate) fn settled(&mut self, parcel: &Parcel) {
        self.changed = true;
        let kept = self
            .segments
            .iter_mut()
            .find(|(number, _)| Some(*number) == parcel.segment);
        if let Some((_, left)) = kept {
            *left = left.saturating_sub(1);
        }
    }

    /// A session begins, of which the store has this count.
    pub(crate) fn begin(&mut self, handled: u32) {
        self.handled = handled;
        self.stale = true;
        for (_, of_header) in &mut self.writes {
            *of_header = None;
        }
    }

    /// By how many stanzas the store is behind `handled`; none where nothing is stored.
    pub(crate) fn stored(&self, handled: u32) -> Option<u32> {
        self.is_active().then(|| handled.wrapping_sub(self.handled))
    }

    fn is_active(&self) -> bool {
        self.tag.is_some() && self.loaded && !self.broken
    }
}

/// The key of the list of tags.
pub(super) fn tabs(account: &Jid) -> String {
    ["stanzawire:", account.as_str(), ":tabs"].concat()
}

/// The key of a client's header, and the name of its lock.
pub(super) fn header(account: &Jid, tag: &str) -> String {
    ["stanzawire:", account.as_str(), ":", tag].concat()
}

/// The key of the token that the client was issued.
pub(super) fn token(account: &Jid, tag: &str) -> String {
    header(account, tag) + ":token"
}

/// The key of a segment.
pub(super) fn segment(account: &Jid, tag: &str, number: u32) -> String {
    [&header(account, tag), ":", &decimal(number.into())].concat()
}

impl Shared {
    /// A message is about to be sent, or put in line. A header that says that nothing has been since would be wrong, and so would
    /// one by which a message that is in the store has left with another session, as far as the server had handled that.
    pub(crate) fn keep_before_message(&mut self, stored: bool) {
        self.keeper.changed = true;
        if (self.keeper.clean || self.keeper.stale && stored) && self.keeper.is_active() {
            (self.keeper.clean, self.keeper.stale) = (false, false);
            self.note(Note::Keep);
        }
    }

    /// A session goes on, and what is sent in it from now on may get numbers that the store has of other stanzas: of messages, which a
    /// later page would take for handled, or not. So nothing leaves before it has forgotten those.
    pub(crate) fn renumber(&mut self, now: Millis) {
        if self.keeper.is_active() && self.keeper.segments.iter().any(|(_, left)| *left > 0) {
            self.keeper.clean = false;
            self.keeper.gate = Gate::Asked;
            self.timers.set(Timer::Numbers, now.after(SILENCE));
            self.note(Note::Keep);
        }
    }

    /// What has been handled is to be stored, as soon as it may.
    pub(crate) fn keep_soon(&mut self, now: Millis) {
        match self.keeper.written.map(|written| written.after(INTERVAL)) {
            Some(due) if due > now => self.timers.set(Timer::Keep, due),
            _ => self.note(Note::Keep),
        }
    }

    /// The page may be gone the next moment.
    pub(crate) fn keep_now(&mut self) {
        if self.keeper.is_active() && (self.keeper.changed || !self.keeper.clean) {
            self.keeper.clean = true;
            self.note(Note::Keep);
        }
    }

    /// Sees to it that what has changed is written.
    pub(super) fn keep_later(&mut self, now: Millis) {
        if self.keeper.changed && self.keeper.is_active() && self.timers.due(Timer::Keep).is_none() {
            self.timers.set(Timer::Keep, now.after(INTERVAL));
        }
    }

    /// Nothing is left to be kept, and the lock is given back. What hasn't been read yet is still another page's, and stays. The writes
    /// each of which makes sure that no later page finds a message.
    pub(super) fn forget_kept(&mut self, given_up: &[(Parcel, Error)]) -> Vec<Ticket> {
        let keeper = self.end_keeper();
        let mut writes = Vec::new();
        let Some(tag) = keeper.tag else { return writes };
        if keeper.loaded {
            self.keeper.ended = Some(tag.clone());
        }
        let account = self.config.account.clone();
        if self.config.keep_token && keeper.loaded {
            // One that takes nothing any more may still let go.
            self.store(token(&account, &tag), None);
        }
        if !keeper.broken && keeper.loaded {
            if !keeper.segments.is_empty() {
                // A page may end between any two of these: without a header, a segment is of one that wasn't written yet.
                let given_up = spans(given_up.iter().map(|(parcel, _)| parcel));
                let ended = letting_go::ended(&given_up, keeper.next_segment, &keeper.segments);
                writes.push(self.store(header(&account, &tag), Some(ended)));
            }
            for (number, _) in keeper.segments {
                self.store(segment(&account, &tag, number), None);
            }
            writes.push(self.store(header(&account, &tag), None));
            // Others may have written their tags into the list since it was read.
            let id = self.ticket();
            let key = tabs(&account);
            self.wish(Wish::Load { id, key });
            self.keeper.leaving = Some((id, tag.clone()));
        }
        self.wish(Wish::Unlock {
            name: header(&account, &tag),
        });
        writes
    }

    /// The list of tags has come, for a client that has ended.
    pub(super) fn leave_tabs(&mut self, id: Ticket, list: &str) {
        let Some((_, tag)) = self.keeper.leaving.take_if(|(asked, _)| *asked == id) else {
            return;
        };
        let tags: Vec<&str> = list
            .split(' ')
            .filter(|other| !other.is_empty() && *other != tag)
            .collect();
        let list = (!tags.is_empty()).then(|| tags.join(" "));
        self.store(tabs(&self.config.account), list);
    }

    /// What was restored is left to the next attempt, whoever makes it.
    pub(crate) fn release_kept(&mut self) {
        if self.keeper.tag.is_some() {
            self.keeper.released = true;
            self.note(Note::Keep);
        }
    }

    /// A keeper that knows nothing takes the place of the one there was. A lock may still come.
    fn end_keeper(&mut self) -> Keeper {
        self.timers.stop(Timer::Keep);
        self.agent = Agent::default();
        let mut keeper = core::mem::take(&mut self.keeper);
        self.keeper = Keeper {
            ended: keeper.ended.take(),
            late: keeper.late.take(),
            leaving: keeper.leaving.take(),
            ..Keeper::default()
        };
        keeper
    }

    /// The state has been written for the last time.
    fn unlock(&mut self) {
        let keeper = self.end_keeper();
        self.asleep = None;
        self.bound = None;
        self.outbox.doubts.clear();
        self.outbox.waiting.clear();
        if let Some(tag) = keeper.tag {
            let name = header(&self.config.account, &tag);
            self.wish(Wish::Unlock { name });
        }
    }

    /// The store has taken a write, or not. Whether that says how much of what was handled is in it.
    pub(super) fn stored(&mut self, id: Ticket, kept: bool) -> bool {
        if self.keeper.gate == Gate::Written(id) {
            self.keeper.open();
            self.timers.stop(Timer::Numbers);
        }
        let Some(place) = self.keeper.writes.iter().position(|(write, _)| *write == id) else {
            return false;
        };
        let (_, handled) = self.keeper.writes.remove(place);
        if let Some(handled) = handled.filter(|_| kept) {
            self.keeper.handled = handled;
        }
        if kept || self.keeper.broken {
            return handled.is_some();
        }
        self.keeper.broken = true;
        self.timers.stop(Timer::Keep);
        // What is there would be out of date.
        let account = self.config.account.clone();
        if let Some(tag) = self.keeper.tag.clone() {
            self.store(header(&account, &tag), None);
            for (number, _) in core::mem::take(&mut self.keeper.segments) {
                self.store(segment(&account, &tag, number), None);
            }
        }
        let message = "the store failed: what is under way will not outlive the page";
        self.note(Note::Failed(Error::new(Code::StorageFailed, Phase::Session, message)));
        true
    }

    pub(super) fn store(&mut self, key: String, value: Option<String>) -> Ticket {
        let id = self.ticket();
        self.wish(Wish::Store { id, key, value });
        id
    }
}

impl Session {
    /// Writes the state, with what the features want saved: see [`Note::Keep`].
    pub fn keep(&mut self, now: Millis, saved: &str) {
        let released = self.shared.keeper.released;
        self.write(now, saved);
        if self.shared.keeper.gate == Gate::Asked {
            // There is no store any more that it could be told to.
            self.shared.keeper.open();
            self.flush(now);
        }
        if released {
            self.shared.unlock();
        }
    }

    fn write(&mut self, now: Millis, saved: &str) {
        let shared = &mut self.shared;
        shared.timers.stop(Timer::Keep);
        if !shared.keeper.is_active() {
            return;
        }
        let none = &mut Ledger::default();
        let (id, url, jid, ledger) = match (&mut self.state, shared.asleep.as_deref_mut()) {
            (State::Online(online), _) => {
                let id = online.id().unwrap_or_default().to_owned();
                let (url, jid) = (online.endpoint().kept(), online.jid().clone());
                (id, url, Some(jid), online.ledger_mut())
            }
            // It is being ended.
            (State::Closing(_), _) => return,
            (_, Some(asleep)) => {
                let (id, url) = (asleep.id.clone(), asleep.endpoint.kept());
                (id, url, Some(asleep.jid.clone()), &mut asleep.ledger)
            }
            // There is none; the next one throws out what may be left of the last, by its resource (RFC 6120 §7.7.2.2).
            _ => {
                let resource = shared.bound.as_deref();
                let jid = resource.and_then(|resource| shared.config.account.with_resource(resource).ok());
                (String::new(), String::new(), jid, none)
            }
        };
        let keeper = &mut shared.keeper;
        let Some(tag) = keeper.tag.clone() else { return };
        let number = keeper.next_segment;
        let mut fresh = Vec::new();
        let runs = {
            let outbox = &mut shared.outbox;
            let all = ledger
                .iter_mut()
                .chain(&mut outbox.doubts)
                .chain(&mut outbox.waiting)
                .filter(|parcel| parcel.is_message() && parcel.segment.is_none());
            for parcel in all {
                parcel.segment = Some(number);
                fresh.push(decimal(parcel.serial as i64));
                fresh.push(parcel.outgoing.frame.clone());
            }
            runs(ledger)
        };
        if !fresh.is_empty() {
            keeper.segments.push((number, fresh.len() as u32 / 2));
            keeper.next_segment = number.wrapping_add(1);
        }
        // A page may end behind the segment, which no header names then. It must not be taken for one of the session before.
        let ahead = (keeper.stale && !fresh.is_empty()).then_some(number);
        let rewritten = (!fresh.is_empty()).then_some(number);
        let gone: Vec<u32> = keeper
            .segments
            .iter()
            .filter(|(gone, left)| *left == 0 && Some(*gone) != rewritten)
            .map(|(number, _)| *number)
            .collect();
        keeper.segments.retain(|(_, left)| *left > 0);
        let segments = |without: Option<u32>| {
            let segments = keeper.segments.iter().filter(|(number, _)| Some(*number) != without);
            let segments: Vec<String> = segments.map(|(number, _)| decimal((*number).into())).collect();
            segments.join(" ")
        };
        let named = ahead.map(|number| (number, segments(ahead)));
        let named = [named, Some((keeper.next_segment, segments(None)))];
        // A message that an earlier page may have sent waits like one that nobody has.
        let left = |parcel: &Parcel| parcel.is_message() && parcel.sent && !parcel.unhandled;
        keeper.clean &= !shared.outbox.waiting.iter().any(left);
        let [doubts, waiting] = [&shared.outbox.doubts, &shared.outbox.waiting].map(|parcels| spans(parcels.iter()));
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let flags = decimal((flag(keeper.clean, CLEAN) | flag(shared.delivered, DELIVERED)).into());
        let [ahead, record] = named.map(|named| {
            let (next, segments) = named?;
            let fields = [
                FORM,
                &flags,
                &url,
                jid.as_ref().map(Jid::as_str).unwrap_or_default(),
                &id,
                &decimal(ledger.acknowledged().into()),
                &decimal(ledger.handled.into()),
                &decimal(ledger.written().into()),
                &runs,
                &doubts,
                &waiting,
                &decimal(next.into()),
                &segments,
                saved,
            ];
            Some(fields.join(FIELD))
        });
        (keeper.changed, keeper.stale) = (false, false);
        keeper.written = Some(now);
        let handled = ledger.handled;
        let account = shared.config.account.clone();
        // A page may end between any two of these. What is gone goes first, while there is a header that names it.
        let gone = gone.into_iter().map(|number| (segment(&account, &tag, number), None));
        let mut stores: Vec<(String, Option<String>)> = gone.collect();
        let header = header(&account, &tag);
        if ahead.is_some() {
            stores.push((header.clone(), ahead));
        }
        if !fresh.is_empty() {
            stores.push((segment(&account, &tag, number), Some(fresh.join(FIELD))));
        }
        stores.push((header.clone(), record));
        // It was asked for before what has been said since.
        for (key, value) in stores.into_iter().rev() {
            let id = shared.ticket();
            if value.is_some() {
                shared.keeper.writes.push((id, (key == header).then_some(handled)));
            }
            if shared.keeper.gate == Gate::Asked {
                // The last is the one that counts.
                shared.keeper.gate = Gate::Written(id);
            }
            shared.said.push_front(Said::Wish(Wish::Store { id, key, value }));
        }
    }
}

/// What the header's second field adds up to. Nothing was sent since it was written.
pub(super) const CLEAN: u32 = 1;

/// The server has taken something that its archive should have.
pub(super) const DELIVERED: u32 = 2;

/// Which messages are among these: `SERIAL:LENGTH` for each run.
fn spans<'a>(parcels: impl Iterator<Item = &'a Parcel>) -> String {
    let mut spans: Vec<[u64; 2]> = Vec::new();
    for parcel in parcels.filter(|parcel| parcel.is_message()) {
        match spans.last_mut() {
            Some([serial, length]) if *serial + *length == parcel.serial => *length += 1,
            _ => spans.push([parcel.serial, 1]),
        }
    }
    let span = |span: [u64; 2]| span.map(|number| decimal(number as i64)).join(":");
    spans.into_iter().map(span).collect::<Vec<_>>().join(" ")
}

/// Which messages have which numbers in the session's count: `NUMBER:SERIAL:LENGTH` for each run of both.
fn runs(ledger: &Ledger) -> String {
    let mut runs: Vec<[u64; 3]> = Vec::new();
    let mut number = ledger.acknowledged();
    for parcel in ledger.iter() {
        number = number.wrapping_add(1);
        if !parcel.is_message() {
            continue;
        }
        match runs.last_mut() {
            Some([first, serial, length])
                if (*first as u32).wrapping_add(*length as u32) == number && *serial + *length == parcel.serial =>
            {
                *length += 1;
            }
            _ => runs.push([number.into(), parcel.serial, 1]),
        }
    }
    let run = |run: [u64; 3]| run.map(|number| decimal(number as i64)).join(":");
    runs.into_iter().map(run).collect::<Vec<_>>().join(" ")
}
