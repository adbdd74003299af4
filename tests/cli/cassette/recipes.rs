//! Every recipe of this repository, on this machine and at servers: recorded once, and replayed when
//! all servers are gone, on a machine that reaches nobody, with the video and without it.

use super::assert_of_no_machine;
use super::files;
use super::remove_output;
use super::results;
use super::servers::Servers;
use crate::support::fleet::KEY;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Where a recipe finds its models.
enum Models {
    /// Nowhere but here.
    Here,
    /// At RunPod, as the environment says.
    Fleet,
    /// At a server, at this path.
    Server(&'static str),
    /// As the recipe says, at the address in `VPIPE_SERVER`.
    Named,
}

use Models::Fleet;
use Models::Here;
use Models::Named;
use Models::Server;

const SPEECH_SERVERS: &str = r#"
version = 1
[backends.ears]
kind = "openai"
base_url = "{{ env.VPIPE_SERVER }}/v1"
[backends.workers]
kind = "runpod"
endpoint = "{{ env.VPIPE_ENDPOINT | default('fast') }}"
base_url = "{{ env.VPIPE_SERVER }}/v2"
[backends.any]
kind = "http"
url = "{{ env.VPIPE_SERVER }}/hear?key={{ env.VPIPE_TOKEN }}"
max_body = "{{ env.VPIPE_BODY }}"
[stages.extract]
[stages.listens]
kind = "whisper"
inputs = ["extract"]
backend = "ears"
chunk = 5
[stages.works]
kind = "whisper"
inputs = ["extract"]
backend = "workers"
worker = "faster-whisper"
[stages.hears]
kind = "http"
inputs = ["extract.sound"]
backend = "any"
request = { file = "{{ sound }}" }
[stages.hears.answer]
segments = "output.segments"
start = "segment.start"
end = "segment.end"
text = "segment.text"
[stages.merge]
inputs = ["listens", "works", "hears"]
formats = ["srt", "tsv"]
"#;

// Those of the repository, one of the speech servers; and how much of the clip is enough.
const ALL: &[(&str, Models, &str)] = &[
    ("default", Here, "5s"),
    ("max-speed", Here, "1s"),
    ("conservative", Here, "1s"),
    ("high-detail", Here, "1s"),
    ("examples/crops", Here, "2s"),
    ("examples/two-detectors", Here, "2s"),
    ("examples/things", Here, "2s"),
    ("examples/crossings", Here, "2s"),
    ("examples/ranges", Here, "5s"),
    ("default", Fleet, "25s"),
    ("max-speed", Fleet, "25s"),
    ("conservative", Fleet, "25s"),
    ("high-detail", Fleet, "25s"),
    ("examples/crops", Fleet, "6s"),
    ("examples/two-detectors", Fleet, "6s"),
    ("examples/things", Fleet, "6s"),
    ("examples/crossings", Fleet, "4s"),
    ("examples/ranges", Fleet, "6s"),
    ("examples/detection-server", Server("/detect"), "6s"),
    ("examples/roboflow", Server("/roboflow"), "6s"),
    ("examples/box", Server("/v2"), "6s"),
    ("examples/captions", Server("/chat"), "6s"),
    ("examples/questions", Server("/chat"), "6s"),
    ("examples/once", Server("/chat"), "6s"),
    ("examples/frames-only", Server("/form"), "6s"),
    ("examples/sound-only", Server("/inference"), "6s"),
    ("speech-servers", Named, "6s"),
];

/// Those that write frames as files.
pub(super) const WRITERS: [&str; 3] = ["found", "frames", "region"];

#[test]
fn no_recipe_of_the_repository_is_left_out() {
    let all = [recipes("recipes"), recipes("recipes/examples")].concat();
    let known: BTreeSet<String> = ALL
        .iter()
        .map(|(recipe, ..)| format!("recipes/{recipe}.toml"))
        .collect();
    // They write frames, which takes the video; what they write is compared by itself.
    let left: Vec<_> = all
        .iter()
        .filter(|recipe| !known.contains(*recipe))
        .collect();
    let writers = WRITERS.map(|name| format!("recipes/examples/{name}.toml"));
    assert_eq!(left, writers.iter().collect::<Vec<_>>());
}

async fn run(folder: &Path, words: &[&str], variables: &[(String, String)]) -> Said {
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| (name.as_str(), value.as_str()));
    vpipe_beside(folder, words, &variables.collect::<Vec<_>>()).await
}

// Somebody who counts who comes and says nothing.
async fn nobody() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, came)
}

// An environment that leads everything to `nobody`: names by proxies, and RunPod by its address.
fn astray(nobody: &str, is_recorded_here: bool) -> Vec<(String, String)> {
    let mut all: Vec<(&str, &str)> = Vec::new();
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        all.push((name, nobody));
    }
    // `auto` is what it was then.
    if is_recorded_here {
        all.extend([
            ("RUNPOD_API_KEY", KEY),
            ("RUNPOD_YOLO_ENDPOINT_ID", "other"),
            ("RUNPOD_WHISPER_ENDPOINT_ID", "other"),
            ("RUNPOD_ENDPOINT_BASE_URL", nobody),
        ]);
    }
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    all.into_iter().map(owned).collect()
}

async fn replays(recipe: &str, models: &Models, first: &str) {
    let servers = Servers::start().await;
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let clip = at.join("clip.mp4");
    fs::copy(CLIP, &clip).unwrap();
    let file = match models {
        Named => "recipe.toml".to_owned(),
        _ if recipe.starts_with("examples/") => format!("{ROOT}/recipes/{recipe}.toml"),
        _ => recipe.to_owned(),
    };
    fs::write(at.join("recipe.toml"), SPEECH_SERVERS).unwrap();
    let variables = match models {
        Here => Vec::new(),
        // `box` needs a key, whatever it is.
        Server(_) => vec![("SERVE_KEY".to_owned(), KEY.to_owned())],
        Fleet => servers.fleet(),
        Named => {
            let own = [
                ("VPIPE_SERVER", servers.address.as_str()),
                ("VPIPE_TOKEN", "a-token"),
                ("VPIPE_BODY", "10000000"),
                ("RUNPOD_API_KEY", KEY),
            ];
            own.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        }
    };
    let of_server = |address: &str| match models {
        Server(path) => {
            let mut words = vec!["--var".to_owned(), format!("url={address}{path}")];
            // What the demo model finds.
            let finds = ["examples/questions", "examples/once"].contains(&recipe);
            words.extend(finds.then(|| "--var=who=circle".to_owned()));
            words
        }
        _ => Vec::new(),
    };
    let words = |input: &[&str], cassette: [&str; 2], address: &str| {
        let words = [&["run", &file], input, &["--first", first], &cassette].concat();
        let words = words.into_iter().map(str::to_owned);
        words.chain(of_server(address)).collect::<Vec<_>>()
    };
    let all = words(&["clip.mp4"], ["--record", "cas"], &servers.address);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let said = run(at, &all, &variables).await;
    assert_eq!(said.code, 0, "{recipe}: {}", said.talk);
    assert!(said.talk.contains("recorded to cas, "), "{}", said.talk);
    let is_asked = !matches!(models, Here);
    assert_eq!(servers.requests() > 0, is_asked, "{recipe}");
    let (expected, cassette) = (results(at), files(&at.join("cas")));
    assert_of_no_machine(at);
    // What was known already is recorded as well.
    let said = run(at, &all, &variables).await;
    assert_eq!(said.code, 0, "{recipe}: {}", said.talk);
    assert!(
        files(&at.join("cas")) == cassette,
        "{recipe}: another cassette"
    );
    drop(servers);
    let (nobody, came) = nobody().await;
    let variables = astray(&nobody, !is_asked);
    for input in [&["clip.mp4"][..], &[]] {
        remove_output(at);
        let mut all = words(input, ["--replay", "cas"], "http://nobody.invalid");
        all.extend(["-vv", "--log", "log"].map(str::to_owned));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let said = run(at, &all, &variables).await;
        assert_eq!(said.code, 0, "{recipe}: {}", said.talk);
        let log = fs::read_to_string(at.join("log")).unwrap();
        assert!(!log.contains("decoder opened"), "{recipe}: {log}");
        assert_eq!(results(at), expected, "{recipe}");
        assert!(!said.talk.contains("127.0.0.1"), "{}", said.talk);
        assert!(!at.join("output/.vpipe").exists(), "a replay keeps nothing");
        fs::remove_file(&clip).unwrap_or_default();
    }
    assert_eq!(came.load(Ordering::SeqCst), 0, "{recipe} asked somebody");
}

async fn all_replay(is_meant: fn(&Models) -> bool) {
    for (recipe, models, first) in ALL.iter().filter(|(_, models, _)| is_meant(models)) {
        replays(recipe, models, first).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_on_this_machine_are_replayed_as_they_were_recorded() {
    all_replay(|models| matches!(models, Here)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_on_a_fleet_are_replayed_without_it() {
    all_replay(|models| matches!(models, Fleet)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_that_ask_a_server_are_replayed_without_it() {
    all_replay(|models| matches!(models, Server(_))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_the_environment_are_not_needed_in_a_replay() {
    all_replay(|models| matches!(models, Named)).await;
}
