//! Why rows of several shards cannot be compared by an expression.

use crate::error::PlanError;

/// Values are longer than servers sort by.
pub(super) fn too_long(text: &str) -> PlanError {
    PlanError::refused(format!(
        "Rows of several shards cannot be sorted or grouped by {text}: servers sort only the first 1024 bytes of such \
         values; use a shorter column, or restrict the query to one value of the sharding column"
    ))
}

/// It cannot be resolved.
pub(super) fn unknown_text() -> PlanError {
    PlanError::refused("This ORDER BY or GROUP BY cannot be resolved over several shards; name the columns")
}

/// It is another value each time.
pub(super) fn drawn(text: &str) -> PlanError {
    PlanError::refused(format!(
        "{text} has another value each time, so rows of several shards cannot be sorted or grouped by it; compute it in a \
         derived table of one row, or in the application"
    ))
}

/// Its type is not certain.
pub(super) fn uncertain(text: &str) -> PlanError {
    PlanError::refused(format!(
        "Whether {text} is a number or a text, and how long, is not known before it is computed, so rows of several shards \
         cannot be sorted or grouped by it; CAST it"
    ))
}
