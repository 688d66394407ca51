//! Who may connect, and to what.

use mysql_async::OptsBuilder;
use serval_tests::{APP, Client, World};

async fn refused(options: OptsBuilder) -> (u16, String) {
    match Client::try_connect("proxy", options).await {
        Ok(_) => panic!("the proxy let this client in"),
        Err(answer) => (answer.error_number(), answer.message().to_owned()),
    }
}

#[tokio::test]
async fn passwords_and_schemas() {
    let world = World::new("login").await;
    let serval = &world.serval;
    let schema = Some("login");

    let (number, text) = refused(serval.client_options(APP.0, "wrong", schema)).await;
    assert_eq!(number, 1045);
    assert!(text.contains("Access denied for user 'app'@") && text.contains("using password: YES"), "{text}");
    let (number, text) = refused(serval.client_options(APP.0, "", schema)).await;
    assert_eq!(number, 1045);
    assert!(text.contains("using password: NO"), "{text}");
    assert_eq!(refused(serval.client_options("nobody", "x", schema)).await.0, 1045);
    let (number, _) = refused(serval.client_options(APP.0, APP.1, Some("nosuch"))).await;
    assert!([1044, 1049].contains(&number), "{number}");

    let mut client = Client::connect("proxy", serval.client_options(APP.0, APP.1, None)).await;
    assert_eq!(client.value("SELECT DATABASE()").await, "NULL");
    assert_eq!(client.run("SELECT * FROM t1").await.error_number(), 1046);
    let number = client.run("USE nosuch").await.error_number();
    assert!([1044, 1049].contains(&number), "{number}");
    client.must("USE login").await;
    assert_eq!(client.value("SELECT DATABASE()").await, "login");
}

#[tokio::test]
async fn the_console_has_its_own_users() {
    let world = World::new("login_admin").await;
    assert_eq!(refused(world.serval.admin_options(APP.0, APP.1)).await.0, 1045);
    assert_eq!(refused(world.serval.admin_options("admin", "wrong")).await.0, 1045);
    assert_eq!(refused(world.serval.client_options("admin", "admin-secret", None)).await.0, 1045);
}

/// Clients that leave in the middle of the handshake take nothing with them.
#[tokio::test]
async fn half_handshakes_are_forgotten() {
    let world = World::new("login_half").await;
    for _ in 0..50 {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", world.serval.ports().mysql())).await;
        drop(stream.expect("a connection"));
    }
    assert_eq!(world.client().await.value("SELECT 1").await, "1");
}
