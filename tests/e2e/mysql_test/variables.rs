//! mysqltest's variables and the little that is computed with them.

use std::collections::HashMap;

use serval_tests::{Answer, Client};

/// Variables by name, without their `$`.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<String, String>,
}

impl Variables {
    /// `let $name = value`; what stands between backticks is asked of the one server.
    pub(super) async fn assign(&mut self, name: &str, value: &str, oracle: &mut Client) {
        let value = match value.strip_prefix('`').and_then(|value| value.strip_suffix('`')) {
            Some(query) => first(oracle.run(&self.filled(query)).await),
            None => self.filled(value.trim_matches(['\'', '"'])),
        };
        self.values.insert(name.to_owned(), value);
    }

    /// `inc $name` and `dec $name`.
    pub(super) fn add(&mut self, name: &str, by: i64) {
        let value = self.values.get(name).and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
        self.values.insert(name.to_owned(), value.wrapping_add(by).to_string());
    }

    /// The text with every `$name` replaced.
    pub(super) fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, name) = (&rest[..at], &rest[at + 1..]);
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            match before.strip_suffix('\\') {
                Some(before) => filled.extend([before, "$", &name[..end]]),
                None if end == 0 => filled.extend([before, "$"]),
                None => {
                    filled.push_str(before);
                    filled.push_str(self.values.get(&name[..end]).map_or("", String::as_str));
                }
            }
            rest = &name[end..];
        }
        filled + rest
    }

    /// Whether the condition of `if` or `while` holds.
    pub(super) async fn holds(&self, condition: &str, oracle: &mut Client) -> bool {
        if let Some(negated) = condition.strip_prefix('!') {
            return !Box::pin(self.holds(negated.trim(), oracle)).await;
        }
        if let Some(query) = condition.strip_prefix('`').and_then(|query| query.strip_suffix('`')) {
            return truth(&first(oracle.run(&self.filled(query)).await));
        }
        for sign in ["==", "!=", "<=", ">=", "<", ">"] {
            if let Some((left, right)) = condition.split_once(sign) {
                let [left, right] = [left, right].map(|side| self.filled(side.trim().trim_matches('\'')));
                return compared(sign, &left, &right);
            }
        }
        truth(&self.filled(condition))
    }
}

fn compared(sign: &str, left: &str, right: &str) -> bool {
    let order = match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    };
    match sign {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        _ => order.is_gt(),
    }
}

fn truth(value: &str) -> bool {
    !value.is_empty() && value != "0"
}

/// The first value of an answer, empty for none.
fn first(answer: Answer) -> String {
    match answer {
        Answer::Rows { rows, .. } => rows.into_iter().flatten().next().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let mut variables = Variables::default();
        variables.add("i", 3);
        assert_eq!(
            variables.filled("insert into t$i values ($i, '\\$x', $unknown)"),
            "insert into t3 values (3, '$x', )"
        );
    }
}
