//! What columns without a name of their own are called: a server calls them by their text, so where the text is changed
//! the client's own is said behind it.

use serval_sql::{Edit, Span, Token, TokenKind};

use super::segments::Segments;
use crate::clauses::Clauses;
use crate::physical::quote;

/// Servers cut longer names.
const LONGEST: usize = 256;

/// An alias for each column of the answer whose text these edits change.
pub(super) fn names(sql: &[u8], tokens: &[Token], segments: &Segments, edits: &[Edit]) -> Vec<Edit> {
    let Some(select) = first_select(sql, tokens, segments) else { return Vec::new() };
    let Some(clauses) = Clauses::of(sql, select) else { return Vec::new() };
    let unnamed = clauses.items.iter().zip(&clauses.named).filter(|(_, named)| !**named);
    let changed = unnamed.filter(|(item, _)| edits.iter().any(|edit| within(edit.at, **item)));
    let computed = changed.filter(|(item, _)| !is_column(select, **item));
    computed.filter_map(|(item, _)| alias(sql, *item)).collect()
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

fn within(edit: Span, item: Span) -> bool {
    item.start <= edit.start && edit.end <= item.end
}

/// Whether an item is nothing but a column, which has a name: names and dots by turns.
fn is_column(tokens: &[Token], item: Span) -> bool {
    let mut inside = tokens.iter().filter(|token| within(token.span, item)).enumerate();
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
