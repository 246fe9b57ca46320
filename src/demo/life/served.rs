//! A life behind a socket: the portal of its day, its bad days, and the clock that whoever drives it sets.

use super::{Life, Trouble};
use crate::demo::answer::Answer;
use crate::demo::server::living;
use crate::demo::{Portal, Request, chrome, lists};
use axum::http::{Method, StatusCode, header};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where people read and set the day: GET, or POST with `?day=N`. Only loopback may.
pub const CLOCK: &str = "/dong-ho";

/// A life on a day.
#[derive(Debug)]
pub struct Living {
    life: Life,
    today: Mutex<(u32, Arc<Portal>)>,
}

impl Living {
    /// On day 0. It writes down what it is asked for, a day at a time.
    #[must_use]
    pub fn new(life: Life) -> Self {
        let first = Arc::new(life.portal(0).recording());
        Self {
            life,
            today: Mutex::new((0, first)),
        }
    }

    /// The whole life.
    #[must_use]
    pub fn life(&self) -> &Life {
        &self.life
    }

    fn today(&self) -> std::sync::MutexGuard<'_, (u32, Arc<Portal>)> {
        // A panic of another thread leaves one day or the other.
        self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which day it is.
    #[must_use]
    pub fn day(&self) -> u32 {
        self.today().0
    }

    /// Lets it be another day, also an earlier one. Requests under way end on the old one.
    pub fn set_day(&self, day: u32) {
        let portal = Arc::new(self.life.portal(day).recording());
        *self.today() = (day, portal);
    }

    /// The portal of the day.
    #[must_use]
    pub fn portal(&self) -> Arc<Portal> {
        self.today().1.clone()
    }

    /// What was asked for since the day began.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.portal().requests()
    }
}

/// Answers requests on `listener` as the portal of the day does, until `stop` is cancelled.
///
/// # Errors
/// When the listener fails.
pub async fn serve_life(
    life: Arc<Living>,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, living(life))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// What a bad day answers instead of the portal; `None` if it does not come in between.
pub(in crate::demo) fn answer(
    portal: &Portal,
    method: &Method,
    path: &str,
    number: &dyn Fn(&str) -> Option<usize>,
) -> Option<Answer> {
    let today = portal.today.as_ref()?;
    if path == "/robots.txt" {
        return None;
    }
    if today.refuses() {
        let mut answer = Answer::error(StatusCode::SERVICE_UNAVAILABLE, "Máy chủ đang bận");
        answer.header(header::RETRY_AFTER, b"1");
        return Some(answer);
    }
    if today.suffers(Trouble::Login) {
        let form = "<h1>Đăng nhập hệ thống</h1><form method=\"post\" action=\"/admin/Login.aspx\"><input name=\"ten\">\
                    <input type=\"password\" name=\"mat_khau\"><input type=\"submit\" value=\"Đăng nhập\"></form>";
        let page = chrome::page("Đăng nhập", "/admin/Login.aspx", "", form);
        return Some(Answer::html(portal.dressed(page)));
    }
    let cat = number("catid")?;
    let behind = number("page").or(number("trang")).is_some_and(|page| page > 1) || *method == Method::POST;
    let half_dead = today.suffers(Trouble::HalfDeadPager(cat)) && behind;
    let list = path == "/" || path == "/default.aspx" || path == lists::ENDPOINT;
    (half_dead && list).then(|| {
        Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Server Error in '/' Application.",
        )
    })
}
