//! Sets and maps of texts, in one sorted list: for some thousands of them that is fast enough, and a tree for each type of value is much code.

use core::mem::replace;

/// Texts, each once, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set(Vec<String>);

impl Set {
    /// These.
    pub fn of(mut texts: Vec<String>) -> Set {
        texts.sort_unstable();
        texts.dedup();
        Set(texts)
    }

    /// All, in order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether this is one of them.
    pub fn contains(&self, text: &str) -> bool {
        self.place(text).is_ok()
    }

    /// Adds one; whether it is new.
    pub fn insert(&mut self, text: String) -> bool {
        match self.place(&text) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, text);
                true
            }
        }
    }

    /// Takes one out, if it is there.
    pub fn remove(&mut self, text: &str) {
        if let Ok(place) = self.place(text) {
            self.0.remove(place);
        }
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps those of which this is so.
    pub fn retain(&mut self, keep: &dyn Fn(&str) -> bool) {
        self.0.retain(|text| keep(text));
    }

    /// Those that another one hasn't.
    pub fn without(&self, other: &Set) -> Vec<String> {
        let mut rest = self.clone();
        rest.retain(&|text| !other.contains(text));
        rest.0
    }

    #[inline(never)]
    fn place(&self, text: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.as_str().cmp(text))
    }
}

/// What is known by a text.
#[derive(Debug)]
pub(super) struct Map<V> {
    keys: Set,
    /// In the order of the keys.
    values: Vec<V>,
}

impl<V> Map<V> {
    /// An empty one.
    pub(super) fn new() -> Map<V> {
        Map {
            keys: Set::default(),
            values: Vec::new(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// What is known by this.
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(self.keys.place(key).ok()?)
    }

    /// Sets what is known by this.
    pub(super) fn insert(&mut self, key: &str, value: V) {
        match self.keys.place(key) {
            Ok(place) => {
                if let Some(known) = self.values.get_mut(place) {
                    let _ = replace(known, value);
                }
            }
            Err(place) => {
                self.keys.0.insert(place, key.to_owned());
                self.values.insert(place, value);
            }
        }
    }

    /// Takes it out, if it is there.
    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        let place = self.keys.place(key).ok()?;
        self.keys.0.remove(place);
        Some(self.values.remove(place))
    }

    /// All that is known, in the order of the keys.
    pub(super) fn values(&self) -> &[V] {
        &self.values
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
    }

    /// The first key that begins with this.
    pub(super) fn first(&self, start: &str) -> Option<&str> {
        let (Ok(place) | Err(place)) = self.keys.place(start);
        let key = self.keys.0.get(place)?;
        Some(key.as_str()).filter(|key| key.starts_with(start))
    }
}
