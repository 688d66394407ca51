//! Columns of a block: which reference a name means, and which columns are equal.

use serval_types::ColumnType;
use sqlparser::ast::{Expr, Ident};

use super::TableRef;

/// A column of one reference of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Index into the statement's references.
    pub(crate) table: usize,
    /// Its name in lower case.
    pub(crate) name: String,
}

/// The references of one block, for looking columns up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// All references of the statement.
    pub(crate) refs: &'a [TableRef],
    /// The index of the block's first one; those from here on belong to it.
    pub(crate) first: usize,
    /// The block also has derived tables, whose columns are not known.
    pub(crate) opaque: bool,
}

impl Scope<'_> {
    /// The column that an expression is, where that is certain.
    pub(crate) fn column(&self, expr: &Expr) -> Option<Column> {
        match expr {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(name) => self.unqualified(name),
            Expr::CompoundIdentifier(parts) => match &**parts {
                [table, name] => self.qualified(None, table, name),
                [schema, table, name] => self.qualified(Some(schema), table, name),
                _ => None,
            },
            _ => None,
        }
    }

    fn unqualified(&self, name: &Ident) -> Option<Column> {
        let name = name.value.to_lowercase();
        let mut owners = (self.first..self.refs.len()).filter(|&table| self.may_have(table, &name));
        let table = owners.next()?;
        let certain = owners.next().is_none() && !self.opaque && self.has(table, &name);
        certain.then_some(Column { table, name })
    }

    fn qualified(&self, schema: Option<&Ident>, table: &Ident, name: &Ident) -> Option<Column> {
        // Servers with case-sensitive names take `A.id` for another table's where this one is called `a`.
        let matches = |found: &TableRef| {
            found.exposed == table.value
                && schema.is_none_or(|schema| found.table.schema.eq_ignore_ascii_case(&schema.value))
        };
        let mut owners = (self.first..self.refs.len()).filter(|&index| matches(&self.refs[index]));
        let table = owners.next()?;
        owners.next().is_none().then_some(Column { table, name: name.value.to_lowercase() })
    }

    /// Whether any reference could own the name.
    pub(crate) fn may_own(&self, name: &str) -> bool {
        (self.first..self.refs.len()).any(|table| self.may_have(table, name))
    }

    /// The type of the column that an expression is. A column of USING is one of several tables, of one type.
    pub(crate) fn declared(&self, expr: &Expr) -> Option<&ColumnType> {
        if let Some(column) = self.column(expr) {
            return self.column_type(column.table, &column.name);
        }
        let Expr::Identifier(name) = expr else { return None };
        if self.opaque {
            return None;
        }
        let owners = (self.first..self.refs.len()).filter(|&table| self.may_have(table, &name.value));
        let mut types = owners.map(|table| self.column_type(table, &name.value));
        let first = types.next()??;
        types.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether a name without a table is surely a column, of one or several tables.
    pub(crate) fn is_owned(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Nested(inner) => self.is_owned(inner),
            Expr::Identifier(name) => (self.first..self.refs.len()).any(|table| self.has(table, &name.value)),
            _ => false,
        }
    }

    /// Whether a reference could own the name: its definition is unknown, or has it.
    fn may_have(&self, table: usize, name: &str) -> bool {
        self.refs[table].table.table.definition.is_none() || self.has(table, name)
    }

    /// Whether a reference surely owns the name: its definition has it, or its rule shards by it.
    pub(super) fn has(&self, table: usize, name: &str) -> bool {
        let found = &self.refs[table].table.table;
        self.column_type(table, name).is_some()
            || found.sharding().is_some_and(|sharding| sharding.position(name).is_some())
    }

    /// The declared type of a column.
    pub(crate) fn column_type(&self, table: usize, name: &str) -> Option<&ColumnType> {
        let definition = self.refs[table].table.table.definition.as_ref()?;
        let column = definition.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
        Some(&column.column_type)
    }

    /// Whether `one = two` compares both in the same domain, so that a value equal to one is equal to the other.
    pub(super) fn comparable(&self, one: &Column, two: &Column) -> bool {
        match (self.column_type(one.table, &one.name), self.column_type(two.table, &two.name)) {
            (Some(ColumnType::Int { .. }), Some(ColumnType::Int { .. })) => true,
            (
                Some(ColumnType::Text { collation: one, .. }),
                Some(ColumnType::Text { collation: two, .. }),
            ) => one.is_some() && one == two,
            (Some(one), Some(two)) => one == two,
            _ => false,
        }
    }
}
