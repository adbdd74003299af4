//! Answers without end, in every part of one: what the program takes of them is counted here, where
//! they are sent.

use super::harness::entries;
use super::harness::run;
use super::lies::LIAR;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::post;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

const MIB: usize = 1 << 20;

/// Bytes that a line takes which nobody reads from: what both ends and the system keep.
const ON_THE_WAY: usize = 12 * MIB;

/// Bytes that are taken of bodies which are open.
#[derive(Default)]
struct Open {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// What one body has sent.
struct Sent {
    open: Arc<Open>,
    bytes: usize,
}

impl Sent {
    fn part(&mut self) -> Vec<u8> {
        let part = vec![b' '; MIB / 4];
        self.bytes += part.len();
        let before = self.open.now.fetch_add(part.len(), Ordering::SeqCst);
        self.open
            .peak
            .fetch_max(before + part.len(), Ordering::SeqCst);
        part
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.open.now.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

// Nearly as much as a body may have, and then nothing more: all of them are open at the same time.
fn endless(open: &Arc<Open>) -> Response {
    let sent = Sent {
        open: Arc::clone(open),
        bytes: 0,
    };
    let parts = futures_util::stream::unfold(sent, async |mut sent| {
        if sent.bytes >= 60 * MIB {
            std::future::pending::<()>().await;
        }
        let part = sent.part();
        Some((Ok::<_, std::io::Error>(part), sent))
    });
    Body::from_stream(parts).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_in_flight_together_have_a_bound() {
    let (open, number) = (Arc::new(Open::default()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&open);
    let app = Router::new().route(
        "/",
        post(move |_: Bytes| async move {
            match number.fetch_add(1, Ordering::SeqCst) {
                0 => Json(json!([[]])).into_response(),
                _ => endless(&counted),
            }
        }),
    );
    let recipe = LIAR
        .replace("URL", &serve(app).await)
        .replace("max_answer = 1_000_000\n", "")
        .replace(
            "request_timeout = 2",
            "request_timeout = 5\noutage_timeout = 6",
        )
        .replace("concurrency = 1", "concurrency = 10");
    let (said, results) = run(&recipe, &["--first", "11s"]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let left = entries(&results)
        .iter()
        .filter(|entry| entry["skipped"].is_string());
    assert_eq!(left.count(), 10, "{:#}", results["run"]["errors"]);
    assert!(said.talk.contains("no answer in time"), "{}", said.talk);
    let peak = open.peak.load(Ordering::SeqCst);
    assert!(peak < 256 * MIB + 10 * ON_THE_WAY, "{} MiB", peak / MIB);
}

// Begins an answer in one way, and goes on with the same part for ever.
const ENDLESS: [(&str, &str); 9] = [
    ("HTTP/1.1 200 ", "a status without end "),
    ("HTTP/1.1 200 OK\r\nx: ", "a header without end "),
    (
        "HTTP/1.1 200 OK\r\n",
        "x-more: one of thousands of headers\r\n",
    ),
    ("", "HTTP/1.1 103 Early Hints\r\nx: a\r\n\r\n"),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1",
        "0",
    ),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
        "an extension without end",
    ),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
        "x-more: a trailer\r\n",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        "more than it may be",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "1",
    ),
];

// Sends until the program goes away; gives how much it took.
async fn send(mut line: TcpStream, head: &str, part: &str) -> usize {
    let parts = part.repeat(64 * 1024 / part.len());
    let mut taken = 0;
    let mut next = head.as_bytes();
    loop {
        match line.write(next).await {
            Ok(bytes @ 1..) => {
                taken += bytes;
                next = next
                    .get(bytes..)
                    .filter(|rest| !rest.is_empty())
                    .unwrap_or(parts.as_bytes());
            }
            _ => return taken,
        }
    }
}

// Reads a request whole: who is answered earlier cuts the line.
async fn request(line: &mut TcpStream) {
    let mut heard = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let text = String::from_utf8_lossy(&heard);
        let size = text.split_once("\r\n\r\n").and_then(|(head, _)| {
            let (_, rest) = head.split_once("content-length: ")?;
            let length: usize = rest.lines().next()?.parse().ok()?;
            Some(head.len() + 4 + length)
        });
        if size.is_some_and(|size| heard.len() >= size) {
            return;
        }
        match line.read(&mut part).await.unwrap() {
            0 => return,
            bytes => heard.extend_from_slice(&part[..bytes]),
        }
    }
}

// A server that answers right, but for the second time: then as it is told, for ever. What it could
// send of that.
async fn liar(head: &'static str, part: &'static str) -> (String, Arc<Mutex<Option<usize>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(None));
    let told = Arc::clone(&taken);
    tokio::spawn(async move {
        let right = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\n[[]]";
        for number in 0.. {
            let (mut line, _) = listener.accept().await.unwrap();
            request(&mut line).await;
            if number != 1 {
                line.write_all(right.as_bytes()).await.unwrap();
                continue;
            }
            let told = Arc::clone(&told);
            tokio::spawn(async move {
                let bytes = send(line, head, part).await;
                *told.lock().unwrap() = Some(bytes);
            });
        }
    });
    (url, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_an_answer_goes_on_for_ever() {
    for (head, part) in ENDLESS {
        let (url, taken) = liar(head, part).await;
        let (said, results) = run(&LIAR.replace("URL", &url), &["--first", "2s"]).await;
        let errors = entries(&results)
            .iter()
            .filter_map(|entry| entry["error"].as_str());
        let errors: Vec<&str> = errors.collect();
        // What is declared too large is told by its size; all else is asked again.
        let expected: &[&str] = match part {
            "more than it may be" => &["bad-answer"],
            _ => &[],
        };
        assert_eq!(errors, expected, "{head}{part}: {}", said.talk);
        for _ in 0..100 {
            if taken.lock().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let bytes = taken.lock().unwrap().unwrap();
        // Hints are passed over one by one, for as long as an answer may take.
        let is_bounded = bytes < ON_THE_WAY || part.contains("Hints");
        assert!(is_bounded, "{head}{part}: {bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_inflated() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b' '; 64 * MIB]).unwrap();
    let bomb = Bytes::from(gzip.finish().unwrap());
    let app = Router::new().route(
        "/",
        post(move |headers: HeaderMap, _: Bytes| async move {
            assert!(!headers.contains_key("accept-encoding"), "{headers:?}");
            ([("content-encoding", "gzip")], bomb)
        }),
    );
    let recipe = LIAR.replace("URL", &serve(app).await);
    let (said, _) = run(&recipe, &["--first", "1s"]).await;
    let words = "a body with `Content-Encoding: gzip`, which was not asked for";
    assert!(said.talk.contains(words), "{}", said.talk);
}

// A body that is small as text and takes gigabytes as values.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_too_many_values_costs_its_frame() {
    let number = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/",
        post(move |_: Bytes| async move {
            match number.fetch_add(1, Ordering::SeqCst) {
                0 => "[[]]".to_owned(),
                _ => format!("[{}0]", "{\"\":0},".repeat(4 * MIB)),
            }
        }),
    );
    let recipe = LIAR
        .replace("URL", &serve(app).await)
        .replace("max_answer = 1_000_000\n", "")
        .replace("request_timeout = 2", "request_timeout = 60");
    let (said, results) = run(&recipe, &["--first", "2s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let words = "answers with too much: it holds more values than 128 MB of memory take";
    assert!(said.talk.contains(words), "{}", said.talk);
    assert_eq!(entries(&results)[1]["error"], "bad-answer");
}
