//! Ranges of a primary key, as conditions.

/// Rows above one key, up to and with another; both may be open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// Literals, one per column of the key.
    pub(super) above: Option<Vec<String>>,
    pub(super) to: Option<Vec<String>>,
}

impl Range {
    /// The condition on columns with these quoted names.
    pub(super) fn condition(&self, key: &[String]) -> String {
        let mut parts = Vec::new();
        // The first column by itself, so that the server finds a range in its index.
        if let (Some(above), Some(first)) = (&self.above, key.first()) {
            parts.push(format!("{first} >= {}", above[0]));
            parts.push(greater(key, above));
        }
        if let (Some(to), Some(first)) = (&self.to, key.first()) {
            parts.push(format!("{first} <= {}", to[0]));
            parts.push(format!("NOT {}", greater(key, to)));
        }
        if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }
    }

    /// The range for people.
    pub(super) fn shown(&self, key: &[String]) -> String {
        let names = key.join(", ");
        let side = |sign: &str, values: &Option<Vec<String>>| {
            values.as_ref().map(|values| format!("({names}) {sign} ({})", values.join(", ")))
        };
        let sides: Vec<String> =
            [side(">", &self.above), side("<=", &self.to)].into_iter().flatten().collect();
        if sides.is_empty() { "all rows".to_owned() } else { sides.join(" and ") }
    }
}

/// `(a, b) > (x, y)`, which servers do not look up in an index.
fn greater(key: &[String], than: &[String]) -> String {
    let alternatives = (0..key.len()).map(|at| {
        let equal = (0..at).map(|before| format!("{} = {}", key[before], than[before]));
        let parts: Vec<String> = equal.chain([format!("{} > {}", key[at], than[at])]).collect();
        format!("({})", parts.join(" AND "))
    });
    format!("({})", alternatives.collect::<Vec<_>>().join(" OR "))
}

/// The rows with one of these keys.
pub(super) fn any_of(key: &[String], rows: &[&Vec<String>]) -> String {
    let one = |row: &&Vec<String>| {
        let parts: Vec<String> =
            key.iter().zip(row.iter()).map(|(name, value)| format!("{name} = {value}")).collect();
        format!("({})", parts.join(" AND "))
    };
    rows.iter().map(one).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_two_columns() {
        let key = ["a".to_owned(), "b".to_owned()];
        let range =
            Range { above: Some(vec!["1".into(), "2".into()]), to: Some(vec!["3".into(), "4".into()]) };
        assert_eq!(
            range.condition(&key),
            "a >= 1 AND ((a > 1) OR (a = 1 AND b > 2)) AND a <= 3 AND NOT ((a > 3) OR (a = 3 AND b > 4))"
        );
        assert_eq!(range.shown(&key), "(a, b) > (1, 2) and (a, b) <= (3, 4)");
        assert_eq!(Range::default().condition(&key), "TRUE");
    }
}
