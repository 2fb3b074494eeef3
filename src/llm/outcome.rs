//! How a call ended, and why it failed.

/// How a call of an LLM ended.
///
/// It is decided at the end of the answer, not at its head: an error may come within a
/// stream that began with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer came to its end.
    Success,
    /// The call failed, before the answer or within it.
    Error(ErrorType),
    /// The answer broke off before its end.
    Truncated,
    /// The caller stopped reading before the end, or never began.
    Cancelled,
    /// The provider goes on in the background. The call is counted again, with its tokens,
    /// when its answer is fetched.
    Pending,
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error(_) => "error",
            Self::Truncated => "truncated",
            Self::Cancelled => "cancelled",
            Self::Pending => "pending",
        }
    }

    /// Returns all outcomes, as the label `outcome` has them.
    pub(super) fn all() -> [&'static str; 5] {
        ["success", "error", "truncated", "cancelled", "pending"]
    }
}

/// Why a call failed, as the label `error_type` of `llm_requests_error` tells it.
///
/// It comes from the status, and from the type and code of the provider's error; its
/// message is never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorType {
    /// The key is missing or wrong.
    Auth,
    /// No connection came about.
    Connect,
    /// What was asked, or answered, is against the provider's policy.
    ContentFilter,
    /// The prompt is longer than the model's context.
    ContextLength,
    /// The answer is no JSON.
    Decode,
    /// The request is wrong.
    InvalidRequest,
    /// There is no such model, deployment or path.
    NotFound,
    /// The provider has no room for now.
    Overloaded,
    /// The code that makes the call panicked.
    Panic,
    /// The key may not do this.
    Permission,
    /// Nothing is left of what was paid for.
    Quota,
    /// Too many requests or tokens in a time.
    RateLimited,
    /// The provider failed.
    ServerError,
    /// The caller or the provider waited too long.
    Timeout,
    /// The request is too big.
    TooLarge,
    /// The connection failed before an answer.
    Transport,
    /// The answer broke off, which is an [outcome](Outcome::Truncated) of its own.
    Truncated,
    /// Something else.
    Other,
}

impl ErrorType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Connect => "connect",
            Self::ContentFilter => "content_filter",
            Self::ContextLength => "context_length",
            Self::Decode => "decode",
            Self::InvalidRequest => "invalid_request",
            Self::NotFound => "not_found",
            Self::Overloaded => "overloaded",
            Self::Panic => "panic",
            Self::Permission => "permission",
            Self::Quota => "quota",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Transport => "transport",
            Self::Truncated => "truncated",
            Self::Other => "other",
        }
    }

    /// Returns what a status says, or nothing if it is none of an error.
    pub(super) fn of_status(status: u16) -> Option<Self> {
        Some(match status {
            100..=399 => return None,
            401 => Self::Auth,
            402 => Self::Quota,
            403 => Self::Permission,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            // 529 is Anthropic's own.
            503 | 529 => Self::Overloaded,
            // 424 is Bedrock's own, of a model that failed.
            424 | 500..=599 => Self::ServerError,
            400..=499 => Self::InvalidRequest,
            _ => Self::Other,
        })
    }

    /// Returns what an error's type or code says, or nothing if that is not known.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        // The first that fits, so what is special comes before what is general:
        // "rate_limit_error" before "error", "context_length" before "invalid".
        const WORDS: [(&str, ErrorType); 43] = [
            ("context_length", ErrorType::ContextLength),
            ("exceed_context", ErrorType::ContextLength),
            ("context_window", ErrorType::ContextLength),
            ("quota", ErrorType::Quota),
            ("billing", ErrorType::Quota),
            ("credit", ErrorType::Quota),
            ("rate_limit", ErrorType::RateLimited),
            ("ratelimit", ErrorType::RateLimited),
            ("slow_down", ErrorType::RateLimited),
            ("too_many", ErrorType::RateLimited),
            ("toomany", ErrorType::RateLimited),
            ("throttl", ErrorType::RateLimited),
            ("resource_exhausted", ErrorType::RateLimited),
            ("content_filter", ErrorType::ContentFilter),
            ("content_policy", ErrorType::ContentFilter),
            ("moderation", ErrorType::ContentFilter),
            ("overloaded", ErrorType::Overloaded),
            ("notready", ErrorType::Overloaded),
            ("unavailable", ErrorType::Overloaded),
            ("authentication", ErrorType::Auth),
            ("unauthorized", ErrorType::Auth),
            ("unauthenticated", ErrorType::Auth),
            ("api_key", ErrorType::Auth),
            ("clienttoken", ErrorType::Auth),
            ("expiredtoken", ErrorType::Auth),
            ("permission", ErrorType::Permission),
            ("accessdenied", ErrorType::Permission),
            ("forbidden", ErrorType::Permission),
            ("not_found", ErrorType::NotFound),
            ("notfound", ErrorType::NotFound),
            ("timeout", ErrorType::Timeout),
            ("deadline", ErrorType::Timeout),
            ("too_large", ErrorType::TooLarge),
            ("invalid", ErrorType::InvalidRequest),
            ("bad_request", ErrorType::InvalidRequest),
            ("validation", ErrorType::InvalidRequest),
            ("precondition", ErrorType::InvalidRequest),
            ("server_error", ErrorType::ServerError),
            ("api_error", ErrorType::ServerError),
            ("internal", ErrorType::ServerError),
            ("modelerror", ErrorType::ServerError),
            ("streamerror", ErrorType::ServerError),
            ("unrecognizedclient", ErrorType::Auth),
        ];
        let word = word.to_ascii_lowercase();
        let fits = WORDS.iter().find(|(part, _)| word.contains(part));
        fits.map(|(_, error)| *error)
    }

    /// Whether another sign of the same error may say more.
    pub(super) fn is_general(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::ServerError | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_comes_before_what_is_general() {
        use ErrorType as E;
        for (word, error) in [
            ("insufficient_quota", Some(E::Quota)),
            ("rate_limit_exceeded", Some(E::RateLimited)),
            ("invalid_api_key", Some(E::Auth)),
            ("context_length_exceeded", Some(E::ContextLength)),
            ("exceed_context_size_error", Some(E::ContextLength)),
            ("server_is_overloaded", Some(E::Overloaded)),
            ("overloaded_error", Some(E::Overloaded)),
            ("DeploymentNotFound", Some(E::NotFound)),
            ("model_not_found", Some(E::NotFound)),
            ("invalid_request_error", Some(E::InvalidRequest)),
            ("internal_server_error", Some(E::ServerError)),
            ("RESOURCE_EXHAUSTED", Some(E::RateLimited)),
            ("", None),
            ("something else", None),
        ] {
            assert_eq!(E::of_word(word), error, "{word}");
        }
        for (status, error) in [
            (200, None),
            (301, None),
            (418, Some(E::InvalidRequest)),
            (429, Some(E::RateLimited)),
            (529, Some(E::Overloaded)),
            (599, Some(E::ServerError)),
            (600, Some(E::Other)),
        ] {
            assert_eq!(E::of_status(status), error, "{status}");
        }
    }
}
