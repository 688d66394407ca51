//! Holds a document against the config's JSON Schema and reads what is right of it.
//!
//! serde stops at the first mistake. The schema, which schemars makes of the same structs, finds all of them: keys
//! that nobody knows, values of the wrong type, words outside a list, what is missing. The wrong parts are cut out,
//! so that the rest can be read and checked further in the same run.

mod json;

use json::{
    allows, allows_only_null, name_of_type, property, property_names, required, tag_of, words, words_of,
};
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Document, Sink, did_you_mean, raw};
use crate::json_schema;

/// Reads the document, reporting everything whose shape is wrong.
pub(crate) fn read(document: &Document<'_>, sink: &mut Sink<'_>) -> raw::Config {
    let mut root = document.root.clone();
    let schema = json_schema::schema();
    let mut shape = Shape { root: &schema, sink, path: Vec::new() };
    shape.table(root.get_mut(), &schema);
    match raw::Config::deserialize(toml::de::Deserializer::from(root)) {
        Ok(config) => config,
        // The schema and serde disagree: say so rather than guess.
        Err(error) => {
            sink.error_at(error.span().unwrap_or(0..0), error.message(), "see docs/configuration.md");
            raw::Config::default()
        }
    }
}

struct Shape<'s, 'a> {
    root: &'s Json,
    sink: &'s mut Sink<'a>,
    path: Vec<String>,
}

/// What becomes of a part after its check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Cut,
}

impl<'s> Shape<'s, '_> {
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'s Json) -> Verdict {
        let alternatives = self.alternatives(schema);
        let kind = kind_of(value.get_ref());
        let Some(fitting) = alternatives.iter().copied().find(|schema| allows(schema, kind)) else {
            let expected = alternatives.iter().map(|schema| name_of_type(schema)).collect::<Vec<_>>();
            return self.wrong_type(kind, expected);
        };
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, fitting),
            DeValue::Array(array) => self.array(array, fitting),
            DeValue::String(text) => self.word(text, &alternatives),
            DeValue::Integer(number) => self.number(number.as_str(), fitting),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => Verdict::Keep,
        }
    }

    fn table(&mut self, table: &mut DeTable<'_>, schema: &'s Json) -> Verdict {
        let Some(branch) = self.branch(table, schema) else { return Verdict::Cut };
        let known = |name: &str| property(schema, name).or_else(|| branch.and_then(|b| property(b, name)));
        let open = schema.get("additionalProperties").filter(|additional| additional.is_object());
        let names: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
        for name in names {
            self.path.push(name.clone());
            let verdict = match known(&name).or(open) {
                Some(schema) => {
                    table.get_mut(name.as_str()).map_or(Verdict::Keep, |value| self.value(value, schema))
                }
                None => self.unknown_key(&name, property_names(schema, branch)),
            };
            self.path.pop();
            if verdict == Verdict::Cut {
                table.remove(name.as_str());
            }
        }
        self.missing(table, required(schema).chain(branch.into_iter().flat_map(required)))
    }

    fn array(&mut self, array: &mut toml::de::DeArray<'_>, schema: &'s Json) -> Verdict {
        let Some(items) = schema.get("items") else { return Verdict::Keep };
        let mut wrong = false;
        for (index, value) in array.iter_mut().enumerate() {
            self.path.push(index.to_string());
            wrong |= self.value(value, items) == Verdict::Cut;
            self.path.pop();
        }
        if wrong { Verdict::Cut } else { Verdict::Keep }
    }

    /// Where all alternatives for a text are fixed words, it must be one of them.
    fn word(&mut self, text: &str, alternatives: &[&'s Json]) -> Verdict {
        let texts: Vec<_> = alternatives.iter().filter(|schema| allows(schema, "text")).collect();
        let words: Vec<&str> = texts.iter().flat_map(|schema| words(schema)).collect();
        let free = texts.iter().any(|schema| words_of(schema).is_none());
        if free || words.contains(&text) {
            return Verdict::Keep;
        }
        let (key, fix) = (self.key(), did_you_mean(text, words));
        self.error(format!("`{text}` is no value of `{key}`"), fix);
        Verdict::Cut
    }

    fn number(&mut self, text: &str, schema: &Json) -> Verdict {
        let limit = |name: &str| schema.get(name).and_then(Json::as_i64);
        let (least, most) = match schema.get("format").and_then(Json::as_str) {
            Some("int64") => (i64::MIN, i64::MAX),
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            _ => (0, u32::MAX.into()),
        };
        let low = limit("minimum").unwrap_or(least);
        let high = limit("maximum").unwrap_or(most);
        let in_range =
            text.replace('_', "").parse::<i64>().is_ok_and(|number| (low..=high).contains(&number));
        if in_range {
            return Verdict::Keep;
        }
        let key = self.key();
        self.error(format!("`{key}` is out of range"), format!("write a number from {low} to {high}"));
        Verdict::Cut
    }

    /// The alternative of a tagged table that its tag names: `Some(None)` where the schema has no alternatives,
    /// `None` where the tag is missing or unknown, which is reported.
    fn branch(&mut self, table: &DeTable<'_>, schema: &'s Json) -> Option<Option<&'s Json>> {
        let Some(branches) = schema.get("oneOf").and_then(Json::as_array) else { return Some(None) };
        let branches: Vec<&'s Json> = branches.iter().map(|branch| self.resolved(branch)).collect();
        let tag = branches.iter().find_map(|branch| tag_of(branch)).map_or("", |(tag, _)| tag);
        let Some(value) = table.get(tag) else {
            if self.missing(table, std::iter::once(tag)) == Verdict::Keep {
                return Some(None);
            }
            self.strangers(table, schema, &branches);
            return None;
        };
        let DeValue::String(name) = value.get_ref() else {
            self.path.push(tag.to_owned());
            self.wrong_type(kind_of(value.get_ref()), vec!["a text"]);
            self.path.pop();
            return None;
        };
        let chosen =
            branches.iter().find(|branch| tag_of(branch).is_some_and(|(_, word)| word == name.as_ref()));
        if chosen.is_none() {
            let known = branches.iter().filter_map(|branch| tag_of(branch)).map(|(_, word)| word);
            let fix = did_you_mean(name, known);
            self.path.push(tag.to_owned());
            self.error(format!("there is no {tag} `{name}`"), fix);
            self.path.pop();
        }
        chosen.map(|branch| Some(*branch))
    }

    /// Keys that no alternative knows, where the tag that would choose one is missing: it may be one of them, mistyped.
    fn strangers(&mut self, table: &DeTable<'_>, schema: &'s Json, branches: &[&'s Json]) {
        let known: Vec<&str> =
            branches.iter().flat_map(|branch| property_names(schema, Some(branch))).collect();
        for name in table.keys().map(|key| key.get_ref().to_string()) {
            if !known.contains(&&*name) {
                self.path.push(name.clone());
                self.unknown_key(&name, known.clone());
                self.path.pop();
            }
        }
    }

    fn missing<'n>(&mut self, table: &DeTable<'_>, required: impl Iterator<Item = &'n str>) -> Verdict {
        let missing: Vec<&str> = required.filter(|name| !table.contains_key(*name)).collect();
        // A key that was there but wrong has been reported already.
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let unsaid: Vec<&&str> =
            missing.iter().filter(|name| !self.sink.document.has(&[&path[..], &[**name]].concat())).collect();
        for name in &unsaid {
            self.error(format!("`{name}` is missing in {}", self.place()), format!("add `{name} = …`"));
        }
        if missing.is_empty() { Verdict::Keep } else { Verdict::Cut }
    }

    fn unknown_key(&mut self, name: &str, known: Vec<&str>) -> Verdict {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let parent = path.len() - 1;
        let place = place(&path[..parent]);
        self.sink.error_at_key(&path, format!("{place} has no key `{name}`"), did_you_mean(name, known));
        Verdict::Cut
    }

    fn wrong_type(&mut self, found: &str, mut expected: Vec<&'static str>) -> Verdict {
        expected.sort_unstable();
        expected.dedup();
        let key = self.key();
        let fix = match expected.as_slice() {
            ["a text"] => "put the value in quotes".to_owned(),
            _ => format!("write {}", expected.join(" or ")),
        };
        self.error(
            format!(
                "`{key}` is {}, not {found_article}",
                expected.join(" or "),
                found_article = article(found)
            ),
            fix,
        );
        Verdict::Cut
    }

    fn error(&mut self, message: impl Into<String>, fix: impl Into<String>) {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        self.sink.error(&path, message, fix);
    }

    /// The nearest key, for messages: elements of arrays have none of their own.
    fn key(&self) -> String {
        self.path.iter().rev().find(|name| name.parse::<usize>().is_err()).cloned().unwrap_or_default()
    }

    fn place(&self) -> String {
        place(&self.path.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The schemas one of which a value must fit; a null alternative is how schemars writes "may be absent".
    fn alternatives(&self, schema: &'s Json) -> Vec<&'s Json> {
        let schema = self.resolved(schema);
        let choices = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key).and_then(Json::as_array));
        match choices {
            Some(choices) if schema.get("properties").is_none() => choices
                .iter()
                .flat_map(|choice| self.alternatives(choice))
                .filter(|c| !allows_only_null(c))
                .collect(),
            _ => vec![schema],
        }
    }

    fn resolved(&self, schema: &'s Json) -> &'s Json {
        let target =
            schema.get("$ref").and_then(Json::as_str).and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).map_or(schema, |found| self.resolved(found))
    }
}

fn place(path: &[&str]) -> String {
    if path.is_empty() { "the config".to_owned() } else { format!("[{}]", path.join(".")) }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "number",
        DeValue::Float(_) => "number with a point",
        DeValue::Boolean(_) => "truth value",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
    }
}

fn article(kind: &str) -> String {
    format!("a {kind}")
}
