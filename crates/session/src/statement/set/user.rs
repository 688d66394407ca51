//! The values of user variables, evaluated where MySQL itself gives them their type and collation.

use serval_planner::primitive::Target;
use serval_remote::Backend;
use serval_sql::{Assignment, LexOptions, SetKind, SetValue, Span, TokenKind, may_call_stored, tokens};
use serval_types::{MysqlError, Value};

use super::Text;
use crate::charset;
use crate::failure::Failure;
use crate::literal::literal;
use crate::session::{Effects, Purpose, Query, Session, Wanted, is_one_node, prepare, rescan};
use crate::statement::{into, named_locks};

/// The name under which a user variable is replayed.
pub(crate) fn user_variable(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("@{name}") } else { format!("@{}", crate::literal::identifier(name)) }
}

/// The literals of all user variables that the assignments set, in their order; the session's state stays as it is.
pub(super) async fn evaluate<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    assignments: &[Assignment],
) -> Result<Vec<String>, Failure> {
    let values = assignments.iter().filter_map(|assignment| match assignment {
        Assignment::UserVariable { name, value } => Some((name, value)),
        _ => None,
    });
    let values: Vec<(&String, &SetValue)> = values.collect();
    let mut literals: Vec<Option<String>> = values.iter().map(|(_, value)| plain(session, value)).collect();
    let together: Vec<usize> = (0..values.len())
        .filter(|at| literals[*at].is_none() && !reads_tables(session, text, values[*at].1))
        .collect();
    if !together.is_empty() {
        let found = by_server(session, text, together.iter().map(|at| values[*at].1)).await?;
        for (at, literal) in together.into_iter().zip(found) {
            literals[at] = Some(literal);
        }
    }
    let mut out = Vec::with_capacity(values.len());
    for (literal, (_, value)) in literals.into_iter().zip(&values) {
        out.push(match literal {
            Some(literal) => literal,
            None => by_query(session, text, value).await?,
        });
    }
    Ok(out)
}

/// Numbers and NULL, whose literal says all.
fn plain<B: Backend>(session: &Session<B>, value: &SetValue) -> Option<String> {
    match &value.kind {
        SetKind::Literal(
            value @ (Value::Null | Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::Bytes(_)),
        ) => Some(literal(value, &charset::of_client(&session.state))),
        _ => None,
    }
}

/// Whether an expression has a subquery in it.
fn reads_tables<B: Backend>(session: &Session<B>, text: Text<'_>, value: &SetValue) -> bool {
    let sql = value.span.of(text.sql);
    let tokens = tokens(sql, session.options).unwrap_or_default();
    tokens.iter().any(|token| token.is_word(sql, "SELECT"))
}

/// The variables that stand in for the client's while a server evaluates: they are gone when it is done.
fn stand_in(at: usize) -> String {
    format!("serval {at}")
}

/// Has a server SET them, and reads them back.
async fn by_server<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    values: impl Iterator<Item = &SetValue>,
) -> Result<Vec<String>, Failure> {
    let mut sql = b"SET ".to_vec();
    let mut names = Vec::new();
    for value in values {
        if !names.is_empty() {
            sql.extend_from_slice(b", ");
        }
        let name = stand_in(names.len());
        sql.extend_from_slice(format!("{} = ", user_variable(&name)).as_bytes());
        sql.extend_from_slice(value.span.of(text.sql));
        names.push(name);
    }
    let sql = session.with_identity(&sql)?.into_owned();
    let catalog = session.catalog();
    let mut target = Target::new(session.home(&catalog)?, None, sql);
    let placed = named_locks::place_own(session, &catalog, &mut target).await?;
    let Target { node: home, sql, .. } = target;
    let group = catalog.node(home).group;
    // Expressions may assign others on their way: SET @a = (@b := 1).
    let scan = rescan(&sql, session.options)?;
    let effects = Effects::of(&Query::text(&sql, &scan), session.options);
    let Wanted { names: assigned, insert_id, .. } = effects.wanted.clone();
    if may_call_stored(&sql, session.options) {
        session.begin_if_implicit(&catalog);
    }
    session.pin_for(group, &effects.wanted).await?;
    let state = session.effective_state();
    let result = session.run_on(&catalog, home, &sql, &state).await;
    if let Some(placed) = placed {
        named_locks::settle(session, &catalog, placed, result.is_ok()).await;
    }
    let completed = match result {
        Ok((_, completed)) => completed,
        Err(error) => {
            session.read_wanted(group, &Wanted::default()).await?;
            return Err(error.into());
        }
    };
    session.last.warnings = session.last.warnings.saturating_add(completed.warnings);
    if completed.warnings > 0 {
        session.note_warnings_of(home, &catalog);
        session.fetch_warnings().await;
    }
    let before = session.state.clone();
    let wanted =
        Wanted { names: names.iter().chain(&assigned).cloned().collect(), insert_id, ..Wanted::default() };
    let read = session.read_wanted(group, &wanted).await;
    let after = std::mem::replace(&mut session.state, before);
    read?;
    for name in assigned {
        let name = user_variable(&name);
        if let Some(value) = after.value(&name) {
            session.state = session.state.with(&name, value);
        }
    }
    let value = |name: &String| after.value(&user_variable(name)).unwrap_or("NULL").to_owned();
    Ok(names.iter().map(value).collect())
}

/// Has it selected: whole where one node has all of its tables, merged where the expression is nothing but a subquery.
async fn by_query<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    value: &SetValue,
) -> Result<String, Failure> {
    let name = stand_in(0);
    let expression = value.span.of(text.sql);
    let inner = subquery(expression, session.options);
    let query = match inner {
        Some(inner) if !is_whole(session, expression).await => inner.of(expression).to_vec(),
        _ => [b"SELECT ", expression].concat(),
    };
    let sql = [&query[..], format!(" INTO {}", user_variable(&name)).as_bytes()].concat();
    let found = into::assign(session, &sql).await;
    // The query may have assigned others on its way.
    let after = session.state.clone();
    session.state = after.without(&user_variable(&name));
    match found {
        Ok(()) => Ok(after.value(&user_variable(&name)).unwrap_or("NULL").to_owned()),
        // Not a SELECT … INTO to the client.
        Err(Failure::Told(error)) if error.number == 1172 => Err(Failure::Told(MysqlError {
            number: 1242,
            sqlstate: *b"21000",
            message: "Subquery returns more than 1 row".to_owned(),
        })),
        Err(Failure::Told(error)) if error.number == 1222 => Err(Failure::Told(MysqlError {
            number: 1241,
            sqlstate: *b"21000",
            message: "Operand should contain 1 column(s)".to_owned(),
        })),
        Err(error) => Err(error),
    }
}

/// Whether one node can answer `SELECT expression`.
async fn is_whole<B: Backend>(session: &mut Session<B>, expression: &[u8]) -> bool {
    let sql = [b"SELECT ", expression].concat();
    let Ok(sql) = session.with_identity(&sql).map(std::borrow::Cow::into_owned) else { return false };
    let Ok(scan) = rescan(&sql, session.options) else { return false };
    let catalog = session.catalog();
    let ready = prepare(session, &catalog, &Query::text(&sql, &scan), Purpose::Explain).await;
    ready.is_ok_and(|ready| is_one_node(&ready.bound))
}

/// What stands in the parentheses of an expression that is nothing but a subquery.
fn subquery(expression: &[u8], options: LexOptions) -> Option<Span> {
    let mut tokens = tokens(expression, options).ok()?;
    tokens.retain(|token| !token.kind.is_comment());
    let (first, last) = (tokens.first()?, tokens.last()?);
    let opens =
        first.is_symbol(b'(') && tokens.get(1).is_some_and(|token| token.is_word(expression, "SELECT"));
    let mut depth = 0_usize;
    let closes_early = tokens.iter().take(tokens.len() - 1).any(|token| {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    (opens && last.is_symbol(b')') && !closes_early)
        .then_some(Span { start: first.span.end, end: last.span.start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subquery_is_told_from_an_expression_of_two() {
        let inner = |text: &str| {
            subquery(text.as_bytes(), LexOptions::default()).map(|span| span.text(text).to_owned())
        };
        assert_eq!(inner("(SELECT 1)").as_deref(), Some("SELECT 1"));
        assert_eq!(inner("(SELECT (1))").as_deref(), Some("SELECT (1)"));
        assert_eq!(inner("(SELECT 1) + (SELECT 2)"), None);
        assert_eq!(inner("f((SELECT 1))"), None);
    }
}
