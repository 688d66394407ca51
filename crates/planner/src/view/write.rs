//! Views that are written through: the table in the view's place, the view's condition beside the statement's own, and the
//! table's columns for the view's.
//!
//! A server changes rows through a view whose rows are rows of one table. What it does with others it answers with an error
//! of its own, and so does this.

use std::ops::ControlFlow;

use serval_sql::{Edit, Modifier, Span, Token, tokens};
use serval_types::MysqlError;
use sqlparser::ast::{
    Delete, Expr, Ident, Insert, ObjectName, OnInsert, Query, SelectItem, SetExpr, Statement, Update, Visit,
    Visitor,
};

use super::merge::has_backslash;
use super::query::quoted;
use super::through::{Source, Through};
use super::{Found, Mentions};
use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::statement::targets;

/// The edits that put a table in the place of the view that is written through, and which reference that is; `None` where
/// no view is.
pub(super) fn edits(
    mentions: &Mentions<'_>,
    found: &mut Found,
    edits: &mut Vec<Edit>,
) -> Result<Option<usize>, PlanError> {
    let Some((at, verb)) = target(mentions)? else { return Ok(None) };
    let view = &mentions.analysis.refs[at];
    if mentions.request.options.no_backslash_escapes && has_backslash(view) {
        return Err(PlanError::refused(format!(
            "{verb} through view {}, whose query has backslashes, is not supported in sql_mode NO_BACKSLASH_ESCAPES; {verb} the \
             table itself",
            view.exposed
        )));
    }
    let through = Through::of(mentions.catalog, view, (&mentions.parsed.ast, verb))?;
    found.note(view);
    if returns_all(&mentions.parsed.ast) {
        return Err(PlanError::refused(format!(
            "RETURNING * behind a write through view {} would give the table's columns; name the view's",
            view.exposed
        )));
    }
    let writer = Writer { mentions, view, through: &through };
    edits.push(Edit { at: view.name, text: through.table() });
    match &mentions.parsed.ast {
        Statement::Insert(insert) => writer.insert(insert, found.checked || through.check, edits)?,
        Statement::Update(update) => writer.update(update, found.checked || through.check, edits)?,
        _ => writer.restrict(edits)?,
    }
    writer.columns(edits)?;
    found.checked |= through.check;
    Ok(Some(at))
}

/// The view that a statement writes through, and the statement's verb.
fn target(mentions: &Mentions<'_>) -> Result<Option<(usize, &'static str)>, PlanError> {
    let refs = &mentions.analysis.refs;
    let is_view = |at: usize| refs.get(at).is_some_and(|found| found.table.table.view.is_some());
    let outer = || refs.iter().enumerate().filter(|(_, found)| found.block == 0);
    match &mentions.parsed.ast {
        Statement::Insert(insert) => {
            Ok(is_view(0).then_some((0, if insert.replace_into { "REPLACE" } else { "INSERT" })))
        }
        Statement::Update(update) => {
            if outer().count() == 1 {
                return Ok(is_view(0).then_some((0, "UPDATE")));
            }
            match outer().find(|(at, view)| is_view(*at) && may_assign(update, view)) {
                Some((_, view)) => Err(several(view, "UPDATE")),
                None => Ok(None),
            }
        }
        Statement::Delete(delete) if is_of_one(delete) => Ok(is_view(0).then_some((0, "DELETE"))),
        Statement::Delete(_) => match mentions.analysis.deleted.iter().find(|at| is_view(**at)) {
            Some(at) => Err(several(&refs[*at], "DELETE")),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether the statement returns all columns, whatever they are.
fn returns_all(statement: &Statement) -> bool {
    let returning = match statement {
        Statement::Insert(insert) => &insert.returning,
        Statement::Delete(delete) => &delete.returning,
        _ => return false,
    };
    let all = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    returning.iter().flatten().any(all)
}

fn is_of_one(delete: &Delete) -> bool {
    delete.tables.is_empty() && delete.using.is_none()
}

/// Whether an UPDATE of several tables may set a column of this one.
fn may_assign(update: &Update, view: &TableRef) -> bool {
    let mut names = update.assignments.iter().flat_map(targets);
    names.any(|name| match name.0.as_slice() {
        [.., table, _] => {
            table.as_ident().is_none_or(|table| table.value.eq_ignore_ascii_case(&view.exposed))
        }
        _ => true,
    })
}

fn several(view: &TableRef, verb: &str) -> PlanError {
    PlanError::refused(format!(
        "{verb} of several tables cannot write through view {}; name the view's own table in its place, or write each \
         column with its table",
        view.exposed
    ))
}

struct Writer<'a> {
    mentions: &'a Mentions<'a>,
    view: &'a TableRef,
    through: &'a Through,
}

impl Writer<'_> {
    fn insert(&self, insert: &Insert, checked: bool, edits: &mut Vec<Edit>) -> Result<(), PlanError> {
        let verb = if insert.replace_into { "REPLACE" } else { "INSERT" };
        if checked && self.through.condition.is_some() {
            return Err(self.refused_check(verb));
        }
        let all = self.insertable(insert)?;
        self.refuse_defaults(insert)?;
        if insert.columns.is_empty() && insert.assignments.is_empty() {
            let list = all.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
            edits.push(Edit { at: Span::at(self.view.name.end), text: format!(" ({list})") });
        }
        for name in &insert.columns {
            self.assigned(name, edits)?;
        }
        let on_duplicate = match &insert.on {
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => assignments.as_slice(),
            _ => &[],
        };
        for name in insert.assignments.iter().chain(on_duplicate).flat_map(targets) {
            self.assigned(name, edits)?;
        }
        Ok(())
    }

    /// The columns of the table that get values where the statement lists none.
    ///
    /// # Errors
    /// What servers say where the view has columns that are none of the table. MySQL looks at those that get values first, and
    /// then at all of them; MariaDB at those that get values.
    fn insertable(&self, insert: &Insert) -> Result<Vec<&str>, PlanError> {
        let listed = insert.columns.iter().chain(insert.assignments.iter().flat_map(targets));
        let last = |name: &ObjectName| Some(name.0.last()?.as_ident()?.value.clone());
        let listed: Vec<String> = listed.filter_map(last).collect();
        let exposed = &self.view.exposed;
        // An unknown column is what MySQL looks for before.
        let unknown = listed.iter().any(|name| self.through.source(name).is_none());
        if self.mentions.catalog.servers.mariadb || unknown {
            return self.through.insertable(exposed, &listed);
        }
        match self.through.computed(&listed) {
            Some(column) => Err(not_updatable(column)),
            None => self.through.insertable(exposed, &[]),
        }
    }

    fn update(&self, update: &Update, checked: bool, edits: &mut Vec<Edit>) -> Result<(), PlanError> {
        for name in update.assignments.iter().flat_map(targets) {
            let column = self.assigned(name, edits)?;
            if checked && column.is_some_and(|column| self.through.decides(&column)) {
                return Err(self.refused_check("UPDATE"));
            }
        }
        self.restrict(edits)
    }

    /// A column that is written, by its own name; `None` where the view has no such column.
    fn assigned(&self, name: &ObjectName, edits: &mut Vec<Edit>) -> Result<Option<String>, PlanError> {
        let idents: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let Some(last) = idents.last() else { return Ok(None) };
        let locator = &self.mentions.parsed.locator;
        let column = match self.through.source(&last.value) {
            Some(Source::Column(column)) => column.clone(),
            Some(Source::Expression(_)) => return Err(not_updatable(&last.value)),
            None if self.through.has_hidden(&last.value) => return Err(unknown(&last.value, "field list")),
            None => return Ok(None),
        };
        let span = Span { start: locator.span(idents[0].span).start, end: locator.span(last.span).end };
        let text = match idents.len() {
            1 => quoted(&column),
            _ => format!("{}.{}", quoted(&self.through.qualifier), quoted(&column)),
        };
        edits.push(Edit { at: span, text });
        Ok(Some(column))
    }

    /// Puts the view's condition beside the statement's own.
    fn restrict(&self, edits: &mut Vec<Edit>) -> Result<(), PlanError> {
        let Some(condition) = &self.through.condition else { return Ok(()) };
        let sql = self.mentions.request.sql;
        let mut all = tokens(sql, self.mentions.request.options).unwrap_or_default();
        all.retain(|token| !token.kind.is_comment() && !token.is_symbol(b';'));
        let place = Place::find(sql, &all)
            .ok_or_else(|| PlanError::refused("The statement cannot be read with its views expanded"))?;
        match place.condition {
            Some(start) => {
                edits.push(Edit { at: Span::at(start), text: format!(" ({condition}) AND (") });
                edits.push(Edit { at: Span::at(place.end), text: ")".to_owned() });
            }
            None => {
                edits.push(Edit { at: Span::at(place.end), text: format!(" WHERE {condition}") });
            }
        }
        Ok(())
    }

    /// The view's columns in expressions.
    fn columns(&self, edits: &mut Vec<Edit>) -> Result<(), PlanError> {
        let mut finder = Finder { writer: self, depth: 0, edits: Vec::new(), error: None };
        let _ = self.mentions.parsed.ast.visit(&mut finder);
        match finder.error {
            Some(error) => Err(error),
            None => {
                edits.append(&mut finder.edits);
                Ok(())
            }
        }
    }

    fn refused_check(&self, verb: &str) -> PlanError {
        PlanError::refused(format!(
            "{verb} through view {} is not supported, because the rows' own values would have to pass its WITH CHECK \
             OPTION; {verb} the table itself, or make the view without the option",
            self.view.exposed
        ))
    }

    /// Columns that the view does not show and that need a value.
    fn refuse_defaults(&self, insert: &Insert) -> Result<(), PlanError> {
        let modifiers = &self.mentions.parsed.modifiers;
        if insert.ignore || modifiers.iter().any(|(modifier, _)| *modifier == Modifier::Ignore) {
            return Ok(());
        }
        match self.through.lacking() {
            Some(_) => Err(PlanError::refused(format!(
                "View {} does not show all columns that need a value (those without a default); INSERT into the table \
                 itself",
                self.view.exposed
            ))),
            None => Ok(()),
        }
    }
}

/// The walk over a statement's expressions.
struct Finder<'a> {
    writer: &'a Writer<'a>,
    depth: usize,
    edits: Vec<Edit>,
    error: Option<PlanError>,
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        // VALUES of an INSERT are its own.
        self.depth += usize::from(!matches!(&*query.body, SetExpr::Values(_)));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.depth -= usize::from(!matches!(&*query.body, SetExpr::Values(_)));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let result = match expr {
            Expr::Identifier(name) => self.unqualified(name),
            Expr::CompoundIdentifier(parts) => self.qualified(parts),
            _ => return ControlFlow::Continue(()),
        };
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Finder<'_> {
    fn unqualified(&mut self, name: &Ident) -> Result<(), PlanError> {
        let through = self.writer.through;
        let keyword = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("DEFAULT");
        if keyword || name.value.starts_with('@') {
            return Ok(());
        }
        match through.source(&name.value) {
            None if self.depth == 0 && through.has_hidden(&name.value) => {
                Err(unknown(&name.value, "where clause"))
            }
            Some(source) if self.depth == 0 => {
                let text = match source {
                    Source::Column(column) => quoted(column),
                    Source::Expression(text) => format!("({text})"),
                };
                let at = self.writer.mentions.parsed.locator.span(name.span);
                self.edits.push(Edit { at, text });
                Ok(())
            }
            Some(_) if !through.keeps_names() => Err(self.nested()),
            _ => Ok(()),
        }
    }

    fn qualified(&mut self, parts: &[Ident]) -> Result<(), PlanError> {
        let through = self.writer.through;
        let (table, name) = match parts {
            [table, name] | [_, table, name] => (table, name),
            _ => return Ok(()),
        };
        if !table.value.eq_ignore_ascii_case(&self.writer.view.exposed) {
            // The name of an INSERT's new row.
            let renamed = self.depth == 0 && !through.keeps_names();
            return if renamed { Err(self.nested()) } else { Ok(()) };
        }
        if self.depth > 0 {
            return Err(self.nested());
        }
        let text = match through.source(&name.value) {
            Some(Source::Column(column)) => format!("{}.{}", quoted(&through.qualifier), quoted(column)),
            Some(Source::Expression(text)) => format!("({text})"),
            None => return Err(unknown(&format!("{}.{}", table.value, name.value), "where clause")),
        };
        let locator = &self.writer.mentions.parsed.locator;
        let at = Span { start: locator.span(parts[0].span).start, end: locator.span(name.span).end };
        self.edits.push(Edit { at, text });
        Ok(())
    }

    fn nested(&self) -> PlanError {
        PlanError::refused(format!(
            "Writing through view {} with subqueries that may mean its columns is not supported; write the table itself",
            self.writer.view.exposed
        ))
    }
}

/// Where the condition of an UPDATE or DELETE stands, or would stand.
struct Place {
    /// Behind WHERE.
    condition: Option<u32>,
    end: u32,
}

impl Place {
    fn find(sql: &[u8], tokens: &[Token]) -> Option<Self> {
        let (mut depth, mut condition) = (0_usize, None);
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                serval_sql::TokenKind::Symbol(b'(') => depth += 1,
                serval_sql::TokenKind::Symbol(b')') => depth = depth.checked_sub(1)?,
                _ if depth > 0 || at > 0 && tokens[at - 1].is_symbol(b'.') => {}
                _ if token.is_word(sql, "WHERE") => condition = Some(token.span.end),
                _ if ["ORDER", "LIMIT", "RETURNING"].iter().any(|word| token.is_word(sql, word)) => {
                    return Some(Self { condition, end: tokens.get(at.checked_sub(1)?)?.span.end });
                }
                _ => {}
            }
        }
        Some(Self { condition, end: tokens.last()?.span.end })
    }
}

/// ER_NONUPDATEABLE_COLUMN.
fn not_updatable(column: &str) -> PlanError {
    server(1348, *b"HY000", format!("Column '{column}' is not updatable"))
}

/// ER_BAD_FIELD_ERROR.
fn unknown(column: &str, place: &str) -> PlanError {
    server(1054, *b"42S22", format!("Unknown column '{column}' in '{place}'"))
}

pub(super) fn server(number: u16, sqlstate: [u8; 5], message: String) -> PlanError {
    PlanError::Server(Box::new(MysqlError { number, sqlstate, message }))
}
