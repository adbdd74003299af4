//! Mixed load on the program as a server, by clients that mean well and clients that do not: those that do
//! are all answered rightly, no panic ends it, and its memory stays where it was.
//!
//! For an hour: `LOAD_SECONDS=3600 cargo test --release --test serve load -- --ignored --nocapture`

use super::client::Answer;
use super::client::answer;
use super::client::ask_with;
use super::process::KEY;
use super::process::Process;
use crate::support::repository::CLIP;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The program with its models takes less than half of this; a gigabyte that is sent takes more.
const MOST_MEGABYTES: u64 = 900;

// What all clients know.
struct Site {
    address: SocketAddr,
    image: String,
    expected: Value,
    sound: Vec<u8>,
    done: AtomicU64,
    refused: AtomicU64,
}

impl Site {
    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let headers = format!("authorization: {KEY}\r\n");
        ask_with(self.address, method, path, &headers, body).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, body.to_string().as_bytes()).await
    }

    // Someone whose frames are looked at, at once or later.
    async fn detects(&self, round: u64) {
        let body = json!({ "input": { "images": [self.image, self.image] } });
        let mut said = match round % 2 {
            0 => self.post("/v2/any/runsync", &body).await.json(),
            _ => self.post("/run", &body).await.json(),
        };
        while ["IN_QUEUE", "IN_PROGRESS"].contains(&said["status"].as_str().unwrap()) {
            let path = format!(
                "/v2/any/status-sync/{}?wait=5000",
                said["id"].as_str().unwrap()
            );
            said = self.ask("GET", &path, b"").await.json();
        }
        assert_eq!(
            said["output"]["detections"],
            json!([self.expected, self.expected]),
            "{said}"
        );
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    async fn listens(&self) {
        let form = [
            b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n",
            self.sound.as_slice(),
            b"\r\n--x--\r\n",
        ];
        let headers = format!(
            "authorization: Bearer {KEY}\r\ncontent-type: multipart/form-data; boundary=x\r\n"
        );
        let path = "/v1/audio/transcriptions";
        let said = ask_with(self.address, "POST", path, &headers, &form.concat()).await;
        assert!(
            said.json()["text"].as_str().unwrap().len() > 10,
            "{}",
            said.text()
        );
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    async fn cancels(&self) {
        let body = json!({ "input": { "image": self.image } });
        let said = self.post("/v2/any/run", &body).await.json();
        let path = format!("/v2/any/cancel/{}", said["id"].as_str().unwrap());
        let said = self.post(&path, &json!({})).await.json();
        assert!(
            ["CANCELLED", "COMPLETED"].contains(&said["status"].as_str().unwrap()),
            "{said}"
        );
        let page = self.ask("GET", "/metrics", b"").await;
        assert_eq!(page.status, 200);
    }

    // Inputs that no handler takes, each of them an error of its job.
    async fn lies(&self, round: u64) {
        let huge = STANDARD.encode(png_of(65_500));
        let truncated = self.image.get(..self.image.len() / 2).unwrap();
        let inputs = [
            json!({ "image": huge }),
            json!({ "images": [truncated] }),
            json!({ "images": ["no base64!"] }),
            json!({ "images": [[[[]]]], "conf": "high" }),
            json!({ "image": self.image, "model": "no-such-model" }),
            json!({ "audio": self.image }),
            json!({ "audio_base64": "AAAA", "beam_size": -1 }),
            json!({ "nothing": "known" }),
        ];
        let input = &inputs[round as usize % inputs.len()];
        let said = self
            .post("/v2/any/runsync", &json!({ "input": input }))
            .await
            .json();
        assert_eq!(said["status"], "FAILED", "{said}");
        assert!(!said["error"].as_str().unwrap().is_empty());
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    // What is no request at all.
    async fn floods(&self, round: u64) {
        let deep = format!("{{\"input\":{}", "[".repeat(1 << 20));
        match round % 4 {
            0 => {
                let refused = self.ask("POST", "/run", deep.as_bytes()).await;
                assert_eq!(refused.status, 400);
            }
            1 => {
                let refused = self.ask("POST", "/run", &vec![b' '; 30 << 20]).await;
                assert_eq!(refused.status, 400);
            }
            2 => {
                let head = "POST /runsync HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n";
                let head = format!("{head}authorization: {KEY}\r\n\r\n");
                let mut line = TcpStream::connect(self.address).await.unwrap();
                line.write_all(head.as_bytes()).await.unwrap();
                assert_eq!(answer(&mut line).await.status, 400);
            }
            _ => {
                let mut lines = Vec::new();
                for _ in 0..300 {
                    lines.push(TcpStream::connect(self.address).await.unwrap());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

// A PNG whose header says that it has so many pixels a side.
fn png_of(side: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(side.to_be_bytes());
    png.extend(side.to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..]);
    png.extend(crc.sum().to_be_bytes());
    png
}

fn ffmpeg(words: &[&str], name: &str) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-i", CLIP])
        .args(words)
        .arg(&file);
    assert!(ffmpeg.status().unwrap().success());
    std::fs::read(file).unwrap()
}

async fn site(address: SocketAddr) -> Site {
    let image = STANDARD.encode(ffmpeg(&["-frames:v", "1", "-vf", "scale=640:-2"], "a.jpg"));
    let mut site = Site {
        address,
        image,
        expected: Value::Null,
        sound: ffmpeg(&["-t", "3", "-ac", "1", "-ar", "16000"], "a.wav"),
        done: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    };
    let first = json!({ "input": { "image": site.image } });
    let said = site.post("/v2/any/runsync", &first).await.json();
    site.expected = said["output"]["detections"].clone();
    assert!(site.expected.as_array().unwrap().len() > 2, "{said}");
    site
}

// All kinds of clients at once, for a while.
async fn load(site: &Arc<Site>, time: Duration) {
    let end = Instant::now() + time;
    let mut clients = JoinSet::new();
    for client in 0..8_u64 {
        let site = Arc::clone(site);
        clients.spawn(async move {
            let mut round = client;
            while Instant::now() < end {
                round += 1;
                match client {
                    0..=2 => site.detects(round).await,
                    3 => site.listens().await,
                    4 => site.cancels().await,
                    5 | 6 => site.lies(round).await,
                    _ => site.floods(round).await,
                }
            }
        });
    }
    clients.join_all().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes as long as LOAD_SECONDS says"]
async fn load_of_all_kinds_is_borne() {
    let seconds = std::env::var("LOAD_SECONDS").ok();
    let time = Duration::from_secs(seconds.map_or(60, |text| text.parse().unwrap()));
    let folder = TempDir::new().unwrap();
    let server = Process::start(folder.path());
    let site = Arc::new(site(server.address).await);
    load(&site, time / 4).await;
    let early = server.megabytes();
    load(&site, time * 3 / 4).await;
    let late = server.megabytes();
    let (done, refused) = (&site.done, &site.refused);
    println!(
        "{time:?}: {done:?} requests done, {refused:?} refused; at most {early} MB after a quarter, \
         {late} MB in all"
    );
    assert!(late < MOST_MEGABYTES, "{late} MB");
    // A panic anywhere would be told by another one.
    assert_eq!(server.terminate(), Some(0));
}
