//! What a reload would change, in lines for a person.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serval_types::NodeId;

use crate::{
    Catalog, ClientTls, Engine, Group, Pem, Placement, Rule, SchemaAccess, Secure, SequenceKind, Settings,
    Sharding, Table, User, Welcome,
};

/// The differences between two catalogs, one per line: `+` for what is new, `-` for what goes, `~` for what changes.
///
/// Passwords are compared but never shown.
#[must_use]
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<String> {
    let (old, new) = (facts(old), facts(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut lines = Vec::new();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, Some(new)) => lines.push(format!("+ {name}: {new}")),
            (Some(old), None) => lines.push(format!("- {name}: {old}")),
            (Some(old), Some(new)) if old.shown != new.shown => {
                lines.push(format!("~ {name}: {old} → {new}"))
            }
            (Some(old), Some(new)) if old.hidden != new.hidden => {
                let what = match name.as_str() {
                    "tls" => "the certificate, its key or the authorities",
                    name if name.starts_with("group ") => "the password or a certificate",
                    _ => "the password",
                };
                lines.push(format!("~ {name}: {what}"));
            }
            _ => {}
        }
    }
    lines
}

/// What there is to say about one thing of the config.
struct Fact {
    shown: String,
    /// Compared, but not shown.
    hidden: String,
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

fn facts(catalog: &Catalog) -> IndexMap<String, Fact> {
    let mut facts = IndexMap::new();
    let mut say = |name: String, shown: String, hidden: String| {
        facts.insert(name, Fact { shown, hidden });
    };
    for (name, value) in settings(&catalog.settings) {
        say(name.to_owned(), value, String::new());
    }
    for (name, value) in welcome(&catalog.settings) {
        say(name.to_owned(), value, String::new());
    }
    if let Some(tls) = &catalog.settings.tls {
        say("tls".to_owned(), describe_tls(tls), hidden_tls(tls));
    }
    for group in &catalog.groups {
        say(format!("group {}", group.name), describe_group(group), hidden(group));
    }
    for engine in catalog.engines.engines.values() {
        let password = engine.password.reveal().to_owned();
        say(format!("engine {}", engine.name), describe_engine(engine), password);
    }
    for table in catalog.engines.tables() {
        let shown = format!("{} on engine {}", table.physical, table.engine.name);
        say(format!("table {}.{}", table.schema, table.name), shown, String::new());
    }
    for node in catalog.nodes.iter().filter(|node| !crate::View::is_beside(&node.database)) {
        let shown = format!("{} on {}", node.database, catalog.group(node.group).name);
        say(format!("node {}", node.name), shown, String::new());
    }
    for rule in catalog.rules.values() {
        say(format!("rule {}", rule.name), describe_rule(catalog, rule), String::new());
    }
    for schema in catalog.schemas.values() {
        let default = schema.default_node.map_or("none", |node| catalog.node(node).name.as_str());
        let shown = format!("default node {default}, {:?}, {:?}", schema.transaction, schema.consistency);
        say(format!("schema {}", schema.name), shown, String::new());
        // What lies on the default node lies there with and without its own line, and whoever makes or drops such a
        // table changes no config.
        let by_default = |table: &&Arc<Table>| matches!(&table.placement, Placement::Node(node) if Some(*node) == schema.default_node);
        // Nor do views, which a server keeps.
        let by_config = |table: &&Arc<Table>| !by_default(table) && table.view.is_none();
        for table in schema.tables.values().filter(by_config) {
            say(
                format!("table {}.{}", schema.name, table.name),
                describe_table(catalog, table),
                String::new(),
            );
        }
    }
    for (kind, users) in [("user", &catalog.users), ("admin user", &catalog.admin_users)] {
        for user in users.values() {
            say(format!("{kind} {}", user.name), access(user), user.verifier.to_text());
        }
    }
    facts
}

fn settings(settings: &Settings) -> Vec<(&'static str, String)> {
    let time = |time: Duration| humantime::format_duration(time).to_string();
    let time_or_off = |limit: Option<Duration>| limit.map_or("off".to_owned(), time);
    let address =
        |address: Option<SocketAddr>| address.map_or("none".to_owned(), |address| address.to_string());
    vec![
        ("listen.mysql", settings.listen.mysql.to_string()),
        ("listen.admin", address(settings.listen.admin)),
        ("listen.http", address(settings.listen.http)),
        (
            "listen.server_version",
            settings.server_version.clone().unwrap_or_else(|| "the servers'".to_owned()),
        ),
        ("limits.max_connections", settings.max_connections.to_string()),
        ("limits.max_packet", settings.max_allowed_packet.to_string()),
        ("limits.query_timeout", time_or_off(settings.query_timeout)),
        ("limits.idle_timeout", time(settings.idle_timeout)),
        ("limits.slow_query", time_or_off(settings.slow_query)),
        ("limits.memory_per_query", settings.memory_per_query.to_string()),
        ("limits.acquire_timeout", time(settings.acquire_timeout)),
        ("limits.connect_timeout", time(settings.connect_timeout)),
        ("limits.plan_cache", settings.plan_cache.to_string()),
        ("recovery.interval", time(settings.recovery.interval)),
        ("recovery.patience", time(settings.recovery.patience)),
        ("recovery.keep", time(settings.recovery.keep)),
        (
            "versions",
            settings.versions.as_ref().map_or("none kept".to_owned(), |versions| {
                format!("{} in {}", versions.keep, versions.directory.display())
            }),
        ),
        ("limits.local_infile", settings.local_infile.to_string()),
        ("limits.load_spool", settings.load_spool.to_string()),
        ("limits.cursor_spool", settings.cursor_spool.to_string()),
    ]
}

fn welcome(settings: &Settings) -> [(&'static str, String); 4] {
    let Welcome { auth_plugin, compression, proxies } = &settings.welcome;
    let socket = settings.listen.socket.as_ref();
    let offered = [(compression.zlib, "zlib"), (compression.zstd, "zstd")];
    let offered: Vec<_> = offered.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
    let proxies: Vec<_> = proxies.iter().map(ToString::to_string).collect();
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    [
        ("listen.socket", or_none(socket.map(|path| path.display().to_string()).unwrap_or_default())),
        ("listen.auth_plugin", format!("{auth_plugin:?}")),
        ("listen.compression", or_none(offered.join(", "))),
        ("listen.proxy_protocol_from", or_none(proxies.join(", "))),
    ]
}

fn describe_tls(tls: &ClientTls) -> String {
    let clients = if tls.client_authorities.is_some() { "verified" } else { "not asked for" };
    format!("clients' certificates are {clients}")
}

fn hidden_tls(tls: &ClientTls) -> String {
    let files = [Some(&tls.identity.certificate), Some(&tls.identity.key), tls.client_authorities.as_ref()];
    files.into_iter().flatten().map(Pem::text).collect::<Vec<_>>().join("\n")
}

fn describe_group(group: &Group) -> String {
    let servers: Vec<String> =
        group.servers.iter().map(|server| format!("{} weight {}", server.address, server.weight)).collect();
    let lag_limit =
        group.lag_limit.map_or("off".to_owned(), |limit| humantime::format_duration(limit).to_string());
    format!(
        "{} as {}, {} connections, lag limit {lag_limit}, tls {}{}",
        servers.join(", "),
        group.user,
        group.max_connections,
        group.tls.mode.word(),
        if group.xa { "" } else { ", without XA" }
    )
}

fn describe_engine(engine: &Engine) -> String {
    let Engine { address, user, database, tls, max_connections, timeout, rows, limit, .. } = engine;
    let database = database.as_ref().map_or(String::new(), |database| format!(", database {database}"));
    format!(
        "{address} as {user}{database}, {max_connections} connections, timeout {}, {rows} rows and {limit} bytes, tls {}",
        humantime::format_duration(*timeout),
        tls.mode.word()
    )
}

fn hidden(group: &Group) -> String {
    let identity = group.tls.identity.iter().flat_map(|identity| [&identity.certificate, &identity.key]);
    let files = group.tls.authorities.iter().chain(identity).map(Pem::text);
    [group.password.reveal()].into_iter().chain(files).collect::<Vec<_>>().join("\n")
}

fn describe_rule(catalog: &Catalog, rule: &Rule) -> String {
    let tables = rule.tables.as_ref().map_or(String::new(), |pattern| format!(", tables {pattern}"));
    let zone = rule.time_zone.as_ref().map_or(String::new(), |zone| format!(", time zone {zone}"));
    let (name, options) = (rule.function.name(), rule.function.describe());
    let inside = rule.inside.as_ref().map_or(String::new(), |inside| {
        let zone = inside.time_zone.as_ref().map_or(String::new(), |zone| format!(", time zone {zone}"));
        format!(", inside {} ({}){zone}", inside.function.name(), inside.function.describe())
    });
    format!("{name} ({options}) over {}{inside}{tables}{zone}", names(catalog, &rule.nodes))
}

fn describe_table(catalog: &Catalog, table: &Table) -> String {
    let mut text = match &table.placement {
        Placement::Node(node) => format!("node {}", catalog.node(*node).name),
        Placement::Global(nodes) => format!("global {}", names(catalog, nodes)),
        Placement::Sharded(sharding) => {
            let Sharding { rule, columns, .. } = &**sharding;
            let matches: Vec<String> =
                columns.iter().map(|column| format!("{:?}", column.text_match)).collect();
            let parent =
                sharding.parent.as_ref().map_or(String::new(), |parent| format!(" of parent {parent}"));
            let word = if columns.len() > 1 { "columns" } else { "column" };
            format!(
                "rule {}, {word} {}{parent}, match {}, unique {:?}",
                rule.name,
                sharding.names(),
                matches.join(", "),
                table.unique
            )
        }
    };
    if let Some(sequence) = &table.sequence {
        text += &match sequence.kind {
            SequenceKind::Segment => {
                format!(", {} from a sequence in steps of {}", sequence.column, sequence.step)
            }
            SequenceKind::Snowflake => format!(", {} from snowflake numbers", sequence.column),
        };
    }
    text
}

fn names(catalog: &Catalog, nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| catalog.node(*node).name.as_str()).collect::<Vec<_>>().join(", ")
}

fn access(user: &User) -> String {
    let default = user.default_schema.as_ref().map_or(String::new(), |schema| format!(", default {schema}"));
    let secure = match user.secure {
        Secure::No => "",
        Secure::Transport => ", over TLS only",
        Secure::Certificate => ", with a certificate only",
    };
    match &user.schemas {
        SchemaAccess::All => format!("all schemas{default}{secure}"),
        SchemaAccess::Only(schemas) => format!("schemas {}{default}{secure}", schemas.join(", ")),
    }
}
