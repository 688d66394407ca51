//! CREATE TABLE … LIKE a table that lies elsewhere: its definition is written out.

use serval_catalog::{Catalog, Placement, Table};
use serval_executor::definitions::{fetch, without_counter};
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind};

use crate::failure::{Failure, refused, unknown_table};
use crate::literal::identifier;
use crate::session::Session;

/// The statement with the source's definition in the place of its name; `None` where every node of the new table has
/// the source beside it and can copy it by itself.
pub(super) async fn text<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    ddl: &Ddl,
    schemas: &[String],
    text: &str,
) -> Result<Option<String>, Failure> {
    let DdlKind::CreateTable { like: Some(_), if_not_exists, or_replace, .. } = &ddl.kind else {
        return Ok(None);
    };
    let ([target, source, ..], [target_schema, source_schema, ..]) = (&*ddl.tables, schemas) else {
        return Ok(None);
    };
    let find = |schema: &str, name: &str| catalog.schema(schema)?.table_or_default(name);
    let name = &*source.table.value;
    let (Some(new), Some(old)) = (find(target_schema, &target.table.value), find(source_schema, name)) else {
        return Ok(None);
    };
    if is_beside(&new, &old) || session.temporary.has(source_schema, name) {
        return Ok(None);
    }
    let fetched = fetch(&*session.proxy.backend, catalog, source_schema, Some(name)).await;
    if let Some((_, error)) = fetched.failed.into_iter().next() {
        return Err(error.to_mysql().into());
    }
    let Some((logical, create)) = fetched.definitions.into_iter().next() else {
        return Err(unknown_table(source_schema, name).into());
    };
    let rest = create.strip_prefix(&format!("CREATE TABLE {}", identifier(&logical)));
    let Some(rest) = rest else {
        return Err(refused("The definition of the source table is not understood"));
    };
    let replace = if *or_replace { "OR REPLACE " } else { "" };
    let unless = if *if_not_exists { "IF NOT EXISTS " } else { "" };
    let written = target.span().text(text);
    let body = without_foreign_keys(&without_counter(rest));
    Ok(Some(format!("CREATE {replace}TABLE {unless}{written}{body}")))
}

/// Whether each piece of `new` has a piece of `old` on its node that may be copied.
fn is_beside(new: &Table, old: &Table) -> bool {
    match (&new.placement, &old.placement) {
        (Placement::Sharded(new), Placement::Sharded(old)) => new.rule.name == old.rule.name,
        (placement, Placement::Global(nodes)) => placement.nodes().iter().all(|node| nodes.contains(node)),
        (Placement::Node(new), Placement::Node(old)) => new == old,
        _ => false,
    }
}

/// LIKE copies no foreign keys.
fn without_foreign_keys(body: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in body.lines() {
        if line.starts_with("  CONSTRAINT ") && line.contains(" FOREIGN KEY (") {
            continue;
        }
        if line.starts_with(')')
            && let Some(last) = lines.last_mut()
        {
            *last = last.trim_end_matches(',').to_owned();
        }
        lines.push(line.to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_keys_go() {
        let body = " (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `x` \
                    (`id`)\n) ENGINE=InnoDB";
        assert_eq!(
            without_foreign_keys(body),
            " (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB"
        );
    }
}
