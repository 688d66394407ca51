//! Very many clients, and one that guesses passwords.

use std::time::{Duration, Instant};

use serval_tests::raw::{RAW_USER_TOML, RawClient, Reaction};
use serval_tests::{APP, Client, Limits, Topology, World};
use tokio::task::JoinSet;

use super::bystander::Bystander;
use super::resident_kilobytes;

const CROWD: usize = 5_000;

/// The files that a process may open; the tests' process holds one end of each connection.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    line.split_whitespace().nth(3).and_then(|number| number.parse().ok()).unwrap_or(1024)
}

/// Five thousand clients at once, as far as the machine lets a process have so many: each is served.
#[tokio::test]
async fn a_crowd_is_served() {
    let crowd = CROWD.min(open_files().saturating_sub(1_000));
    let limits = Limits { max_connections: crowd + 100, ..Limits::default() };
    let topology = Topology { limits, more: RAW_USER_TOML.to_owned(), ..Topology::new("hostile_crowd") };
    let mut world = World::with(topology).await;
    let bystander = Bystander::start(&world).await;
    let before = resident_kilobytes(world.serval.pid());
    let (port, schema) = (world.serval.ports().mysql(), world.schema.clone());
    let mut joining = JoinSet::new();
    let mut clients = Vec::with_capacity(crowd);
    for number in 0..crowd {
        let schema = schema.clone();
        joining.spawn(async move { RawClient::login(port, &schema).await });
        // Not more at a time than a listener's queue holds: what is refused there, the proxy never sees.
        if number % 100 == 99 {
            clients.append(&mut std::mem::take(&mut joining).join_all().await);
        }
    }
    clients.append(&mut joining.join_all().await);
    let per_client = resident_kilobytes(world.serval.pid()).saturating_sub(before) / crowd as u64;
    assert!(per_client < 60, "{per_client} kB for each of {crowd} idle clients");
    for client in clients.iter_mut().step_by(50) {
        assert!(matches!(client.command(b"\x0e").await, Reaction::Answer(_)), "COM_PING");
    }
    bystander.noticed_nothing().await;
    drop(clients);
    assert!(world.serval.is_running());
    assert_eq!(world.client().await.value("SELECT 1").await, "1");
}

/// Guessing is slow, is logged, and slows down nobody else.
#[tokio::test]
async fn guessed_passwords_cost_the_guesser_time() {
    let mut world =
        World::with(Topology { more: RAW_USER_TOML.to_owned(), ..Topology::new("hostile_guess") }).await;
    let bystander = Bystander::start(&world).await;
    let begun = Instant::now();
    let mut guesses = JoinSet::new();
    for guess in 0..16 {
        let options = world.serval.client_options(APP.0, &format!("guess {guess}"), Some("hostile_guess"));
        guesses.spawn(async move { Client::try_connect("proxy", options).await.map(drop) });
    }
    while let Some(answer) = guesses.join_next().await {
        let answer = answer.expect("an answer").expect_err("no guess is right");
        assert!([1045, 1040, 1129].contains(&answer.error_number()), "{answer:?}");
    }
    assert!(begun.elapsed() > Duration::from_millis(200), "{:?}", begun.elapsed());
    // Another user of the same host logs in at once.
    let begun = Instant::now();
    drop(RawClient::login(world.serval.ports().mysql(), &world.schema).await);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    bystander.noticed_nothing().await;
    assert!(world.serval.is_running());
    let log = world.serval.log();
    assert!(log.contains(APP.0) && !log.contains("guess 1"), "failures are logged, without what was guessed");
}
