//! The plan cache: from a statement's key to its plans.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use serval_sql::{LexOptions, Scan};

use crate::plan::Plan;

/// Statements longer than this are planned each time: they are bulk inserts, whose keys hardly repeat.
const LONGEST_KEY: usize = 16 * 1024;
/// The same of the statement itself, which is kept as an example: a long IN list is one hole of its key.
const LONGEST_STATEMENT: usize = 64 * 1024;
/// Statements that differ only in guarded literals keep this many plans.
const MOST_VARIANTS: usize = 8;
/// What a plan weighs besides its key, in bytes.
const PLAN_WEIGHT: u64 = 2048;

/// Plans by the full key of their statements, bounded by bytes.
#[derive(Debug)]
pub(crate) struct PlanCache {
    plans: Cache<Key, Arc<Entry>, ByBytes>,
}

/// The plans of one key.
#[derive(Debug)]
struct Entry {
    variants: Box<[Arc<Plan>]>,
    /// The statement that was planned last, with its values.
    example: Box<[u8]>,
    /// How often a plan was wanted. It lies beside the count of the Arc, which every use changes anyway.
    uses: AtomicU64,
}

/// A statement that has a plan in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The statement as it was sent once, with its values.
    pub sql: Vec<u8>,
    /// The session's schema.
    pub schema: Option<String>,
    /// How literals and identifiers are written in it.
    pub options: LexOptions,
    /// How often it, or one that differs in values only, has run.
    pub uses: u64,
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
        let entry = self.plans.get(lookup)?;
        entry.uses.fetch_add(1, Ordering::Relaxed);
        entry.variants.iter().find(|plan| plan.admits(sql, scan)).cloned()
    }

    /// The statements that were run most often, at most so many.
    pub(crate) fn most_used(&self, count: usize) -> Vec<Example> {
        let mut examples: Vec<Example> = self
            .plans
            .iter()
            .map(|(key, entry)| Example {
                sql: entry.example.to_vec(),
                schema: key.schema.as_deref().map(str::to_owned),
                options: key.options,
                uses: entry.uses.load(Ordering::Relaxed),
            })
            .collect();
        examples.sort_by(|one, other| other.uses.cmp(&one.uses).then_with(|| one.sql.cmp(&other.sql)));
        examples.truncate(count);
        examples
    }

    /// Forgets the plans of catalogs before `version`, which nobody new works under.
    pub(crate) fn forget_before(&self, version: u64) {
        self.plans.retain(|key, _| key.version >= version);
    }

    /// Keeps a plan of the statement `sql`.
    pub(crate) fn keep(&self, lookup: &Lookup<'_>, sql: &[u8], plan: &Arc<Plan>) {
        if lookup.text.len() > LONGEST_KEY || sql.len() > LONGEST_STATEMENT {
            return;
        }
        let before = self.plans.get(lookup);
        let others = before.iter().flat_map(|entry| entry.variants.iter().cloned());
        let variants = std::iter::once(Arc::clone(plan)).chain(others).take(MOST_VARIANTS).collect();
        let uses = before.as_ref().map_or(1, |entry| entry.uses.load(Ordering::Relaxed));
        let entry = Arc::new(Entry { variants, example: sql.into(), uses: AtomicU64::new(uses) });
        let key = Key {
            text: lookup.text.into(),
            schema: lookup.schema.map(Into::into),
            version: lookup.version,
            options: lookup.options,
        };
        self.plans.insert(key, entry);
    }

    /// How many statements have plans.
    pub(crate) fn len(&self) -> usize {
        self.plans.len()
    }
}

impl Weighter<Key, Arc<Entry>> for ByBytes {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        let text = key.text.len() as u64;
        (text * 2 + PLAN_WEIGHT) * entry.variants.len().max(1) as u64 + entry.example.len() as u64
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
