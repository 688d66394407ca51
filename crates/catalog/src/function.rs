//! Shard functions: from a [`Key`] to a shard.
//!
//! Each function is one file here, which holds its options as the config writes them, its check and its
//! arithmetic, and one line in the list below. The functions know nothing of tables or SQL: conversion to the
//! column's type is done before, in [`Sharding`](crate::Sharding).

mod calendar;
mod consistent;
mod crc32_mod;
mod crc32_slots;
mod date;
mod day;
mod hash;
mod hour;
mod java;
mod jump;
mod layout;
mod list;
mod modulo;
mod month;
mod murmur;
mod pattern;
mod piece;
mod prefix_pattern;
mod range;
mod range_mod;
mod reading;
mod segments;
mod spans;
mod string_hash;
mod substring;
mod wang_mod;
mod week;
mod year;

use std::fmt::Debug;
use std::ops::Bound;

pub use calendar::{Clock, Expired, Rolling};
pub use piece::Piece;
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
        Place { node: shard, piece: None }
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

    /// The shard of rows whose sharding column is NULL, or that [`shard_of`](Self::shard_of) refuses: the rule's
    /// `default`, if it has one.
    fn default_shard(&self) -> Option<ShardIndex> {
        None
    }

    /// Whether the function takes the values of several columns at once, as one string of bytes.
    fn takes_several_columns(&self) -> bool {
        false
    }

    /// Whether all moments of one day share a shard, so that NOW() and CURDATE() do.
    fn keeps_days_together(&self) -> bool {
        false
    }

    /// Why no new row goes to a shard whose rows are still read: the first and the last period of a window that goes on
    /// with the clock, since other proxies' clocks may be ahead or behind. `None` where rows may go there.
    fn closed(&self, shard: ShardIndex) -> Option<String> {
        let _ = shard;
        None
    }

    /// The same function at this time, where its window goes on with the clock and has done so.
    fn rolled(&self, clock: &Clock) -> Option<Box<dyn ShardFunction>> {
        let _ = clock;
        None
    }

    /// What goes on with the clock, where something does.
    fn rolling(&self) -> Option<Rolling> {
        None
    }

    /// What `show` and the diff of a reload print: the options in one line.
    fn describe(&self) -> String;
}

/// Where a shard lies: which of the rule's nodes, and which table on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index in the rule's list of nodes.
    pub node: usize,
    /// Which of several tables, where tables are split inside a node; `None` is the table of the client's name.
    pub piece: Option<Piece>,
}

/// What a function is built from besides its own options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The names of the rule's nodes, expanded and in order; never empty. Where tables are split inside nodes, a
    /// function that is not of the calendar is given the numbers of the tables instead.
    pub nodes: &'a [String],
    /// The pattern of physical table names.
    pub tables: Option<&'a str>,
    /// How many tables each node has, where the rule says so.
    pub tables_per_node: Option<&'a [u32]>,
    /// The index of the node that takes what the function has no shard for.
    pub default: Option<usize>,
}

impl<'a> Context<'a> {
    /// One table on each node, no default.
    #[cfg(test)]
    pub(crate) fn of(nodes: &'a [String]) -> Self {
        Self { nodes, tables: None, tables_per_node: None, default: None }
    }
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
    (
        keys { $($(#[$doc:meta])* $variant:ident = $module:ident,)* }
        calendar { $($(#[$time_doc:meta])* $time:ident = $time_module:ident,)* }
    ) => {
        /// The shard function of a rule, with its own options.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(tag = "function", rename_all = "snake_case")]
        pub(crate) enum Function {
            $($(#[$doc])* $variant($module::Options),)*
            $($(#[$time_doc])* $time($time_module::Options),)*
        }

        impl Function {
            pub(crate) fn build(&self, context: &Context<'_>) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
                match self {
                    $(Self::$variant(options) => {
                        layout::numbered(context, &|context| $module::build(options, context))
                    })*
                    $(Self::$time(options) => {
                        layout::periodic(context, &|context| $time_module::build(options, context))
                    })*
                }
            }
        }
    };
}

functions! {
    keys {
        /// A hash of the value to one of 16,384 slots; the slots are dealt to the nodes.
        Hash = hash,
        /// The number's magnitude modulo the number of nodes.
        Mod = modulo,
        /// A hash ring with virtual nodes: a new node takes rows from all others, and no row moves between the others.
        Consistent = consistent,
        /// Ranges of numbers.
        Range = range,
        /// Ranges of numbers, each over a group of nodes by the number's magnitude modulo the group's size.
        RangeMod = range_mod,
        /// Listed values.
        List = list,
        /// Mycat's PartitionByString: a hash of a part of the text, in segments of 1,024.
        StringHash = string_hash,
        /// Mycat's PartitionByMurmurHash: a hash ring of murmur3.
        Murmur = murmur,
        /// Mycat's PartitionByJumpConsistentHash.
        Jump = jump,
        /// Mycat's PartitionByCRC32PreSlot: CRC32 of the text to one of 102,400 slots.
        Crc32Slots = crc32_slots,
        /// kingshard's and Gaea's hash: the unsigned number, or the CRC32 of the text, modulo the number of nodes.
        Crc32Mod = crc32_mod,
        /// Mycat's PartitionByHashMod.
        WangMod = wang_mod,
        /// Mycat's PartitionByPattern: ranges of the number's remainder.
        Pattern = pattern,
        /// Mycat's PartitionByPrefixPattern: ranges of the remainder of the sum of the first characters.
        PrefixPattern = prefix_pattern,
        /// Mycat's PartitionDirectBySubString: the shard's number stands in the value.
        Substring = substring,
        /// Mycat's PartitionByLong: the number's low 10 bits in segments of 1,024.
        Segments = segments,
    }
    calendar {
        /// The hour of a date and time; hours go round the nodes.
        Hour = hour,
        /// The day of a date; days go round the nodes.
        Day = day,
        /// Every so many days of a date; the spans go round the nodes.
        Date = date,
        /// The ISO week of a date; weeks go round the nodes.
        Week = week,
        /// The calendar month of a date; months go round the nodes.
        Month = month,
        /// The year of a date; years go round the nodes.
        Year = year,
    }
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
        ColumnType::Float { .. } | ColumnType::Double { .. } => {
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

/// The reason that functions of Java's and Go's proxies give, which saw values as the text of a statement.
fn accepts_spelt(function: &str, column_type: &ColumnType) -> Result<(), String> {
    match column_type {
        ColumnType::Int { .. } | ColumnType::Decimal { scale: 0, .. } | ColumnType::Text { .. } => Ok(()),
        _ => Err(format!("`{function}` needs a column of whole numbers or of text")),
    }
}
