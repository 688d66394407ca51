//! Transactions that span groups: one connection per group, begun when the group is first used, and the protocol
//! that commits them.
//!
//! A [`Transaction`] lends a group's connection to whoever runs a statement and takes it back with what became of
//! the statement. A connection that does not come back, because it broke or because the statement's future was
//! dropped, dooms the transaction: what that server did is lost, so the whole is rolled back and the client is told
//! until it ends the transaction itself.
//!
//! How several groups commit is the [`TransactionMode`](serval_catalog::TransactionMode):
//!
//! - `atomic`: two phases, with the record of the decision in the first participant's own transaction
//!   (`two_phase` tells the protocol). Whatever is lost on the way, all groups commit or none, and the
//!   [`Coordinator`]'s recovery, in this proxy or another, finishes what a session left. A transaction that uses one group
//!   costs nothing more than that group's COMMIT, nor does one that changed something in one group only.
//! - `best_effort`: groups commit one after another, in the order of their numbers. If a server or this process dies
//!   between the first COMMIT and the last, some have committed and others have not; [`CommitError::Partial`] then
//!   names both.
//! - `single`: a second group is refused.
//!
//! The crate deliberately knows nothing of plans, rows or shards, and promises no isolation across groups: each has
//! a snapshot of its own.
//!
//! ```
//! use serval_catalog::TransactionMode;
//! use serval_transaction::Transaction;
//!
//! fn begin<B: serval_remote::Backend>(transaction: &mut Transaction<B>) {
//!     // Nothing is sent: each group begins with the first statement that needs it.
//!     transaction.begin("START TRANSACTION", TransactionMode::BestEffort);
//!     assert!(transaction.is_open());
//! }
//! ```

mod barrier;
mod branch;
mod by_hand;
mod circle;
mod commit;
mod coordinator;
mod deadlock;
mod exchange;
mod global;
mod gtrid;
mod identity;
mod lent;
mod loss;
mod metric;
mod notice;
mod participant;
mod position;
mod record;
mod recovery;
mod savepoint;
mod settle;
mod sweep;
mod together;
mod transaction;
mod two_phase;

pub use commit::CommitError;
pub use coordinator::Coordinator;
pub use gtrid::Gtrid;
pub use lent::{Ending, Lent};
pub use record::Verdict;
pub use recovery::InDoubt;
pub use together::together;
pub use transaction::Transaction;
