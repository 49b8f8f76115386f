//! Versions of the roster, RFC 6121 §2.6: what is kept of it, and when that is believed.
//!
//! A number of the server's stands for a whole roster. It is forgotten as soon as the items may be something else: with a push
//! that has none, or one that can't be read. By it, an empty answer says that all that has changed since comes as pushes; an
//! empty answer to anything else is none (§2.6.3).

use super::{Event, KEPT, News, ROSTER, Request, Roster, State, item};
use crate::error::Error;
use crate::im::{Ctx, in_a_line};
use crate::session::Token;
use crate::xml::{self, Element};

/// The tokens of a request: without a number, with that of the items that are known, and as one who knows none.
pub(super) const UNNUMBERED: u32 = 0;
pub(super) const KNOWN: u32 = 1;
pub(super) const NONE: u32 = 2;

/// The attribute by which a record says that the roster was known in its session.
const IS_KNOWN: &str = "known";

/// Asks for the roster: for what has changed since a version, where there is one, which is empty for one who knows none.
pub(super) fn ask(cx: &mut Ctx<'_>, ver: Option<&str>) -> Result<(), Error> {
    let token = match ver {
        None => UNNUMBERED,
        Some("") => NONE,
        Some(_) => KNOWN,
    };
    let query = Element::new("query", ROSTER).with_opt_attr("ver", ver);
    cx.ask(false, None, query, Token::Own(token))
}

impl Roster {
    /// §2.6.2: with a number where the server knows what that is, and only there.
    pub(super) fn request(&self, cx: &mut Ctx<'_>) -> Result<(), Error> {
        // An anonymous account is another one each time.
        let numbered = cx.numbers_rosters() && !cx.is_anonymous();
        ask(cx, numbered.then(|| self.ver.as_deref().unwrap_or_default()))
    }

    /// A push has that number, or none.
    pub(super) fn number(&mut self, ver: Option<&str>) {
        // A part with one more item is a part. One that comes before the roster may be behind what an earlier page was told.
        let whole = !self.missed && self.state == State::Known;
        self.ver = ver.filter(|ver| whole && !ver.is_empty()).map(str::to_owned);
    }

    /// A push could not be read.
    pub(super) fn miss(&mut self, cx: &mut Ctx<'_>) {
        self.ver = None;
        self.missed = true;
        self.changed(cx);
    }

    /// The whole roster has come (§2.1.4). Where the app knows an earlier one, it is told what is different.
    pub(super) fn replace(&mut self, cx: &mut Ctx<'_>, query: &Element) {
        let mut items: Vec<_> = query.children().filter_map(item::read).collect();
        items.sort_unstable_by(|one, other| one.jid.cmp(&other.jid));
        items.dedup_by(|one, other| one.jid == other.jid);
        let known = core::mem::replace(&mut self.items, items);
        self.ver = query.attr("ver").filter(|ver| !ver.is_empty()).map(str::to_owned);
        self.missed = false;
        if self.told {
            let mut known = known.into_iter().peekable();
            for item in &self.items {
                while let Some(gone) = known.next_if(|known| known.jid < item.jid) {
                    cx.emit(Event::Roster(News::Item(gone.removed())));
                }
                if known.next_if(|known| known.jid == item.jid).as_ref() != Some(item) {
                    cx.emit(Event::Roster(News::Item(item.clone())));
                }
            }
            for gone in known {
                cx.emit(Event::Roster(News::Item(gone.removed())));
            }
        }
        self.know(cx);
    }

    /// What a later page is to know, as far as it fits: the items, where they are worth anything to it, and who asks.
    pub(super) fn write(&self) -> String {
        let known = (self.state == State::Known || self.left_known) && !self.missed;
        let size = |item: &super::RosterItem| {
            let groups = item.groups.iter().map(|group| group.len() + 15);
            60 + item.jid.len() + item.name.as_ref().map_or(0, String::len) + groups.sum::<usize>()
        };
        let fits = self.items.iter().map(size).sum::<usize>() <= KEPT;
        let mut query = Element::new("query", ROSTER);
        if fits && (known || self.ver.is_some()) {
            query = query
                .with_opt_attr("ver", self.ver.as_deref())
                .with_opt_attr(IS_KNOWN, known.then_some("1"));
            for item in &self.items {
                query = query.with_child(item.element());
            }
        }
        for request in &self.requests {
            query = query.with_child(request.element());
        }
        in_a_line(&query).unwrap_or_default()
    }

    /// Takes what [`Roster::write`] wrote. The items stand in their order.
    pub(super) fn recall(&mut self, saved: &str) {
        let Ok(query) = xml::read(saved, &xml::Limits::default()) else {
            return;
        };
        self.items = query.children().filter_map(item::read).collect();
        self.ver = query.attr("ver").map(str::to_owned);
        self.left_known = query.attr(IS_KNOWN).is_some();
        self.requests = query.children().filter_map(Request::read).collect();
    }
}
