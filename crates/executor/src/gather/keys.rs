//! Keys that one table has brought, by which another is read.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serval_planner::primitive::{Gather, GatherSource, Primitive, Reduction};

/// More keys than this are not sent: reading all rows is then hardly dearer.
const MOST: usize = 16_384;

/// The keys of a gathering, by source and column.
#[derive(Debug)]
pub(super) struct Keys {
    wanted: HashMap<usize, Vec<Column>>,
}

/// The keys of one column.
#[derive(Debug)]
pub(super) struct Column {
    index: usize,
    /// Numbers as their text; `None` where they are too many.
    found: Option<BTreeSet<Box<[u8]>>>,
}

impl Keys {
    /// Those that some source is read by.
    pub(super) fn wanted(gather: &Gather) -> Self {
        let mut wanted: HashMap<usize, Vec<Column>> = HashMap::new();
        for reduction in gather.sources.iter().flat_map(|source| &source.reductions) {
            let columns = wanted.entry(reduction.from).or_default();
            if !columns.iter().any(|column| column.index == reduction.column) {
                columns.push(Column { index: reduction.column, found: Some(BTreeSet::new()) });
            }
        }
        Self { wanted }
    }

    /// The columns of a source whose keys are to be noted; they are [given](Self::give) back with them.
    pub(super) fn take(&mut self, source: usize) -> Vec<Column> {
        self.wanted.get_mut(&source).map(std::mem::take).unwrap_or_default()
    }

    /// The keys that a source has brought.
    pub(super) fn give(&mut self, source: usize, columns: Vec<Column>) {
        if !columns.is_empty() {
            self.wanted.insert(source, columns);
        }
    }

    /// What reads the rows of a source, restricted to the keys that were found for it.
    pub(super) fn narrow<'s>(&self, source: &'s GatherSource) -> Cow<'s, Primitive> {
        let found: Vec<(&str, Vec<u8>)> =
            source.reductions.iter().filter_map(|reduction| self.predicate(reduction)).collect();
        if found.is_empty() {
            return Cow::Borrowed(&source.rows);
        }
        let mut rows = Primitive::clone(&source.rows);
        if let Some(route) = rows.route_mut() {
            for target in &mut route.targets {
                for (marker, predicate) in &found {
                    target.sql = replace(&target.sql, marker.as_bytes(), predicate);
                }
            }
        }
        Cow::Owned(rows)
    }

    fn predicate<'r>(&self, reduction: &'r Reduction) -> Option<(&'r str, Vec<u8>)> {
        let mut columns = self.wanted.get(&reduction.from)?.iter();
        let keys = columns.find(|column| column.index == reduction.column)?.found.as_ref()?;
        if keys.is_empty() {
            return Some((&reduction.marker, b"FALSE".to_vec()));
        }
        let mut text = format!("({} IN (", reduction.key).into_bytes();
        text.extend(keys.iter().map(|key| &**key).collect::<Vec<_>>().join(&b", "[..]));
        text.extend_from_slice(b"))");
        Some((&reduction.marker, text))
    }
}

impl Column {
    /// Its place among the source's columns.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Notes a key. NULL equals nothing.
    pub(super) fn note(&mut self, cell: Option<&[u8]>) {
        let (Some(keys), Some(cell)) = (&mut self.found, cell) else { return };
        if !keys.contains(cell) {
            keys.insert(cell.into());
        }
        if keys.len() > MOST {
            self.found = None;
        }
    }
}

/// The text with every `marker` replaced.
fn replace(text: &[u8], marker: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + by.len());
    let mut rest = text;
    while let Some(at) = rest.windows(marker.len()).position(|window| window == marker) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by);
        rest = &rest[at + marker.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_replaced() {
        assert_eq!(replace(b"a MARK b MARK", b"MARK", b"x"), b"a x b x");
        assert_eq!(replace(b"MAR", b"MARK", b"x"), b"MAR");
    }

    #[test]
    fn too_many_keys_are_none() {
        let mut column = Column { index: 0, found: Some(BTreeSet::new()) };
        column.note(None);
        (0..MOST).for_each(|key| column.note(Some(key.to_string().as_bytes())));
        column.note(Some(b"7"));
        assert_eq!(column.found.as_ref().map(BTreeSet::len), Some(MOST));
        column.note(Some(b"x"));
        column.note(Some(b"1"));
        assert!(column.found.is_none());
    }
}
