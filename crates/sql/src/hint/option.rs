//! `SERVAL(node=dn0, timeout=5s)`: options between parentheses.

use std::time::Duration;

use serval_types::Value;

use super::{HintError, HintedServer, Hints};
use crate::{HoleKind, LexOptions, Token, TokenKind, identifier_value, literal_value, tokens};

/// What may be said, for error texts.
pub(super) const ALLOWED: &str = "node=…, shard_key=…, primary, replica, timeout=5s";

/// Reads `SERVAL(…)`.
pub(super) fn read(text: &[u8], options: LexOptions, hints: &mut Hints) -> Result<(), HintError> {
    let all = tokens(text, options).map_err(|error| bad(text, &error.to_string()))?;
    let inner = all.get(2..all.len().saturating_sub(1)).unwrap_or_default();
    if inner.is_empty() {
        return Err(bad(text, "it is empty"));
    }
    let mut rest = inner;
    while let Some((word, behind)) = rest.split_first() {
        if word.is_symbol(b',') {
            rest = behind;
            continue;
        }
        let name = String::from_utf8_lossy(word.span.of(text)).to_lowercase();
        let assigned = behind.first().is_some_and(|token| token.is_symbol(b'='));
        rest = if assigned {
            let (value, behind) =
                value(text, &behind[1..], options).ok_or_else(|| bad(text, "a value is missing"))?;
            set(&name, value, hints).map_err(|reason| bad(text, &reason))?;
            behind
        } else {
            flag(&name, hints).map_err(|reason| bad(text, &reason))?;
            behind
        };
    }
    Ok(())
}

/// The value behind `=`, and what follows it.
fn value<'t>(text: &[u8], tokens: &'t [Token], options: LexOptions) -> Option<(Value, &'t [Token])> {
    let (first, rest) = tokens.split_first()?;
    let literal = |kind| literal_value(text, first.span, kind, options);
    let value = match first.kind {
        TokenKind::Text => literal(HoleKind::Text),
        TokenKind::Integer => literal(HoleKind::Integer),
        TokenKind::Decimal => literal(HoleKind::Decimal),
        TokenKind::Hex => literal(HoleKind::Hex),
        TokenKind::Word => Value::Text(first.span.of(text).to_vec()),
        TokenKind::QuotedIdent => Value::Text(identifier_value(first.span.of(text))),
        TokenKind::Symbol(b'-') => {
            let (number, rest) = value(text, rest, options)?;
            return Some((number.negated()?, rest));
        }
        _ => return None,
    };
    Some((value, rest))
}

fn flag(name: &str, hints: &mut Hints) -> Result<(), String> {
    let server = match name {
        "primary" => HintedServer::Primary,
        "replica" => HintedServer::Replica,
        "node" | "shard_key" | "timeout" => return Err(format!("{name} needs a value")),
        _ => return Err(format!("{name} is not known")),
    };
    once("primary or replica", &mut hints.server, server)
}

fn set(name: &str, value: Value, hints: &mut Hints) -> Result<(), String> {
    match name {
        "node" => once(name, &mut hints.node, text(name, value)?),
        "shard_key" => once(name, &mut hints.shard_key, value),
        "timeout" => {
            let time = duration(&value).ok_or("timeout is a number with a unit: 500ms, 5s, 1m")?;
            once(name, &mut hints.timeout, time)
        }
        "primary" | "replica" => Err(format!("{name} takes no value")),
        _ => Err(format!("{name} is not known")),
    }
}

/// A value that names something.
pub(super) fn text(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) if !text.is_empty() => {
            String::from_utf8(text).map_err(|_| format!("{name} is not UTF-8"))
        }
        _ => Err(format!("{name} takes a name")),
    }
}

/// Sets what may be said once.
pub(super) fn once<T: PartialEq>(name: &str, place: &mut Option<T>, value: T) -> Result<(), String> {
    match place {
        Some(before) if *before != value => Err(format!("{name} is said twice")),
        _ => {
            *place = Some(value);
            Ok(())
        }
    }
}

/// `5s`, `500ms`, `1m`; more than nothing.
fn duration(value: &Value) -> Option<Duration> {
    let Value::Text(text) = value else { return None };
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match &*text.get(digits..)?.to_lowercase() {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return None,
    };
    let time = unit.checked_mul(u32::try_from(number).ok()?)?;
    (!time.is_zero()).then_some(time)
}

fn bad(text: &[u8], reason: &str) -> HintError {
    HintError(format!(
        "Hint {} is not understood: {reason}; allowed is SERVAL({ALLOWED})",
        String::from_utf8_lossy(text)
    ))
}

impl Hints {
    /// Refuses what contradicts itself.
    pub(super) fn checked(self) -> Result<Self, HintError> {
        let places = [self.node.is_some(), self.shard_key.is_some(), self.routed_as.is_some()];
        if places.into_iter().filter(|said| *said).count() > 1 {
            return Err(HintError(
                "A hint says where the statement goes in one way only: a node, a shard_key or a statement (sql=)".to_owned(),
            ));
        }
        Ok(self)
    }
}
