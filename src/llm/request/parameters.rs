//! The parameters of a call, read from the request's body.

use std::fmt;

use memchr::memmem;

use crate::llm::response::json::{Branch, MAX_TEXT_LEN, Scanner, Value, field, nested};

/// The model of a request with a streamed body.
///
/// The layer cannot read the model from such a body. Insert a `RequestModel` into the extensions
/// of the [`http::Request`] instead. A `reqwest::Request` has no extensions; for it, the model that
/// the response names is used.
///
/// ```
/// use tachometer::llm::RequestModel;
///
/// let mut request = http::Request::post("https://api.openai.com/v1/chat/completions")
///     .body("streamed".to_owned())
///     .unwrap();
/// request.extensions_mut().insert(RequestModel::new("gpt-x"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[doc(alias = "extensions")]
#[doc(alias = "streaming")]
pub struct RequestModel(pub(crate) Box<str>);

impl RequestModel {
    /// Creates an extension with the name of the model.
    pub fn new(model: impl Into<Box<str>>) -> Self {
        Self(model.into())
    }
}

/// Does not print the name, which may come from a client.
impl fmt::Debug for RequestModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestModel").finish_non_exhaustive()
    }
}

/// Returns the start of a model's name, up to the greatest length of a label.
pub(crate) fn truncate_name(name: &str) -> Box<str> {
    let is_boundary = |index: &usize| name.is_char_boundary(*index);
    let end = (0..=name.len().min(MAX_TEXT_LEN)).rev().find(is_boundary);
    name[..end.unwrap_or(0)].into()
}

/// The parameters in a request's body that affect how the call is measured.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct RequestParams {
    /// Whether the body is in memory and is a JSON object or a multipart form.
    pub(crate) is_readable: bool,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: Option<bool>,
    /// Whether the usage is requested at the end of a stream.
    pub(crate) includes_usage: bool,
    /// The number of requested choices.
    pub(crate) choices: Option<u64>,
    /// The greatest number of output tokens of each choice.
    max_tokens: Option<u64>,
}

const BODY: &[Branch<RequestParams>] = &[
    field("model", RequestParams::model),
    field("stream", RequestParams::stream),
    nested(
        "stream_options",
        &[field("include_usage", RequestParams::include_usage)],
    ),
    field("n", RequestParams::choices),
    field("max_tokens", RequestParams::max_tokens),
    field("max_completion_tokens", RequestParams::max_tokens),
    field("max_output_tokens", RequestParams::max_tokens),
    // Gemini accepts both spellings.
    nested(
        "generationConfig",
        &[field("candidateCount", RequestParams::choices)],
    ),
    nested(
        "generation_config",
        &[field("candidate_count", RequestParams::choices)],
    ),
];

impl RequestParams {
    /// Reads a body. The time is proportional to its length and much shorter than sending it.
    pub(crate) fn read(body: Option<&[u8]>) -> Self {
        let mut params = Self::default();
        match body {
            Some(body) if body.starts_with(b"--") => params.read_form(body),
            Some(body) => {
                let mut scanner = Scanner::new(BODY);
                scanner.push(body, &mut params);
                params.is_readable = scanner.is_done() && body.trim_ascii_start().starts_with(b"{");
            }
            None => {}
        }
        params
    }

    /// Returns the greatest number of output tokens of all choices together.
    pub(crate) fn max_total_tokens(&self) -> Option<u64> {
        // For some servers, 0 means no limit.
        let max_tokens = self.max_tokens.filter(|tokens| *tokens > 0)?;
        Some(max_tokens.saturating_mul(self.choices.unwrap_or(1).max(1)))
    }

    /// Reads a multipart form (RFC 7578), which requests with audio or images have.
    fn read_form(&mut self, form: &[u8]) {
        for (head, value) in form_parts(form) {
            if is_text_field(head, "model") {
                self.model = nonempty_text(value).map(truncate_name);
            } else if is_text_field(head, "stream") {
                self.stream = nonempty_text(value).map(|stream| stream == "true");
            }
        }
        self.is_readable = true;
    }
}

/// Returns the head and the value of each part of a multipart form. Text within a value, such as
/// an uploaded file, is never parsed as a part.
fn form_parts(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    const CRLF: &[u8] = b"\r\n";
    const BLANK_LINE: &[u8] = b"\r\n\r\n";
    // The first line is the boundary. A line with the same text ends each part.
    let boundary = memmem::find(form, CRLF).map(|end| [CRLF, &form[..end]].concat());
    let mut remaining = boundary
        .as_ref()
        .map(|boundary| &form[boundary.len() - CRLF.len()..]);
    std::iter::from_fn(move || {
        let part = remaining?;
        let head_len = memmem::find(part, BLANK_LINE)?;
        let value = &part[head_len + BLANK_LINE.len()..];
        let end = memmem::find(value, boundary.as_ref()?)?;
        remaining = Some(&value[end + boundary.as_ref()?.len()..]);
        Some((&part[..head_len], &value[..end]))
    })
}

/// Returns true for the head of a text field with this name. A part with a file name is a file.
fn is_text_field(head: &[u8], name: &str) -> bool {
    let attribute = format!(" name=\"{name}\"");
    memmem::find(head, attribute.as_bytes()).is_some() && memmem::find(head, b"filename").is_none()
}

fn nonempty_text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| !text.is_empty())
}

/// Setters for the fields of a JSON body.
impl RequestParams {
    fn model(&mut self, value: Value<'_>) {
        if let Some(model) = value.non_empty() {
            self.model = Some(model.into());
        }
    }

    fn stream(&mut self, value: Value<'_>) {
        self.stream = value.to_bool().or(self.stream);
    }

    fn include_usage(&mut self, value: Value<'_>) {
        self.includes_usage = value.is_true();
    }

    fn choices(&mut self, value: Value<'_>) {
        self.choices = value.to_u64();
    }

    /// Keeps the largest limit. Some clients also send a deprecated field, which the server
    /// ignores.
    fn max_tokens(&mut self, value: Value<'_>) {
        self.max_tokens = self.max_tokens.max(value.to_u64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_at_any_position() {
        let body = br#"{"messages":[{"content":"\"model\":\"no\"","model":"no"}],
            "stream":true,"stream_options":{"x":[1],"include_usage":true},"model":"gpt\/x"}"#;
        let params = RequestParams::read(Some(body));
        let expected = RequestParams {
            is_readable: true,
            model: Some("gpt/x".into()),
            stream: Some(true),
            includes_usage: true,
            ..RequestParams::default()
        };
        assert_eq!(params, expected);
    }

    #[test]
    fn a_long_name_is_truncated() {
        for (times, length) in [(40, 162), (60, MAX_TEXT_LEN)] {
            let body = format!(r#"{{"model":"ab{}"}}"#, r"\u6a21-".repeat(times));
            let params = RequestParams::read(Some(body.as_bytes()));
            assert_eq!(params.model.unwrap().len(), length);
        }
    }

    #[test]
    fn a_token_limit_applies_to_each_choice_and_0_means_none() {
        for (body, tokens) in [
            (&br#"{"max_tokens":5,"n":2}"#[..], Some(10)),
            (br#"{"max_completion_tokens":5}"#, Some(5)),
            (br#"{"max_tokens":0}"#, None),
            (br"{}", None),
        ] {
            assert_eq!(RequestParams::read(Some(body)).max_total_tokens(), tokens);
        }
    }

    #[test]
    fn a_body_that_is_not_an_object_is_not_readable() {
        for body in ["not JSON", "123 x", "true", "null", "[]", "\"x\"", ""] {
            assert!(
                !RequestParams::read(Some(body.as_bytes())).is_readable,
                "{body}"
            );
        }
    }

    #[test]
    fn the_model_of_a_form_is_read_at_any_position() {
        let part = |head: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let model = part("name=\"model\"", "whisper-x");
        let stream = part("name=\"stream\"", "true");
        // The content of a file must not change the model.
        let content = "\0\u{1}; name=\"model\"\r\n\r\nevil\r\n--c\r\n";
        let file = part("name=\"file\"; filename=\"a.mp3\"", content);
        for form in [
            format!("{model}{file}{stream}--b--\r\n"),
            format!("{file}{stream}{model}--b--\r\n"),
        ] {
            let params = RequestParams::read(Some(form.as_bytes()));
            assert_eq!(params.model.as_deref(), Some("whisper-x"));
            assert_eq!(params.stream, Some(true));
        }
        // The text of a boundary does not belong to a head.
        let form = format!("{model}--b--\r\n").replace("--b", "--------------------b-filename=c");
        let params = RequestParams::read(Some(form.as_bytes()));
        assert_eq!(params.model.as_deref(), Some("whisper-x"));
        let file = part("name=\"model\"; filename=\"m\"", "no model");
        for form in [
            "--",
            "--b\r\n name=\"model\"",
            "--b\r\n name=\"model\"\r\n\r\n",
            "--b\r\n name=\"model\"\r\n\r\ncut",
            &file,
        ] {
            assert_eq!(
                RequestParams::read(Some(form.as_bytes())).model,
                None,
                "{form}"
            );
        }
    }

    #[test]
    fn an_unreadable_body_has_no_parameters() {
        for body in [
            None,
            Some(&b""[..]),
            Some(b"--form"),
            Some(br#"{"stream":"yes"}"#),
        ] {
            let params = RequestParams::read(body);
            assert_eq!(
                (params.model, params.stream, params.includes_usage),
                (None, None, false)
            );
        }
    }
}
