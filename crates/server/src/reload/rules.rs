//! Whether two configs write a rule alike.

/// The rules as two configs write them.
pub struct Rules {
    old: toml::Table,
    new: toml::Table,
}

/// What does not belong to the function: where rows lie and which column decides is compared where it is resolved.
const ELSEWHERE: [&str; 2] = ["nodes", "column"];

impl Rules {
    /// The rules of two texts. One that is no TOML has none, and then nothing is alike.
    pub fn of(old: &str, new: &str) -> Self {
        let rules = |text: &str| {
            let config: Option<toml::Table> = text.parse().ok();
            config.and_then(|mut config| config.remove("rules")?.as_table().cloned()).unwrap_or_default()
        };
        Self { old: rules(old), new: rules(new) }
    }

    /// Whether the old rule and the new one give every value the same shard.
    pub fn alike(&self, old: &str, new: &str) -> bool {
        let rule = |rules: &toml::Table, name: &str| {
            let mut rule = rules.get(name)?.as_table()?.clone();
            ELSEWHERE.iter().for_each(|key| drop(rule.remove(*key)));
            Some(rule)
        };
        rule(&self.old, old).is_some_and(|old| Some(old) == rule(&self.new, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_its_function_and_options() {
        let old = "[rules.a]\nfunction = \"mod\"\nnodes = \"dn[0-1]\"\n[rules.b]\nfunction = \"list\"\nvalues = { x = 1 }";
        let new = "[rules.c]\nnodes = \"dn[0-3]\"\nfunction = 'mod'\n[rules.b]\nfunction = \"list\"\nvalues = { x = 2 }";
        let rules = Rules::of(old, new);
        assert!(rules.alike("a", "c"));
        assert!(!rules.alike("b", "b"), "an option differs");
        assert!(!rules.alike("a", "gone"));
        assert!(!Rules::of("[", "[").alike("a", "a"));
    }
}
