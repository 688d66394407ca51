//! Places where columns are written with their table, and with its schema.

use serval_sql::Span;
use sqlparser::ast::Ident;

use super::collector::Collector;

impl Collector<'_> {
    /// Notes the qualifiers of `schema.table.column` and `table.column`.
    pub(super) fn prefixes(&mut self, parts: &[Ident]) {
        match parts {
            [schema, table, _] => self.qualifier(Some(schema), table),
            [table, _] => self.qualifier(None, table),
            _ => {}
        }
    }

    /// Notes the qualifiers of `schema.table.*` and `table.*`.
    pub(super) fn wildcard_prefixes(&mut self, parts: &[Ident]) {
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
