//! `--otlp`: spans of a sync, sent to an OpenTelemetry collector. One span a step, none a page: what a crawl did stands as numbers
//! on its span.

use super::error::CliError;
use super::exit::Exit;
use crate::net::{self, BodyLimits, read_body};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use std::time::{Duration, Instant};
use tracing::Span;
use url::Url;

/// Under which target our spans stand: nothing else is sent.
pub(super) const TARGET: &str = "sangtrang::trace";
/// Longest time for one batch, and for the last one at the end.
const TIME: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 1 << 20;

/// A span of a step, with the numbers that may be recorded on it.
pub(super) fn step(name: &'static str, site: &str) -> Span {
    use tracing::field::Empty;
    tracing::info_span!(
        target: TARGET, "step", otel.name = name, site, exit = Empty, asked = Empty, unchanged = Empty, bytes = Empty,
        failed = Empty, documents = Empty, added = Empty, changed = Empty, writes = Empty, holds = Empty,
    )
}

/// Sends what is left when it is dropped.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    // After the provider: its last batch goes through it.
    _runtime: tokio::runtime::Runtime,
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(TIME) {
            tracing::warn!("the last traces were not sent: {error}");
        }
    }
}

/// What sends spans to `endpoint`.
pub(super) fn start(endpoint: &str) -> Result<(Traces, Tracer), CliError> {
    let usage = |text: String| {
        CliError::new(Exit::Usage, "usage::otlp", text).hint("write `--otlp http://127.0.0.1:4318`")
    };
    let mut url = Url::parse(endpoint)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
        .ok_or_else(|| usage(format!("`{endpoint}` is no address of a collector")))?;
    if url.path() == "/" {
        // Where a collector takes traces (OTLP/HTTP, 1.0).
        url.set_path("/v1/traces");
    }
    // A reactor of its own: spans are sent by a thread that has none, also while the command ends.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let client = net::client(&net::Options {
        timeout: TIME,
        connect_timeout: TIME,
        ..net::Options::default()
    })
    .map_err(|e| usage(e.to_string()))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector {
            client,
            handle: runtime.handle().clone(),
        })
        .with_endpoint(url.as_str())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(TIME)
        .build()
        .map_err(|e| usage(e.to_string()))?;
    let resource = Resource::builder()
        .with_service_name("sangtrang")
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("sangtrang");
    Ok((
        Traces {
            provider,
            _runtime: runtime,
        },
        tracer,
    ))
}

/// Our own client, as the exporter wants it.
struct Collector {
    client: net::Client,
    handle: tokio::runtime::Handle,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let work = self.handle.spawn(async move {
            let (head, body) = request.into_parts();
            let url = Url::parse(&head.uri.to_string())?;
            let response = client.request(head.method, &url, head.headers, body).await?;
            let mut answer = http::Response::builder().status(response.status);
            if let Some(headers) = answer.headers_mut() {
                headers.clone_from(&response.headers);
            }
            let limits = BodyLimits {
                bytes: MAX_ANSWER,
                deadline: Instant::now() + TIME,
                rate: (0, Duration::ZERO),
            };
            let (body, _) = read_body(response, limits).await;
            Ok::<_, HttpError>(answer.body(Bytes::from(body))?)
        });
        let result = work.await?;
        if let Err(error) = &result {
            tracing::warn!("traces are not sent: {error}");
        }
        result
    }
}
