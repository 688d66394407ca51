//! One server at a time: is it there, and may the group's user do what Serval needs?

use comfy_table::Table;
use serval_catalog::{Catalog, Group, Role, Server};

use super::{ascii_table, xa};
use crate::probe;

/// What the group's user needs on each of its databases. ALL PRIVILEGES covers them.
const NEEDED: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER"];

/// What recovery needs on MySQL, to see the branches of interrupted transactions; MariaDB shows them to everybody.
const RECOVER: &str = "XA_RECOVER_ADMIN";

/// What one server said of itself.
pub struct Finding {
    group: String,
    server: String,
    role: Role,
    answer: Result<Facts, String>,
}

struct Facts {
    version: String,
    read_only: bool,
    missing_databases: Vec<String>,
    missing_grants: Vec<&'static str>,
    /// What is wrong with the XA that the config says it has.
    xa: Option<String>,
}

/// Asks every server of every group.
pub async fn look_at_all(catalog: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in &catalog.groups {
        for server in &group.servers {
            let answer = look_at(catalog, group, server).await;
            let (group, server_name) = (group.name.clone(), server.name.clone());
            findings.push(Finding { group, server: server_name, role: server.role, answer });
        }
    }
    findings
}

async fn look_at(catalog: &Catalog, group: &Group, server: &Server) -> Result<Facts, String> {
    let mut conn = probe::connect(group, server).await?;
    let version = probe::value(&mut conn, "SELECT VERSION()").await?.unwrap_or_default();
    let read_only = probe::value(&mut conn, "SELECT @@GLOBAL.read_only").await?.is_some_and(|on| on != "0");
    let present = first_column(probe::rows(&mut conn, "SHOW DATABASES").await?);
    let grants = first_column(probe::rows(&mut conn, "SHOW GRANTS FOR CURRENT_USER()").await?);
    let is_mysql = !version.contains("MariaDB");
    let missing_databases = catalog
        .nodes
        .iter()
        .filter(|node| node.group == group.id && !present.contains(&node.database))
        .map(|node| node.database.clone())
        .collect();
    // A group that is alone has nobody to come from.
    let joins = group.xa && server.role == Role::Primary && catalog.groups.len() > 1;
    let xa = if joins { xa::look_at(&mut conn).await? } else { None };
    let missing_grants = missing_grants(&grants, is_mysql);
    Ok(Facts { version, read_only, missing_databases, missing_grants, xa })
}

fn first_column(rows: Vec<Vec<Option<String>>>) -> Vec<String> {
    rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
}

/// A rough look: which needed privileges appear in no grant at all, on whatever database.
fn missing_grants(grants: &[String], is_mysql: bool) -> Vec<&'static str> {
    let all = grants.join("\n").to_ascii_uppercase();
    // MySQL lists its dynamic privileges beside ALL PRIVILEGES.
    let recover = Some(RECOVER).filter(|privilege| is_mysql && !all.contains(privilege));
    if all.contains("ALL PRIVILEGES") {
        return recover.into_iter().collect();
    }
    NEEDED.into_iter().filter(|privilege| !all.contains(privilege)).chain(recover).collect()
}

impl Finding {
    /// What is wrong with this server, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let at = format!("group {}, {}", self.group, self.server);
        let facts = match &self.answer {
            Ok(facts) => facts,
            Err(error) => return vec![format!("{at}: {error}")],
        };
        let mut problems = Vec::new();
        if self.role == Role::Primary && facts.read_only {
            problems.push(format!("{at}: it is configured as the primary but is read_only"));
        }
        for database in &facts.missing_databases {
            problems.push(format!("{at}: there is no database {database}, or its user may not see it"));
        }
        if !facts.missing_grants.is_empty() {
            problems.push(format!("{at}: its user has no grant of {}", facts.missing_grants.join(", ")));
        }
        problems.extend(facts.xa.iter().map(|text| format!("{at}: {text}")));
        problems
    }

    fn cells(&self) -> [String; 5] {
        let role = match self.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
        };
        let (version, state) = match &self.answer {
            Ok(facts) => (facts.version.clone(), if facts.read_only { "read only" } else { "writable" }),
            Err(_) => (String::new(), "down"),
        };
        [self.group.clone(), self.server.clone(), role.into(), version, state.into()]
    }
}

/// The servers as a table.
pub fn table(findings: &[Finding]) -> Table {
    let mut table = ascii_table(&["group", "server", "role", "version", "state"]);
    for finding in findings {
        table.add_row(finding.cells());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_privileges_covers_everything() {
        let all = ["GRANT ALL PRIVILEGES ON *.* TO `a`@`%`".into()];
        assert!(missing_grants(&all, false).is_empty());
        assert_eq!(missing_grants(&all, true), ["XA_RECOVER_ADMIN"]);
    }

    #[test]
    fn a_reader_lacks_the_writes() {
        let missing = missing_grants(&["GRANT SELECT ON `shop_0`.* TO `a`@`%`".into()], false);
        assert_eq!(missing, ["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER"]);
    }
}
