//! Where hints stand, and what is in them.

use super::annotation::{self, is_annotation};
use super::{HintError, Hints, is_ours, option};
use crate::{LexOptions, Span, Token, TokenKind, tokens};

/// The words that a hint may stand behind.
const VERBS: [&str; 5] = ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"];

/// The hints of a statement, all of them together.
pub(super) fn hints(sql: &[u8], options: LexOptions) -> Option<Result<Hints, HintError>> {
    let all = tokens(sql, options).ok()?;
    let mut found: Option<Hints> = None;
    for (at, token) in all.iter().enumerate().filter(|(_, token)| is_ours(sql, **token)) {
        if !is_annotation(token.span.of(sql)) && servals(sql, *token, options).is_empty() {
            if let Some(error) = foreign(token.span.of(sql)) {
                return Some(Err(error));
            }
            // A name that only contains the word.
            continue;
        }
        let hints = found.get_or_insert_default();
        let before = all.get(..at).unwrap_or_default();
        if let Err(error) = placed(sql, before).and_then(|()| read(sql, *token, options, hints)) {
            return Some(Err(error));
        }
    }
    found.map(|hints| hints.checked())
}

/// Where the hints of a statement are to be cut out.
pub(super) fn places(sql: &[u8], options: LexOptions) -> Vec<Span> {
    let all = tokens(sql, options).unwrap_or_default();
    let ours = all.into_iter().filter(|token| is_ours(sql, *token));
    ours.flat_map(|token| {
        let spans = servals(sql, token, options);
        let left = token.span.of(sql).len() - spans.iter().map(|span| span.of(sql).len()).sum::<usize>();
        let is_alone = {
            let mut rest = token.span.of(sql).to_vec();
            for span in spans.iter().rev() {
                let at = (span.start - token.span.start) as usize;
                rest.drain(at..at + span.of(sql).len());
            }
            rest.len() == left && rest.iter().all(|byte| byte.is_ascii_whitespace() || b"/*+".contains(byte))
        };
        if is_annotation(token.span.of(sql)) || !spans.is_empty() && is_alone {
            vec![token.span]
        } else {
            spans
        }
    })
    .collect()
}

/// Before the statement, or behind its own verb.
fn placed(sql: &[u8], before: &[Token]) -> Result<(), HintError> {
    let words: Vec<&Token> = before.iter().filter(|token| !token.kind.is_comment()).collect();
    let is_verb = |token: &Token| VERBS.iter().any(|verb| token.is_word(sql, verb));
    let mut depth = 0_i32;
    let mut verbs = 0;
    for token in &words {
        depth += i32::from(token.is_symbol(b'(')) - i32::from(token.is_symbol(b')'));
        verbs += i32::from(depth == 0 && is_verb(token));
    }
    match words.last() {
        None => Ok(()),
        Some(last) if depth == 0 && verbs == 1 && is_verb(last) => Ok(()),
        // EXPLAIN and the like are about the statement behind them.
        Some(_) if verbs == 0 && depth == 0 => Ok(()),
        Some(_) => Err(HintError(
            "A hint for the proxy stands before the statement or right behind its first SELECT, INSERT, REPLACE, UPDATE or \
             DELETE, and not in a part of it"
                .to_owned(),
        )),
    }
}

fn read(sql: &[u8], token: Token, options: LexOptions, hints: &mut Hints) -> Result<(), HintError> {
    if is_annotation(token.span.of(sql)) {
        return annotation::read(token.span.of(sql), options, hints);
    }
    for span in servals(sql, token, options) {
        option::read(span.of(sql), options, hints)?;
    }
    Ok(())
}

/// What looks like a hint of another proxy's.
fn foreign(text: &[u8]) -> Option<HintError> {
    let body = text.get(3..)?.trim_ascii_start();
    let is_mycat = body.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"mycat:"));
    let is_ours = body.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"serval"));
    (is_mycat || is_ours).then(|| {
        HintError(format!(
            "Hint {} is not understood; allowed is /*+ SERVAL({}) */",
            String::from_utf8_lossy(text),
            option::ALLOWED
        ))
    })
}

/// Each `SERVAL(…)` of a `/*+ … */`.
fn servals(sql: &[u8], token: Token, options: LexOptions) -> Vec<Span> {
    let body = Span { start: token.span.start + 3, end: token.span.end.saturating_sub(2) };
    let text = body.of(sql);
    let inner = tokens(text, options).unwrap_or_default();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = inner.get(at) {
        let opens = inner.get(at + 1).is_some_and(|next| next.is_symbol(b'('));
        let close = inner.iter().skip(at).position(|token| token.is_symbol(b')'));
        at += 1;
        if let (true, true, Some(close)) = (word.is_word(text, "SERVAL"), opens, close)
            && let Some(close) = inner.get(at - 1 + close)
        {
            found.push(Span { start: body.start + word.span.start, end: body.start + close.span.end });
        }
    }
    if token.kind == TokenKind::Hint { found } else { Vec::new() }
}
