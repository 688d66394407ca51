//! What one physical table looks like, in a form that can be compared with its siblings.

use serval_catalog::DataNode;
use serval_remote::Backend;

use super::NO_SUCH_TABLE;
use crate::error::ExecuteError;
use crate::places::quoted;
use crate::query_rows::query_rows;

/// SHOW CREATE TABLE without the table's own name and without its AUTO_INCREMENT counter; `None` where the table does
/// not exist.
///
/// # Errors
/// As [`query_rows`].
pub async fn shape<B: Backend>(
    backend: &B,
    node: &DataNode,
    physical: &str,
) -> Result<Option<String>, ExecuteError> {
    let sql = format!("SHOW CREATE TABLE {}", quoted(physical));
    match query_rows(backend, node.group, Some(&node.database), &sql).await {
        Ok(rows) => {
            let text = rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten());
            Ok(text.map(|text| comparable(&String::from_utf8_lossy(&text), physical)))
        }
        Err(ExecuteError::Server(error)) if error.number == NO_SUCH_TABLE => Ok(None),
        Err(error) => Err(error),
    }
}

/// A definition without what may differ: the table's own name and the counter.
fn comparable(create: &str, physical: &str) -> String {
    without_counter(&create.replacen(&quoted(physical), "``", 1))
}

/// The text without the AUTO_INCREMENT counter, which changes with every insert.
#[must_use]
pub fn without_counter(create: &str) -> String {
    match create.rsplit_once(" AUTO_INCREMENT=") {
        Some((before, after)) if after.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("{before}{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        }
        _ => create.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_and_the_counter_may_differ() {
        let one = "CREATE TABLE `e_202601` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
        let two = "CREATE TABLE `e_202602` (\n  `id` int\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        assert_eq!(comparable(one, "e_202601"), comparable(two, "e_202602"));
    }
}
