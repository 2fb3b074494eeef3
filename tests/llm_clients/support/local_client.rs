//! Calls without a network: a client that responds at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use http_body::Body;
use serde_json::json;
use tachometer::llm::{LlmBody, LlmService};
use tachometer::snapshot::{Totals, Values};
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

use crate::support::responses::{chat, question};

/// Makes a call of the model `gpt-x` and returns the answer, whose body is to be read.
pub(crate) fn open<B>(layer: &LlmLayer, url: &str, answer: Response<B>) -> Response<LlmBody<B>>
where
    B: Body<Error: 'static>,
{
    open_as(layer, url, question("gpt-x", true), answer)
}

/// The same with a given request body.
pub(crate) fn open_as<B>(
    layer: &LlmLayer,
    url: &str,
    body: String,
    answer: Response<B>,
) -> Response<LlmBody<B>>
where
    B: Body<Error: 'static>,
{
    let mut answer = Some(answer);
    let client = service_fn(|_: Request<String>| {
        let answer = answer.take().ok_or("called twice");
        std::future::ready(answer)
    });
    let mut service: LlmService<_> = layer.layer(client);
    let mut future = pin!(service.call(Request::post(url).body(body).unwrap()));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    response
}

/// Makes a complete call with three input and two output tokens.
pub(crate) fn call(layer: &LlmLayer, url: &str, model: &str) {
    let answer = Response::new(chat(model, 3, 2).to_string());
    let body = json!({"model": model, "messages": []}).to_string();
    finish(open_as(layer, url, body, answer));
}

/// Reads an answer to its end.
pub(crate) fn finish<B: Body<Error: 'static>>(answer: Response<LlmBody<B>>) {
    let mut body = pin!(answer.into_body());
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut context) {}
}

/// Returns how many observations all series of a histogram have, and their totals.
pub(crate) fn histogram(registry: &Registry, name: &str) -> (u64, Totals) {
    let (mut count, mut totals) = (0, Totals::default());
    for block in registry.gather().filter(|block| block.desc.name() == name) {
        let Values::Histogram(series) = &block.values else {
            panic!("{name} is no histogram");
        };
        for one in series.iter() {
            count += one.count();
            totals.sum += one.totals().sum;
            totals.max = totals.max.max(one.totals().max);
        }
    }
    (count, totals)
}
