//! `convert`: what each format says of the same results, where it goes, and what is refused.
//!
//! `convert/clip_results.json` has all that results can have: frames without an answer, two detecting
//! stages, tracks, and names that other formats have to escape. What other programs read of its formats
//! is held by `tests/counterparts/formats.py`.

use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Field;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::path::Path;
use tempfile::TempDir;
use vpipe::recipe::OutputFormat;
use walkdir::WalkDir;

const RESULTS: &str = "tests/cli/convert/clip_results.json";

// A folder with the results in it.
fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    fs::copy(
        Path::new(ROOT).join(RESULTS),
        place.path().join("clip_results.json"),
    )
    .unwrap();
    place
}

// All files below a folder, by their paths within.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let within = entry.path().strip_prefix(folder).unwrap();
            let parts = within.iter().map(|part| part.to_str().unwrap());
            let name = parts.collect::<Vec<_>>().join("/");
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn all_formats() -> String {
    OutputFormat::ALL.map(OutputFormat::word).join(",")
}

#[test]
fn every_format_says_what_the_results_say() {
    let place = place();
    let words = ["csv", "coco", "yolo", "mot", "jsonl", "srt", "tsv"].join(",");
    let said = vpipe(
        place.path(),
        &[
            "convert",
            "clip_results.json",
            "--to",
            &words,
            "--output-dir",
            "out",
        ],
    );
    assert_eq!((said.code, said.talk.as_str()), (0, ""));
    let mut told = said.out.replace('\\', "/");
    for (name, bytes) in files(&place.path().join("out")) {
        let text = String::from_utf8(bytes).unwrap();
        writeln!(told, "\n## {name}\n{text}").unwrap();
    }
    settings().bind(|| insta::assert_snapshot!("convert", told));
}

#[test]
fn a_table_in_columns_is_the_one_in_text() {
    let place = place();
    let said = vpipe(place.path(), &["convert", ".", "--to", "csv,parquet"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    for (name, count) in [("detections", 15), ("speech", 5)] {
        let file = place.path().join(format!("clip_{name}.parquet"));
        let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), count);
        let text = fs::read_to_string(place.path().join(format!("clip_{name}.csv"))).unwrap();
        let mut columns = text.lines().next().unwrap().split(',');
        let named = rows[0].get_column_iter().map(|(name, _)| name.as_str());
        assert!(named.eq(columns.by_ref()) && columns.next().is_none());
        // Each cell by its text: what is null in one is empty in the other.
        let cell = |(_, field): (&String, &Field)| match field {
            Field::Null => String::new(),
            Field::Str(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            Field::ULong(number) => number.to_string(),
            Field::Double(number) => format!("{number:?}"),
            Field::Float(pixels) => {
                let pixels = (f64::from(*pixels) * 100.0).round() / 100.0;
                format!("{pixels:?}")
            }
            other => panic!("{other}"),
        };
        let rows = rows.iter().map(|row| {
            let cells = row.get_column_iter().map(cell);
            cells.collect::<Vec<_>>().join(",") + "\n"
        });
        let (_, body) = text.split_once('\n').unwrap();
        assert_eq!(rows.collect::<String>(), body);
    }
}

#[test]
fn a_run_writes_what_is_converted_later() {
    let place = TempDir::new().unwrap();
    let words = format!("merge.formats=[{}]", {
        let words = OutputFormat::ALL.map(|it| format!("\"{}\"", it.word()));
        words.join(",")
    });
    let run = ["run", "default", CLIP, "--first", "3s", "--set", &words];
    let said = vpipe(
        place.path(),
        &[&run[..], &["--set", "merge.line_width=20"]].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    let convert = [
        "convert",
        "output",
        "--to",
        &all_formats(),
        "--output-dir",
        "later",
    ];
    let said = vpipe(place.path(), &convert);
    assert_eq!(said.code, 0, "{}", said.talk);
    let mut written = files(&place.path().join("output"));
    written.retain(|name, _| name != "clip_results.json" && !name.starts_with(".vpipe/"));
    let later = files(&place.path().join("later"));
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        later.keys().collect::<Vec<_>>()
    );
    assert!(written == later, "the same bytes");
    // What stands there is replaced.
    let said = vpipe(place.path(), &convert);
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[test]
fn the_boxes_of_one_stage_have_files_of_their_own() {
    let place = place();
    let convert = ["convert", "clip_results.json", "--to", "mot,csv", "--stage"];
    let said = vpipe(place.path(), &[&convert[..], &["closer"]].concat());
    assert_eq!(said.code, 0, "{}", said.talk);
    let text = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
    assert_eq!(
        text("clip_closer_mot.txt"),
        "1,-1,121,111,30,30,0.6,-1,-1,-1\n"
    );
    assert!(!text("clip_closer_detections.csv").contains("yolo"));
    let said = vpipe(place.path(), &[&convert[..], &["hear"]].concat());
    assert_eq!(said.code, 2);
    assert!(
        said.talk.contains("no boxes of a stage `hear`"),
        "{}",
        said.talk
    );
    assert!(said.talk.contains("closer, yolo"), "{}", said.talk);
}

#[test]
fn a_folder_stands_for_the_results_in_it() {
    let place = TempDir::new().unwrap();
    let results = Path::new(ROOT).join(RESULTS);
    for name in [
        "a_results.json",
        "a_results.partial.json",
        "b_results.partial.json",
    ] {
        fs::copy(&results, place.path().join(name)).unwrap();
    }
    // What others wrote, and what was made of results before.
    for name in ["a_coco.json", "notes.json"] {
        fs::write(place.path().join(name), "{}").unwrap();
    }
    let said = vpipe(place.path(), &["convert", ".", "--to", "mot", "--json"]);
    assert_eq!((said.code, said.talk.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let written = told["files"].as_array().unwrap().iter();
    let written: Vec<&str> = written
        .filter_map(|file| Path::new(file["path"].as_str()?).file_name()?.to_str())
        .collect();
    assert_eq!(
        written,
        [
            "a_mot.txt",
            "a_mot_unanswered.csv",
            "b_mot.txt",
            "b_mot_unanswered.csv"
        ]
    );
    let said = vpipe(
        place.path(),
        &["convert", "?_results.json", "--to", "mot,mot"],
    );
    assert_eq!(
        said.out.lines().count(),
        2,
        "each format once: {}",
        said.out
    );
}

#[test]
fn what_there_is_nothing_of_is_said() {
    let place = place();
    let file = place.path().join("clip_results.json");
    let mut results: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    results["transcription"] = serde_json::json!({"skipped": "no stage listens"});
    fs::write(&file, results.to_string()).unwrap();
    let convert = ["convert", "clip_results.json", "--to", "srt,csv"];
    let said = vpipe(place.path(), &convert);
    assert_eq!((said.code, said.out.as_str()), (0, "clip_detections.csv\n"));
    assert_eq!(said.talk, "clip_results.json has nothing to tell as srt\n");
    let said = vpipe(place.path(), &[&convert[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["untold"][0]["format"], "srt");
}

#[test]
fn what_may_not_be_written_or_is_no_results_is_refused() {
    let place = place();
    let at = |name: &str| place.path().join(name);
    fs::create_dir_all(at("other/clip_yolo/labels")).unwrap();
    fs::write(at("other/clip_yolo/labels/thesis.tex"), "old").unwrap();
    fs::create_dir_all(at("folder/clip_detections.csv")).unwrap();
    fs::create_dir_all(at("empty")).unwrap();
    fs::write(at("file"), "old").unwrap();
    fs::write(at("notes.json"), "{\"a\": 1}").unwrap();
    fs::write(at("clip.json"), fs::read(at("clip_results.json")).unwrap()).unwrap();
    for (words, code, expected) in [
        (
            &["gone.json", "--to", "csv"][..],
            2,
            "gone.json cannot be read",
        ),
        (
            &["notes.json", "--to", "csv"],
            2,
            "is not the results of a video",
        ),
        (
            &["empty", "--to", "csv"],
            2,
            "there are no results in empty",
        ),
        (&["*.txt", "--to", "csv"], 2, "nothing matches `*.txt`"),
        (
            &["clip_results.json", "--to", "xls"],
            2,
            "invalid value 'xls'",
        ),
        (&["clip_results.json"], 2, "--to <FORMAT>"),
        (
            &["clip_results.json", "clip.json", "--to", "csv"],
            2,
            "the same files",
        ),
        (
            &["clip_results.json", "--to", "csv", "--output-dir", "folder"],
            2,
            "no plain file",
        ),
        (
            &["clip_results.json", "--to", "yolo", "--output-dir", "other"],
            2,
            "other files",
        ),
        (
            &["clip_results.json", "--to", "csv", "--output-dir", "file"],
            3,
            "cannot write to file: it is a file; name a folder",
        ),
    ] {
        let said = vpipe(place.path(), &[&["convert"], words].concat());
        assert_eq!(said.code, code, "{words:?}: {}", said.talk);
        assert!(said.talk.contains(expected), "{words:?}: {}", said.talk);
        assert_eq!(said.out, "", "{words:?}");
    }
    let left = files(place.path());
    let names = [
        "clip.json",
        "clip_results.json",
        "file",
        "notes.json",
        "other/clip_yolo/labels/thesis.tex",
    ];
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        names,
        "nothing is left over"
    );
    // Results themselves are not overwritten, whatever they are called.
    fs::rename(at("clip_results.json"), at("a_coco.json")).unwrap();
    fs::copy(at("a_coco.json"), at("a_results.json")).unwrap();
    let said = vpipe(
        place.path(),
        &["convert", "a_coco.json", "a_results.json", "--to", "coco"],
    );
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.talk.contains("a file that this run reads"),
        "{}",
        said.talk
    );
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    let place = place();
    let at = |name: &str| place.path().join(name);
    fs::write(at("precious"), "old").unwrap();
    fs::create_dir(at("real")).unwrap();
    std::os::unix::fs::symlink(at("precious"), at("clip_detections.csv")).unwrap();
    std::os::unix::fs::symlink(at("real"), at("clip_yolo")).unwrap();
    for format in ["csv", "yolo"] {
        let said = vpipe(
            place.path(),
            &["convert", "clip_results.json", "--to", format],
        );
        assert_eq!(said.code, 2, "{format}: {}", said.talk);
    }
    assert_eq!(fs::read(at("precious")).unwrap(), b"old");
    assert_eq!(fs::read_dir(at("real")).unwrap().count(), 0);
}
