//! Reading the parts of a JSON Schema that schemars writes.

use serde_json::Value as Json;

pub(super) fn property<'s>(schema: &'s Json, name: &str) -> Option<&'s Json> {
    schema.get("properties")?.get(name)
}

pub(super) fn property_names<'s>(schema: &'s Json, branch: Option<&'s Json>) -> Vec<&'s str> {
    let of = |schema: &'s Json| schema.get("properties").and_then(Json::as_object);
    let own = of(schema).into_iter().chain(branch.and_then(of));
    own.flat_map(|properties| properties.keys().map(String::as_str)).collect()
}

pub(super) fn required(schema: &Json) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

/// The property with one fixed word that tells a tagged table's alternatives apart, and the word.
pub(super) fn tag_of(branch: &Json) -> Option<(&str, &str)> {
    let properties = branch.get("properties")?.as_object()?;
    properties.iter().find_map(|(name, schema)| Some((name.as_str(), schema.get("const")?.as_str()?)))
}

/// The fixed words that a schema allows; `None` where any text will do.
pub(super) fn words_of(schema: &Json) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const") {
        return Some(word.as_str().into_iter().collect());
    }
    Some(schema.get("enum")?.as_array()?.iter().filter_map(Json::as_str).collect())
}

pub(super) fn words(schema: &Json) -> Vec<&str> {
    words_of(schema).unwrap_or_default()
}

pub(super) fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn allows_only_null(schema: &Json) -> bool {
    types(schema) == ["null"]
}

pub(super) fn allows(schema: &Json, kind: &str) -> bool {
    let types = types(schema);
    let wanted = match kind {
        "text" => "string",
        "number" => "integer",
        "list" => "array",
        "table" => "object",
        "truth value" => "boolean",
        _ => return false,
    };
    types.contains(&wanted)
}

pub(super) fn name_of_type(schema: &Json) -> &'static str {
    match types(schema).first() {
        Some(&"string") => "a text",
        Some(&"integer") => "a number",
        Some(&"array") => "a list",
        Some(&"boolean") => "true or false",
        _ => "a table",
    }
}
