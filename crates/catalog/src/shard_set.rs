//! An ordered set of shard indexes: what a predicate can still reach.

use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;

/// The index of a shard in [`Sharding::shards`](crate::Sharding::shards).
pub type ShardIndex = usize;

/// An ordered set of shard indexes.
///
/// One shard, all shards, none and a run of neighbours (the months of a range) take no allocation. A set has one
/// representation only, so `==` compares the sets.
///
/// ```
/// use serval_catalog::ShardSet;
/// let set = ShardSet::one(2).union(&ShardSet::one(0));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [0, 2]);
/// assert_eq!(set.intersection(&ShardSet::one(2)).single(), Some(2));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShardSet(Repr);

// Invariant: `Sparse` is sorted, without duplicates, and has a gap; what has none is a `Run`, and the empty set is
// `Run(0, 0)`.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Run(u32, u32),
    Sparse(Box<[u32]>),
}

impl ShardSet {
    /// No shard: nothing can match.
    #[must_use]
    pub const fn none() -> Self {
        Self(Repr::Run(0, 0))
    }

    /// Exactly one shard.
    #[must_use]
    pub fn one(shard: ShardIndex) -> Self {
        let shard = narrow(shard);
        Self(Repr::Run(shard, shard + 1))
    }

    /// Every shard of a table that has `count` of them.
    #[must_use]
    pub fn all(count: usize) -> Self {
        Self::run(0..count)
    }

    /// Neighbouring shards.
    #[must_use]
    pub fn run(shards: Range<ShardIndex>) -> Self {
        if shards.is_empty() {
            return Self::none();
        }
        Self(Repr::Run(narrow(shards.start), narrow(shards.end)))
    }

    /// How many shards the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Run(start, end) => (end - start) as usize,
            Repr::Sparse(shards) => shards.len(),
        }
    }

    /// Whether nothing can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The only shard, where there is exactly one.
    #[must_use]
    pub fn single(&self) -> Option<ShardIndex> {
        match self.0 {
            Repr::Run(start, end) if end == start + 1 => Some(start as usize),
            _ => None,
        }
    }

    /// The lowest shard.
    #[must_use]
    pub fn first(&self) -> Option<ShardIndex> {
        self.iter().next()
    }

    /// Whether `shard` is in the set.
    #[must_use]
    pub fn contains(&self, shard: ShardIndex) -> bool {
        let shard = narrow(shard);
        match &self.0 {
            Repr::Run(start, end) => (*start..*end).contains(&shard),
            Repr::Sparse(shards) => shards.binary_search(&shard).is_ok(),
        }
    }

    /// The shards in ascending order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(match &self.0 {
            Repr::Run(start, end) => IterRepr::Run(*start..*end),
            Repr::Sparse(shards) => IterRepr::Sparse(shards.iter()),
        })
    }

    /// Each shard as `parts` neighbours: shard n becomes those from `n * parts` on.
    #[must_use]
    pub(crate) fn scaled(&self, parts: usize) -> Self {
        match &self.0 {
            Repr::Run(start, end) => Self::run(*start as usize * parts..*end as usize * parts),
            Repr::Sparse(shards) => shards
                .iter()
                .flat_map(|shard| *shard as usize * parts..(*shard as usize + 1) * parts)
                .collect(),
        }
    }

    /// What is in either set: the shards of `a OR b`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() || self == other {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        if let (Repr::Run(a, b), Repr::Run(c, d)) = (&self.0, &other.0)
            && a <= d
            && c <= b
        {
            return Self(Repr::Run(*a.min(c), *b.max(d)));
        }
        self.iter().chain(other.iter()).collect()
    }

    /// What is in both sets: the shards of `a AND b`.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Repr::Run(a, b), Repr::Run(c, d)) => Self::run(*a.max(c) as usize..*b.min(d) as usize),
            (Repr::Sparse(_), Repr::Run(..)) => self.iter().filter(|shard| other.contains(*shard)).collect(),
            _ => other.iter().filter(|shard| self.contains(*shard)).collect(),
        }
    }
}

impl FromIterator<ShardIndex> for ShardSet {
    fn from_iter<I: IntoIterator<Item = ShardIndex>>(shards: I) -> Self {
        let mut shards: SmallVec<[u32; 16]> = shards.into_iter().map(narrow).collect();
        shards.sort_unstable();
        shards.dedup();
        match (shards.first(), shards.last()) {
            (Some(first), Some(last)) if (last - first) as usize + 1 == shards.len() => {
                Self(Repr::Run(*first, last + 1))
            }
            (Some(_), _) => Self(Repr::Sparse(shards.into_vec().into())),
            (None, _) => Self::none(),
        }
    }
}

impl<'a> IntoIterator for &'a ShardSet {
    type Item = ShardIndex;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for ShardSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The shards of a [`ShardSet`] in ascending order.
#[derive(Debug, Clone)]
pub struct Iter<'a>(IterRepr<'a>);

#[derive(Debug, Clone)]
enum IterRepr<'a> {
    Run(Range<u32>),
    Sparse(std::slice::Iter<'a, u32>),
}

impl Iterator for Iter<'_> {
    type Item = ShardIndex;

    fn next(&mut self) -> Option<ShardIndex> {
        match &mut self.0 {
            IterRepr::Run(run) => run.next(),
            IterRepr::Sparse(shards) => shards.next().copied(),
        }
        .map(|shard| shard as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            IterRepr::Run(run) => run.size_hint(),
            IterRepr::Sparse(shards) => shards.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

fn narrow(shard: ShardIndex) -> u32 {
    u32::try_from(shard)
        .expect("a table has fewer than 2^32 shards, as the catalog makes at most one per month and node")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(shards: &[usize]) -> ShardSet {
        shards.iter().copied().collect()
    }

    #[test]
    fn one_representation_per_set() {
        assert_eq!(set(&[3, 1, 2, 2]), ShardSet::run(1..4));
        assert_eq!(set(&[]), ShardSet::none());
        assert_eq!(set(&[0, 2]).union(&ShardSet::one(1)), ShardSet::all(3));
        assert_eq!(ShardSet::run(5..5), ShardSet::none());
    }

    #[test]
    fn set_operations() {
        let odd = set(&[1, 3, 5]);
        assert_eq!(odd.intersection(&ShardSet::run(2..6)), set(&[3, 5]));
        assert_eq!(ShardSet::run(2..6).intersection(&odd), set(&[3, 5]));
        assert_eq!(ShardSet::run(0..2).union(&ShardSet::run(2..4)), ShardSet::all(4));
        assert_eq!(ShardSet::run(0..1).union(&ShardSet::run(2..3)), set(&[0, 2]));
        assert_eq!(ShardSet::run(0..2).intersection(&ShardSet::run(2..4)), ShardSet::none());
    }

    #[test]
    fn single_is_exactly_one() {
        assert_eq!(ShardSet::one(7).single(), Some(7));
        assert_eq!(ShardSet::all(2).single(), None);
        assert_eq!(ShardSet::none().single(), None);
        assert_eq!(set(&[4, 9]).first(), Some(4));
    }
}
