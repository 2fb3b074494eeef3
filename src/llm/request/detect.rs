//! Detection of LLM calls by method, host and path.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::llm::request::hosts::provider_for_host;
use crate::llm::request::parameters::truncate_name;
use crate::llm::response::{DIALECTS, Dialect, PathPattern};

/// An LLM call, detected from the head of its request.
#[derive(Debug, Clone)]
pub(crate) struct DetectedCall {
    pub(crate) dialect: &'static Dialect,
    pub(crate) operation: &'static str,
    pub(crate) provider: Box<str>,
    /// Whether the request fetches a stored response.
    pub(crate) is_fetch: bool,
    /// Whether the request is an LLM call only if it names a model.
    pub(crate) needs_model: bool,
    /// Whether the request is not an LLM call if its body is readable and names no model.
    pub(crate) needs_model_if_readable: bool,
    /// The model, if the path contains it.
    pub(crate) model: Option<Box<str>>,
    /// The name of an Azure deployment or a Google endpoint, which the path contains instead of
    /// the model.
    pub(crate) deployment: Option<Box<str>>,
}

/// Detects an LLM call: a `POST` request to one of the dialects' paths, or a `GET` request for a
/// stored response. `provider` is the configured provider of the host.
pub(crate) fn detect(
    method: &Method,
    host: &str,
    path: &str,
    provider: Option<&str>,
) -> Option<DetectedCall> {
    let is_fetch = match *method {
        Method::POST => false,
        Method::GET => true,
        _ => return None,
    };
    let path = path.trim_end_matches('/');
    let (dialect, pattern, base) = DIALECTS.into_iter().find_map(|dialect| {
        let mut patterns = dialect
            .paths
            .iter()
            .filter(|pattern| pattern.is_stored == is_fetch);
        let (pattern, base) =
            patterns.find_map(|pattern| Some((pattern, match_path(pattern, path)?)))?;
        Some((dialect, pattern, base))
    })?;
    let model = pattern
        .has_model
        .then(|| model_in_path(base, pattern.infix))
        .flatten();
    let operation = pattern.operation(model.as_deref())?;
    let provider = provider.or_else(|| provider_for_host(host));
    let deployment = deployment(base);
    let is_versioned = base.ends_with("/v1") || base.ends_with("/v2");
    let is_certain =
        provider.is_some() || pattern.is_llm_only || deployment.is_some() || is_versioned;
    // A request without a body cannot name a model.
    if is_fetch && !is_certain {
        return None;
    }
    Some(DetectedCall {
        dialect,
        operation,
        is_fetch,
        provider: provider.unwrap_or(dialect.provider).into(),
        needs_model: !is_certain,
        needs_model_if_readable: provider.is_none() && pattern.is_model_required,
        model: model.filter(|_| deployment.is_none()),
        deployment: deployment
            .map(|name| truncate_name(&percent_decode_str(name).decode_utf8_lossy())),
    })
}

/// Returns the part of a path before the pattern's suffix, if the path matches the pattern.
fn match_path<'a>(pattern: &PathPattern, path: &'a str) -> Option<&'a str> {
    let path = if pattern.is_stored {
        &path[..=path.rfind('/')?]
    } else {
        path
    };
    let base = path.strip_suffix(pattern.suffix)?;
    base.contains(pattern.infix).then_some(base)
}

/// Returns the model that follows `infix` in a path. For an Amazon Resource Name (ARN) it is the
/// last part, without the account.
fn model_in_path(path: &str, infix: &str) -> Option<Box<str>> {
    let (_, name) = path.rsplit_once(infix)?;
    let name = percent_decode_str(name).decode_utf8_lossy();
    let model = match name.strip_prefix("arn:") {
        // It starts with partition, service, region, account and resource type.
        Some(resource) => resource.splitn(5, ':').last()?.rsplit('/').next()?,
        None => &name,
    };
    (!model.is_empty()).then(|| truncate_name(model))
}

/// Returns the name of the Azure deployment or Google endpoint in a path.
fn deployment(path: &str) -> Option<&str> {
    let name = match path.split_once("/deployments/") {
        Some((_, after)) => after.split('/').next()?,
        // It must be the last part: a longer path also contains the model.
        None => path.rsplit_once("/endpoints/")?.1,
    };
    let is_name = !name.is_empty() && !name.contains('/') && name != "openapi";
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, &str, bool)>) {
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        let detected = detect(&Method::POST, host, &format!("/{path}"), None);
        let detected = detected.as_ref().map(|detected| {
            let DetectedCall {
                provider,
                operation,
                needs_model,
                ..
            } = detected;
            (&**provider, *operation, *needs_model)
        });
        assert_eq!(detected, expected, "{url}");
    }

    #[test]
    fn calls_are_detected_by_host_and_path() {
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
            // These generate nothing, or repeat what was counted.
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
    }

    #[test]
    fn the_fetch_of_a_stored_response_is_detected_by_its_id() {
        for (host, path, is_stored) in [
            ("api.openai.com", "/v1/responses/resp_1", true),
            ("x.openai.azure.com", "/openai/responses/resp_1", true),
            ("localhost", "/v1/responses/resp_1/", true),
            ("localhost", "/survey/responses/17", false),
            ("api.openai.com", "/v1/responses", false),
            ("api.openai.com", "/v1/responses/resp_1/input_items", false),
            ("api.openai.com", "/v1/chat/completions", false),
        ] {
            let detected = detect(&Method::GET, host, path, None);
            assert_eq!(
                detected.is_some_and(|detected| detected.is_fetch),
                is_stored,
                "{path}"
            );
        }
        let deleted = detect(&Method::DELETE, "api.openai.com", "/v1/responses/r", None);
        assert!(deleted.is_none());
    }

    #[test]
    fn a_deployment_in_the_path_is_not_the_model() {
        let detected = detect(
            &Method::POST,
            "h",
            "/openai/deployments/mine/chat/completions",
            None,
        );
        assert_eq!(detected.unwrap().deployment.as_deref(), Some("mine"));
        let escaped = "/openai/deployments/%73k-key/chat/completions";
        let detected = detect(&Method::POST, "h", escaped, None);
        assert_eq!(detected.unwrap().deployment.as_deref(), Some("sk-key"));
        for path in [
            "/openai/deployments//chat/completions",
            "/v1/chat/completions",
        ] {
            let detected = detect(&Method::POST, "h", path, None).unwrap();
            assert_eq!(detected.deployment, None, "{path}");
        }
    }

    #[test]
    fn no_path_pattern_shadows_another() {
        let patterns: Vec<_> = DIALECTS.iter().flat_map(|dialect| dialect.paths).collect();
        for (index, pattern) in patterns.iter().enumerate() {
            let matches = |other: &&PathPattern| {
                pattern.suffix.ends_with(other.suffix) && pattern.infix.contains(other.infix)
            };
            let first = patterns.iter().position(matches);
            assert_eq!(first, Some(index), "{}", pattern.suffix);
        }
    }
}
