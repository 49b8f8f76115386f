//! What has been seen of the archive: the last ids, and where to look again from.

use crate::session::Millis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

/// How many ids are remembered, also beyond the page: a server may hand on a message that it kept aside for an offline
/// account when it has long been found in the archive.
const IDS: usize = 1_000;

/// How many bytes of each id's hash are kept.
const BYTES: usize = 6;

/// How many marks there are at once.
const MARKS: usize = 32;

/// How far apart marks are, in milliseconds.
const APART: u64 = 1_000;

/// For how long what one client was sent may be out of the archive's order, in milliseconds: servers with many processes
/// number a message before they queue it.
const DISORDER: u64 = 5_000;

/// The ids seen last, as hashes: whose ids they are is checked before they get here, so that nobody else chooses them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: Vec<u64>,
    /// There have been more.
    pub(super) more: bool,
}

impl Seen {
    pub(super) fn contains(&self, id: &str) -> bool {
        let hash = hash(id);
        // What comes twice mostly does so soon.
        self.ids.iter().rev().any(|known| *known == hash)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether it wasn't there.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let new = !self.contains(id);
        if new {
            self.push(hash(id));
        }
        new
    }

    fn push(&mut self, hash: u64) {
        if self.ids.len() >= IDS {
            self.ids.remove(0);
            self.more = true;
        }
        self.ids.push(hash);
    }

    /// All of them, in base64.
    pub(super) fn save(&self) -> String {
        let bytes: Vec<u8> = self.ids.iter().flat_map(|hash| hash.to_be_bytes().into_iter().skip(8 - BYTES)).collect();
        BASE64.encode(bytes)
    }

    pub(super) fn restore(text: &str) -> Seen {
        let mut seen = Seen::default();
        for bytes in BASE64.decode(text).unwrap_or_default().chunks_exact(BYTES) {
            seen.push(bytes.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte)));
        }
        seen.more = seen.ids.len() >= IDS;
        seen
    }
}

/// FNV-1a, as many bits of it as are kept.
fn hash(id: &str) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    id.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step) & ((1 << (8 * BYTES)) - 1)
}

/// Where a search has to begin so that it finds all that is wanted: every message of ours that is still under way was sent
/// after its first mark, and what was out of order around the last one is behind it.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

#[derive(Debug)]
struct Mark {
    /// None where that isn't known: only the archive's beginning is certain to be early enough.
    place: Option<Place>,
    /// The number of our last stanza when it came.
    sent: u64,
    at: Millis,
}

/// The id of an entry, or the place before the first.
pub(super) type Place = Option<String>;

impl Marks {
    /// Begins anew: here, or nobody knows where.
    pub(super) fn begin(&mut self, place: Option<Place>) {
        let (sent, at) = (0, Millis(0));
        self.0.clear();
        self.0.push(Mark { place, sent, at });
    }

    /// The place to begin at, where that is known.
    pub(super) fn first(&self) -> Option<&Place> {
        self.0.first()?.place.as_ref()
    }

    /// Whether there may be one to be dropped later.
    pub(super) fn are_many(&self) -> bool {
        self.0.len() > 1
    }

    /// An entry of the archive has come, when our last stanza had the one number, and all messages up to the other were settled.
    pub(super) fn push(&mut self, now: Millis, id: &str, (sent, settled): (u64, u64)) {
        if self.0.is_empty() {
            self.begin(None);
        }
        self.tidy(now, settled);
        let near = self.0.len() > 1 && self.0.last().is_some_and(|last| now.since(last.at) < APART);
        if !near && self.0.len() < MARKS {
            let place = Some(Some(id.to_owned()));
            self.0.push(Mark { place, sent, at: now });
        }
    }

    /// An entry has gone by that has others behind it, and so has nothing out of order before it.
    pub(super) fn pass(&mut self, id: String, (sent, settled): (u64, u64)) {
        if sent <= settled {
            self.begin(Some(Some(id)));
        }
    }

    /// Drops the first as long as the next will do.
    pub(super) fn tidy(&mut self, now: Millis, settled: u64) {
        let will_do = |mark: &Mark| mark.sent <= settled && now.since(mark.at) >= DISORDER;
        while self.0.get(1).is_some_and(will_do) {
            self.0.remove(0);
        }
    }
}
