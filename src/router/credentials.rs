//! Who has shown that it may read the metrics.

use std::fmt;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq};

/// What a request may show, any of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials(Vec<Credential>);

impl Credentials {
    /// Spaces and line ends around the token are dropped: files end in one, and a
    /// header cannot carry them.
    pub(super) fn add_bearer(&mut self, token: &str) {
        let token = token.trim();
        self.add(Scheme::Bearer, (!token.is_empty()).then(|| token.into()));
    }

    /// An empty password lets nobody in, whatever the user: it is what a variable
    /// that is not set looks like, and users are easily guessed.
    pub(super) fn add_basic(&mut self, user: &str, password: &str) {
        let secret = || STANDARD.encode(format!("{user}:{password}"));
        self.add(Scheme::Basic, (!password.is_empty()).then(secret));
    }

    fn add(&mut self, scheme: Scheme, secret: Option<String>) {
        let secret = secret.map(String::into_bytes).map(Into::into);
        self.0.push(Credential { scheme, secret });
    }

    /// Returns true when nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true when one of them is empty, and so lets nobody in.
    pub(super) fn has_empty_secret(&self) -> bool {
        self.0.iter().any(|one| one.secret.is_none())
    }

    /// Returns true when the headers have one of them.
    ///
    /// The time it takes does not depend on how much of a secret is right, nor on
    /// which one it is; it may on the secrets' lengths.
    pub(super) fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        // Of two, somebody else may read the other one.
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, shown)) = split(value.as_bytes()) else {
            return false;
        };
        let mut allowed = Choice::from(0);
        for one in self.0.iter().filter(|one| one.scheme == scheme) {
            // Base64 is compared as it was sent, so there is nothing to decode that
            // could be malformed.
            if let Some(secret) = &one.secret {
                allowed |= secret.ct_eq(shown);
            }
        }
        allowed.into()
    }

    /// Returns what a request without them is told to show.
    pub(super) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let schemes = [Scheme::Bearer, Scheme::Basic].into_iter();
        let asked = |scheme: &Scheme| self.0.iter().any(|one| one.scheme == *scheme);
        schemes.filter(asked).map(Scheme::challenge)
    }
}

#[derive(Clone)]
struct Credential {
    scheme: Scheme,
    /// What follows the scheme in the header; none lets nobody in.
    secret: Option<Box<[u8]>>,
}

/// Without the secret, since settings end up in logs.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.scheme, f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Basic,
}

impl Scheme {
    fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Bearer => "Bearer",
            Self::Basic => r#"Basic realm="metrics", charset="UTF-8""#,
        })
    }
}

/// Splits a header's value into the scheme, in any case, and what follows it.
fn split(value: &[u8]) -> Option<(Scheme, &[u8])> {
    let value = value.trim_ascii();
    let space = value.iter().position(u8::is_ascii_whitespace)?;
    let (scheme, shown) = value.split_at(space);
    let scheme = if scheme.eq_ignore_ascii_case(b"bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        Scheme::Basic
    } else {
        return None;
    };
    Some((scheme, shown.trim_ascii_start()))
}
