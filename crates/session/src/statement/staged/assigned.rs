//! The columns that ON DUPLICATE KEY UPDATE names, where no row comes that a server would read it with.

use serval_catalog::TableDefinition;
use serval_planner::PlanTable;
use serval_types::MysqlError;

use super::clauses::Clauses;

/// The tokens of `ON DUPLICATE KEY UPDATE`.
const WORDS: usize = 4;

/// Checks the columns that are assigned to and those of `VALUES(column)`, in the clause that begins at a token.
///
/// # Errors
/// 1054.
pub(super) fn check(
    clauses: &Clauses<'_>,
    at: usize,
    target: &PlanTable,
    mariadb: bool,
) -> Result<(), MysqlError> {
    let Some(definition) = target.table.definition.as_deref() else { return Ok(()) };
    let end = clauses.tokens.len();
    let assigned = clauses.items(at + WORDS, end).into_iter().filter_map(|(from, to)| {
        let equals = (from..to).find(|at| clauses.is_symbol(*at, b'='))?;
        Some((from, equals))
    });
    let values = (at + WORDS..end).filter_map(|at| {
        let opens = clauses.is_word(at, &["VALUES", "VALUE"]) && clauses.is_symbol(at + 1, b'(');
        let close = clauses.closing(at + 1).filter(|_| opens)?;
        Some((at + 2, close))
    });
    for (from, to) in assigned.chain(values) {
        let text = String::from_utf8_lossy(clauses.text(from, to)).replace('`', "");
        if is_unknown(clauses, (from, to), target, definition) {
            let place = if mariadb { "UPDATE" } else { "field list" };
            let message = format!("Unknown column '{text}' in '{place}'");
            return Err(MysqlError { number: 1054, sqlstate: *b"42S22", message });
        }
    }
    Ok(())
}

/// Whether these tokens are the name of a column that the target does not have.
fn is_unknown(
    clauses: &Clauses<'_>,
    (from, to): (usize, usize),
    target: &PlanTable,
    definition: &TableDefinition,
) -> bool {
    let names = (from..to).step_by(2).map(|at| clauses.name(at)).collect::<Option<Vec<_>>>();
    let dots = (from + 1..to).step_by(2).all(|at| clauses.is_symbol(at, b'.'));
    // What is no name a server has to read, and it would be an error of another kind.
    let Some(names) = names.filter(|_| dots) else { return false };
    let [qualifiers @ .., column] = &names[..] else { return false };
    let other = qualifiers.last().is_some_and(|table| !table.eq_ignore_ascii_case(&target.table.name));
    other || definition.column(column).is_none()
}
