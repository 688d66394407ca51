//! `check @@rows [where schema = ? [and table = ?]] [limit N]`.

use crate::{Scope, Wish};

/// The wish that these words, which follow `check @@rows`, are.
pub(super) fn parse(words: &str) -> Option<Wish> {
    let spaced = words.replace('=', " = ");
    let mut words = spaced.split_whitespace().peekable();
    let mut scope = Scope::default();
    while let Some(word) = words.next() {
        match word {
            "where" | "and" => {
                let (name, sign, value) = (words.next()?, words.next()?, words.next()?);
                let value = value.trim_matches(['\'', '"', '`']).to_owned();
                match (name, sign) {
                    ("schema", "=") => scope.schema = Some(value),
                    ("table", "=") => scope.table = Some(value),
                    _ => return None,
                }
            }
            "limit" => scope.rows = Some(words.next()?.parse().ok().filter(|rows| *rows > 0)?),
            _ => return None,
        }
    }
    Some(Wish::CheckRows(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_word_by_word() {
        assert_eq!(parse(""), Some(Wish::CheckRows(Scope::default())));
        let scope = Scope { schema: Some("shop".into()), table: Some("users".into()), rows: Some(7) };
        assert_eq!(parse(" where schema='shop' and table = users limit 7"), Some(Wish::CheckRows(scope)));
        for wrong in ["limit", "limit 0", "where schema", "where color = red", "all"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
