//! What outlives a page: a few texts by their keys, in a store that may have its own troubles.

use crate::page::Fact;
use crate::plan::StoreFault;
use crate::random::Random;
use crate::server::ACCOUNT;
use stanzawire::engine::Ticket;
use std::collections::{BTreeMap, BTreeSet};

/// What a store is asked to do, or what the page is to be told in its turn.
#[derive(Debug)]
pub enum Errand {
    Load {
        id: Ticket,
        key: String,
    },
    Store {
        id: Ticket,
        key: String,
        value: Option<String>,
    },
    Tell(Fact),
}

impl Errand {
    pub fn shown(&self) -> String {
        match self {
            Errand::Load { key, .. } => format!("loads {key}"),
            Errand::Store {
                key,
                value: Some(value),
                ..
            } => format!("stores {key}: {value:?}"),
            Errand::Store { key, .. } => format!("removes {key}"),
            Errand::Tell(fact) => format!("hears {fact:?}"),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Store {
    pub values: BTreeMap<String, String>,
    /// Which messages of the app's it has made out of others.
    pub made_up: BTreeSet<u32>,
}

impl Store {
    pub fn run(&mut self, errand: Errand, fault: StoreFault, random: &mut Random) -> Fact {
        let throws = fault == StoreFault::Throws && random.percent(40);
        match errand {
            Errand::Load { id, key } => {
                let value = self.values.get(&key).cloned().filter(|_| !throws);
                let value = match fault {
                    StoreFault::Garbage if random.percent(50) => {
                        let real = numbers(value.as_deref());
                        let value = garbage(value, random);
                        let shown = numbers(value.as_deref());
                        // Each in its place: one that is there as well may have been made out of another.
                        let made_up = shown.iter().enumerate().filter(|(place, number)| real.get(*place) != Some(*number));
                        self.made_up.extend(made_up.map(|(_, number)| *number));
                        value
                    }
                    _ => value,
                };
                Fact::Loaded { id, value }
            }
            Errand::Store { id, .. } if throws => Fact::Stored { id, kept: false },
            Errand::Store { id, key, value } => {
                if let (Some(value), StoreFault::Full(most)) = (&value, fault)
                    && value.len() > most
                {
                    return Fact::Stored { id, kept: false };
                }
                match value {
                    Some(value) => self.values.insert(key, value),
                    None => self.values.remove(&key),
                };
                Fact::Stored { id, kept: true }
            }
            Errand::Tell(fact) => fact,
        }
    }

    /// Whether a page has left behind what it knew of the archive.
    pub fn has_session(&self) -> bool {
        let prefix = format!("stanzawire:{ACCOUNT}:");
        let header = |key: &String| key.strip_prefix(&prefix).is_some_and(|tag| !tag.contains(':'));
        self.values.iter().any(|(key, value)| header(key) && value.contains("<archive "))
    }

    /// Whether this text is in it.
    pub fn holds(&self, text: &str) -> bool {
        self.values.values().any(|value| value.contains(text))
    }

    pub fn size(&self) -> usize {
        self.values.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// The messages of the app's in a text, in order.
fn numbers(text: Option<&str>) -> Vec<u32> {
    let tokens = text.unwrap_or_default().split("[a").skip(1);
    tokens.filter_map(|rest| rest.split(']').next()?.parse().ok()).collect()
}

/// Nothing, something else, a part, or what somebody else has written.
fn garbage(value: Option<String>, random: &mut Random) -> Option<String> {
    let value = value.unwrap_or_default();
    match random.below(5) {
        0 => None,
        1 => Some(String::new()),
        2 => Some("\u{1f}1 \u{1e}null{}<message/>".into()),
        3 => {
            let mut end = random.below(value.len() as u64 + 1) as usize;
            while !value.is_char_boundary(end) {
                end -= 1;
            }
            Some(value[..end].into())
        }
        _ => {
            let digit = char::from_digit(random.below(10) as u32, 10).unwrap_or('0');
            Some(value.replace(|c: char| c.is_ascii_digit(), &digit.to_string()))
        }
    }
}
