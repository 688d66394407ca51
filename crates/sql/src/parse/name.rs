//! Names of tables, with the places where they stand.

use crate::Span;

/// An identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// What it means, without quotes.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A table's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The schema, where the statement names one.
    pub schema: Option<Ident>,
    /// The table.
    pub table: Ident,
}

impl TableName {
    /// Where the whole name stands, schema included.
    #[must_use]
    pub fn span(&self) -> Span {
        self.schema.as_ref().map_or(self.table.span, |schema| schema.span.to(self.table.span))
    }
}
