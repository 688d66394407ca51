//! Shard functions: from a [`Key`] to a shard.
//!
//! Each function is one file here, which holds its options as the config writes them, its check and its
//! arithmetic, and one line in the list below. The functions know nothing of tables or SQL: conversion to the
//! column's type is done before, in [`Sharding`](crate::Sharding).

mod consistent;
mod hash;
mod modulo;
mod month;

use std::fmt::Debug;
use std::ops::Bound;

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use crate::{Key, ShardIndex, ShardSet};

/// From a key to a shard. Implementations are pure: the same key always gives the same shard.
pub trait ShardFunction: Send + Sync + Debug {
    /// The name in the config.
    fn name(&self) -> &'static str;

    /// Whether a column of this type can be the sharding column.
    ///
    /// # Errors
    /// The reason why not, as a sentence.
    fn accepts(&self, column_type: &ColumnType) -> Result<(), String>;

    /// How many shards each table has.
    fn shards(&self) -> usize;

    /// Where a shard lies: on the node of the same number, unless the function says otherwise.
    fn place(&self, shard: ShardIndex) -> Place {
        Place { node: shard, period: None }
    }

    /// The shard of a key.
    ///
    /// # Errors
    /// Why no shard takes it, for example the window of months that the rule covers.
    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String>;

    /// The shards of all keys between the bounds: all of them where the function keeps no order.
    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        let _ = (low, high);
        ShardSet::all(self.shards())
    }

    /// What `show` and the diff of a reload print: the options in one line.
    fn describe(&self) -> String;
}

/// Where a shard lies: which of the rule's nodes, and which period's table on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index in the rule's list of nodes.
    pub node: usize,
    /// The period, where tables are split inside a node.
    pub period: Option<Period>,
}

/// A calendar month that has a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// For example 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

impl Period {
    /// The physical table's name: `{table}`, `{yyyymm}`, `{yyyy}` and `{mm}` in the pattern are replaced.
    #[must_use]
    pub fn name(self, pattern: &str, table: &str) -> String {
        pattern
            .replace("{yyyymm}", &format!("{:04}{:02}", self.year, self.month))
            .replace("{yyyy}", &format!("{:04}", self.year))
            .replace("{mm}", &format!("{:02}", self.month))
            .replace("{table}", table)
    }
}

/// What a function is built from besides its own options.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The names of the rule's nodes, expanded and in order; never empty.
    pub nodes: &'a [String],
}

/// A mistake in a function's options: the key it concerns, what is wrong, and the mending.
#[derive(Debug)]
pub(crate) struct OptionError {
    pub key: &'static str,
    pub message: String,
    pub fix: String,
    /// It follows from the rule's list of nodes.
    pub about_nodes: bool,
}

impl OptionError {
    pub(crate) fn new(key: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key, message: message.into(), fix: fix.into(), about_nodes: false }
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident = $module:ident,)*) => {
        /// The shard function of a rule, with its own options.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(tag = "function", rename_all = "snake_case")]
        pub(crate) enum Function { $($(#[$doc])* $variant($module::Options),)* }

        impl Function {
            pub(crate) fn build(&self, context: &Context<'_>) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
                match self { $(Self::$variant(options) => $module::build(options, context),)* }
            }

            /// The pattern of physical table names, where the function splits tables inside a node.
            pub(crate) fn tables(&self) -> Option<&str> {
                match self { $(Self::$variant(options) => options.tables(),)* }
            }
        }
    };
}

functions! {
    /// A hash of the value to one of 16,384 slots; the slots are dealt to the nodes.
    Hash = hash,
    /// The number's magnitude modulo the number of nodes.
    Mod = modulo,
    /// A hash ring with virtual nodes: a new node takes rows from all others, and no row moves between the others.
    Consistent = consistent,
    /// The calendar month of a date; months go round the nodes.
    Month = month,
}

/// The reason that most functions give for the types none of them takes.
fn accepts_hashable(function: &str, column_type: &ColumnType) -> Result<(), String> {
    match column_type {
        ColumnType::Int { .. }
        | ColumnType::Decimal { .. }
        | ColumnType::Text { .. }
        | ColumnType::Binary { .. }
        | ColumnType::Date
        | ColumnType::DateTime { .. } => Ok(()),
        ColumnType::Timestamp { .. } => Err(format!(
            "`{function}` cannot take a TIMESTAMP: the same instant reads differently in each session's time zone"
        )),
        other => Err(unsuitable(function, other)),
    }
}

fn unsuitable(function: &str, column_type: &ColumnType) -> String {
    let why = match column_type {
        ColumnType::Float | ColumnType::Double => {
            "FLOAT and DOUBLE values have several spellings that are equal"
        }
        ColumnType::Json => "JSON documents that are equal can be spelt differently",
        ColumnType::Bit { .. } => "BIT values compare as numbers or as strings, depending on the statement",
        ColumnType::Enum { .. } | ColumnType::Set { .. } => {
            "ENUM and SET values compare as text or as numbers, depending on the statement"
        }
        ColumnType::Time { .. } | ColumnType::Year => "TIME and YEAR columns are not sharding columns yet",
        _ => "its values have no form that equal values share",
    };
    format!("`{function}` cannot take a column of this type: {why}")
}
