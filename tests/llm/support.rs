//! A client with prepared responses, and the metrics that the layer records from them.

use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use tachometer::registry::Registry;
use tachometer::{LlmLayer, llm::LlmBody};
use tower::{Service, service_fn};

/// The chunk sizes in which every response is read.
pub(crate) const SIZES: [usize; 6] = [1, 2, 3, 7, 64, usize::MAX];

/// How a response body ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ends {
    Whole,
    /// The connection fails.
    Broken,
    /// The body times out.
    TimedOut,
    /// The caller drops the body.
    Dropped,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// A path at `localhost`, or a whole URL, with a method before it unless that is `POST`.
    pub(crate) path: &'a str,
    pub(crate) request: &'a str,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a [u8],
    pub(crate) ends: Ends,
}

/// Counts by metric and its other label.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Readings {
    pub(crate) model: String,
    counts: BTreeMap<(String, String), u64>,
    /// The same, and those that are not whole.
    amounts: BTreeMap<(String, String), f64>,
    /// Tokens by model and direction.
    by_model: BTreeMap<(String, String), u64>,
    /// US dollars by model.
    costs: BTreeMap<String, f64>,
}

impl Readings {
    /// Returns a count that is not 0.
    pub(crate) fn count(&self, metric: &str, by: &str) -> Option<u64> {
        self.counts.get(&(metric.into(), by.into())).copied()
    }

    /// Returns a nonzero amount, which may be fractional.
    pub(crate) fn amount(&self, metric: &str, by: &str) -> Option<f64> {
        self.amounts.get(&(metric.into(), by.into())).copied()
    }

    /// Returns the readings without one metric.
    pub(crate) fn without(mut self, metric: &str) -> Self {
        self.counts.retain(|(name, _), _| name != metric);
        self.amounts.retain(|(name, _), _| name != metric);
        self
    }

    /// Returns the tokens of a model.
    pub(crate) fn tokens_of(&self, model: &str, direction: &str) -> u64 {
        let key = (model.to_owned(), direction.to_owned());
        self.by_model.get(&key).copied().unwrap_or(0)
    }

    /// Returns what the calls of a model cost.
    pub(crate) fn cost_of(&self, model: &str) -> f64 {
        self.costs.get(model).copied().unwrap_or(0.0)
    }

    /// Returns all values of a metric's label, each as often as it was counted.
    pub(crate) fn label_values(&self, metric: &str) -> Vec<&str> {
        let of = self.counts.iter().filter(|((name, _), _)| name == metric);
        of.flat_map(|((_, by), count)| (0..*count).map(|_| by.as_str()))
            .collect()
    }
}

impl Call<'_> {
    /// Makes the call with the response in chunks of one size, through a new layer.
    pub(crate) fn readings(&self, size: usize) -> Readings {
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry);
        self.pass(&layer, size);
        readings(&registry)
    }

    /// Makes the call, and reads the response to its end.
    pub(crate) fn pass(&self, layer: &LlmLayer, size: usize) {
        let mut body = self.send(layer, size);
        while !matches!(next_frame(&mut body), None | Some(Err(_))) {}
    }

    /// Makes the call, and returns the answer's body.
    pub(crate) fn send(&self, layer: &LlmLayer, size: usize) -> Pin<Box<LlmBody<ChunkedBody>>> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, *value);
        }
        let pieces = ChunkedBody::new(self.body, size, self.ends);
        let mut response = Some(response.body(pieces).unwrap());
        let mut client = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
            let response = response.take().unwrap();
            async move { Ok::<_, io::Error>(response) }
        }));
        let (method, url) = self.path.split_once(' ').unwrap_or(("POST", self.path));
        let uri = match url.strip_prefix('/') {
            Some(path) => format!("http://localhost/{path}"),
            None => url.to_owned(),
        };
        let request = Bytes::copy_from_slice(self.request.as_bytes());
        let builder = Request::builder().method(method).uri(uri);
        let request = builder.body(Full::new(request)).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        match pin!(client.call(request)).poll(&mut context) {
            Poll::Ready(response) => Box::pin(response.unwrap().into_body()),
            Poll::Pending => unreachable!("the answer is there"),
        }
    }
}

/// Returns the next frame, or `None` at the end or if none is ready.
pub(crate) fn next_frame<B: Body>(
    body: &mut Pin<Box<B>>,
) -> Option<Result<Frame<B::Data>, B::Error>> {
    let mut context = Context::from_waker(Waker::noop());
    match body.as_mut().poll_frame(&mut context) {
        Poll::Ready(frame) => frame,
        Poll::Pending => None,
    }
}

/// Reads the metrics of one model from a registry.
pub(crate) fn readings(registry: &Registry) -> Readings {
    let json: serde_json::Value = serde_json::from_str(&registry.export_json()).unwrap();
    let mut readings = Readings::default();
    for (key, entry) in json["metrics"].as_object().unwrap() {
        let (name, _) = key.split_once('{').unwrap_or((key, ""));
        let labels = &entry["labels"];
        if !name.starts_with("llm_") {
            continue;
        }
        let value = &entry["value"];
        let value = if value.is_object() {
            &value["count"]
        } else {
            value
        };
        let further = [
            "outcome",
            "error_type",
            "direction",
            "kind",
            "reason",
            "unit",
            "phase",
            "source",
        ];
        let by = further.iter().find_map(|label| labels[label].as_str());
        let amount = value.as_f64().unwrap();
        if amount == 0.0 {
            continue;
        }
        let model = labels["model"].as_str().unwrap();
        if name == "llm_requests_total" {
            readings.model = model.into();
        }
        if name == "llm_cost_usd_total" {
            *readings.costs.entry(model.to_owned()).or_default() += amount;
        }
        let key = (name.to_owned(), by.unwrap_or("").to_owned());
        *readings.amounts.entry(key.clone()).or_default() += amount;
        // Integers, which may be written as floats.
        let whole = value.to_string().trim_end_matches(".0").parse::<u64>();
        if let Ok(count) = whole {
            if name == "llm_tokens_total" {
                let key = (model.to_owned(), by.unwrap_or("").to_owned());
                readings.by_model.insert(key, count);
            }
            *readings.counts.entry(key).or_default() += count;
        }
    }
    readings
}

/// A body in pieces of a size.
#[derive(Debug)]
pub(crate) struct ChunkedBody {
    rest: Bytes,
    size: usize,
    ends: Ends,
}

impl ChunkedBody {
    fn new(body: &[u8], size: usize, ends: Ends) -> Self {
        Self {
            rest: Bytes::copy_from_slice(body),
            size,
            ends,
        }
    }
}

impl Body for ChunkedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let size = self.size.min(self.rest.len());
        if size > 0 {
            return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))));
        }
        match self.ends {
            Ends::Whole => Poll::Ready(None),
            Ends::Broken => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            Ends::TimedOut => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
            Ends::Dropped => Poll::Pending,
        }
    }
}
