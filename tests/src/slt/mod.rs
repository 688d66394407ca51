//! Files of statements that run on the proxy and on the oracle.
//!
//! The format is close to sqllogictest's, but holds no expected output: what the oracle answers is right. A block is a
//! directive and the statements under it, each ending with `;` at a line's end; a blank line ends the block.
//!
//! ```text
//! # a comment
//! statement ok                 both succeed: affected rows, insert id, warnings and info are equal
//! INSERT INTO users VALUES (1, 'ada'), (2, 'bob');
//!
//! statement error 1062         both answer this error, with the same SQLSTATE and text
//! INSERT INTO users VALUES (1, 'ada');
//!
//! query                        rows equal in this order, and column definitions
//! SELECT * FROM users ORDER BY id;
//!
//! query rowsort                rows equal in any order
//! SELECT * FROM users;
//!
//! refused                      the proxy answers 1235, the oracle does not mind
//! SELECT * FROM users JOIN products;
//!
//! connection b                 what follows runs on another pair of connections
//! ```
//!
//! Words that may follow a directive: `anymeta`, `anytext` (of errors), `anyid` (insert ids), `anywarnings`, `anyinfo`
//! leave one thing uncompared; `onlyproxy` and `onlyoracle` run the statement on one side; `onlymariadb` and
//! `onlymysql` on one flavour, `textonly` not as a prepared statement. `$schema` stands for the schema's name.

mod difference;
mod run;
mod script;

pub use run::{Report, run, run_on_oracles, run_prepared};
