//! Recipes of strangers: what they try, and that they do not get it.

use super::harness::KEY;
use super::harness::asking;
use super::harness::recorder;
use super::harness::run;
use super::lies::LIAR;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::post;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_sent_to_a_stranger() {
    let recipe = LIAR.replace("URL", "https://detect.invalid/v1");
    let (said, _) = run(&recipe, &[]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let told = "is not sent to detect.invalid unless you say `--allow-host detect.invalid`";
    assert!(said.talk.contains(told), "{}", said.talk);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_template_reaches_for_is_refused_before_anything_is_sent() {
    let (url, heard) = recorder().await;
    for (backend, fields, told) in [
        (
            "",
            "a = \"{{ env.MY_KEY }}\"",
            "`env.MY_KEY` is not defined",
        ),
        ("", "a = \"{{ env.HOME }}\"", "`env.HOME` is not defined"),
        (
            "",
            "a = \"{{ video.path }}\"",
            "`video.path` is not defined",
        ),
        (
            "",
            "a = \"{{ read('/etc/hostname') }}\"",
            "`read` is not defined",
        ),
        (
            "[backends.own.headers]\nx-a = \"{{ env.MY_KEY }}\"",
            "a = 1",
            "`env.MY_KEY` is not defined",
        ),
        (
            "[backends.own.query]\na = \"{{ env.HOME }}\"",
            "a = 1",
            "`env.HOME` is not defined",
        ),
        (
            "[backends.own.headers]\nauthorization = \"Bearer a\"",
            "a = 1",
            "cannot be set here",
        ),
        (
            "[backends.own.headers]\nHost = \"elsewhere\"",
            "a = 1",
            "cannot be set here",
        ),
        (
            "api_key_header = \"Host\"",
            "a = 1",
            "`api_key_header` cannot be",
        ),
        (
            "ok = \"env.MY_KEY\"",
            "a = 1",
            "`env.MY_KEY` is not defined",
        ),
    ] {
        let (said, _) = run(&asking(&url, backend, fields), &["--first", "2s"]).await;
        assert_eq!(said.code, 2, "{backend}{fields}: {}", said.talk);
        assert!(said.talk.contains(told), "{backend}{fields}: {}", said.talk);
    }
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_template_does_is_bounded_and_reads_no_file() {
    let (url, heard) = recorder().await;
    for (backend, fields) in [
        ("", "a = \"{% include '/etc/hostname' %}\""),
        ("", "a = \"{% import 'recipe.toml' as r %}{{ r }}\""),
        ("", "a = \"{% extends 'recipe.toml' %}\""),
        (
            "",
            "a = \"{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}\"",
        ),
        (
            "",
            "a = \"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}\"",
        ),
        ("", "a = \"{{ image * 9000000 }}\""),
        (
            "",
            "a = \"{% for a in image | list %}{% for b in image | list %}x{% endfor %}{% endfor %}\"",
        ),
        ("", "a = \"{{ range(90000000) | list }}\""),
        // A value of more than one line would be two headers.
        ("[backends.own.headers]\nx-a = \"a\\r\\nx-b: c\"", "a = 1"),
    ] {
        let (said, results) = run(&asking(&url, backend, fields), &["--first", "2s"]).await;
        // Where it is read, or where it is rendered for the first frame.
        assert!(
            [2, 3].contains(&said.code),
            "{backend}{fields}: {}",
            said.talk
        );
        let refused = ["cannot be", "is not defined"];
        assert!(
            refused.iter().any(|words| said.talk.contains(words)),
            "{backend}{fields}: {}",
            said.talk
        );
        assert_eq!(results["summary"]["records"], Value::Null, "{results:#}");
    }
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_leads_to_no_other_host() {
    let (url, heard) = recorder().await;
    let query = "[backends.own.query]\na = \"@elsewhere.invalid/#?b=c\"\n\"x\\r\\ny\" = \"1\"";
    for address in [format!("{url}/a"), url.clone(), format!("{url}?b=1")] {
        let (said, _) = run(&asking(&address, query, "a = 1"), &["--first", "1s"]).await;
        assert_eq!(said.code, 0, "{address}: {}", said.talk);
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    let odd = "a=%40elsewhere.invalid%2F%23%3Fb%3Dc&x%0D%0Ay=1";
    assert!(heard.iter().all(|line| line.contains(odd)), "{heard:?}");
    // Whose host is what stands before the `@` is told by nobody but the recipe's reader.
    for key in ["api_key_env = \"MY_KEY\"", ""] {
        let recipe = asking("http://127.0.0.1@elsewhere.invalid", key, "a = 1");
        let (said, _) = run(&recipe, &[]).await;
        assert_eq!(said.code, 3, "{}", said.talk);
        let told = "holds a user name or a password, which no address may";
        assert!(said.talk.contains(told), "{}", said.talk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_follow_a_redirect() {
    let (elsewhere, heard) = recorder().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/",
        post(move |headers: HeaderMap, _: Json<Value>| async move {
            assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
            count.fetch_add(1, Ordering::SeqCst);
            Redirect::temporary(&elsewhere)
        }),
    );
    let recipe = asking(&serve(app).await, "api_key_env = \"MY_KEY\"", "a = 1");
    let (said, _) = run(&recipe, &["--first", "1s"]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(heard.lock().unwrap().is_empty());
}
