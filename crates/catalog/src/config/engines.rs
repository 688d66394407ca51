//! `[engines]`, and the tables of `[schemas.NAME.tables]` that are on them.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::nodes::parse;
use super::server_tls::{Keys, server_tls};
use super::users::{Resolve, secret};
use super::{Sink, did_you_mean, raw, units};
use crate::{Address, Engine, EngineTable, Engines};

const CONNECTIONS: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(30);
const ROWS: u64 = 100_000;
const LIMIT: usize = 32 << 20;

/// The engines by name, and their tables.
pub(crate) fn engines(config: &raw::Config, resolve: Resolve<'_>, sink: &mut Sink<'_>) -> Engines {
    let mut found = IndexMap::new();
    for (name, raw) in &config.engines {
        if let Some(engine) = engine(name, raw, resolve, sink) {
            found.insert(name.clone(), Arc::new(engine));
        }
    }
    let mut engines = Engines::of(found);
    for (schema, raw) in &config.schemas {
        for (key, table) in &raw.tables {
            tables(["schemas", schema, "tables", key], table, &mut engines, sink);
        }
    }
    engines
}

fn engine(name: &str, raw: &raw::Engine, resolve: Resolve<'_>, sink: &mut Sink<'_>) -> Option<Engine> {
    let path = ["engines", name];
    let key = |key: &'static str| ["engines", name, key];
    let address = match raw.address.parse::<Address>() {
        Ok(address) => Some(address),
        Err(error) => {
            let message = format!("`{}` is not an address", raw.address);
            sink.error(&key("address"), message, error.to_string());
            None
        }
    };
    let password = raw.password.as_ref().map(|password| secret(&key("password"), password, resolve, sink));
    let timeout = match raw.timeout.as_deref().map(units::duration) {
        None => TIMEOUT,
        Some(Ok(Some(timeout))) if !timeout.is_zero() => timeout,
        Some(_) => {
            let message = format!("`{}` is not a time", raw.timeout.as_deref().unwrap_or_default());
            sink.error(&key("timeout"), message, "write a time as \"500ms\" or \"30s\"");
            TIMEOUT
        }
    };
    let limit = raw.limit.as_deref().map_or(LIMIT, |text| {
        units::size(text).unwrap_or_else(|fix| {
            sink.error(&key("limit"), format!("`{text}` is not a size"), fix);
            LIMIT
        })
    });
    let own = Keys { path: &path, mode: raw.tls, ca: raw.tls_ca.as_deref(), cert: None, key: None };
    let none = Keys { path: &path, mode: None, ca: None, cert: None, key: None };
    let addresses: Vec<&Address> = address.iter().collect();
    let tls = server_tls(own, none, &addresses, resolve, sink);
    Some(Engine {
        name: name.to_owned(),
        address: address?,
        user: raw.user.clone().unwrap_or_default(),
        password: password.flatten().unwrap_or_default(),
        database: raw.database.clone(),
        tls,
        max_connections: raw.max_connections.map_or(CONNECTIONS, |number| number as usize),
        timeout,
        rows: raw.rows.map_or(ROWS, u64::from),
        limit,
    })
}

/// The tables of one line of the config.
fn tables(path: [&str; 4], raw: &raw::Table, engines: &mut Engines, sink: &mut Sink<'_>) {
    let [a, schema, b, name] = path;
    let key = |key: &'static str| [a, schema, b, name, key];
    let Some(engine) = &raw.engine else {
        if raw.table.is_some() {
            let message = "`table` means nothing for a table that is on no engine";
            sink.error_at_key(&key("table"), message, "remove it");
        }
        return;
    };
    if let Some(other) = others(raw) {
        let message = format!("`{other}` means nothing for a table that is on an engine");
        sink.error_at_key(&key(other), message, "remove it");
        return;
    }
    let Some(engine) = engines.engines.get(engine).cloned() else {
        if !sink.document.has(&["engines", engine]) {
            let fix = did_you_mean(engine, engines.engines.keys().map(String::as_str));
            sink.error(&key("engine"), format!("there is no engine `{engine}`"), fix);
        }
        return;
    };
    let Some(pattern) = parse(sink.document.key_span(&path), name, sink) else { return };
    if raw.table.is_some() && pattern.count.is_some() {
        sink.error_at_key(&key("table"), "one table cannot be several", "give each its own line");
        return;
    }
    for index in 0..pattern.count.unwrap_or(1) {
        let name = pattern.name(index);
        let physical = raw.table.clone().unwrap_or_else(|| name.clone());
        let (schema, engine) = (schema.to_owned(), Arc::clone(&engine));
        let message = format!("the table `{name}` is defined twice");
        if !engines.add(EngineTable { schema, name, physical, engine }) {
            sink.error_at_key(&path, message, "keep one of the two");
        }
    }
}

/// A key that has no meaning beside `engine`.
fn others(raw: &raw::Table) -> Option<&'static str> {
    let given = [
        ("rule", raw.rule.is_some()),
        ("global", raw.global.is_some()),
        ("node", raw.node.is_some()),
        ("column", raw.column.is_some()),
        ("columns", raw.columns.is_some()),
        ("inside_column", raw.inside_column.is_some()),
        ("unique", raw.unique.is_some()),
        ("match", raw.text_match.is_some()),
        ("auto_increment", raw.auto_increment.is_some()),
        ("sequence_step", raw.sequence_step.is_some()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(key, _)| key)
}
