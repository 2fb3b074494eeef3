//! Authentication by bearer tokens.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tachometer::middleware::RequestLabels;

use crate::metrics::PLAN;

/// The plans that an account can have.
pub(crate) const PLANS: [&str; 2] = ["free", "paid"];

const ACCOUNTS: [(&str, Account); 2] = [
    ("token-of-ada", Account::new("Ada", "paid")),
    ("token-of-bob", Account::new("Bob", "free")),
];

/// The account that sent a request. It is an extension of the request.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    plan: &'static str,
}

impl Account {
    const fn new(name: &'static str, plan: &'static str) -> Self {
        Self { name, plan }
    }
}

/// Middleware that passes only requests with a valid token.
pub(crate) async fn require_token(
    labels: RequestLabels,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(account) = account(request.headers()) else {
        let header = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, header).into_response();
    };
    labels.set(PLAN, account.plan);
    request.extensions_mut().insert(account);
    next.run(request).await
}

/// A real service would compare hashes of tokens, and keep them in a database.
fn account(headers: &HeaderMap) -> Option<Account> {
    let token = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let token = token.strip_prefix("Bearer ")?;
    let (_, account) = ACCOUNTS.iter().find(|(known, _)| *known == token)?;
    Some(*account)
}
