//! schema.xml: data hosts as groups, data nodes as nodes.

use roxmltree::Node as Element;

use super::{Import, attribute, children, names};
use crate::draft::{Group, Node};

const FILE: &str = "schema.xml";

impl Import<'_> {
    pub(super) fn data_host(&mut self, element: Element<'_, '_>) {
        let name = attribute(element, "name").unwrap_or_default();
        let shown = format!("<dataHost name=\"{name}\">");
        match group(element) {
            Ok(group) => {
                let balance = attribute(element, "balance").unwrap_or("0");
                self.any_server.insert(name.to_owned(), balance != "0" && !group.replicas.is_empty());
                self.draft.groups.insert(name.to_owned(), group);
            }
            Err(reason) => self.draft.refuse(FILE, shown, reason),
        }
    }

    pub(super) fn data_node(&mut self, element: Element<'_, '_>) {
        let name = attribute(element, "name").unwrap_or_default();
        let shown = format!("<dataNode name=\"{name}\">");
        match data_nodes(element) {
            Ok(nodes) => {
                for (name, node) in nodes {
                    if self.draft.groups.contains_key(&node.group) {
                        self.draft.nodes.insert(name, node);
                    } else {
                        let why = format!("its dataHost `{}` is not defined, or refused", node.group);
                        self.draft.refuse(FILE, format!("<dataNode name=\"{name}\">"), why);
                    }
                }
            }
            Err(reason) => self.draft.refuse(FILE, shown, reason),
        }
    }
}

fn group(element: Element<'_, '_>) -> Result<Group, String> {
    let kind = attribute(element, "dbType").unwrap_or("mysql");
    if !kind.eq_ignore_ascii_case("mysql") && !kind.eq_ignore_ascii_case("mariadb") {
        return Err(format!("dbType=\"{kind}\": Serval speaks to MySQL and MariaDB"));
    }
    if attribute(element, "writeType").is_some_and(|kind| kind != "0") {
        return Err("writeType: Serval writes to one primary".to_owned());
    }
    if children(element, "connectionInitSql")
        .any(|sql| sql.text().is_some_and(|text| !text.trim().is_empty()))
    {
        return Err("<connectionInitSql>: set it on the servers (init_connect) instead".to_owned());
    }
    let writers: Vec<Element<'_, '_>> = children(element, "writeHost").collect();
    let Some(&first) = writers.first() else { return Err("it has no <writeHost>".to_owned()) };
    let mut group = Group { primary: address(first)?, ..Group::default() };
    group.user = attribute(first, "user").unwrap_or_default().to_owned();
    let secret = |host: Element<'_, '_>| {
        (host.attribute("user").map(str::to_owned), host.attribute("password").map(str::to_owned))
    };
    for &writer in &writers {
        if writer != first {
            group.replicas.push((address(writer)?, 1));
        }
        for reader in children(writer, "readHost") {
            let weight = attribute(reader, "weight").map_or(Ok(1), str::parse);
            let weight: u32 = weight.map_err(|_| "the weight of a <readHost> is not a number".to_owned())?;
            group.replicas.push((address(reader)?, weight));
        }
        let hosts = std::iter::once(writer).chain(children(writer, "readHost"));
        if hosts.into_iter().any(|host| secret(host) != secret(first)) {
            return Err("its hosts have several accounts: give Serval one account on all of them".to_owned());
        }
    }
    if writers.len() > 1 {
        group.notes.push(
            "The further writeHosts became replicas: there is no failover to them; change `primary` and reload.".to_owned(),
        );
    }
    group.max_connections =
        attribute(element, "maxCon").and_then(|count| count.parse().ok()).filter(|&count| count > 0);
    Ok(group)
}

/// `host:port`, without what JDBC adds.
fn address(host: Element<'_, '_>) -> Result<String, String> {
    let url = attribute(host, "url").ok_or("a host has no url")?;
    let plain =
        url.strip_prefix("jdbc:mysql://").or_else(|| url.strip_prefix("jdbc:mariadb://")).unwrap_or(url);
    let plain = plain.split(['/', '?']).next().unwrap_or(plain);
    let (name, port) = plain.rsplit_once(':').unwrap_or((plain, "3306"));
    if name.is_empty() || port.parse::<u16>().is_err() {
        return Err(format!("`{url}` is not an address"));
    }
    Ok(format!("{name}:{port}"))
}

/// Names times hosts and databases, hosts first, as Mycat counts them.
fn data_nodes(element: Element<'_, '_>) -> Result<Vec<(String, Node)>, String> {
    let list = |name: &str| names::expand(attribute(element, name).unwrap_or_default());
    let (nodes, hosts, databases) = (list("name")?, list("dataHost")?, list("database")?);
    if nodes.len() != hosts.len() * databases.len() || nodes.is_empty() {
        return Err(format!(
            "it makes {} names for {} hosts with {} databases each",
            nodes.len(),
            hosts.len(),
            databases.len()
        ));
    }
    let homes = hosts.iter().flat_map(|host| {
        databases.iter().map(move |database| Node { group: host.clone(), database: database.clone() })
    });
    Ok(nodes.into_iter().zip(homes).collect())
}
