//! SELECT blocks: the references of each, what joins them, and what their predicates leave.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serval_catalog::{Catalog, Sharding};
use serval_sql::{Locator, Scan, Span};
use sqlparser::ast::{
    AssignmentTarget, Delete, Expr, FromTable, Ident, Insert, JoinConstraint, JoinOperator, ObjectName,
    ObjectNamePart, OnInsert, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableFactor, TableWithJoins, Update, Visit, Visitor,
};

use super::columns::{Column, Scope};
use super::early::{Early, Equal, Judge, early};
use super::equality::{Equality, equal_to, equalities};
use super::predicate::Reader;
use super::tables::{Names, TableRef};
use super::within::{Asked, Root, asked, is_within};
use crate::error::PlanError;

/// The tables of a statement, with the shards that its predicates leave of each.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// Every mention of a table, in the order of the text within each block.
    pub(crate) refs: Vec<TableRef>,
    /// Blocks in all; more than one where there are subqueries, derived tables or set operations.
    pub(crate) blocks: usize,
    /// Places where a column is written with its schema (`shop.users.id`): the schema and its dot.
    pub(crate) schema_prefixes: Vec<Span>,
    /// Places where a column is written with its table, and which reference's name that is.
    pub(crate) table_prefixes: Vec<(Span, String)>,
    /// Each TABLE of `TABLE t`: servers get `SELECT * FROM t`, which takes an alias.
    pub(crate) table_words: Vec<Span>,
    /// The references that DELETE from several tables deletes from.
    pub(crate) deleted: Vec<usize>,
    /// Predicates of one reference alone, which may be applied to its rows before anything else.
    pub(crate) early: Vec<Early>,
    /// Columns whose rows count only where they equal another reference's.
    pub(crate) equal: Vec<Equal>,
}

impl Analysis {
    /// Reads a statement.
    ///
    /// # Errors
    /// Unknown schemas and tables, and forms of FROM that are refused.
    pub(crate) fn of(
        statement: &Statement,
        catalog: &Catalog,
        schema: Option<&str>,
        locator: &Locator,
        scan: &Scan,
    ) -> Result<Self, PlanError> {
        let names = Names { catalog, schema, locator };
        let (ctes, filled) = (Vec::new(), HashSet::new());
        let (asked, root, opaque, analysis) = (Vec::new(), None, false, Self::empty());
        let mut collector = Collector { names, scan, ctes, filled, asked, root, opaque, analysis };
        match statement {
            Statement::Update(update) => collector.update(update)?,
            Statement::Delete(delete) => collector.delete(delete)?,
            Statement::Insert(insert) => {
                if let sqlparser::ast::TableObject::TableName(name) = &insert.table {
                    collector.target(name)?;
                }
                collector.insert(insert);
            }
            _ => {}
        }
        match statement.visit(&mut collector) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(collector.analysis),
        }
    }

    fn empty() -> Self {
        Self {
            refs: Vec::new(),
            blocks: 0,
            schema_prefixes: Vec::new(),
            table_prefixes: Vec::new(),
            table_words: Vec::new(),
            early: Vec::new(),
            equal: Vec::new(),
            deleted: Vec::new(),
        }
    }

    /// How columns of the outermost block are looked up.
    pub(crate) fn root_scope(&self) -> Scope<'_> {
        let end = self.refs.iter().position(|found| found.block != 0).unwrap_or(self.refs.len());
        Scope { refs: &self.refs[..end], first: 0, opaque: false }
    }
}

struct Collector<'a> {
    names: Names<'a>,
    scan: &'a Scan,
    /// The WITH clauses around the current query, whose names are not tables.
    ctes: Vec<With>,
    /// The references that an outer join read so far fills up with NULLs.
    filled: HashSet<usize>,
    /// The subqueries of the outermost WHERE.
    asked: Vec<Asked>,
    root: Option<Root>,
    /// Whether the last block had derived tables.
    opaque: bool,
    analysis: Analysis,
}

/// The name of a plain table.
fn table_name(factor: &TableFactor) -> Option<ObjectName> {
    match factor {
        TableFactor::Table { name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// DUAL without quotes is no table: it stands where none is.
fn is_dual(name: &ObjectName) -> bool {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => {
            name.quote_style.is_none() && name.value.eq_ignore_ascii_case("dual")
        }
        _ => false,
    }
}

/// A WITH clause, as far as its names are known at the place that is being read.
struct With {
    /// The names in lower case, in order.
    names: Vec<String>,
    /// Where each one's query is, to know it again.
    queries: Vec<*const Query>,
    /// How many of the names can be meant: within the query of one, those before it.
    visible: usize,
    recursive: bool,
}

impl With {
    fn of(query: &Query) -> Self {
        let tables = || query.with.iter().flat_map(|with| &with.cte_tables);
        let names: Vec<String> = tables().map(|cte| cte.alias.name.value.to_lowercase()).collect();
        let queries = tables().map(|cte| std::ptr::from_ref(&*cte.query)).collect();
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        Self { visible: names.len(), names, queries, recursive }
    }

    /// Notes that the query of one of its names begins, if it is one.
    fn enter(&mut self, query: &Query) {
        if let Some(at) = self.queries.iter().position(|known| std::ptr::eq(*known, query)) {
            self.visible = if self.recursive { self.names.len() } else { at };
        }
    }

    /// Notes that a query has ended.
    fn leave(&mut self, query: &Query) {
        if self.queries.iter().any(|known| std::ptr::eq(*known, query)) {
            self.visible = self.names.len();
        }
    }
}

/// A predicate and the references whose rows it restricts.
struct Condition<'q> {
    expr: &'q Expr,
    restricts: Vec<usize>,
    /// Those of them whose rows reach it as they are, not filled up with NULLs by a join inside.
    whole: Vec<usize>,
    /// It is an outer join's, which fills these rows up with NULLs where it does not hold.
    outer: bool,
}

impl Condition<'_> {
    fn judge(&self) -> Judge<'_> {
        Judge { expr: self.expr, restricts: &self.restricts, whole: &self.whole, outer: self.outer }
    }
}

/// A block being read.
#[derive(Default)]
struct Block<'q> {
    conditions: Vec<Condition<'q>>,
    equalities: Vec<Equality>,
    opaque: bool,
}

impl Visitor for Collector<'_> {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<PlanError> {
        let with = With::of(query);
        // Servers differ in what a name means before its own place.
        let configured = |name: &&String| self.names.is_configured(name);
        if with.recursive
            && let Some(name) = with.names.iter().find(configured)
        {
            return ControlFlow::Break(PlanError::refused(format!(
                "WITH RECURSIVE {name} has the name of a table, and which of the two a subquery means depends on its \
                 place; rename it"
            )));
        }
        if let Some(around) = self.ctes.last_mut() {
            around.enter(query);
        }
        self.ctes.push(with);
        let first = self.analysis.refs.len();
        if let Err(error) = self.body(&query.body) {
            return ControlFlow::Break(error);
        }
        self.within(query, first);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<PlanError> {
        self.ctes.pop();
        if let Some(around) = self.ctes.last_mut() {
            around.leave(query);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<PlanError> {
        if let Expr::CompoundIdentifier(parts) = expr {
            self.prefixes(parts);
        }
        ControlFlow::Continue(())
    }
}

impl Collector<'_> {
    /// The SELECTs of one query, but not of the queries nested in it: those are visited by themselves.
    fn body(&mut self, body: &SetExpr) -> Result<(), PlanError> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            SetExpr::Table(_) => Err(PlanError::refused("TABLE t is not supported; write SELECT * FROM t")),
            _ => Ok(()),
        }
    }

    fn select(&mut self, select: &Select) -> Result<(), PlanError> {
        for item in &select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
            {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                self.wildcard_prefixes(&parts);
            }
        }
        if self.analysis.blocks == 0 {
            self.asked = select.selection.as_ref().map(asked).unwrap_or_default();
        }
        self.block(&select.from, select.selection.as_ref())
    }

    /// Notes of a subquery that its rows lie where those around it do, if they do.
    fn within(&mut self, query: &Query, first: usize) {
        let (Some(root), false) = (&self.root, self.opaque) else { return };
        let Some(asked) = self.asked.iter().find(|asked| std::ptr::eq(asked.query, query)) else { return };
        if is_within(asked, query, &self.analysis.refs, first, root) {
            self.analysis.refs[first..].iter_mut().for_each(|found| found.within = true);
        }
    }

    fn update(&mut self, update: &Update) -> Result<(), PlanError> {
        for assignment in &update.assignments {
            if let AssignmentTarget::ColumnName(name) = &assignment.target {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                self.prefixes(&parts);
            }
        }
        self.block(std::slice::from_ref(&update.table), update.selection.as_ref())
    }

    fn delete(&mut self, delete: &Delete) -> Result<(), PlanError> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let using = delete.using.as_deref().unwrap_or_default();
        if delete.tables.is_empty() && using.is_empty() {
            return self.block(from, delete.selection.as_ref());
        }
        let (read, named) = match using {
            [] => (from.as_slice(), delete.tables.clone()),
            using => (using, from.iter().filter_map(|item| table_name(&item.relation)).collect()),
        };
        self.block(read, delete.selection.as_ref())?;
        for name in &named {
            // Behind DELETE a table is named as columns name theirs.
            let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            self.wildcard_prefixes(&parts);
            let exposed = parts.last().map(|name| name.value.clone()).unwrap_or_default();
            let found = self
                .analysis
                .refs
                .iter()
                .position(|found| found.block == 0 && found.exposed.eq_ignore_ascii_case(&exposed));
            self.analysis.deleted.push(found.ok_or_else(|| {
                PlanError::refused(format!(
                    "DELETE names table {exposed}, which is not among those that it reads; name it as it stands there, with \
                     its alias where it has one"
                ))
            })?);
        }
        Ok(())
    }

    /// The columns of an INSERT that are written with their table.
    fn insert(&mut self, insert: &Insert) {
        let on_duplicate = match &insert.on {
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => assignments.as_slice(),
            _ => &[],
        };
        let assigned =
            insert.assignments.iter().chain(on_duplicate).filter_map(|assignment| match &assignment.target {
                AssignmentTarget::ColumnName(name) => Some(name),
                AssignmentTarget::Tuple(_) => None,
            });
        for name in insert.columns.iter().chain(assigned) {
            let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            self.prefixes(&parts);
        }
    }

    /// The table of an INSERT, which no predicate restricts.
    fn target(&mut self, name: &ObjectName) -> Result<(), PlanError> {
        let found = self.names.resolve(name, None, self.analysis.blocks)?;
        self.analysis.refs.push(found);
        self.analysis.blocks += 1;
        Ok(())
    }

    fn block(&mut self, from: &[TableWithJoins], selection: Option<&Expr>) -> Result<(), PlanError> {
        let first = self.analysis.refs.len();
        let mut block = Block::default();
        for tables in from {
            self.joined(tables, false, first, &mut block)?;
        }
        if let Some(expr) = selection {
            let restricts = (first..self.analysis.refs.len()).collect();
            block.conditions.push(self.condition(expr, restricts, false));
        }
        self.reaches(first, block);
        self.analysis.blocks += 1;
        Ok(())
    }

    /// Reads one element of FROM; returns the references in it.
    fn joined<'q>(
        &mut self,
        tables: &'q TableWithJoins,
        nullable: bool,
        first: usize,
        block: &mut Block<'q>,
    ) -> Result<Vec<usize>, PlanError> {
        let mut inside = self.factor(&tables.relation, nullable, first, block)?;
        for join in &tables.joins {
            let (side, constraint) = side(&join.join_operator)?;
            let right = self.factor(&join.relation, nullable || side == Side::Left, first, block)?;
            if side == Side::Right {
                inside.iter().for_each(|&index| self.analysis.refs[index].nullable = true);
            }
            let restricts = match side {
                Side::Inner => inside.iter().chain(&right).copied().collect(),
                Side::Left => right.clone(),
                Side::Right => inside.clone(),
            };
            match constraint {
                JoinConstraint::On(expr) => {
                    block.conditions.push(self.condition(expr, restricts, side != Side::Inner));
                }
                JoinConstraint::Using(columns) => {
                    let filled = (side != Side::Inner).then_some(&*restricts);
                    self.using(columns, (&inside, &right), filled, block);
                }
                JoinConstraint::Natural => {
                    let filled = (side != Side::Inner).then_some(&*restricts);
                    let columns = if block.opaque { Vec::new() } else { self.common(&inside, &right) };
                    self.using(&columns, (&inside, &right), filled, block);
                }
                JoinConstraint::None => {}
            }
            match side {
                Side::Inner => {}
                Side::Left => self.filled.extend(&right),
                Side::Right => self.filled.extend(&inside),
            }
            inside.extend(right);
        }
        Ok(inside)
    }

    /// A predicate over what has been read so far.
    fn condition<'q>(&self, expr: &'q Expr, restricts: Vec<usize>, outer: bool) -> Condition<'q> {
        let whole = restricts.iter().copied().filter(|index| !self.filled.contains(index)).collect();
        Condition { expr, restricts, whole, outer }
    }

    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        nullable: bool,
        first: usize,
        block: &mut Block<'q>,
    ) -> Result<Vec<usize>, PlanError> {
        match factor {
            TableFactor::Table { name, args: None, alias, .. } => {
                if self.is_cte(name) {
                    block.opaque = true;
                    return Ok(Vec::new());
                }
                if is_dual(name) {
                    return Ok(Vec::new());
                }
                let mut found = self.names.resolve(name, alias.as_ref(), self.analysis.blocks)?;
                found.nullable = nullable;
                self.analysis.refs.push(found);
                Ok(vec![self.analysis.refs.len() - 1])
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.joined(table_with_joins, nullable, first, block)
            }
            // Its rows come from what it is given; columns among that are found by the walk over expressions.
            TableFactor::Derived { .. } | TableFactor::JsonTable { .. } => {
                block.opaque = true;
                Ok(Vec::new())
            }
            other => Err(PlanError::refused(format!("FROM {other} is not supported"))),
        }
    }

    /// The columns that a NATURAL join compares: all that both operands have and show. None where the right operand is
    /// no single table, or one that is not known.
    fn common(&self, left: &[usize], right: &[usize]) -> Vec<ObjectName> {
        let definition = |table: usize| self.analysis.refs[table].table.table.definition.as_deref();
        let &[only] = right else { return Vec::new() };
        let Some(known) = definition(only).filter(|_| left.iter().all(|&table| definition(table).is_some()))
        else {
            return Vec::new();
        };
        let shown = |table: usize, name: &str| {
            let column = definition(table).and_then(|definition| definition.column(name));
            column.is_some_and(|column| !column.invisible)
        };
        let columns = known.columns.iter().filter(|column| !column.invisible);
        let common = columns.filter(|column| left.iter().any(|&table| shown(table, &column.name)));
        common.map(|column| ObjectName::from(vec![Ident::new(column.name.clone())])).collect()
    }

    /// `USING (c)` compares the right operand's c with that of the left one, which is a coalesced column where several
    /// tables of the left have it: the value of the first that is never filled up with NULLs.
    fn using(
        &self,
        columns: &[ObjectName],
        (left, right): (&[usize], &[usize]),
        filled: Option<&[usize]>,
        block: &mut Block<'_>,
    ) {
        let scope = Scope { refs: &self.analysis.refs, first: 0, opaque: false };
        for name in columns.iter().filter_map(|name| name.0.last()?.as_ident()) {
            let name = name.value.to_lowercase();
            let owner = match left {
                &[only] => Some(only),
                _ if left.iter().any(|&table| scope.refs[table].table.table.definition.is_none()) => None,
                _ => left.iter().copied().find(|&table| {
                    scope.has(table, &name) && (filled == Some(left) || !scope.refs[table].nullable)
                }),
            };
            if let (Some(one), &[two]) = (owner, right) {
                let column = |table| Column { table, name: name.clone() };
                let (one, two) = (column(one), column(two));
                block.equalities.extend(match filled {
                    None => Some(Equality::always(one, two)),
                    Some(filled) => Equality::of_outer(one, two, filled),
                });
            }
        }
    }

    fn is_cte(&self, name: &ObjectName) -> bool {
        let Some(ident) = name.0.first().and_then(|part| part.as_ident()).filter(|_| name.0.len() == 1)
        else {
            return false;
        };
        let name = ident.value.to_lowercase();
        self.ctes.iter().any(|with| with.names[..with.visible].contains(&name))
    }

    /// Fills in the reach and co-location of the block's references.
    fn reaches(&mut self, first: usize, mut block: Block<'_>) {
        let scope = Scope { refs: &self.analysis.refs, first, opaque: block.opaque };
        for condition in &block.conditions {
            let filled = condition.outer.then_some(&*condition.restricts);
            equalities(condition.expr, scope, filled, &mut block.equalities);
        }
        let judges: Vec<Judge<'_>> = block.conditions.iter().map(Condition::judge).collect();
        let (early, equal) = early(&judges, scope);
        self.analysis.early.extend(early);
        self.analysis.equal.extend(equal);
        let keys = |index: usize, sharding: &Sharding| -> Vec<Column> {
            let column = |name: &str| Column { table: index, name: name.to_lowercase() };
            sharding.columns.iter().map(|known| column(&known.name)).collect()
        };
        let classes = |index: usize, sharding: &Sharding| -> Vec<Vec<Column>> {
            keys(index, sharding).into_iter().map(|key| equal_to(scope, key, &block.equalities)).collect()
        };
        let anchor = (first..scope.refs.len()).find_map(|index| {
            let found = &scope.refs[index];
            let sharding = found.table.table.sharding().filter(|_| !found.nullable)?;
            Some((index, sharding, classes(index, sharding)))
        });
        if self.analysis.blocks == 0 {
            let root = |(anchor, _, classes)| Root { end: scope.refs.len(), anchor, classes };
            self.root = anchor.clone().map(root);
        }
        let mut results = Vec::new();
        for (index, found) in scope.refs.iter().enumerate().skip(first) {
            let Some(sharding) = found.table.table.sharding() else { continue };
            let classes = classes(index, sharding);
            let reader = Reader { scope, classes: &classes, locator: self.names.locator, scan: self.scan };
            let restricting =
                block.conditions.iter().filter(|condition| condition.restricts.contains(&index));
            let reach = restricting
                .fold(crate::reach::Reach::All, |reach, condition| reach.and(reader.reach(condition.expr)));
            // A table meets its own rows, also where its definition is not known. Others meet it where all of their
            // sharding columns are equal, one by one.
            let co_located = anchor.as_ref().is_some_and(|(at, anchor, classes)| {
                let equal =
                    || classes.iter().zip(keys(index, sharding)).all(|(class, key)| class.contains(&key));
                *at == index || anchor.co_located(sharding) && equal()
            });
            results.push((index, reach, co_located));
        }
        self.opaque = block.opaque;
        for (index, reach, co_located) in results {
            self.analysis.refs[index].reach = reach;
            self.analysis.refs[index].co_located = co_located;
        }
    }

    /// Notes the qualifiers of `schema.table.column` and `table.column`.
    fn prefixes(&mut self, parts: &[Ident]) {
        match parts {
            [schema, table, _] => self.qualifier(Some(schema), table),
            [table, _] => self.qualifier(None, table),
            _ => {}
        }
    }

    /// Notes the qualifiers of `schema.table.*` and `table.*`.
    fn wildcard_prefixes(&mut self, parts: &[Ident]) {
        match parts {
            [schema, table] => self.qualifier(Some(schema), table),
            [table] => self.qualifier(None, table),
            _ => {}
        }
    }

    fn qualifier(&mut self, schema: Option<&Ident>, table: &Ident) {
        let table_span = self.names.locator.span(table.span);
        if let Some(schema) = schema {
            let start = self.names.locator.span(schema.span).start;
            self.analysis.schema_prefixes.push(Span { start, end: table_span.start });
        }
        self.analysis.table_prefixes.push((table_span, table.value.clone()));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inner,
    /// The right operand is filled up with NULLs.
    Left,
    /// The left operand is.
    Right,
}

fn side(operator: &JoinOperator) -> Result<(Side, &JoinConstraint), PlanError> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::StraightJoin(constraint) => Ok((Side::Inner, constraint)),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => Ok((Side::Left, constraint)),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            Ok((Side::Right, constraint))
        }
        _ => Err(PlanError::refused("This kind of join is not MySQL's")),
    }
}
