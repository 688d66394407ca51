//! `/metrics`, `/healthz` and `/readyz`.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serval_backend::{Health, ServerStatus};
use serval_catalog::Role;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Statistics;

/// What the endpoints look at.
#[derive(Clone)]
pub struct Http {
    /// The process's metrics.
    pub metrics: PrometheusHandle,
    /// The servers' state.
    pub statistics: Statistics,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// What `/readyz` says.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Readiness {
    ready: bool,
    /// The state of each group's primary.
    groups: BTreeMap<String, &'static str>,
}

/// Serves the endpoints until `shutdown`.
///
/// # Errors
/// The listener's.
pub async fn serve_http(
    listener: TcpListener,
    http: Http,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let stop = async move { shutdown.cancelled().await };
    axum::serve(listener, router(http)).with_graceful_shutdown(stop).await
}

/// The endpoints.
pub fn router(http: Http) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(http)
}

async fn metrics(State(http): State<Http>) -> Response {
    let text = http.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// The process is alive: it answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Every group's primary is up.
async fn readyz(State(http): State<Http>) -> (StatusCode, Json<Readiness>) {
    let readiness = Readiness::of(&(http.statistics)());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

impl Readiness {
    fn of(servers: &[ServerStatus]) -> Self {
        let primaries = servers.iter().filter(|server| server.role == Role::Primary);
        let groups: BTreeMap<_, _> =
            primaries.clone().map(|server| (server.group.clone(), server.health.word())).collect();
        let ready = primaries.clone().all(|server| server.health == Health::Up);
        Self { ready, groups }
    }
}
