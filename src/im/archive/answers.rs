//! What comes of the archive's answers: the next question, or the end of the search.

use super::page;
use super::prefs::Prefs;
use super::search::{FORWARD_PAGES, BACKWARD_PAGES, STALE, Step};
use super::{Archive, Gap, Point, weight};
use crate::error::{Code, Error};
use crate::im::Ctx;
use crate::session::Token;
use crate::xml::Element;

impl Archive {
    /// A question has been answered, or won't be.
    pub(super) fn answered(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Some(search) = &mut self.search else { return };
        if token == Token::Own(search.ping) {
            search.ping = 0;
            // One that doesn't know pings says so, and is there all the same (XEP-0199 §4.2).
            if result.map_or_else(|error| error.code() == Code::StanzaError, |_| true) {
                self.release(cx);
            }
            return;
        }
        if !search.asked || token != Token::Own(search.token) {
            return;
        }
        search.asked = false;
        let step = search.step;
        let payload = match result {
            Ok(payload) => payload,
            // Not every server knows that question.
            Err(error) if step == Step::End && error.code() == Code::StanzaError => None,
            Err(error) if is_passing(&error) => return self.fail(cx, &error),
            Err(error) => return self.refused(cx, step, &error),
        };
        search.failures = 0;
        match step {
            Step::End => match (page::end(payload.as_ref()), &self.anchor) {
                (Some(end), None) => {
                    self.acquire(cx, end);
                    self.next(cx);
                }
                (Some(Point { id: None, .. }), Some(_)) => self.next(cx),
                (_, None) => self.go(cx, Step::Back),
                (_, Some(_)) => self.go(cx, Step::Forward),
            },
            Step::Prefs => {
                search.prefs = Some(Prefs::read(payload.as_ref()));
                self.look_again(cx);
            }
            _ => match page::fin(payload.as_ref()) {
                Some(fin) => {
                    self.known = true;
                    self.turn(cx, step, fin);
                }
                None => self.give_up(cx),
            },
        }
    }

    /// A page has come to its end.
    fn turn(&mut self, cx: &mut Ctx<'_>, step: Step, fin: page::Fin) {
        let Some(search) = &mut self.search else { return };
        if step == Step::Back {
            search.backwards += 1;
            let end = core::mem::take(&mut search.last);
            let first = search.before.replace(fin.first.unwrap_or_default());
            let stuck = !search.entries || search.before == first || search.before.as_deref() == Some("");
            let complete = fin.complete || !search.entries;
            let over = stuck || search.backwards >= BACKWARD_PAGES;
            if !complete && over {
                self.doubt(cx);
            }
            let more = !complete && !over;
            if self.anchor.is_none() {
                self.acquire(cx, end);
            }
            if more && !cx.doubts().is_empty() {
                return self.go(cx, Step::Back);
            }
            if let Some(search) = &mut self.search {
                search.look_back = false;
            }
            return self.next(cx);
        }
        if step == Step::Last {
            return self.last_page(cx, fin);
        }
        if step == Step::Proof {
            return self.proof(cx, &fin);
        }
        if step == Step::Start && !search.entries {
            // Nothing that could be held on to.
            return self.lose(cx);
        }
        search.forwards += 1;
        let named = |id: Option<String>| id.filter(|id| !id.is_empty());
        search.first = search.first.take().or(named(fin.first));
        // What was too large to be read, or isn't told, has been passed as well.
        search.cursor = named(fin.last).or(search.cursor.take());
        let moved = search.cursor != search.from;
        let stale = search.entries && !search.news && !search.behind;
        search.stale = if stale { search.stale + 1 } else { 0 };
        let complete = fin.complete || !(search.entries || moved);
        search.behind &= !complete;
        if core::mem::replace(&mut search.more, !complete) && complete && !moved {
            // There was to be more.
            let proven = search.proven;
            let here = search.cursor.clone();
            search.start(here);
            if !proven {
                self.doubt(cx);
            }
        }
        let doubts = self.may_decide(cx);
        let Some(search) = &mut self.search else { return };
        let open = search.is_open(doubts);
        if !complete && (!moved || search.stale > STALE || search.forwards > FORWARD_PAGES) {
            // It leads nowhere.
            return self.lose(cx);
        }
        match (complete, search.behind) {
            (true, _) if open => self.next(cx),
            (false, false) if open => self.go(cx, Step::Proof),
            (false, true) if open && !core::mem::replace(&mut search.tried, true) => self.go(cx, Step::Proof),
            _ => self.proceed(cx),
        }
    }

    /// Goes on behind the pages read.
    pub(super) fn proceed(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = &mut self.search else { return };
        let complete = !search.more;
        // Before the anchor there is nothing to be told; but what has been read there isn't read again, however often the
        // connection is lost on the way.
        let passed = !search.behind || search.proven && !complete;
        if let (true, Some(cursor)) = (passed, search.cursor.clone()) {
            let (none_in_doubt, look_back) = (search.doubts.is_empty(), search.look_back);
            let stamp = search.last.stamp.take();
            if search.behind {
                cx.changed();
            } else {
                self.advance(cx, cursor.clone(), stamp);
            }
            if complete {
                self.marks.push(cx.now(), &cursor, cx.progress());
            } else if none_in_doubt {
                self.marks.pass(cursor, cx.progress());
            } else if !look_back {
                // What is in doubt isn't before this, and nothing else is under way.
                self.marks.begin(Some(Some(cursor)));
            }
        }
        if complete {
            self.next(cx);
        } else {
            self.go(cx, Step::Forward);
        }
    }

    /// What was asked for has been read.
    pub(super) fn next(&mut self, cx: &mut Ctx<'_>) {
        let doubts = self.may_decide(cx);
        let Some(search) = &mut self.search else { return };
        if core::mem::take(&mut search.dropped) {
            if search.forwards > FORWARD_PAGES {
                return self.lose(cx);
            }
            // What waits is in the archive, and so is what was too much.
            let held = core::mem::take(&mut search.held);
            search.held = Archive::unkept(cx, held);
            search.weight = search.held.iter().map(weight).sum();
            return self.look_again(cx);
        }
        if search.look_back && !cx.doubts().is_empty() {
            return self.go(cx, Step::Back);
        }
        if search.prefs.is_none() && doubts {
            return self.go(cx, Step::Prefs);
        }
        if search.is_open(doubts) {
            return self.go(cx, Step::Proof);
        }
        self.finish(cx);
    }

    /// Looks behind the anchor: what an ended session has left on its way may have arrived just now.
    fn look_again(&mut self, cx: &mut Ctx<'_>) {
        let anchor = self.anchor.as_ref();
        if let Some(search) = &mut self.search {
            // Where the anchor hasn't moved yet, the cursor has.
            if !search.is_open(false) {
                search.cursor = anchor.and_then(|anchor| anchor.id.clone());
            }
            search.behind = false;
        }
        self.go(cx, Step::Forward);
    }

    /// The archive ends here, and that is where we begin.
    pub(super) fn acquire(&mut self, cx: &mut Ctx<'_>, end: Point) {
        let Some(search) = &mut self.search else { return };
        if core::mem::take(&mut search.lost) {
            self.gap(cx);
        }
        let Some(search) = &mut self.search else { return };
        let (sent, settled) = cx.progress();
        // Whatever of ours was sent before the question may be before the end.
        let early = settled >= search.sent && search.doubts.is_empty();
        self.marks.begin(early.then(|| end.id.clone()));
        if let (false, Some(id)) = (early, &end.id) {
            self.marks.push(cx.now(), id, (sent, settled));
        }
        self.known = true;
        self.anchor = Some(end);
        cx.changed();
    }

    /// A definite no.
    fn refused(&mut self, cx: &mut Ctx<'_>, step: Step, error: &Error) {
        let Some(search) = &mut self.search else { return };
        let gone = matches!(
            error.condition(),
            Some("item-not-found" | "bad-request" | "not-acceptable")
        );
        match step {
            Step::Prefs => {
                // Nothing is said of any: it keeps what XEP-0313 §6.1.1 says.
                search.prefs = Some(Prefs::all());
                self.look_again(cx);
            }
            Step::Forward if gone => self.gone(cx),
            Step::Proof => self.missing(cx),
            Step::Start => self.lose(cx),
            Step::Back if gone && search.before.is_some() => {
                search.look_back = false;
                self.doubt(cx);
                self.next(cx);
            }
            Step::Last if gone && search.before.is_some() => self.tell_back(cx, false),
            _ => self.give_up(cx),
        }
    }

    /// The way from the anchor is lost: on from the newest entry.
    pub(super) fn lose(&mut self, cx: &mut Ctx<'_>) {
        self.gap(cx);
        self.release(cx);
        self.anchor = None;
        self.marks.begin(None);
        self.doubt(cx);
        let Some(search) = &mut self.search else { return };
        search.dropped = false;
        search.before = None;
        self.go(cx, Step::Back);
    }

    /// There is no archive in this session.
    fn give_up(&mut self, cx: &mut Ctx<'_>) {
        self.known = false;
        if self.inline || self.owed {
            // The next resource is to be bound in the other way, in which nothing is dropped.
            cx.learn_of_archive(false);
        }
        self.gap_if_lost(cx);
        self.doubt(cx);
        self.finish(cx);
    }

    /// All has been read, or won't be.
    fn finish(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = self.search.take() else { return };
        if self.known {
            cx.learn_of_archive(true);
        }
        cx.set_timer(None);
        self.let_through(cx, search.held);
        let decided = !core::mem::take(&mut self.undecided);
        let prefs = search.prefs.filter(|_| decided);
        cx.end_doubts(&|doubt| doubt.archived && prefs.as_ref().is_some_and(|prefs| prefs.keep(&doubt.to)));
        self.tidying = false;
        self.tidy_later(cx);
        cx.changed();
        self.fill_on(cx);
    }

    /// Says so where there has been something that may be missed.
    fn gap_if_lost(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = &mut self.search else { return };
        // What was dropped is nowhere, then.
        let owed = core::mem::take(&mut self.owed) || self.inline;
        if core::mem::take(&mut search.lost) || owed || self.anchor.is_some() {
            self.gap(cx);
        }
    }

    /// Says that something may be missing, once.
    pub(super) fn gap(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = &mut self.search else { return };
        if !core::mem::replace(&mut search.told, true) {
            let anchor = self.anchor.clone().unwrap_or_default();
            let (after, since, before) = (anchor.id, anchor.stamp, None);
            self.tell_gap(cx, Gap { room: None, after, since, before });
        }
    }
}

/// Whether the same may succeed later.
fn is_passing(error: &Error) -> bool {
    let passing = ["internal-server-error", "resource-constraint", "remote-server-timeout"];
    error.code() != Code::StanzaError
        || error.retryable()
        || error.condition().is_some_and(|condition| passing.contains(&condition))
}
