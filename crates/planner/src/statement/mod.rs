//! One file per kind of statement: from its tree to a [`Plan`](crate::plan::Plan).

pub(crate) mod copies;
pub(crate) mod ddl;
pub(crate) mod insert;
mod insert_text;
pub(crate) mod lock_tables;
pub(crate) mod routed;
pub(crate) mod searches;
mod seeded;
pub(crate) mod select;
pub(crate) mod set_var;
pub(crate) mod temporary;
pub(crate) mod update;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{
    LexOptions, Modifier, Parsed, Scan, Token, TokenKind, VersionComments, is_call, is_call_with_argument,
    tokens,
};
use serval_types::NodeId;
use sqlparser::ast::{Assignment, AssignmentTarget, ObjectName, Query, SetExpr, Statement};

use crate::analysis::Analysis;
use crate::bound::PlanTable;
use crate::clock;
use crate::error::PlanError;
use crate::plan::{Guard, Kind, Plan};
use crate::statement::routed::copies;

/// A statement that is being planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planning<'a> {
    /// The catalog of this statement.
    pub(crate) catalog: &'a Arc<Catalog>,
    /// The session's current schema.
    pub(crate) schema: Option<&'a str>,
    /// The text, which nodes get.
    pub(crate) sql: &'a [u8],
    /// The same, byte for byte, as the parser reads it: see [`crate::planner`].
    pub(crate) readable: &'a str,
    /// Its scan.
    pub(crate) scan: &'a Scan,
    /// How its literals are written.
    pub(crate) options: LexOptions,
    /// Its tree.
    pub(crate) parsed: &'a Parsed,
    /// Rows whose shard changes are taken there by the caller.
    pub(crate) moves: bool,
}

impl Planning<'_> {
    /// The plan of the statement.
    pub(crate) fn plan(self) -> Result<Plan, PlanError> {
        if self.parsed.version_comments == VersionComments::Conditional {
            return Err(PlanError::refused(
                "A statement with version comments that only some servers read cannot be routed; write it without them",
            ));
        }
        let mut tokens = tokens(self.sql, self.options).unwrap_or_default();
        tokens.retain(|token| !token.kind.is_comment());
        if self.reads_last_number(&tokens) {
            return Err(PlanError::refused(
                "LASTVAL() and PREVIOUS VALUE FOR read a server's session, of which Serval has many; keep what NEXTVAL() gave",
            ));
        }
        let plan = self.plan_kind()?;
        let alone = self.alone(&tokens).or_else(|| self.keeps_number(&tokens, &plan.tables));
        Ok(Plan { alone, ..plan })
    }

    /// The plan of this kind. `guards` are the literals that another text must share with this one to have the same plan.
    pub(crate) fn planned(self, analysis: &Analysis, guards: Vec<Guard>, kind: Kind) -> Plan {
        Plan {
            catalog: Arc::clone(self.catalog),
            tables: plan_tables(analysis),
            options: self.options,
            guards,
            names_clock: clock::is_named(self.sql, self.options),
            alone: None,
            gathers: None,
            hinted: None,
            kind,
        }
    }

    fn plan_kind(self) -> Result<Plan, PlanError> {
        match &self.parsed.ast {
            Statement::Query(query) if changes_rows(query) => Err(PlanError::refused(
                "WITH before a statement that changes rows is not supported; write its queries as derived tables or \
                 subqueries",
            )),
            Statement::Query(query) => select::plan(self, query),
            Statement::Insert(insert) => insert::plan(self, insert),
            Statement::Update(update) => update::plan_update(self, update),
            Statement::Delete(delete) => update::plan_delete(self, delete),
            _ => Err(PlanError::refused("This statement is not supported")),
        }
    }

    /// Whether it asks for the number that a sequence gave last.
    fn reads_last_number(self, tokens: &[Token]) -> bool {
        let sql = self.sql;
        let at = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(sql, word));
        self.catalog.servers.mariadb
            && (0..tokens.len()).any(|first| {
                is_call(sql, tokens, first, "LASTVAL")
                    || at(first, "PREVIOUS") && at(first + 1, "VALUE") && at(first + 2, "FOR")
            })
    }

    /// Why the statement may run on one node only. What it leaves in the session of a server, each of several would
    /// leave for its own rows.
    fn alone(self, tokens: &[Token]) -> Option<&'static str> {
        let sql = self.sql;
        if tokens.iter().any(|token| token.kind == TokenKind::Operator && token.span.of(sql) == b":=") {
            return Some(
                "Assigning user variables (@a := …) over several shards is not supported: each shard would count by \
                 itself; restrict the statement to one value of the sharding column, or use SELECT … INTO",
            );
        }
        if set_var::is_said(self, tokens) {
            return Some(set_var::REFUSAL);
        }
        if self.parsed.modifiers.iter().any(|(modifier, _)| *modifier == Modifier::RowsExamined) {
            return Some(
                "LIMIT ROWS EXAMINED over several shards is not supported: each would count by itself; use LIMIT, or \
                 restrict the statement to one value of the sharding column",
            );
        }
        if self.parsed.into_variables.is_some() {
            return Some("SELECT … INTO over several shards is not supported here");
        }
        let counts = (0..tokens.len()).any(|at| is_call(sql, tokens, at, "ROWNUM"));
        if counts && !matches!(self.parsed.ast, Statement::Query(_)) {
            return Some(
                "ROWNUM() over several shards is not supported: each shard would count by itself; restrict the statement to \
                 one value of the sharding column",
            );
        }
        let updates = matches!(self.parsed.ast, Statement::Update(_) | Statement::Delete(_));
        if updates && seeded::is_called(sql, tokens) {
            return Some(seeded::REFUSAL);
        }
        None
    }

    /// Why LAST_INSERT_ID(expr) in a statement over `tables` may run on one node only, if it stands there.
    fn keeps_number(self, tokens: &[Token], tables: &[PlanTable]) -> Option<&'static str> {
        let (sql, inserts) = (self.sql, matches!(self.parsed.ast, Statement::Insert(_)));
        let copied = tables.first().is_some_and(|table| copies(&table.table.placement).is_some());
        if inserts && copied {
            // Each copy has all of the rows, and comes to the same number.
            return None;
        }
        let sets = |at: usize| match inserts {
            true => is_call_with_argument(sql, tokens, at, "LAST_INSERT_ID"),
            false => is_call(sql, tokens, at, "LAST_INSERT_ID"),
        };
        (0..tokens.len()).any(sets).then_some(
            "LAST_INSERT_ID(expr) over several shards is not supported: which row is the last is not known; \
             restrict the statement to one value of the sharding column",
        )
    }

    /// The tables of the statement, with what its predicates leave of each.
    pub(crate) fn analyse(self) -> Result<Analysis, PlanError> {
        let parsed = self.parsed;
        let found = Analysis::of(&parsed.ast, self.catalog, self.schema, &parsed.locator, self.scan)?;
        set_var::refuse_routing(self, &found)?;
        if let Some(view) = found.refs.iter().find(|found| found.table.table.view.is_some()) {
            return Err(PlanError::refused(format!(
                "View {} lies over several data nodes, and a statement of this form cannot be put over its tables; name                  the tables themselves",
                view.exposed
            )));
        }
        if !found.schema_prefixes.is_empty() && names_two_schemas(&found) {
            return Err(PlanError::refused(
                "Columns of tables that have one name in two schemas cannot be told apart; give the tables aliases",
            ));
        }
        Ok(Analysis { table_words: parsed.table_words.clone(), ..found })
    }

    /// The node for statements without tables: the default node of the current schema, or the first node.
    pub(crate) fn home(self) -> NodeId {
        let schema = self.schema.and_then(|schema| self.catalog.schema(schema));
        schema.and_then(|schema| schema.default_node).unwrap_or(NodeId(0))
    }
}

/// The sharding column of a table that is ON UPDATE CURRENT_TIMESTAMP.
pub(crate) fn clock_key(table: &PlanTable) -> Option<&str> {
    let (sharding, definition) = (table.table.sharding()?, table.table.definition.as_deref()?);
    let known = sharding.columns.iter().filter_map(|column| definition.column(&column.name));
    known.filter(|column| column.on_update).map(|column| &*column.name).next()
}

/// Why rows of a table with a [`clock_key`] are not changed.
pub(crate) fn clock_key_changes(column: &str, table: &str) -> String {
    format!(
        "ON UPDATE CURRENT_TIMESTAMP would change {column}, the sharding column of {table}, in rows that stay where they \
         are; assign it in the UPDATE, or take ON UPDATE from the column (ALTER TABLE … MODIFY)"
    )
}

/// The columns that an assignment sets.
pub(crate) fn targets(assignment: &Assignment) -> &[ObjectName] {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
        AssignmentTarget::Tuple(names) => names,
    }
}

/// Whether what stands behind WITH is no query, as MySQL has it.
pub(crate) fn changes_rows(query: &Query) -> bool {
    matches!(&*query.body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}

/// Whether two tables are called alike that lie in different schemas, whose names no server gets.
fn names_two_schemas(analysis: &Analysis) -> bool {
    let refs = &analysis.refs;
    refs.iter().enumerate().any(|(at, one)| {
        refs[..at].iter().any(|other| {
            one.exposed.eq_ignore_ascii_case(&other.exposed) && one.table.schema != other.table.schema
        })
    })
}

/// The tables of a statement as a plan keeps them.
pub(crate) fn plan_tables(analysis: &Analysis) -> Arc<[PlanTable]> {
    analysis.refs.iter().map(|found| found.table.clone()).collect()
}
