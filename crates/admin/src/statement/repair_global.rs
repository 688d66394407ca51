//! `repair @@global where schema = ? and table = ? [from node] [dry run]`.

use serval_remote::Backend;
use serval_session::copies::{self, Wanted};
use serval_session::{Answer, Proxy};
use serval_types::{ErrorCode, MysqlError};

use super::scope::Tables;

/// What is wanted, from the words behind the condition.
pub(super) fn wanted(words: &[String]) -> Option<Wanted> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (words, dry) = match &*words {
        [rest @ .., "dry", "run"] => (rest, true),
        all => (all, false),
    };
    match words {
        [] => Some(Wanted { from: None, dry }),
        ["from", node] => Some(Wanted { from: Some((*node).to_owned()), dry }),
        _ => None,
    }
}

/// Makes the copies of a global table equal, or says what that would take.
pub(super) async fn run<B: Backend>(
    proxy: &Proxy<B>,
    tables: &Tables,
    wanted: &Wanted,
    user: &str,
) -> Result<Answer, MysqlError> {
    let (Some(schema), Some(table)) = (&tables.schema, &tables.table) else {
        let text = "Name the table: repair @@global where schema = … and table = … [from node] [dry run]";
        return Err(MysqlError::new(ErrorCode::Syntax, text));
    };
    let catalog = proxy.catalog.load_full();
    let repaired = copies::repair(&*proxy.backend, &catalog, (schema, table), wanted).await;
    let repaired = repaired.map_err(|why| MysqlError::new(ErrorCode::Unknown, why))?;
    if !wanted.dry {
        tracing::info!(schema, table, by = user, chunks = repaired.len(), "global table repaired");
    }
    let mut answer = Answer::of_text(&["NODE", "ROWS", "INSERT", "DELETE", "CHANGE", "STATE"]);
    for chunk in repaired {
        let state = match chunk.error {
            Some(error) => format!("not repaired: {error}"),
            None if wanted.dry => "dry run".to_owned(),
            None => "done".to_owned(),
        };
        answer.push([
            chunk.node,
            chunk.range,
            chunk.inserted.to_string(),
            chunk.deleted.to_string(),
            chunk.changed.to_string(),
            state,
        ]);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_behind_the_condition() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(wanted(&words("")), Some(Wanted::default()));
        let both = Wanted { from: Some("dn1".into()), dry: true };
        assert_eq!(wanted(&words("from dn1 dry run")), Some(both));
        assert_eq!(wanted(&words("dry")), None);
    }
}
