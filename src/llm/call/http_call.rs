//! One call over HTTP, from its request to the end of the response's body.

use std::any::Any;
use std::fmt;
use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode};

use crate::context::PanicFlag;
use crate::llm::call::client_error::error_type;
use crate::llm::call::llm_call::{Acceptance, LlmCall};
use crate::llm::call::response_format::{declared_format, is_encoded};
use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::LlmMetrics;
use crate::llm::request::{DetectedCall, RequestParams, detect, host_matches};
use crate::llm::response::{
    DeclaredFormat, Dialect, ResponseReader, Vendor, rate_limits, read_headers,
};

/// An LLM call over HTTP. It is created when the request is sent, and moves into the future and
/// then into the response's body. The call is recorded when this value is dropped.
pub struct HttpCall {
    pub(crate) call: LlmCall,
    pub(crate) dialect: &'static Dialect,
    pub(crate) vendor: Vendor,
    /// Whether the request fetches a stored response. The response is counted only if it was
    /// generated in the background and is complete.
    pub(crate) is_fetch: bool,
    pub(crate) params: RequestParams,
    deployment: Option<Box<str>>,
    pub(crate) status: Option<StatusCode>,
    /// `None` until the head of the response has arrived.
    pub(crate) reader: Option<Box<ResponseReader>>,
    pub(crate) end: Option<ResponseEnd>,
    /// Whether the response is compressed, or a frame of it could not be read.
    pub(crate) is_unreadable: bool,
    panic_flag: PanicFlag,
}

/// Does not print the request and the response, which may hold user data.
impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How the client's future or body ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ResponseEnd {
    Body,
    Failure(ErrorType),
}

impl HttpCall {
    /// Starts a call if the request is an LLM call. Other requests do not call `read_params`.
    pub(crate) fn start(
        metrics: &LlmMetrics,
        method: &Method,
        (host, port): (&str, Option<u16>),
        path: &str,
        read_params: impl FnOnce() -> RequestParams,
    ) -> Option<Box<Self>> {
        let settings = metrics.settings();
        let mut configured = settings.provider_by_host.iter().rev();
        let configured = configured.find(|(name, _)| host_matches(name, host, port));
        let provider = configured
            .map(|(_, provider)| provider)
            .or(settings.provider.as_ref());
        let detected = detect(method, host, path, provider.map(|provider| &**provider))?;
        if let Some(skip) = &settings.skip
            && skip.call(|skip| skip(host, path)) == Some(true)
        {
            return None;
        }
        let DetectedCall {
            dialect,
            operation,
            provider,
            is_fetch,
            needs_model,
            needs_model_if_readable,
            model,
            deployment,
        } = detected;
        let params = read_params();
        let needs_model = needs_model || (needs_model_if_readable && params.is_readable);
        if needs_model && params.model.is_none() {
            return None;
        }
        // The body of a request to a deployment may hold the deployment's name as the model.
        let requested = || params.model.clone().filter(|_| deployment.is_none());
        let model = model.or_else(requested);
        let call = if is_fetch {
            LlmCall::start_fetch(metrics, &provider, operation)
        } else {
            LlmCall::start(metrics, &provider, model, operation)
        };
        Some(Box::new(Self {
            call,
            dialect,
            vendor: Vendor::from_host(host),
            is_fetch,
            params,
            deployment,
            status: None,
            reader: None,
            end: None,
            is_unreadable: false,
            panic_flag: PanicFlag::default(),
        }))
    }

    /// Runs code of the client. If the code panics, the call, if any, is recorded as a panic.
    #[inline]
    pub(crate) fn run_client<T>(call: Option<&mut Self>, client: impl FnOnce() -> T) -> T {
        match call {
            Some(call) => call.panic_flag.run(client),
            None => client(),
        }
    }

    /// Reads the head of the response.
    pub(crate) fn on_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        if status.is_success() {
            self.call.acceptance = Acceptance::Accepted;
            self.call.confirm_model();
        } else {
            self.call.acceptance = Acceptance::Rejected;
        }
        if !self.is_fetch {
            let limits = rate_limits(headers, SystemTime::now());
            self.call.record_rate_limits(limits);
        }
        let format = self.declared_format(headers);
        let mut reader = Box::new(ResponseReader::new(self.dialect, format));
        // The headers of a fetch do not belong to the call that created the response.
        if !self.is_fetch {
            read_headers(headers, &mut reader.answer);
        }
        self.reader = Some(reader);
    }

    fn declared_format(&mut self, headers: &HeaderMap) -> DeclaredFormat {
        if is_encoded(headers) {
            self.is_unreadable = true;
            return DeclaredFormat::Opaque;
        }
        // The request decides whether an Ollama response is streamed. Embeddings never are.
        let may_stream =
            self.dialect.is_streamed_by_default && &*self.call.target.operation != "embeddings";
        let has_lines = may_stream && self.params.stream.unwrap_or(self.params.is_readable);
        declared_format(headers, has_lines, self.dialect.is_free_form)
    }

    /// Reads a part of the response's body.
    pub(crate) fn on_data(&mut self, bytes: &[u8]) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        let had_first_token = self.call.has_first_token();
        let events_before = reader.answer.content.event_count;
        reader.push(bytes);
        // The timing of a fetch is not the timing of the call that created the response.
        if self.is_fetch || !reader.is_streamed() {
            return;
        }
        if had_first_token {
            self.call.is_single_frame = false;
        } else if reader.has_content() {
            self.call.first_token();
            self.call.is_single_frame = true;
        }
        let events = reader.answer.content.event_count - events_before;
        self.call.observe_chunks(events);
    }

    /// Called for a part of the body that cannot be read without copying it.
    pub(crate) fn skip_frame(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.stop();
        }
        self.is_unreadable = true;
    }

    /// Called at the end of the response's body.
    pub(crate) fn on_end(&mut self) {
        self.end = Some(ResponseEnd::Body);
    }

    /// Called when the client's future or body returned an error.
    pub(crate) fn on_error(&mut self, error: &(dyn Any + 'static)) {
        self.end = Some(ResponseEnd::Failure(error_type(error)));
    }

    /// Returns the outcome. The response must have ended or been dropped.
    fn outcome(&self) -> Outcome {
        if self.panic_flag.is_set() {
            return Outcome::Error(ErrorType::Panic);
        }
        let Some(status) = self.status else {
            return match self.end {
                Some(ResponseEnd::Failure(error)) => Outcome::Error(error),
                _ => Outcome::Cancelled,
            };
        };
        let reported = self
            .reader
            .as_ref()
            .and_then(|reader| reader.answer.facts.error);
        if !status.is_success() {
            let by_status = ErrorType::from_status(status.as_u16());
            // If the status is an error, it takes precedence over a decode error of the body.
            let is_specific =
                |error: &ErrorType| !error.is_general() && *error != ErrorType::Decode;
            let specific = reported.filter(is_specific);
            let error = specific.or(by_status).or(reported);
            return Outcome::Error(error.unwrap_or(ErrorType::Other));
        }
        if let Some(error) = reported {
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
            (Some(ResponseEnd::Failure(ErrorType::Timeout)), _) => {
                Outcome::Error(ErrorType::Timeout)
            }
            (Some(ResponseEnd::Body), None) => Outcome::Success,
            (Some(ResponseEnd::Body), Some(reader)) if reader.is_ignored() => Outcome::Success,
            (Some(ResponseEnd::Body), Some(reader)) if reader.is_unrecognized() => {
                Outcome::Error(ErrorType::Decode)
            }
            (Some(_), _) => Outcome::Truncated,
        }
    }
}

impl Drop for HttpCall {
    fn drop(&mut self) {
        let choices = self.expected_choices();
        if let Some(reader) = &mut self.reader {
            reader.finish(choices);
        }
        self.call.outcome = self.outcome();
        self.take_facts();
        let is_accepted = self.call.acceptance == Acceptance::Accepted;
        if self.is_fetch && (self.reader.is_none() || !is_accepted) {
            self.call.discard();
        }
        if self.call.target.model.is_none() {
            let default_model = || self.call.metrics().settings().default_model.clone();
            self.call.target.model = self.deployment.take().or_else(default_model);
        }
    }
}
