//! The life of a server: before its models are loaded, and its end.

use super::client::get;
use super::client::post;
use super::site::Site;
use super::site::within;
use serde_json::json;
use std::future::pending;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use vpipe::serve::http::HttpServer;
use vpipe::serve::http::ServeError;
use vpipe::serve::http::ServerOptions;

fn options(listen: &str) -> ServerOptions {
    ServerOptions {
        listen: listen.to_owned(),
        ..ServerOptions::default()
    }
}

#[tokio::test]
async fn jobs_wait_while_models_load_and_a_load_that_fails_ends_it() {
    let server = HttpServer::bind(&options("127.0.0.1:0")).await.unwrap();
    let address = server.address();
    let (fail, failed) = oneshot::channel::<()>();
    let load = async {
        failed.await.unwrap();
        Err("no such model".to_owned())
    };
    let served = tokio::spawn(server.serve(load, pending()));
    assert_eq!(get(address, "/ping").await.status, 204);
    let health = get(address, "/v2/any/health").await.json();
    assert_eq!(health["workers"]["initializing"], 1);
    assert_eq!(health["workers"]["ready"], 0);
    let said = post(address, "/run", &json!({ "input": { "output": 1 } }))
        .await
        .json();
    let path = format!("/status/{}", said["id"].as_str().unwrap());
    assert_eq!(get(address, &path).await.json()["status"], "IN_QUEUE");
    fail.send(()).unwrap();
    assert_eq!(
        within(served).await.unwrap(),
        Err("no such model".to_owned())
    );
}

#[tokio::test]
async fn at_the_end_jobs_are_finished_and_told() {
    let mut site = Site::usual().await;
    let address = site.address;
    let running = site.run(&json!({ "hold": 1, "output": 5 })).await;
    let waiting = site.run(&json!({ "output": 6 })).await;
    site.reaches(&running, "IN_PROGRESS").await;
    let body = json!({ "input": { "output": 7 } });
    let held = tokio::spawn(async move { post(address, "/runsync", &body).await.json() });
    // It waits, too, before the server ends.
    super::site::until_async(async || {
        get(address, "/v2/any/health").await.json()["jobs"]["inQueue"] == 2
    })
    .await;
    let ended = site.begin_end();
    assert_eq!(within(held).await.unwrap()["status"], "CANCELLED");
    assert_eq!(site.status(&waiting).await["status"], "CANCELLED");
    let refused = post(address, "/run", &json!({ "input": { "output": 1 } })).await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.text().contains("about to end"),
        "{}",
        refused.text()
    );
    site.let_go(1);
    assert_eq!(site.reaches(&running, "COMPLETED").await["output"], 5);
    within(ended).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_takes_too_long_is_given_up_at_the_end() {
    let options = ServerOptions {
        drain: Duration::from_millis(50),
        ..ServerOptions::default()
    };
    let mut site = Site::with(options).await;
    let id = site.run(&json!({ "hold": 1 })).await;
    site.reaches(&id, "IN_PROGRESS").await;
    let ended = site.begin_end();
    within(ended).await;
    super::site::until(|| site.dropped() == 1).await;
}

#[tokio::test]
async fn other_machines_need_a_key() {
    let error = HttpServer::bind(&options("0.0.0.0:0")).await.unwrap_err();
    assert!(matches!(error, ServeError::NoKey { .. }), "{error}");
    assert!(error.to_string().contains("there is no key"), "{error}");
    for options in [
        ServerOptions {
            without_key: true,
            ..options("0.0.0.0:0")
        },
        ServerOptions {
            key: Some("k".to_owned()),
            ..options("0.0.0.0:0")
        },
    ] {
        assert!(HttpServer::bind(&options).await.is_ok());
    }
    let error = HttpServer::bind(&options("127.0.0.1")).await.unwrap_err();
    assert!(
        error.to_string().contains("cannot listen at 127.0.0.1"),
        "{error}"
    );
}
