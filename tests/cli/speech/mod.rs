//! Speech end to end: an hour of known words, the program as a user has it, and servers that
//! answer with the words that lie wholly inside the sound they got.

mod answers;
pub(crate) mod server;
pub(crate) mod words;

use self::server::Fault;
use self::server::Server;
use self::server::Speaks;
use self::words::Script;
use self::words::Word;
use crate::support::fleet::KEY;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LIMIT: usize = 10_000_000;

async fn run(folder: &Path, recipe: &str, input: &str, server: &Server) -> Said {
    let path = folder.join("recipe.toml");
    fs::write(&path, recipe.replace("ADDRESS", &server.address)).unwrap();
    let variables = [
        ("RUNPOD_API_KEY", KEY),
        ("RUNPOD_WHISPER_ENDPOINT_ID", "listen"),
        ("RUNPOD_ENDPOINT_BASE_URL", &server.address),
        ("MY_SPEECH_KEY", KEY),
    ];
    vpipe_beside(folder, &["run", "recipe.toml", input], &variables).await
}

fn results(folder: &Path, name: &str) -> Value {
    let path = folder.join("output").join(format!("{name}_results.json"));
    let text = fs::read_to_string(path).unwrap();
    assert!(!text.contains(KEY), "the key was told");
    serde_json::from_str(&text).unwrap()
}

// The words of a transcript, with their times.
fn told(transcription: &Value) -> Vec<Word> {
    let segments = transcription["segments"].as_array().unwrap();
    let words = segments
        .iter()
        .flat_map(|it| it["words"].as_array().unwrap());
    words
        .map(|word| Word {
            id: word["word"]
                .as_str()
                .unwrap()
                .trim_start_matches('w')
                .parse()
                .unwrap(),
            start: word["start"].as_f64().unwrap(),
            end: word["end"].as_f64().unwrap(),
        })
        .collect()
}

#[track_caller]
fn assert_same(told: &[Word], spoken: &[Word]) {
    let ids = |words: &[Word]| -> Vec<u32> { words.iter().map(|word| word.id).collect() };
    assert_eq!(
        ids(told),
        ids(spoken),
        "a word is lost, doubled or misplaced"
    );
    for (told, spoken) in told.iter().zip(spoken) {
        let off = (told.start - spoken.start)
            .abs()
            .max((told.end - spoken.end).abs());
        assert!(off < 0.1, "word {} is {off} s off", told.id);
    }
}

// How long workers that take the next request as they get free would be at work, over the least
// that is possible.
fn stretched(lengths: &[f64], workers: usize) -> f64 {
    let mut free = vec![0.0_f64; workers];
    for length in lengths {
        let next = free.iter_mut().min_by(|a, b| a.total_cmp(b)).unwrap();
        *next += length;
    }
    let wall = free.into_iter().fold(0.0, f64::max);
    wall / (lengths.iter().sum::<f64>() / workers as f64)
}

const FLEET: &str = r#"
version = 1
[stages.extract]
[stages.whisper]
inputs = ["extract"]
concurrency = 3
OPTIONS
[stages.merge]
inputs = ["whisper"]
formats = ["srt", "vtt", "tsv", "txt"]
"#;

fn fleet(options: &str) -> String {
    FLEET.replace("OPTIONS", options)
}

const OPENAI: &str = r#"
version = 1
[backends.mine]
kind = "openai"
base_url = "ADDRESS"
api_key_env = "MY_SPEECH_KEY"
[stages.extract]
[stages.whisper]
inputs = ["extract"]
backend = "mine"
model = "tiny"
codec = "wav"
chunk = LENGTH
[stages.merge]
inputs = ["whisper"]
"#;

fn openai(chunk: u32) -> String {
    OPENAI.replace("LENGTH", &chunk.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_speech_loses_and_doubles_no_word() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(3600, Some(&(1200..1380)), 1);
    script.write(&folder.path().join("hour.wav"));
    let server = Server::start(Speaks::Handler, LIMIT, &[]).await;
    server.wait_for(3);
    let said = run(folder.path(), &fleet(""), "hour.wav", &server).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains("127.0.0.1"), "{}", said.talk);
    let results = results(folder.path(), "hour");
    let transcription = &results["transcription"];
    assert_same(&told(transcription), &script.words);
    assert_eq!(transcription["language"], "en");
    assert_eq!(transcription.get("gaps"), None);
    assert_eq!(transcription.get("seams"), None);
    let duration = transcription["duration"].as_f64().unwrap();
    assert!((duration - 3600.0).abs() < 0.01);

    let heard = server.heard();
    assert!(heard.iter().all(|request| request.bytes <= LIMIT));
    assert_eq!(heard.iter().map(|it| it.most_at_once).max(), Some(3));
    let lengths: Vec<f64> = heard.iter().map(|request| request.seconds).collect();
    assert!(stretched(&lengths, 3) < 1.15, "{lengths:?}");
    // The stretch without a pause is cut with an overlap, all else without.
    let total: f64 = lengths.iter().sum();
    assert!((3500.0..3604.0).contains(&total), "{total} s were sent");

    for extension in ["srt", "vtt", "tsv", "txt"] {
        let path = folder
            .path()
            .join(format!("output/hour_results.{extension}"));
        let text = fs::read_to_string(path).unwrap();
        let words = text.split_whitespace().filter(|it| it.starts_with('w'));
        assert_eq!(words.count(), script.words.len(), "{extension}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_without_any_pause_is_whole_at_every_server() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(360, Some(&(0..360)), 7);
    script.write(&folder.path().join("talk.wav"));
    for (speaks, recipe) in [
        (Speaks::Handler, fleet("chunk = 40\nvad_filter = false")),
        (
            Speaks::FasterWhisper,
            fleet("worker = \"faster-whisper\"\nchunk = 33"),
        ),
        (Speaks::Openai, openai(45)),
    ] {
        let server = Server::start(speaks, LIMIT, &[]).await;
        let said = run(folder.path(), &recipe, "talk.wav", &server).await;
        assert_eq!(said.code, 0, "{speaks:?}: {}", said.talk);
        let transcription = &results(folder.path(), "talk")["transcription"];
        assert_same(&told(transcription), &script.words);
        assert_eq!(transcription["language"], "en", "{speaks:?}");
        assert!(server.heard().len() >= 8, "{speaks:?}");
        assert_eq!(server.strangers(), 0, "{speaks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_stay_within_a_small_limit() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(120, None, 3);
    script.write(&folder.path().join("talk.wav"));
    let recipe = format!(
        "{}\n[backends.small]\nkind = \"runpod\"\nmax_body = 500_000\n",
        fleet("backend = \"small\"")
    );
    let server = Server::start(Speaks::Handler, 500_000, &[]).await;
    let said = run(folder.path(), &recipe, "talk.wav", &server).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let transcription = &results(folder.path(), "talk")["transcription"];
    assert_same(&told(transcription), &script.words);
    assert!(server.heard().len() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_as_too_large_is_halved_and_no_word_is_lost() {
    let folder = TempDir::new().unwrap();
    // With pauses, and without.
    let script = Script::new(200, Some(&(0..90)), 11);
    script.write(&folder.path().join("talk.wav"));
    for (speaks, recipe, limit, most_refused) in [
        (
            Speaks::Handler,
            fleet("chunk = 60\ncodec = \"wav\""),
            900_000,
            12,
        ),
        (Speaks::Openai, openai(60), 700_000, 9),
    ] {
        let server = Server::start(speaks, limit, &[]).await;
        let said = run(folder.path(), &recipe, "talk.wav", &server).await;
        assert_eq!(said.code, 0, "{speaks:?}: {}", said.talk);
        let transcription = &results(folder.path(), "talk")["transcription"];
        assert_same(&told(transcription), &script.words);
        assert_eq!(transcription.get("gaps"), None);
        assert!(server.heard().iter().all(|it| it.bytes <= limit));
        // Once it is known what is too large, that is not sent.
        let refused = server.refused();
        assert!(
            (1..=most_refused).contains(&refused),
            "{speaks:?}: {refused}"
        );
        assert!(
            said.talk.contains("too large for its server"),
            "{}",
            said.talk
        );
        assert!(said.talk.contains("`chunk = "), "{}", said.talk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_nothing_ends_with_gaps() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(60, None, 13);
    script.write(&folder.path().join("talk.wav"));
    let server = Server::start(Speaks::Openai, 1000, &[]).await;
    let said = run(folder.path(), &openai(30), "talk.wav", &server).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let transcription = &results(folder.path(), "talk")["transcription"];
    let gaps = transcription["gaps"].as_array().unwrap();
    assert!(gaps.iter().all(|gap| gap["error"] == "too-large"));
    let covered: f64 = gaps
        .iter()
        .map(|gap| gap["end"].as_f64().unwrap() - gap["start"].as_f64().unwrap())
        .sum();
    assert!((covered - 60.0).abs() < 0.01, "{covered}");
    assert!(server.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_without_an_answer_is_a_gap_and_the_rest_stands() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(150, None, 5);
    script.write(&folder.path().join("talk.wav"));
    let faults = [(1, Fault::Handler), (2, Fault::Lost), (3, Fault::NotSpeech)];
    let server = Server::start(Speaks::Handler, LIMIT, &faults).await;
    let recipe = fleet("chunk = 30").replace("concurrency = 3", "concurrency = 1");
    let said = run(folder.path(), &recipe, "talk.wav", &server).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let results = results(folder.path(), "talk");
    let transcription = &results["transcription"];
    let gaps = transcription["gaps"].as_array().unwrap();
    let classes: Vec<_> = gaps
        .iter()
        .map(|gap| gap["error"].as_str().unwrap())
        .collect();
    // What the server lost, and what its handler failed on, was asked for again.
    assert_eq!(classes, ["bad-answer"]);
    assert_eq!(results["summary"]["gaps"], 1);
    assert_eq!(results["failures"].as_array().unwrap().len(), 1);
    let in_gap = |word: &&Word| {
        let centre = f64::midpoint(word.start, word.end);
        gaps.iter().any(|gap| {
            (gap["start"].as_f64().unwrap()..gap["end"].as_f64().unwrap()).contains(&centre)
        })
    };
    let (lost, kept): (Vec<Word>, Vec<Word>) = script.words.iter().partition(in_gap);
    assert!(!lost.is_empty());
    assert_same(&told(transcription), &kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_times_of_words_seams_are_marked() {
    let folder = TempDir::new().unwrap();
    let script = Script::new(90, Some(&(0..90)), 9);
    script.write(&folder.path().join("talk.wav"));
    let server = Server::start(Speaks::Handler, LIMIT, &[]).await;
    let recipe = fleet("chunk = 30\nword_timestamps = false");
    let said = run(folder.path(), &recipe, "talk.wav", &server).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let transcription = &results(folder.path(), "talk")["transcription"];
    let seams = transcription["seams"].as_array().unwrap();
    assert_eq!(seams.len(), server.heard().len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_is_not_there_or_silent_costs_no_request() {
    let folder = TempDir::new().unwrap();
    let make = |name: &str, arguments: &str| {
        let status = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(name)
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(status.success());
    };
    make("silent.mp3", "-f lavfi -i anullsrc=r=44100 -t 40");
    make("mute.mp4", "-f lavfi -i color=red:s=64x64:d=1");
    make("one.wav", "-f lavfi -i sine=r=16000 -af atrim=end_sample=1");
    let server = Server::start(Speaks::Handler, LIMIT, &[]).await;
    for (file, name, segments, code) in [
        ("silent.mp3", "silent", true, 0),
        ("one.wav", "one", true, 0),
        ("mute.mp4", "mute", false, 0),
    ] {
        let said = run(folder.path(), &fleet(""), file, &server).await;
        assert_eq!(said.code, code, "{file}: {}", said.talk);
        let transcription = &results(folder.path(), name)["transcription"];
        match segments {
            true => assert_eq!(transcription["segments"], serde_json::json!([])),
            false => assert_eq!(transcription["skipped"], "there is no sound track"),
        }
    }
    let said = run(folder.path(), &fleet("track = 2"), "one.wav", &server).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("has 1 sound track, and no number 2"),
        "{}",
        said.talk
    );
    // The results of before know more, and stay.
    let partial = folder.path().join("output/one_results.partial.json");
    let partial: Value = serde_json::from_str(&fs::read_to_string(partial).unwrap()).unwrap();
    assert_eq!(partial["transcription"]["error"], "media");
    let transcription = &results(folder.path(), "one")["transcription"];
    assert_eq!(transcription["segments"], serde_json::json!([]));
    assert!(server.heard().is_empty());
}
