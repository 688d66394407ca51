//! Stored functions. They lie on the default node of their schema, and no other server knows them.

use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};

use crate::failure::Failure;
use crate::literal::quote;
use crate::session::Session;

/// ER_SP_DOES_NOT_EXIST.
const UNKNOWN: u16 = 1305;

/// The error of a statement as the client should read it: that a server misses a function which another has is a refusal.
pub(super) async fn explained<B: Backend>(session: &mut Session<B>, error: MysqlError) -> MysqlError {
    let Some((schema, function)) = missed(&error) else { return error };
    let catalog = session.catalog();
    let Some(node) = catalog.schema(schema).and_then(|schema| schema.default_node) else { return error };
    let [database, name] =
        [&catalog.node(node).database, function].map(|name| quote(name.as_bytes(), "utf8mb4"));
    let sql = format!(
        "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {database} AND ROUTINE_NAME = {name} AND \
         ROUTINE_TYPE = 'FUNCTION'"
    );
    match session.ask(node, &sql).await {
        Ok(answer) if !answer.rows.is_empty() => {
            let message = format!(
                "Function {schema}.{function} is on data node {} alone, and this statement calls it for rows of others; \
                 write its expression in its place, or SELECT {function}(…) by itself and give the value",
                catalog.node(node).name
            );
            MysqlError::new(ErrorCode::NotSupported, message)
        }
        _ => error,
    }
}

/// The same, of a statement that may have failed for another reason than an error.
pub(super) async fn explained_failure<B: Backend>(session: &mut Session<B>, failure: Failure) -> Failure {
    match failure {
        Failure::Told(error) => Failure::Told(explained(session, error).await),
        failure => failure,
    }
}

/// The schema and the name in `FUNCTION s.f does not exist`.
fn missed(error: &MysqlError) -> Option<(&str, &str)> {
    let rest = error.message.strip_prefix("FUNCTION ").filter(|_| error.number == UNKNOWN)?;
    rest.strip_suffix(" does not exist")?.split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_of_functions() {
        let error = |number: u16, message: &str| MysqlError {
            number,
            sqlstate: *b"42000",
            message: message.to_owned(),
        };
        assert_eq!(missed(&error(1305, "FUNCTION shop.f does not exist")), Some(("shop", "f")));
        assert_eq!(missed(&error(1305, "PROCEDURE shop.f does not exist")), None);
        assert_eq!(missed(&error(1146, "FUNCTION shop.f does not exist")), None);
    }
}
