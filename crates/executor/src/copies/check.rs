//! Comparing the copies, chunk by chunk.

use std::collections::HashMap;
use std::time::Duration;

use serval_catalog::Catalog;
use serval_remote::{Backend, SessionState};
use serval_transaction::together;
use serval_types::NodeId;

use super::{CHUNK_ROWS, Range, Subject};
use crate::error::ExecuteError;
use crate::places::quoted;
use crate::query_rows::{Row, query_rows_under};

/// How often a chunk is looked at that differs, and how long is waited in between.
const LOOKS: usize = 3;
const PAUSE: Duration = Duration::from_millis(250);

/// One copy of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyState {
    /// The data node.
    pub node: String,
    /// Its rows.
    pub rows: u64,
    /// A checksum over all of them.
    pub checksum: String,
    /// The chunks that differ from those of most copies, for people.
    pub different: Vec<String>,
    /// Why it could not be compared.
    pub error: Option<String>,
}

/// Number of rows and checksum of a chunk.
type Sums = (u64, u64, u64);

/// All copies, as far as they have been compared.
pub(super) struct Comparison {
    pub(super) nodes: Vec<NodeId>,
    /// Nodes that could not be asked, and why.
    pub(super) failed: Vec<(NodeId, String)>,
    /// Each chunk with the sums of each node.
    pub(super) chunks: Vec<(Range, Vec<Sums>)>,
}

/// Compares the copies of a global table.
///
/// # Errors
/// What makes it no global table whose definition is known.
pub async fn check<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    schema: &str,
    table: &str,
) -> Result<Vec<CopyState>, String> {
    let subject = Subject::of(catalog, schema, table)?;
    let comparison = compare(backend, &subject).await;
    let mut states: Vec<CopyState> = (0..comparison.nodes.len())
        .map(|at| comparison.state(&subject, at))
        .chain(comparison.failed.iter().map(|(node, error)| CopyState {
            node: subject.name(*node),
            rows: 0,
            checksum: String::new(),
            different: Vec::new(),
            error: Some(error.clone()),
        }))
        .collect();
    states.sort_by(|one, two| one.node.cmp(&two.node));
    Ok(states)
}

/// Compares all copies that answer.
pub(super) async fn compare<B: Backend>(backend: &B, subject: &Subject<'_>) -> Comparison {
    let mut comparison = Comparison { nodes: subject.nodes.to_vec(), failed: Vec::new(), chunks: Vec::new() };
    let mut range = Range::default();
    loop {
        let Some(first) = comparison.nodes.first().copied() else { return comparison };
        match next_key(backend, subject, first, &range).await {
            Ok(to) => range.to = to,
            Err(error) => {
                comparison.fail(0, error.to_mysql().message);
                continue;
            }
        }
        let Some(sums) = comparison.agree(backend, subject, &range).await else { continue };
        comparison.chunks.push((range.clone(), sums));
        match range.to.take() {
            Some(to) => range.above = Some(to),
            None => return comparison,
        }
    }
}

/// Where the chunk ends that begins with `range`; `None` for the last one.
async fn next_key<B: Backend>(
    backend: &B,
    subject: &Subject<'_>,
    node: NodeId,
    range: &Range,
) -> Result<Option<Vec<String>>, ExecuteError> {
    let key = &subject.columns.key;
    if key.is_empty() {
        return Ok(None);
    }
    let begin = Range { to: None, ..range.clone() };
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
        subject.columns.key_literals.join(", "),
        quoted(&subject.table.name),
        begin.condition(key),
        key.join(", "),
        CHUNK_ROWS - 1
    );
    let rows = ask(backend, subject, node, &sql).await?;
    Ok(rows.into_iter().next().and_then(texts))
}

/// A row without NULLs, as text.
pub(super) fn texts(row: Row) -> Option<Vec<String>> {
    row.into_iter().map(|cell| cell.and_then(|cell| String::from_utf8(cell).ok())).collect()
}

async fn ask<B: Backend>(
    backend: &B,
    subject: &Subject<'_>,
    node: NodeId,
    sql: &str,
) -> Result<Vec<Row>, ExecuteError> {
    let node = subject.catalog.node(node);
    query_rows_under(backend, node.group, Some(&node.database), &state(), sql).await
}

/// TIMESTAMPs read the same everywhere, and strings are what they are.
pub(super) fn state() -> SessionState {
    SessionState::default().with("time_zone", "'+00:00'")
}

async fn sums<B: Backend>(
    backend: &B,
    subject: &Subject<'_>,
    node: NodeId,
    range: &Range,
) -> Result<Sums, ExecuteError> {
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        subject.columns.sums(),
        quoted(&subject.table.name),
        range.condition(&subject.columns.key)
    );
    let rows = ask(backend, subject, node, &sql).await?;
    let numbers = rows.into_iter().next().and_then(texts).and_then(|texts| {
        let mut numbers = texts.iter().map(|text| text.parse().ok());
        Some((numbers.next()??, numbers.next()??, numbers.next()??))
    });
    numbers.ok_or_else(|| ExecuteError::malformed("a node", "checksum"))
}

impl Comparison {
    /// The sums of a chunk on all nodes, looked at again while they differ; `None` where a node has dropped out.
    async fn agree<B: Backend>(
        &mut self,
        backend: &B,
        subject: &Subject<'_>,
        range: &Range,
    ) -> Option<Vec<Sums>> {
        let mut found = Vec::new();
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let asked = self.nodes.iter().map(|node| sums(backend, subject, *node, range));
            let answers = together(asked).await;
            if let Some(at) = answers.iter().position(Result::is_err) {
                let error = answers.into_iter().nth(at)?.err()?;
                self.fail(at, error.to_mysql().message);
                return None;
            }
            found = answers.into_iter().flatten().collect();
            if found.windows(2).all(|pair| pair[0] == pair[1]) {
                break;
            }
        }
        Some(found)
    }

    /// Goes on without a node.
    fn fail(&mut self, at: usize, why: String) {
        let node = self.nodes.remove(at);
        for (_, sums) in &mut self.chunks {
            sums.remove(at);
        }
        self.failed.push((node, why));
    }

    /// The node that most others agree with, as a place in the list; `None` where no copy is more common than others.
    pub(super) fn majority(&self) -> Option<usize> {
        let column = |at: usize| self.chunks.iter().map(move |(_, sums)| sums[at]).collect::<Vec<_>>();
        let mut counts: HashMap<Vec<Sums>, (usize, usize)> = HashMap::new();
        for at in 0..self.nodes.len() {
            counts.entry(column(at)).or_insert((0, at)).0 += 1;
        }
        let most = counts.values().map(|(count, _)| *count).max()?;
        let mut winners = counts.values().filter(|(count, _)| *count == most);
        match (winners.next(), winners.next()) {
            (Some((_, at)), None) => Some(*at),
            _ => None,
        }
    }

    fn state(&self, subject: &Subject<'_>, at: usize) -> CopyState {
        let right = self.majority().unwrap_or(0);
        let sums = self.chunks.iter().map(|(_, sums)| sums[at]);
        let (rows, one, two) =
            sums.fold((0, 0, 0), |(rows, one, two), sums| (rows + sums.0, one ^ sums.1, two ^ sums.2));
        let wrong = self.chunks.iter().filter(|(_, sums)| sums[at] != sums[right]);
        CopyState {
            node: subject.name(self.nodes[at]),
            rows,
            checksum: format!("{one:016x}{two:016x}"),
            different: wrong.map(|(range, _)| range.shown(&subject.columns.key)).collect(),
            error: None,
        }
    }
}
