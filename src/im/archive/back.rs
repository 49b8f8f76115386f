//! Reading back, where nothing is known of the archive and yet something may have been missed.
//!
//! A server that binds a resource along with the authentication drops what it kept for somebody who was offline, since the
//! archive has it, and says what the archive is like (XEP-0386 §2.2). So a client that knows no place there reads the last 100 entries, and tells of them; where
//! there are more before them, a `gap` says so. They are read behind the first presence: what comes in from then on comes by itself,
//! and what came between the resource and the presence is among them. Until that has been done it is owed, in later sessions
//! too, and however those are bound.

use super::page;
use super::search::{BACKWARD_PAGES, Search, Step};
use super::seen::Place;
use super::{Archive, Gap, Point, is_sent};
use crate::im::{Ctx, chat};
use crate::stanza::delay;
use crate::xml::Element;

/// How many entries are read back.
const BACK: u32 = 100;

impl Archive {
    /// There is a resource.
    pub(super) fn bound(&mut self, cx: &Ctx<'_>) {
        // Nobody has written yet to an account that has just been made.
        let bound = cx.inline().filter(|_| !cx.is_anonymous());
        self.inline = bound.is_some();
        // XEP-0386 §2.2: what the archive was like when the resource was bound. A server that doesn't look at it then doesn't
        // drop what it keeps in its name either, such as Prosody's module.
        let metadata = bound.and_then(|bound| bound.child("metadata", page::MAM));
        let Some(metadata) = metadata.filter(|_| self.anchor.is_none()) else {
            return;
        };
        let end = page::end(Some(metadata));
        let empty = end.is_some_and(|end| end.id.is_none());
        if empty && self.seen.is_empty() && cx.doubts().is_empty() {
            // All that it will have is new.
            self.anchor = Some(Point::default());
            self.marks.begin(Some(None));
            self.owed = false;
        } else {
            self.owed = true;
        }
    }

    /// An entry of a page at the end.
    pub(super) fn last_entry(&mut self, cx: &mut Ctx<'_>, message: Option<&Element>, at: Point) {
        // It has answered, and so there is one.
        self.known = true;
        self.wait(cx);
        if let Some(search) = &mut self.search {
            // XEP-0059 §2.1: a page is no longer than was asked for. Of one that is, the newest count.
            if search.page.len() >= BACK as usize {
                search.page.remove(0);
                search.over = true;
            }
            search.page.push((at, message.cloned()));
        }
    }

    /// A page at the end has been read.
    pub(super) fn last_page(&mut self, cx: &mut Ctx<'_>, fin: page::Fin) {
        let Some(search) = &mut self.search else { return };
        search.backwards += 1;
        let named = |id: Place| id.filter(|id| !id.is_empty());
        let read = core::mem::take(&mut search.page);
        let over = core::mem::take(&mut search.over);
        let first = named(fin.first).filter(|_| !over).or(read.first().and_then(|(at, _)| at.id.clone()));
        if search.before.is_none() {
            // What was too large to be read is on the page all the same.
            let end = read.last().map(|(at, _)| at.clone()).unwrap_or_default();
            search.last = match named(fin.last).filter(|last| end.id.as_ref() != Some(last)) {
                Some(last) => Point {
                    id: Some(last),
                    stamp: None,
                },
                None => end,
            };
        }
        let complete = !over && (fin.complete || first.is_none());
        let moved = !read.is_empty() && first != search.before;
        search.before = first.or(search.before.take());
        search.back.splice(..0, read);
        if !complete && moved && search.left() > 0 && search.backwards < BACKWARD_PAGES {
            // A server may have shorter pages than it is asked for (XEP-0059 §2.1).
            return self.go(cx, Step::Last);
        }
        search.look_back &= !complete;
        self.tell_back(cx, complete);
    }

    /// Tells of what has been read, oldest first.
    pub(super) fn tell_back(&mut self, cx: &mut Ctx<'_>, complete: bool) {
        let Some(search) = &mut self.search else { return };
        let back = core::mem::take(&mut search.back);
        let end = core::mem::take(&mut search.last);
        let lost = core::mem::take(&mut search.lost);
        let held = core::mem::take(&mut search.held);
        let mut oldest = None;
        let mut met = false;
        // Some servers don't drop what they kept, and a session that goes on has its own. What isn't among the newest came
        // before them, if it was late, or before one of them.
        let account = cx.account();
        let is_read = |stanza: &Element| {
            let id = chat::stanza_id(stanza, account.bare_str());
            back.iter().any(|(at, _)| at.id.as_deref() == id)
        };
        let mut first = held.iter().position(is_read).unwrap_or_default();
        let (older, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|stanza| {
            let before = first > 0;
            first = first.saturating_sub(1);
            !back.is_empty() && (before || delay(stanza).is_some()) && !is_read(stanza)
        });
        search.held = held;
        self.let_through(cx, older);
        for (at, message) in &back {
            let id = at.id.as_deref().unwrap_or_default();
            let seen = self.seen.contains(id);
            met |= seen;
            let told = match message.as_ref().filter(|message| !seen && !is_sent(message, cx.account())) {
                Some(message) => self.seen.insert(id) && self.tell(cx, message, at),
                None => seen,
            };
            if told && oldest.is_none() {
                oldest.clone_from(&at.id);
            }
        }
        // None of what an earlier session has told is there any more: nor are those in doubt, perhaps.
        let forgotten = lost && !met;
        if forgotten {
            self.doubt(cx);
        }
        let Some(search) = &mut self.search else { return };
        if (!complete || forgotten) && !core::mem::replace(&mut search.told, true) {
            let first = back.into_iter().next().and_then(|(at, _)| at.id);
            let (after, since, before) = (None, None, oldest.or(first));
            self.tell_gap(cx, Gap { room: None, after, since, before });
        }
        self.owed = false;
        self.acquire(cx, end);
        self.next(cx);
    }
}

impl Search {
    /// How many entries are still to be read back.
    pub(super) fn left(&self) -> u32 {
        BACK.saturating_sub(u32::try_from(self.back.len()).unwrap_or(BACK))
    }
}
