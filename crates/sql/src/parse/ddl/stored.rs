//! CREATE, ALTER and DROP of what servers store beside tables: views, routines, triggers and events.

use super::{Ddl, DdlKind};
use crate::parse::{Cursor, ParseError, TableName};
use crate::{Span, TokenKind};

/// A statement about a view, a routine, a trigger or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it does.
    pub action: StoredAction,
    /// What it is about.
    pub object: StoredObject,
    /// The object; DROP VIEW may name several.
    pub names: Vec<TableName>,
    /// ALTER EVENT … RENAME TO.
    pub rename_to: Option<TableName>,
    /// DEFINER, where given.
    pub definer: Option<Definer>,
    /// The table of a trigger.
    pub table: Option<TableName>,
    /// The query of a view, without WITH CHECK OPTION.
    pub query: Option<Span>,
    /// The columns of a view, where they are listed.
    pub columns: Vec<String>,
    /// WITH CHECK OPTION.
    pub check: bool,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF EXISTS or IF NOT EXISTS.
    pub if_exists: bool,
    /// What stands behind the name, which may name tables; empty for DROP.
    pub body: Span,
}

/// What a statement does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the statement's first word")]
pub enum StoredAction {
    Create,
    Alter,
    Drop,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the word of the statement")]
pub enum StoredObject {
    View,
    Procedure,
    Function,
    Trigger,
    Event,
}

/// `DEFINER = user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definer {
    /// The whole clause.
    pub span: Span,
    /// The user; `None` for CURRENT_USER.
    pub user: Option<String>,
    /// The host; `%` where none is given.
    pub host: String,
}

impl StoredObject {
    const ALL: [Self; 5] = [Self::View, Self::Procedure, Self::Function, Self::Trigger, Self::Event];

    /// The word that statements use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::View => "VIEW",
            Self::Procedure => "PROCEDURE",
            Self::Function => "FUNCTION",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
        }
    }
}

/// CREATE behind its verb; `None` for anything else than these objects.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Option<Ddl>, ParseError> {
    let or_replace = cursor.accept(&["OR", "REPLACE"]);
    define(cursor, StoredAction::Create, or_replace)
}

/// ALTER behind its verb.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Result<Option<Ddl>, ParseError> {
    define(cursor, StoredAction::Alter, false)
}

/// DROP behind its verb.
pub(super) fn drop_stored(cursor: &mut Cursor<'_>) -> Result<Option<Ddl>, ParseError> {
    let Some(object) = object(cursor) else { return Ok(None) };
    let if_exists = cursor.accept(&["IF", "EXISTS"]);
    let mut names = vec![cursor.table_name()?];
    while object == StoredObject::View && cursor.accept_symbol(b',') {
        names.push(cursor.table_name()?);
    }
    let _ = cursor.accept_one(&["RESTRICT", "CASCADE"]);
    cursor.expect_end()?;
    let stored = Stored { names, if_exists, ..Stored::new(StoredAction::Drop, object) };
    Ok(Some(stored.into()))
}

impl Stored {
    fn new(action: StoredAction, object: StoredObject) -> Self {
        Self {
            action,
            object,
            names: Vec::new(),
            rename_to: None,
            definer: None,
            table: None,
            query: None,
            columns: Vec::new(),
            check: false,
            or_replace: false,
            if_exists: false,
            body: Span::default(),
        }
    }
}

impl From<Stored> for Ddl {
    fn from(stored: Stored) -> Self {
        Self::new(DdlKind::Stored(Box::new(stored)), Vec::new())
    }
}

fn define(
    cursor: &mut Cursor<'_>,
    action: StoredAction,
    or_replace: bool,
) -> Result<Option<Ddl>, ParseError> {
    let mut given = None;
    loop {
        if cursor.accept(&["ALGORITHM"]) {
            cursor.expect_symbol(b'=')?;
            let _ = cursor.next();
        } else if cursor.accept(&["SQL", "SECURITY"]) {
            let _ = cursor.next();
        } else if cursor.sees(&["DEFINER"]) {
            given = Some(definer(cursor)?);
        } else if !cursor.accept(&["AGGREGATE"]) {
            break;
        }
    }
    let Some(object) = object(cursor) else { return Ok(None) };
    let if_exists = cursor.accept(&["IF", "NOT", "EXISTS"]) || cursor.accept(&["IF", "EXISTS"]);
    let mut stored = Stored { definer: given, or_replace, if_exists, ..Stored::new(action, object) };
    stored.names.push(cursor.table_name()?);
    match object {
        StoredObject::Function if is_library(cursor) => return Ok(None),
        StoredObject::View => view(cursor, &mut stored)?,
        StoredObject::Trigger => trigger(cursor, &mut stored)?,
        StoredObject::Event => stored.rename_to = rename(cursor)?,
        StoredObject::Procedure | StoredObject::Function => {}
    }
    stored.body = cursor.rest();
    Ok(Some(stored.into()))
}

fn object(cursor: &mut Cursor<'_>) -> Option<StoredObject> {
    StoredObject::ALL.into_iter().find(|object| cursor.accept(&[object.word()]))
}

/// CREATE FUNCTION … SONAME loads a library into one server.
fn is_library(cursor: &Cursor<'_>) -> bool {
    cursor.sees(&["RETURNS"])
        && cursor.peek_at(2).is_some_and(|token| token.is_word(cursor.sql.as_bytes(), "SONAME"))
}

fn definer(cursor: &mut Cursor<'_>) -> Result<Definer, ParseError> {
    let start = cursor.peek().map_or(0, |token| token.span.start);
    cursor.expect(&["DEFINER"])?;
    cursor.expect_symbol(b'=')?;
    let (user, host) = if cursor.accept(&["CURRENT_USER"]) {
        if cursor.accept_symbol(b'(') {
            cursor.expect_symbol(b')')?;
        }
        (None, "%".to_owned())
    } else {
        let user = match cursor.peek().map(|token| token.kind) {
            Some(TokenKind::Text) => cursor.string()?.0,
            _ => cursor.ident()?.value,
        };
        (Some(user), host(cursor).unwrap_or_else(|| "%".to_owned()))
    };
    let end = cursor.previous().map_or(start, |last| last.span.end);
    Ok(Definer { span: Span { start, end }, user, host })
}

/// `` @`host` ``, which reads like a user variable.
fn host(cursor: &mut Cursor<'_>) -> Option<String> {
    let token = cursor.peek().filter(|token| token.kind == TokenKind::UserVariable)?;
    let _ = cursor.next();
    let name = token.span.text(cursor.sql).trim_start_matches('@').trim();
    Some(name.trim_matches(['`', '\'', '"']).to_owned())
}

fn view(cursor: &mut Cursor<'_>, stored: &mut Stored) -> Result<(), ParseError> {
    if cursor.accept_symbol(b'(') {
        stored.columns.push(cursor.ident()?.value);
        while cursor.accept_symbol(b',') {
            stored.columns.push(cursor.ident()?.value);
        }
        cursor.expect_symbol(b')')?;
    }
    cursor.expect(&["AS"])?;
    let mut query = cursor.clone();
    let start = query.peek().ok_or_else(|| query.error())?.span.start;
    let mut end = start;
    while let Some(token) = query.peek() {
        if is_check_option(&query) {
            stored.check = true;
            break;
        }
        end = token.span.end;
        let _ = query.next();
    }
    stored.query = Some(Span { start, end });
    Ok(())
}

fn is_check_option(cursor: &Cursor<'_>) -> bool {
    [
        &["WITH", "CHECK", "OPTION"][..],
        &["WITH", "CASCADED", "CHECK", "OPTION"],
        &["WITH", "LOCAL", "CHECK", "OPTION"],
    ]
    .into_iter()
    .any(|words| cursor.sees(words) && cursor.peek_at(words.len()).is_none())
}

fn trigger(cursor: &mut Cursor<'_>, stored: &mut Stored) -> Result<(), ParseError> {
    let _ = cursor.accept_one(&["BEFORE", "AFTER"]);
    let _ = cursor.accept_one(&["INSERT", "UPDATE", "DELETE"]);
    cursor.expect(&["ON"])?;
    stored.table = Some(cursor.table_name()?);
    Ok(())
}

/// The new name of an event, wherever it stands before its body.
fn rename(cursor: &Cursor<'_>) -> Result<Option<TableName>, ParseError> {
    let mut cursor = cursor.clone();
    while cursor.peek().is_some() && !cursor.sees(&["DO"]) {
        if cursor.accept(&["RENAME", "TO"]) {
            return cursor.table_name().map(Some);
        }
        let _ = cursor.next();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LexOptions, Statement, parse};

    fn stored(sql: &str) -> Stored {
        match parse(sql, LexOptions::default()) {
            Ok(Statement::Ddl(Ddl { kind: DdlKind::Stored(stored), .. })) => *stored,
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn a_view_has_a_query() {
        let sql = "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a b`@`%` SQL SECURITY DEFINER VIEW s.v (x, y) AS SELECT 1, 2 \
                   FROM t WITH CASCADED CHECK OPTION";
        let stored = stored(sql);
        assert_eq!(stored.query.expect("a query").text(sql), "SELECT 1, 2 FROM t");
        assert_eq!(stored.columns, ["x", "y"]);
        assert!(stored.check && stored.or_replace && !stored.if_exists);
        let definer = stored.definer.expect("a definer");
        assert_eq!(definer.span.text(sql), "DEFINER=`a b`@`%`");
        assert_eq!((definer.user.as_deref(), &*definer.host), (Some("a b"), "%"));
        assert_eq!(stored.names[0].table.value, "v");
    }

    #[test]
    fn dumps_cut_statements_into_comments() {
        let sql = "/*!50003 CREATE*/ /*!50017 DEFINER=`app`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR \
                   EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END */";
        let stored = stored(sql);
        assert_eq!((stored.object, stored.action), (StoredObject::Trigger, StoredAction::Create));
        assert_eq!(stored.table.expect("a table").table.value, "t");
        assert_eq!(stored.definer.expect("a definer").host, "localhost");
        assert!(stored.body.text(sql).starts_with("FOR EACH ROW"), "{}", stored.body.text(sql));
    }

    #[test]
    fn routines_events_and_drops() {
        let drop = stored("DROP VIEW IF EXISTS a, s.b CASCADE");
        assert!(drop.if_exists && drop.names.len() == 2);
        assert_eq!(stored("DROP PROCEDURE p").object, StoredObject::Procedure);
        let procedure =
            "CREATE DEFINER = CURRENT_USER() PROCEDURE p (IN a INT) BEGIN SELECT 1; SELECT 2; END";
        assert_eq!(stored(procedure).definer.expect("a definer").user, None);
        let event = stored("ALTER EVENT e ON SCHEDULE EVERY 1 DAY RENAME TO f DISABLE");
        assert_eq!(event.rename_to.expect("a name").table.value, "f");
        assert_eq!(stored("ALTER FUNCTION f COMMENT 'x'").action, StoredAction::Alter);
    }

    #[test]
    fn libraries_and_accounts_are_not_stored_objects() {
        for sql in ["CREATE FUNCTION f RETURNS STRING SONAME 'x.so'", "CREATE USER a", "DROP ROLE r"] {
            let parsed = parse(sql, LexOptions::default());
            assert!(matches!(parsed, Ok(Statement::Ddl(Ddl { kind: DdlKind::Other, .. }))), "{sql}");
        }
    }
}
