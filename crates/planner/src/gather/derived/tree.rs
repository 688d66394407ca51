//! FROM of a SELECT, as far as it has derived tables: what each is called, what its columns are, and which conditions
//! restrict its rows.

use std::collections::HashSet;

use serval_sql::Span;
use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins,
};

use super::super::Gathering;
use super::super::temporary::quoted;
use crate::analysis::Scope;

/// What stands in FROM.
pub(super) enum Leaf<'q> {
    /// A reference to a table.
    Table(usize),
    /// A derived table.
    Derived { query: &'q Query, alias: &'q TableAlias },
    /// A query of WITH, JSON_TABLE and what else may give columns that are not known here.
    Unknown,
}

/// The FROM of a SELECT.
#[derive(Default)]
pub(super) struct Tree<'q> {
    pub(super) leaves: Vec<Leaf<'q>>,
    /// Conditions, each with the leaves that it restricts and whose rows reach it as they are: those of outer joins
    /// inside are not filled up with NULLs yet.
    pub(super) conditions: Vec<(&'q Expr, Vec<usize>)>,
    /// Joins compare columns by their names, so that `*` shows them once.
    merges_columns: bool,
    filled: HashSet<usize>,
}

/// A column of a derived table.
pub(super) struct Output<'q> {
    /// Its name; empty where that is the text of an expression.
    pub(super) name: String,
    pub(super) source: Source<'q>,
}

/// What it is.
#[derive(Clone)]
pub(super) enum Source<'q> {
    /// An item of the select list.
    Item(&'q Expr),
    /// A column of a table behind a `*`.
    Column(usize, String),
    /// A column of another derived table behind a `*`.
    Inner(usize, String),
}

impl Tree<'_> {
    /// Whether a join gives rows in which a leaf's columns are NULL.
    pub(super) fn fills(&self, leaf: usize) -> bool {
        self.filled.contains(&leaf)
    }
}

impl Gathering<'_> {
    /// The FROM of a SELECT.
    pub(super) fn tree<'q>(&self, select: &'q Select) -> Tree<'q> {
        let mut tree = Tree::default();
        for tables in &select.from {
            self.joined(tables, &mut tree);
        }
        if let Some(selection) = &select.selection {
            let whole = (0..tree.leaves.len()).filter(|leaf| !tree.filled.contains(leaf)).collect();
            tree.conditions.push((selection, whole));
        }
        tree
    }

    fn joined<'q>(&self, tables: &'q TableWithJoins, tree: &mut Tree<'q>) -> Vec<usize> {
        let mut inside = self.leaf(&tables.relation, tree);
        for join in &tables.joins {
            let right = self.leaf(&join.relation, tree);
            let (restricts, fills, constraint) = match &join.join_operator {
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                    (right.clone(), right.clone(), Some(constraint))
                }
                JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                    (inside.clone(), inside.clone(), Some(constraint))
                }
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::CrossJoin(constraint)
                | JoinOperator::StraightJoin(constraint) => {
                    ([&*inside, &*right].concat(), Vec::new(), Some(constraint))
                }
                _ => (Vec::new(), [&*inside, &*right].concat(), None),
            };
            match constraint {
                Some(JoinConstraint::On(condition)) => {
                    let whole = restricts.into_iter().filter(|leaf| !tree.filled.contains(leaf)).collect();
                    tree.conditions.push((condition, whole));
                }
                Some(JoinConstraint::None) => {}
                _ => tree.merges_columns = true,
            }
            tree.filled.extend(fills);
            inside.extend(right);
        }
        inside
    }

    fn leaf<'q>(&self, factor: &'q TableFactor, tree: &mut Tree<'q>) -> Vec<usize> {
        let leaf = match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => return self.joined(table_with_joins, tree),
            TableFactor::Table { name, args: None, .. } => {
                self.reference(name).map_or(Leaf::Unknown, Leaf::Table)
            }
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None } => {
                Leaf::Derived { query: subquery, alias }
            }
            _ => Leaf::Unknown,
        };
        tree.leaves.push(leaf);
        vec![tree.leaves.len() - 1]
    }

    /// The reference that a name in FROM makes.
    fn reference(&self, name: &ObjectName) -> Option<usize> {
        let start = self.place_of(name.0.first()?.as_ident()?).start;
        self.analysis.refs.iter().position(|found| found.name.start == start)
    }

    /// Where a name stands.
    pub(super) fn place_of(&self, name: &Ident) -> Span {
        self.planning.parsed.locator.span(name.span)
    }

    /// The columns of a query, where all of them are known.
    pub(super) fn outputs<'q>(&self, query: &'q Query, alias: &TableAlias) -> Option<Vec<Output<'q>>> {
        let mut outputs = self.outputs_of(first_select(&query.body)?)?;
        if !alias.columns.is_empty() {
            if alias.columns.len() != outputs.len() {
                return None;
            }
            let names = outputs.iter_mut().zip(&alias.columns);
            names.for_each(|(output, column)| output.name.clone_from(&column.name.value));
        }
        Some(outputs)
    }

    /// The columns of a SELECT.
    pub(super) fn outputs_of<'q>(&self, select: &'q Select) -> Option<Vec<Output<'q>>> {
        let tree = self.tree(select);
        let mut outputs = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { expr, alias } => {
                    outputs.push(Output { name: alias.value.clone(), source: Source::Item(expr) });
                }
                SelectItem::UnnamedExpr(expr) => {
                    outputs.push(Output { name: name_of(expr), source: Source::Item(expr) });
                }
                SelectItem::Wildcard(_) if !tree.merges_columns => {
                    for leaf in 0..tree.leaves.len() {
                        outputs.extend(self.all_of(&tree, leaf)?);
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let [part] = &*name.0 else { return None };
                    let leaf = self.named(&tree, &part.as_ident()?.value)?;
                    outputs.extend(self.all_of(&tree, leaf)?);
                }
                _ => return None,
            }
        }
        Some(outputs)
    }

    fn all_of<'q>(&self, tree: &Tree<'q>, leaf: usize) -> Option<Vec<Output<'q>>> {
        match tree.leaves.get(leaf)? {
            Leaf::Table(table) => {
                let definition = self.analysis.refs[*table].table.table.definition.as_deref()?;
                let shown = definition.columns.iter().filter(|column| !column.invisible);
                let output = |name: &String| Output {
                    name: name.clone(),
                    source: Source::Column(*table, name.to_lowercase()),
                };
                Some(shown.map(|column| output(&column.name)).collect())
            }
            Leaf::Derived { query, alias } => {
                let inner = self.outputs(query, alias)?.into_iter();
                let output = |name: String| Output { source: Source::Inner(leaf, name.clone()), name };
                Some(inner.map(|inner| output(inner.name)).collect())
            }
            Leaf::Unknown => None,
        }
    }

    /// The only leaf of this name.
    fn named(&self, tree: &Tree<'_>, name: &str) -> Option<usize> {
        let is = |leaf: &Leaf<'_>| match leaf {
            Leaf::Table(table) => self.analysis.refs[*table].exposed == name,
            Leaf::Derived { alias, .. } => alias.name.value == name,
            // Nobody knows what it is called.
            Leaf::Unknown => false,
        };
        let mut found = (0..tree.leaves.len()).filter(|&leaf| is(&tree.leaves[leaf]));
        let leaf = found.next()?;
        found.next().is_none().then_some(leaf)
    }

    /// The derived table that a column is of, and which of its columns; `None` where that is not certain.
    pub(super) fn owner(&self, tree: &Tree<'_>, expr: &Expr) -> Option<(usize, String)> {
        let (leaf, name) = match expr {
            Expr::Identifier(name) => {
                let name = name.value.to_lowercase();
                let mut owner = None;
                for leaf in 0..tree.leaves.len() {
                    let count = self.count(tree, leaf, &name)?;
                    if count > 0 && owner.replace(leaf).is_some() || count > 1 {
                        return None;
                    }
                }
                (owner?, name)
            }
            Expr::CompoundIdentifier(parts) => {
                let [table, name] = &**parts else { return None };
                let (leaf, name) = (self.named(tree, &table.value)?, name.value.to_lowercase());
                (leaf, name)
            }
            _ => return None,
        };
        let derived = matches!(tree.leaves[leaf], Leaf::Derived { .. });
        (derived && self.count(tree, leaf, &name)? == 1).then_some((leaf, name))
    }

    /// How many columns of a leaf have a name in lower case; `None` where that is not known.
    fn count(&self, tree: &Tree<'_>, leaf: usize, name: &str) -> Option<usize> {
        let all = self.all_of_named(tree, leaf)?;
        Some(all.iter().filter(|own| **own == name).count())
    }

    fn all_of_named(&self, tree: &Tree<'_>, leaf: usize) -> Option<Vec<String>> {
        match tree.leaves.get(leaf)? {
            Leaf::Table(table) => {
                let definition = self.analysis.refs[*table].table.table.definition.as_deref()?;
                Some(definition.columns.iter().map(|column| column.name.to_lowercase()).collect())
            }
            Leaf::Derived { query, alias } => {
                let outputs = self.outputs(query, alias)?.into_iter();
                Some(outputs.map(|output| output.name.to_lowercase()).collect())
            }
            Leaf::Unknown => None,
        }
    }

    /// How columns of a SELECT's own tables are looked up.
    pub(super) fn scope_of(&self, tree: &Tree<'_>) -> Option<Scope<'_>> {
        let tables = tree.leaves.iter().filter_map(|leaf| match leaf {
            Leaf::Table(table) => Some(*table),
            _ => None,
        });
        let tables: Vec<usize> = tables.collect();
        let (first, last) = (*tables.first()?, *tables.last()?);
        let together = tables.iter().copied().eq(first..=last);
        let opaque = tables.len() < tree.leaves.len();
        together.then(|| Scope { refs: &self.analysis.refs[..=last], first, opaque })
    }

    /// The text of a table's column.
    pub(super) fn column_text(&self, table: usize, name: &str) -> String {
        format!("{}.{}", quoted(&self.analysis.refs[table].exposed), quoted(name))
    }
}

/// The name that servers give a column without an alias, where that is not the text of an expression.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| last.value.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The SELECT that names the columns: the first of a union.
pub(super) fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => first_select(left),
        SetExpr::Query(query) => first_select(&query.body),
        _ => None,
    }
}
