//! The environment: what recipes of strangers try to get of it, and what is shown of what the user
//! permits.

use super::harness::recorder;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
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
