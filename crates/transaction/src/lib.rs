//! Transactions that span groups: one connection per group, begun when the group is first used, and the protocol
//! that commits them.
//!
//! A [`Transaction`] lends a group's connection to whoever runs a statement and takes it back with what became of
//! the statement. A connection that does not come back, because it broke or because the statement's future was
//! dropped, dooms the transaction: what that server did is lost, so the whole is rolled back and the client is told
//! until it ends the transaction itself.
//!
//! Commit is in mode `best_effort`: groups are committed one after another, in the order of their numbers, each by
//! its own COMMIT. While every server answers, the outcome is all or nothing. If a server or this process dies
//! between the first COMMIT and the last, some groups have committed and others have not; [`CommitError::Partial`]
//! then names both. Mode `single` refuses a second group instead, so that this cannot happen.
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

mod commit;
mod exchange;
mod lent;
mod participant;
mod savepoint;
mod settle;
mod transaction;

pub use commit::CommitError;
pub use lent::{Ending, Lent};
pub use transaction::Transaction;
