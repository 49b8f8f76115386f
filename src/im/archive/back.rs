//! Reading back, where nothing is known of the archive and yet something may have been missed.
//!
//! A server that binds a resource along with the authentication drops what it kept for somebody who was offline, since the
//! archive has it (XEP-0386 §2.2). So a client that knows no place there reads the last page, and tells of it; where there
//! is more before that, a `gap` says so. It is read behind the first presence: what comes in from then on comes by itself, and
//! what came between the resource and the presence is on the page. Until that has been done it is owed, in later sessions too, and
//! however those are bound.

use super::page;
use super::seen::Place;
use super::{Archive, Event, Gap, Point, is_sent};
use crate::im::Ctx;
use crate::xml::Element;

impl Archive {
    /// There is a resource.
    pub(super) fn bound(&mut self, cx: &Ctx<'_>) {
        // Nobody has written yet to an account that has just been made.
        let bound = cx.inline().filter(|_| !cx.is_anonymous());
        self.inline = bound.is_some();
        let Some(bound) = bound.filter(|_| self.anchor.is_none()) else {
            return;
        };
        // XEP-0386 §2.2: what the archive was like when the resource was bound.
        let end = page::end(bound.child("metadata", page::MAM));
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

    /// An entry of the last page.
    pub(super) fn last_entry(&mut self, cx: &mut Ctx<'_>, message: Option<&Element>, at: Point) {
        // It has answered, and so there is one.
        self.known = true;
        self.wait(cx);
        let id = at.id.as_deref().unwrap_or_default();
        let seen = self.seen.contains(id);
        let told = match message.filter(|message| !seen && !is_sent(message, cx.account())) {
            Some(message) => self.seen.insert(id) && self.tell(cx, message, &at),
            None => seen,
        };
        let Some(search) = &mut self.search else { return };
        search.known = search.known.saturating_add(seen.into());
        if told && search.oldest.is_none() {
            search.oldest.clone_from(&at.id);
        }
        search.last = at;
    }

    /// The last page has been read.
    pub(super) fn last_page(&mut self, cx: &mut Ctx<'_>, fin: page::Fin) {
        let Some(search) = &mut self.search else { return };
        search.backwards += 1;
        let named = |id: Place| id.filter(|id| !id.is_empty());
        let mut end = core::mem::take(&mut search.last);
        // What was too large to be read is on the page all the same.
        if let Some(last) = named(fin.last).filter(|last| end.id.as_ref() != Some(last)) {
            end.id = Some(last);
        }
        let first = named(fin.first);
        let complete = fin.complete || end.id.is_none();
        // None of what an earlier session has told is there any more.
        let forgotten = core::mem::take(&mut search.lost) && search.known == 0;
        let oldest = search.oldest.take().or(first.clone());
        search.before = first;
        search.look_back &= !complete;
        if (!complete || forgotten) && !core::mem::replace(&mut search.told, true) {
            cx.emit(Event::Archive(Gap {
                after: None,
                since: None,
                before: oldest,
            }));
        }
        if forgotten {
            // So have those in doubt, perhaps.
            self.doubt(cx);
        }
        self.owed = false;
        self.acquire(cx, end);
        self.next(cx);
    }
}
