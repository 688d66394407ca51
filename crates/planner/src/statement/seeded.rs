//! `RAND(seed)`: the numbers of one sequence, a row after the other, which each shard would begin anew.

use serval_sql::{Token, is_call_with_argument};

/// Why a statement with it is not sent to several shards.
pub(super) const REFUSAL: &str = "RAND(seed) over several shards is not supported here: each shard would begin its numbers anew; restrict the statement \
     to one value of the sharding column, or use RAND()";

/// Whether RAND is called with an argument. The tokens are without comments.
pub(super) fn is_called(sql: &[u8], tokens: &[Token]) -> bool {
    (0..tokens.len()).any(|at| is_call_with_argument(sql, tokens, at, "RAND"))
}
