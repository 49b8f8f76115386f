//! Whether what the search began with is still in the archive.
//!
//! A server need not say that an entry is gone: Prosody's default store shows nothing behind one that it doesn't have, and
//! says that this is all; ejabberd's ids are times, and it shows what is left of what came later. But servers throw away the
//! oldest first (§3.2), and so nothing behind an entry that is there has been thrown away. One that is before the first entry
//! found is such a one, whichever it is; where none was found, the newest has to be the one that the search began with.

use super::page;
use super::search::{BACKWARD_PAGES, Search, Step};
use super::seen::Place;
use super::{Archive, Gap};
use crate::im::Ctx;

impl Archive {
    /// The entry before those that were found, or the newest, if there is one.
    pub(super) fn proof(&mut self, cx: &mut Ctx<'_>, fin: &page::Fin) {
        let Some(search) = &mut self.search else { return };
        let ends = [&fin.first, &fin.last].map(|end| end.as_ref().filter(|id| !id.is_empty()));
        let any = search.entries || ends.iter().any(Option::is_some);
        let origin = search.reached || ends.contains(&search.origin.as_ref());
        let known = if search.first.is_some() { any } else { origin };
        if known {
            search.proven = true;
            if !search.more && self.seam.is_none() {
                // And so is all that was read since.
                search.seam = None;
            }
            return self.proceed(cx);
        }
        if let (None, [Some(oldest), _]) = (&search.first, ends)
            && (search.probe.is_none() || !fin.complete && search.backwards < BACKWARD_PAGES)
        {
            // It may have come in just now, and so may more than a page holds.
            search.backwards += u32::from(search.probe.is_some());
            search.probe = Some(oldest.clone());
            return self.go(cx, Step::Proof);
        }
        self.missing(cx);
    }

    /// The entry before the second page, if there is one: while pages are read, the archive may throw away what is on none of them yet.
    pub(super) fn seam(&mut self, cx: &mut Ctx<'_>, fin: &page::Fin) {
        let Some(search) = &mut self.search else { return };
        let mut ends = [&fin.first, &fin.last].into_iter().flatten();
        if search.entries || ends.any(|id| !id.is_empty()) {
            (search.seam, self.seam) = (None, None);
            return self.next(cx);
        }
        self.torn(cx);
    }

    /// Nothing is left of what lay before the second page, and perhaps behind the first.
    pub(super) fn torn(&mut self, cx: &mut Ctx<'_>) {
        self.doubt(cx);
        let Some(search) = &mut self.search else { return };
        search.told = true;
        self.seam = None;
        if let Some((first, after)) = search.seam.take() {
            let (since, before) = (None, None);
            self.tell_gap(cx, Gap { room: None, after, since, before });
            // What is behind it has been told of already.
            self.first = Some(first);
        }
        self.next(cx);
    }

    /// Nobody can say what was thrown away.
    pub(super) fn missing(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = &mut self.search else { return };
        if search.behind && search.more {
            // The anchor may still come, and make up for it.
            return self.proceed(cx);
        }
        if search.first.is_none() {
            return self.gone(cx);
        }
        // What is left has been read.
        let (met, first) = (search.met, search.first.clone());
        self.doubt(cx);
        if !met {
            self.gap(cx);
            // What is behind it has been told of already.
            self.first = first;
        }
        self.proceed(cx);
    }

    /// §4.3.2: the entry that the search went on from is no longer there.
    pub(super) fn gone(&mut self, cx: &mut Ctx<'_>) {
        // The oldest go first (§3.2): so have those in doubt, perhaps.
        self.doubt(cx);
        let Some(search) = &mut self.search else { return };
        let anchor = self.anchor.as_ref();
        let after = anchor.and_then(|anchor| anchor.id.clone());
        if search.cursor != after {
            search.start(after);
            self.go(cx, Step::Forward);
        } else if anchor.is_some_and(|anchor| anchor.stamp.is_some()) {
            self.gap(cx);
            self.go(cx, Step::Start);
        } else {
            self.lose(cx);
        }
    }
}

impl Archive {
    /// Nobody can say any longer, nor in a later session, what has become of those messages in doubt that aren't found.
    pub(super) fn doubt(&mut self, cx: &Ctx<'_>) {
        self.undecided |= !cx.doubts().is_empty();
    }

    /// Whether what isn't found could be sent again.
    pub(super) fn may_decide(&self, cx: &Ctx<'_>) -> bool {
        !self.undecided && !cx.doubts().is_empty()
    }
}

impl Search {
    /// Begins here, of which nothing is proven.
    pub(super) fn start(&mut self, origin: Place) {
        self.cursor.clone_from(&origin);
        self.origin = origin;
        (self.first, self.probe) = (None, None);
        (self.proven, self.met, self.reached, self.behind) = (false, false, false, false);
    }

    /// Whether anything rests on what has yet to be proven.
    pub(super) fn is_open(&self, doubts: bool) -> bool {
        // A place before the first entry can't be thrown away.
        let doubts = doubts && self.origin.is_some();
        !self.proven && !self.told && (doubts || !self.met)
    }
}
