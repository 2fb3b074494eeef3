//! Units billed besides tokens, and the formats of reported costs.

use crate::response_formats::{
    CHAT, GEMINI, MESSAGES, RESPONSES, Row, check, events, stream, whole,
};

fn chat(name: &'static str, usage: &str, learnt: &'static str) -> Row {
    let body = format!(
        r#"{{"choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":10,"completion_tokens":5{usage}}}}}"#
    );
    whole(name, CHAT, body, learnt)
}

fn response(name: &'static str, output: &str, more: &str, learnt: &'static str) -> Row {
    let body = format!(
        r#"{{"status":"completed","output":[{output}],"usage":{{"input_tokens":10,"output_tokens":5}}{more}}}"#
    );
    whole(name, RESPONSES, body, learnt)
}

#[test]
fn tools_that_the_provider_runs_are_billed_by_use() {
    let searches = r#"{"type":"web_search_call","id":"a"},{"type":"web_search_call","id":"b","action":{"type":"search","query":"x"}}"#;
    let pages = r#"{"type":"web_search_call","id":"c","action":{"type":"open_page"}},{"type":"web_search_call","id":"d","action":{"type":"find_in_page"}}"#;
    let others = r#"{"type":"file_search_call"},{"type":"code_interpreter_call"},{"type":"image_generation_call"},{"type":"mcp_call"}"#;
    check([
        response(
            "searches, and pages that cost nothing [docs: OpenAI]",
            &format!(r#"{searches},{pages},{{"type":"message"}}"#),
            "",
            "success 10 5 stop web_searches=2",
        ),
        response(
            "a placeholder of 0 beside the items [unverified]",
            searches,
            r#","tool_usage":{"web_search":{"num_requests":0}}"#,
            "success 10 5 stop web_searches=2",
        ),
        response(
            "other tools [docs: OpenAI]",
            others,
            "",
            "success 10 5 stop file_searches=1 code_executions=1 image_generations=1",
        ),
        response(
            "a count that the provider bills by, beside the items [src: OpenAI]",
            searches,
            r#","tool_usage":{"web_search":{"num_requests":3}}"#,
            "success 10 5 stop web_searches=3",
        ),
        whole(
            "xAI's [rec: xAI]",
            "https://api.x.ai/v1/responses",
            r#"{"status":"completed","output":[{"type":"web_search_call"}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15,"cost_in_usd_ticks":292331500,"server_side_tool_usage_details":{"web_search_calls":1,"x_search_calls":3,"code_interpreter_calls":0,"file_search_calls":2,"mcp_calls":4}}}"#,
            "success 10 5 stop web_searches=1 x_searches=3 file_searches=2 $reported=29233150",
        ),
        chat(
            "OpenRouter's [docs: OpenRouter]",
            r#","cost":0.02,"server_tool_use":{"web_search_requests":2}"#,
            "success 10 5 stop web_searches=2 $reported=20000000",
        ),
        chat(
            "LiteLLM's [src: LiteLLM]",
            r#","prompt_tokens_details":{"web_search_requests":2}"#,
            "success 10 5 stop web_searches=2",
        ),
        chat(
            "Perplexity's [docs: Perplexity]",
            r#","num_search_queries":18"#,
            "success 10 5 stop web_searches=18",
        ),
        stream(
            "in a stream, an item that comes twice [docs: OpenAI]",
            RESPONSES,
            events(&[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"web_search_call","id":"a","status":"in_progress"}}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"web_search_call","id":"a","status":"completed","action":{"type":"search"}}}"#,
                r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"web_search_call","id":"b","status":"in_progress"}}"#,
                r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"web_search_call","id":"b","status":"completed","action":{"type":"open_page"}}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"web_search_call"}],"usage":{"input_tokens":10,"output_tokens":5}}}"#,
            ]),
            "success 10 5 stop web_searches=1",
        ),
    ]);
}

#[test]
fn unlike_web_queries_of_gemini_are_billed() {
    let answer = |name, model: &str, learnt| {
        let grounding = r#""groundingMetadata":{"webSearchQueries":["a","b","a",""]}"#;
        let usage = r#""usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}"#;
        let part = format!(r#"{{"candidates":[{{{grounding}}}],"modelVersion":"{model}"}}"#);
        let last = format!(
            r#"{{"candidates":[{{"finishReason":"STOP",{grounding}}}],{usage},"modelVersion":"{model}"}}"#
        );
        stream(name, GEMINI, events(&[&part, &last]), learnt)
    };
    check([
        answer(
            "each of them [docs: Gemini 3]",
            "gemini-3-pro",
            "success 10 5 stop web_searches=2",
        ),
        answer(
            "one for each prompt [docs: Gemini 2.5]",
            "gemini-2.5-flash",
            "success 10 5 stop web_searches=1",
        ),
    ]);
}

#[test]
fn the_number_of_distinct_web_queries_is_limited() {
    let queries: Vec<_> = (0..300).map(|number| format!("\"{number}\"")).collect();
    let body = format!(
        r#"{{"candidates":[{{"finishReason":"STOP","groundingMetadata":{{"webSearchQueries":[{}]}}}}],"usageMetadata":{{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}},"modelVersion":"gemini-3-pro"}}"#,
        queries.join(",")
    );
    check([whole(
        "300 of them",
        "/v1beta/models/g:generateContent",
        body,
        "success 10 5 stop web_searches=256",
    )]);
}

#[test]
fn tokens_with_their_own_price_are_details() {
    check([
        whole(
            "cache writes for an hour [docs: Anthropic]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":2,"cache_creation_input_tokens":1273,"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":273},"output_tokens":5}}"#,
            "success 1275 5 cache_write=1273 cache_write_1h=1000 stop",
        ),
        whole(
            "cache writes for an hour of Converse [docs: Bedrock]",
            "/model/m/converse",
            r#"{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":2,"outputTokens":5,"cacheWriteInputTokens":1273,"cacheDetails":[{"ttl":"1h","inputTokens":1000},{"ttl":"5m","inputTokens":273}]}}"#,
            "success 1275 5 cache_write=1273 cache_write_1h=1000 stop",
        ),
        whole(
            "images [docs: OpenAI]",
            "/v1/images/generations",
            r#"{"data":[{"b64_json":"a"}],"usage":{"input_tokens":60,"output_tokens":4160,"input_tokens_details":{"text_tokens":10,"image_tokens":50},"output_tokens_details":{"image_tokens":4160,"text_tokens":0}}}"#,
            "success 60 4160 image_input=50 image_output=4160",
        ),
        whole(
            "images of Gemini [docs: Gemini]",
            "/v1beta/models/g:generateContent",
            r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1300,"totalTokenCount":1310,"promptTokensDetails":[{"modality":"IMAGE","tokenCount":8}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}}"#,
            "success 10 1300 image_output=1290 stop",
        ),
        whole(
            "modalities as numbers [rec: Gemini]",
            "/v1beta/models/g:generateContent",
            r#"{"candidates":[{"finishReason":1}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":9,"totalTokenCount":19,"promptTokensDetails":[{"modality":4,"tokenCount":8},{"modality":1,"tokenCount":2}],"candidatesTokensDetails":[{"modality":2,"tokenCount":7}]}}"#,
            "success 10 9 audio_input=8 image_output=7 stop",
        ),
    ]);
}

#[test]
fn the_tier_that_served_a_call_is_counted() {
    let tier = |name, tier: &str, learnt| {
        let body = format!(
            r#"{{"service_tier":"{tier}","choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":10,"completion_tokens":5}}}}"#
        );
        whole(name, CHAT, body, learnt)
    };
    check([
        tier("default [docs]", "default", "success 10 5 stop"),
        tier("flex [docs]", "flex", "success 10 5 stop flex_calls=1"),
        tier(
            "priority [docs]",
            "priority",
            "success 10 5 stop priority_calls=1",
        ),
        tier(
            "a new one [unverified]",
            "overnight",
            "success 10 5 stop other_tier_calls=1",
        ),
        whole(
            "Anthropic's batches [docs]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5,"service_tier":"batch","speed":"standard"}}"#,
            "success 10 5 stop batch_calls=1",
        ),
        whole(
            "Anthropic's fast mode [docs]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5,"speed":"fast","service_tier":"standard"}}"#,
            "success 10 5 stop fast_calls=1",
        ),
        whole(
            "a tier and a speed of its own, of which the tier counts [unverified]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5,"speed":"fast","service_tier":"priority"}}"#,
            "success 10 5 stop priority_calls=1",
        ),
        whole(
            "Vertex AI's [docs]",
            "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15,"trafficType":"PROVISIONED_THROUGHPUT"}}"#,
            "success 10 5 stop provisioned_calls=1",
        ),
        whole(
            "Bedrock's [docs]",
            "/model/m/converse",
            r#"{"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":10,"outputTokens":5},"serviceTier":{"type":"flex"}}"#,
            "success 10 5 stop flex_calls=1",
        ),
        stream(
            "the tier that was asked for, and then the one that served [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.created","response":{"status":"in_progress","service_tier":"priority"}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","service_tier":"default","usage":{"input_tokens":10,"output_tokens":5}}}"#,
            ]),
            "success 10 5 stop",
        ),
    ]);
}

#[test]
fn a_cost_is_read_in_all_its_shapes() {
    check([
        chat(
            "in dollars, within the cost [rec: Charm]",
            r#","cost":{"usd":0.0012,"credits":12}"#,
            "success 10 5 stop $reported=1200000",
        ),
        chat(
            "an estimate [rec: Pydantic]",
            r#","pydantic_ai_gateway":{"cost_estimate":0.0012}"#,
            "success 10 5 stop $reported=1200000",
        ),
        whole(
            "in billionths of a credit, which is a cent [rec: GitHub Copilot]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5},"copilot_usage":{"total_nano_aiu":120000000}}"#,
            "success 10 5 stop $reported=1200000",
        ),
        whole(
            "the same of Anthropic's dialect [rec: GitHub Copilot]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5},"copilot_usage":{"total_nano_aiu":120000000}}"#,
            "success 10 5 stop $reported=1200000",
        ),
        response(
            "and of responses [rec: GitHub Copilot]",
            "",
            r#","copilot_usage":{"total_nano_aiu":120000000}"#,
            "success 10 5 stop $reported=1200000",
        ),
    ]);
}
