//! The timeout of a scrape.

use std::time::Duration;

use axum::http::HeaderMap;

/// In this header Prometheus sends its own timeout, in seconds.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// The shortest timeout that a client can ask for. Without it, a client could start scrapes that
/// are aborted at once, again and again.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Longer times are reduced to this one, since adding them to an `Instant` could overflow.
pub(crate) const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Returns the timeout of a request: the client's own, if it sends one, and at most `max`.
pub(crate) fn effective_timeout(headers: &HeaderMap, max: Duration) -> Duration {
    let value = headers.get(TIMEOUT_HEADER);
    let value = value.and_then(|value| value.to_str().ok());
    let seconds = value.and_then(|text| text.parse().ok());
    let requested = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    requested.map_or(max, |timeout| timeout.max(MIN_TIMEOUT).min(max))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_timeout_is_limited_to_one_second_and_the_maximum() {
        let max = Duration::from_secs(30);
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
            // Invalid values are ignored.
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
            headers.insert(TIMEOUT_HEADER, HeaderValue::from_bytes(text).unwrap());
            let expected = Duration::from_secs_f64(seconds);
            assert_eq!(effective_timeout(&headers, max), expected, "{text:?}");
        }
        assert_eq!(effective_timeout(&HeaderMap::new(), max), max);
        // A maximum below one second applies to all.
        let mut headers = HeaderMap::new();
        headers.insert(TIMEOUT_HEADER, HeaderValue::from_static("0.5"));
        let short = Duration::from_millis(20);
        assert_eq!(effective_timeout(&headers, short), short);
    }
}
