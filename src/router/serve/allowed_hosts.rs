//! The hosts for which the listener answers requests.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// Hosts that are allowed besides `localhost`, names below it, and IP addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedHosts(Arc<[String]>);

/// The reason why a request is refused.
#[derive(Debug, PartialEq, Eq)]
enum HostError {
    /// The request has several hosts, or one that is not valid.
    Malformed,
    NotAllowed,
}

impl AllowedHosts {
    /// Adds hosts. Ports are ignored.
    pub(crate) fn add(
        &mut self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Error> {
        let mut hosts = self.0.to_vec();
        for name in names {
            let name = name.as_ref();
            let authority = Authority::try_from(name.trim()).ok();
            let Some(host) = authority.and_then(|authority| normalized_host(&authority)) else {
                return Err(Error::invalid_host(format_args!(
                    "the host {name:?} is not valid: write it as in a URL, such as \
                     \"metrics.example.com\""
                )));
            };
            hosts.push(host);
        }
        self.0 = hosts.into();
        Ok(())
    }

    /// Returns the response to a request for a host that is not allowed.
    pub(super) fn refuse(&self, request: &Request) -> Option<Response> {
        let error = self.check(request.uri(), request.headers()).err()?;
        let (status, message) = match error {
            HostError::Malformed => (
                StatusCode::BAD_REQUEST,
                "the request must have exactly one valid `Host`\n",
            ),
            HostError::NotAllowed => (
                StatusCode::MISDIRECTED_REQUEST,
                "the host of this request is not allowed; add it with \
                 `MetricsRouter::allowed_hosts([\"metrics.example.com\"])`\n",
            ),
        };
        let content_type = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        Some((status, content_type, message).into_response())
    }

    /// A request without a host passes: HTTP/1.0 has none, and every browser sends one.
    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), HostError> {
        let mut values = headers.get_all(HOST).iter();
        let (header, second) = (values.next(), values.next());
        if second.is_some() {
            return Err(HostError::Malformed);
        }
        // The host of an absolute target overrides the header (RFC 9112, 3.2.2).
        let authority = match (uri.authority(), header) {
            (Some(authority), _) => authority.clone(),
            (None, Some(header)) => {
                Authority::try_from(header.as_bytes()).map_err(|_| HostError::Malformed)?
            }
            (None, None) => return Ok(()),
        };
        let host = normalized_host(&authority).ok_or(HostError::Malformed)?;
        if is_local(&host) || self.0.contains(&host) {
            Ok(())
        } else {
            Err(HostError::NotAllowed)
        }
    }
}

/// Returns the host without its port and trailing dot, in lower case. Returns `None` if it is
/// empty, or follows user information.
fn normalized_host(authority: &Authority) -> Option<String> {
    let text = authority.as_str();
    let host = authority.host();
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && !text.contains('@')).then(|| host.to_ascii_lowercase())
}

/// Returns true for `localhost`, names below it, and IP addresses. An attacker cannot make one
/// of these resolve to this listener.
fn is_local(host: &str) -> bool {
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_ip_address = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok(),
    };
    let subdomain = host.strip_suffix(".localhost");
    is_ip_address || host == "localhost" || subdomain.is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(hosts: &AllowedHosts, target: &str, headers: &[&[u8]]) -> Result<(), HostError> {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(HOST, HeaderValue::from_bytes(value).unwrap());
        }
        hosts.check(&target.parse().unwrap(), &map)
    }

    #[test]
    fn local_hosts_pass_and_others_only_if_they_were_added() {
        let mut hosts = AllowedHosts::default();
        let names = ["Metrics.Example.com:9464", " other.example. "];
        hosts.add(names).unwrap();
        hosts.add(["third.example"]).unwrap();
        for (host, expected) in [
            ("localhost", Ok(())),
            ("localhost:9464", Ok(())),
            ("LocalHost.", Ok(())),
            ("a.b.localhost:80", Ok(())),
            ("127.0.0.1", Ok(())),
            ("127.0.0.1:9464", Ok(())),
            ("10.1.2.3", Ok(())),
            ("[::1]", Ok(())),
            ("[::1]:9464", Ok(())),
            ("[2001:DB8::1]", Ok(())),
            ("metrics.example.com", Ok(())),
            ("METRICS.example.com.:1", Ok(())),
            ("other.example", Ok(())),
            ("third.example", Ok(())),
            ("evil.example", Err(HostError::NotAllowed)),
            ("sub.metrics.example.com", Err(HostError::NotAllowed)),
            (
                "metrics.example.com.evil.example",
                Err(HostError::NotAllowed),
            ),
            ("localhost.evil.example", Err(HostError::NotAllowed)),
            ("evillocalhost", Err(HostError::NotAllowed)),
            (".localhost", Err(HostError::NotAllowed)),
            ("localhost..", Err(HostError::NotAllowed)),
            ("127.0.0.1.evil.example", Err(HostError::NotAllowed)),
            ("127.1", Err(HostError::NotAllowed)),
            ("2130706433", Err(HostError::NotAllowed)),
            ("0x7f.0.0.1", Err(HostError::NotAllowed)),
            ("localhost@evil.example", Err(HostError::Malformed)),
            ("evil.example@localhost", Err(HostError::Malformed)),
            ("localhost, evil.example", Err(HostError::Malformed)),
            ("localhost/", Err(HostError::Malformed)),
            ("local host", Err(HostError::Malformed)),
            ("[::1", Err(HostError::Malformed)),
            (":80", Err(HostError::Malformed)),
            ("", Err(HostError::Malformed)),
            ("\u{e9}", Err(HostError::Malformed)),
        ] {
            assert_eq!(check(&hosts, "/", &[host.as_bytes()]), expected, "{host}");
        }
        assert_eq!(check(&hosts, "/", &[]), Ok(()));
    }

    #[test]
    fn the_host_of_an_absolute_target_wins_and_several_headers_are_refused() {
        let hosts = AllowedHosts::default();
        let local: &[u8] = b"localhost";
        for (target, headers, expected) in [
            ("http://localhost/", &[][..], Ok(())),
            ("http://127.0.0.1:80/", &[&b"evil.example"[..]][..], Ok(())),
            ("http://evil.example/", &[local], Err(HostError::NotAllowed)),
            ("http://evil.example/", &[], Err(HostError::NotAllowed)),
            ("http://a@localhost/", &[local], Err(HostError::Malformed)),
            ("/", &[local, local], Err(HostError::Malformed)),
            ("/", &[local, b"evil.example"], Err(HostError::Malformed)),
            (
                "http://localhost/",
                &[local, local],
                Err(HostError::Malformed),
            ),
        ] {
            assert_eq!(
                check(&hosts, target, headers),
                expected,
                "{target} {headers:?}"
            );
        }
    }

    #[test]
    fn an_invalid_host_is_an_error() {
        for bad in ["", " ", "http://localhost", "a b", "a@b", "a/b", ":80"] {
            let error = AllowedHosts::default().add(["localhost", bad]).unwrap_err();
            assert!(error.is_invalid_host(), "{bad}");
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
    }
}
