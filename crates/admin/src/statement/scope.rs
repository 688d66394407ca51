//! `where schema = ? and table = ?` behind a statement.

/// Which tables a statement is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) schema: Option<String>,
    pub(super) table: Option<String>,
}

impl Tables {
    /// Reads the condition and gives the words behind it.
    pub(super) fn parse(words: &str) -> Option<(Self, Vec<String>)> {
        let spaced = words.replace('=', " = ");
        let mut words = spaced.split_whitespace();
        let (mut tables, mut rest) = (Self::default(), Vec::new());
        while let Some(word) = words.next() {
            if !matches!(word, "where" | "and") {
                rest.push(word.to_owned());
                continue;
            }
            let (name, sign, value) = (words.next()?, words.next()?, words.next()?);
            let value = Some(value.trim_matches(['\'', '"', '`']).to_owned());
            match (name, sign) {
                ("schema", "=") => tables.schema = value,
                ("table", "=") => tables.table = value,
                _ => return None,
            }
        }
        Some((tables, rest))
    }

    /// Whether a table is meant.
    pub(super) fn has(&self, schema: &str, table: &str) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        is(&self.schema, schema) && is(&self.table, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_and_what_follows() {
        let (tables, rest) =
            Tables::parse(" where schema='shop' and table = regions from dn1 dry run").expect("read");
        assert_eq!((tables.schema.as_deref(), tables.table.as_deref()), (Some("shop"), Some("regions")));
        assert_eq!(rest, ["from", "dn1", "dry", "run"]);
        assert_eq!(Tables::parse(" where color = red"), None);
        assert!(Tables::default().has("any", "table"));
    }
}
