//! What definitions say of the numbers of AUTO_INCREMENT that Serval gives.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, LexOptions, TokenKind, tokens};

use crate::session::Session;

/// TRUNCATE, DROP and OR REPLACE begin them anew; after RENAME they go on above what is in the table.
pub(super) async fn settle<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    ddl: &Ddl,
    schemas: &[String],
) {
    let renamed = matches!(ddl.kind, DdlKind::RenameTable | DdlKind::AlterTable { rename_to: Some(_) });
    let emptied = matches!(
        ddl.kind,
        DdlKind::Truncate | DdlKind::DropTable { .. } | DdlKind::CreateTable { or_replace: true, .. }
    );
    if !renamed && !emptied {
        return;
    }
    // A new name may have had no definition before.
    let catalog = if renamed { session.base_catalog() } else { Arc::clone(catalog) };
    // Behind the name of a new table stands that of which it is made like.
    let of_one = matches!(ddl.kind, DdlKind::CreateTable { .. });
    let most = if of_one { 1 } else { ddl.tables.len() };
    for (schema, name) in schemas.iter().zip(&ddl.tables).take(most) {
        let Some(table) = catalog.table(schema, &name.table.value) else { continue };
        if table.sequence.is_none() {
            continue;
        }
        let (servers, sequences) = (&*session.proxy.backend, &session.proxy.sequences);
        let settled = if renamed {
            sequences.observe_rows(servers, &catalog, schema, table).await
        } else {
            sequences.restart(servers, &catalog, schema, table).await
        };
        if let Err(error) = settled {
            tracing::warn!(schema, table = table.name, %error, "AUTO_INCREMENT goes on where it was");
        }
    }
}

/// `AUTO_INCREMENT = n` of CREATE and ALTER TABLE: the next number is n, where none as great was given. `before` is the
/// catalog before the statement.
pub(super) async fn begin<B: Backend>(
    session: &mut Session<B>,
    before: &Arc<Catalog>,
    (ddl, schemas): (&Ddl, &[String]),
    text: &str,
) {
    let (Some(schema), Some(name)) = (schemas.first(), ddl.tables.first()) else { return };
    let name = match &ddl.kind {
        DdlKind::CreateTable { if_not_exists, .. } => {
            let was = before.table(schema, &name.table.value);
            if *if_not_exists && was.is_some_and(|was| was.definition.is_some()) {
                return;
            }
            name
        }
        DdlKind::AlterTable { rename_to } => rename_to.as_ref().unwrap_or(name),
        _ => return,
    };
    let Some(first) = first_number(text, session.options) else { return };
    let catalog = session.base_catalog();
    let Some(table) = catalog.table(schema, &name.table.value) else { return };
    if table.sequence.is_none() || first < 2 {
        return;
    }
    let (servers, sequences) = (&*session.proxy.backend, &session.proxy.sequences);
    if let Err(error) = sequences.observe(servers, &catalog, schema, table, first - 1).await {
        tracing::warn!(schema, table = table.name, %error, "AUTO_INCREMENT goes on where it was");
    }
}

/// The number of `AUTO_INCREMENT [=] n`; the last one counts.
fn first_number(text: &str, options: LexOptions) -> Option<u64> {
    let sql = text.as_bytes();
    let mut tokens = tokens(sql, options).ok()?;
    tokens.retain(|token| !token.kind.is_comment() && !token.is_symbol(b'='));
    let named = |pair: &&[serval_sql::Token]| {
        pair[0].is_word(sql, "AUTO_INCREMENT") && pair[1].kind == TokenKind::Integer
    };
    tokens.windows(2).rfind(named)?[1].span.text(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_option_is_no_columns() {
        let first = |sql| first_number(sql, LexOptions::default());
        assert_eq!(
            first("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY) auto_increment=1000"),
            Some(1000)
        );
        assert_eq!(first("ALTER TABLE t AUTO_INCREMENT 7, COMMENT 'AUTO_INCREMENT=8'"), Some(7));
        assert_eq!(first("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, `AUTO_INCREMENT` INT)"), None);
    }
}
