//! The plan cache: from a statement's key to its plans.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use serval_sql::{LexOptions, Scan};

use crate::plan::Plan;

/// Statements longer than this are planned each time: they are bulk inserts, whose keys hardly repeat.
const LONGEST_KEY: usize = 16 * 1024;
/// Statements that differ only in guarded literals keep this many plans.
const MOST_VARIANTS: usize = 8;
/// What a plan weighs besides its key, in bytes.
const PLAN_WEIGHT: u64 = 2048;

/// Plans by the full key of their statements, bounded by bytes.
#[derive(Debug)]
pub(crate) struct PlanCache {
    plans: Cache<Key, Arc<[Arc<Plan>]>, ByBytes>,
}

/// What a plan depends on, besides guarded literals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup<'a> {
    /// The statement's key.
    pub(crate) text: &'a [u8],
    /// The session's current schema.
    pub(crate) schema: Option<&'a str>,
    /// The catalog's version.
    pub(crate) version: u64,
    /// How literals and identifiers are written.
    pub(crate) options: LexOptions,
}

#[derive(Debug, Clone)]
struct Key {
    text: Box<[u8]>,
    schema: Option<Box<str>>,
    version: u64,
    options: LexOptions,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl PlanCache {
    /// A cache of about this many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / PLAN_WEIGHT).unwrap_or(usize::MAX);
        Self { plans: Cache::with_weighter(items, bytes, ByBytes) }
    }

    /// The plan for a statement, where one is known whose guards agree.
    pub(crate) fn find(&self, lookup: &Lookup<'_>, sql: &[u8], scan: &Scan) -> Option<Arc<Plan>> {
        let variants = self.plans.get(lookup)?;
        variants.iter().find(|plan| plan.admits(sql, scan)).cloned()
    }

    /// Keeps a plan.
    pub(crate) fn keep(&self, lookup: &Lookup<'_>, plan: &Arc<Plan>) {
        if lookup.text.len() > LONGEST_KEY {
            return;
        }
        let before = self.plans.get(lookup);
        let others = before.iter().flat_map(|variants| variants.iter().cloned());
        let variants = std::iter::once(Arc::clone(plan)).chain(others).take(MOST_VARIANTS).collect();
        let key = Key {
            text: lookup.text.into(),
            schema: lookup.schema.map(Into::into),
            version: lookup.version,
            options: lookup.options,
        };
        self.plans.insert(key, variants);
    }

    /// How many statements have plans.
    pub(crate) fn len(&self) -> usize {
        self.plans.len()
    }
}

impl Weighter<Key, Arc<[Arc<Plan>]>> for ByBytes {
    fn weight(&self, key: &Key, variants: &Arc<[Arc<Plan>]>) -> u64 {
        let text = key.text.len() as u64;
        (text * 2 + PLAN_WEIGHT) * variants.len().max(1) as u64
    }
}

impl Key {
    fn lookup(&self) -> Lookup<'_> {
        Lookup {
            text: &self.text,
            schema: self.schema.as_deref(),
            version: self.version,
            options: self.options,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lookup().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.lookup().equivalent(other)
    }
}

impl Eq for Key {}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.schema.hash(state);
        self.version.hash(state);
    }
}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.text == &*key.text
            && self.schema == key.schema.as_deref()
            && self.version == key.version
            && self.options == key.options
    }
}
