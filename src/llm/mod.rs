//! The layer that measures calls of LLMs: their number, errors, tokens and time.
//!
//! It wraps the client that makes the calls, and reads the answers as they pass: no
//! buffer, no proxy, and the caller's bytes, errors and timing are what they would be
//! without it.
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
//! let answer = llm.execute(request).await?; // a reqwest::Response, as ever
//! # Ok(())
//! # }
//! ```
//!
//! It fits reqwest (feature `reqwest`), hyper-util's client (feature `hyper-util`, by
//! which the model in a `Full<Bytes>` is seen), any other tower service of the `http`
//! crate's types, reqwest-middleware and async-openai (features of the same names).
//! Calls of clients that hide their HTTP are recorded by hand, with [`LlmLayer::start_call`].
//!
//! # What is measured
//!
//! A `POST` to a path that a dialect knows; anything else passes untouched and uncounted.
//!
//! | dialect | paths |
//! | --- | --- |
//! | OpenAI's, and of all who speak so | chat, completions, responses, embeddings, moderations, pictures, speech and transcriptions |
//! | Anthropic's | messages, at Google, too |
//! | Google's | Gemini and Vertex AI: generate, stream, embed, predict |
//! | Amazon's | Bedrock: converse, and the models it invokes, streamed or not |
//! | Cohere's | chat and embed of version 2, and anyone's rerank |
//! | Ollama's | chat, generate, embed |
//!
//! The provider is known by the host, or is `openai_compatible`, `ollama` or such;
//! [`LlmLayer::provider`] and [`LlmLayer::provider_for_host`] say it better. A path that others may
//! have too, such as `/api/chat` at an unknown host, is measured where the request names
//! a model.
//!
//! # Metrics
//!
//! All have the labels `provider`, `model` and `operation`, named as by the OpenTelemetry
//! GenAI conventions. The model is the one that the request names, or the one that the answer
//! names if the request does not show it. A model has series of its own once a provider has
//! accepted a call of it, or if it is [configured](LlmLayer::known_models); until then its calls
//! have the model `_unconfirmed`.
//!
//! | name | further label | what |
//! | --- | --- | --- |
//! | `llm_requests_total` | `outcome` | calls that have ended: `success`, `error`, `truncated`, `cancelled`, `pending` (goes on in the background) |
//! | `llm_requests_success` | | those that were answered |
//! | `llm_requests_error` | `error_type` | those that failed or broke off, by [`ErrorType`] |
//! | `llm_requests_in_flight` | | those that have begun and not ended |
//! | `llm_request_duration_seconds` | | from the call to the end of the answer |
//! | `llm_time_to_first_token_seconds` | | from the call to the first text, thought or call of a tool; of streams |
//! | `llm_time_per_output_token_seconds` | | from there to the end, by each token after the first that was shown; of whole streams |
//! | `llm_tokens_total` | `direction` | `input` and `output`, which add up |
//! | `llm_token_details_total` | `kind` | parts of those: `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`, `audio_input`, `audio_output`, `image_input`, `image_output` |
//! | `llm_billed_units_total` | `unit` | what else is billed, by [`Unit`], such as `web_searches`; and calls by [`ServiceTier`], such as `priority_calls` |
//! | `llm_usage_missing_total` | `reason` | calls whose tokens are not counted, or not all |
//! | `llm_cost_usd_total` | `source` | US dollars: `reported` by the provider, or of the user's `table` of prices |
//! | `llm_unpriced_requests_total` | `reason` | calls whose cost is not known, or not all of it, since something has no price: the `model`, a `unit`, a `token_kind`, the `service_tier`; or since the `usage` is not known |
//! | `llm_server_time_seconds` | `phase` | what the provider says it took: `queue`, `load`, `prompt`, `generate`, `total` |
//! | `llm_finish_reasons_total` | `reason` | `stop`, `length`, `tool_calls`, `content_filter`, `error`, `other` |
//! | `llm_tool_calls_total` | | calls of tools that the model asked for |
//! | `llm_rate_limit` | `kind` | what the provider allows in all, for an hour after it last said so |
//! | `llm_rate_limit_remaining` | `kind` | the lowest that remained of it in the last minute, and after that the limit |
//! | `llm_rate_limit_reset_seconds` | `kind` | the longest time until the limit is full again, as reported in the last minute |
//!
//! As everywhere, a counter's name ends in `_total` in the formats of Prometheus, and is
//! as it stands here in JSON. [`LlmLayer::otel_names`] sets OpenTelemetry's names instead.
//!
//! The outcome is decided at the end of the answer. An error within a 200 is an error. A
//! stream that breaks off before its end is truncated, and so is an empty answer. A call whose
//! caller stops reading before the end is cancelled. A reason to finish is the end if no
//! content follows it.
//!
//! Tokens are counted as the provider reports them, each call once. If several models answered
//! one call, tokens and cost count under the model that took them. Tokens are missing for one
//! of these reasons:
//!
//! | `reason` | when |
//! | --- | --- |
//! | `not_requested` | a stream of OpenAI's dialect without `stream_options.include_usage` |
//! | `not_reported` | the answer has no usage |
//! | `unread` | the caller stopped reading at the reason to finish, before the usage |
//! | `cancelled`, `truncated`, `error` | the answer ended before its usage; what was reported until then is counted |
//! | `inconsistent` | two counts contradict each other; what is certain is counted |
//! | `encoded` | the body is compressed, or in more than 16 pieces at once, and is not read: let the client decompress it, or do not ask for it |
//! | `invalid` | a number that is none, a count above 2^40, or an event stream whose checksums are wrong |
//!
//! # Cost
//!
//! [`LlmLayer::prices`] takes a table of prices, which has none but the user's own. The model
//! that answered goes before the one that was requested. Sums are kept in whole millionths
//! of a millionth of a dollar. A cost that the provider reports is taken instead. A call with
//! something that has no price is counted in `llm_unpriced_requests_total`, never as free.
//!
//! # By route
//!
//! With [`LlmLayer::route_metrics`] the calls that are made while a
//! [`MetricsLayer`](crate::MetricsLayer) counts a request are told by that request's route:
//!
//! | name | further labels | what |
//! | --- | --- | --- |
//! | `llm_route_requests_total` | `route` | calls that have ended |
//! | `llm_route_tokens_total` | `route`, `direction` | tokens |
//! | `llm_route_cost_usd_total` | `route` | US dollars |
//!
//! So one sees what an endpoint costs. [`carry_route`](crate::carry_route) takes the route
//! along into a task. A call that no request makes has the route `none`.
//!
//! # Retries
//!
//! A layer outside of what tries again counts calls, and one inside counts attempts; with a
//! [prefix](LlmLayer::prefix) of its own, both can. What the client does by itself below
//! the layer, such as reqwest's second try on a connection that was closed, is not seen.

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
pub use facts::{ErrorType, Outcome, Phase, ServiceTier, Unit, Usage};
pub use request::RequestModel;
pub use tower::{LlmBody, LlmLayer, LlmRequest, LlmResponse, LlmService};
