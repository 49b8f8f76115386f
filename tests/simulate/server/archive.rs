//! The account's archive: XEP-0313 1.1.3 with XEP-0059 1.0, as far as a client that catches up can ask.

use super::{ACCOUNT, CLIENT, Later, PEER, Server, attr, escaped};
use crate::plan::Unknown;
use stanzawire::xml::Element;

pub(super) const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";
const DATA: &str = "jabber:x:data";

/// A message that the archive has.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub at: u64,
    /// Which message of the peer's it is, if it is one.
    pub number: Option<u32>,
    /// The message without its end.
    stanza: String,
}

impl Server {
    /// Puts a message into the archive, if there is one; its id there.
    pub(super) fn keep(&mut self, stanza: String, number: Option<u32>) -> Option<String> {
        if !self.plan.archive {
            return None;
        }
        let id = format!("m{}x", self.number());
        self.archive.push(Entry {
            id: id.clone(),
            at: self.now,
            number,
            stanza,
        });
        Some(id)
    }

    /// What is older than twenty seconds is gone.
    pub fn purge(&mut self, now: u64) {
        let before = now.saturating_sub(20_000);
        for entry in self.archive.extract_if(.., |entry| entry.at < before) {
            self.purged.extend(entry.number);
            self.first_purge.get_or_insert(now);
        }
    }

    pub(super) fn search(&mut self, id: u64, iq: &Element, query: &Element) {
        match query.name() {
            "prefs" => {
                return self.answer(
                    id,
                    iq,
                    format!("<prefs xmlns='{MAM}' default='always'><always/><never/></prefs>"),
                );
            }
            "metadata" => {
                let metadata = self.metadata();
                return self.answer(id, iq, metadata);
            }
            _ if iq.attr("type") == Some("get") => {
                return self.answer(id, iq, format!("<query xmlns='{MAM}'/>"));
            }
            _ => {}
        }
        self.counts.searches += 1;
        match self.found(query) {
            Ok((entries, complete)) => {
                let to = self.sessions.get(&id).map_or("", |session| session.resource.as_str());
                let to = escaped(&format!("{ACCOUNT}/{to}"));
                let queryid = query
                    .attr("queryid")
                    .map(|_| format!(" queryid='{}'", attr(query, "queryid")));
                let queryid = queryid.unwrap_or_default();
                let mut frames: Vec<String> = entries.iter().map(|entry| result(entry, &to, &queryid)).collect();
                let (first, last) = (entries.first(), entries.last());
                let range = match (first, last) {
                    (Some(first), Some(last)) => format!("<first>{}</first><last>{}</last>", first.id, last.id),
                    _ => String::new(),
                };
                let complete = if complete { " complete='true'" } else { "" };
                let fin = format!("<fin xmlns='{MAM}'{complete}><set xmlns='{RSM}'>{range}</set></fin>");
                frames.push(super::stanzas::answered(iq, fin));
                match self.plan.archive_delay {
                    0 => frames.into_iter().for_each(|frame| self.give(id, frame, None)),
                    delay => {
                        let delay = self.random.below(delay);
                        self.later(delay, id, Later::Stanzas(frames));
                    }
                }
            }
            Err(condition) => self.refuse(id, iq, condition),
        }
    }

    /// What the archive is like.
    pub(super) fn metadata(&self) -> String {
        let end = |name: &str, entry: Option<&Entry>| {
            let entry = entry.map(|entry| (escaped(&entry.id), stamp(entry.at)));
            let end = entry.map(|(id, at)| format!("<{name} id='{id}' timestamp='{at}'/>"));
            end.unwrap_or_default()
        };
        let ends = end("start", self.archive.first()) + &end("end", self.archive.last());
        format!("<metadata xmlns='{MAM}'>{ends}</metadata>")
    }

    /// One page of what was asked for, oldest first, and whether that is all of it.
    fn found(&self, query: &Element) -> Result<(Vec<&Entry>, bool), &'static str> {
        let mut entries: Vec<&Entry> = self.archive.iter().collect();
        let place =
            |entries: &[&Entry], id: &str| entries.iter().position(|entry| entry.id == id).ok_or("item-not-found");
        let form = query.child("x", DATA);
        let field = |name: &str| {
            let mut fields = form.into_iter().flat_map(Element::children);
            let field = fields.find(|field| field.attr("var") == Some(name))?;
            field.child_text("value", DATA)
        };
        for known in form.into_iter().flat_map(Element::children) {
            let known = known.attr("var");
            let all = ["FORM_TYPE", "with", "start", "end", "after-id", "before-id"];
            if !known.is_some_and(|known| all.contains(&known)) {
                return Err("feature-not-implemented");
            }
        }
        // The range first: ids that the archive doesn't know are an error, whatever else is asked (§4.1.2).
        let after_id = field("after-id").map(|id| place(&entries, &id)).transpose()?;
        let before_id = field("before-id").map(|id| place(&entries, &id)).transpose()?;
        entries = entries
            .into_iter()
            .enumerate()
            .filter(|(at, _)| after_id.is_none_or(|after| *at > after) && before_id.is_none_or(|before| *at < before))
            .map(|(_, entry)| entry)
            .collect();
        if let Some(start) = field("start") {
            entries.retain(|entry| stamp(entry.at) >= padded(&start));
        }
        if let Some(end) = field("end") {
            entries.retain(|entry| stamp(entry.at) <= padded(&end));
        }
        if let Some(with) = field("with") {
            entries.retain(|_| with == PEER || with == ACCOUNT);
        }
        let set = query.child("set", RSM);
        let part = |name: &str| set.and_then(|set| set.child_text(name, RSM));
        let most = part("max")
            .and_then(|max| max.trim().parse().ok())
            .unwrap_or(usize::MAX)
            .min(self.plan.page);
        if let Some(after) = part("after").filter(|after| !after.is_empty()) {
            let behind = match (
                place(&self.archive.iter().collect::<Vec<_>>(), &after),
                self.plan.unknown,
            ) {
                (Err(condition), Unknown::Said) => return Err(condition),
                (Err(_), Unknown::Nothing) => self.archive.len(),
                // The oldest go first.
                (Err(_), Unknown::Later) => 0,
                (Ok(known), _) => known + 1,
            };
            let later: Vec<&str> = self
                .archive
                .iter()
                .skip(behind)
                .map(|entry| entry.id.as_str())
                .collect();
            entries.retain(|entry| later.contains(&entry.id.as_str()));
        }
        let complete = entries.len() <= most;
        if let Some(before) = part("before") {
            if !before.is_empty() {
                let known = place(&self.archive.iter().collect::<Vec<_>>(), &before)?;
                let earlier: Vec<&str> = self.archive.iter().take(known).map(|entry| entry.id.as_str()).collect();
                entries.retain(|entry| earlier.contains(&entry.id.as_str()));
            }
            let complete = entries.len() <= most;
            let skipped = entries.len().saturating_sub(most);
            return Ok((entries.split_off(skipped), complete));
        }
        entries.truncate(most);
        Ok((entries, complete))
    }
}

fn result(entry: &Entry, to: &str, queryid: &str) -> String {
    let stamp = stamp(entry.at);
    format!(
        "<message xmlns='{CLIENT}' from='{ACCOUNT}' to='{to}'><result xmlns='{MAM}'{queryid} id='{}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>{}</message>\
         </forwarded></result></message>",
        entry.id, entry.stanza
    )
}

/// A time as XEP-0082 writes it. The simulation begins with the year 2026, and doesn't last a day.
pub(super) fn stamp(at: u64) -> String {
    let (seconds, millis) = (at / 1_000, at % 1_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!(
        "2026-01-{:02}T{:02}:{minutes:02}:{:02}.{millis:03}Z",
        1 + hours / 24,
        hours % 24,
        seconds % 60
    )
}

/// With its fraction, so that times compare as texts.
fn padded(stamp: &str) -> String {
    let (whole, fraction) = stamp
        .trim_end_matches('Z')
        .split_once('.')
        .unwrap_or((stamp.trim_end_matches('Z'), ""));
    format!("{whole}.{fraction:0<3.3}Z")
}
