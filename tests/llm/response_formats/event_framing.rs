//! Framing of events: line ends, fields, and the content types that declare them.

use crate::response_formats::{CHAT, EVENTS, JSON, Row, check, stream, whole};

const FULL: &str = "success 21 4 stop first";

/// A stream, as most servers write it.
const PLAIN: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":21,\"completion_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
);

fn wire(name: &'static str, body: impl Into<Vec<u8>>) -> Row {
    stream(name, CHAT, body, FULL)
}

#[test]
fn a_stream_is_read_however_it_is_written() {
    check([
        wire("plain", PLAIN),
        wire("CRLF", PLAIN.replace('\n', "\r\n")),
        wire("CR", PLAIN.replace('\n', "\r")),
        wire("a mark of the byte order", format!("\u{feff}{PLAIN}")),
        wire("no space after the colon", PLAIN.replace("data: ", "data:")),
        wire("empty lines before it", format!("\n\n\r\n{PLAIN}")),
        wire("no empty lines", PLAIN.replace("\n\n", "\n")),
        wire(
            "no empty line after a word",
            format!("data: null\n{PLAIN}"),
        ),
        wire("no line at the end", PLAIN.trim_end()),
        wire("no mark of the end", PLAIN.replace("data: [DONE]\n\n", "")),
        wire(
            "comments and other fields",
            PLAIN.replace(
                "data: ",
                ": OPENROUTER PROCESSING\nid: 1\nevent: chunk\nretry: 10\ndatabase: {\"usage\":{\"prompt_tokens\":9}}\ndata: ",
            ),
        ),
        wire("comments first", format!(": keep-alive\n\n: keep-alive\n\n{PLAIN}")),
        wire("in many lines each", PLAIN.replace(",\"", ",\ndata: \"")),
        wire("in many lines each, with CRLF", PLAIN.replace(",\"", ",\ndata: \"").replace('\n', "\r\n")),
        wire("an event that is no JSON", format!("data: {{\"a\": oops\n\ndata: hello\n\n{PLAIN}")),
        wire("a line that is no JSON", format!("data: oops\n{PLAIN}")),
        wire("after the end", format!("{PLAIN}data: {{\"choices\":[{{\"index\":0,\"finish_reason\":\"length\"}}]}}\n\n")),
        wire("a field of no known name first", format!("x-trace: 1\n\n{PLAIN}")),
        Row {
            kind: JSON,
            ..wire("labelled as JSON", PLAIN)
        },
        Row {
            kind: "text/plain; charset=utf-8",
            ..wire("labelled as text", PLAIN)
        },
        Row {
            kind: "Text/Event-Stream;charset=UTF-8",
            ..wire("labelled in capitals", PLAIN)
        },
    ]);
}

#[test]
fn a_text_is_read_however_it_is_written() {
    const ANSWER: &str = r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4}}"#;
    let row = |name, body: String| whole(name, CHAT, body, "success 21 4 stop");
    check([
        row("plain", ANSWER.to_owned()),
        row(
            "with spaces",
            ANSWER.replace(':', " :\r\n\t").replace(',', " , "),
        ),
        row("a mark of the byte order", format!("\u{feff}{ANSWER}")),
        row("something after it", format!("{ANSWER}\n\n")),
        Row {
            kind: EVENTS,
            ..row("labelled as events", ANSWER.to_owned())
        },
        Row {
            kind: "",
            ..row("not labelled", ANSWER.to_owned())
        },
    ]);
}
