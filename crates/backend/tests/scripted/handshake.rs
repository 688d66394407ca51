//! Logging in.

use serval_backend::Health;
use serval_remote::RemoteError;

use crate::fake::{Door, Fake, PASSWORD, Reply};
use crate::{acquire, group, plain, run, start};

/// The reason why a connection through this door is not to be had.
async fn reason(door: Door) -> String {
    let fake = Fake::start(door, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let Err(RemoteError::Unavailable { reason, .. }) = acquire(&servers).await else {
        panic!("{door:?} let us in");
    };
    assert!(!reason.contains(PASSWORD));
    reason
}

#[tokio::test]
async fn native_password() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    run(&mut connection, &plain("DO 1")).await.unwrap();
    assert_eq!(fake.transcript(), ["a QUERY DO 1"]);
    assert_eq!(servers.lowest_version().as_deref(), Some("8.0.36"));
}

#[tokio::test]
async fn a_switch_to_caching_sha2() {
    let fake = Fake::start(Door::Switch, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
}

#[tokio::test]
async fn what_is_not_possible_is_said() {
    assert!(reason(Door::Old).await.contains("8.0.36 is too old"));
    assert!(reason(Door::UnknownPlugin).await.contains("plugin parsec"));
    assert!(reason(Door::BadKey).await.contains("RSA public key"));
    assert!(reason(Door::Refuse).await.contains("1045"));
}

#[tokio::test]
async fn a_full_server_is_not_down() {
    let fake = Fake::start(Door::Full, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    assert!(matches!(acquire(&servers).await, Err(RemoteError::Unavailable { .. })));
    assert_eq!(servers.statistics()[0].health, Health::Unknown);
}
