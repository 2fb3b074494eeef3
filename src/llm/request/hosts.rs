//! The hosts of LLM providers.

/// Hosts, and the names of their providers. An entry that starts with a dot or a hyphen matches
/// all hosts that end with it.
///
/// The names are those of the OpenTelemetry GenAI conventions. If the conventions have no name for
/// a provider, it is usually LiteLLM's.
const HOSTS: [(&str, &str); 82] = [
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
    ("chatgpt.com", "chatgpt"),
    ("ai-gateway.vercel.sh", "vercel_ai_gateway"),
    ("gateway.ai.cloudflare.com", "cloudflare_ai_gateway"),
    ("ai-gateway.helicone.ai", "helicone"),
    ("api.portkey.ai", "portkey"),
    ("api.poe.com", "poe"),
    (".githubcopilot.com", "github_copilot"),
    ("models.github.ai", "github_models"),
    (".ml.cloud.ibm.com", "ibm.watsonx.ai"),
    (".snowflakecomputing.com", "snowflake"),
    (".inference.heroku.com", "heroku"),
    ("api.ai21.com", "ai21"),
    ("api.avian.io", "avian"),
    ("inference.baseten.co", "baseten"),
    (".api.baseten.co", "baseten"),
    ("hyper.charm.land", "charm_hyper"),
    ("llm.chutes.ai", "chutes"),
    ("api.inference.crusoecloud.com", "crusoe"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("dashscope-intl.aliyuncs.com", "dashscope"),
    ("dashscope-us.aliyuncs.com", "dashscope"),
    (".dashscope.aliyuncs.com", "dashscope"),
    ("api.doubleword.ai", "doubleword"),
    ("api.featherless.ai", "featherless_ai"),
    ("api.friendli.ai", "friendliai"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.lambda.ai", "lambda_ai"),
    ("api.minimax.io", "minimax"),
    ("api.minimaxi.com", "minimax"),
    ("api.studio.nebius.ai", "nebius"),
    ("api.tokenfactory.nebius.com", "nebius"),
    ("api.novita.ai", "novita"),
    ("inference.api.nscale.com", "nscale"),
    ("oai.endpoints.kepler.ai.cloud.ovh.net", "ovhcloud"),
    ("api.scaleway.ai", "scaleway"),
    ("api.siliconflow.cn", "siliconflow"),
    ("api.siliconflow.com", "siliconflow"),
    ("api.venice.ai", "venice"),
    ("ark.cn-beijing.volces.com", "volcengine"),
    ("api.inference.wandb.ai", "wandb"),
    ("api.writer.com", "writer"),
    ("api.z.ai", "zai"),
];

/// Returns the provider of a host, or `None` if the host is unknown.
pub(crate) fn provider_for_host(host: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match pattern.as_bytes()[0] {
        b'.' | b'-' => ends_with(host, pattern),
        _ => host.eq_ignore_ascii_case(pattern),
    };
    let listed = HOSTS.iter().find(|(pattern, _)| matches(pattern));
    let provider = listed.map(|(_, provider)| *provider);
    provider.or_else(|| is_bedrock_host(host).then_some("aws.bedrock"))
}

/// Returns true for a host of Amazon Bedrock in any region.
///
/// Examples are `bedrock-runtime.us-east-1.amazonaws.com`, which may follow the name of a private
/// endpoint, and `bedrock-mantle.us-east-1.api.aws`, which serves OpenAI-compatible APIs.
fn is_bedrock_host(host: &str) -> bool {
    let is_aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .any(|suffix| ends_with(host, suffix));
    let mut parts = host.split('.');
    let is_runtime = |part: &str| {
        ["bedrock-runtime", "bedrock-runtime-fips", "bedrock-mantle"]
            .iter()
            .any(|service| part.eq_ignore_ascii_case(service))
    };
    is_aws && parts.any(is_runtime)
}

/// Returns true if a host ends with `suffix` and is longer, ignoring ASCII case.
fn ends_with(host: &str, suffix: &str) -> bool {
    let (host, suffix) = (host.as_bytes(), suffix.as_bytes());
    host.len() > suffix.len() && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

/// Returns true if a configured host matches a request's host and port. Without a port it matches
/// all ports.
pub(crate) fn host_matches(configured: &str, host: &str, port: Option<u16>) -> bool {
    let (name, configured_port) = match configured.rsplit_once(':') {
        // An IPv6 address is in brackets, so the colons in it do not start a port.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, port.parse().ok())
        }
        _ => (configured, None),
    };
    name.eq_ignore_ascii_case(host) && (configured_port.is_none() || configured_port == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_only_resembles_a_providers_host_is_unknown() {
        for host in [
            "api.openai.com.evil.example",
            "evilapi.openai.com",
            "openai.azure.com",
            "bedrock-runtime.us-east-1.amazonaws.com.evil.example",
            "bedrock-runtime.example",
            "evil-bedrock-runtime.us-east-1.amazonaws.com",
            "",
            "githubcopilot.com",
            "evilgithubcopilot.com",
            "api.githubcopilot.com.evil.example",
            "github.com",
            "api.github.com",
            "evil.models.github.ai",
            "snowflakecomputing.com",
            "evilsnowflakecomputing.com",
            "acme.snowflakecomputing.com.evil.example",
            "cloud.ibm.com",
            "iam.cloud.ibm.com",
            "us-south.evilml.cloud.ibm.com",
            "evildashscope.aliyuncs.com",
            "oss.aliyuncs.com",
            "dashscope-evil.aliyuncs.com",
            "acme.herokuapp.com",
            "inference.heroku.com",
            "evil.chatgpt.com",
            "notchatgpt.com",
            "vercel.sh",
            "acme.vercel.sh",
            "gateway.ai.cloudflare.com.evil.example",
            "ai.cloudflare.com",
            "z.ai",
            "evilapi.z.ai",
            "api.baseten.co",
            "services.ai.azure.com",
        ] {
            assert_eq!(provider_for_host(host), None, "{host}");
        }
    }

    #[test]
    fn the_provider_of_a_host_does_not_depend_on_region_and_case() {
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
            // It also serves Anthropic's API at `/anthropic`.
            ("acme.services.ai.azure.com", "azure.ai.inference"),
            ("api.githubcopilot.com", "github_copilot"),
            ("api.business.githubcopilot.com", "github_copilot"),
            ("api.enterprise.githubcopilot.com", "github_copilot"),
            ("models.github.ai", "github_models"),
            ("acme-x1.snowflakecomputing.com", "snowflake"),
            ("eu-de.ml.cloud.ibm.com", "ibm.watsonx.ai"),
            ("us.inference.heroku.com", "heroku"),
            ("model-abc.api.baseten.co", "baseten"),
            ("cn-hongkong.dashscope.aliyuncs.com", "dashscope"),
            ("coding-intl.dashscope.aliyuncs.com", "dashscope"),
            ("DashScope-Intl.aliyuncs.com", "dashscope"),
            ("chatgpt.com", "chatgpt"),
            ("ai-gateway.vercel.sh", "vercel_ai_gateway"),
            ("api.z.ai", "zai"),
        ] {
            assert_eq!(provider_for_host(host), Some(provider), "{host}");
        }
    }

    #[test]
    fn each_entry_matches_its_host_and_no_longer_one() {
        for (pattern, provider) in HOSTS {
            let host = match pattern.as_bytes()[0] {
                b'.' | b'-' => format!("x{pattern}"),
                _ => pattern.to_owned(),
            };
            assert_eq!(provider_for_host(&host), Some(provider), "{pattern}");
            assert_eq!(
                provider_for_host(&format!("{host}.evil.example")),
                None,
                "{pattern}"
            );
            assert_eq!(provider_for_host(&format!("{host}x")), None, "{pattern}");
            let is_alphanumeric =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
            let is_name = |letter: char| is_alphanumeric(letter) || letter == '_' || letter == '.';
            assert!(provider.chars().all(is_name), "{provider}");
            let count = HOSTS.iter().filter(|(other, _)| *other == pattern).count();
            assert_eq!(count, 1, "{pattern}");
        }
    }
}
