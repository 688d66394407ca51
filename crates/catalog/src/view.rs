//! Views that Serval expands itself, because their tables lie on several data nodes.
//!
//! A server keeps their definitions: real views over empty copies of their tables, in a database beside the one of the
//! schema's default node. What the server makes of a view's text is what is expanded, so `*` is what it was on the day
//! of CREATE VIEW, and sql_mode what it was then.

use std::sync::Arc;

use serval_sql::{Ddl, DdlKind, Edit, LexOptions, Statement, StoredObject, Token, splice, tokens};
use serval_types::NodeId;

use crate::{Catalog, DataNode, Table};

/// What a database that keeps definitions of views is called: this, and the name of the one that it stands beside.
const BESIDE: &str = "serval_views_";

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its columns, where they are called otherwise than the query calls them.
    pub columns: Vec<String>,
    /// Its query as the server writes it, in logical names, each table with its schema.
    pub query: String,
    /// WITH CHECK OPTION.
    pub check: bool,
    /// ALGORITHM = TEMPTABLE, which no write goes through.
    pub temporary: bool,
}

impl View {
    /// Reads what SHOW CREATE VIEW says on a connection to another database than the view's; `None` where that is not
    /// understood.
    #[must_use]
    pub fn read(text: &str, database: &str, schema: &str) -> Option<Self> {
        let options = LexOptions::default();
        let Ok(Statement::Ddl(Ddl { kind: DdlKind::Stored(stored), .. })) = serval_sql::parse(text, options)
        else {
            return None;
        };
        let query = stored.query.filter(|_| stored.object == StoredObject::View)?.text(text);
        let head = &text[..text.len().min(64)];
        Some(Self {
            columns: stored.columns,
            query: with_schema(query, database, schema)?,
            check: stored.check,
            temporary: head.contains("ALGORITHM=TEMPTABLE"),
        })
    }

    /// Whether a database is one that keeps definitions of views.
    #[must_use]
    pub fn is_beside(database: &str) -> bool {
        database.starts_with(BESIDE)
    }

    /// The database that keeps the views of a schema whose default node has `database`.
    #[must_use]
    pub fn database_beside(database: &str) -> String {
        format!("{BESIDE}{database}")
    }
}

/// The text with the schema in the place of the database that keeps its tables' copies.
fn with_schema(query: &str, database: &str, schema: &str) -> Option<String> {
    let tokens = tokens(query.as_bytes(), LexOptions::default()).ok()?;
    let named = format!("`{}`", database.replace('`', "``"));
    let is_database = |pair: &&[Token]| pair[0].span.text(query) == named && pair[1].is_symbol(b'.');
    let text = format!("`{}`", schema.replace('`', "``"));
    let edits: Vec<Edit> = tokens
        .windows(2)
        .filter(is_database)
        .map(|pair| Edit { at: pair[0].span, text: text.clone() })
        .collect();
    String::from_utf8(splice(query.as_bytes(), &edits)).ok()
}

impl Catalog {
    /// The catalog with what a server says of a schema's views: the texts of SHOW CREATE VIEW by name. Where `all` of them
    /// are said, no other is left. `None` where all of that is known already; otherwise also the names of those
    /// that are not understood.
    #[must_use]
    pub fn with_views(
        &self,
        schema: &str,
        found: &[(String, String)],
        gone: &[String],
        all: bool,
    ) -> Option<(Self, Vec<String>)> {
        let known = self.schema(schema)?;
        let default = self.node(known.default_node?);
        let database = View::database_beside(&default.database);
        let mut unread = Vec::new();
        let mut fresh = Vec::new();
        for (name, text) in found {
            match View::read(text, &database, &known.name) {
                Some(view) if known.view(name).is_some_and(|known| **known == view) => {}
                Some(view) => fresh.push((name, Arc::new(view))),
                None => unread.push(name.clone()),
            }
        }
        let said = |name: &str| found.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
        let is_gone = |name: &str| gone.iter().any(|gone| gone.eq_ignore_ascii_case(name));
        let lost: Vec<String> = known
            .tables
            .iter()
            .filter(|(_, table)| table.view.is_some() && !said(&table.name) && (all || is_gone(&table.name)))
            .map(|(key, _)| key.clone())
            .collect();
        if fresh.is_empty() && lost.is_empty() && unread.is_empty() {
            return None;
        }
        let mut catalog = Self { version: self.version + 1, ..self.clone() };
        let node = catalog.node_of_views(default, &database);
        if let Some(schema) = catalog.schemas.get_mut(&schema.to_lowercase()) {
            schema.tables.retain(|key, _| !lost.contains(key));
            for (name, view) in fresh {
                let table = Table { view: Some(view), ..Table::on_node(name, node) };
                schema.hide(name, table);
            }
        }
        let views = catalog.schemas.values().flat_map(crate::Schema::views);
        catalog.views = views.map(|table| table.name.clone()).collect();
        Some((catalog, unread))
    }

    /// Takes over the views that another catalog knows and this one does not, of schemas whose views are kept in the same
    /// place. Whether there were any.
    pub fn keep_views(&mut self, other: &Self) -> bool {
        let mut kept = false;
        for schema in other.schemas.values() {
            for table in schema.views() {
                kept |= self.keep_view(other, &schema.name, table).is_some();
            }
        }
        if kept {
            let views = self.schemas.values().flat_map(crate::Schema::views);
            self.views = views.map(|table| table.name.clone()).collect();
        }
        kept
    }

    fn keep_view(&mut self, other: &Self, schema: &str, table: &Arc<Table>) -> Option<()> {
        let default = self.node(self.schema(schema)?.default_node?).clone();
        let theirs = other.node(other.schema(schema)?.default_node?);
        let is_same_group = self.group(default.group).name == other.group(theirs.group).name;
        // What is known to be a table, or has a place of its own, is no view.
        let is_taken = self.table(schema, &table.name).is_some_and(|known| {
            let beside = matches!(known.placement, crate::Placement::Node(node) if node == default.id);
            known.view.is_some() || known.definition.is_some() || !beside
        });
        if is_taken || !is_same_group || default.database != theirs.database {
            return None;
        }
        let node = self.node_of_views(&default, &View::database_beside(&default.database));
        let view = Table { view: table.view.clone(), ..Table::on_node(&table.name, node) };
        self.schemas.get_mut(&schema.to_lowercase())?.hide(&table.name, view);
        Some(())
    }

    /// The place that keeps the views of a schema with this default node: no data node of the config, but like one.
    fn node_of_views(&mut self, default: &DataNode, database: &str) -> NodeId {
        let here = |node: &&DataNode| node.group == default.group && node.database == database;
        if let Some(known) = self.nodes.iter().find(here) {
            return known.id;
        }
        // A config with 65,535 data nodes has been refused.
        let id = NodeId(u16::try_from(self.nodes.len()).unwrap_or(u16::MAX));
        let name = format!("views of {}", default.name);
        self.nodes.push(DataNode { id, name, group: default.group, database: database.to_owned() });
        id
    }

    /// The catalog with a place for the views of a schema, and that place; `None` without a default node, beside which
    /// it is.
    #[must_use]
    pub fn with_place_of_views(&self, schema: &str) -> Option<(Self, NodeId)> {
        let default = self.node(self.schema(schema)?.default_node?);
        let database = View::database_beside(&default.database);
        let mut catalog = self.clone();
        let id = catalog.node_of_views(default, &database);
        Some((catalog, id))
    }
}

impl crate::Schema {
    /// A view that Serval expands.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<&Arc<View>> {
        self.table(name)?.view.as_ref()
    }

    /// The views that Serval expands.
    pub fn views(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values().filter(|table| table.view.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "CREATE ALGORITHM=UNDEFINED DEFINER=`serval`@`%` SQL SECURITY DEFINER VIEW `serval_views_s0`.`v` \
                        (`a`) AS select `serval_views_s0`.`users`.`id` AS `id` from `serval_views_s0`.`users` where \
                        `serval_views_s0`.`users`.`name` = '`serval_views_s0`.' WITH LOCAL CHECK OPTION";

    fn catalog() -> Catalog {
        let config = r#"
            [groups.g0]
            primary = "127.0.0.1:3310"
            user = "serval"
            password = "secret"
            [nodes]
            dn0 = { group = "g0", database = "s0" }
            [schemas.shop]
            default_node = "dn0"
        "#;
        let secret = |_: &crate::SecretSource| Ok("secret".to_owned());
        crate::load(config, "serval.toml", &secret, &[]).expect("a catalog").0
    }

    #[test]
    fn a_definition_is_read_in_logical_names() {
        let view = View::read(TEXT, "serval_views_s0", "shop").expect("a view");
        assert_eq!(view.columns, ["a"]);
        assert!(view.check && !view.temporary);
        assert_eq!(
            view.query,
            "select `shop`.`users`.`id` AS `id` from `shop`.`users` where `shop`.`users`.`name` = '`serval_views_s0`.'"
        );
    }

    #[test]
    fn views_come_and_go() {
        let found = [("v".to_owned(), TEXT.to_owned()), ("w".to_owned(), "CREATE".to_owned())];
        let (with, unread) = catalog().with_views("SHOP", &found, &[], true).expect("news");
        assert_eq!(unread, ["w"]);
        let schema = with.schema("shop").expect("the schema");
        assert!(with.views == ["v"] && schema.view("V").is_some());
        assert_eq!(&*with.nodes[1].database, "serval_views_s0");
        assert!(with.with_views("shop", &found[..1], &[], false).is_none());
        let (without, _) = with.with_views("shop", &[], &["v".to_owned()], false).expect("news");
        assert!(without.views.is_empty());
        assert_eq!(without.nodes.len(), 2);
        assert!(with.with_views("shop", &[], &[], false).is_none());
        assert!(with.with_views("shop", &[], &[], true).is_some());
    }

    #[test]
    fn another_catalog_keeps_them() {
        let found = [("v".to_owned(), TEXT.to_owned())];
        let (with, _) = catalog().with_views("shop", &found, &[], true).expect("news");
        let mut next = catalog();
        assert!(next.keep_views(&with) && next.views == ["v"]);
        assert_eq!(
            next.schema("shop").and_then(|schema| schema.view("v")),
            with.schema("shop").and_then(|schema| schema.view("v"))
        );
        assert_eq!(&*next.nodes[1].database, "serval_views_s0");
        assert!(!next.keep_views(&with), "nothing is new");
        let session = catalog().with_views_of(7, &with).expect("news");
        assert!(session.is_overlay() && session.views == ["v"]);
        assert!(session.with_views_of(8, &with).is_none());
        // A table that has come in its place stays.
        let table = serval_sql::create_table::parse("CREATE TABLE v (id INT)", LexOptions::default())
            .expect("a table");
        let (mut other, _) = catalog().with_definitions(vec![("shop".to_owned(), table)]);
        assert!(!other.keep_views(&with) && other.views.is_empty());
    }
}
