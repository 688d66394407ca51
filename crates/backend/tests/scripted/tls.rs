//! Servers whose TLS is missing or bad.

use std::time::{Duration, Instant};

use serval_backend::NotApplied;
use serval_catalog::{Pem, ServerTls, Settings, TlsMode};
use serval_remote::RemoteError;

use crate::fake::{Door, Fake, PASSWORD, Reply};
use crate::{acquire, group, plain, run, start};

fn tls(mode: TlsMode) -> ServerTls {
    ServerTls { mode, ..ServerTls::default() }
}

/// Why a connection through this door is not to be had in this mode.
async fn reason(door: Door, mode: TlsMode) -> String {
    let fake = Fake::start(door, |_| Reply::Ok).await;
    let mut group = group(&[&fake], 2);
    group.tls = tls(mode);
    let servers = start(&[group]);
    let Err(RemoteError::Unavailable { reason, .. }) = acquire(&servers).await else {
        panic!("{door:?} let us in");
    };
    assert!(!reason.contains(PASSWORD));
    reason
}

#[tokio::test]
async fn a_server_without_tls() {
    assert!(reason(Door::Native, TlsMode::Required).await.contains("does not offer TLS"));
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let mut group = group(&[&fake], 2);
    group.tls = tls(TlsMode::Preferred);
    let servers = start(&[group]);
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stalls_holds_nobody_up() {
    let started = Instant::now();
    assert!(reason(Door::TlsStall, TlsMode::Preferred).await.contains("no answer in time"));
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_speaks_something_else() {
    assert!(reason(Door::TlsGarbage, TlsMode::Required).await.contains("TLS: "));
    assert!(reason(Door::TlsInjection, TlsMode::Required).await.contains("greeting"));
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_not_taken_over() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let before = group(&[&fake], 2);
    let servers = start(std::slice::from_ref(&before));
    let mut after = before;
    after.tls = ServerTls { authorities: Some(Pem::new("nothing")), ..tls(TlsMode::VerifyCa) };
    let refused = servers.apply_groups(&[after], &Settings::default()).unwrap_err();
    assert!(matches!(refused, NotApplied::Tls { .. }), "{refused}");
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
}

#[tokio::test]
async fn a_reload_with_another_mode_makes_new_connections() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let mut group = group(&[&fake], 2);
    let servers = start(std::slice::from_ref(&group));
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    group.tls = tls(TlsMode::Required);
    servers.apply_groups(&[group], &Settings::default()).unwrap();
    assert!(acquire(&servers).await.is_err(), "the idle connection in the clear is not used any more");
}
