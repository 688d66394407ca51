//! The JSON Schema of the config, for editors.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::config::raw::Config;

/// The JSON Schema of the config, as text. `conf/serval.schema.json` holds it.
#[must_use]
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("a JSON value always prints");
    text.push('\n');
    text
}

pub(crate) fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>().into();
    forget_null(&mut schema);
    schema
}

/// TOML has no null: what schemars writes for "may be absent" would only clutter an editor's hints.
fn forget_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            unwrap_choice(object);
            object.values_mut().for_each(forget_null);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_null),
        _ => {}
    }
}

/// A choice between null and one schema is that schema; the outer description stays.
fn unwrap_choice(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
        // A choice inside a choice unwraps too.
        unwrap_choice(object);
    }
}
