use crate::llm::cost::price_table::real_names::{PRICED_BY, UNPRICED};
use crate::llm::cost::{Price, PriceTable};
use crate::llm::facts::{Money, Unit, Usage};

/// Returns a price that is identified by a number.
fn price(number: u32) -> Price {
    Price::per_call(number.into())
}

/// Returns the number of the price of a model, or 0 if there is none.
fn matching_price(table: &PriceTable, provider: &str, models: [Option<&str>; 2]) -> u32 {
    let table = table.check().unwrap();
    let Some(price) = table.find(provider, models) else {
        return 0;
    };
    let cost = price.cost(&Usage::new()).amount;
    let has_cost = |number: &u32| Money::from_dollars(f64::from(*number)).unwrap() == cost;
    (1..1_000).find(has_cost).unwrap()
}

fn price_number(table: &PriceTable, model: &str) -> u32 {
    matching_price(table, "openai", [Some(model), None])
}

#[test]
fn each_real_name_has_the_price_of_the_entries_that_list_it_only() {
    let listed = PRICED_BY.iter().flat_map(|(_, models)| *models);
    let entries = PRICED_BY.iter().map(|(entry, _)| entry);
    let models: Vec<_> = entries.chain(listed).chain(UNPRICED).collect();
    assert!(models.len() > 200, "{} names", models.len());
    let mut wrong = Vec::new();
    for (entry, priced) in PRICED_BY {
        let table = PriceTable::new().model(*entry, price(1));
        for model in &models {
            let expected = model == &entry || priced.contains(model);
            if (price_number(&table, model) == 1) != expected {
                wrong.push(format!("{entry} {model} {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Regions and publishers before a name.
const SCOPES: &[&str] = &[
    "",
    "us.",
    "global.anthropic.",
    "openai/",
    "models/",
    "publishers/acme/models/",
    "accounts/acme/models/",
];

/// Versions after a name.
const VERSIONS: &[&str] = &[
    "",
    "-2024-02-29",
    "-20251231",
    "-2407",
    "-001",
    "-latest",
    "-v1:0",
    "-v12:3",
    ":0",
    ":free",
    ":nitro",
    ":floor",
    ":latest",
    "@20250514",
    "@2411",
    "@002",
    "@default",
    "@latest",
];

/// Suffixes that make a name another model's name.
const OTHERS: &[&str] = &[
    "-0",
    "-1",
    "-5",
    "-00",
    "-010",
    "-123",
    "-0613",
    "-0125",
    "-1913",
    "-2400",
    "-2413",
    "-4101",
    "-8192",
    "-32768",
    "-241105",
    "-20251301",
    "-20250532",
    "-19991231",
    "-05-20",
    "-09-2025",
    "-2024-08-6",
    "-2024-8-06",
    "-2024-00-01",
    "-2024-01-00",
    "-2024-01-32",
    "-2024-08-06-",
    "-é024-08-06",
    "-20é40806",
    "-mini",
    "-pro",
    "-lite",
    "-preview",
    "-exp",
    "-latest-x",
    "-v",
    "-v1.5",
    "-v123",
    "-vx",
    "-V1",
    "-Latest",
    "2",
    ".5",
    "x",
    "-",
    ":",
    "@",
    ":10",
    ":1b",
    ":8b",
    ":online",
    ":thinking",
    ":Free",
    "@1",
    "@x",
    "/",
    ".",
    "/x",
];

/// The expected result does not depend on parsing: the test composes every name that matches.
#[test]
fn a_name_matches_with_every_scope_and_version_and_with_nothing_else() {
    for base in ["gpt-x", "claude-sonnet-4", "m", "llama3.2", "über-1"] {
        let table = PriceTable::new().model(base, price(1));
        for scope in SCOPES {
            for first in VERSIONS {
                for second in VERSIONS {
                    let model = format!("{scope}{base}{first}{second}");
                    assert_eq!(price_number(&table, &model), 1, "{model}");
                }
                for other in OTHERS {
                    let model = format!("{scope}{base}{other}{first}");
                    // A path segment before the last one is a publisher.
                    assert_eq!(price_number(&table, &model), 0, "{model}");
                }
            }
        }
        for scope in [
            "x",
            "acme.",
            "us-",
            "my-",
            "us.x",
            "ft:",
            "arn:aws:bedrock:",
        ] {
            let model = format!("{scope}{base}");
            assert_eq!(price_number(&table, &model), 0, "{model}");
        }
    }
}

#[test]
fn an_exact_name_takes_precedence_over_a_version_and_that_over_a_prefix() {
    let table = PriceTable::new()
        .model("gpt-x", price(1))
        .model("gpt-x-2026-01-01", price(2))
        .model("openai/gpt-x", price(3))
        .model("gpt-x:free", price(4))
        .model("claude-x", price(5))
        .model("claude-x-20260101", price(6))
        .model("anthropic.claude-x", price(7))
        .model("us.anthropic.claude-x", price(8))
        .model_prefix("gpt-", price(9))
        .model_prefix("gpt-x-mini", price(10))
        .model_prefix("claude-x-20260101-v1", price(11));
    for (model, expected) in [
        ("gpt-x", 1),
        ("gpt-x-2025-01-01", 1),
        ("gpt-x-2026-01-01", 2),
        ("gpt-x-2026-01-01:free", 2),
        // The exact name without its publisher takes precedence.
        ("openai/gpt-x-2026-01-01", 2),
        ("openai/gpt-x-2025-01-01", 3),
        ("openai/gpt-x", 3),
        ("azure/gpt-x", 1),
        ("openai/gpt-x:free", 4),
        ("gpt-x:free", 4),
        ("eu.anthropic.claude-x", 7),
        ("us.anthropic.claude-x", 8),
        ("us.anthropic.claude-x-20260101", 6),
        ("us.anthropic.claude-x-20250101-v1:0", 8),
        ("anthropic.claude-x-20260101-v1:0", 7),
        ("claude-x-20260101-v1:0", 6),
        ("claude-x-20250101-v1:0", 5),
        ("gpt-y", 9),
        ("openai/gpt-y", 9),
        ("gpt-x-mini", 10),
        ("gpt-x-minimal", 10),
        ("us.gpt-x-min", 9),
        ("claude-y", 0),
    ] {
        assert_eq!(price_number(&table, model), expected, "{model}");
    }
}

#[test]
fn a_prefix_matches_exactly() {
    let table = PriceTable::new()
        .model_prefix("meta/", price(1))
        .model_prefix("llama", price(2))
        .model_prefix("über", price(3))
        .model_prefix_at("azure", "llama", price(4))
        .model_prefix_at("azure", "only", price(5));
    for (provider, model, expected) in [
        ("openai", "meta/x", 1),
        // The full name takes precedence.
        ("openai", "meta/llama3", 1),
        ("openai", "other/llama3", 2),
        ("openai", "llama", 2),
        ("openai", "llam", 0),
        ("openai", "my-llama", 0),
        ("openai", "überü", 3),
        ("azure", "llama3", 4),
        ("azure", "only-x", 5),
        ("openai", "only-x", 0),
    ] {
        let number = matching_price(&table, provider, [Some(model), None]);
        assert_eq!(number, expected, "{provider} {model}");
    }
    let all = PriceTable::new().model_prefix("", price(1));
    assert_eq!(price_number(&all, "anything"), 1);
}

#[test]
fn a_price_for_a_provider_takes_precedence_over_the_price_for_all() {
    let table = PriceTable::new()
        .model("gpt-x", price(1))
        .model_at("azure", "gpt-x", price(2))
        .model("gpt-x-2026-01-01", price(3))
        .model_at("elsewhere", "only", price(4))
        .model("again", price(5))
        .model("again", price(6));
    for (provider, model, expected) in [
        ("openai", "gpt-x", 1),
        ("azure", "gpt-x", 2),
        ("azure", "gpt-x-2025-01-01", 2),
        ("azure", "gpt-x-2026-01-01", 3),
        ("openai", "only", 0),
        ("elsewhere", "only-2025-01-01", 4),
        ("openai", "again", 6),
    ] {
        let number = matching_price(&table, provider, [Some(model), None]);
        assert_eq!(number, expected, "{provider} {model}");
    }
}

#[test]
fn the_model_of_the_response_takes_precedence_over_the_requested_one() {
    let table = PriceTable::new()
        .model("gpt-x", price(1))
        .model("claude-x", price(2))
        .model_prefix("llama", price(3));
    for (models, expected) in [
        ([Some("claude-x-20260101"), Some("gpt-x")], 2),
        ([Some("llama3"), Some("gpt-x")], 3),
        ([Some("unknown"), Some("gpt-x-2026-01-01")], 1),
        ([None, Some("gpt-x")], 1),
        // An alias or a snapshot has the price of the requested model, and a variant has none.
        ([Some("gpt-x-0613"), Some("gpt-x")], 1),
        ([Some("gpt-x-mini-2026-01-01"), Some("gpt-x")], 0),
        ([Some("openai/gpt-x-mini"), Some("gpt-x")], 0),
        ([None, None], 0),
    ] {
        assert_eq!(
            matching_price(&table, "openai", models),
            expected,
            "{models:?}"
        );
    }
}

#[test]
fn an_invalid_price_is_an_error_that_names_the_model() {
    for price in [
        Price::per_million(-1.0, 0.0),
        Price::per_million(0.0, f64::NAN),
        Price::per_million(0.0, 0.0).cache_read(f64::INFINITY),
        Price::per_call(1e7),
        Price::per_call(0.0).unit(Unit::Images, -0.5),
        Price::per_million(0.0, 0.0).above(1, Price::per_call(-2.0)),
    ] {
        for table in [
            PriceTable::new().model("m", price.clone()),
            PriceTable::new().model_prefix("m", price.clone()),
        ] {
            let error = table.check().unwrap_err();
            assert!(error.is_invalid_price(), "{error}");
            assert!(error.to_string().contains("\"m\""), "{error}");
        }
    }
}
