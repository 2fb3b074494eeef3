//! Bearer tokens and basic authentication (RFC 6750, RFC 7617).
//!
//! The checks of tower-http for these are deprecated, and do not compare in constant time.

use std::fmt;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq};

/// The accepted credentials. A request needs one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials(Vec<Credential>);

impl Credentials {
    /// Leading and trailing whitespace is removed: files with tokens end in a line feed, and a
    /// header cannot contain one.
    pub(crate) fn add_bearer(&mut self, token: &str) {
        let token = token.trim();
        self.add(Scheme::Bearer, (!token.is_empty()).then(|| token.into()));
    }

    /// An empty password never matches, whatever the user: it usually comes from a variable
    /// that is not set, and users are easy to guess.
    pub(crate) fn add_basic(&mut self, user: &str, password: &str) {
        let secret = || STANDARD.encode(format!("{user}:{password}"));
        self.add(Scheme::Basic, (!password.is_empty()).then(secret));
    }

    fn add(&mut self, scheme: Scheme, secret: Option<String>) {
        let secret = secret.map(String::into_bytes).map(Into::into);
        self.0.push(Credential { scheme, secret });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if a secret is empty, so that it never matches.
    pub(crate) fn has_empty_secret(&self) -> bool {
        self.0.iter().any(|one| one.secret.is_none())
    }

    /// Returns true if the headers contain one of the credentials.
    ///
    /// The time does not depend on how many bytes of a secret are right, nor on which secret
    /// matches. It may depend on the lengths of the secrets.
    pub(crate) fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        // Two headers are ambiguous: a proxy may have checked the other one.
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, secret)) = parse(value.as_bytes()) else {
            return false;
        };
        let mut is_match = Choice::from(0);
        for credential in self.0.iter().filter(|one| one.scheme == scheme) {
            // Base64 is compared in its encoded form, so malformed input needs no handling.
            if let Some(expected) = &credential.secret {
                is_match |= expected.ct_eq(secret);
            }
        }
        is_match.into()
    }

    /// Returns the values of `WWW-Authenticate` for a request without credentials.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let schemes = [Scheme::Bearer, Scheme::Basic].into_iter();
        let is_accepted = |scheme: &Scheme| self.0.iter().any(|one| one.scheme == *scheme);
        schemes.filter(is_accepted).map(Scheme::challenge)
    }
}

#[derive(Clone)]
struct Credential {
    scheme: Scheme,
    /// The part of the header after the scheme. `None` never matches.
    secret: Option<Box<[u8]>>,
}

/// Omits the secret, since settings are logged.
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

/// Splits a value of `Authorization` into the scheme, which is case-insensitive, and the rest.
fn parse(value: &[u8]) -> Option<(Scheme, &[u8])> {
    let value = value.trim_ascii();
    let space = value.iter().position(u8::is_ascii_whitespace)?;
    let (scheme, secret) = value.split_at(space);
    let scheme = if scheme.eq_ignore_ascii_case(b"bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        Scheme::Basic
    } else {
        return None;
    };
    Some((scheme, secret.trim_ascii_start()))
}
