//! rule.xml: the table rules and the functions they name.

use indexmap::IndexMap;
use roxmltree::Node as Element;

use super::{attribute, children, properties};

/// A table rule: a column and a function.
#[derive(Debug, Clone)]
pub(super) struct TableRule {
    pub column: String,
    pub function: String,
}

/// A function: the last part of its class's name, and its properties.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub name: String,
    pub class: String,
    pub properties: IndexMap<String, String>,
}

impl Function {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    pub(super) fn needed(&self, key: &str) -> Result<&str, String> {
        self.get(key).ok_or_else(|| format!("the property `{key}` is missing"))
    }

    /// A number; `default` where it is absent, and an error where there is none.
    pub(super) fn number<N: std::str::FromStr>(&self, key: &str, default: Option<N>) -> Result<N, String> {
        match (self.get(key), default) {
            (Some(text), _) => {
                text.parse().map_err(|_| format!("the property `{key}` is not a number in range: `{text}`"))
            }
            (None, Some(default)) => Ok(default),
            (None, None) => Err(format!("the property `{key}` is missing")),
        }
    }
}

/// What rule.xml holds.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub rules: IndexMap<String, TableRule>,
    pub functions: IndexMap<String, Function>,
}

impl Rules {
    pub(super) fn read(root: Element<'_, '_>) -> Self {
        let mut read = Self::default();
        for table_rule in children(root, "tableRule") {
            let Some(name) = attribute(table_rule, "name") else { continue };
            let Some(rule) = children(table_rule, "rule").next() else { continue };
            let text =
                |name| children(rule, name).next().and_then(|child| child.text()).unwrap_or_default().trim();
            let (column, function) = (text("columns").to_owned(), text("algorithm").to_owned());
            read.rules.insert(name.to_owned(), TableRule { column, function });
        }
        for function in children(root, "function") {
            let (Some(name), Some(class)) = (attribute(function, "name"), attribute(function, "class"))
            else {
                continue;
            };
            let class = class.rsplit('.').next().unwrap_or(class).to_owned();
            let function = Function { name: name.to_owned(), class, properties: properties(function) };
            read.functions.insert(function.name.clone(), function);
        }
        read
    }
}
