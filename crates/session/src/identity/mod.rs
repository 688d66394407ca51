//! Functions and variables whose answer belongs to the session and not to whichever server happens to be asked:
//! `DATABASE()`, `CONNECTION_ID()`, `LAST_INSERT_ID()`, `@@version`, …
//!
//! They are replaced by literals in the statement's text before it is planned. A select item without an alias in
//! which one stands gets its own original text as its alias, because that is the column's name on a server.
//! `LAST_INSERT_ID(expr)`, which sets the value, is left alone.
//!
//! ```text
//! SELECT DATABASE(), id FROM t   →   SELECT 'shop' AS `DATABASE()`, id FROM t
//! SELECT DATABASE()              →   SELECT IF(1, 'shop', DATABASE()) AS `DATABASE()`
//! ```

mod facts;
pub(crate) mod items;
mod mention;

use serval_sql::{Edit, LexOptions, TokenKind, splice, tokens};
use serval_types::{MysqlError, Value};

pub use facts::Facts;
pub use mention::may_mention;

/// What takes the place of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Its literal.
    Literals,
    /// A parameter, so that a prepared statement's text is the same for all numbers.
    Parameters,
}

/// A statement in which something was replaced.
#[derive(Debug, PartialEq)]
pub struct Replaced {
    /// The text.
    pub sql: Vec<u8>,
    /// The values of the parameters that were added, each with its position among all parameters, in order.
    pub values: Vec<(usize, Value)>,
}

impl Replaced {
    /// The positions of the parameters that were added.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(|(position, _)| *position)
    }
}

/// The statement with everything that belongs to the session replaced; `None` where there is nothing to replace.
///
/// # Errors
/// 1235 where the session does not know the answer. A text that is no SQL is left for the parser to complain of.
pub fn replace(
    sql: &[u8],
    options: LexOptions,
    facts: &Facts<'_>,
    style: Style,
) -> Result<Option<Replaced>, MysqlError> {
    let Ok(mut tokens) = tokens(sql, options) else { return Ok(None) };
    tokens.retain(|token| !token.kind.is_comment());
    let mut mentions = mention::find(sql, &tokens);
    mentions.retain(|mention| facts.know(mention.fact, mention.form));
    if mentions.is_empty() {
        return Ok(None);
    }
    let items = items::find(sql, &tokens);
    // Elsewhere a literal says more to the planner.
    let tableless = !tokens.iter().any(|token| token.is_word(sql, "FROM"));
    let (mut edits, mut values) = (Vec::new(), Vec::new());
    for mention in &mentions {
        let alone =
            items.iter().any(|item| item.first == mention.first && item.expression_end() == mention.last);
        let inside = items.iter().any(|item| item.first <= mention.first && mention.last <= item.last);
        let mut typed = alone || (inside && mention.is_in_arithmetic(sql, &tokens));
        let mut replacement = facts.answer(mention.fact)?;
        if style == Style::Parameters
            && let Some(value) = replacement.take_value()
        {
            // A parameter is of a type of its own only next to what says one, such as a column that it is compared to.
            typed |= inside || mention.is_in_arithmetic(sql, &tokens);
            let before = tokens[..mention.first].iter().filter(|token| token.kind == TokenKind::Parameter);
            values.push((before.count() + values.len(), value));
        }
        let at = tokens[mention.first].span.to(tokens[mention.last].span);
        let text = match (inside && tableless, typed) {
            (true, _) if replacement.is_of_server() => replacement.typed_as(at.of(sql)),
            (_, true) => replacement.typed(),
            (_, false) => replacement.literal,
        };
        edits.push(Edit { at, text });
    }
    for item in items.iter().filter(|item| item.alias.is_none()) {
        if mentions.iter().any(|mention| item.first <= mention.first && mention.last <= item.last) {
            edits.push(item.with_own_name(sql, &tokens));
        }
    }
    Ok(Some(Replaced { sql: splice(sql, &merged(edits)), values }))
}

/// A function or variable that says who the client is or which schema is current, where the text names one. A server
/// that runs the text on its own would answer about its connection with Serval.
#[must_use]
pub fn named_of_client(sql: &[u8], options: LexOptions) -> Option<String> {
    let mut tokens = tokens(sql, options).ok()?;
    tokens.retain(|token| !token.kind.is_comment());
    let found = mention::find(sql, &tokens);
    let of_client = found.iter().find(|mention| mention.fact.is_of_client())?;
    let at = tokens[of_client.first].span.to(tokens[of_client.last].span);
    Some(String::from_utf8_lossy(at.of(sql)).into_owned())
}

/// An alias is an insertion right behind a replacement when the item is nothing but the mention; as one edit each,
/// they would sort before it.
fn merged(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| (edit.at.end, edit.at.start == edit.at.end));
    let mut merged: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match merged.last_mut() {
            Some(last) if last.at.end == edit.at.start && edit.at.start == edit.at.end => {
                last.text += &edit.text
            }
            _ => merged.push(edit),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
