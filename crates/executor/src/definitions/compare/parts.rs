//! The lines of SHOW CREATE TABLE: columns, keys and options, and the way from one table's to another's.

/// What differs between two definitions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// One sentence each.
    pub what: Vec<String>,
    /// The clauses of the ALTER TABLE that takes the differences away.
    pub clauses: Vec<String>,
}

/// A definition, taken apart.
#[derive(Debug, Default)]
struct Parts<'a> {
    /// Names and whole texts, in order.
    columns: Vec<(&'a str, &'a str)>,
    keys: Vec<(&'a str, &'a str)>,
    options: String,
}

/// What takes `found` to `wanted`, both texts of SHOW CREATE TABLE without the name of the table.
#[must_use]
pub fn change(found: &str, wanted: &str) -> Change {
    let (found, wanted) = (Parts::of(found), Parts::of(wanted));
    let mut change = Change::default();
    change.dropped_keys(&found, &wanted);
    change.columns(&found, &wanted);
    change.added_keys(&found, &wanted);
    if found.options != wanted.options {
        change.note(
            format!("options `{}` instead of `{}`", found.options, wanted.options),
            wanted.options.clone(),
        );
    }
    change
}

impl<'a> Parts<'a> {
    fn of(create: &'a str) -> Self {
        let mut parts = Self::default();
        let mut options = Vec::new();
        for line in create.lines().skip(1) {
            let text = line.trim().trim_end_matches(',');
            if !options.is_empty() || line.starts_with(')') {
                options.push(text.trim_start_matches(')').trim());
            } else if text.starts_with('`') {
                parts.columns.push((name(text), text));
            } else {
                parts.keys.push((if text.starts_with("PRIMARY") { "PRIMARY" } else { name(text) }, text));
            }
        }
        parts.options = options.join(" ");
        parts
    }
}

/// The first name between backticks, with them.
fn name(text: &str) -> &str {
    let Some(start) = text.find('`') else { return text };
    let mut end = start + 1;
    let bytes = text.as_bytes();
    while end < bytes.len() {
        if bytes[end] == b'`' {
            if bytes.get(end + 1) != Some(&b'`') {
                return &text[start..=end];
            }
            end += 1;
        }
        end += 1;
    }
    &text[start..]
}

fn find<'a>(parts: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    parts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Change {
    fn note(&mut self, what: String, clause: String) {
        self.what.push(what);
        self.clauses.push(clause);
    }

    /// Keys go before columns change under them, and come back after.
    fn dropped_keys(&mut self, found: &Parts<'_>, wanted: &Parts<'_>) {
        for (name, text) in &found.keys {
            let other = find(&wanted.keys, name);
            if other == Some(*text) {
                continue;
            }
            let what = match other {
                Some(other) => format!("{text} instead of {other}"),
                None => format!("{text} should not be there"),
            };
            self.note(what, drop_key(name, text));
        }
    }

    fn added_keys(&mut self, found: &Parts<'_>, wanted: &Parts<'_>) {
        for (name, text) in &wanted.keys {
            match find(&found.keys, name) {
                Some(other) if other == *text => {}
                // What is there instead has been told of.
                Some(_) => self.clauses.push(format!("ADD {text}")),
                None => self.note(format!("{text} is missing"), format!("ADD {text}")),
            }
        }
    }

    fn columns(&mut self, found: &Parts<'_>, wanted: &Parts<'_>) {
        for (name, text) in &found.columns {
            if find(&wanted.columns, name).is_none() {
                self.note(format!("column {text} should not be there"), format!("DROP COLUMN {name}"));
            }
        }
        let kept: Vec<&str> = found.columns.iter().map(|(name, _)| *name).collect();
        let kept: Vec<&str> = kept.into_iter().filter(|name| find(&wanted.columns, name).is_some()).collect();
        let common: Vec<&str> =
            wanted.columns.iter().map(|(name, _)| *name).filter(|name| kept.contains(name)).collect();
        let moved = kept != common;
        let mut place = " FIRST".to_owned();
        for (name, text) in &wanted.columns {
            match find(&found.columns, name) {
                None => self.note(format!("column {text} is missing"), format!("ADD COLUMN {text}{place}")),
                Some(other) if other != *text => self.note(
                    format!("column {other} instead of {text}"),
                    format!("MODIFY COLUMN {text}{}", if moved { &*place } else { "" }),
                ),
                Some(_) if moved => self.clauses.push(format!("MODIFY COLUMN {text}{place}")),
                Some(_) => {}
            }
            place = format!(" AFTER {name}");
        }
        if moved {
            self.what.push("the columns stand in another order".to_owned());
        }
    }
}

fn drop_key(name: &str, text: &str) -> String {
    if name == "PRIMARY" {
        return "DROP PRIMARY KEY".to_owned();
    }
    match text.strip_prefix("CONSTRAINT") {
        Some(rest) if rest.contains(" FOREIGN KEY ") => format!("DROP FOREIGN KEY {name}"),
        Some(_) => format!("DROP CONSTRAINT {name}"),
        None => format!("DROP KEY {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: &str = "CREATE TABLE `` (\n  `id` bigint NOT NULL,\n  `a``b` int DEFAULT NULL,\n  `v` int DEFAULT NULL,\n  \
                          PRIMARY KEY (`id`),\n  KEY `by_v` (`v`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

    #[test]
    fn equal_ones_need_nothing() {
        assert_eq!(change(WANTED, WANTED), Change::default());
    }

    #[test]
    fn columns_keys_and_options_are_repaired() {
        let found = "CREATE TABLE `` (\n  `id` int NOT NULL,\n  `v` int DEFAULT NULL,\n  `old` int DEFAULT NULL,\n  PRIMARY \
                     KEY (`id`),\n  KEY `by_v` (`v`,`id`),\n  CONSTRAINT `fk` FOREIGN KEY (`v`) REFERENCES `x` (`id`)\n) \
                     ENGINE=InnoDB DEFAULT CHARSET=latin1";
        let change = change(found, WANTED);
        assert_eq!(
            change.clauses,
            [
                "DROP KEY `by_v`",
                "DROP FOREIGN KEY `fk`",
                "DROP COLUMN `old`",
                "MODIFY COLUMN `id` bigint NOT NULL",
                "ADD COLUMN `a``b` int DEFAULT NULL AFTER `id`",
                "ADD KEY `by_v` (`v`)",
                "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
            ]
        );
        assert!(change.what.iter().any(|what| what.contains("column `a``b` int DEFAULT NULL is missing")));
    }

    #[test]
    fn another_order_is_a_difference() {
        let found = "CREATE TABLE `` (\n  `id` bigint NOT NULL,\n  `v` int DEFAULT NULL,\n  `a``b` int DEFAULT NULL,\n  PRIMARY \
                     KEY (`id`),\n  KEY `by_v` (`v`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        let change = change(found, WANTED);
        assert_eq!(change.what, ["the columns stand in another order"]);
        assert!(change.clauses.contains(&"MODIFY COLUMN `v` int DEFAULT NULL AFTER `a``b`".to_owned()));
    }
}
