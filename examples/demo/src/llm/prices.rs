//! Invented prices of the fake models.

use tachometer::llm::{Price, PriceTable};

/// Returns the prices. The embedding model has none, to show calls without a price.
pub(super) fn prices() -> PriceTable {
    PriceTable::new()
        .model(
            "gpt-4o-mini",
            Price::per_million(0.15, 0.6).cache_read(0.075),
        )
        .model("o4-mini", Price::per_million(1.1, 4.4).cache_read(0.275))
        .model(
            "claude-sonnet-4-5",
            Price::per_million(3.0, 15.0)
                .cache_read(0.3)
                .cache_write(3.75),
        )
        .model(
            "claude-haiku-4-5",
            Price::per_million(1.0, 5.0).cache_read(0.1),
        )
        // Self-hosted, so free.
        .model("llama3.2", Price::per_million(0.0, 0.0))
}
