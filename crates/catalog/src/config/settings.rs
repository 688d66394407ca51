//! `[listen]` and `[limits]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::welcome::welcome;
use super::{Sink, raw, units};
use crate::{Listen, Settings, Versions};

pub(crate) fn settings(config: &raw::Config, sink: &mut Sink<'_>) -> Settings {
    let default = Settings::default();
    let limits = &config.limits;
    let mut times = |key: &str, text: &Option<String>| time(key, text.as_deref(), sink);
    let query_timeout = times("query_timeout", &limits.query_timeout).unwrap_or(default.query_timeout);
    let slow_query = times("slow_query", &limits.slow_query).unwrap_or(default.slow_query);
    let idle_timeout = times("idle_timeout", &limits.idle_timeout);
    let acquire_timeout = times("acquire_timeout", &limits.acquire_timeout);
    let connect_timeout = times("connect_timeout", &limits.connect_timeout);
    Settings {
        listen: listen(&config.listen, sink),
        welcome: welcome(&config.listen, sink),
        // Read with the other secrets.
        tls: None,
        server_version: config.listen.server_version.clone(),
        max_connections: limits.max_connections.map_or(default.max_connections, |n| n as usize),
        max_allowed_packet: size(
            "max_packet",
            limits.max_packet.as_deref(),
            default.max_allowed_packet,
            sink,
        ),
        query_timeout,
        idle_timeout: bounded("idle_timeout", idle_timeout, default.idle_timeout, sink),
        slow_query,
        memory_per_query: size(
            "memory_per_query",
            limits.memory_per_query.as_deref(),
            default.memory_per_query,
            sink,
        ),
        acquire_timeout: bounded("acquire_timeout", acquire_timeout, default.acquire_timeout, sink),
        connect_timeout: bounded("connect_timeout", connect_timeout, default.connect_timeout, sink),
        plan_cache: limits.plan_cache.map_or(default.plan_cache, |n| n as usize),
        recovery: super::recovery::recovery(&config.recovery, sink),
        versions: versions(config, sink),
        local_infile: limits.local_infile.unwrap_or(default.local_infile),
        load_spool: size("load_spool", limits.load_spool.as_deref(), default.load_spool, sink),
        cursor_spool: size("cursor_spool", limits.cursor_spool.as_deref(), default.cursor_spool, sink),
    }
}

fn listen(raw: &raw::Listen, sink: &mut Sink<'_>) -> Listen {
    let mut read = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let address = text.parse::<SocketAddr>().ok();
        if address.is_none() {
            sink.error(
                &["listen", key],
                format!("`{text}` is not an address to listen on"),
                "write an IP address and a port, for example \"127.0.0.1:3307\", or \"0.0.0.0:3307\" for all interfaces",
            );
        }
        address
    };
    let mysql = read("mysql", &raw.mysql).unwrap_or(Listen::default().mysql);
    let (admin, http) = (read("admin", &raw.admin), read("http", &raw.http));
    for (key, address) in [("admin", admin), ("http", http)] {
        let others = [Some(mysql), admin.filter(|_| key == "http")];
        // Port 0 lets the system choose, so two of them never collide.
        if address.is_some_and(|a| a.port() != 0 && others.contains(&Some(a))) {
            sink.error(
                &["listen", key],
                "this address is used twice",
                "give each listener a port of its own",
            );
        }
    }
    let socket = raw.socket.as_ref().map(PathBuf::from);
    Listen { mysql, socket, admin, http }
}

fn versions(config: &raw::Config, sink: &mut Sink<'_>) -> Option<Versions> {
    let raw = config.versions.as_ref()?;
    if raw.directory.trim().is_empty() {
        sink.error(&["versions", "directory"], "this is no directory", "write \"versions\", for example");
    }
    Some(Versions { directory: PathBuf::from(&raw.directory), keep: raw.keep.map_or(100, |n| n as usize) })
}

fn time(key: &str, text: Option<&str>, sink: &mut Sink<'_>) -> Option<Option<Duration>> {
    let text = text?;
    match units::duration(text) {
        Ok(duration) => Some(duration),
        Err(fix) => {
            sink.error(&["limits", key], format!("`{text}` is not a time"), fix);
            None
        }
    }
}

/// A time that cannot be "off" or zero.
fn bounded(key: &str, read: Option<Option<Duration>>, default: Duration, sink: &mut Sink<'_>) -> Duration {
    match read {
        None => default,
        Some(Some(duration)) if !duration.is_zero() => duration,
        Some(_) => {
            sink.error(
                &["limits", key],
                format!("`{key}` cannot be off"),
                "write a time, for example \"10s\"",
            );
            default
        }
    }
}

fn size(key: &str, text: Option<&str>, default: usize, sink: &mut Sink<'_>) -> usize {
    let Some(text) = text else { return default };
    units::size(text).unwrap_or_else(|fix| {
        sink.error(&["limits", key], format!("`{text}` is not a size"), fix);
        default
    })
}
