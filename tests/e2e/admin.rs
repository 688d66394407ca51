//! The console's statements.

use serval_tests::World;

#[tokio::test]
async fn statements_of_the_console() {
    let world = World::new("console").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    let mut admin = world.admin().await;

    assert!(!admin.rows("show @@version").await.is_empty());
    let nodes = admin.rows("show @@datanode").await;
    assert_eq!(nodes.len(), 4, "{nodes:?}");
    assert!(nodes.iter().flatten().any(|value| value == "dn3"), "{nodes:?}");
    let sources = admin.rows("show @@datasource").await;
    assert_eq!(sources.len(), 4, "two groups of two servers: {sources:?}");
    let port = world.shared.cluster.group(1).replica(0).port().to_string();
    assert!(sources.iter().flatten().any(|value| value.contains(&port)), "{sources:?}");
    let connections = admin.rows("show @@connection").await;
    assert!(connections.iter().flatten().any(|value| value == "app"), "{connections:?}");
    assert!(!admin.rows("SHOW @@HELP;").await.is_empty());

    let answer = admin.run("show @@nosuch").await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
    let answer = admin.run("DROP TABLE users").await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
}
