//! The environment: what recipes of strangers try to get of it, and what is shown of what the user
//! permits.

use super::harness::recorder;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::response::IntoResponse;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Variables that no recipe may have unless the user says so, each with a value of its own.
const SECRETS: [(&str, &str); 16] = [
    ("DATABASE_URL", "postgres://u:hunter2@db/app"),
    ("REDIS_URL", "redis://:sesame3@cache"),
    ("MONGO_URI", "mongodb://u:swordfish4@m"),
    ("PGCONN", "password=letmein5"),
    ("GITHUB_TOKEN", "ghp_token6"),
    ("AWS_SECRET_ACCESS_KEY", "aws+secret7"),
    ("SESSION_COOKIE", "sid=cookie8"),
    ("AZURE_CREDS", "azure-creds9"),
    ("KUBECONFIG", "/home/u/.kube/config10"),
    ("SENTRY_DSN", "https://dsn11@sentry"),
    ("WEBHOOK", "https://hooks/T000/hook12"),
    ("NETRC", "machine a login b password netrc13"),
    ("HOST_ALIAS", "alias14"),
    ("PIN", "982451653"),
    ("SMTP_LOGIN", "mail:smtp15"),
    ("VAULT_ADDR", "https://vault16"),
];

// What of each value is in all spellings of it.
const MARKS: [&str; 16] = [
    "hunter2",
    "sesame3",
    "swordfish4",
    "letmein5",
    "token6",
    "secret7",
    "cookie8",
    "creds9",
    "config10",
    "dsn11",
    "hook12",
    "netrc13",
    "alias14",
    "982451653",
    "smtp15",
    "vault16",
];

fn no_secret_in(text: &str, what: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{what}: {mark} in {text}");
    }
}

/// The program on `recipe.toml` of `folder`, with all secrets set.
async fn vpipe(folder: &Path, words: &[&str]) -> Said {
    let own = [("VPIPE_SITE", "own-site-17"), ("MY_SITE", "my-site-18")];
    let variables = [&SECRETS[..], &own].concat();
    vpipe_beside(folder, words, &variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_recipe_gets_nothing_of_the_environment() {
    let (url, heard) = recorder().await;
    let folder = TempDir::new().unwrap();
    for path in recipes("tests/recipes/hostile") {
        let text = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        fs::write(folder.path().join("recipe.toml"), text.replace("URL", &url)).unwrap();
        for words in [
            &["run", "recipe.toml", CLIP, "--first", "1s", "--json"][..],
            &["plan", "recipe.toml", CLIP, "--json"],
            &["check", "recipe.toml", "--json"],
            &["show", "recipe.toml"],
        ] {
            let said = vpipe(folder.path(), words).await;
            assert_eq!(said.code, 2, "{path} {words:?}: {}{}", said.out, said.talk);
            no_secret_in(&said.out, &path);
            no_secret_in(&said.talk, &path);
        }
        let heard = heard.lock().unwrap();
        assert!(heard.is_empty(), "{path}: {heard:?}");
    }
}

const PERMITTED: &str = r#"
version = 1

[backends.own]
kind = "http"
url = "URL/{{ env.VPIPE_SITE }}/{{ env.MY_SITE | upper }}"

[stages.extract]
fps = 1

[stages.ask]
kind = "http"
inputs = ["extract"]
backend = "own"
request = { a = 1 }
answer = { record = { text = "output.text" } }

[stages.merge]
inputs = ["ask"]
"#;

fn is_shown(text: &str) -> bool {
    ["own-site-17", "my-site-18", "MY-SITE-18"]
        .iter()
        .any(|value| text.contains(value))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_permitted_is_sent_and_named_and_not_shown() {
    let (url, heard) = recorder().await;
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("recipe.toml"),
        PERMITTED.replace("URL", &url),
    )
    .unwrap();
    let refused = vpipe(folder.path(), &["check", "recipe.toml"]).await;
    assert_eq!(refused.code, 2, "{}", refused.talk);
    assert!(
        refused.talk.contains("`--allow-env MY_SITE`"),
        "{}",
        refused.talk
    );
    assert!(refused.talk.contains("recipe.toml:6:"), "{}", refused.talk);
    let told = "with the value of MY_SITE, VPIPE_SITE";
    for words in [
        &["run", "recipe.toml", CLIP, "--first", "1s"][..],
        &["plan", "recipe.toml", CLIP],
        &["plan", "recipe.toml", CLIP, "--json"],
        &["try", "recipe.toml", "ask", CLIP],
        &["show", "recipe.toml", "--origins"],
        &["graph", "recipe.toml"],
        &["check", "recipe.toml", "--json"],
    ] {
        let words = [words, &["--allow-env", "MY_SITE"]].concat();
        let said = vpipe(folder.path(), &words).await;
        assert_eq!(said.code, 0, "{words:?}: {}{}", said.out, said.talk);
        assert!(
            !is_shown(&said.out) && !is_shown(&said.talk),
            "{words:?}: {}{}",
            said.out,
            said.talk
        );
        match words[..] {
            ["run", ..] => assert!(said.talk.contains(told), "{}", said.talk),
            ["plan", .., "--json", _, _] => {
                let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
                assert_eq!(
                    plan["sent"][0]["variables"],
                    json!(["MY_SITE", "VPIPE_SITE"])
                );
            }
            ["plan", ..] => assert!(said.out.contains(told), "{}", said.out),
            ["try" | "show", ..] => {
                let address =
                    format!("{url}/{{{{ env.VPIPE_SITE }}}}/{{{{ env.MY_SITE | upper }}}}");
                assert!(said.out.contains(&address), "{}", said.out);
            }
            _ => {}
        }
    }
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].starts_with("POST /own-site-17/MY-SITE-18 "),
        "{heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_leads_nowhere_is_not_shown_either() {
    let folder = TempDir::new().unwrap();
    for url in [
        "http://{{ env.VPIPE_SITE }}.invalid/a",
        "{{ env.VPIPE_SITE }}",
        "http://{{ env.VPIPE_SITE }}:999999",
        "file:///{{ env.VPIPE_SITE }}",
        "http://127.0.0.1:9/{{ env.VPIPE_SITE }}",
    ] {
        let recipe = PERMITTED.replace("URL/{{ env.VPIPE_SITE }}/{{ env.MY_SITE | upper }}", url);
        fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
        let words = [
            "run",
            "recipe.toml",
            CLIP,
            "--first",
            "1s",
            "-vv",
            "--set",
            "backends.own.attempts=1",
        ];
        let said = vpipe(folder.path(), &words).await;
        assert!([1, 3].contains(&said.code), "{url}: {}", said.talk);
        assert!(
            !is_shown(&said.out) && !is_shown(&said.talk),
            "{url}: {}{}",
            said.out,
            said.talk
        );
        let results = folder.path().join("output/clip_results.json");
        assert!(
            !is_shown(&fs::read_to_string(results).unwrap_or_default()),
            "{url}"
        );
    }
}

/// A server that says back what it is sent: as a record, or as why it refuses.
async fn echo(status: StatusCode) -> String {
    let answer = move |uri: Uri| async move {
        let sent = uri.path();
        let told = json!({ "text": sent, "list": ["at", sent] });
        match status {
            StatusCode::OK => Json(told).into_response(),
            status => (status, format!("who is {sent}?")).into_response(),
        }
    };
    serve(Router::new().fallback(answer)).await
}

const ECHOED: &str = r#"
version = 1
[backends.own]
kind = "http"
url = "URL/{{ env.VPIPE_SITE }}/{{ env.MY_SITE | upper }}"
attempts = 1
[stages.extract]
fps = 1
[stages.ask]
kind = "http"
inputs = ["extract"]
backend = "own"
request = { a = 1 }
[stages.ask.answer.record]
text = "output.text"
list = "output.list"
[stages.merge]
inputs = ["ask"]
"#;

const WORDY: &str = "the value of MY_SITE is short or made of words: it is sent, and not taken out \
                     of what servers answer";

/// Runs a recipe whose server says the values of two variables; gives all that was said and written.
async fn echoed(status: StatusCode, own: &str, other: &str) -> (i32, String) {
    let folder = TempDir::new().unwrap();
    let recipe = ECHOED.replace("URL", &echo(status).await);
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    let words = [
        "run",
        "recipe.toml",
        CLIP,
        "--first",
        "1s",
        "-vv",
        "--log",
        "run.log",
    ];
    let words = [&words[..], &["--allow-env", "MY_SITE"]].concat();
    let variables = [("VPIPE_SITE", own), ("MY_SITE", other)];
    let said = vpipe_beside(folder.path(), &words, &variables).await;
    let mut all = said.out + &said.talk.split_whitespace().collect::<Vec<_>>().join(" ");
    for file in [
        "run.log",
        "output/clip_results.json",
        "output/clip_results.partial.json",
    ] {
        all += &fs::read_to_string(folder.path().join(file)).unwrap_or_default();
    }
    (said.code, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_looks_like_a_secret_is_not_kept_when_a_server_says_it() {
    let secret = ("tok/4f9a8b7c6d", "postgres://u:hunter2@db/app");
    for (status, code) in [(StatusCode::OK, 0), (StatusCode::UNPROCESSABLE_ENTITY, 1)] {
        let (ended, all) = echoed(status, secret.0, secret.1).await;
        assert_eq!(ended, code, "{all}");
        for mark in ["4f9a8b7c6d", "hunter2", "HUNTER2"] {
            assert!(!all.contains(mark), "{mark} in {all}");
        }
        assert!(all.contains("(the value of VPIPE_SITE)"), "{all}");
        assert!(all.contains("(the value of MY_SITE)"), "{all}");
        assert!(!all.contains(WORDY), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_words_changes_no_answer() {
    for (own, other, told) in [
        ("car", "warehouse-4", "/car/WAREHOUSE-4"),
        ("delivery_van", "pin-123", "/delivery_van/PIN-123"),
    ] {
        let (code, all) = echoed(StatusCode::OK, own, other).await;
        assert_eq!(code, 0, "{all}");
        assert!(all.contains(&format!("\"text\": \"{told}\"")), "{all}");
        assert_eq!(all.matches(WORDY).count(), 1, "{all}");
    }
}
