//! Reading the archive when a session begins: what has come since the anchor, and what has become of messages in doubt.
//!
//! One question at a time. Forwards from the first mark, which lies somewhat before the anchor, until there is no more;
//! backwards for messages in doubt where no mark is known to lie before them. What was found counts once it is proven that
//! nothing before it was thrown away (`archive/proof.rs`). Whatever the server answers, a search comes
//! to its end: the pages are counted, and what fails is tried again a few times before the messages that wait for it are
//! let go.

use super::page::{self, From};
use super::prefs::Prefs;
use super::seen::Place;
use super::sent::own;
use super::{Archive, Point, is_connected};
use crate::error::{Code, Error};
use crate::im::{Ctx, chat};
use crate::jid::Jid;
use crate::session::{Doubt, Token};
use crate::xml::Element;

/// How many entries are asked for at once, at most and at least.
const PAGE: [u32; 2] = [100, 10];

/// How many pages are read forwards.
pub(super) const FORWARD_PAGES: u32 = 5_000;

/// How many pages are read backwards.
pub(super) const BACKWARD_PAGES: u32 = 20;

/// How many pages in a row may hold nothing but what was there before.
pub(super) const STALE: u32 = 100;

/// How many entries known must have gone by before one that isn't counts as missed, and not as long forgotten.
const OVERLAP: u32 = 8;

/// How long messages wait while the archive is silent, in milliseconds.
const HOLD: u64 = 20_000;

/// How many times in a row the archive may fail before messages wait for it no longer: those that came in, and those in doubt.
const FAILURES: [u32; 2] = [3, 5];

/// What is being asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Where the archive ends.
    End,
    /// What is behind the cursor.
    Forward,
    /// What has come since the anchor's time.
    Start,
    /// Whether what the search began with is still there.
    Proof,
    /// Whether what lies between its pages was there all the time.
    Seam,
    /// What is before `before`.
    Back,
    /// What is at the end, of which nothing has been told yet.
    Last,
    /// What the archive keeps.
    Prefs,
}

/// A search under way.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) step: Step,
    /// The question is under way; otherwise it waits for its time.
    pub(super) asked: bool,
    pub(super) token: u32,
    /// Its query's id.
    pub(super) query: String,
    /// The number of our last stanza before it.
    pub(super) sent: u64,
    /// It has brought something; something new.
    pub(super) entries: bool,
    pub(super) news: bool,
    /// Where it began.
    pub(super) from: Place,
    pub(super) cursor: Place,
    /// Where the search began, and the first entry behind that.
    pub(super) origin: Place,
    pub(super) first: Place,
    /// Nothing behind the origin has been thrown away; nothing behind the anchor.
    pub(super) proven: bool,
    pub(super) met: bool,
    /// That was asked for before the anchor was met.
    pub(super) tried: bool,
    /// The oldest of what came in too late to be in the pages; the origin was among it.
    pub(super) probe: Place,
    pub(super) reached: bool,
    /// The last page wasn't the last one.
    pub(super) more: bool,
    /// The first entry of the page, and that of the second one with the place that it was to go on from.
    pub(super) page_first: Place,
    pub(super) seam: Option<(String, Place)>,
    /// The anchor lies ahead. Known entries have gone by.
    pub(super) behind: bool,
    pub(super) known: u32,
    /// Where the last page backwards began.
    pub(super) before: Option<String>,
    pub(super) last: Point,
    /// The entries at the end that have been read, and those of the page that is being read.
    pub(super) back: Vec<(Point, Option<Element>)>,
    pub(super) page: Vec<(Point, Option<Element>)>,
    /// It was too long.
    pub(super) over: bool,
    pub(super) forwards: u32,
    pub(super) backwards: u32,
    pub(super) stale: u32,
    pub(super) failures: u32,
    pub(super) max: u32,
    pub(super) doubts: Vec<Doubt>,
    /// The messages in doubt may lie before the first mark.
    pub(super) look_back: bool,
    pub(super) prefs: Option<Prefs>,
    /// Messages may have been lost in an earlier session, and where they were nobody knows.
    pub(super) lost: bool,
    pub(super) told: bool,
    /// Messages that come in wait.
    pub(super) hold: bool,
    /// The server is asked whether it is there.
    pub(super) ping: u32,
    pub(super) held: Vec<Element>,
    pub(super) weight: usize,
    /// Some of them were too many.
    pub(super) dropped: bool,
}

impl Archive {
    /// Begins with what a new session wants to know. Where there has been an `earlier` one without an anchor, something may
    /// be missing.
    pub(super) fn begin(&mut self, cx: &mut Ctx<'_>, earlier: bool) -> Result<(), Error> {
        let anchor = self.anchor.as_ref();
        let mark = self.marks.first();
        let after = anchor.and_then(|anchor| anchor.id.clone());
        // An archive that was empty may be one that keeps nothing: §6.1.1 has servers hold back what waited for us where the
        // archive is searched, and so it isn't without need.
        let step = match &after {
            Some(_) => Step::Forward,
            None if self.owed => Step::Last,
            None => Step::End,
        };
        let cursor = mark.cloned().unwrap_or_else(|| after.clone());
        cx.facts.numbering.archive = anchor.is_some();
        (self.unread, self.lost, self.tidying) = (false, false, false);
        self.search = Some(Box::new(Search {
            step,
            asked: false,
            token: 0,
            query: String::new(),
            sent: 0,
            entries: false,
            news: false,
            from: None,
            origin: cursor.clone(),
            first: None,
            proven: after.is_none(),
            met: false,
            tried: false,
            probe: None,
            reached: false,
            more: false,
            page_first: None,
            seam: self.seam.clone(),
            behind: cursor != after,
            cursor,
            known: 0,
            before: None,
            last: Point::default(),
            back: Vec::new(),
            page: Vec::new(),
            over: false,
            forwards: 0,
            backwards: 0,
            stale: 0,
            failures: 0,
            max: PAGE[0],
            doubts: Vec::new(),
            look_back: mark.is_none(),
            prefs: None,
            // Where all of it is read again, only what isn't there any more can be.
            lost: earlier && anchor.is_none() && !(step == Step::Last && self.seen.is_empty()),
            told: false,
            ping: 0,
            hold: anchor.is_some() || step == Step::Last,
            held: Vec::new(),
            weight: 0,
            dropped: false,
        }));
        self.ask(cx)
    }

    /// Asks what is to be asked next.
    fn ask(&mut self, cx: &mut Ctx<'_>) -> Result<(), Error> {
        let Some(search) = &mut self.search else { return Ok(()) };
        self.tokens = self.tokens.wrapping_add(1);
        search.token = self.tokens;
        search.doubts = cx.doubts();
        (search.sent, _) = cx.progress();
        (search.entries, search.news) = (false, false);
        search.page.clear();
        (search.over, search.page_first) = (false, None);
        search.query = cx.id();
        search.from.clone_from(&search.cursor);
        let from = match (search.step, self.anchor.as_ref().and_then(|anchor| anchor.stamp.as_ref())) {
            (Step::Start, Some(stamp)) => From::Start(stamp),
            (Step::Back | Step::Last, _) => From::Before(search.before.as_deref()),
            (Step::Proof, _) => From::Before(search.first.as_deref().or(search.probe.as_deref())),
            (Step::Seam, _) => From::Before(search.seam.as_ref().map(|(first, _)| first.as_str())),
            _ => From::After(search.cursor.as_deref()),
        };
        let (set, payload) = match search.step {
            Step::End => (false, Element::new("metadata", page::MAM)),
            Step::Prefs => (false, Element::new("prefs", page::MAM)),
            // To know where the archive ends takes one entry.
            Step::Back if search.doubts.is_empty() => (true, page::query(&search.query, &from, 1)),
            Step::Last => {
                let max = search.max.min(search.left());
                (true, page::query(&search.query, &from, max))
            }
            Step::Proof if search.probe.is_none() => (true, page::query(&search.query, &from, 1)),
            Step::Seam => (true, page::query(&search.query, &from, 1)),
            _ => (true, page::query(&search.query, &from, search.max)),
        };
        cx.ask(set, None, payload, Token::Own(search.token))?;
        search.asked = true;
        self.wait(cx);
        Ok(())
    }

    /// From now on the archive has that time again for which messages wait for it.
    pub(super) fn wait(&self, cx: &mut Ctx<'_>) {
        let hold = self.search.as_ref().is_some_and(|search| search.hold);
        cx.set_timer(hold.then(|| cx.now().after(HOLD)));
    }

    /// Lets go of the messages that wait, if the server answers while the archive doesn't. On a connection that has died and
    /// nobody has noticed both are silent, and what the archive has comes with the next one.
    pub(super) fn verify(&mut self, cx: &mut Ctx<'_>) {
        let Some(search) = self.search.as_mut().filter(|search| search.hold && search.ping == 0) else {
            return;
        };
        self.tokens = self.tokens.wrapping_add(1);
        let server = cx.account().domain_jid();
        let ping = Element::new("ping", "urn:xmpp:ping");
        if cx.ask(false, Some(server), ping, Token::Own(self.tokens)).is_ok() {
            search.ping = self.tokens;
        }
    }

    /// Goes on with the search by this step.
    pub(super) fn go(&mut self, cx: &mut Ctx<'_>, step: Step) {
        if let Some(search) = &mut self.search {
            search.step = step;
        }
        if let Err(error) = self.ask(cx) {
            self.fail(cx, &error);
        }
    }

    /// Asks once more what has failed.
    pub(super) fn again(&mut self, cx: &mut Ctx<'_>) {
        if let Some(step) = self.search.as_ref().filter(|search| !search.asked).map(|search| search.step) {
            self.go(cx, step);
        }
    }

    /// The session has begun: now it is certain which messages are in doubt.
    pub(super) fn begun(&mut self, cx: &mut Ctx<'_>) {
        if let Some(search) = &mut self.search {
            search.doubts = cx.doubts();
            self.undecided &= !search.doubts.is_empty();
        }
    }

    /// Takes an entry of the page asked for; whether it is one.
    pub(super) fn entry(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> bool {
        let Some(search) = self.search.as_mut().filter(|search| search.asked) else {
            return false;
        };
        let Some(entry) = page::entry(stanza, &search.query, cx.account()) else {
            return false;
        };
        let page::Entry { point, message } = entry;
        let Some(id) = point.id.as_deref() else { return true };
        search.entries = true;
        if let Some(message) = message.filter(|message| own(message, cx.account())) {
            search.find(cx, message, id);
        }
        match search.step {
            Step::Forward | Step::Start => {}
            Step::Proof => {
                search.reached |= search.origin == point.id;
                return true;
            }
            Step::Last => {
                self.last_entry(cx, message, point);
                return true;
            }
            _ => {
                search.last = point;
                return true;
            }
        }
        search.cursor = Some(id.to_owned());
        search.first.get_or_insert_with(|| id.to_owned());
        search.page_first.get_or_insert_with(|| id.to_owned());
        let seen = self.seen.contains(id);
        search.news |= !seen;
        if search.behind {
            search.known = search.known.saturating_add(seen.into());
            search.behind = self.anchor.as_ref().is_some_and(|anchor| anchor.id != point.id);
            search.met |= !search.behind;
            // What has gone by longer ago than is remembered has been told of as well.
            let forgotten = self.seen.more && search.known < OVERLAP;
            if !search.behind || seen || forgotten {
                self.wait(cx);
                return true;
            }
        } else if search.is_open(false) {
            search.last = point.clone();
            // Not the anchor, but what has been told of.
            cx.changed();
        } else {
            self.advance(cx, id.to_owned(), point.stamp.clone());
        }
        self.wait(cx);
        self.let_older_through(cx, id);
        if let Some(message) = message
            && self.is_new(cx, message, id)
        {
            self.tell(cx, message, &point);
        }
        true
    }

    /// It has failed, for now.
    pub(super) fn fail(&mut self, cx: &mut Ctx<'_>, error: &Error) {
        let Some(search) = &mut self.search else { return };
        search.asked = false;
        if !is_connected(cx) || error.code() == Code::Closed {
            // It is asked again when the session goes on, if it does. Where it has ended, the next one may have begun already.
            return;
        }
        let late = error.code() == Code::Timeout;
        // Half a minute of silence is worse than a word.
        search.failures = search.failures.saturating_add(if late { 2 } else { 1 });
        let failures = search.failures;
        if search.step == Step::End {
            search.step = self.anchor.as_ref().map_or(Step::Back, |_| Step::Forward);
        }
        if late {
            search.max = (search.max / 2).max(PAGE[1]);
        }
        if failures >= FAILURES[1] {
            // Nobody is kept waiting for ever.
            cx.end_doubts(&|_| false);
        }
        if late {
            self.verify(cx);
        } else if failures >= FAILURES[0] {
            self.release(cx);
        }
        let wait = 1_000 << (failures - 1).min(6);
        cx.set_timer(Some(cx.now().after(wait)));
    }
}

impl Search {
    /// Looks for a message of ours among those in doubt.
    fn find(&mut self, cx: &mut Ctx<'_>, message: &Element, id: &str) {
        // XEP-0359 §2.2; what the app sends as it is may have the one or the other, or both, and they needn't be the same.
        let ids = [chat::origin_id(message), message.attr("id")];
        let to = message.attr("to").and_then(|to| Jid::parse(to).ok());
        let same = |doubt: &Doubt| {
            ids.contains(&Some(doubt.id.as_str())) && to.as_ref().is_none_or(|to| to.same_bare(&doubt.to))
        };
        let Some(place) = self.doubts.iter().position(same) else {
            return;
        };
        let doubt = self.doubts.swap_remove(place);
        let stanza_id = Element::new("stanza-id", chat::SID)
            .with_attr("by", cx.account().bare_str())
            .with_attr("id", id);
        cx.found(&doubt, &stanza_id);
    }
}
