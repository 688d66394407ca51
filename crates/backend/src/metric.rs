//! A server's numbers for the metrics recorder.
//!
//! They are published by the server's monitor after each probe, so the path of a statement only adds to its own
//! counters. A recorder that is installed late misses only what [`describe`] says.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::health::Lag;
use crate::server::Server;

/// Tells the recorder what the numbers mean; called once per start, after the recorder is there.
pub(crate) fn describe() {
    describe_gauge!("serval_backend_connections", "Connections used and idle, and their limit");
    describe_gauge!("serval_backend_up", "1 unless the server is down");
    describe_gauge!("serval_backend_readable", "1 where a replica may be read from");
    describe_gauge!("serval_backend_replication_lag_seconds", "Replication lag as the replica says it");
    describe_counter!("serval_backend_opened_total", "Connections made");
    describe_counter!("serval_backend_queries_total", "Statements sent");
    describe_counter!("serval_backend_errors_total", "Statements answered with an error");
    describe_counter!("serval_backend_lost_total", "Connections that broke");
    describe_counter!("serval_backend_killed_total", "Statements killed because nobody waited for them");
    describe_counter!("serval_backend_received_bytes_total", "Bytes of answers");
    describe_counter!("serval_backend_sent_bytes_total", "Bytes of statements");
    describe_gauge!("serval_engine_up", "1 where the last statement has reached the engine");
    describe_counter!("serval_engine_queries_total", "Statements sent");
    describe_counter!("serval_engine_errors_total", "Statements that failed");
}

/// Hands the present numbers to the recorder.
pub(crate) fn publish(server: &Server) {
    #[expect(clippy::cast_precision_loss, reason = "counts of connections are small")]
    let connections = |state: &'static str, count: usize| {
        gauge!("serval_backend_connections", "group" => server.group.clone(), "server" => server.name.clone(),
               "state" => state)
        .set(count as f64);
    };
    connections("used", server.pool.used());
    connections("idle", server.pool.idle());
    connections("limit", server.pool.size());
    let gauge = |name: &'static str, value: f64| {
        gauge!(name, "group" => server.group.clone(), "server" => server.name.clone()).set(value);
    };
    gauge("serval_backend_up", if server.health.is_down() { 0.0 } else { 1.0 });
    gauge("serval_backend_readable", if server.health.is_up() { 1.0 } else { 0.0 });
    if let Lag::Known(lag) = server.health.report().lag {
        gauge("serval_backend_replication_lag_seconds", lag.as_secs_f64());
    }
    let counters = &server.counters;
    for (name, value) in [
        ("serval_backend_opened_total", &counters.opened),
        ("serval_backend_queries_total", &counters.queries),
        ("serval_backend_errors_total", &counters.errors),
        ("serval_backend_lost_total", &counters.lost),
        ("serval_backend_killed_total", &counters.killed),
        ("serval_backend_received_bytes_total", &counters.bytes_in),
        ("serval_backend_sent_bytes_total", &counters.bytes_out),
    ] {
        counter!(name, "group" => server.group.clone(), "server" => server.name.clone())
            .absolute(value.value());
    }
}

/// Shows a server that is no longer configured as having nothing.
pub(crate) fn withdraw(server: &Server) {
    for state in ["used", "idle", "limit"] {
        gauge!("serval_backend_connections", "group" => server.group.clone(), "server" => server.name.clone(),
               "state" => state)
        .set(0.0);
    }
    gauge!("serval_backend_up", "group" => server.group.clone(), "server" => server.name.clone()).set(0.0);
    gauge!("serval_backend_readable", "group" => server.group.clone(), "server" => server.name.clone())
        .set(0.0);
}
