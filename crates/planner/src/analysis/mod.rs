//! What a statement touches: its tables, and which shards of each its predicates can reach.
//!
//! Every SELECT block of a statement is looked at by itself, wherever it is nested. Within a block, equalities
//! between columns form classes, so that `o.user_id = 7` also fixes `u.id` where the two are joined on each other.

mod across;
mod alternatives;
mod block;
mod collector;
mod columns;
mod depth;
mod early;
mod equality;
mod join;
mod predicate;
mod qualifiers;
mod tables;
mod together;
mod with;
mod within;
mod written;

pub(crate) use across::Nested;
pub(crate) use alternatives::Alternatives;
pub(crate) use collector::Analysis;
pub(crate) use columns::{Column, Scope};
pub(crate) use depth::expressions_at_depth;
pub(crate) use early::{Early, Equal, Place, place, terms};
pub(crate) use join::constraint;
pub(crate) use tables::TableRef;
