//! Gaea's namespaces: one JSON file each.

use serde::Deserialize;

use crate::Imported;
use crate::draft::{Draft, Group, Node, Rule, Schema, Table, User, inline, list, quoted};
use crate::kingshard_rules::{self, Spec};
use crate::windows;

mod model;

use model::{Namespace, Shard, Slice};

/// Converts the namespaces of a directory; each file has a name and a text.
#[must_use]
pub fn gaea(files: &[(String, String)]) -> Imported {
    let mut draft = Draft { notes: vec!["Imported from Gaea's namespaces.".to_owned()], ..Draft::default() };
    let several = files.len() > 1;
    for (file, text) in files {
        let mut reader = serde_json::Deserializer::from_str(text);
        match Namespace::deserialize(&mut reader) {
            Ok(namespace) => {
                let prefix = if several { format!("{}_", namespace.name) } else { String::new() };
                Import { file, namespace: &namespace, prefix, draft: &mut draft }.run();
            }
            Err(error) => draft.refuse(file, "the file", format!("it is not a namespace of Gaea's: {error}")),
        }
    }
    if files.is_empty() {
        draft.refuse("the directory", "*.json", "there is no namespace in it");
    }
    draft.finish()
}

struct Import<'a> {
    file: &'a str,
    namespace: &'a Namespace,
    /// Slices of several namespaces may have one name.
    prefix: String,
    draft: &'a mut Draft,
}

impl Import<'_> {
    fn refuse(&mut self, element: impl Into<String>, reason: impl Into<String>) {
        self.draft.refuse(self.file, element, reason);
    }

    fn run(&mut self) {
        let namespace = self.namespace;
        if namespace.is_encrypt {
            return self
                .refuse("is_encrypt", "names and passwords are encrypted: import the file in plain text");
        }
        for (given, key, why) in [
            (
                !namespace.allowed_ip.is_empty(),
                "allowed_ip",
                "Serval has no list of allowed addresses: use a firewall",
            ),
            (
                !namespace.black_sql.is_empty(),
                "black_sql",
                "Serval has no list of forbidden statements: use grants on the servers",
            ),
            (namespace.read_only, "read_only", "Serval has no read-only schemas: use grants on the servers"),
            (
                !namespace.global_sequences.is_empty(),
                "global_sequences",
                "give the columns AUTO_INCREMENT: Serval fills them by its own sequences, which must begin above the numbers in use",
            ),
        ] {
            if given {
                self.refuse(key, why);
            }
        }
        for slice in &namespace.slices {
            self.group(slice);
        }
        let databases: Vec<String> = namespace
            .allowed_dbs
            .iter()
            .filter(|(_, allowed)| **allowed)
            .map(|(name, _)| name.clone())
            .collect();
        for database in &databases {
            self.schema(database);
        }
        for shard in namespace.shard_rules.iter().filter(|shard| shard.kind != "linked") {
            self.table(shard);
        }
        // Tables that follow another need its rule, wherever that stands.
        for shard in namespace.shard_rules.iter().filter(|shard| shard.kind == "linked") {
            self.linked(shard);
        }
        self.users(&databases);
    }

    fn group(&mut self, slice: &Slice) {
        if slice.master.is_empty() {
            return self.refuse(format!("slice {}", slice.name), "it has no master");
        }
        let mut group = Group {
            primary: slice.master.clone(),
            user: slice.user_name.clone(),
            max_connections: Some(slice.max_capacity).filter(|&count| count > 0),
            ..Group::default()
        };
        for slave in &slice.slaves {
            // `host:port@weight#datacenter`
            let address = slave.split('#').next().unwrap_or(slave);
            let (address, weight) = address.split_once('@').unwrap_or((address, "1"));
            match weight.parse() {
                Ok(weight) => group.replicas.push((address.to_owned(), weight)),
                Err(_) => {
                    self.refuse(format!("slice {}, slave {slave}", slice.name), "its weight is not a number")
                }
            }
        }
        if !slice.statistic_slaves.is_empty() {
            let why =
                "Serval has no replicas for statistics only: name them in a group and a schema of their own";
            self.refuse(format!("slice {}, statistic_slaves", slice.name), why);
        }
        self.draft.groups.insert(self.group_name(&slice.name), group);
    }

    fn group_name(&self, slice: &str) -> String {
        format!("{}{slice}", self.prefix)
    }

    fn schema(&mut self, database: &str) {
        if self.draft.schemas.contains_key(database) {
            let why =
                "another namespace has this database too: Serval's schemas have one meaning for all users";
            return self.refuse(format!("allowed_dbs {database}"), why);
        }
        let mut schema = Schema::default();
        let slice = self.namespace.default_slice.clone();
        if self.is_slice(&slice) {
            schema.default_node = Some(self.node(&slice, &self.physical(database)));
        }
        self.draft.schemas.insert(database.to_owned(), schema);
    }

    fn physical(&self, database: &str) -> String {
        self.namespace.default_phy_dbs.get(database).cloned().unwrap_or_else(|| database.to_owned())
    }

    fn is_slice(&self, name: &str) -> bool {
        self.namespace.slices.iter().any(|slice| slice.name == name)
    }

    fn node(&mut self, slice: &str, database: &str) -> String {
        let group = self.group_name(slice);
        let name = format!("{group}_{database}");
        self.draft.node(&name, Node { group, database: database.to_owned() })
    }

    fn table(&mut self, shard: &Shard) {
        let element = format!("shard_rules {}.{}", shard.db, shard.table);
        match self.value(shard) {
            Ok(value) => self.insert(shard, value, &element),
            Err(reason) => self.draft.refuse_table(self.file, &shard.db, element, reason),
        }
    }

    fn insert(&mut self, shard: &Shard, value: String, element: &str) {
        match self.draft.schemas.get_mut(&shard.db) {
            Some(schema) => {
                schema.tables.insert(shard.table.clone(), Table { notes: Vec::new(), value });
            }
            None => self.refuse(element, format!("`{}` is not among allowed_dbs", shard.db)),
        }
    }

    fn value(&mut self, shard: &Shard) -> Result<String, String> {
        let nodes = self.nodes(shard)?;
        if shard.kind == "global" {
            return Ok(inline(&[("global".to_owned(), list(&nodes))]));
        }
        let rule = if shard.kind.starts_with("mycat_") {
            let rule = mycat_rule(shard, &nodes)?;
            windows::check(&rule)?;
            rule
        } else {
            kingshard_rules::rule(&Spec {
                kind: shard.kind.clone(),
                nodes,
                locations: shard.locations.clone(),
                row_limit: shard.table_row_limit,
                date_range: shard.date_range.clone(),
                signs_are_text: true,
            })?
        };
        let rule = self.draft.rule(&format!("{}_{}", shard.db, shard.table), rule);
        Ok(ruled(&rule, &shard.key))
    }

    /// The data nodes of a table: its databases where it names some, else the schema's on each slice.
    fn nodes(&mut self, shard: &Shard) -> Result<Vec<String>, String> {
        if let Some(unknown) = shard.slices.iter().find(|name| !self.is_slice(name)) {
            return Err(format!("the slice `{unknown}` is not defined"));
        }
        if shard.databases.is_empty() {
            let database = self.physical(&shard.db);
            return Ok(shard.slices.iter().map(|slice| self.node(slice, &database)).collect());
        }
        let databases =
            shard.databases.iter().map(|text| expanded(text)).collect::<Result<Vec<_>, _>>()?.concat();
        let counts = shard.locations.iter().map(|&count| count as usize);
        let slices: Vec<&String> = shard
            .slices
            .iter()
            .zip(counts)
            .flat_map(|(slice, count)| std::iter::repeat_n(slice, count.min(65_536)))
            .collect();
        if slices.len() != databases.len() {
            return Err(format!(
                "locations make {} databases, but {} are named",
                slices.len(),
                databases.len()
            ));
        }
        Ok(slices.into_iter().zip(databases).map(|(slice, database)| self.node(slice, &database)).collect())
    }

    /// A table that lies where its parent's rows lie, by a column of its own.
    fn linked(&mut self, shard: &Shard) {
        let element = format!("shard_rules {}.{}", shard.db, shard.table);
        let schema = self.draft.schemas.get(&shard.db);
        let parent = schema.and_then(|schema| schema.tables.get(&shard.parent_table));
        let rule = parent.and_then(|parent| parent.value.split('"').nth(1)).map(str::to_owned);
        match rule.filter(|_| parent.is_some_and(|parent| parent.value.starts_with("{ rule"))) {
            Some(rule) => self.insert(shard, ruled(&rule, &shard.key), &element),
            None => {
                let reason = format!("its parent_table `{}` is refused, or has no rule", shard.parent_table);
                self.draft.refuse_table(self.file, &shard.db, element, reason);
            }
        }
    }

    fn users(&mut self, databases: &[String]) {
        let users = &self.namespace.users;
        for user in users {
            let element = format!("user {}", user.user_name);
            if user.rw_flag == 1 {
                self.refuse(
                    element,
                    "it may only read: Serval has no read-only accounts, use grants on the servers",
                );
            } else if self.draft.users.contains_key(&user.user_name) {
                self.refuse(element, "another namespace has this account too");
            } else {
                let password = Some(user.password.clone()).filter(|password| !password.is_empty());
                let account = User { password, schemas: databases.to_vec(), default_schema: None };
                self.draft.users.insert(user.user_name.clone(), account);
            }
        }
        let split = users.iter().filter(|user| user.rw_split == 1).count();
        for database in databases {
            let Some(schema) = self.draft.schemas.get_mut(database) else { continue };
            schema.any_server_reads = split > 0 && split == users.len();
            if split > 0 && split < users.len() {
                schema.notes.push(
                    "Only some accounts split reads from writes (rw_split); here all read from the primary."
                        .to_owned(),
                );
            }
        }
    }
}

fn ruled(rule: &str, column: &str) -> String {
    inline(&[("rule".to_owned(), quoted(rule)), ("column".to_owned(), quoted(column))])
}

/// `db_[0-3]` as four names.
fn expanded(text: &str) -> Result<Vec<String>, String> {
    let Some((prefix, rest)) = text.split_once('[') else { return Ok(vec![text.to_owned()]) };
    let ends = rest.strip_suffix(']').and_then(|range| range.split_once('-'));
    let ends = ends.and_then(|(low, high)| Some((low.parse::<u32>().ok()?, high.parse::<u32>().ok()?)));
    match ends {
        Some((low, high)) if low < high && high - low < 65_536 => {
            Ok((low..=high).map(|number| format!("{prefix}{number}")).collect())
        }
        _ => Err(format!("`{text}` is not a list of databases")),
    }
}

fn mycat_rule(shard: &Shard, nodes: &[String]) -> Result<Rule, String> {
    let numbers = |text: &str| format!("[{}]", text.replace(' ', ""));
    let segments = |function: &str| {
        Rule::new(function, nodes)
            .with("counts", numbers(&shard.partition_count))
            .with("lengths", numbers(&shard.partition_length))
    };
    match shard.kind.as_str() {
        "mycat_mod" => Ok(Rule::new("mod", nodes)),
        "mycat_long" => Ok(segments("segments").note("Gaea does not fold the number's high bits.")),
        "mycat_string" => {
            let slice = if shard.hash_slice.is_empty() { "0:8" } else { &shard.hash_slice };
            let ends: Vec<i64> = slice.split(':').map(|end| end.trim().parse().unwrap_or(0)).collect();
            let from_the_front = ends.iter().all(|&end| end >= 0) && ends.last().is_some_and(|&end| end > 0);
            if !from_the_front {
                return Err(format!(
                    "hash_slice `{slice}` counts from the end, which Gaea does in bytes and hashes in characters: it differs for text that is not ASCII"
                ));
            }
            let note = "Exact for keys without characters beyond U+FFFF, such as emoji, which Gaea counts as one and Mycat as two.";
            Ok(segments("string_hash").with_text("slice", slice).note(note))
        }
        "mycat_murmur" => {
            let number = |text: &str, default: i64| match text.trim() {
                "" => Ok(default),
                text => text.parse().map_err(|_| format!("`{text}` is not a number")),
            };
            let rule = Rule::new("murmur", nodes)
                .with("cumulative", true)
                .with("virtual_nodes", number(&shard.virtual_bucket_times, 160)?)
                .with("seed", number(&shard.seed, 0)?);
            Ok(rule.note("Exact for keys without characters beyond U+FFFF, such as emoji."))
        }
        "mycat_padding_mod" => {
            Err("mycat_padding_mod has no counterpart: load the table under a rule of its own".to_owned())
        }
        other => Err(format!("the type `{other}` is not known")),
    }
}
