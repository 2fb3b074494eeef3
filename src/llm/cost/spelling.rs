//! Model names without region, publisher and version.

use std::iter::{from_fn, successors};

/// The regions of Bedrock's inference profiles, as in `us.anthropic.claude-x`.
const REGIONS: [&str; 9] = [
    "us", "us-gov", "eu", "apac", "jp", "au", "ca", "in", "global",
];

/// The publishers in Bedrock's model names, as in `anthropic.claude-x`.
const PUBLISHERS: [&str; 19] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "zai",
];

/// The variants of OpenRouter and Ollama that serve the same model.
const VARIANTS: [&str; 4] = ["free", "nitro", "floor", "latest"];

/// The greatest number of spellings of one name. An attacker may send a name with hundreds of
/// parts.
const MAX_SPELLINGS: usize = 16;

/// Returns a name in full, then without its region, then without its publisher.
pub(crate) fn spellings(name: &str) -> impl Iterator<Item = &str> {
    successors(Some(name), |name| without_scope(name)).take(MAX_SPELLINGS)
}

/// Returns a name without its last version, then without its last two versions, and so on.
pub(crate) fn unversioned(mut name: &str) -> impl Iterator<Item = &str> {
    let mut has_revision = false;
    from_fn(move || {
        // A release without a revision may be another model, like DeepSeek's `-v3`.
        let release = has_revision.then(|| without_release(name)).flatten();
        let shorter = release.or_else(|| without_version(name))?;
        has_revision = is_revision(&name[shorter.len()..]);
        name = shorter;
        Some(shorter)
    })
}

/// Returns true if `model` is `name` or a version of it, ignoring regions and publishers.
pub(crate) fn is_version_of(model: &str, name: &str) -> bool {
    // If any two of their spellings are equal, the last ones are equal, too.
    let [model, name] = [model, name].map(|name| spellings(name).last().unwrap_or(name));
    model == name || unversioned(model).any(|model| model == name)
}

/// Removes one region, one path segment or one publisher.
fn without_scope(name: &str) -> Option<&str> {
    let without_prefix = |prefixes: &[&str]| {
        let (prefix, suffix) = name.split_once('.')?;
        prefixes.contains(&prefix).then_some(suffix)
    };
    let without_segment = || Some(name.split_once('/')?.1);
    without_prefix(&REGIONS)
        .or_else(without_segment)
        .or_else(|| without_prefix(&PUBLISHERS))
        .filter(|suffix| !suffix.is_empty())
}

/// Removes a date or a tag.
fn without_version(name: &str) -> Option<&str> {
    without_hyphenated_date(name)
        .or_else(|| without_tag(name))
        .filter(|base| !base.is_empty())
}

/// Removes a date such as `-2024-08-06`.
fn without_hyphenated_date(name: &str) -> Option<&str> {
    let start = name.len().checked_sub("-2024-08-06".len())?;
    let date = name.get(start..)?.strip_prefix('-')?;
    let (year, month_and_day) = date.split_once('-')?;
    let (month, day) = month_and_day.split_once('-')?;
    (is_year(year) && is_month(month) && is_day(day)).then(|| &name[..start])
}

/// Removes a tag that is a version, as listed in [`PriceTable`](super::PriceTable).
///
/// Four digits are a version only if they are a year and a month (`-2411`). A month and a day
/// (`-0528`) often mark a model with a different price.
fn without_tag(name: &str) -> Option<&str> {
    let start = name.rfind(['-', '@', ':'])?;
    let tag = &name[start + 1..];
    let is_version = match name.as_bytes()[start] {
        b'-' => tag == "latest" || is_date_or_revision(tag),
        b'@' => tag == "latest" || tag == "default" || is_date_or_revision(tag),
        _ => VARIANTS.contains(&tag) || is_revision(&name[start..]),
    };
    is_version.then(|| &name[..start])
}

/// Returns true for a date (`20250514`), a month (`2411`) or a revision (`001`).
fn is_date_or_revision(tag: &str) -> bool {
    are_digits(tag)
        && match tag.len() {
            8 => is_year(&tag[..4]) && is_month(&tag[4..6]) && is_day(&tag[6..]),
            4 => ("20".."40").contains(&&tag[..2]) && is_month(&tag[2..]),
            3 => tag.starts_with("00"),
            _ => false,
        }
}

/// Removes a release such as `-v1`.
fn without_release(name: &str) -> Option<&str> {
    let (base, number) = name.rsplit_once("-v")?;
    let is_release = number.len() <= 2 && are_digits(number) && !base.is_empty();
    is_release.then_some(base)
}

/// Returns true for a revision of Bedrock: `:0`.
fn is_revision(text: &str) -> bool {
    matches!(text.as_bytes(), [b':', b'0'..=b'9'])
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && are_digits(text) && text.starts_with("20")
}

fn is_month(text: &str) -> bool {
    text.len() == 2 && are_digits(text) && ("01"..="12").contains(&text)
}

fn is_day(text: &str) -> bool {
    text.len() == 2 && are_digits(text) && ("01"..="31").contains(&text)
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_recognized_with_any_region_and_publisher() {
        for (model, name, is_version) in [
            ("claude-x-4", "claude-x-4", true),
            ("claude-x-4-20250514", "claude-x-4", true),
            ("claude-x-4-20250514", "us.anthropic.claude-x-4", true),
            ("anthropic/claude-x-4", "claude-x-4", true),
            ("claude-x-4-5", "claude-x-4", false),
            ("claude-x-4", "claude-x-4-5", false),
            ("claude-big", "claude-small", false),
        ] {
            assert_eq!(is_version_of(model, name), is_version, "{model} {name}");
        }
    }

    #[test]
    fn names_of_many_parts_have_few_spellings() {
        let name = format!("{}gpt-x", "a/".repeat(150));
        assert_eq!(spellings(&name).count(), MAX_SPELLINGS);
        assert!(!is_version_of(&name, "gpt-x"));
        let deep = "projects/p/locations/l/publishers/google/models/gemini-x";
        assert!(is_version_of(deep, "gemini-x"));
    }

    #[test]
    fn a_name_is_looked_up_in_full_then_without_region_then_without_publisher() {
        for (name, expected) in [
            ("gpt-4.1", &["gpt-4.1"][..]),
            (
                "us.anthropic.claude-x",
                &["us.anthropic.claude-x", "anthropic.claude-x", "claude-x"],
            ),
            (
                "us-gov.amazon.nova",
                &["us-gov.amazon.nova", "amazon.nova", "nova"],
            ),
            (
                "publishers/anthropic/models/claude-x",
                &[
                    "publishers/anthropic/models/claude-x",
                    "anthropic/models/claude-x",
                    "models/claude-x",
                    "claude-x",
                ],
            ),
            ("openai/gpt-4.1", &["openai/gpt-4.1", "gpt-4.1"]),
            ("acme.gpt-x", &["acme.gpt-x"]),
            ("llama3.2", &["llama3.2"]),
            ("us.", &["us."]),
            ("models/", &["models/"]),
            ("", &[""]),
        ] {
            assert_eq!(spellings(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn versions_are_removed_one_by_one() {
        for (name, expected) in [
            ("m-20250514-v1:0", &["m-20250514-v1", "m-20250514", "m"][..]),
            ("m@2411-001", &["m@2411", "m"]),
            ("m-2024-08-06:free", &["m-2024-08-06", "m"]),
            ("-latest", &[]),
            ("é-20250514", &["é"]),
            ("é024-08-06", &[]),
            ("", &[]),
        ] {
            assert_eq!(unversioned(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
