//! `Gather`: brings rows of several nodes to the scratch server and finishes the statement there.

use std::ops::Range;

use super::{Primitive, Target};
use crate::bound::Note;

/// A statement that no node can answer and that cannot be merged: its tables' rows are brought together in temporary
/// tables of one real server, which computes the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather {
    /// The tables, in the order of the text; one for each mention.
    pub sources: Vec<GatherSource>,
    /// In which order they are loaded, as indexes into `sources`.
    pub order: Vec<usize>,
    /// The client's statement over the temporary tables.
    pub statement: Target,
    /// What the scratch server's session is asked for behind it: what the statement has left there.
    pub then: Option<String>,
    /// The statement sets variables there, so that the connection is of no use to anybody else.
    pub sets_variables: bool,
}

/// One mention of a table, or a query of the statement whose result stands for it, and how its rows are brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatherSource {
    /// Which of the statement's tables it is, as indexes into [`Bound::tables`](crate::Bound::tables); several where it
    /// is the result of a query over them.
    pub tables: Range<usize>,
    /// Present where it is the result of a query.
    pub result: Option<GatheredResult>,
    /// The temporary table's columns, quoted.
    pub names: Vec<String>,
    /// The name of the temporary table.
    pub name: String,
    /// Its CREATE TEMPORARY TABLE.
    pub create: String,
    /// What its rows are loaded with, up to the first one.
    pub insert: String,
    /// Whether the texts here have names that are not ASCII, so that they must be sent as UTF-8.
    pub in_utf8: bool,
    /// The columns in order: how each is loaded.
    pub columns: Vec<Loading>,
    /// The earlier one that has the same rows in the same columns, from which they are copied there.
    pub copy_of: Option<usize>,
    /// Keys of earlier ones that the rows must have, where those are few.
    pub reductions: Vec<Reduction>,
    /// Reads the rows, always as text.
    pub rows: Box<Primitive>,
    /// The predicates that the nodes apply already, for EXPLAIN.
    pub filters: usize,
    /// Only so many rows can count, the first ones of an order.
    pub first: Option<u64>,
    /// The rewrites that made some of them.
    pub rewrites: Vec<Note>,
}

impl GatherSource {
    /// Whether the nodes leave out rows.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.filters > 0 || self.first.is_some()
    }
}

/// A query whose result is gathered in the place of its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatheredResult {
    /// What it is called in metadata.
    pub shown: String,
    /// For each column what it is announced as of, if it is one.
    pub origins: Vec<Option<Announced>>,
    /// Empty tables like those of the query, by name and CREATE TEMPORARY TABLE: the temporary table takes its types from
    /// the query over them.
    pub typed: Vec<(String, String)>,
}

/// What a column of a result is announced as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The table.
    pub table: String,
    /// The column of it that MariaDB names; MySQL names the result's own.
    pub column: String,
    /// It is the least or the greatest of its values, which only MariaDB announces as of a table.
    pub extreme: bool,
}

/// Only rows with certain keys are needed: those that another source has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduction {
    /// The source with the keys.
    pub from: usize,
    /// Which of its columns.
    pub column: usize,
    /// The column here that equals it, as the statements that read the rows call it.
    pub key: String,
    /// The predicate in those statements that the keys take the place of. It is true of all rows that can be needed.
    pub marker: String,
}

/// How the text of a cell becomes a literal that stores the same value again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loading {
    /// As it stands: a number.
    Number,
    /// As a string of bytes: text of any character set, binary strings, dates and times.
    Bytes,
    /// As a string of utf8mb4: JSON, which servers do not take from bytes.
    Json,
    /// As text in latin1: types that read bytes in a form of their own (UUID, INET6).
    Ascii,
    /// From seconds since the epoch, in which no hour stands twice.
    Timestamp,
}
