//! Invalid token counts, and `usage` in unexpected places.

use crate::response_formats::{CHAT, Row, check, whole};

fn usage(usage: &str, learnt: &'static str) -> Row {
    let body = format!(r#"{{"choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{usage}}}"#);
    let name: &'static str = usage.to_owned().leak();
    whole(name, CHAT, body, learnt)
}

#[test]
fn only_valid_token_counts_are_counted() {
    check([
        usage(
            r#"{"prompt_tokens":1,"completion_tokens":2}"#,
            "success 1 2 stop",
        ),
        usage(
            r#"{"prompt_tokens":1.0,"completion_tokens":2e1}"#,
            "success 1 20 stop",
        ),
        usage(
            r#"{"prompt_tokens":1,"prompt_tokens":7,"completion_tokens":2}"#,
            "success 7 2 stop",
        ),
        usage(
            r#"{"prompt_tokens":7,"prompt_tokens":null,"completion_tokens":2}"#,
            "success 7 2 stop",
        ),
        usage(
            r#"{"prompt_tokens":1,"completion_tokens":null}"#,
            "success 1 . stop -not_reported",
        ),
        usage("null", "success . . stop -not_reported"),
        usage("{}", "success . . stop -not_reported"),
        usage("[1,2]", "success . . stop -not_reported"),
        usage("\"prompt_tokens\"", "success . . stop -not_reported"),
        usage(
            r#"{"prompt_tokens":-1,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":1.5,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":"1","completion_tokens":"2.0"}"#,
            "success 1 2 stop",
        ),
        usage(
            r#"{"prompt_tokens":"many","completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":true,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":{},"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":1e999,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":18446744073709551616,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            r#"{"prompt_tokens":9223372036854775807,"completion_tokens":2}"#,
            "success . 2 stop -invalid",
        ),
        // Earlier counts are kept although a later one is invalid, but marked as incomplete.
        usage(
            r#"{"prompt_tokens":5,"prompt_tokens":-1,"completion_tokens":2}"#,
            "success 5 2 stop -invalid",
        ),
    ]);
}

#[test]
fn a_number_of_a_thousand_digits_is_invalid() {
    let usage_of = format!(
        r#"{{"prompt_tokens":{},"completion_tokens":2}}"#,
        "9".repeat(1_000)
    );
    check([usage(&usage_of, "success . 2 stop -invalid")]);
}

#[test]
fn only_the_usage_of_the_response_is_read() {
    let in_stream = |content: &str| {
        format!(
            r#"{{"choices":[{{"index":0,"message":{content},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":2}}}}"#
        )
    };
    check([
        whole(
            "in a text",
            CHAT,
            in_stream(
                r#"{"content":"\"usage\":{\"prompt_tokens\":9}},\"usage\":{\"prompt_tokens\":9}"}"#,
            ),
            "success 1 2 stop",
        ),
        whole(
            "in a text that ends with a backslash",
            CHAT,
            in_stream(r#"{"content":"\\","usage":{"prompt_tokens":9}}"#),
            "success 1 2 stop",
        ),
        whole(
            "deep in something else",
            CHAT,
            in_stream(
                r#"{"extra":[[{"usage":{"prompt_tokens":9},"choices":[{"finish_reason":"length"}]}]]}"#,
            ),
            "success 1 2 stop",
        ),
        whole(
            "under a name that is written in another way",
            CHAT,
            r#"{"choices":[{"finish_reason":"\u0073top"}],"\u0075sage":{"prompt\u005ftokens":1,"completion_tokens":2},"usage2":{"prompt_tokens":9},"usag":{"prompt_tokens":9}}"#,
            "success 1 2 stop",
        ),
        whole(
            "after a hundred thousand brackets",
            CHAT,
            in_stream(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
            "success 1 2 stop",
        ),
        whole(
            "after a hundred thousand objects under names that are read",
            CHAT,
            in_stream(&format!(
                "{}1{}",
                r#"{"content":[{"choices":"#.repeat(100_000),
                "}]}".repeat(100_000)
            )),
            "success 1 2 stop",
        ),
    ]);
}
