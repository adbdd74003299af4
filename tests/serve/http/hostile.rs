//! Clients that mean harm: memory and connections have bounds, and others are answered meanwhile.

use super::client::answer;
use super::client::ask_with;
use super::client::get;
use super::client::post;
use super::site::Site;
use super::site::within;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use vpipe::serve::http::ServerOptions;

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out() {
    let options = ServerOptions {
        connections: 16,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let mut silent = Vec::new();
    for round in 0..200 {
        let mut line = TcpStream::connect(site.address).await.unwrap();
        // Some of them begin to say something and never end.
        if round % 2 == 0 {
            let part = "POST /run HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{";
            line.write_all(&part.as_bytes()[..round % part.len()])
                .await
                .unwrap_or_default();
        }
        silent.push(line);
        if round % 20 == 19 {
            let body = json!({ "input": { "output": round } });
            let said = post(site.address, "/runsync", &body);
            assert_eq!(within(said).await.json()["output"], round);
        }
    }
    // The first ones were given up.
    let mut rest = Vec::new();
    within(silent[1].read_to_end(&mut rest))
        .await
        .unwrap_or_default();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_client_that_waits_for_its_answer_is_not_given_up() {
    let options = ServerOptions {
        connections: 4,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let address = site.address;
    let body = json!({ "input": { "hold": 1, "output": "at last" } });
    let held = tokio::spawn(async move { post(address, "/runsync", &body).await.json() });
    super::site::until(|| site.begun() == 1).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(within(get(address, "/ping")).await.status, 200);
    site.let_go(1);
    assert_eq!(within(held).await.unwrap()["output"], "at last");
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_refused_before_it_is_read() {
    let site = Site::usual().await;
    let mut line = TcpStream::connect(site.address).await.unwrap();
    let head = "POST /runsync HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n{";
    line.write_all(head.as_bytes()).await.unwrap();
    let refused = within(answer(&mut line)).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("exceeded max body size of 20MiB"),
        "{}",
        refused.text()
    );
}

// The bytes are sent without their number, and the memory for them is not there.
#[tokio::test]
async fn a_body_without_an_end_is_refused() {
    let options = ServerOptions {
        memory: 1 << 20,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let mut line = TcpStream::connect(site.address).await.unwrap();
    let head = "POST /runsync HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    line.write_all(head.as_bytes()).await.unwrap();
    let part = [b"10000\r\n", vec![b' '; 1 << 16].as_slice(), b"\r\n"].concat();
    let mut sent = 0_usize;
    // What is read and thrown away has an end.
    while sent < 1 << 30 && line.write_all(&part).await.is_ok() {
        sent += 1 << 16;
    }
    assert!(sent < 200 << 20, "{sent}");
    assert_eq!(within(get(site.address, "/ping")).await.status, 200);
}

#[tokio::test]
async fn where_memory_is_short_a_request_is_told_to_come_back() {
    let options = ServerOptions {
        memory: 1 << 20,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let large = json!({ "input": { "x": "x".repeat(1 << 20) } });
    let refused = post(site.address, "/run", &large).await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.text().contains("no memory left"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    let said = post(
        site.address,
        "/runsync",
        &json!({ "input": { "output": 1 } }),
    )
    .await;
    assert_eq!(said.json()["output"], 1);
}

#[tokio::test]
async fn a_page_in_a_browser_is_not_answered() {
    let site = Site::usual().await;
    let body = br#"{"input":{"output":1}}"#;
    let page = "origin: https://evil.example\r\n";
    assert_eq!(
        ask_with(site.address, "POST", "/run", page, body)
            .await
            .status,
        403
    );
    // A name of a stranger's that leads to this machine.
    let mut line = TcpStream::connect(site.address).await.unwrap();
    let head = "GET /v2/any/health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    line.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut line).await.status, 403);
    assert_eq!(site.begun(), 0);
}

#[tokio::test]
async fn what_is_no_http_ends_its_own_connection() {
    let site = Site::usual().await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
    let headers = "x: y\r\n".repeat(10_000);
    for said in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{7f}",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /run HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        "POST /run HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        &long,
        &format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n"),
    ] {
        let mut line = TcpStream::connect(site.address).await.unwrap();
        line.write_all(said.as_bytes()).await.unwrap_or_default();
        let mut rest = Vec::new();
        within(line.read_to_end(&mut rest))
            .await
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&rest);
        assert!(!text.contains(" 200 "), "{said:.40}: {text}");
    }
    assert_eq!(get(site.address, "/ping").await.status, 200);
}
