//! The HTTP port.

use serval_tests::{World, get};

#[tokio::test]
async fn health_and_metrics() {
    let world = World::new("http").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "0");
    let port = world.serval.ports().http();
    assert_eq!(get(port, "/healthz").await.status, 200);
    assert_eq!(get(port, "/readyz").await.status, 200);
    assert_eq!(get(port, "/nosuch").await.status, 404);
    let metrics = get(port, "/metrics").await;
    assert_eq!(metrics.status, 200);
    for expected in ["# HELP serval_", "# TYPE serval_", "\nserval_"] {
        assert!(metrics.body.contains(expected), "{expected} in:\n{}", metrics.body);
    }
}
