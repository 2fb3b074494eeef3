//! Which requests are calls of an LLM: by method, host and path.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::llm::request::hosts::provider_for_host;
use crate::llm::request::parameters::truncate_name;
use crate::llm::response::{DIALECTS, Dialect, PathPattern};

/// What a request asks for, as far as its head tells.
#[derive(Debug, Clone)]
pub(crate) struct Detected {
    pub(crate) dialect: &'static Dialect,
    pub(crate) operation: &'static str,
    pub(crate) provider: Box<str>,
    /// Whether it fetches a stored answer, instead of asking for one.
    pub(crate) is_stored: bool,
    /// Whether it may be a request of something else, unless it names a model.
    pub(crate) needs_model: bool,
    /// Whether it is one of something else, where it is seen to name none.
    pub(crate) needs_model_if_readable: bool,
    /// The model, where the path names it.
    pub(crate) model: Option<Box<str>>,
    /// What stands for the model in the path, though it is none: Azure's deployment, and
    /// Google's endpoint.
    pub(crate) deployment: Option<Box<str>>,
}

/// Returns what a request asks for, or nothing if it is no call of an LLM: of these, a
/// `POST` to one of the dialects' paths, and a `GET` of a stored answer. `provider` is what
/// the user says of the host.
pub(crate) fn detect(
    method: &Method,
    host: &str,
    path: &str,
    provider: Option<&str>,
) -> Option<Detected> {
    let is_stored = match *method {
        Method::POST => false,
        Method::GET => true,
        _ => return None,
    };
    let path = path.trim_end_matches('/');
    let (dialect, end, before) = DIALECTS.into_iter().find_map(|dialect| {
        let mut ends = dialect.paths.iter();
        let (end, before) = ends.find_map(|end| {
            (end.is_stored == is_stored)
                .then(|| match_path(end, path))
                .flatten()
        })?;
        Some((dialect, end, before))
    })?;
    let model = end
        .has_model
        .then(|| model_in_path(before, end.infix))
        .flatten();
    let operation = end.operation(model.as_deref())?;
    let known = provider.or_else(|| provider_for_host(host));
    let deployment = deployment(before);
    let is_versioned = before.ends_with("/v1") || before.ends_with("/v2");
    let is_certain = known.is_some() || end.is_llm_only || deployment.is_some() || is_versioned;
    // Nothing in a request without a body would show what it is.
    if is_stored && !is_certain {
        return None;
    }
    Some(Detected {
        dialect,
        operation,
        is_stored,
        provider: known.unwrap_or(dialect.provider).into(),
        needs_model: !is_certain,
        needs_model_if_readable: known.is_none() && end.is_model_required,
        model: model.filter(|_| deployment.is_none()),
        deployment: deployment
            .map(|name| truncate_name(&percent_decode_str(name).decode_utf8_lossy())),
    })
}

/// Returns the end of a path, and what is before it, if it is the path's.
fn match_path<'a, 'b>(end: &'a PathPattern, path: &'b str) -> Option<(&'a PathPattern, &'b str)> {
    let path = if end.is_stored {
        &path[..=path.rfind('/')?]
    } else {
        path
    };
    let before = path.strip_suffix(end.suffix)?;
    before.contains(end.infix).then_some((end, before))
}

/// Returns the model that a path names, after something else: of the name of a resource of
/// AWS's, which says whose it is, the last part.
fn model_in_path(before: &str, within: &str) -> Option<Box<str>> {
    let (_, name) = before.rsplit_once(within)?;
    let name = percent_decode_str(name).decode_utf8_lossy();
    let model = match name.strip_prefix("arn:") {
        // After partition, service, region and account, and the kind of resource.
        Some(resource) => resource.splitn(5, ':').last()?.rsplit('/').next()?,
        None => &name,
    };
    (!model.is_empty()).then(|| truncate_name(model))
}

/// Returns the deployment or endpoint that a path names, as Azure's and Google's do.
fn deployment(before: &str) -> Option<&str> {
    let name = match before.split_once("/deployments/") {
        Some((_, after)) => after.split('/').next()?,
        // The last one: where something follows, the model is told beside.
        None => before.rsplit_once("/endpoints/")?.1,
    };
    let is_one = !name.is_empty() && !name.contains('/') && name != "openapi";
    is_one.then_some(name)
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
                needs_model: is_likely,
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
    }

    #[test]
    fn a_stored_answer_is_fetched_by_its_id() {
        for (host, path, is_stored) in [
            ("api.openai.com", "/v1/responses/resp_1", true),
            ("x.openai.azure.com", "/openai/responses/resp_1", true),
            ("localhost", "/v1/responses/resp_1/", true),
            ("localhost", "/survey/responses/17", false),
            ("api.openai.com", "/v1/responses", false),
            ("api.openai.com", "/v1/responses/resp_1/input_items", false),
            ("api.openai.com", "/v1/chat/completions", false),
        ] {
            let found = detect(&Method::GET, host, path, None);
            assert_eq!(
                found.is_some_and(|found| found.is_stored),
                is_stored,
                "{path}"
            );
        }
        let deleted = detect(&Method::DELETE, "api.openai.com", "/v1/responses/r", None);
        assert!(deleted.is_none());
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
        let escaped = "/openai/deployments/%73k-key/chat/completions";
        let found = detect(&Method::POST, "h", escaped, None);
        assert_eq!(found.unwrap().deployment.as_deref(), Some("sk-key"));
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
        let ends: Vec<_> = DIALECTS.iter().flat_map(|dialect| dialect.paths).collect();
        for (at, path) in ends.iter().enumerate() {
            let hides = |other: &&PathPattern| {
                path.suffix.ends_with(other.suffix) && path.infix.contains(other.infix)
            };
            let first = ends.iter().position(hides);
            assert_eq!(first, Some(at), "{}", path.suffix);
        }
    }
}
