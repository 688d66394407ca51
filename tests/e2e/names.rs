//! No physical name and no account of Serval's own gets out, whatever is asked; what is shown instead is right.

use serval_tests::{Answer, Client, World};

const SCHEMA: [&str; 11] = [
    "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE events (id BIGINT NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id, created_at))",
    "CREATE TABLE regions (id INT NOT NULL PRIMARY KEY)",
    "CREATE TABLE audit (id INT NOT NULL PRIMARY KEY)",
    "CREATE TABLE plain (a INT PRIMARY KEY, b TEXT)",
    "CREATE VIEW shown AS SELECT plain.a FROM plain",
    "CREATE PROCEDURE clear() COMMENT 'x' DELETE FROM plain",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE TRIGGER loud BEFORE INSERT ON plain FOR EACH ROW SET NEW.b = UPPER(NEW.b)",
    "CREATE TRIGGER elsewhere BEFORE INSERT ON audit FOR EACH ROW SET NEW.id = NEW.id + 1",
    "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM plain",
];

/// Statements with answers in which servers write their own names.
const ASKED: [&str; 48] = [
    "SHOW TABLES",
    "SHOW FULL TABLES",
    "SHOW TABLE STATUS",
    "SHOW OPEN TABLES FROM $schema",
    "SHOW TRIGGERS",
    "SHOW TRIGGERS LIKE 'plain'",
    "SHOW TRIGGERS WHERE `Table` = 'audit'",
    "SHOW EVENTS",
    "SHOW EVENTS FROM $schema LIKE 't%'",
    "SHOW PROCEDURE STATUS",
    "SHOW FUNCTION STATUS WHERE Db = '$schema'",
    "SHOW CREATE VIEW shown",
    "SHOW CREATE TABLE shown",
    "SHOW CREATE TABLE events",
    "SHOW CREATE PROCEDURE clear",
    "SHOW CREATE FUNCTION $schema.twice",
    "SHOW CREATE TRIGGER loud",
    "SHOW CREATE TRIGGER elsewhere",
    "SHOW CREATE EVENT tidy",
    "SHOW CREATE DATABASE $schema",
    "SHOW INDEX FROM events",
    "SHOW FULL COLUMNS FROM events",
    "SHOW GRANTS",
    "SHOW DATABASES",
    "EXPLAIN SELECT * FROM events WHERE created_at = '2026-02-03'",
    "EXPLAIN SELECT * FROM shown",
    "EXPLAIN FORMAT=JSON SELECT * FROM events WHERE created_at = '2026-02-03' AND id = 1",
    "ANALYZE TABLE events, users, plain",
    "CHECK TABLE events, nosuch",
    "CHECKSUM TABLE events, nosuch",
    "SELECT * FROM information_schema.schemata",
    "SELECT * FROM information_schema.tables WHERE table_schema <> 'information_schema'",
    "SELECT * FROM information_schema.columns WHERE table_schema <> 'information_schema'",
    "SELECT * FROM information_schema.statistics",
    "SELECT * FROM information_schema.key_column_usage",
    "SELECT * FROM information_schema.table_constraints",
    "SELECT * FROM information_schema.referential_constraints",
    "SELECT * FROM information_schema.check_constraints",
    "SELECT * FROM information_schema.partitions WHERE table_schema <> 'information_schema'",
    "SELECT * FROM information_schema.views",
    "SELECT * FROM information_schema.routines",
    "SELECT * FROM information_schema.parameters",
    "SELECT * FROM information_schema.triggers",
    "SELECT * FROM information_schema.events",
    "SELECT * FROM information_schema.schema_privileges",
    "SELECT * FROM information_schema.user_privileges",
    "SELECT * FROM information_schema.files",
    "SHOW WARNINGS",
];

/// Statements that fail in a server.
const FAILING: [&str; 12] = [
    "SELECT * FROM nosuch",
    "SELECT nosuch FROM events WHERE created_at = '2026-02-03'",
    "SELECT nosuch(1)",
    "DROP VIEW nosuch",
    "DROP TRIGGER nosuch",
    "DROP EVENT nosuch",
    "DROP PROCEDURE nosuch",
    "CREATE VIEW shown AS SELECT 1",
    "CREATE VIEW v AS SELECT nosuch FROM plain",
    "CREATE PROCEDURE clear() SELECT 1",
    "CREATE TRIGGER loud BEFORE INSERT ON plain FOR EACH ROW SET NEW.b = 'x'",
    "INSERT INTO events VALUES (1, '2026-02-03', 1)",
];

#[tokio::test]
async fn no_physical_name_gets_out() {
    let world = World::new("names_out").await;
    let mut client = world.client().await;
    for sql in SCHEMA {
        client.must(sql).await;
    }
    client.must("INSERT INTO events VALUES (1, '2026-02-03'), (2, '2026-05-03')").await;
    let own = [format!("{}_", world.schema), "events_2026".to_owned(), "serval_".to_owned()];
    let account = world.shared.cluster.backend_user();
    let mut seen = Vec::new();
    for sql in ASKED.iter().chain(&FAILING) {
        let answer = client.run(&sql.replace("$schema", &world.schema)).await;
        let text = format!("{answer:?}");
        for name in &own {
            assert!(!text.contains(name), "{sql}: {name} in {text}");
        }
        assert!(
            !text.contains(&format!("{account}@")) && !text.contains(&format!("`{account}`")),
            "{sql}: {text}"
        );
        if FAILING.contains(sql) {
            assert!(answer.error_number() > 0, "{sql}: {text}");
        } else if answer.error_number() > 0 {
            seen.push(format!("{sql}: {text}"));
        }
    }
    assert_eq!(seen, Vec::<String>::new(), "what is asked is answered");
}

/// The cells of one column.
fn column(answer: &Answer, name: &str) -> Vec<String> {
    let Answer::Rows { columns, rows, .. } = answer else { panic!("no rows but {answer:?}") };
    let at = columns.iter().position(|column| column.starts_with(&format!("`{name}` of")));
    let at = at.unwrap_or_else(|| panic!("no column {name} in {columns:?}"));
    rows.iter().map(|row| row[at].clone()).collect()
}

#[tokio::test]
async fn what_is_stored_is_shown_as_the_clients_own() {
    let world = World::new("names_shown").await;
    let mut client = world.client().await;
    for sql in SCHEMA {
        client.must(sql).await;
    }
    let triggers = client.run("SHOW TRIGGERS").await;
    assert_eq!(column(&triggers, "Trigger"), ["elsewhere", "loud"]);
    assert_eq!(column(&triggers, "Table"), ["audit", "plain"]);
    assert_eq!(column(&triggers, "Definer"), ["app@%", "app@%"]);
    assert_eq!(column(&client.run("SHOW TRIGGERS LIKE 'pl%'").await, "Trigger"), ["loud"]);
    let routines = client.run("SHOW PROCEDURE STATUS").await;
    assert_eq!(column(&routines, "Db"), std::slice::from_ref(&world.schema));
    assert_eq!(column(&routines, "Name"), ["clear"]);
    let events = client.run("SHOW EVENTS").await;
    assert_eq!(
        (column(&events, "Db"), column(&events, "Name")),
        (vec![world.schema.clone()], vec!["tidy".to_owned()])
    );
    let view = column(&client.run("SHOW CREATE VIEW shown").await, "Create View");
    assert!(view[0].contains("DEFINER=`app`@`%`") && view[0].ends_with("from `plain`"), "{view:?}");
    let procedure = column(&client.run("SHOW CREATE PROCEDURE clear").await, "Create Procedure");
    assert!(procedure[0].starts_with("CREATE DEFINER=`app`@`%` PROCEDURE `clear`()"), "{procedure:?}");
    // What is shown can be said again.
    drop_all(&mut client, &["VIEW shown", "PROCEDURE clear"]).await;
    client.must(&view[0]).await;
    client.must(&procedure[0]).await;
    client.must("INSERT INTO plain VALUES (1, 'x')").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM shown").await, "1");
}

async fn drop_all(client: &mut Client, what: &[&str]) {
    for object in what {
        client.must(&format!("DROP {object}")).await;
    }
}

#[tokio::test]
async fn other_schemas_are_not_shown() {
    let world = World::new("names_other").await;
    let mut client = world.client().await;
    for sql in SCHEMA {
        client.must(sql).await;
    }
    let schemata = client.run("SELECT schema_name FROM information_schema.schemata ORDER BY 1").await;
    assert_eq!(schemata.rows(), [["information_schema".to_owned()], [world.schema.clone()]]);
    let tables = "SELECT DISTINCT table_schema FROM information_schema.tables ORDER BY 1";
    assert_eq!(client.run(tables).await.rows(), [["information_schema".to_owned()], [world.schema.clone()]]);
    let others = client.run("SELECT * FROM information_schema.tables WHERE table_schema = 'mysql'").await;
    assert_eq!(others.rows().len(), 0);
}

/// Drivers find columns by their names, so information_schema's must be those that a server gives.
#[tokio::test]
async fn columns_of_information_schema_are_named_as_by_a_server() {
    let world = World::new("names_labels").await;
    let (mut proxy, mut oracle) = (world.client().await, world.oracle().await);
    for sql in [
        "SELECT table_name, Engine FROM information_schema.tables",
        "SELECT c.column_name, `data_type`, c.IS_NULLABLE AS n FROM information_schema.columns c",
        "SELECT column_name, Seq_In_Index, UPPER(index_name) FROM information_schema.statistics",
        "SELECT kcu.constraint_name, tc.constraint_type FROM information_schema.key_column_usage kcu JOIN \
         information_schema.table_constraints tc USING (constraint_schema, constraint_name)",
        "SELECT routine_name FROM information_schema.routines UNION SELECT check_clause FROM \
         information_schema.check_constraints",
        "SELECT information_schema.schemata.schema_name FROM information_schema.schemata",
        "SELECT unique_constraint_name, update_rule FROM information_schema.referential_constraints ORDER BY update_rule",
        "SELECT DISTINCT table_name FROM information_schema.key_column_usage GROUP BY table_name HAVING table_name > ''",
        "SELECT * FROM information_schema.triggers",
        "SELECT x.table_name FROM (SELECT table_name FROM information_schema.views) x",
    ] {
        let (ours, theirs) = (labels(proxy.run(sql).await), labels(oracle.run(sql).await));
        assert_eq!(ours, theirs, "{sql}");
    }
}

fn labels(answer: Answer) -> Vec<String> {
    let Answer::Rows { columns, .. } = answer else { panic!("no rows but {answer:?}") };
    columns.iter().filter_map(|column| column.split('`').nth(1).map(str::to_owned)).collect()
}
