//! Responses that report their cost, other billed units, and the server's time for each phase.

use crate::response_formats::aws_event_stream::{chunk, event};
use crate::response_formats::bedrock::framed;
use crate::response_formats::{
    CHAT, LINES, MESSAGES, OLLAMA, RESPONSES, Row, check, events, stream, whole,
};

const WORD: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

/// A whole answer of a chat, with more in its usage, and beside it.
fn chat(name: &'static str, usage: &str, beside: &str, learnt: &'static str) -> Row {
    let body = format!(
        r#"{{"choices":[{{"index":0,"message":{{"content":"hi"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11{usage}}}{beside}}}"#
    );
    whole(name, CHAT, body, learnt)
}

/// The same, streamed.
fn streamed(name: &'static str, usage: &str, beside: &str, learnt: &'static str) -> Row {
    let last = format!(
        r#"{{"choices":[],"usage":{{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11{usage}}}{beside}}}"#
    );
    stream(name, CHAT, events(&[WORD, STOP, &last, "[DONE]"]), learnt)
}

/// Both, where `learnt` has what comes after the tokens and reasons.
fn whole_and_stream(name: &'static str, usage: &str, beside: &str, learnt: &str) -> [Row; 2] {
    [
        chat(
            name,
            usage,
            beside,
            format!("success 5 6 stop{learnt}").leak(),
        ),
        streamed(
            name,
            usage,
            beside,
            format!("success 5 6 stop first{learnt}").leak(),
        ),
    ]
}

#[test]
fn a_cost_is_read_next_to_the_tokens() {
    let rows = [
        whole_and_stream(
            "OpenRouter's [docs]",
            r#","cost":0.00014,"is_byok":false,"cost_details":{"upstream_inference_cost":null}"#,
            "",
            " $reported=140000",
        ),
        whole_and_stream(
            "OpenRouter's, with what its provider took of it [src]",
            r#","cost":0.0012,"is_byok":false,"cost_details":{"upstream_inference_cost":0.0012,"upstream_inference_prompt_cost":0.001,"upstream_inference_completions_cost":0.0002}"#,
            "",
            " $reported=1200000",
        ),
        whole_and_stream(
            "OpenRouter's, of a key of one's own: both are paid [docs]",
            r#","cost":0.05,"is_byok":true,"cost_details":{"upstream_inference_cost":1}"#,
            "",
            " $reported=1050000000",
        ),
        whole_and_stream(
            "OpenRouter's, of a key of one's own, told in another order [unverified]",
            r#","cost_details":{"upstream_inference_cost":0.00019},"is_byok":true,"cost":0"#,
            "",
            " $reported=190000",
        ),
        whole_and_stream(
            "OpenRouter's, without what its provider took [docs]",
            r#","cost":1e-7"#,
            "",
            " $reported=100",
        ),
        whole_and_stream(
            "xAI's, in ticks [docs]",
            r#","num_sources_used":0,"cost_in_usd_ticks":12340000"#,
            "",
            " $reported=1234000",
        ),
        whole_and_stream(
            "Perplexity's [docs]",
            r#","search_context_size":"low","cost":{"input_tokens_cost":0.001,"output_tokens_cost":0.002,"request_cost":0.006,"total_cost":0.009}"#,
            "",
            " $reported=9000000",
        ),
        whole_and_stream("none [unverified]", r#","cost":null"#, "", ""),
        whole_and_stream("less than nothing [unverified]", r#","cost":-1"#, "", ""),
        whole_and_stream(
            "a text [unverified]",
            r#","cost":"0.1""#,
            "",
            " $reported=100000000",
        ),
        whole_and_stream("no number [unverified]", r#","cost":"much""#, "", ""),
    ];
    check(rows.into_iter().flatten());
}

#[test]
fn the_last_cost_of_a_stream_counts() {
    let chunk = |cost: &str| {
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":"hi"}},"finish_reason":null}}],"usage":{{"prompt_tokens":5,"completion_tokens":6,"cost":{{"total_cost":{cost}}}}}}}"#
        )
    };
    check([stream(
        "Perplexity's, in every chunk [src]",
        CHAT,
        events(&[
            &chunk("0.001"),
            &chunk("0.002"),
            &chunk("0.003"),
            STOP,
            "[DONE]",
        ]),
        "success 5 6 stop first $reported=3000000",
    )]);
}

#[test]
fn the_responses_api_reports_costs_too() {
    let done = |name, usage: &str, learnt| {
        let last = format!(
            r#"{{"type":"response.completed","response":{{"status":"completed","usage":{{"input_tokens":5,"output_tokens":6{usage}}}}}}}"#
        );
        stream(name, RESPONSES, events(&[&last]), learnt)
    };
    check([
        done(
            "xAI's [docs]",
            r#","cost_in_usd_ticks":98760000"#,
            "success 5 6 stop $reported=9876000",
        ),
        done(
            "OpenRouter's [docs]",
            r#","cost":0.00014,"is_byok":false,"cost_details":{"upstream_inference_cost":null}"#,
            "success 5 6 stop $reported=140000",
        ),
        done(
            "Perplexity's [src]",
            r#","cost":{"currency":"USD","input_cost":0.001,"output_cost":0.002,"total_cost":0.003}"#,
            "success 5 6 stop $reported=3000000",
        ),
        done(
            "in another currency, which is no dollar's [unverified]",
            r#","cost":{"currency":"EUR","input_cost":0.001,"output_cost":0.002,"total_cost":0.003}"#,
            "success 5 6 stop",
        ),
        whole(
            "images of xAI's [docs]",
            "/v1/images/generations",
            r#"{"data":[{"url":"https://localhost/"}],"usage":{"cost_in_usd_ticks":200000000}}"#,
            "success . . -not_reported $reported=20000000",
        ),
    ]);
}

#[test]
fn a_cost_can_be_reported_in_a_header() {
    let row = |headers, row: Row| Row { headers, ..row };
    check([
        row(
            &[("x-litellm-response-cost", "0.000123")],
            chat(
                "LiteLLM's [docs]",
                "",
                "",
                "success 5 6 stop $reported=123000",
            ),
        ),
        row(
            &[("x-litellm-response-cost", "1.23e-05")],
            chat(
                "as Python writes it [unverified]",
                "",
                "",
                "success 5 6 stop $reported=12300",
            ),
        ),
        row(
            &[("x-litellm-response-cost", "0.000123")],
            chat(
                "the same in both [iss litellm#41486]",
                r#","cost":0.000123"#,
                "",
                "success 5 6 stop $reported=123000",
            ),
        ),
        row(
            &[("x-litellm-response-cost", "None")],
            chat("none [unverified]", "", "", "success 5 6 stop"),
        ),
        row(
            &[("x-litellm-response-cost", "-1")],
            chat("less than nothing [unverified]", "", "", "success 5 6 stop"),
        ),
        streamed(
            "LiteLLM's streams, which tell it at their end [iss litellm#39069]",
            r#","cost":0.000123"#,
            "",
            "success 5 6 stop first $reported=123000",
        ),
    ]);
}

#[test]
fn searches_run_by_the_server_are_billed_each() {
    let usage = r#""usage":{"input_tokens":5,"output_tokens":6,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}"#;
    check([
        whole(
            "Anthropic's [docs]",
            MESSAGES,
            format!(r#"{{"type":"message","content":[],"stop_reason":"end_turn",{usage}}}"#),
            "success 5 6 stop web_searches=2",
        ),
        stream(
            "Anthropic's, streamed [docs]",
            MESSAGES,
            events(&[
                r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1,"server_tool_use":{"web_search_requests":0}}}}"#,
                &format!(
                    r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},{usage}}}"#
                ),
                r#"{"type":"message_stop"}"#,
            ]),
            "success 5 6 stop web_searches=2",
        ),
    ]);
}

#[test]
fn server_times_of_each_phase_are_recorded() {
    let rows = [
        whole_and_stream(
            "Groq's [src]",
            r#","queue_time":0.037,"prompt_time":0.0006,"completion_time":0.46,"total_time":0.4606"#,
            "",
            " ~queue ~prompt ~generate ~total",
        ),
        whole_and_stream(
            "Cerebras's [docs]",
            "",
            r#","time_info":{"queue_time":0.00007,"prompt_time":0.001,"completion_time":0.006,"total_time":0.02,"created":1}"#,
            " ~queue ~prompt ~generate ~total",
        ),
        whole_and_stream(
            "llama.cpp's [src]",
            "",
            r#","timings":{"cache_n":0,"prompt_n":5,"prompt_ms":25.0,"prompt_per_token_ms":5.0,"prompt_per_second":200.0,"predicted_n":6,"predicted_ms":600.5,"predicted_per_token_ms":100.1,"predicted_per_second":9.99}"#,
            " ~prompt ~generate",
        ),
        whole_and_stream(
            "vLLM's [docs]",
            "",
            r#","metrics":{"time_to_first_token_ms":80.5,"generation_time_ms":1200.0,"queue_time_ms":10.5,"mean_itl_ms":8,"tokens_per_second":100.0}"#,
            " ~queue ~generate",
        ),
        whole_and_stream(
            "vLLM's, of which some are not known [unverified]",
            "",
            r#","metrics":{"time_to_first_token_ms":null,"generation_time_ms":1240.5,"queue_time_ms":null}"#,
            " ~generate",
        ),
        whole_and_stream(
            "less than nothing [unverified]",
            r#","queue_time":-0.1,"prompt_time":"a","completion_time":0.4"#,
            "",
            " ~generate",
        ),
    ];
    check(rows.into_iter().flatten());
    check([stream(
        "Groq's, streamed [src]",
        CHAT,
        events(&[
            WORD,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"queue_time":0.037,"prompt_tokens":5,"prompt_time":0.0006,"completion_tokens":6,"completion_time":0.46,"total_tokens":11,"total_time":0.4606}}}"#,
            "[DONE]",
        ]),
        "success 5 6 stop first ~queue ~prompt ~generate ~total",
    )]);
}

#[test]
fn times_of_ollama_are_nanoseconds() {
    const DONE: &str = r#"{"model":"m","message":{"content":""},"done":true,"done_reason":"stop","total_duration":900000000,"load_duration":200000000,"prompt_eval_count":40,"prompt_eval_duration":100000000,"eval_count":25,"eval_duration":500000000}"#;
    const ALL: &str = "success 40 25 stop ~load ~prompt ~generate ~total";
    check([
        whole("not streamed [docs]", OLLAMA, DONE, ALL),
        Row {
            kind: LINES,
            ..stream("streamed [docs]", OLLAMA, format!("{DONE}\n"), ALL)
        },
        Row {
            path: "/api/embed",
            request: r#"{"model":"m","input":"hi"}"#,
            ..whole(
                "embeddings [docs]",
                OLLAMA,
                r#"{"model":"m","embeddings":[[0.1]],"total_duration":12000000,"load_duration":1000000,"prompt_eval_count":8}"#,
                "success 8 . ~load ~total",
            )
        },
    ]);
}

#[test]
fn the_latency_of_bedrock_is_recorded() {
    const CONVERSE: &str = "/model/m/converse-stream";
    const INVOKE: &str = "/model/mistral.m-x-v0%3A2/invoke-with-response-stream";
    check([
        whole(
            "Converse [docs]",
            "/model/m/converse",
            r#"{"metrics":{"latencyMs":640},"output":{},"stopReason":"end_turn","usage":{"inputTokens":5,"outputTokens":6}}"#,
            "success 5 6 stop ~total",
        ),
        framed(
            "Converse, streamed [docs]",
            CONVERSE,
            &[
                event("messageStop", r#"{"stopReason":"end_turn"}"#),
                event(
                    "metadata",
                    r#"{"usage":{"inputTokens":5,"outputTokens":6},"metrics":{"latencyMs":640}}"#,
                ),
            ],
            "success 5 6 stop ~total",
        ),
        framed(
            "the model itself, streamed [src]",
            INVOKE,
            &[chunk(
                r#"{"outputs":[{"text":"hi","stop_reason":"stop"}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":6,"invocationLatency":640,"firstByteLatency":140}}"#,
            )],
            "success 5 6 stop first ~total",
        ),
        Row {
            headers: &[
                ("x-amzn-bedrock-input-token-count", "5"),
                ("x-amzn-bedrock-output-token-count", "6"),
                ("x-amzn-bedrock-invocation-latency", "640"),
            ],
            ..whole(
                "the model itself [src]",
                "/model/mistral.m-x-v0%3A2/invoke",
                r#"{"outputs":[{"text":"hi","stop_reason":"stop"}]}"#,
                "success 5 6 stop ~total",
            )
        },
    ]);
}
