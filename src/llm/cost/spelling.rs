//! The spellings of a model name.

use std::iter::{from_fn, successors};

/// The geographies of Bedrock's inference profiles, as in `us.anthropic.claude-x`.
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

/// The variants that serve the same model: OpenRouter's and Ollama's.
const VARIANTS: [&str; 4] = ["free", "nitro", "floor", "latest"];

/// The most spellings of one name, which an attacker may choose with hundreds of parts.
const MAX_SPELLINGS: usize = 16;

/// Returns a name as it is, then without its region, then without its publisher.
pub(crate) fn spellings(name: &str) -> impl Iterator<Item = &str> {
    successors(Some(name), |name| without_scope(name)).take(MAX_SPELLINGS)
}

/// Returns a name without its last version, then without the one before, and so on.
pub(crate) fn unversioned(mut name: &str) -> impl Iterator<Item = &str> {
    let mut has_revision = false;
    from_fn(move || {
        // `-v1` alone may be another model, like DeepSeek's `-v3`.
        let release = has_revision.then(|| without_release(name)).flatten();
        let rest = release.or_else(|| without_version(name))?;
        has_revision = is_revision(&name[rest.len()..]);
        name = rest;
        Some(rest)
    })
}

/// Returns true if a model has this name or is a version of it. Regions and publishers before
/// the names are ignored.
pub(crate) fn is_version_of(model: &str, name: &str) -> bool {
    // If any of their spellings are equal, the last ones are.
    let [model, name] = [model, name].map(|name| spellings(name).last().unwrap_or(name));
    model == name || unversioned(model).any(|model| model == name)
}

/// Removes one region, or one part of a path, or one publisher.
fn without_scope(name: &str) -> Option<&str> {
    let dotted = |known: &[&str]| {
        let (scope, rest) = name.split_once('.')?;
        known.contains(&scope).then_some(rest)
    };
    let in_path = || Some(name.split_once('/')?.1);
    dotted(&REGIONS)
        .or_else(in_path)
        .or_else(|| dotted(&PUBLISHERS))
        .filter(|rest| !rest.is_empty())
}

fn without_version(name: &str) -> Option<&str> {
    without_hyphenated_date(name)
        .or_else(|| without_tag(name))
        .filter(|rest| !rest.is_empty())
}

/// Removes a date such as `-2024-08-06`.
fn without_hyphenated_date(name: &str) -> Option<&str> {
    let start = name.len().checked_sub("-2024-08-06".len())?;
    let date = name.get(start..)?.strip_prefix('-')?;
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    (is_year(year) && is_month(month) && is_day(day)).then(|| &name[..start])
}

/// Removes a tag that is a version: see [`PriceTable`](super::PriceTable).
///
/// Four digits are a version only if they are a year and a month (`-2411`). As a month and
/// a day (`-0528`) they often mean another model with another price.
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

/// Whether a tag is a day (`20250514`), a month (`2411`) or a revision (`001`).
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
    let (rest, number) = name.rsplit_once("-v")?;
    let is_release = number.len() <= 2 && are_digits(number) && !rest.is_empty();
    is_release.then_some(rest)
}

/// Whether the end of a name is a revision of Bedrock's: `:0`.
fn is_revision(end: &str) -> bool {
    matches!(end.as_bytes(), [b':', b'0'..=b'9'])
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
    fn a_version_is_known_whatever_stands_before_the_names() {
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
