//! A layer around a router that is served with the addresses of clients.
//~ expected `Response<Body>`, found `Response<ResponseBody<Body>>`

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use tachometer::MetricsLayer;
use tokio::net::TcpListener;
use tower::Layer;

#[cfg(mistake)]
pub async fn serve(app: Router, listener: TcpListener) -> std::io::Result<()> {
    use axum::ServiceExt;

    let app = MetricsLayer::new().layer(app);
    let app = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(app);
    axum::serve(listener, app).await
}

#[cfg(not(mistake))]
pub async fn serve(app: Router, listener: TcpListener) -> std::io::Result<()> {
    let app = MetricsLayer::new().boxed().layer(app);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await
}
