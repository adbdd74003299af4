//! HTTP servers on loopback.

use axum::Router;

/// Serves `app` for as long as the runtime of the test lives; gives its address, `http://...`.
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}
