//! When a request is sent again.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::push::otlp::random::random_part;

/// The longest delay before the first retry. It doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// How often the delay doubles.
const MAX_DOUBLINGS: u32 = 5;

/// The longest delay that a receiver can ask for. A longer one is often a mistake, and would stop an
/// exporter whose exports have no time limit.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// Returns true if OTLP allows to send a request again that got this status.
pub(super) fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

/// Returns how long to wait before a retry.
///
/// The delay is random up to a limit that grows, so that clients do not return at the same time.
/// What the server asks for comes on top.
pub(super) fn delay(retries: u32, retry_after: Option<Duration>, random: u64) -> Duration {
    let longest = FIRST_DELAY * 2_u32.pow(retries.min(MAX_DOUBLINGS));
    let jitter = random_part(longest, random);
    retry_after.unwrap_or_default().saturating_add(jitter)
}

/// Returns the delay that the header `Retry-After` asks for: seconds, or a date. It is at most an
/// hour.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let delay = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(delay.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::header::RETRY_AFTER;
    use http::{HeaderMap, StatusCode};

    use super::{delay, is_retryable, retry_after};

    #[test]
    fn only_these_statuses_are_retried() {
        let statuses = (100..1000).filter_map(|code| StatusCode::from_u16(code).ok());
        let retried: Vec<_> = statuses.filter(|status| is_retryable(*status)).collect();
        assert_eq!(retried, [429, 502, 503, 504]);
    }

    #[test]
    fn delays_are_random_and_their_limit_doubles() {
        for (retries, seconds) in [(0, 1), (1, 2), (2, 4), (5, 32), (6, 32), (u32::MAX, 32)] {
            let limit = Duration::from_secs(seconds);
            assert_eq!(delay(retries, None, 0), Duration::ZERO);
            assert_eq!(delay(retries, None, 1 << 63), limit / 2);
            assert!(delay(retries, None, u64::MAX) <= limit);
        }
        let hour = Duration::from_secs(3_600);
        assert_eq!(delay(0, Some(hour), 0), hour);
        assert_eq!(delay(0, Some(Duration::MAX), u64::MAX), Duration::MAX);
    }

    #[test]
    fn retry_after_has_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("3600", Some(3_600)),
            ("3601", Some(3_600)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3_600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("99999999999999999999", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().expect("a header value"));
            let delay = retry_after(&headers, now).map(|delay| delay.as_secs());
            assert_eq!(delay, seconds, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
