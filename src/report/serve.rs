//! `/metrics` and `/healthz` of a daemon.

use super::Health;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What OpenMetrics text is called (OpenMetrics 1.0, 5).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is served, read anew for each request.
pub trait Watched: Send + Sync + 'static {
    /// The metrics.
    ///
    /// # Errors
    /// Why they cannot be read now.
    fn metrics(&self) -> Result<String, String>;
    /// How it is.
    ///
    /// # Errors
    /// Why nobody can say now.
    fn health(&self) -> Result<Health, String>;
}

/// Serves until `cancel` says stop.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    watched: Arc<dyn Watched>,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let metrics = watched.clone();
    let router = axum::Router::new()
        .route("/metrics", get(move || read(metrics.clone(), answer_metrics)))
        .route("/healthz", get(move || read(watched.clone(), answer_health)));
    axum::serve(listener, router)
        .with_graceful_shutdown(cancel.cancelled_owned())
        .await
}

/// The ledger is read beside the reactor.
async fn read(
    watched: Arc<dyn Watched>,
    answer: fn(&dyn Watched) -> axum::response::Response,
) -> axum::response::Response {
    match tokio::task::spawn_blocking(move || answer(&*watched)).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer_metrics(watched: &dyn Watched) -> axum::response::Response {
    match watched.metrics() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

fn answer_health(watched: &dyn Watched) -> axum::response::Response {
    let (status, body) = match watched.health() {
        Ok(health) => (
            if health.healthy {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            },
            serde_json::to_string(&health).unwrap_or_default(),
        ),
        Err(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({ "schema": "health/1", "type": "health", "healthy": false, "reasons": [why] })
                .to_string(),
        ),
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
