//! One call over HTTP, from its request to the end of the answer's body.

mod settle;

use std::any::Any;
use std::fmt;
use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode, header};

use crate::llm::call::LlmCall;
use crate::llm::call::client_error::error_type;
use crate::llm::call::llm_call::Progress;
use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::LlmMetrics;
use crate::llm::request::{Detected, RequestParams, detect};
use crate::llm::response::dialect::{Dialect, Vendor};
use crate::llm::response::framing::{DeclaredFormat, ResponseReader};
use crate::llm::response::headers::read_headers;
use crate::llm::response::rate_limit::rate_limits;

/// The call of one request, which is made when the request is sent, moved to the future
/// and from there into the answer's body, and dropped once.
pub struct HttpCall {
    call: LlmCall,
    dialect: &'static Dialect,
    vendor: Vendor,
    /// Whether it fetches a stored answer, which is counted only if that was made in the
    /// background and is complete.
    fetches_stored: bool,
    params: RequestParams,
    deployment: Option<Box<str>>,
    status: Option<StatusCode>,
    /// None before the head, and of an answer that cannot be read.
    reader: Option<Box<ResponseReader>>,
    end: Option<End>,
    /// Whether code of the client's is running, which panicked if that is so in `drop`.
    is_in_client: bool,
}

/// Without what the request and the answer say, which may be anything.
impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How an answer came to its end, or did not.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Body,
    Failure(ErrorType),
}

impl HttpCall {
    /// Begins a call, if the request is one; only then `ask` is to read what it asks for.
    pub(crate) fn start(
        metrics: &LlmMetrics,
        method: &Method,
        (host, port): (&str, Option<u16>),
        path: &str,
        ask: impl FnOnce() -> RequestParams,
    ) -> Option<Box<Self>> {
        let settings = metrics.settings();
        let mut own = settings.hosts.iter().rev();
        let own = own.find(|(own, _)| host_matches(own, host, port));
        let provider = own
            .map(|(_, provider)| provider)
            .or(settings.provider.as_ref());
        let detected = detect(method, host, path, provider.map(|provider| &**provider))?;
        if let Some(skip) = &settings.skip
            && skip.call(|skip| skip(host, path)) == Some(true)
        {
            return None;
        }
        let Detected {
            dialect,
            operation,
            provider,
            is_stored,
            needs_model: is_likely,
            needs_model_if_readable: asks_model,
            model,
            deployment,
        } = detected;
        let asked = ask();
        let is_needed = is_likely || (asks_model && asked.is_readable);
        if is_needed && asked.model.is_none() {
            return None;
        }
        // A deployment's name stands where the model does, so the answer tells the model.
        let asked_for = || asked.model.clone().filter(|_| deployment.is_none());
        let model = model.or_else(asked_for);
        let call = if is_stored {
            LlmCall::stored(metrics, operation, &provider)
        } else {
            LlmCall::start(metrics, operation, &provider, model)
        };
        Some(Box::new(Self {
            call,
            dialect,
            vendor: Vendor::from_host(host),
            fetches_stored: is_stored,
            params: asked,
            deployment,
            status: None,
            reader: None,
            end: None,
            is_in_client: false,
        }))
    }

    /// Notes that code of the client's is about to run.
    pub(crate) fn enter_client(&mut self) {
        self.is_in_client = true;
    }

    /// Notes that it has returned.
    pub(crate) fn exit_client(&mut self) {
        self.is_in_client = false;
    }

    /// Notes the head of the answer.
    pub(crate) fn on_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        self.call.progress = if status.is_success() {
            Progress::Answered
        } else {
            Progress::Refused
        };
        if status.is_success() {
            self.call.prove();
        }
        if !self.fetches_stored {
            self.call.limits(rate_limits(headers, SystemTime::now()));
        }
        let label = self.declared_format(headers);
        let mut reader = Box::new(ResponseReader::new(self.dialect, label));
        // The head of a fetch says nothing of the call whose answer is fetched.
        if !self.fetches_stored {
            read_headers(headers, &mut reader.answer);
        }
        self.reader = Some(reader);
    }

    /// Reads a piece of the answer.
    pub(crate) fn on_data(&mut self, bytes: &[u8]) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let had_first = self.call.has_first();
        let parts = reader.answer.content.event_count;
        reader.push(bytes);
        // Nor do the times at which its pieces come.
        if self.fetches_stored || !reader.is_streamed() {
            return;
        }
        if had_first {
            self.call.is_single_frame = false;
        } else if reader.has_content() {
            self.call.first_token();
            self.call.is_single_frame = true;
        }
        self.call.chunks(reader.answer.content.event_count - parts);
    }

    /// Notes that a piece of the answer could not be read.
    pub(crate) fn skip_frame(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.stop();
        }
        self.call.usage_unknown = Some("encoded");
    }

    /// Notes that the answer has come to its end.
    pub(crate) fn on_end(&mut self) {
        self.end = Some(End::Body);
    }

    /// Notes that the call failed, before the answer or within it.
    pub(crate) fn on_error(&mut self, error: &(dyn Any + 'static)) {
        self.end = Some(End::Failure(error_type(error)));
    }

    /// Returns what an answer is said to be.
    fn declared_format(&mut self, headers: &HeaderMap) -> DeclaredFormat {
        if is_encoded(headers) {
            self.call.usage_unknown = Some("encoded");
            return DeclaredFormat::Opaque;
        }
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
        // Whether each line is an event is the request's to say, where the head does not;
        // embeddings never come in events.
        let streams = self.dialect.is_streamed_by_default && &*self.call.operation != "embeddings";
        let streams = streams && self.params.stream.unwrap_or(self.params.is_readable);
        // What most answers are.
        if kind.starts_with("application/json") && !streams {
            return DeclaredFormat::Other;
        }
        let kind = kind.to_ascii_lowercase();
        let is = |part: &str| kind.contains(part);
        if is("ndjson") || is("jsonl") || streams {
            DeclaredFormat::JsonLines
        } else if is("vnd.amazon.eventstream") {
            DeclaredFormat::AwsEventStream
        } else if is("event-stream") {
            DeclaredFormat::Sse
        } else if self.dialect.is_free_form && !is("json") {
            DeclaredFormat::Opaque
        } else {
            DeclaredFormat::Other
        }
    }

    /// Decides how the call ended, once nothing more will come.
    fn outcome(&mut self) -> Outcome {
        if self.is_in_client {
            return Outcome::Error(ErrorType::Panic);
        }
        let Some(status) = self.status else {
            return match self.end {
                Some(End::Failure(error)) => Outcome::Error(error),
                _ => Outcome::Cancelled,
            };
        };
        let told = self.reader.as_ref().and_then(|reader| reader.answer.error);
        if !status.is_success() {
            let by_status = ErrorType::from_status(status.as_u16());
            // What a refusal is made of matters less than that it is one.
            let is_special = |error: &ErrorType| !error.is_general() && *error != ErrorType::Decode;
            let special = told.filter(is_special);
            let error = special.or(by_status).or(told);
            return Outcome::Error(error.unwrap_or(ErrorType::Other));
        }
        if let Some(error) = told {
            return Outcome::Error(error);
        }
        let reader = self.reader.as_deref();
        if let Some(reader) = reader.filter(|reader| reader.answer.has_ended) {
            return if reader.answer.background.is_pending {
                Outcome::Pending
            } else {
                Outcome::Success
            };
        }
        match (self.end, reader) {
            (None, _) => Outcome::Cancelled,
            (Some(End::Failure(ErrorType::Timeout)), _) => Outcome::Error(ErrorType::Timeout),
            (Some(End::Body), None) => Outcome::Success,
            (Some(End::Body), Some(reader)) if reader.is_ignored() => Outcome::Success,
            (Some(End::Body), Some(reader)) if reader.is_unrecognized() => {
                Outcome::Error(ErrorType::Decode)
            }
            (Some(_), _) => Outcome::Truncated,
        }
    }
}

impl Drop for HttpCall {
    fn drop(&mut self) {
        let choices = self.choices();
        if let Some(reader) = &mut self.reader {
            reader.finish(choices);
        }
        self.call.outcome = self.outcome();
        self.settle();
        if self.fetches_stored
            && (self.reader.is_none() || self.call.progress != Progress::Answered)
        {
            self.call.discard();
        }
        if self.call.model.is_none() {
            let unseen = || self.call.metrics().settings().default_model.clone();
            self.call.model = self.deployment.take().or_else(unseen);
        }
    }
}

/// Whether what the user calls a host is this one: a name or address, with a port or for
/// any.
fn host_matches(own: &str, host: &str, port: Option<u16>) -> bool {
    let (name, own_port) = match own.rsplit_once(':') {
        // The colons of an address stand in brackets.
        Some((name, own_port)) if !name.contains(':') || name.ends_with(']') => {
            (name, own_port.parse().ok())
        }
        _ => (own, None),
    };
    name.eq_ignore_ascii_case(host) && (own_port.is_none() || own_port == port)
}

/// Whether a body is compressed, so that it cannot be read as it passes.
fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING);
    codings
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity") && !coding.is_empty())
}
