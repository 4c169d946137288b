//! Counting by a key that comes from outside, with a bound on how many keys are told apart.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values by key. Once as many keys are known as it may hold, whatever has another key shares one value.
#[derive(Debug, Clone)]
pub struct Capped<K, V> {
    known: HashMap<K, V>,
    most: usize,
    others: Option<V>,
}

impl<K: Hash + Eq, V: Default> Capped<K, V> {
    /// Telling apart as many keys.
    pub fn new(most: usize) -> Self {
        Self { known: HashMap::new(), most, others: None }
    }

    /// The key's value, or the one that all further keys share.
    pub fn of<Q>(&mut self, key: &Q) -> &mut V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if self.known.len() >= self.most && !self.known.contains_key(key) {
            return self.others.get_or_insert_default();
        }
        self.known.entry(key.to_owned()).or_default()
    }

    /// What is known by its key, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.known.iter()
    }

    /// What the keys that found no room share; `None` where all found it.
    pub fn others(&self) -> Option<&V> {
        self.others.as_ref()
    }

    /// By key, those with the largest `rank` first, equal ones by their key.
    pub fn ranked<R: Ord>(&self, rank: impl Fn(&V) -> R) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut all: Vec<(&K, &V)> = self.known.iter().collect();
        all.sort_by(|(a, first), (b, second)| rank(second).cmp(&rank(first)).then_with(|| a.cmp(b)));
        all
    }
}
