//! What a request asks for, read from its body.

use std::fmt;

use memchr::memmem;

use crate::llm::response::json::{Branch, MAX_TEXT_LEN, Scanner, Value, field, nested};

/// The model of a request whose body the layer cannot see, since it is made as it is
/// sent: to be put among the request's extensions. reqwest's requests have none; the
/// model of such a call is the one that the answer tells.
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
pub struct RequestModel(pub(crate) Box<str>);

impl RequestModel {
    /// Names it.
    pub fn new(model: impl Into<Box<str>>) -> Self {
        Self(model.into())
    }
}

/// Does not print the name, which may come from a client.
impl fmt::Debug for RequestModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

/// Returns as much of a name as is told of a model's: it becomes a label.
pub(crate) fn truncate_name(name: &str) -> Box<str> {
    let boundary = |at: &usize| name.is_char_boundary(*at);
    let end = (0..=name.len().min(MAX_TEXT_LEN)).rev().find(boundary);
    name[..end.unwrap_or(0)].into()
}

/// What a request's body says.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct RequestParams {
    /// Whether the body could be seen, and was a JSON object or a form.
    pub(crate) is_readable: bool,
    pub(crate) model: Option<Box<str>>,
    pub(crate) stream: Option<bool>,
    /// Whether a stream is to tell its usage.
    pub(crate) includes_usage: bool,
    /// How many answers it asks for, and the most tokens that each may have.
    pub(crate) choices: Option<u64>,
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
    /// Reads a body; the time that takes grows with its size, and is far below what
    /// sending it takes.
    pub(crate) fn read(body: Option<&[u8]>) -> Self {
        let mut asked = Self::default();
        match body {
            Some(body) if body.starts_with(b"--") => asked.read_form(body),
            Some(body) => {
                let mut scanner = Scanner::new(BODY);
                scanner.push(body, &mut asked);
                asked.is_readable = scanner.is_done() && body.trim_ascii_start().starts_with(b"{");
            }
            None => {}
        }
        asked
    }

    /// Returns the most output tokens that the request allows, in all answers together.
    pub(crate) fn max_total_tokens(&self) -> Option<u64> {
        // Some take 0 for no limit.
        let each = self.max_tokens.filter(|most| *most > 0)?;
        Some(each.saturating_mul(self.choices.unwrap_or(1).max(1)))
    }

    /// Reads a form in parts (RFC 7578), as those are that have a sound or picture in them.
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

/// Returns the parts of a form, the head of each and its value. What is within a value, such
/// as a file that someone else made, is never taken for a part.
fn form_parts(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    const END: &[u8] = b"\r\n";
    const BLANK: &[u8] = b"\r\n\r\n";
    // The first line is the boundary, which ends each part on a line of its own.
    let boundary = memmem::find(form, END).map(|end| [END, &form[..end]].concat());
    let mut rest = boundary
        .as_ref()
        .map(|boundary| &form[boundary.len() - END.len()..]);
    std::iter::from_fn(move || {
        let part = rest?;
        let head = memmem::find(part, BLANK)?;
        let value = &part[head + BLANK.len()..];
        let end = memmem::find(value, boundary.as_ref()?)?;
        rest = Some(&value[end + boundary.as_ref()?.len()..]);
        Some((&part[..head], &value[..end]))
    })
}

/// Whether a part of a form is a text of this name; what has a name of a file is one.
fn is_text_field(head: &[u8], name: &str) -> bool {
    let named = format!(" name=\"{name}\"");
    memmem::find(head, named.as_bytes()).is_some() && memmem::find(head, b"filename").is_none()
}

fn nonempty_text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| !text.is_empty())
}

/// The methods that take the values of the body.
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

    /// Takes the largest limit: some clients send an old one, which the server ignores, beside
    /// the one that counts.
    fn max_tokens(&mut self, value: Value<'_>) {
        self.max_tokens = self.max_tokens.max(value.to_u64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tells_its_model_and_what_it_wants_wherever_they_are() {
        let body = br#"{"messages":[{"content":"\"model\":\"no\"","model":"no"}],
            "stream":true,"stream_options":{"x":[1],"include_usage":true},"model":"gpt\/x"}"#;
        let asked = RequestParams::read(Some(body));
        let expected = RequestParams {
            is_readable: true,
            model: Some("gpt/x".into()),
            stream: Some(true),
            includes_usage: true,
            ..RequestParams::default()
        };
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_name_that_is_cut_stays_too_long() {
        for (times, length) in [(40, 162), (60, MAX_TEXT_LEN)] {
            let body = format!(r#"{{"model":"ab{}"}}"#, r"\u6a21-".repeat(times));
            let asked = RequestParams::read(Some(body.as_bytes()));
            assert_eq!(asked.model.unwrap().len(), length);
        }
    }

    #[test]
    fn a_limit_of_tokens_is_for_each_answer_and_0_is_none() {
        for (body, most) in [
            (&br#"{"max_tokens":5,"n":2}"#[..], Some(10)),
            (br#"{"max_completion_tokens":5}"#, Some(5)),
            (br#"{"max_tokens":0}"#, None),
            (br"{}", None),
        ] {
            assert_eq!(RequestParams::read(Some(body)).max_total_tokens(), most);
        }
    }

    #[test]
    fn what_is_no_object_is_not_seen() {
        for body in ["not JSON", "123 x", "true", "null", "[]", "\"x\"", ""] {
            assert!(
                !RequestParams::read(Some(body.as_bytes())).is_readable,
                "{body}"
            );
        }
    }

    #[test]
    fn a_form_tells_its_model_wherever_it_is() {
        let part = |head: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let model = part("name=\"model\"", "whisper-x");
        let stream = part("name=\"stream\"", "true");
        // What is in a file is nobody's choice but that of who made it.
        let inside = "\0\u{1}; name=\"model\"\r\n\r\nevil\r\n--c\r\n";
        let file = part("name=\"file\"; filename=\"a.mp3\"", inside);
        for form in [
            format!("{model}{file}{stream}--b--\r\n"),
            format!("{file}{stream}{model}--b--\r\n"),
        ] {
            let asked = RequestParams::read(Some(form.as_bytes()));
            assert_eq!(asked.model.as_deref(), Some("whisper-x"));
            assert_eq!(asked.stream, Some(true));
        }
        // A boundary is no part of a head, whatever it is made of.
        let form = format!("{model}--b--\r\n").replace("--b", "--------------------b-filename=c");
        let asked = RequestParams::read(Some(form.as_bytes()));
        assert_eq!(asked.model.as_deref(), Some("whisper-x"));
        let named = part("name=\"model\"; filename=\"m\"", "no model");
        for form in [
            "--",
            "--b\r\n name=\"model\"",
            "--b\r\n name=\"model\"\r\n\r\n",
            "--b\r\n name=\"model\"\r\n\r\ncut",
            &named,
        ] {
            assert_eq!(
                RequestParams::read(Some(form.as_bytes())).model,
                None,
                "{form}"
            );
        }
    }

    #[test]
    fn a_request_that_is_not_seen_or_no_json_says_nothing() {
        for body in [
            None,
            Some(&b""[..]),
            Some(b"--form"),
            Some(br#"{"stream":"yes"}"#),
        ] {
            let asked = RequestParams::read(body);
            assert_eq!(
                (asked.model, asked.stream, asked.includes_usage),
                (None, None, false)
            );
        }
    }
}
