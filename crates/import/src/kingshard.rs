//! kingshard's YAML file.

use indexmap::IndexMap;
use yaml_rust2::{Yaml, YamlLoader};

use crate::Imported;
use crate::draft::{Draft, Group, Node, Table, User, inline, quoted};
use crate::kingshard_rules::{Spec, rule};

/// Converts kingshard's config file; `file` is its name in messages.
#[must_use]
pub fn kingshard(file: &str, text: &str) -> Imported {
    let mut import = Import { file, draft: Draft::default(), nodes: IndexMap::new() };
    match YamlLoader::load_from_str(text).map(|documents| documents.into_iter().next()) {
        Ok(Some(document)) => import.document(&document),
        Ok(None) => import.draft.refuse(file, "the file", "it is empty"),
        Err(error) => import.draft.refuse(file, "the file", format!("it is not YAML: {error}")),
    }
    import.draft.finish()
}

struct Import<'a> {
    file: &'a str,
    draft: Draft,
    /// kingshard's nodes, which are groups of ours.
    nodes: IndexMap<String, ()>,
}

impl Import<'_> {
    fn refuse(&mut self, element: impl Into<String>, reason: impl Into<String>) {
        self.draft.refuse(self.file, element, reason);
    }

    fn document(&mut self, document: &Yaml) {
        self.draft.notes = vec![
            format!("Imported from kingshard's {}.", self.file),
            "Its nodes are groups, and each of its databases is a data node on each of them.".to_owned(),
            "Databases that no rule names are not in its file: add a [schemas.NAME] for each.".to_owned(),
        ];
        self.draft.listen = string(&document["addr"]);
        for (key, why) in [
            ("allow_ips", "Serval has no list of allowed addresses: use a firewall"),
            ("blacklist_sql_file", "Serval has no list of forbidden statements: use grants on the servers"),
        ] {
            if string(&document[key]).is_some_and(|text| !text.is_empty()) {
                self.refuse(key, why);
            }
        }
        for node in items(&document["nodes"]) {
            self.group(node);
        }
        let mut passwords = IndexMap::new();
        for user in items(&document["user_list"]) {
            if let Some(name) = string(&user["user"]) {
                passwords.insert(name, string(&user["password"]).unwrap_or_default());
            }
        }
        for schema in items(&document["schema_list"]) {
            self.schema(schema, &passwords);
        }
    }

    fn group(&mut self, node: &Yaml) {
        let Some(name) = string(&node["name"]) else {
            return self.refuse("nodes", "a node has no name");
        };
        let Some(primary) = string(&node["master"]).filter(|address| !address.is_empty()) else {
            return self.refuse(format!("node {name}"), "it has no master");
        };
        let mut group =
            Group { primary, user: string(&node["user"]).unwrap_or_default(), ..Group::default() };
        for slave in string(&node["slave"]).unwrap_or_default().split(',').map(str::trim) {
            if slave.is_empty() {
                continue;
            }
            let (address, weight) = slave.split_once('@').unwrap_or((slave, "1"));
            match weight.trim().parse() {
                Ok(weight) => group.replicas.push((address.trim().to_owned(), weight)),
                Err(_) => self.refuse(format!("node {name}, slave"), format!("`{weight}` is not a weight")),
            }
        }
        group.max_connections =
            node["max_conns_limit"].as_i64().and_then(|count| u32::try_from(count).ok()).filter(|&c| c > 0);
        self.nodes.insert(name.clone(), ());
        self.draft.groups.insert(name, group);
    }

    fn schema(&mut self, schema: &Yaml, passwords: &IndexMap<String, String>) {
        let user = string(&schema["user"]).unwrap_or_default();
        let default = string(&schema["default"]).unwrap_or_default();
        let mut databases: Vec<String> = Vec::new();
        for shard in items(&schema["shard"]) {
            if shard.is_null() {
                continue;
            }
            let (Some(database), Some(table)) = (string(&shard["db"]), string(&shard["table"])) else {
                self.refuse(format!("schema of {user}, shard"), "it names no db or no table");
                continue;
            };
            let element = format!("schema of {user}, table {database}.{table}");
            if !databases.contains(&database) {
                databases.push(database.clone());
            }
            self.default_node(&database, &default, &element);
            let owner = database.clone();
            match self.table(shard, &database, &table) {
                Ok(converted) => {
                    let tables = &mut self.draft.schemas.entry(database).or_default().tables;
                    if tables.entry(table).or_insert_with(|| converted.clone()) != &converted {
                        let why =
                            "another schema has another rule for this table: Serval has one for all users";
                        self.refuse(element, why);
                    }
                }
                Err(reason) => self.draft.refuse_table(self.file, &owner, element, reason),
            }
        }
        self.user(&user, databases, passwords);
    }

    fn user(&mut self, user: &str, databases: Vec<String>, passwords: &IndexMap<String, String>) {
        if databases.is_empty() {
            let why =
                "its schema has no sharded tables, so no database is named in the file: add its user by hand";
            return self.refuse(format!("schema of {user}"), why);
        }
        let password = passwords.get(user).filter(|password| !password.is_empty()).cloned();
        self.draft.users.insert(user.to_owned(), User { password, schemas: databases, default_schema: None });
    }

    fn default_node(&mut self, database: &str, default: &str, element: &str) {
        if !self.nodes.contains_key(default) {
            return self.refuse(element, format!("the default node `{default}` is not defined"));
        }
        let node = self.node(default, database);
        let schema = self.draft.schemas.entry(database.to_owned()).or_default();
        if schema.default_node.get_or_insert_with(|| node.clone()) != &node {
            self.refuse(element, "two schemas have different default nodes for this database");
        }
    }

    /// The data node of a database on a node of kingshard's.
    fn node(&mut self, node: &str, database: &str) -> String {
        let home = Node { group: node.to_owned(), database: database.to_owned() };
        self.draft.node(&format!("{node}_{database}"), home)
    }

    fn table(&mut self, shard: &Yaml, database: &str, table: &str) -> Result<Table, String> {
        let column = string(&shard["key"]).ok_or("it has no key")?;
        let names: Vec<String> = items(&shard["nodes"]).iter().filter_map(string).collect();
        if let Some(unknown) = names.iter().find(|name| !self.nodes.contains_key(*name)) {
            return Err(format!("the node `{unknown}` is not defined"));
        }
        let locations: Option<Vec<u32>> =
            items(&shard["locations"]).iter().map(|count| u32::try_from(count.as_i64()?).ok()).collect();
        let spec = Spec {
            kind: string(&shard["type"]).unwrap_or_default(),
            nodes: names.iter().map(|name| self.node(name, database)).collect(),
            locations: locations.ok_or("locations are not numbers")?,
            row_limit: shard["table_row_limit"].as_i64().unwrap_or(0),
            date_range: items(&shard["date_range"]).iter().filter_map(string).collect(),
            signs_are_text: false,
        };
        let rule = self.draft.rule(&format!("{database}_{table}"), rule(&spec)?);
        let pairs = [("rule".to_owned(), quoted(&rule)), ("column".to_owned(), quoted(&column))];
        Ok(Table { notes: Vec::new(), value: inline(&pairs) })
    }
}

fn items(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().map_or(&[], Vec::as_slice)
}

/// A scalar as it was written.
fn string(yaml: &Yaml) -> Option<String> {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}
