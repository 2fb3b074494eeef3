//! Costs of calls: computed from the user's prices, reported by the provider, or unknown.

mod computed;
mod reported;
mod unpriced;
mod wrong;

use tachometer::llm::{Outcome, PriceTable, Usage};
use tachometer::{LlmLayer, Registry};

use crate::support::read::sum;

fn priced(prices: PriceTable) -> (LlmLayer, Registry) {
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry).prices(prices);
    (layer, registry)
}

fn cost(registry: &Registry, source: &str) -> f64 {
    sum(registry, "llm_cost_usd_total", &[("source", source)])
}

fn unpriced(registry: &Registry, reason: &str) -> f64 {
    let labels = [("reason", reason)];
    sum(registry, "llm_unpriced_requests_total", &labels)
}

fn end(llm: &LlmLayer, model: &str, usage: &Usage, outcome: Outcome) {
    let mut call = llm.start_call("p", model, "chat");
    if *usage != Usage::new() {
        call.set_usage(*usage);
    }
    call.finish(outcome);
}
