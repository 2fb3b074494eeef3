//! Whose hosts are whose.

/// The hosts of providers, or ends of them, and the providers' names, of the
/// OpenTelemetry GenAI conventions where these have one.
const HOSTS: [(&str, &str); 40] = [
    ("api.openai.com", "openai"),
    (".api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".openai.azure.us", "azure.ai.openai"),
    (".openai.azure.cn", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.us", "azure.ai.openai"),
    (".cognitiveservices.azure.cn", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".models.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    (".aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("aiplatform.us.rep.googleapis.com", "gcp.vertex_ai"),
    ("aiplatform.eu.rep.googleapis.com", "gcp.vertex_ai"),
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
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.sambanova.ai", "sambanova"),
    ("api.voyageai.com", "voyage"),
    ("api.jina.ai", "jina"),
    ("ollama.com", "ollama"),
];

/// Returns the provider that a host belongs to, if that is known.
pub(super) fn provider_of(host: &str) -> Option<&'static str> {
    let is = |known: &str| match known.as_bytes()[0] {
        b'.' | b'-' => ends_with(host, known),
        _ => host.eq_ignore_ascii_case(known),
    };
    let known = HOSTS.iter().find(|(known, _)| is(known));
    let known = known.map(|(_, provider)| *provider);
    known.or_else(|| is_bedrock(host).then_some("aws.bedrock"))
}

/// Whether a host is one of Bedrock's: `bedrock-runtime.us-east-1.amazonaws.com`, with a
/// region of any name, and before it that of a private endpoint; or
/// `bedrock-mantle.us-east-1.api.aws`, which speaks as others do.
fn is_bedrock(host: &str) -> bool {
    let is_amazons = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .any(|end| ends_with(host, end));
    let mut parts = host.split('.');
    let is_runtime = |part: &str| {
        ["bedrock-runtime", "bedrock-runtime-fips", "bedrock-mantle"]
            .iter()
            .any(|known| part.eq_ignore_ascii_case(known))
    };
    is_amazons && parts.any(is_runtime)
}

fn ends_with(host: &str, end: &str) -> bool {
    let (host, end) = (host.as_bytes(), end.as_bytes());
    host.len() > end.len() && host[host.len() - end.len()..].eq_ignore_ascii_case(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_only_looks_like_a_providers_is_none() {
        for host in [
            "api.openai.com.evil.example",
            "evilapi.openai.com",
            "openai.azure.com",
            "bedrock-runtime.us-east-1.amazonaws.com.evil.example",
            "bedrock-runtime.example",
            "evil-bedrock-runtime.us-east-1.amazonaws.com",
            "",
        ] {
            assert_eq!(provider_of(host), None, "{host}");
        }
    }

    #[test]
    fn a_host_of_any_region_and_spelling_is_its_providers() {
        for (host, provider) in [
            ("x.OpenAI.azure.com", "azure.ai.openai"),
            ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
            (
                "bedrock-runtime-fips.us-west-2.amazonaws.com",
                "aws.bedrock",
            ),
            (
                "vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
                "aws.bedrock",
            ),
            ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
            ("bedrock-mantle.us-east-1.api.aws", "aws.bedrock"),
            ("europe-west4-aiplatform.googleapis.com", "gcp.vertex_ai"),
            ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ] {
            assert_eq!(provider_of(host), Some(provider), "{host}");
        }
    }
}
