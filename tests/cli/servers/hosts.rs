//! Hosts: which get what of a run, through which proxy, and only where the user allows it.

use super::harness::KEY;
use super::harness::asking;
use super::harness::recorder;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn recipe(url: &str, more: &str) -> String {
    asking(url, &format!("attempts = 1\n{more}"), "a = 1")
}

/// The program in `folder` on a machine that reaches everything through `proxy`.
async fn behind(proxy: &str, folder: &Path, words: &[&str]) -> Said {
    let variables = [
        ("MY_KEY", KEY),
        ("http_proxy", proxy),
        ("https_proxy", proxy),
        ("HTTPS_PROXY", proxy),
        ("ALL_PROXY", proxy),
        ("NO_PROXY", ""),
        ("no_proxy", ""),
    ];
    vpipe_beside(folder, words, &variables).await
}

const RUN: [&str; 5] = ["run", "recipe.toml", CLIP, "--first", "1s"];
const WITH_KEY: &str = "api_key_env = \"MY_KEY\"";
const ALLOW: [&str; 2] = ["--allow-host", "detect.invalid"];

#[tokio::test(flavor = "multi_thread")]
async fn a_host_gets_nothing_before_the_user_allows_it() {
    let (proxy, heard) = recorder().await;
    let folder = TempDir::new().unwrap();
    for url in [
        "http://detect.invalid/a",
        "http://127.0.0.1.detect.invalid/a",
        "http://localhost.detect.invalid/a",
        "http://10.0.0.1/a",
        "http://169.254.169.254/latest",
        "{{ 'http://detect' ~ '.invalid' }}/a",
        "http://DETECT.invalid/a",
    ] {
        fs::write(folder.path().join("recipe.toml"), recipe(url, "")).unwrap();
        let told = "which you have not allowed";
        let send = ["try", "recipe.toml", "ask", CLIP, "--send"];
        for words in [&RUN[..], &send] {
            let said = behind(&proxy, folder.path(), words).await;
            assert_eq!(said.code, 3, "{url}: {}", said.talk);
            assert!(said.talk.contains(told), "{url}: {}", said.talk);
            assert!(said.talk.contains("--allow-host "), "{url}: {}", said.talk);
        }
        for words in [
            &["plan", "recipe.toml", CLIP][..],
            &["check", "recipe.toml"],
        ] {
            let said = behind(&proxy, folder.path(), words).await;
            assert_eq!(said.code, 0, "{url}: {}", said.talk);
            assert!(said.talk.contains(told), "{url}: {}", said.talk);
        }
        assert!(heard.lock().unwrap().is_empty(), "{url}: {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_is_sent_and_said_with_its_proxy() {
    let (proxy, heard) = recorder().await;
    let folder = TempDir::new().unwrap();
    let text = recipe("http://detect.invalid/a", "");
    fs::write(folder.path().join("recipe.toml"), text).unwrap();
    let said = behind(&proxy, folder.path(), &[&RUN[..], &ALLOW].concat()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let place = proxy.trim_start_matches("http://");
    let told = format!("frames leave this machine for detect.invalid through the proxy {place}");
    assert!(said.talk.contains(&told), "{}", said.talk);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].starts_with("POST http://detect.invalid/a "),
        "{heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_through_a_proxy_encrypted_or_not_at_all() {
    let (proxy, heard) = recorder().await;
    let folder = TempDir::new().unwrap();
    let text = recipe("http://detect.invalid/a", WITH_KEY);
    fs::write(folder.path().join("recipe.toml"), text).unwrap();
    let said = behind(&proxy, folder.path(), &[&RUN[..], &ALLOW].concat()).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let told = "the key for detect.invalid is not sent through the proxy";
    assert!(said.talk.contains(told), "{}", said.talk);
    assert!(heard.lock().unwrap().is_empty(), "{heard:?}");
    let text = recipe("https://detect.invalid/a", WITH_KEY);
    fs::write(folder.path().join("recipe.toml"), text).unwrap();
    let said = behind(&proxy, folder.path(), &[&RUN[..], &ALLOW].concat()).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let heard = heard.lock().unwrap();
    assert!(!heard.is_empty(), "{}", said.talk);
    for line in heard.iter() {
        assert!(line.starts_with("CONNECT detect.invalid:443 "), "{line}");
        assert!(!line.contains(KEY), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_never_asked_through_a_proxy() {
    let (proxy, passed) = recorder().await;
    let (url, heard) = recorder().await;
    let port = url.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let folder = TempDir::new().unwrap();
        let text = recipe(&format!("http://{host}:{port}/a"), WITH_KEY);
        fs::write(folder.path().join("recipe.toml"), text).unwrap();
        let said = behind(&proxy, folder.path(), &RUN).await;
        assert_eq!(said.code, 0, "{host}: {}", said.talk);
        assert!(!said.talk.contains("through the proxy"), "{}", said.talk);
    }
    assert_eq!(heard.lock().unwrap().len(), 2);
    assert!(passed.lock().unwrap().is_empty(), "{passed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_holds_no_password() {
    let (url, heard) = recorder().await;
    let place = url.trim_start_matches("http://");
    let folder = TempDir::new().unwrap();
    for user in [
        "user:hunter2",
        ":hunter2",
        "hunter2",
        "user%3Ahunter2",
        "127.0.0.1:hunter2",
    ] {
        let text = recipe(&format!("http://{user}@{place}/a"), "");
        fs::write(folder.path().join("recipe.toml"), text).unwrap();
        for words in [&RUN[..], &["plan", "recipe.toml", CLIP]] {
            let said = behind(&url, folder.path(), words).await;
            assert_eq!(said.code, 3, "{user}: {}", said.talk);
            assert!(said.talk.contains("`api_key_env`"), "{user}: {}", said.talk);
            assert!(!said.talk.contains("hunter2"), "{user}: {}", said.talk);
        }
    }
    assert!(heard.lock().unwrap().is_empty(), "{heard:?}");
}
