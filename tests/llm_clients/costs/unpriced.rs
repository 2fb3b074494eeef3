//! Calls with unknown costs or contradicting counts.

use std::panic::catch_unwind;

use tachometer::llm::{ErrorType, Outcome, Price, PriceTable, Unit, Usage};
use tachometer::{LlmLayer, Registry};

use super::{cost, end, priced, unpriced};
use crate::support::read::sum;

#[test]
fn an_unknown_cost_is_counted_as_unpriced_and_never_as_0() {
    let table = PriceTable::new()
        .model("m", Price::per_million(1.0, 1.0))
        .model("free", Price::per_million(0.0, 0.0));
    let (layer, registry) = priced(table);
    let llm = layer.clone().try_register().unwrap();
    let whole = Usage::new().input(10).output(5);
    end(&llm, "other", &whole, Outcome::Success);
    assert_eq!(unpriced(&registry, "model"), 1.0);
    assert_eq!(cost(&registry, "table"), 0.0);
    end(&llm, "m", &Usage::new(), Outcome::Success);
    end(&llm, "m", &Usage::new(), Outcome::Cancelled);
    assert_eq!(unpriced(&registry, "usage"), 2.0);
    assert_eq!(cost(&registry, "table"), 0.0);
    // The known part is still billed.
    end(&llm, "m", &Usage::new().input(10), Outcome::Truncated);
    assert_eq!(unpriced(&registry, "usage"), 3.0);
    assert_eq!(cost(&registry, "table"), 0.000_01);
    end(
        &llm,
        "m",
        &whole.billed(Unit::WebSearches, 1.0),
        Outcome::Success,
    );
    assert_eq!(unpriced(&registry, "unit"), 1.0);
    assert_eq!(cost(&registry, "table"), 0.000_025);
    // A call that failed before a response used nothing, and a free one costs nothing.
    let failed = Outcome::Error(ErrorType::RateLimited);
    end(&llm, "m", &Usage::new(), failed);
    end(&llm, "free", &whole, Outcome::Success);
    assert_eq!(cost(&registry, "table"), 0.000_025);
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 5.0);
}

#[test]
fn units_with_a_price_may_stand_for_tokens_unless_a_count_was_invalid() {
    let heard = Price::per_million(1.0, 1.0).unit(Unit::AudioSeconds, 0.25);
    let seen = Price::per_call(0.0).unit(Unit::Images, 0.25);
    let table = PriceTable::new().model("heard", heard).model("seen", seen);
    let (layer, registry) = priced(table);
    let llm = layer.clone().try_register().unwrap();
    let seconds = Usage::new().billed(Unit::AudioSeconds, 2.0);
    end(&llm, "heard", &seconds, Outcome::Success);
    assert_eq!(cost(&registry, "table"), 0.5);
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
    let image = Usage::new().input(u64::MAX).billed(Unit::Images, 1.0);
    end(&llm, "seen", &image, Outcome::Success);
    assert_eq!(cost(&registry, "table"), 0.75);
    assert_eq!(unpriced(&registry, "usage"), 1.0);
}

#[test]
fn parts_larger_than_their_total_cost_no_more_than_the_total() {
    let price = Price::per_million(1.0, 1.0)
        .cache_read(10.0)
        .cache_write(100.0);
    let (layer, registry) = priced(PriceTable::new().model("m", price));
    let usage = Usage::new().input(10).output(0);
    let usage = usage.cache_read(8).cache_write(8);
    end(&layer, "m", &usage, Outcome::Success);
    assert_eq!(cost(&registry, "table"), 0.000_28);
}

#[test]
fn a_call_that_is_pending_is_billed_when_its_answer_is_fetched() {
    let table = PriceTable::new().model("m", Price::per_million(1.0, 1.0).call(0.5));
    let (layer, registry) = priced(table);
    let usage = Usage::new().input(10).output(5);
    for usage in [Usage::new(), usage] {
        end(&layer, "m", &usage, Outcome::Pending);
    }
    assert_eq!(sum(&registry, "llm_cost_usd_total", &[]), 0.0);
    assert_eq!(sum(&registry, "llm_unpriced_requests_total", &[]), 0.0);
}

#[test]
fn without_prices_there_are_no_cost_metrics() {
    let registry = Registry::new();
    let llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    end(
        &llm,
        "m",
        &Usage::new().input(1).output(1),
        Outcome::Success,
    );
    for name in ["llm_cost_usd_total", "llm_unpriced_requests_total"] {
        assert_eq!(registry.get(name).unwrap().series(), 0, "{name}");
    }
}

#[test]
fn an_invalid_price_is_an_error_at_start_up() {
    let table = || PriceTable::new().model("gpt-x", Price::per_million(-1.0, 1.0));
    let (layer, _registry) = priced(table());
    let error = layer.try_register().unwrap_err();
    assert!(error.is_invalid_price());
    let text = error.to_string();
    assert!(text.contains("-1") && text.contains("gpt-x"), "{text}");
    let panicked = catch_unwind(|| priced(table()).0.start_call("p", "m", "chat"));
    assert!(panicked.is_err());
}
