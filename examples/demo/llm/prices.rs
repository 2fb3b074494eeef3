//! What the demo's models cost, which are made up, as their prices are.

use tachometer::llm::{Price, PriceTable};

/// Returns the prices; the embeddings have none, so that such calls are seen, too.
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
        // At home, where nobody bills them.
        .model("llama3.2", Price::per_million(0.0, 0.0))
}
