//! Before the first attempt: what an earlier page has left in the store.
//!
//! The memory of the account's server comes under its own key (`memory.rs`). A session and its messages are somebody's: the
//! tag's lock comes before its header, so that the page that is still at it, or a duplicate of it, keeps them (`keeper.rs`).
//! Where no tag can be had, the client makes itself a new one.

use super::attempt::Attempt;
use super::discovery::Endpoint;
use super::io::{Input, Millis, Note, Ticket, Wish};
use super::keeper::{self, CLEAN, DELIVERED, FIELD};
use super::ledger::Ledger;
use super::letting_go::ENDED;
use super::outgoing::{Kind, Outgoing, Parcel, archived};
use super::shared::never_sent;
use super::sm::Asleep;
use super::state::State;
use super::timers::Timer;
use super::tracker::Tracker;
use super::{Shared, memory};
use crate::error::Code;
use crate::jid::Jid;
use crate::stream::ns;
use crate::xml;
use core::ops::Range;

/// How long the app's store may take, in milliseconds, but no more than half of the login's time. Without an answer it is
/// as if it had kept nothing, and nothing more is written: what it holds is for a later page to find.
const TIMEOUT: u64 = 2_000;

/// How long the newest tag's lock is waited for, in milliseconds: a page that is being left still holds it for a moment.
const LOCK_WAIT: u64 = 400;

/// How many tags are kept.
const TAGS: usize = 16;

/// More stanzas than a queue may hold, and so more than a header can speak of.
const MOST: u32 = 1 << 20;

/// More messages than a client sends in its life.
const LAST: u64 = 1 << 53;

/// Asking the app's store.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) attempt: Attempt,
    memory: Option<Ticket>,
    token: Option<Ticket>,
    step: Step,
    record: String,
    segments: Vec<u32>,
    parcels: Vec<Parcel>,
}

/// What is awaited for the session's sake.
#[derive(Debug)]
enum Step {
    Tabs(Ticket),
    /// The lock of the tag at this place.
    Lock(Ticket, usize),
    Header(Ticket),
    Segment(Ticket, u32),
    Done,
}

impl Recall {
    /// Whether anything is to be asked.
    pub(crate) fn is_needed(shared: &Shared) -> bool {
        shared.config.storage && !(shared.memory.loaded && shared.keeper.loaded)
    }

    pub(crate) fn begin(shared: &mut Shared, now: Millis, attempt: Attempt, timeout: u64) -> State {
        let account = shared.config.account.clone();
        let memory = (!shared.memory.loaded).then(|| load(shared, memory::key(&account)));
        let step = match shared.keeper.tag.clone() {
            // An attempt that was broken off has come so far.
            Some(tag) => Step::Header(load(shared, keeper::header(&account, &tag))),
            None => Step::Tabs(load(shared, keeper::tabs(&account))),
        };
        shared.timers.set(Timer::Load, now.after(TIMEOUT.min(timeout / 2)));
        let mut recall = Recall {
            attempt,
            memory,
            token: None,
            step,
            record: String::new(),
            segments: Vec::new(),
            parcels: Vec::new(),
        };
        recall.look_for_token(shared);
        State::Recall(Box::new(recall))
    }

    pub(crate) fn handle(mut self: Box<Self>, shared: &mut Shared, now: Millis, input: Input<'_>) -> State {
        match (input, &self.step) {
            (Input::Loaded { id, value }, _) if Some(id) == self.memory => {
                shared.memory.recall(value.unwrap_or_default());
                shared.memory.loaded = true;
                self.memory = None;
            }
            (Input::Loaded { id, value }, _) if Some(id) == self.token => {
                let ended = shared.keeper.ended.is_some() && shared.keeper.ended == shared.keeper.tag;
                shared.recall_token(value.filter(|_| !ended).unwrap_or_default());
                self.token = None;
            }
            (Input::Loaded { id, value }, Step::Tabs(asked)) if id == *asked => {
                // A slow store may yet take out what has been ended.
                let ended = shared.keeper.ended.as_deref();
                let tags = value.unwrap_or_default().split(' ');
                let tags = tags.filter(|tag| !tag.is_empty() && Some(*tag) != ended);
                shared.keeper.tags = tags.take(2 * TAGS).map(str::to_owned).collect();
                self.lock(shared, 0);
            }
            (Input::Locked { id, held }, Step::Lock(asked, place)) if id == *asked => {
                let place = *place;
                if held {
                    self.adopt(shared, place);
                } else {
                    self.lock(shared, place + 1);
                }
            }
            (Input::Loaded { id, value }, Step::Header(asked)) if id == *asked => {
                let ended = shared.keeper.ended.is_some() && shared.keeper.ended == shared.keeper.tag;
                self.record = value.filter(|_| !ended).unwrap_or_default().to_owned();
                let fields: Vec<&str> = self.record.split(FIELD).collect();
                let listed = fields.get(12).copied().unwrap_or_default().split(' ');
                self.segments = listed.filter_map(|number| number.parse().ok()).collect();
                // The page may have ended before it could write the header that names its last one.
                let next = fields.get(11).map_or(Ok(0), |next| next.parse::<u32>());
                self.segments.extend(next.ok().filter(|_| !ended));
                self.next_segment(shared);
            }
            (Input::Loaded { id, value }, Step::Segment(asked, number)) if id == *asked => {
                let number = *number;
                let kept = self.parcels.len();
                self.parcels
                    .extend(parcels(value.unwrap_or_default(), number, &shared.config.frame));
                let count = self.parcels.len() - kept;
                if value.is_some() {
                    // One that can't be read is to be removed.
                    shared.keeper.segments.push((number, count as u32));
                }
                self.next_segment(shared);
            }
            _ => {}
        }
        if self.memory.is_some() || self.token.is_some() || !matches!(self.step, Step::Done) {
            return State::Recall(self);
        }
        shared.keeper.loaded = true;
        shared.timers.stop(Timer::Load);
        if self.record.is_empty() && shared.keeper.ended.is_some() {
            // What the page knows was forgotten with its last session, and it may end in the middle of the next login.
            shared.note(Note::Keep);
        }
        self.restore(shared);
        self.attempt.go(shared, now)
    }

    /// The store is silent. Of the server's memory it may speak as late as it likes.
    pub(crate) fn time_out(mut self, shared: &mut Shared, now: Millis) -> State {
        if self.memory.is_some() {
            shared.memory.late = self.memory;
        }
        self.break_off(shared);
        shared.memory.loaded = true;
        shared.keeper.loaded = true;
        if matches!(self.step, Step::Done) {
            // What is under way is all there, and would be written over.
            self.restore(shared);
        } else if let Some(tag) = shared.keeper.tag.take() {
            let name = keeper::header(&shared.config.account, &tag);
            shared.wish(Wish::Unlock { name });
            // With the tag goes who it was issued to.
            shared.recall_token("");
        }
        self.attempt.go(shared, now)
    }

    /// A lock that is waited for is not waited for any more.
    pub(crate) fn break_off(&self, shared: &mut Shared) {
        if let Step::Lock(id, place) = self.step
            && let Some(tag) = shared.keeper.tags.get(place)
        {
            shared.keeper.late = Some((id, keeper::header(&shared.config.account, tag)));
        }
    }

    /// Asks for the lock of the tag at this place, or makes a new one behind the last.
    fn lock(&mut self, shared: &mut Shared, place: usize) {
        let account = shared.config.account.clone();
        if let Some(tag) = shared.keeper.tags.get(place) {
            let name = keeper::header(&account, tag);
            let wait = if place == 0 { LOCK_WAIT } else { 0 };
            let id = shared.ticket();
            shared.wish(Wish::Lock { id, name, wait });
            self.step = Step::Lock(id, place);
            return;
        }
        let tag = shared.rng.id();
        let id = shared.ticket();
        // Nobody else knows of it.
        shared.wish(Wish::Lock {
            id,
            name: keeper::header(&account, &tag),
            wait: 0,
        });
        shared.keeper.tag = Some(tag.clone());
        shared.keeper.tags.insert(0, tag);
        self.list(shared);
        self.step = Step::Done;
    }

    /// The lock is held: what is under it is ours.
    fn adopt(&mut self, shared: &mut Shared, place: usize) {
        let tag = shared.keeper.tags.remove(place);
        let key = keeper::header(&shared.config.account, &tag);
        shared.keeper.tag = Some(tag.clone());
        shared.keeper.tags.insert(0, tag);
        // The page before may have asked for its resource once more, and get it yet.
        shared.ghost = true;
        if place > 0 {
            self.list(shared);
        }
        self.look_for_token(shared);
        self.step = Step::Header(load(shared, key));
    }

    /// What the tag's earlier page was issued.
    fn look_for_token(&mut self, shared: &mut Shared) {
        let Some(tag) = &shared.keeper.tag else { return };
        let key = keeper::token(&shared.config.account, tag);
        if shared.config.keep_token {
            self.token = Some(load(shared, key));
        } else {
            // The app may have thought better of it since.
            shared.store(key, None);
        }
    }

    fn list(&self, shared: &mut Shared) {
        if shared.config.keep_token {
            // A secret is not left where nobody looks any more.
            let dropped = shared.keeper.tags.iter().skip(TAGS);
            let keys: Vec<String> = dropped.map(|tag| keeper::token(&shared.config.account, tag)).collect();
            for key in keys {
                shared.store(key, None);
            }
        }
        shared.keeper.tags.truncate(TAGS);
        let list = shared.keeper.tags.join(" ");
        let key = keeper::tabs(&shared.config.account);
        shared.store(key, Some(list));
    }

    fn next_segment(&mut self, shared: &mut Shared) {
        let tag = shared.keeper.tag.clone().unwrap_or_default();
        let next = (!self.segments.is_empty()).then(|| self.segments.remove(0));
        self.step = match next {
            Some(number) => {
                let key = keeper::segment(&shared.config.account, &tag, number);
                Step::Segment(load(shared, key), number)
            }
            None => Step::Done,
        };
    }

    /// Takes up what was read. What makes no sense is left out.
    fn restore(&mut self, shared: &mut Shared) {
        if self.record.is_empty() {
            // The page ended before its first header.
            write_again(&mut self.parcels, shared, 0);
            shared
                .outbox
                .after(self.parcels.last().map_or(0, |parcel| parcel.serial));
            shared.outbox.doubts.append(&mut self.parcels);
            return;
        }
        let fields: Vec<&str> = self.record.split(FIELD).collect();
        let [
            form,
            flags,
            url,
            jid,
            id,
            acknowledged,
            handled,
            written,
            runs,
            doubts,
            waiting,
            next,
            _,
            saved,
        ] = fields[..]
        else {
            return;
        };
        let number = |text: &str| text.parse::<u32>().ok();
        let (Some(acknowledged), Some(handled), Some(written), Some(next)) =
            (number(acknowledged), number(handled), number(written), number(next))
        else {
            return;
        };
        if form != "1" {
            return;
        }
        write_again(&mut self.parcels, shared, next);
        // Nobody knows of its messages whether they have left.
        let unnamed = |parcel: &Parcel| parcel.segment.is_none();
        let mut parcels = core::mem::take(&mut self.parcels);
        parcels.sort_by_key(|parcel| parcel.serial);
        parcels.dedup_by_key(|parcel| parcel.serial);
        shared.outbox.after(parcels.last().map_or(0, |parcel| parcel.serial));
        if !saved.is_empty() {
            shared.note(Note::Restored(saved.to_owned()));
        }
        let flags = number(flags).unwrap_or_default();
        let (clean, ended) = (flags & CLEAN != 0, flags & ENDED != 0);
        shared.delivered |= flags & DELIVERED != 0;
        let jid = Jid::parse(jid).ok();
        let jid = jid.filter(|jid| jid.is_full() && jid.same_bare(&shared.config.account));
        shared.bound = jid.as_ref().and_then(Jid::resource).map(str::to_owned);
        let numbers = numbers(runs);
        let numbered = |parcel: &Parcel| numbers.iter().any(|(_, serials)| serials.contains(&parcel.serial));
        let (doubts, waiting) = (spans(doubts), spans(waiting));
        let among = |spans: &[Range<u64>], parcel: &Parcel| spans.iter().any(|span| span.contains(&parcel.serial));
        // A segment goes when all of its messages are settled, and until then holds some that are.
        let (parcels, settled): (Vec<_>, Vec<_>) = parcels.into_iter().partition(|parcel| {
            numbered(parcel) || among(&doubts, parcel) || among(&waiting, parcel) || unnamed(parcel)
        });
        for parcel in settled {
            shared.keeper.settled(&parcel);
        }
        if ended {
            // The page was gone before it could say so, or remove them.
            for parcel in parcels {
                shared.finish(parcel, Err(never_sent(Code::NotDelivered)));
            }
            return;
        }
        let endpoint = Endpoint::recalled(url, shared.config.allow_insecure).ok();
        let sane = written.wrapping_sub(acknowledged) < MOST && id.chars().all(xml::is_xml_char);
        if let (Some(jid), Some(endpoint), false, true) = (jid, endpoint, id.is_empty(), sane) {
            shared.keeper.begin(handled);
            let mut ledger = Ledger::restored(acknowledged, handled);
            let (under_way, rest): (Vec<_>, Vec<_>) = parcels.into_iter().partition(numbered);
            for parcel in under_way {
                let run = numbers.iter().find(|(_, serials)| serials.contains(&parcel.serial));
                let number = run.map_or(0, |(first, serials)| {
                    first.wrapping_add((parcel.serial - serials.start) as u32)
                });
                let ahead = number.wrapping_sub(ledger.written());
                if ahead > 0 && ahead <= written.wrapping_sub(ledger.written()) {
                    ledger.leave_room(number.wrapping_sub(1));
                    ledger.push(parcel);
                } else {
                    shared.outbox.doubts.push(parcel);
                }
            }
            ledger.leave_room(written);
            for mut parcel in rest {
                if among(&doubts, &parcel) {
                    shared.outbox.doubts.push(parcel);
                } else {
                    // Since the header was written it may have left.
                    parcel.sent = !clean || unnamed(&parcel);
                    shared.outbox.waiting.push(parcel);
                }
            }
            if shared.config.url.is_none() {
                shared.endpoints = vec![endpoint.clone()];
            }
            shared.asleep = Some(Box::new(Asleep {
                id: id.to_owned(),
                jid,
                endpoint,
                ledger,
                tracker: Tracker::default(),
                restored: true,
            }));
            return;
        }
        for mut parcel in parcels {
            if clean && among(&waiting, &parcel) {
                parcel.sent = false;
                shared.outbox.waiting.push(parcel);
            } else {
                shared.outbox.doubts.push(parcel);
            }
        }
    }
}

fn load(shared: &mut Shared, key: String) -> Ticket {
    let id = shared.ticket();
    shared.wish(Wish::Load { id, key });
    id
}

/// What no header names would be lost behind the next segment, if the page ended before it has a header. So what is still under
/// way of it then is written anew, in its place.
fn write_again(parcels: &mut [Parcel], shared: &mut Shared, next: u32) {
    shared.keeper.next_segment = next;
    for parcel in parcels.iter_mut().filter(|parcel| parcel.segment == Some(next)) {
        parcel.segment = None;
    }
    for (_, left) in shared.keeper.segments.iter_mut().filter(|(number, _)| *number == next) {
        *left = 0;
    }
}

/// The messages of a segment.
fn parcels(segment: &str, number: u32, limits: &xml::Limits) -> Vec<Parcel> {
    let mut fields = segment.split(FIELD);
    let mut parcels = Vec::new();
    while let (Some(serial), Some(frame)) = (fields.next(), fields.next()) {
        let message = xml::read(frame, limits)
            .ok()
            .filter(|element| element.is("message", ns::CLIENT));
        let to = message
            .as_ref()
            .and_then(|message| Jid::parse(message.attr("to")?).ok());
        // They begin with 1, and no client comes near the end.
        let serial = serial.parse().ok().filter(|serial| (1..=LAST).contains(serial));
        if let (Some(serial), Some(message), Some(to)) = (serial, message, to) {
            let outgoing = Outgoing {
                frame: frame.to_owned(),
                origin: None,
                kind: Kind::Deliver {
                    id: message.attr("id").unwrap_or_default().to_owned(),
                    to,
                    archived: archived(&message),
                },
                private: false,
            };
            parcels.push(Parcel {
                sent: true,
                segment: Some(number),
                ..Parcel::new(serial, outgoing)
            });
        }
    }
    parcels
}

/// The serials of messages.
fn spans(text: &str) -> Vec<Range<u64>> {
    let span = |span: &str| {
        let (serial, length) = span.split_once(':')?;
        let (serial, length): (u64, u64) = (serial.parse().ok()?, length.parse().ok()?);
        Some(serial..serial.checked_add(length)?)
    };
    text.split(' ').filter_map(span).collect()
}

/// The numbers that messages have in the count: the first one's, and their serials.
fn numbers(runs: &str) -> Vec<(u32, Range<u64>)> {
    let run = |run: &str| {
        let mut fields = run.split(':');
        let number: u32 = fields.next()?.parse().ok()?;
        let serial: u64 = fields.next()?.parse().ok()?;
        let length: u64 = fields.next()?.parse().ok()?;
        Some((number, serial..serial.checked_add(length.min(MOST.into()))?))
    };
    runs.split(' ').filter_map(run).collect()
}
