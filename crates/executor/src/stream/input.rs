//! All feeds of one tree of operators, and the memory the tree may use.

use std::time::Instant;

use bytes::Bytes;
use serval_wire::packet::ColumnDefinition;

use super::feed::{Feed, Given};
use super::integers::Integers;
use super::merge_columns::{self, Sent};
use crate::error::ExecuteError;
use crate::memory::Memory;
use crate::operator::Step;
use crate::row::Encoding;

/// What operators read from. One feed per target, in the plan's order.
#[derive(Debug)]
pub(crate) struct Input {
    feeds: Vec<Feed>,
    pub(crate) memory: Memory,
    columns: Option<Columns>,
    encoding: Encoding,
    /// Which feeds have sent their columns.
    checked: Vec<bool>,
}

/// The columns that all feeds must have.
#[derive(Debug)]
struct Columns {
    /// The node that sent them first.
    node: String,
    columns: Vec<ColumnDefinition>,
}

impl Input {
    pub(crate) fn new<'a>(
        nodes: impl Iterator<Item = &'a str>,
        encoding: Encoding,
        memory_limit: usize,
    ) -> Self {
        let feeds: Vec<Feed> = nodes.map(Feed::new).collect();
        let (checked, memory) = (vec![false; feeds.len()], Memory::new(memory_limit));
        Self { checked, feeds, memory, columns: None, encoding }
    }

    /// How many feeds there are.
    pub(crate) fn len(&self) -> usize {
        self.feeds.len()
    }

    /// The rows that a feed has given, their bytes, and when its last one had come.
    pub(crate) fn taken(&self, stream: usize) -> (u64, u64, Option<Instant>) {
        self.feeds[stream].taken()
    }

    /// Adds whole packets to a feed.
    pub(crate) fn push(&mut self, stream: usize, bytes: Bytes, complete: bool) {
        self.feeds[stream].push(bytes, complete);
    }

    /// The next row of a feed.
    pub(crate) fn next(&mut self, stream: usize) -> Result<Step, ExecuteError> {
        if !self.has_columns(stream)? {
            return Ok(Step::Wait(stream));
        }
        match self.feeds[stream].next()? {
            Given::Row(row) => Ok(Step::Row(row)),
            Given::End => Ok(Step::End),
            Given::Nothing => Ok(Step::Wait(stream)),
            Given::Columns(_) => Err(ExecuteError::refused(
                "A statement that gives several results cannot be merged over several shards",
            )),
        }
    }

    /// Whether a feed's columns are here; they are checked against the others' when they come.
    pub(crate) fn has_columns(&mut self, stream: usize) -> Result<bool, ExecuteError> {
        if self.checked[stream] {
            return Ok(true);
        }
        match self.feeds[stream].next()? {
            Given::Columns(columns) => self.check(stream, columns)?,
            Given::Nothing => return Ok(false),
            Given::Row(_) | Given::End => {
                let node = format!("node {}", self.feeds[stream].node);
                return Err(ExecuteError::malformed(&node, "answer: it has rows before columns"));
            }
        }
        self.checked[stream] = true;
        Ok(true)
    }

    fn check(&mut self, stream: usize, columns: Vec<ColumnDefinition>) -> Result<(), ExecuteError> {
        let feed = &mut self.feeds[stream];
        let node = &feed.node;
        match &mut self.columns {
            None => self.columns = Some(Columns { node: node.clone(), columns }),
            Some(expected) => {
                let first = Sent { node: &expected.node, columns: &expected.columns };
                merge_columns::check(first, Sent { node, columns: &columns })?;
                feed.integers = Integers::between(self.encoding, &columns, &expected.columns);
                merge_columns::widen(&mut expected.columns, &columns);
            }
        }
        Ok(())
    }

    /// The columns, as far as feeds have sent them: the first feed's, with the largest lengths of all.
    pub(crate) fn columns(&self) -> Vec<ColumnDefinition> {
        self.columns.as_ref().map_or_else(Vec::new, |columns| columns.columns.clone())
    }
}

#[cfg(test)]
impl Input {
    /// An input of lists of rows, all here.
    pub(crate) fn of_rows(
        encoding: Encoding,
        columns: &[ColumnDefinition],
        lists: &[Vec<Vec<Option<Vec<u8>>>>],
    ) -> Self {
        let mut input = Self::new(lists.iter().map(|_| "dn"), encoding, usize::MAX);
        for (stream, rows) in lists.iter().enumerate() {
            input.push(stream, answer(encoding, columns, rows), true);
        }
        input
    }
}

/// A whole result set of cells with these texts.
#[cfg(test)]
fn answer(encoding: Encoding, columns: &[ColumnDefinition], rows: &[Vec<Option<Vec<u8>>>]) -> Bytes {
    use serval_wire::Capabilities;
    let mut payloads = vec![vec![u8::try_from(columns.len()).unwrap()]];
    for column in columns {
        let mut payload = Vec::new();
        column.encode(Capabilities::empty(), &mut payload);
        payloads.push(payload);
    }
    for row in rows {
        let cells: Vec<_> = row.iter().map(Option::as_deref).collect();
        payloads.push(crate::row::tests::encode(encoding, columns, &cells));
    }
    payloads.push(vec![0xfe, 0, 0, 2, 0, 0, 0]);
    let (mut out, mut sequence) = (bytes::BytesMut::new(), 1);
    for payload in payloads {
        serval_wire::frame::write_packet(&mut out, &mut sequence, &payload);
    }
    out.freeze()
}
