//! RunPod's client API, as its clients use it.

use super::client::ask;
use super::client::ask_with;
use super::client::get;
use super::client::post;
use super::site::Site;
use super::site::until;
use serde_json::Value;
use serde_json::json;
use vpipe::serve::http::ServerOptions;

#[tokio::test]
async fn a_job_is_queued_done_and_told() {
    let site = Site::usual().await;
    let first = site
        .run(&json!({ "hold": 1, "progress": { "done": "half" }, "output": [7] }))
        .await;
    let second = site.run(&json!({ "output": { "b": 1, "a": 2 } })).await;
    let said = site
        .until(&first, |said| said.get("output").is_some())
        .await;
    assert_eq!(said["status"], "IN_PROGRESS");
    assert_eq!(said["output"], json!({ "done": "half" }));
    assert_eq!(said["workerId"], "vpipe-1");
    assert!(
        said["delayTime"].is_u64() && said.get("executionTime").is_none(),
        "{said}"
    );
    assert_eq!(
        site.status(&second).await,
        json!({ "id": second, "status": "IN_QUEUE" })
    );
    site.let_go(1);
    let said = site.reaches(&first, "COMPLETED").await;
    assert_eq!(said["output"], json!([7]));
    assert!(
        said["executionTime"].is_u64() && said.get("error").is_none(),
        "{said}"
    );
    let said = site.reaches(&second, "COMPLETED").await;
    assert_eq!(said["output"].to_string(), r#"{"b":1,"a":2}"#);
    // Clients of RunPod's ask by either method, at either place.
    for path in ["/v2/other/status/", "/status/", "/v2/any/status-sync/"] {
        for method in ["GET", "POST"] {
            let path = format!("{path}{second}?unknown=1&wait=x");
            assert_eq!(
                ask(site.address, method, &path, b"").await.json(),
                said,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn runsync_waits_and_falls_back_to_the_status() {
    let site = Site::usual().await;
    for path in [
        "/v2/any/runsync",
        "/runsync",
        "/v2/any/runsync?wait=1000&other=",
    ] {
        let said = post(site.address, path, &json!({ "input": { "output": 1 } }))
            .await
            .json();
        assert_eq!(said["status"], "COMPLETED", "{path}");
        assert_eq!(said["output"], 1);
        assert!(said["id"].as_str().unwrap().starts_with("sync-"));
    }
    let body = json!({ "input": { "hold": 1, "output": 2 } });
    let said = post(site.address, "/v2/any/runsync?wait=1", &body)
        .await
        .json();
    assert_eq!(said["status"], "IN_PROGRESS", "{said}");
    assert!(said.get("output").is_none(), "{said}");
    site.let_go(1);
    let path = format!("/v2/any/status-sync/{}", said["id"].as_str().unwrap());
    let said = get(site.address, &path).await.json();
    assert_eq!(
        (&said["status"], &said["output"]),
        (&json!("COMPLETED"), &json!(2))
    );
}

#[tokio::test]
async fn what_fails_is_told_and_may_be_done_again() {
    let site = Site::usual().await;
    let failing = site.run(&json!({ "error": "no \"images\"" })).await;
    let said = site.reaches(&failing, "FAILED").await;
    assert_eq!(said["error"], "no \"images\"");
    assert!(said.get("output").is_none(), "{said}");
    let panicking = site.run(&json!({ "panic": 1 })).await;
    let said = site.reaches(&panicking, "FAILED").await;
    assert!(said["error"].as_str().unwrap().contains("panic"), "{said}");
    let path = format!("/v2/any/retry/{panicking}");
    let said = post(site.address, &path, &json!({})).await.json();
    assert_eq!(
        (&said["id"], &said["status"]),
        (&json!(panicking), &json!("IN_QUEUE"))
    );
    assert_eq!(site.reaches(&panicking, "FAILED").await["retries"], 1);
    let done = site.run(&json!({ "output": 1 })).await;
    site.reaches(&done, "COMPLETED").await;
    let refused = post(site.address, &format!("/v2/any/retry/{done}"), &json!({})).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("this one is COMPLETED"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn jobs_are_cancelled_wherever_they_are() {
    let site = Site::usual().await;
    let running = site.run(&json!({ "hold": 1 })).await;
    let waiting = site.run(&json!({ "output": 1 })).await;
    let others = [
        site.run(&json!({ "output": 1 })).await,
        site.run(&json!({ "output": 1 })).await,
    ];
    site.reaches(&running, "IN_PROGRESS").await;
    let health = get(site.address, "/v2/any/health").await.json();
    let workers = json!({
        "idle": 0, "initializing": 0, "ready": 0, "running": 1, "throttled": 0, "unhealthy": 0,
    });
    let jobs = json!({ "completed": 0, "failed": 0, "inProgress": 1, "inQueue": 3, "retried": 0 });
    assert_eq!(health, json!({ "jobs": jobs, "workers": workers }));
    // Without a body, as Python's client does it, and with the empty object of JavaScript's.
    let said = ask(
        site.address,
        "POST",
        &format!("/v2/any/cancel/{waiting}"),
        b"",
    )
    .await
    .json();
    assert_eq!(said, json!({ "id": waiting, "status": "CANCELLED" }));
    let said = post(site.address, "/v2/any/purge-queue", &json!({}))
        .await
        .json();
    assert_eq!(said, json!({ "removed": 2, "status": "completed" }));
    for id in &others {
        assert_eq!(site.status(id).await["status"], "CANCELLED");
    }
    assert_eq!(site.dropped(), 0);
    let said = post(
        site.address,
        &format!("/v2/any/cancel/{running}"),
        &json!({}),
    )
    .await
    .json();
    assert_eq!(said["status"], "CANCELLED");
    until(|| site.dropped() == 1).await;
    let next = site.run(&json!({ "output": 3 })).await;
    assert_eq!(site.reaches(&next, "COMPLETED").await["output"], 3);
    assert_eq!(site.begun(), 2);
    let health = get(site.address, "/v2/any/health").await.json();
    assert_eq!(health["jobs"]["completed"], 1);
    assert_eq!(health["workers"]["ready"], 1);
}

#[tokio::test]
async fn a_stream_gives_each_part_once() {
    let site = Site::usual().await;
    let id = site
        .run(&json!({ "chunks": [1, { "b": 2 }], "hold": 1, "output": [] }))
        .await;
    let path = format!("/v2/any/stream/{id}?wait=5000");
    let mut parts = Vec::new();
    while parts.len() < 2 {
        let said = ask(site.address, "POST", &path, b"{}").await.json();
        assert_eq!(said["status"], "IN_PROGRESS");
        parts.extend(said["stream"].as_array().unwrap().clone());
    }
    assert_eq!(
        parts,
        [json!({ "output": 1 }), json!({ "output": { "b": 2 } })]
    );
    site.let_go(1);
    site.reaches(&id, "COMPLETED").await;
    let said = get(site.address, &format!("/stream/{id}")).await.json();
    assert_eq!(said, json!({ "status": "COMPLETED", "stream": [] }));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_sentence() {
    let site = Site::usual().await;
    let deep = format!(
        "{{\"input\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let many = format!("{{\"input\":{{\"a\":[{}0]}}}}", "0,".repeat(1 << 20));
    let hook = json!({ "input": { "a": 1 }, "webhook": "https://example.com" }).to_string();
    for (body, told) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "an object with an `input`"),
        ("{}", "has no `input`"),
        (r#"{"input":{}}"#, "`input` is empty"),
        (r#"{"input":"text"}"#, "`input` is an object"),
        (
            r#"{"input":{"a":1},"policy":{"ttl":"soon"}}"#,
            "`policy.ttl`",
        ),
        (&hook, "no `webhook`"),
        (&deep, "recursion limit"),
        (&many, "more values than"),
    ] {
        for path in ["/v2/any/run", "/v2/any/runsync", "/run", "/runsync"] {
            let refused = ask(site.address, "POST", path, body.as_bytes()).await;
            let error = refused.json()["error"].as_str().unwrap().to_owned();
            assert!(
                refused.status == 400 && error.contains(told),
                "{path} {body:.40}: {error}"
            );
        }
    }
    for path in ["status", "status-sync", "stream", "cancel", "retry"] {
        let refused = ask(site.address, "POST", &format!("/v2/any/{path}/nobody"), b"").await;
        assert_eq!(refused.status, 404);
        assert_eq!(refused.json(), json!({ "error": "job not found" }));
    }
    assert_eq!(get(site.address, "/nowhere").await.status, 404);
    assert_eq!(get(site.address, "/v2/any/run").await.status, 405);
    assert_eq!(site.begun(), 0);
}

#[tokio::test]
async fn bodies_have_the_platforms_bounds() {
    let site = Site::usual().await;
    for (path, mebibytes) in [("/v2/any/run", 10), ("/v2/any/runsync", 20), ("/run", 10)] {
        let body = |size: usize| {
            let frame = "{\"input\":{\"output\":1,\"x\":\"\"}}";
            frame.replace("\"\"", &format!("\"{}\"", "x".repeat(size - frame.len())))
        };
        let most = mebibytes << 20;
        let taken = ask(site.address, "POST", path, body(most).as_bytes()).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        let refused = ask(site.address, "POST", path, body(most + 1).as_bytes()).await;
        let told = format!("bad request: body: exceeded max body size of {mebibytes}MiB");
        assert_eq!(
            (refused.status, refused.json()),
            (400, json!({ "error": told }))
        );
    }
}

#[tokio::test]
async fn whoever_has_not_the_key_gets_nothing() {
    let key = Some("one-key-of-a-test".to_owned());
    let options = ServerOptions {
        key,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let ask =
        async |headers: &str, path: &str| ask_with(site.address, "GET", path, headers, b"").await;
    for headers in [
        "",
        "authorization: Bearer other\r\n",
        "authorization: one-key-of-a-tes\r\n",
    ] {
        for path in ["/v2/any/health", "/metrics", "/status/x", "/nowhere"] {
            let refused = ask(headers, path).await;
            assert_eq!(refused.status, 401, "{path}");
            assert!(!refused.text().contains("one-key"), "{}", refused.text());
        }
        assert_eq!(ask(headers, "/ping").await.status, 200);
        assert_eq!(ask(headers, "/openapi.json").await.status, 200);
    }
    for scheme in ["Bearer ", ""] {
        let headers = format!("authorization: {scheme}one-key-of-a-test\r\n");
        assert_eq!(ask(&headers, "/v2/any/health").await.status, 200);
    }
}

#[tokio::test]
async fn where_the_queue_is_full_a_client_is_told_to_come_back() {
    let options = ServerOptions {
        queue: 2,
        ..ServerOptions::default()
    };
    let site = Site::with(options).await;
    let running = site.run(&json!({ "hold": 1 })).await;
    site.reaches(&running, "IN_PROGRESS").await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(site.run(&json!({ "output": 1 })).await);
    }
    for path in ["/v2/any/run", "/v2/any/runsync"] {
        let refused = post(site.address, path, &json!({ "input": { "output": 1 } })).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(
            refused.text().contains("as many jobs wait"),
            "{}",
            refused.text()
        );
    }
    site.let_go(1);
    for id in &waiting {
        site.reaches(id, "COMPLETED").await;
    }
    site.run(&json!({ "output": 1 })).await;
}

#[tokio::test]
async fn what_is_served_is_described() {
    let site = Site::usual().await;
    let described = get(site.address, "/openapi.json").await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = described["paths"].as_object().unwrap();
    assert!(paths.len() > 10);
    for (path, methods) in paths {
        let path = path.replace("{endpoint}", "any").replace("{id}", "nobody");
        for method in methods.as_object().unwrap().keys() {
            if method == "parameters" {
                continue;
            }
            let said = ask(site.address, &method.to_uppercase(), &path, b"").await;
            let why = said.text();
            assert!(
                said.status != 405 && !why.contains("nothing is served"),
                "{method} {path}"
            );
            let answers = &methods[method]["responses"];
            let known = answers.get(said.status.to_string());
            assert!(
                known.is_some(),
                "{method} {path}: {} is not described",
                said.status
            );
        }
    }
    let home = get(site.address, "/").await.json();
    assert!(home["server"].as_str().unwrap().starts_with("vpipe "));
}

#[tokio::test]
async fn metrics_tell_what_was_done() {
    let site = Site::usual().await;
    let input = json!({ "images": ["a", "b", "c"], "output": 1 });
    for _ in 0..2 {
        let id = site.run(&input).await;
        site.reaches(&id, "COMPLETED").await;
    }
    let id = site.run(&json!({ "error": "no" })).await;
    site.reaches(&id, "FAILED").await;
    get(site.address, "/v2/any/status/nobody").await;
    let page = get(site.address, "/metrics").await;
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let value = |name: &str| -> Value {
        let text = page.text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        serde_json::from_str(line.unwrap_or_else(|| panic!("{name}: {text}"))).unwrap()
    };
    for (name, expected) in [
        ("vpipe_ready", 1),
        ("vpipe_slots", 1),
        ("vpipe_jobs{state=\"kept\"}", 3),
        ("vpipe_jobs_ended_total{status=\"COMPLETED\"}", 2),
        ("vpipe_jobs_ended_total{status=\"FAILED\"}", 1),
        ("vpipe_frames_total", 6),
        ("vpipe_job_execution_seconds_count", 3),
        ("vpipe_job_execution_seconds_bucket{le=\"+Inf\"}", 3),
        (
            "vpipe_requests_total{route=\"/v2/{endpoint}/run\",status=\"200\"}",
            3,
        ),
        (
            "vpipe_requests_total{route=\"/v2/{endpoint}/status/{id}\",status=\"404\"}",
            1,
        ),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
}
