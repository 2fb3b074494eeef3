//! How a call ended, and why it failed.

/// How an LLM call ended.
///
/// The outcome is known at the end of the response, not at its head: a stream that starts with
/// status 200 may still end with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "status")]
#[doc(alias = "result")]
pub enum Outcome {
    /// The response is complete.
    Success,
    /// The call failed, before the response or within it.
    Error(ErrorType),
    /// The response ended before it was complete.
    Truncated,
    /// The caller dropped the call or the response before its end.
    Cancelled,
    /// The provider continues in the background. The call is counted again, with its tokens, when
    /// its response is fetched.
    Pending,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error(_) => "error",
            Self::Truncated => "truncated",
            Self::Cancelled => "cancelled",
            Self::Pending => "pending",
        }
    }

    /// Returns all values of the label `outcome`.
    pub(crate) fn all() -> [&'static str; 5] {
        let error = Self::Error(ErrorType::Other);
        let variants = [
            Self::Success,
            error,
            Self::Truncated,
            Self::Cancelled,
            Self::Pending,
        ];
        variants.map(Self::as_str)
    }

    /// Returns true if the response was not read to its end.
    pub(crate) fn is_before_end(self) -> bool {
        let timeout = Self::Error(ErrorType::Timeout);
        matches!(self, Self::Cancelled | Self::Truncated) || self == timeout
    }
}

/// Why a call failed: the label `error_type` of `llm_requests_error`.
///
/// It is derived from the status, and from the type and code of the provider's error. The error
/// message is never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorType {
    /// The key is missing or wrong.
    Auth,
    /// The connection could not be established.
    Connect,
    /// The prompt or the response violates the provider's policy.
    ContentFilter,
    /// The prompt is longer than the model's context.
    ///
    /// Errors of providers that report this only in the message, such as Anthropic, are counted as
    /// [`InvalidRequest`](Self::InvalidRequest).
    ContextLength,
    /// The response is not valid JSON.
    Decode,
    /// The request is invalid.
    InvalidRequest,
    /// There is no such model, deployment or path.
    NotFound,
    /// The provider is overloaded.
    Overloaded,
    /// The HTTP client panicked.
    Panic,
    /// The key does not have this permission.
    Permission,
    /// The quota or the credit is used up.
    Quota,
    /// The rate limit of requests or tokens is exceeded.
    #[doc(alias = "rate limit")]
    #[doc(alias = "429")]
    RateLimited,
    /// The provider failed internally.
    ServerError,
    /// The client or the provider timed out.
    Timeout,
    /// The request is too large.
    TooLarge,
    /// The connection failed before the response.
    Transport,
    /// The response ended before it was complete. The outcome is [`Outcome::Truncated`].
    Truncated,
    /// Something else.
    Other,
}

impl ErrorType {
    pub(crate) fn as_str(self) -> &'static str {
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

    /// Returns the error type for a status, or `None` if the status is not an error.
    pub(crate) fn from_status(status: u16) -> Option<Self> {
        Some(match status {
            100..=399 => return None,
            401 => Self::Auth,
            402 => Self::Quota,
            403 => Self::Permission,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            // Anthropic uses 529.
            503 | 529 => Self::Overloaded,
            // Bedrock uses 424 for a model that failed.
            424 | 500..=599 => Self::ServerError,
            400..=499 => Self::InvalidRequest,
            _ => Self::Other,
        })
    }

    /// Returns the error type for a provider's error type or code, or `None` if it is unknown.
    pub(crate) fn from_code(word: &str) -> Option<Self> {
        // The first part that the code contains determines the type, so specific parts are listed
        // first: "context_length" before "invalid".
        const WORDS: [(&str, ErrorType); 61] = [
            ("context_length", ErrorType::ContextLength),
            ("context_window", ErrorType::ContextLength),
            ("contextwindow", ErrorType::ContextLength),
            ("exceed_context", ErrorType::ContextLength),
            ("too_many_prompt_tokens", ErrorType::ContextLength),
            ("too_many_tokens", ErrorType::ContextLength),
            ("quota", ErrorType::Quota),
            ("billing", ErrorType::Quota),
            ("credit", ErrorType::Quota),
            ("insufficient_balance", ErrorType::Quota),
            ("payment_required", ErrorType::Quota),
            ("budget_exceeded", ErrorType::Quota),
            ("rate_limit", ErrorType::RateLimited),
            ("ratelimit", ErrorType::RateLimited),
            ("slow_down", ErrorType::RateLimited),
            ("too_many_requests", ErrorType::RateLimited),
            ("toomanyrequests", ErrorType::RateLimited),
            ("throttl", ErrorType::RateLimited),
            ("resource_exhausted", ErrorType::RateLimited),
            ("content_filter", ErrorType::ContentFilter),
            ("content_policy", ErrorType::ContentFilter),
            ("responsibleaipolicy", ErrorType::ContentFilter),
            ("data_inspection", ErrorType::ContentFilter),
            ("datainspection", ErrorType::ContentFilter),
            ("moderation", ErrorType::ContentFilter),
            ("overloaded", ErrorType::Overloaded),
            ("notready", ErrorType::Overloaded),
            ("unavailable", ErrorType::Overloaded),
            ("api_key_service_blocked", ErrorType::Permission),
            ("referrer_blocked", ErrorType::Permission),
            ("ip_address_blocked", ErrorType::Permission),
            ("authentication", ErrorType::Auth),
            ("unauthorized", ErrorType::Auth),
            ("unauthenticated", ErrorType::Auth),
            ("api_key", ErrorType::Auth),
            ("expired_key", ErrorType::Auth),
            ("clienttoken", ErrorType::Auth),
            ("expiredtoken", ErrorType::Auth),
            ("token_expired", ErrorType::Auth),
            ("token_not_found", ErrorType::Auth),
            ("invalidsignature", ErrorType::Auth),
            ("incompletesignature", ErrorType::Auth),
            ("unrecognizedclient", ErrorType::Auth),
            ("permission", ErrorType::Permission),
            ("accessdenied", ErrorType::Permission),
            ("access_denied", ErrorType::Permission),
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
        ];
        let word = word.to_ascii_lowercase();
        let first = WORDS.iter().find(|(part, _)| word.contains(part));
        first.map(|(_, error)| *error)
    }

    /// Returns true for a general type, such as the one of a status code. A code in the body may
    /// give a more specific one.
    pub(crate) fn is_general(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::ServerError | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types and codes of providers' errors.
    const WORDS: &[(&str, Option<ErrorType>)] = &[
        // OpenAI, Azure.
        ("invalid_request_error", Some(ErrorType::InvalidRequest)),
        ("context_length_exceeded", Some(ErrorType::ContextLength)),
        ("invalid_api_key", Some(ErrorType::Auth)),
        ("authentication_error", Some(ErrorType::Auth)),
        ("insufficient_quota", Some(ErrorType::Quota)),
        ("billing_hard_limit_reached", Some(ErrorType::Quota)),
        ("billing_not_active", Some(ErrorType::Quota)),
        ("rate_limit_exceeded", Some(ErrorType::RateLimited)),
        ("rate_limit_error", Some(ErrorType::RateLimited)),
        ("requests", None),
        ("tokens", None),
        ("slow_down", Some(ErrorType::RateLimited)),
        ("server_error", Some(ErrorType::ServerError)),
        ("server_is_overloaded", Some(ErrorType::Overloaded)),
        ("engine_overloaded_error", Some(ErrorType::Overloaded)),
        ("model_not_found", Some(ErrorType::NotFound)),
        ("previous_response_not_found", Some(ErrorType::NotFound)),
        ("content_policy_violation", Some(ErrorType::ContentFilter)),
        (
            "image_content_policy_violation",
            Some(ErrorType::ContentFilter),
        ),
        ("moderation_blocked", Some(ErrorType::ContentFilter)),
        ("content_filter", Some(ErrorType::ContentFilter)),
        (
            "ResponsibleAIPolicyViolation",
            Some(ErrorType::ContentFilter),
        ),
        ("insufficient_permissions", Some(ErrorType::Permission)),
        ("invalid_prompt", Some(ErrorType::InvalidRequest)),
        ("image_too_large", Some(ErrorType::TooLarge)),
        ("vector_store_timeout", Some(ErrorType::Timeout)),
        ("token_expired", Some(ErrorType::Auth)),
        ("string_above_max_length", None),
        ("unsupported_country_region_territory", None),
        ("too_many_images", None),
        ("DeploymentNotFound", Some(ErrorType::NotFound)),
        ("PermissionDenied", Some(ErrorType::Permission)),
        ("Unauthorized", Some(ErrorType::Auth)),
        ("RateLimitReached", Some(ErrorType::RateLimited)),
        ("TooManyRequests", Some(ErrorType::RateLimited)),
        ("tokens_limit_reached", None),
        // Anthropic.
        ("billing_error", Some(ErrorType::Quota)),
        ("permission_error", Some(ErrorType::Permission)),
        ("not_found_error", Some(ErrorType::NotFound)),
        ("conflict_error", None),
        ("request_too_large", Some(ErrorType::TooLarge)),
        ("timeout_error", Some(ErrorType::Timeout)),
        ("api_error", Some(ErrorType::ServerError)),
        ("overloaded_error", Some(ErrorType::Overloaded)),
        // Gemini, Vertex AI.
        ("INVALID_ARGUMENT", Some(ErrorType::InvalidRequest)),
        ("FAILED_PRECONDITION", Some(ErrorType::InvalidRequest)),
        ("PERMISSION_DENIED", Some(ErrorType::Permission)),
        ("NOT_FOUND", Some(ErrorType::NotFound)),
        ("RESOURCE_EXHAUSTED", Some(ErrorType::RateLimited)),
        ("RATE_LIMIT_EXCEEDED", Some(ErrorType::RateLimited)),
        ("INTERNAL", Some(ErrorType::ServerError)),
        ("UNAVAILABLE", Some(ErrorType::Overloaded)),
        ("DEADLINE_EXCEEDED", Some(ErrorType::Timeout)),
        ("UNAUTHENTICATED", Some(ErrorType::Auth)),
        ("API_KEY_INVALID", Some(ErrorType::Auth)),
        ("ACCESS_TOKEN_EXPIRED", Some(ErrorType::Auth)),
        ("API_KEY_SERVICE_BLOCKED", Some(ErrorType::Permission)),
        ("API_KEY_HTTP_REFERRER_BLOCKED", Some(ErrorType::Permission)),
        ("API_KEY_IP_ADDRESS_BLOCKED", Some(ErrorType::Permission)),
        ("BILLING_DISABLED", Some(ErrorType::Quota)),
        ("SERVICE_DISABLED", None),
        // Bedrock.
        ("ValidationException", Some(ErrorType::InvalidRequest)),
        ("AccessDeniedException", Some(ErrorType::Permission)),
        ("ThrottlingException", Some(ErrorType::RateLimited)),
        ("TooManyRequestsException", Some(ErrorType::RateLimited)),
        ("ServiceQuotaExceededException", Some(ErrorType::Quota)),
        ("ResourceNotFoundException", Some(ErrorType::NotFound)),
        ("ModelNotReadyException", Some(ErrorType::Overloaded)),
        ("ServiceUnavailableException", Some(ErrorType::Overloaded)),
        ("InternalServerException", Some(ErrorType::ServerError)),
        ("ModelErrorException", Some(ErrorType::ServerError)),
        ("ModelStreamErrorException", Some(ErrorType::ServerError)),
        ("ModelTimeoutException", Some(ErrorType::Timeout)),
        ("ExpiredTokenException", Some(ErrorType::Auth)),
        ("UnrecognizedClientException", Some(ErrorType::Auth)),
        ("MissingAuthenticationTokenException", Some(ErrorType::Auth)),
        ("InvalidClientTokenId", Some(ErrorType::Auth)),
        ("InvalidSignatureException", Some(ErrorType::Auth)),
        ("IncompleteSignatureException", Some(ErrorType::Auth)),
        // Perplexity, Cohere.
        ("too_many_prompt_tokens", Some(ErrorType::ContextLength)),
        ("TOO_MANY_TOKENS", Some(ErrorType::ContextLength)),
        ("invalid_model", Some(ErrorType::InvalidRequest)),
        ("bad_request", Some(ErrorType::InvalidRequest)),
        // Mistral, Groq, Moonshot, DeepSeek, DashScope, OpenRouter.
        ("service_tier_capacity_exceeded", None),
        ("json_validate_failed", None),
        ("exceeded_current_quota_error", Some(ErrorType::Quota)),
        ("insufficient_balance", Some(ErrorType::Quota)),
        ("unknown_error", None),
        ("DataInspectionFailed", Some(ErrorType::ContentFilter)),
        ("data_inspection_failed", Some(ErrorType::ContentFilter)),
        ("insufficient_credits", Some(ErrorType::Quota)),
        ("credit_balance_exhausted", Some(ErrorType::Quota)),
        ("payment_required", Some(ErrorType::Quota)),
        // VLLM, llama.cpp, LiteLLM.
        ("BadRequestError", None),
        ("NotFoundError", Some(ErrorType::NotFound)),
        ("InternalServerError", Some(ErrorType::ServerError)),
        ("exceed_context_size_error", Some(ErrorType::ContextLength)),
        ("unavailable_error", Some(ErrorType::Overloaded)),
        ("not_supported_error", None),
        ("ContextWindowExceededError", Some(ErrorType::ContextLength)),
        ("budget_exceeded", Some(ErrorType::Quota)),
        ("token_not_found_in_db", Some(ErrorType::Auth)),
        ("expired_key", Some(ErrorType::Auth)),
        ("key_model_access_denied", Some(ErrorType::Permission)),
        ("internal_server_error", Some(ErrorType::ServerError)),
        // Unknown codes.
        ("", None),
        ("something else", None),
        ("too_many_tools", None),
        ("invalid_credentials", Some(ErrorType::InvalidRequest)),
    ];

    #[test]
    fn an_error_code_maps_to_its_type() {
        for (word, error) in WORDS {
            assert_eq!(ErrorType::from_code(word), *error, "{word}");
        }
    }

    #[test]
    fn an_error_status_maps_to_its_type() {
        use ErrorType as E;
        for (status, error) in [
            (200, None),
            (301, None),
            (418, Some(E::InvalidRequest)),
            (429, Some(E::RateLimited)),
            (529, Some(E::Overloaded)),
            (599, Some(E::ServerError)),
            (600, Some(E::Other)),
        ] {
            assert_eq!(E::from_status(status), error, "{status}");
        }
    }
}
