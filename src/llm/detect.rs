//! Which requests are calls of an LLM: by method, host and path.

use http::Method;

use crate::llm::dialect::{ALL, Dialect};

/// What a request asks for, as far as its head tells.
#[derive(Debug, Clone)]
pub(super) struct Detected {
    pub(super) dialect: &'static Dialect,
    pub(super) operation: &'static str,
    pub(super) provider: Box<str>,
    /// Whether it may be a request of something else, unless it names a model.
    pub(super) is_likely: bool,
    /// What stands for the model in the path, though it is none: Azure's deployment.
    pub(super) deployment: Option<Box<str>>,
}

/// The hosts of providers, or ends of them, and the providers' names, of the
/// OpenTelemetry GenAI conventions where these have one.
const HOSTS: [(&str, &str); 30] = [
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".models.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    (".aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("openrouter.ai", "openrouter"),
    ("api.x.ai", "x_ai"),
    (".api.x.ai", "x_ai"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("router.huggingface.co", "huggingface"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.sambanova.ai", "sambanova"),
    ("ollama.com", "ollama"),
];

/// Returns what a request asks for, or nothing if it is no call of an LLM: of these, a
/// `POST` to one of the dialects' paths. `provider` is what the user says of the host.
pub(super) fn detect(
    method: &Method,
    host: &str,
    path: &str,
    provider: Option<&str>,
) -> Option<Detected> {
    if method != Method::POST {
        return None;
    }
    let path = path.trim_end_matches('/');
    let (dialect, end) = ALL.into_iter().find_map(|dialect| {
        let end = dialect.paths.iter().find(|own| path.ends_with(own.end));
        Some((dialect, end?))
    })?;
    let before = &path[..path.len() - end.end.len()];
    let known = provider.or_else(|| provider_of(host));
    let deployment = deployment(before);
    let is_certain =
        known.is_some() || end.is_special || deployment.is_some() || before.ends_with("/v1");
    Some(Detected {
        dialect,
        operation: end.operation,
        provider: known.unwrap_or(dialect.provider).into(),
        is_likely: !is_certain,
        deployment: deployment.map(Into::into),
    })
}

/// Returns the provider that a host belongs to, if that is known.
fn provider_of(host: &str) -> Option<&'static str> {
    let is = |known: &str| match known.as_bytes()[0] {
        b'.' | b'-' => ends_with(host, known),
        _ => host.eq_ignore_ascii_case(known),
    };
    let (_, provider) = HOSTS.iter().find(|(known, _)| is(known))?;
    Some(provider)
}

fn ends_with(host: &str, end: &str) -> bool {
    let (host, end) = (host.as_bytes(), end.as_bytes());
    host.len() > end.len() && host[host.len() - end.len()..].eq_ignore_ascii_case(end)
}

/// Returns the deployment that a path names, as Azure's do.
fn deployment(path: &str) -> Option<&str> {
    let (_, after) = path.split_once("/deployments/")?;
    let name = after.split('/').next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, &str, bool)>) {
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        let found = detect(&Method::POST, host, &format!("/{path}"), None);
        let found = found.as_ref().map(|found| {
            let Detected {
                provider,
                operation,
                is_likely,
                ..
            } = found;
            (&**provider, *operation, *is_likely)
        });
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn calls_are_known_by_host_and_path() {
        for (url, expected) in [
            (
                "api.openai.com/v1/chat/completions",
                Some(("openai", "chat", false)),
            ),
            (
                "API.OpenAI.com/v1/responses",
                Some(("openai", "chat", false)),
            ),
            (
                "eu.api.openai.com/v1/embeddings",
                Some(("openai", "embeddings", false)),
            ),
            (
                "api.openai.com/v1/completions/",
                Some(("openai", "text_completion", false)),
            ),
            (
                "api.anthropic.com/v1/messages",
                Some(("anthropic", "chat", false)),
            ),
            (
                "openrouter.ai/api/v1/chat/completions",
                Some(("openrouter", "chat", false)),
            ),
            (
                "localhost/v1/chat/completions",
                Some(("openai_compatible", "chat", false)),
            ),
            (
                "proxy.example/litellm/chat/completions",
                Some(("openai_compatible", "chat", false)),
            ),
            (
                "localhost/v1/messages",
                Some(("anthropic_compatible", "chat", false)),
            ),
            ("localhost/api/chat", Some(("ollama", "chat", true))),
            (
                "localhost/api/generate",
                Some(("ollama", "text_completion", true)),
            ),
            (
                "shop.example/survey/responses",
                Some(("openai_compatible", "chat", true)),
            ),
            (
                "x.openai.azure.com/openai/deployments/d/embeddings",
                Some(("azure.ai.openai", "embeddings", false)),
            ),
            // These make nothing, or tell again what was counted.
            ("api.openai.com/v1/responses/resp_1/cancel", None),
            ("api.openai.com/v1/responses/input_tokens", None),
            ("api.openai.com/v1/threads/t/messages", None),
            ("api.anthropic.com/v1/messages/count_tokens", None),
            ("api.anthropic.com/v1/messages/batches", None),
            ("api.openai.com/v1/models", None),
            ("api.openai.com/", None),
            ("notapi.openai.com.evil.example/v1/models", None),
        ] {
            check(url, expected);
        }
        let get = detect(&Method::GET, "api.openai.com", "/v1/chat/completions", None);
        assert!(get.is_none());
    }

    #[test]
    fn a_host_that_only_looks_like_a_providers_is_none() {
        for host in [
            "api.openai.com.evil.example",
            "evilapi.openai.com",
            "openai.azure.com",
            "",
        ] {
            assert_eq!(provider_of(host), None, "{host}");
        }
        assert_eq!(provider_of("x.OpenAI.azure.com"), Some("azure.ai.openai"));
    }

    #[test]
    fn a_deployment_is_no_model_but_is_found_in_the_path() {
        let found = detect(
            &Method::POST,
            "h",
            "/openai/deployments/mine/chat/completions",
            None,
        );
        assert_eq!(found.unwrap().deployment.as_deref(), Some("mine"));
        for path in [
            "/openai/deployments//chat/completions",
            "/v1/chat/completions",
        ] {
            let found = detect(&Method::POST, "h", path, None).unwrap();
            assert_eq!(found.deployment, None, "{path}");
        }
    }

    #[test]
    fn no_path_of_a_dialect_hides_anothers() {
        let ends: Vec<_> = ALL.iter().flat_map(|dialect| dialect.paths).collect();
        for (at, path) in ends.iter().enumerate() {
            let first = ends.iter().position(|other| path.end.ends_with(other.end));
            assert_eq!(first, Some(at), "{}", path.end);
        }
    }
}
