//! tonic, in axum's router and in its own server, with its own clients.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::uri::PathAndQuery;
use axum::http::{Request, Response, Uri};
use bytes::{Buf, BufMut, Bytes};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tachometer::{MetricsLayer, Registry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tower::{BoxError, Layer, Service, service_fn};

use super::counted;
use crate::support::loopback::Server;

/// Messages that are bytes.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

type Reply<T> = Result<tonic::Response<T>, Status>;

async fn echo(request: tonic::Request<Bytes>) -> Reply<Bytes> {
    match &*request.into_inner() {
        b"missing" => Err(Status::not_found("part of the test")),
        b"never" => pending().await,
        message => Ok(tonic::Response::new(Bytes::copy_from_slice(message))),
    }
}

/// Sends three messages, and ends, fails or does not end.
async fn count(request: tonic::Request<Bytes>) -> Reply<BoxStream<'static, Result<Bytes, Status>>> {
    let messages = stream::iter(["one", "two", "six"].map(|message| Ok(message.into())));
    Ok(tonic::Response::new(match &*request.into_inner() {
        b"fails" => {
            let error = Err(Status::internal("part of the test"));
            messages.chain(stream::iter([error])).boxed()
        }
        b"never" => messages.chain(stream::pending()).boxed(),
        _ => messages.boxed(),
    }))
}

/// What tonic generates for a service with two methods.
#[derive(Clone)]
struct Example;

impl NamedService for Example {
    const NAME: &'static str = "test.Example";
}

impl Service<Request<Body>> for Example {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        async move {
            let mut grpc = tonic::server::Grpc::new(Plain);
            Ok(match request.uri().path() {
                "/test.Example/Echo" => grpc.unary(service_fn(echo), request).await,
                "/test.Example/Count" => grpc.server_streaming(service_fn(count), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        }
        .boxed()
    }
}

fn metrics(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry).grpc_status_label()
}

fn by_method(registry: &Registry) -> MetricsLayer {
    metrics(registry).route_from(|request| Some(request.uri.path().to_owned().into()))
}

type HttpClient = Client<HttpConnector, Body>;

/// A client of tonic over HTTP/2.
struct Caller(tonic::client::Grpc<HttpClient>);

impl Caller {
    fn new(address: SocketAddr) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        let client = builder.http2_only(true).build_http();
        let origin = Uri::builder().scheme("http").authority(address.to_string());
        let origin = origin.path_and_query("/").build().unwrap();
        Self(tonic::client::Grpc::with_origin(client, origin))
    }

    async fn echo(&mut self, message: &'static str) -> Result<Bytes, Code> {
        self.unary("/test.Example/Echo", message).await
    }

    async fn unary(&mut self, path: &'static str, message: &'static str) -> Result<Bytes, Code> {
        self.0.ready().await.unwrap();
        let request = tonic::Request::new(Bytes::from(message));
        let path = PathAndQuery::from_static(path);
        let response = self.0.unary(request, path, Plain).await;
        response
            .map(tonic::Response::into_inner)
            .map_err(|status| status.code())
    }

    /// Reads some messages of a stream, and returns its code if it has ended.
    async fn count(&mut self, message: &'static str, messages: usize) -> Option<Code> {
        self.0.ready().await.unwrap();
        let request = tonic::Request::new(Bytes::from(message));
        let path = PathAndQuery::from_static("/test.Example/Count");
        let response = self.0.server_streaming(request, path, Plain).await.unwrap();
        let mut stream = response.into_inner();
        for _ in 0..messages {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return Some(Code::Ok),
                Err(status) => return Some(status.code()),
            }
        }
        None
    }
}

/// Makes calls that end in each way.
async fn call(address: SocketAddr) {
    let mut caller = Caller::new(address);
    assert_eq!(caller.echo("12345").await.unwrap(), "12345");
    assert_eq!(caller.echo("missing").await, Err(Code::NotFound));
    assert_eq!(caller.count("all", 4).await, Some(Code::Ok));
    assert_eq!(caller.count("fails", 4).await, Some(Code::Internal));
    assert_eq!(caller.count("never", 3).await, None);
    let missing = caller.unary("/test.Example/Missing", "").await;
    assert_eq!(missing, Err(Code::Unimplemented));
    let missing = caller.unary("/test.Missing/Missing", "").await;
    assert_eq!(missing, Err(Code::Unimplemented));
}

/// A server of tonic.
struct TonicServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl TonicServer {
    async fn start<L, B>(mut builder: tonic::transport::Server<L>, routes: Routes) -> Self
    where
        L: Layer<Routes> + Clone + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError> + Send>,
        L::Service: Service<Request<Body>, Future: Send> + Clone + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let incoming = TcpIncoming::from(listener);
        let builder = builder.add_routes(routes);
        let served = builder.serve_with_incoming_shutdown(incoming, stopped.map(drop));
        Self {
            address,
            stop,
            served: tokio::spawn(served),
        }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

/// What is counted for the calls of [`call`], except for the calls of no service.
fn lines(route: &str, rest: &str) -> String {
    format!(
        "POST {route}: 1 cancelled_in_body 200 grpc_status=CANCELLED, \
         1 client_error 200 grpc_status=NOT_FOUND, 2 ok 200 grpc_status=OK, \
         1 server_error 200 grpc_status=INTERNAL, \
         1 server_error 200 grpc_status=UNIMPLEMENTED; {rest}"
    )
}

/// 12345, missing, all, fails and never, each behind five bytes.
const BYTES_IN: usize = 5 + 7 + 3 + 5 + 5 + 5 * 5;
/// 12345, and three messages of three streams.
const BYTES_OUT: usize = 5 + 9 * 3 + 10 * 5;

fn unknown_service() -> &'static str {
    "POST fallback: 1 server_error 200 grpc_status=UNIMPLEMENTED; 0 bytes in, 0 out"
}

fn routes() -> Routes {
    Routes::new(Example)
}

#[tokio::test]
async fn in_the_router_of_axum_calls_have_the_template_of_the_service_or_a_chosen_route() {
    let registry = Registry::new();
    let app = routes().into_axum_router().layer(metrics(&registry));
    let server = Server::start(app).await;
    call(server.address).await;
    server.stop().await;
    let bytes = format!("{BYTES_IN} bytes in, {BYTES_OUT} out");
    let service = lines("/test.Example/{*rest}", &bytes);
    assert_eq!(counted(&registry), [service.as_str(), unknown_service()]);

    let registry = Registry::new();
    let app = routes().into_axum_router().layer(by_method(&registry));
    let server = Server::start(app).await;
    let mut caller = Caller::new(server.address);
    caller.echo("12345").await.unwrap();
    caller.count("all", 4).await.unwrap();
    drop(caller);
    server.stop().await;
    assert_eq!(
        counted(&registry),
        [
            "POST /test.Example/Count: 1 ok 200 grpc_status=OK; 8 bytes in, 24 out",
            "POST /test.Example/Echo: 1 ok 200 grpc_status=OK; 10 bytes in, 10 out",
        ]
    );
}

#[tokio::test]
async fn in_the_server_of_tonic_request_bytes_need_a_wrapped_body_and_routes_a_second_layer() {
    let unmeasured = format!("0 bytes in, {BYTES_OUT} out");
    let registry = Registry::new();
    let server = tonic::transport::Server::builder().layer(metrics(&registry));
    let server = TonicServer::start(server, routes()).await;
    call(server.address).await;
    server.stop().await;
    let all = lines("fallback", &unmeasured);
    let all = all.replace(
        "1 server_error 200 grpc_status=UNIMPL",
        "2 server_error 200 grpc_status=UNIMPL",
    );
    assert_eq!(
        counted(&registry),
        [format!("{all}; http_request_body_unmeasured_total 7")]
    );

    // A layer around the routes of the server, and one in their router.
    let registry = Registry::new();
    let layer = metrics(&registry).wrap_request_body();
    let server = tonic::transport::Server::builder().layer(layer);
    let router = routes().into_axum_router().layer(metrics(&registry));
    let server = TonicServer::start(server, router.into()).await;
    call(server.address).await;
    server.stop().await;
    let bytes = format!("{BYTES_IN} bytes in, {BYTES_OUT} out");
    let service = lines("/test.Example/{*rest}", &bytes);
    assert_eq!(counted(&registry), [service.as_str(), unknown_service()]);
}

#[tokio::test]
async fn a_call_that_an_interceptor_refuses_is_counted_outside_of_it_only() {
    let refuse = || {
        InterceptorLayer::new(|_: tonic::Request<()>| {
            Err(Status::unauthenticated("part of the test"))
        })
    };
    let registry = Registry::new();
    let server = tonic::transport::Server::builder().layer(by_method(&registry));
    let server = TonicServer::start(server.layer(refuse()), routes()).await;
    let refused = Caller::new(server.address).echo("12345").await;
    assert_eq!(refused, Err(Code::Unauthenticated));
    server.stop().await;
    assert_eq!(
        counted(&registry),
        [
            "POST /test.Example/Echo: 1 client_error 200 grpc_status=UNAUTHENTICATED; \
          0 bytes in, 0 out; http_request_body_unmeasured_total 1"
        ]
    );

    let registry = Registry::new();
    let server = tonic::transport::Server::builder().layer(refuse());
    let server = TonicServer::start(server.layer(by_method(&registry)), routes()).await;
    let refused = Caller::new(server.address).echo("12345").await;
    assert_eq!(refused, Err(Code::Unauthenticated));
    server.stop().await;
    assert!(counted(&registry).is_empty());
}

#[tokio::test]
async fn the_timeout_of_tonics_server_is_outside_of_every_layer() {
    let registry = Registry::new();
    let server = tonic::transport::Server::builder().timeout(Duration::from_millis(1));
    let server = TonicServer::start(server.layer(by_method(&registry)), routes()).await;
    let elapsed = Caller::new(server.address).echo("never").await;
    assert_eq!(elapsed, Err(Code::Cancelled));
    server.stop().await;
    assert_eq!(
        counted(&registry),
        [
            "POST /test.Example/Echo: 1 cancelled_before_head none grpc_status=CANCELLED; \
          0 bytes in, 0 out; http_request_body_unmeasured_total 1"
        ]
    );
}
