//! Costs computed from the user's prices, to the last digit.

use fastrand::Rng;
use http::Response;
use serde_json::json;
use tachometer::llm::{Outcome, Price, PriceTable, ServiceTier, Unit, Usage};

use super::{cost, end, priced, unpriced};
use crate::support::local_client::{finish, open_as};
use crate::support::read::sum;

/// Converts dollars per million tokens, as a decimal text, to whole picodollars per token.
fn picos(decimal: &str) -> u128 {
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = format!("{whole}{part:0<6}");
    assert_eq!(digits.len(), whole.len() + 6, "{decimal}");
    digits.parse().unwrap()
}

/// The prices of a million tokens: of input, output, cached input, cache writes, cache writes
/// for an hour, audio input and output, and image input and output.
const PRICES: [[&str; 9]; 6] = [
    [
        "1.25", "10", "0.125", "1.5625", "2.5", "32", "64", "8", "40",
    ],
    [
        "0.15",
        "0.6",
        "0.075",
        "0.15",
        "0.3",
        "10.000001",
        "20",
        "1",
        "2",
    ],
    [
        "0.000001", "0.000003", "0.000001", "0", "0.000002", "0.1", "0.2", "0", "0",
    ],
    ["3", "15", "0.3", "3.75", "6", "3", "15", "3", "30.000003"],
    ["0.1", "0.7", "0.01", "0.3", "0.2", "0.9", "1.1", "0.1", "7"],
    [
        "75.123456",
        "149.999999",
        "7.5",
        "93.75",
        "150",
        "0",
        "0",
        "1",
        "0.5",
    ],
];

fn price(of: [&str; 9]) -> Price {
    let of: [f64; 9] = of.map(|text| text.parse().unwrap());
    let [input, output, cached, write, hour, heard, said, seen, drawn] = of;
    Price::per_million(input, output)
        .cache_read(cached)
        .cache_write(write)
        .cache_write_1h(hour)
        .audio_input(heard)
        .audio_output(said)
        .image_input(seen)
        .image_output(drawn)
}

#[test]
fn calls_cost_exactly_what_integer_arithmetic_computes() {
    // `TACHOMETER_CALLS` sets the number; a million takes a minute.
    let calls = std::env::var("TACHOMETER_CALLS");
    let calls = calls.map_or(60_000, |calls| calls.parse().expect("a number"));
    let table = PRICES.iter().enumerate();
    let table = table.fold(PriceTable::new(), |table, (at, of)| {
        table.model(format!("model-{at}"), price(*of))
    });
    let (layer, registry) = priced(table);
    let llm = layer.clone().try_register().unwrap();
    let mut random = Rng::with_seed(7);
    let mut expected = [0_u128; PRICES.len()];
    for _ in 0..calls {
        let at = random.usize(0..PRICES.len());
        let [input, output] = [100_000, 8_000].map(|most| random.u64(0..most));
        let mut part = |rest: &mut u64| {
            let part = random.u64(0..=*rest);
            *rest -= part;
            part
        };
        let (mut text_input, mut text_output) = (input, output);
        let [cached, write, hour, heard, seen] = [(); 5].map(|()| part(&mut text_input));
        let [said, drawn] = [(); 2].map(|()| part(&mut text_output));
        let mut call = llm.start_call("openai", &format!("model-{at}-2026-01-01"), "chat");
        call.set_usage(
            Usage::new()
                .input(input)
                .output(output)
                .cache_read(cached)
                .cache_write(write + hour)
                .cache_write_1h(hour)
                .audio_input(heard)
                .audio_output(said)
                .image_input(seen)
                .image_output(drawn),
        );
        call.finish(Outcome::Success);
        let counts = [
            text_input,
            text_output,
            cached,
            write,
            hour,
            heard,
            said,
            seen,
            drawn,
        ];
        let parts = counts.into_iter().zip(PRICES[at]);
        expected[at] += parts
            .map(|(count, price)| u128::from(count) * picos(price))
            .sum::<u128>();
    }
    for (at, expected) in expected.into_iter().enumerate() {
        let model = format!("model-{at}-2026-01-01");
        let found = sum(&registry, "llm_cost_usd_total", &[("model", &model)]);
        let exact = expected as f64 / 1e12;
        // A billionth of a dollar, of sums of up to a million of them.
        assert!(
            (found - exact).abs() < 1e-9,
            "{model}: {found}, not {exact}"
        );
    }
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
}

#[test]
fn long_prompts_units_and_calls_have_their_own_prices() {
    let long = Price::per_million(2.5, 15.0);
    let table = PriceTable::new()
        .model("long", Price::per_million(1.25, 10.0).above(200_000, long))
        .model(
            "whisper",
            Price::per_call(0.0).unit(Unit::AudioSeconds, 0.0001),
        )
        .model(
            "rerank",
            Price::per_call(0.5).unit(Unit::SearchUnits, 0.002),
        )
        .model("search", Price::per_million(1.0, 1.0).call(0.25));
    let (layer, registry) = priced(table);
    let llm = layer.clone().try_register().unwrap();
    for (model, usage, expected) in [
        ("long", Usage::new().input(200_000).output(10), 0.2501),
        ("long", Usage::new().input(200_001).output(10), 0.500_152_5),
        (
            "whisper",
            Usage::new().billed(Unit::AudioSeconds, 12.5),
            0.001_25,
        ),
        ("rerank", Usage::new().billed(Unit::SearchUnits, 3.0), 0.506),
        ("search", Usage::new().input(1_000_000).output(0), 1.25),
        // Zero tokens need no price.
        (
            "search",
            Usage::new().input(0).output(0).billed(Unit::Images, 0.0),
            0.25,
        ),
    ] {
        let before = cost(&registry, "table");
        let mut call = llm.start_call("p", model, "chat");
        call.set_usage(usage);
        call.finish(Outcome::Success);
        let found = cost(&registry, "table") - before;
        assert!((found - expected).abs() < 1e-12, "{model}: {found}");
    }
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
}

#[test]
fn token_kinds_that_cost_more_are_unpriced_without_a_price() {
    type Set = fn(Price) -> Price;
    let text = || Price::per_million(1.0, 2.0);
    let usage = || Usage::new().input(1_000_000).output(1_000_000);
    let write = || usage().cache_write(500_000);
    let kinds: [(Usage, Set, f64); 6] = [
        (write(), |price| price.cache_write(2.0), 3.5),
        (
            write().cache_write_1h(500_000),
            |price| price.cache_write_1h(4.0),
            4.5,
        ),
        (
            usage().audio_input(500_000),
            |price| price.audio_input(3.0),
            4.0,
        ),
        (
            usage().audio_output(500_000),
            |price| price.audio_output(6.0),
            5.0,
        ),
        (
            usage().image_input(500_000),
            |price| price.image_input(3.0),
            4.0,
        ),
        (
            usage().image_output(500_000),
            |price| price.image_output(6.0),
            5.0,
        ),
    ];
    for (usage, set, expected) in kinds {
        for (price, is_unpriced, expected) in [
            (text(), true, 3.0),
            (set(text()), false, expected),
            // If text is free, so is the rest.
            (Price::per_million(0.0, 0.0), false, 0.0),
        ] {
            let (layer, registry) = priced(PriceTable::new().model("m", price));
            end(&layer, "m", &usage, Outcome::Success);
            let found = unpriced(&registry, "token_kind") > 0.0;
            assert_eq!(found, is_unpriced, "{usage:?}");
            let found = cost(&registry, "table");
            assert!((found - expected).abs() < 1e-9, "{usage:?}: {found}");
        }
    }
    // Cached tokens never cost more.
    let (layer, registry) = priced(PriceTable::new().model("m", text()));
    end(&layer, "m", &usage().cache_read(9), Outcome::Success);
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
}

#[test]
fn a_tier_of_service_has_its_own_price_or_is_unpriced() {
    let usage = Usage::new().input(1_000_000).output(0);
    let flex = Price::per_million(0.5, 1.0).above(500_000, Price::per_million(0.75, 1.0));
    let price = Price::per_million(1.0, 2.0).tier(ServiceTier::Flex, flex);
    for (tier, expected, is_unpriced) in [
        (None, 1.0, false),
        (Some(ServiceTier::Flex), 0.75, false),
        (Some(ServiceTier::Priority), 1.0, true),
        (Some(ServiceTier::Provisioned), 1.0, true),
    ] {
        let (layer, registry) = priced(PriceTable::new().model("m", price.clone()));
        let usage = tier.map_or(usage, |tier| usage.service_tier(tier));
        end(&layer, "m", &usage, Outcome::Success);
        assert_eq!(cost(&registry, "table"), expected, "{tier:?}");
        let found = unpriced(&registry, "service_tier") > 0.0;
        assert_eq!(found, is_unpriced, "{tier:?}");
    }
}

#[test]
fn a_web_search_without_a_price_is_unpriced_and_one_with_a_price_is_added() {
    let answer = json!({
        "status": "completed",
        "output": [{"type": "web_search_call"}, {"type": "web_search_call"}],
        "usage": {"input_tokens": 100, "output_tokens": 10},
    });
    let tokens = || Price::per_million(1.0, 10.0);
    for (price, expected, is_unpriced) in [
        (tokens().unit(Unit::WebSearches, 0.01), 0.0202, false),
        (tokens(), 0.0002, true),
    ] {
        let (layer, registry) = priced(PriceTable::new().model("m", price));
        let body = json!({"model": "m", "input": "x"}).to_string();
        let url = "https://api.openai.com/v1/responses";
        finish(open_as(
            &layer,
            url,
            body,
            Response::new(answer.to_string()),
        ));
        assert!((cost(&registry, "table") - expected).abs() < 1e-12);
        assert_eq!(unpriced(&registry, "unit") > 0.0, is_unpriced);
    }
}
