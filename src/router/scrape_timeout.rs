//! How long an answer may take.

use std::time::Duration;

use axum::http::HeaderMap;

/// In this header Prometheus says after how many seconds it gives up a scrape.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// A shorter time counts as this, so that a client cannot ask for an answer that is cut at
/// once, again and again.
const SHORTEST: Duration = Duration::from_secs(1);

/// A deadline this far away never comes. Adding more to an `Instant` could overflow.
pub(super) const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Returns how long the answer to a request may take: until its client gives up, if it says
/// when, and no longer than the deadline.
pub(super) fn scrape_timeout(headers: &HeaderMap, deadline: Duration) -> Duration {
    let requested = headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
    let requested = requested.and_then(|text| text.parse().ok());
    let requested = requested.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    requested.map_or(deadline, |time| time.max(SHORTEST).min(deadline))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_s_timeout_counts_between_a_second_and_the_deadline() {
        let deadline = Duration::from_secs(30);
        let requested: [(&[u8], _); 17] = [
            (b"10", 10.0),
            (b"1.5", 1.5),
            (b"31", 30.0),
            (b"1e18", 30.0),
            (b"0.999", 1.0),
            (b"0.001", 1.0),
            (b"1e-300", 1.0),
            (b"0", 1.0),
            (b"-0", 1.0),
            // These are no times.
            (b"-1", 30.0),
            (b"nan", 30.0),
            (b"inf", 30.0),
            (b"1e300", 30.0),
            (b"", 30.0),
            (b"soon", 30.0),
            (b"10s", 30.0),
            (b"\xff", 30.0),
        ];
        for (text, seconds) in requested {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, HeaderValue::from_bytes(text).unwrap());
            let expected = Duration::from_secs_f64(seconds);
            assert_eq!(scrape_timeout(&headers, deadline), expected, "{text:?}");
        }
        assert_eq!(scrape_timeout(&HeaderMap::new(), deadline), deadline);
        // A deadline below a second holds for all.
        let mut headers = HeaderMap::new();
        headers.insert(TIMEOUT, HeaderValue::from_static("0.5"));
        let short = Duration::from_millis(20);
        assert_eq!(scrape_timeout(&headers, short), short);
    }
}
