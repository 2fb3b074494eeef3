//! The check whether a model name may become a label.

/// Returns true if a name may become a label.
///
/// Names with invisible or bidirectional characters may not, because a client may have chosen
/// them. Names that look like an API key may not, because a client may have sent its key as the
/// model.
pub(crate) fn is_allowed_label(name: &str) -> bool {
    name.len() <= MAX_BYTES && !name.chars().any(is_hidden) && !is_key(name)
}

/// The greatest length of a name, in bytes.
const MAX_BYTES: usize = 256;

/// The longest run of letters and digits that is not treated as a key or a digest.
const MAX_RUN: usize = 31;

/// The prefixes of well-known API keys.
const KEYS: [&str; 14] = [
    "sk-",
    "gsk_",
    "hf_",
    "nvapi-",
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "github_pat_",
    "xoxb-",
    "xoxp-",
];

fn is_key(name: &str) -> bool {
    // `+` and `=` are part of base64, and never of a model name, so they do not end a run.
    let ends_run = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '+' | '=');
    // A key may follow other words, but `task-runner` does not contain one.
    let ends_word = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '_');
    let is_scheme = |word: &str| word.eq_ignore_ascii_case("bearer");
    let is_start = |word: &str| KEYS.iter().any(|key| word.starts_with(key));
    let mut words = name.split(ends_word);
    name.split(ends_run).any(|run| run.len() > MAX_RUN)
        || words.any(|word| is_start(word) || (is_scheme(word) && word != name))
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_models_may_become_labels() {
        for name in [
            "gpt-4o-mini-2024-07-18",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
            "accounts/fireworks/models/deepseek-v3p1-terminus",
            "ft:gpt-4o-mini-2024-07-18:acme:support:9aBcDeF1",
            "publishers/google/models/gemini-2.5-flash",
            "mistral-small-24b-instruct-2501",
            "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
            "task-runner",
            "xai-org/grok-1",
            "pplx-7b-online",
            "bearer",
            "模型",
            "x",
        ] {
            assert!(is_allowed_label(name), "{name}");
        }
    }

    #[test]
    fn keys_and_hidden_characters_may_not_become_labels() {
        for name in [
            "sk-proj-abc",
            "sk-ant-api03-x",
            "AIzaSyA-1234",
            "Bearer abc",
            "bearer abc",
            "gsk_abc",
            " sk-abc",
            "openai/sk-abc",
            "Authorization: Bearer abc",
            "hf_abc",
            "ghp_abc",
            "AKIAABC",
            "ASIAABC",
            "nvapi-abc",
            "ghs_abc",
            "github_pat_abc",
            "gpt\u{200b}4",
            "gpt\u{2028}4",
            "gpt\u{feff}",
            "gpt\u{e0041}",
            "0123456789abcdef0123456789abcdef",
            "gpt-0123456789abcdef0123456789abcdef",
            "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY+Vo=",
            "QUJDREVGR0hJSktMTU5+UFFSU1RVVldYVo=",
            "gpt\u{202e}4",
            "gpt\n4",
            "gpt\0",
            "\u{2066}gpt",
            "gpt\u{85}",
        ] {
            assert!(!is_allowed_label(name), "{name:?}");
        }
        assert!(is_allowed_label(&"ab-".repeat(85)));
        assert!(is_allowed_label(&("ab-".repeat(85) + "a")));
        assert!(!is_allowed_label(&("ab-".repeat(85) + "ab")));
        assert!(is_allowed_label(&"a".repeat(31)));
        assert!(!is_allowed_label(&"a".repeat(32)));
    }
}
