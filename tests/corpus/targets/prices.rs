//! Target `prices`: prices and usage of any numbers. An invalid price is an error, and no cost
//! is negative, infinite or NaN.

use tachometer::llm::{Outcome, Price, PriceTable, ServiceTier, Unit, Usage};
use tachometer::testing::Exposition;
use tachometer::{LlmLayer, Registry};

use super::{byte, choice};

const UNITS: [Unit; 4] = [
    Unit::AudioSeconds,
    Unit::Images,
    Unit::SearchUnits,
    Unit::WebSearches,
];
const TIERS: [ServiceTier; 3] = [ServiceTier::Batch, ServiceTier::Flex, ServiceTier::Priority];
const MODELS: [&str; 6] = [
    "gpt-4o",
    "gpt-4o-2024-08-06",
    "openai/gpt-4o",
    "models/gpt-4o-latest",
    "claude-x@20250514",
    "gpt-4o:free",
];

/// Runs the target: a list of numbers and choices.
pub(crate) fn run(mut input: &[u8]) {
    let bytes = &mut input;
    let registry = Registry::new();
    let mut table = PriceTable::new();
    for _ in 0..=byte(bytes) % 3 {
        let price = price(bytes, 2);
        table = if byte(bytes).is_multiple_of(2) {
            table.model(choice(bytes, &MODELS), price)
        } else {
            table.model_prefix(choice(bytes, &MODELS), price)
        };
    }
    let layer = LlmLayer::new().registry(&registry).prices(table);
    let Ok(layer) = layer.try_register() else {
        return;
    };
    for _ in 0..3 {
        let model = choice(bytes, &MODELS);
        let mut call = layer.start_call("openai", model, "chat");
        call.set_usage(usage(bytes));
        if byte(bytes) % 8 == 1 {
            call.set_cost(number(bytes));
        }
        call.finish(Outcome::Success);
    }
    let text = registry.export_prometheus();
    let exposition = Exposition::parse(&text).expect("an export is valid");
    for (name, labels, value) in exposition.samples() {
        let is_cost = name.starts_with("llm_cost");
        assert!(!is_cost || value.is_finite(), "{name} {labels:?} {value}");
        assert!(value >= 0.0 || value.is_nan(), "{name} {labels:?} {value}");
    }
}

/// Returns a price with nested prices, up to a depth.
fn price(bytes: &mut &[u8], depth: u8) -> Price {
    let mut price = Price::per_million(number(bytes), number(bytes));
    for _ in 0..byte(bytes) % 4 {
        price = match byte(bytes) % 10 {
            0 => price.cache_read(number(bytes)),
            1 => price.cache_write(number(bytes)),
            2 => price.cache_write_1h(number(bytes)),
            3 => price.audio_input(number(bytes)),
            4 => price.audio_output(number(bytes)),
            5 => price.image_output(number(bytes)),
            6 => price.unit(choice(bytes, &UNITS), number(bytes)),
            7 => price.call(number(bytes)),
            8 if depth > 0 => price.above(count(bytes), self::price(bytes, depth - 1)),
            9 if depth > 0 => price.tier(choice(bytes, &TIERS), self::price(bytes, depth - 1)),
            _ => price.image_input(number(bytes)),
        };
    }
    price
}

fn usage(bytes: &mut &[u8]) -> Usage {
    let mut usage = Usage::new().input(count(bytes)).output(count(bytes));
    for _ in 0..byte(bytes) % 4 {
        usage = match byte(bytes) % 9 {
            0 => usage.cache_read(count(bytes)),
            1 => usage.cache_write(count(bytes)),
            2 => usage.cache_write_1h(count(bytes)),
            3 => usage.reasoning(count(bytes)),
            4 => usage.audio_input(count(bytes)),
            5 => usage.audio_output(count(bytes)),
            6 => usage.image_input(count(bytes)),
            7 => usage.billed(choice(bytes, &UNITS), number(bytes)),
            _ => usage.service_tier(choice(bytes, &TIERS)),
        };
    }
    usage
}

/// Any number, mostly a valid price.
fn number(bytes: &mut &[u8]) -> f64 {
    if !byte(bytes).is_multiple_of(4) {
        return f64::from(byte(bytes)) / 16.0;
    }
    f64::from_bits(eight(bytes))
}

fn count(bytes: &mut &[u8]) -> u64 {
    if !byte(bytes).is_multiple_of(4) {
        return u64::from(byte(bytes)) << (byte(bytes) % 32);
    }
    eight(bytes)
}

fn eight(bytes: &mut &[u8]) -> u64 {
    (0..8).fold(0, |word, _| word << 8 | u64::from(byte(bytes)))
}
