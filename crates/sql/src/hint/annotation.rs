//! Mycat's annotations: `/*!mycat: sql=select … */`, `/*#mycat: … */`, `/*mycat: … */`.

use super::option::{once, text};
use super::{HintError, HintedServer, Hints};
use crate::{LexOptions, TokenKind, identifier_value, tokens};

/// What may be said, for error texts.
const ALLOWED: &str = "sql=SELECT …, datanode=…, schema=…, db_type=master or slave";

/// Whether a comment is an annotation.
pub(crate) fn is_annotation(comment: &[u8]) -> bool {
    body(comment).is_some()
}

/// What stands behind `mycat:`.
fn body(comment: &[u8]) -> Option<&[u8]> {
    let inner = comment.strip_prefix(b"/*")?;
    let inner = match inner.first()? {
        b'!' | b'#' => &inner[1..],
        _ => inner,
    };
    let inner = inner.trim_ascii_start();
    let (name, rest) = inner.split_at_checked(6)?;
    if !name.eq_ignore_ascii_case(b"mycat:") {
        return None;
    }
    Some(rest.strip_suffix(b"*/").unwrap_or(rest).trim_ascii())
}

/// Reads an annotation.
pub(super) fn read(comment: &[u8], options: LexOptions, hints: &mut Hints) -> Result<(), HintError> {
    let mut rest = body(comment).unwrap_or_default();
    let bad = |reason: &str| {
        HintError(format!(
            "Hint {} is not understood: {reason}; allowed is /*!mycat: {ALLOWED} */",
            String::from_utf8_lossy(comment)
        ))
    };
    if rest.is_empty() {
        return Err(bad("it is empty"));
    }
    while !rest.is_empty() {
        let equals = memchr::memchr(b'=', rest).ok_or_else(|| bad("a value is missing"))?;
        let name = String::from_utf8_lossy(rest[..equals].trim_ascii()).to_lowercase();
        let behind = rest[equals + 1..].trim_ascii_start();
        if name == "sql" {
            let statement = std::str::from_utf8(behind).map_err(|_| bad("sql is not UTF-8"))?;
            if statement.is_empty() {
                return Err(bad("sql needs a statement"));
            }
            return once("sql", &mut hints.routed_as, statement.to_owned()).map_err(|reason| bad(&reason));
        }
        let end = behind
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || *byte == b',')
            .unwrap_or(behind.len());
        set(&name, &behind[..end], options, hints).map_err(|reason| bad(&reason))?;
        rest = behind[end..].trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    }
    Ok(())
}

fn set(name: &str, value: &[u8], options: LexOptions, hints: &mut Hints) -> Result<(), String> {
    let value = name_of(value, options);
    match name {
        "datanode" => once(name, &mut hints.node, text(name, value)?),
        "schema" => once(name, &mut hints.schema, text(name, value)?),
        "db_type" => {
            let server = match &*text(name, value)?.to_lowercase() {
                "master" => HintedServer::Primary,
                "slave" => HintedServer::Replica,
                other => return Err(format!("db_type={other} is neither master nor slave")),
            };
            once(name, &mut hints.server, server)
        }
        "catlet" => Err("catlet runs a class of Mycat's own".to_owned()),
        _ => Err(format!("{name} is not known")),
    }
}

/// A name, quoted or not.
fn name_of(value: &[u8], options: LexOptions) -> serval_types::Value {
    let quoted = tokens(value, options)
        .ok()
        .filter(|all| matches!(&**all, [one] if one.kind == TokenKind::QuotedIdent));
    let text = if quoted.is_some() { identifier_value(value) } else { value.to_vec() };
    serval_types::Value::Text(text)
}
