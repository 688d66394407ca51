//! What columns without a name of their own are called: a server calls them by their text, so where the text is changed
//! the client's own is said behind it.

use serval_sql::{Edit, LexOptions, Replacement, Scan, Span, Token, TokenKind};

use super::segments::Segments;
use crate::clauses::Clauses;
use crate::physical::quote;

/// Servers cut longer names.
const LONGEST: usize = 256;

/// The same for the template of a statement that is sent as it is but for the names of tables. A column with a literal
/// keeps its changed text where the template serves other literals too.
pub(crate) fn names_of_template(
    sql: &[u8],
    (scan, options): (&Scan, LexOptions),
    edits: &[(Span, Replacement)],
    literals_stay: bool,
) -> Vec<(Span, Replacement)> {
    if edits.is_empty() {
        return Vec::new();
    }
    let Ok(mut tokens) = serval_sql::tokens(sql, options) else { return Vec::new() };
    tokens.retain(|token| !token.kind.is_comment());
    while tokens.pop_if(|token| token.is_symbol(b';')).is_some() {}
    let segments = Segments::find(sql, &tokens);
    let changes: Vec<Edit> = edits.iter().map(|(at, _)| Edit { at: *at, text: String::new() }).collect();
    let has_hole = |item: Span| scan.holes.iter().any(|hole| item.covers(hole.span));
    columns(sql, &tokens, &segments, &changes)
        .into_iter()
        .filter(|item| literals_stay || !has_hole(*item))
        .filter_map(|item| alias(sql, item))
        .map(|edit| (edit.at, Replacement::Text(edit.text)))
        .collect()
}

/// An alias for each column of the answer whose text these edits change.
pub(super) fn names(sql: &[u8], tokens: &[Token], segments: &Segments, edits: &[Edit]) -> Vec<Edit> {
    columns(sql, tokens, segments, edits).into_iter().filter_map(|item| alias(sql, item)).collect()
}

/// The columns of the answer that have no name but their text, which these edits change.
fn columns(sql: &[u8], tokens: &[Token], segments: &Segments, edits: &[Edit]) -> Vec<Span> {
    let Some(select) = first_select(sql, tokens, segments) else { return Vec::new() };
    let Some(clauses) = Clauses::of(sql, select) else { return Vec::new() };
    let unnamed = clauses.items.iter().zip(&clauses.named).filter(|(_, named)| !**named);
    let changed = unnamed.filter(|(item, _)| edits.iter().any(|edit| item.covers(edit.at)));
    changed.map(|(item, _)| *item).filter(|item| !is_column(select, *item)).collect()
}

/// The SELECT that names the answer's columns: the outermost, and of a union the first.
fn first_select<'t>(sql: &[u8], tokens: &'t [Token], segments: &Segments) -> Option<&'t [Token]> {
    let (mut depth, mut least) = (0_usize, None);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ if token.is_word(sql, "SELECT") && least.is_none_or(|(found, _)| depth < found) => {
                least = Some((depth, at));
            }
            _ => {}
        }
    }
    let (_, at) = least?;
    tokens.get(segments.around(at)?.range())
}

/// Whether an item is nothing but a column, which has a name: names and dots by turns, perhaps in parentheses.
pub(super) fn is_column(tokens: &[Token], item: Span) -> bool {
    let outside = |token: &&Token| !token.is_symbol(b'(') && !token.is_symbol(b')');
    let inside = tokens.iter().filter(|token| item.covers(token.span)).filter(outside);
    let mut inside = inside.enumerate();
    inside.all(|(at, token)| match at % 2 {
        0 => matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) || token.is_symbol(b'*'),
        _ => token.is_symbol(b'.'),
    })
}

fn alias(sql: &[u8], item: Span) -> Option<Edit> {
    let text = str::from_utf8(item.of(sql)).ok()?;
    let mut name = b" AS ".to_vec();
    quote(&text[..text.floor_char_boundary(LONGEST)], &mut name);
    Some(Edit { at: Span::at(item.end), text: String::from_utf8(name).ok()? })
}
