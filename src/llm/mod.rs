//! A layer that measures LLM calls: requests, errors, tokens, latency and cost.
//!
//! The guide [LLM calls](crate::guides::llm) explains it by task.
//!
//! It wraps the HTTP client that sends the requests, and reads each response while it passes
//! through. It buffers nothing and needs no proxy. The caller gets the same bytes and errors, at
//! the same time, as without the layer.
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn run() -> Result<(), reqwest::Error> {
//! use tachometer::LlmLayer;
//!
//! let client = reqwest::Client::new();
//! let llm = LlmLayer::new().layer(client.clone());
//!
//! let request = client
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .bearer_auth("sk-..")
//!     .body(r#"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}"#)
//!     .build()?;
//! let response = llm.execute(request).await?; // a `reqwest::Response`
//! # Ok(())
//! # }
//! ```
//!
//! The layer supports these clients:
//!
//! | client | feature |
//! | --- | --- |
//! | reqwest | `reqwest` |
//! | hyper-util; the model is read from request bodies of type `Full<Bytes>` | `hyper-util` |
//! | reqwest-middleware | `reqwest-middleware` |
//! | async-openai | `async-openai` |
//! | any other tower service with the request and response types of the `http` crate | |
//!
//! Record the calls of a client that does not expose its HTTP requests with
//! [`LlmLayer::start_call`].
//!
//! # What is measured
//!
//! A `POST` request to one of the paths of an API dialect is an LLM call. A `GET` request that
//! fetches a background response is counted when that response is complete. All other requests
//! pass through unchanged and are not counted.
//!
//! | API dialect | endpoints |
//! | --- | --- |
//! | OpenAI and compatible servers | chat completions, completions, responses, embeddings, moderations, images, speech, transcriptions |
//! | Anthropic | messages, also on Vertex AI |
//! | Google Gemini and Vertex AI | generate, stream, embed, predict |
//! | Amazon Bedrock | converse and invoke, with and without streaming |
//! | Cohere | chat and embed (API version 2); rerank of any provider |
//! | Ollama | chat, generate, embed |
//!
//! The host determines the provider. For an unknown host it is the generic name of the dialect,
//! such as `openai_compatible` or `ollama`. Set another one with [`LlmLayer::provider`] or
//! [`LlmLayer::provider_for_host`]. Some paths, such as `/api/chat`, are also common outside of
//! LLM APIs. At an unknown host, requests to them are measured only if they name a model.
//!
//! # Metrics
//!
//! All metrics have the labels `provider`, `model` and `operation`, with the values of the
//! OpenTelemetry GenAI semantic conventions. The model is the requested one, or the one that the
//! response names if the layer cannot read the request. A model gets its own series once a
//! provider has accepted a call to it, or if it is [configured](LlmLayer::known_models). Until
//! then its calls are counted under the model `_unconfirmed`.
//!
//! | name | additional label | value |
//! | --- | --- | --- |
//! | `llm_requests_total` | `outcome` | finished calls: `success`, `error`, `truncated`, `cancelled`, `pending` (continues in the background) |
//! | `llm_requests_success` | | calls that succeeded |
//! | `llm_requests_error` | `error_type` | calls that failed or were truncated, by [`ErrorType`] |
//! | `llm_requests_in_flight` | | calls in flight |
//! | `llm_request_duration_seconds` | | time from the call to the end of the response |
//! | `llm_time_to_first_token_seconds` | | time from the call to the first text, reasoning or tool call of a streamed response |
//! | `llm_time_per_output_token_seconds` | | mean time per visible output token after the first one, of complete streamed responses |
//! | `llm_tokens_total` | `direction` | tokens: `input` or `output`; their sum is the total |
//! | `llm_token_details_total` | `kind` | parts of these tokens: `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`, `audio_input`, `audio_output`, `image_input`, `image_output` |
//! | `llm_billed_units_total` | `unit` | other billed units, by [`Unit`], such as `web_searches`; and calls by [`ServiceTier`], such as `priority_calls` |
//! | `llm_usage_missing_total` | `reason` | calls with missing or incomplete token counts |
//! | `llm_cost_usd_total` | `source` | known cost in US dollars: `reported` by the provider, or computed from your `table` of prices |
//! | `llm_unpriced_requests_total` | `reason` | calls with an unknown or incomplete cost, because there is no price for the `model`, a `unit`, a `token_kind` or the `service_tier`, or because the `usage` is unknown |
//! | `llm_server_time_seconds` | `phase` | processing time that the provider reports: `queue`, `load`, `prompt`, `generate`, `total` |
//! | `llm_finish_reasons_total` | `reason` | choices by finish reason: `stop`, `length`, `tool_calls`, `content_filter`, `error`, `other` |
//! | `llm_tool_calls_total` | | tool calls that the model requested |
//! | `llm_rate_limit` | `kind` | the provider's rate limit, for an hour after the last report |
//! | `llm_rate_limit_remaining` | `kind` | the lowest remainder in the last minute; without a report in that minute, the limit |
//! | `llm_rate_limit_reset_seconds` | `kind` | the longest time until the limit is full again, as reported in the last minute |
//!
//! As for all metrics of this crate, the name of a counter ends in `_total` in the Prometheus
//! formats, and is exactly the name above in JSON. [`LlmLayer::otel_names`] uses the names of
//! OpenTelemetry instead.
//!
//! The outcome is known when the response ends:
//!
//! - An error within a response with status 200 counts as an error.
//! - A stream that breaks off before its end counts as truncated, and so does an empty response.
//! - A call counts as cancelled if the caller stops reading before the end of the response.
//! - A finish reason marks the end of a choice, unless more content follows it.
//!
//! Tokens are counted as the provider reports them, once per call. If several models contributed
//! to a response, tokens and cost are counted under each of these models. These are the reasons
//! for missing token counts:
//!
//! | `reason` | meaning |
//! | --- | --- |
//! | `not_requested` | a stream of the OpenAI dialect without `stream_options.include_usage` |
//! | `not_reported` | the response has no usage |
//! | `unread` | the caller stopped reading after the finish reason and before the usage |
//! | `cancelled`, `truncated`, `error` | the response ended before its usage; the tokens reported up to then are counted |
//! | `inconsistent` | two counts contradict each other; the counts that are certain are recorded |
//! | `encoded` | the body cannot be read, because it is compressed or one of its frames consists of more than 16 buffers; let the client decompress it, or do not request compression |
//! | `invalid` | a count is not a number or is above 2^40, or the checksums of an event stream are wrong |
//!
//! # Cost
//!
//! [`LlmLayer::prices`] takes a [`PriceTable`]. The crate contains no prices. The model of the
//! response takes precedence over the requested one. If the provider reports the cost of a call,
//! that cost is counted instead. Costs are added as whole trillionths of a dollar, without rounding
//! errors. A call without a price is counted in `llm_unpriced_requests_total`, never as free.
//!
//! # Metrics by route
//!
//! With [`LlmLayer::route_metrics`], calls are also counted by the route of the HTTP request that
//! makes them. A [`MetricsLayer`](crate::MetricsLayer) must measure that request. The metrics show
//! what each endpoint costs:
//!
//! | name | additional labels | value |
//! | --- | --- | --- |
//! | `llm_route_requests_total` | `route` | finished calls |
//! | `llm_route_tokens_total` | `route`, `direction` | tokens |
//! | `llm_route_cost_usd_total` | `route` | known cost in US dollars |
//!
//! Use [`carry_route`](crate::carry_route) for calls that are made in spawned tasks. A call
//! outside of a request has the route `none`.
//!
//! # Retries
//!
//! A layer around a retry layer counts calls; a layer inside of it counts attempts. To count both,
//! give one of them a [prefix](LlmLayer::prefix). Retries within the client itself, such as
//! reqwest's retry on a closed connection, are not visible to the layer.

mod call;
mod client;
mod cost;
mod facts;
mod metrics;
mod request;
mod response;
mod settings;
mod tower;

pub use call::LlmCall;
pub use cost::{Price, PriceTable};
pub use facts::{ErrorType, Outcome, ServiceTier, Unit, Usage};
pub use request::RequestModel;
pub use tower::{LlmBody, LlmLayer, LlmRequest, LlmResponse, LlmService};
