//! MySQL statements as text: one-pass scanning, parsing, and splicing by byte position.
//!
//! The crate turns a statement's bytes into what routing needs: a cache key with holes where the literals were
//! ([`scan()`]), tokens ([`tokens`]), a syntax tree whose positions are bytes of the original text ([`parse()`]), and
//! the text again with some places changed ([`splice()`], [`Template`]).
//!
//! It deliberately does not know any catalog, does no I/O, and never prints a syntax tree: a printed tree does not
//! always mean what the client wrote, so every rewritten statement is the client's own text with edits in it.
//! Multi-byte character sets whose second byte may be ASCII (gbk, sjis, big5) are not understood; a caller that
//! accepts them must convert first.
//!
//! ```
//! use serval_sql::{LexOptions, Replacement, StatementClass, Template, scan};
//! let options = LexOptions::default();
//! let first = b"SELECT * FROM orders WHERE id = 7";
//! let second = b"SELECT * FROM orders WHERE id = 4711";
//! let (a, b) = (scan(first, options)?, scan(second, options)?);
//! assert_eq!(a.key, b.key);
//! assert_eq!(a.class, StatementClass::Select);
//!
//! let table = serval_sql::Span { start: 14, end: 20 };
//! let template = Template::build(first, &a, &[(table, Replacement::Slot(0))]);
//! let mut out = Vec::new();
//! template.render(second, &b, &|_, out| out.extend_from_slice(b"orders_3"), &mut out);
//! assert_eq!(out, b"SELECT * FROM orders_3 WHERE id = 4711");
//! # Ok::<(), serval_sql::LexError>(())
//! ```

mod class;
pub mod create_table;
mod digest;
mod hint;
mod lexer;
mod literal;
mod options;
mod pairs;
mod parse;
mod readable;
mod scan;
mod span;
mod splice;
mod stored_calls;
mod template;
mod token;
mod version_comment;

pub use class::StatementClass;
pub use create_table::TableDefinition;
pub use digest::digest_text;
pub use hint::{HintError, HintedServer, Hints, without_hints};
pub use lexer::{LexError, LexErrorKind};
pub use literal::{identifier_value, literal_value};
pub use options::LexOptions;
pub use pairs::Pairs;
pub use parse::{
    Assignment, Ddl, DdlKind, Definer, Duplicates, Explain, Filter, Ident, Kill, LoadColumn, LoadData,
    LoadFormat, Locator, LockTables, Maintenance, Modifier, ParseError, Parsed, Problem, Scope, SetKind,
    SetValue, Show, Statement, Stored, StoredAction, StoredObject, TableLock, TableName, TransactionScope,
    TransactionStatement, VersionComments, is_interval_unit, is_shortened, parse, row_values,
};
pub use readable::readable;
pub use scan::{Hole, HoleKind, ListClass, Marks, Scan, scan};
pub use span::Span;
pub use splice::{Edit, splice};
pub use stored_calls::may_call_stored;
pub use template::{Piece, Replacement, Template};
pub use token::{Token, TokenKind, closing, is_call, is_call_with_argument, names_table, tokens};
pub use version_comment::{ServerKind, VersionComment, open_version_comments, unwrap_version_comment};
