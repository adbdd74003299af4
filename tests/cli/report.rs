//! `report`: what is in a page, where its video is, and what is no text of it.
//!
//! What the page does in a browser is tried by `tests/counterparts/page.py`.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

// A whole results file, with records, crops and failures.
fn whole() -> Value {
    read(&Path::new(ROOT).join("tests/cli/compare/results.json"))
}

// What the demo models find in the demo clip.
fn demo() -> Value {
    read(&Path::new(ROOT).join("tests/demo/snapshots/demo@clip.json"))
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn write(folder: &Path, name: &str, results: &Value) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, results.to_string()).unwrap();
}

// The page of `results`, and what was said.
fn page_of(results: &Value) -> (String, Said) {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "clip_results.json", results);
    let said = vpipe(folder.path(), &["report", "clip_results.json"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let page = fs::read_to_string(folder.path().join("clip_report.html")).unwrap();
    (page, said)
}

const BLOCK: &str = "<script type=\"application/json\" id=\"";

// The text of a block of data.
fn block<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("{BLOCK}{id}\">")).unwrap();
    rest.split_once("</script>").unwrap().0
}

fn data(page: &str, id: &str) -> Value {
    serde_json::from_str(block(page, id)).unwrap()
}

// The page without its data.
fn frame(page: &str) -> String {
    let (mut frame, mut rest) = (String::new(), page);
    while let Some((before, after)) = rest.split_once(BLOCK) {
        frame.push_str(before);
        rest = after.split_once("</script>").unwrap().1;
    }
    frame.push_str(rest);
    let (_, nonce) = frame.split_once("'nonce-").unwrap();
    let nonce = nonce.split_once('\'').unwrap().0.to_owned();
    frame.replace(&nonce, "NONCE")
}

#[test]
fn a_page_has_the_columns_of_its_results() {
    let (page, _) = page_of(&whole());
    let mut video = data(&page, "video-0");
    // The version is that of the results; nothing else varies.
    video["details"].as_array_mut().unwrap().truncate(4);
    let all = json!({ "list": data(&page, "list"), "video": video });
    settings().bind(|| insta::assert_json_snapshot!("page_data", all));
}

#[test]
fn no_text_leaves_its_block() {
    let hostile = [
        "</script><script>alert(1)</script>",
        "<!-- <script> -->",
        "]]> & \" ' ` ${x} {{nonce}} {{data}} {{program}}",
        "\u{2028}\u{2029}\u{202e}\u{0}",
        "javascript:alert(1)",
        "<img src=x onerror=alert(1)>",
    ];
    let plain = frame(&page_of(&whole()).0);
    for text in hostile {
        let mut results = whole();
        results["video"] = text.into();
        results["detections"][0]["detections"][0]["class_name"] = text.into();
        results["transcription"]["segments"][0]["text"] = text.into();
        results["recipe"]["settings"]["yolo"][text] = text.into();
        results["stages"]["captions"]["records"][0]["record"][text] = text.into();
        results["run"]["errors"] =
            json!([{ "stage": "yolo", "class": "worker", "items": 1, "text": text }]);
        let (page, _) = page_of(&results);
        assert_eq!(frame(&page), plain, "{text}");
        let of_video = block(&page, "video-0");
        assert!(
            !of_video.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
            "{text}"
        );
        let video = data(&page, "video-0");
        // A name is that of the file, without its folders.
        let mut parts = text.rsplit(['/', '\\']);
        assert_eq!(video["name"], parts.find(|part| !part.is_empty()).unwrap());
        assert_eq!(video["speeches"][0]["texts"][0], text);
        let names = video["classes"].as_array().unwrap();
        assert!(names.iter().any(|class| class["name"] == text), "{text}");
    }
}

#[test]
fn nothing_but_the_page_and_its_video_is_named() {
    let (page, _) = page_of(&whole());
    for way_out in [
        "http:",
        "https:",
        "//cdn",
        "innerHTML",
        "eval(",
        "fetch(",
        "import(",
    ] {
        assert!(!page.contains(way_out), "{way_out}");
    }
}

#[test]
fn a_video_is_found_from_where_the_page_lies() {
    // The video as the results name it, where it lies, where the results are, the page, the address.
    for (named, lies, results, page, address) in [
        (
            "clip.mp4",
            "clip.mp4",
            "output/a_results.json",
            "output/a_report.html",
            "../clip.mp4",
        ),
        (
            "in/a b#1 50%.mp4",
            "in/a b#1 50%.mp4",
            "out/a_results.json",
            "p/q/r.html",
            "../../in/a%20b%231%2050%25.mp4",
        ),
        (
            "../gone/clip.mp4",
            "out/clip.mp4",
            "out/a_results.json",
            "out/a_report.html",
            "clip.mp4",
        ),
        (
            r"C:\videos\clip.mp4",
            "out/clip.mp4",
            "out/a_results.json",
            "index.html",
            "out/clip.mp4",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let video = folder.path().join(lies);
        fs::create_dir_all(video.parent().unwrap()).unwrap();
        fs::write(video, "").unwrap();
        let mut told = whole();
        told["video"] = named.into();
        write(folder.path(), results, &told);
        let said = vpipe(folder.path(), &["report", results, "-o", page]);
        assert_eq!((said.code, said.talk.as_str()), (0, ""), "{named}");
        let page = fs::read_to_string(folder.path().join(page)).unwrap();
        let expected = json!({ "relative": address });
        assert_eq!(data(&page, "video-0")["address"], expected, "{named}");
    }
}

#[test]
fn a_video_that_is_not_there_is_told() {
    let (page, said) = page_of(&whole());
    insta::assert_snapshot!(said.talk.trim_end(), @"the page cannot play clip.mp4: it was not found when the page was made");
    let absent = &data(&page, "video-0")["address"]["absent"];
    assert_eq!(absent, "it was not found when the page was made");
}

#[test]
fn pictures_are_kept_of_the_video_and_of_no_other() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "clip_results.json", &demo());
    let report = |count: &str| {
        let words = ["report", "clip_results.json", "--frames", count];
        vpipe(folder.path(), &words)
    };
    assert_eq!(report("3").code, 1);
    fs::write(folder.path().join("clip.mp4"), b"\x89PNG\r\n\x1a\n").unwrap();
    let said = report("3");
    assert_eq!(said.code, 1, "{}", said.talk);
    fs::copy(CLIP, folder.path().join("clip.mp4")).unwrap();
    let said = report("3");
    assert_eq!((said.code, said.talk.as_str()), (0, ""));
    let page = fs::read_to_string(folder.path().join("clip_report.html")).unwrap();
    let pictures = data(&page, "pictures-0");
    let pictures = pictures.as_array().unwrap();
    assert_eq!(pictures.len(), 3);
    for picture in pictures {
        // A second is sampled once; a JPEG begins so.
        assert_eq!(picture["time"].as_i64().unwrap() % 1000, 0);
        assert!(picture["jpeg"].as_str().unwrap().starts_with("/9j/"));
    }
    // No more than there are frames.
    assert_eq!(report("2000").code, 0);
    let page = fs::read_to_string(folder.path().join("clip_report.html")).unwrap();
    assert_eq!(data(&page, "pictures-0").as_array().unwrap().len(), 5);
}

#[test]
fn another_video_of_the_name_is_not_shown() {
    let folder = TempDir::new().unwrap();
    let mut results = demo();
    results["source"]["digest"] = "0".into();
    write(folder.path(), "clip_results.json", &results);
    fs::copy(CLIP, folder.path().join("clip.mp4")).unwrap();
    let words = ["report", "clip_results.json", "--frames", "3"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.talk.trim_end(), @"no pictures of clip.mp4 are kept: the file of this name is another video");
}

#[test]
fn a_video_of_another_length_or_size_is_told() {
    let folder = TempDir::new().unwrap();
    fs::copy(CLIP, folder.path().join("clip.mp4")).unwrap();
    for (key, value, what) in [
        ("duration", json!(99.5), "length"),
        ("width", json!(640), "size"),
    ] {
        let mut results = demo();
        results["source"][key] = value;
        write(folder.path(), "clip_results.json", &results);
        let said = vpipe(folder.path(), &["report", "clip_results.json"]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let expected = format!("it has another {what}, and boxes may lie where nothing is");
        assert!(said.talk.contains(&expected), "{}", said.talk);
    }
}

#[test]
fn a_picture_is_called_one() {
    let folder = TempDir::new().unwrap();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i", CLIP, "-frames:v", "1", "a.png"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let said = vpipe(folder.path(), &["run", "default", "a.png"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let page = || {
        let page = fs::read_to_string(folder.path().join("output/a_report.html")).unwrap();
        (data(&page, "video-0"), data(&page, "pictures-0"))
    };
    let words = ["report", "output/a_results.json"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0);
    insta::assert_snapshot!(said.talk.trim_end(), @"a.png is no video, and the page shows only those pictures that it keeps: --frames 60 keeps some");
    assert_eq!(page().0["address"], "pictures");
    let said = vpipe(folder.path(), &[&words[..], &["--frames", "1"]].concat());
    assert_eq!((said.code, said.talk.as_str()), (0, ""));
    assert_eq!(page().1.as_array().unwrap().len(), 1);
}

#[test]
fn several_results_are_one_page() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "output/a_results.json", &whole());
    write(folder.path(), "output/b_results.json", &demo());
    write(folder.path(), "output/other.json", &json!({}));
    let said = vpipe(folder.path(), &["report", "output"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.out.contains("report.html: 2 videos, "), "{}", said.out);
    let page = fs::read_to_string(folder.path().join("output/report.html")).unwrap();
    let list = data(&page, "list");
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["segments"], 2);
    assert_eq!(
        data(&page, "video-1")["speeches"][0]["texts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_page_is_a_format_too() {
    let folder = TempDir::new().unwrap();
    fs::copy(CLIP, folder.path().join("clip.mp4")).unwrap();
    let formats = "merge.formats=[\"html\"]";
    let words = [
        "run", "default", "clip.mp4", "--first", "2s", "--set", formats,
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let path = folder.path().join("output/clip_report.html");
    let of_run = fs::read_to_string(&path).unwrap();
    let address = json!({ "relative": "../clip.mp4" });
    assert_eq!(data(&of_run, "video-0")["address"], address);
    for words in [
        &["convert", "output/clip_results.json", "--to", "html"] as &[&str],
        &["report", "output/clip_results.json"],
    ] {
        fs::remove_file(&path).unwrap();
        let said = vpipe(folder.path(), words);
        assert_eq!(said.code, 0, "{words:?}: {}", said.talk);
        assert_eq!(fs::read_to_string(&path).unwrap(), of_run, "{words:?}");
    }
}

#[test]
fn what_makes_no_page_is_refused() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "clip_results.json", &whole());
    write(folder.path(), "wrong.json", &json!({ "format": 1 }));
    write(folder.path(), "results.html", &whole());
    for name in ["empty", "folder.html"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("clip.mp4"), "a video").unwrap();
    for (words, expected) in [
        (&["none.json"] as &[&str], "none.json cannot be read"),
        (&["wrong.json"], "is not the results of a video"),
        (&["empty"], "there are no results in empty"),
        (
            &["clip_results.json", "-o", "clip.mp4"],
            "clip.mp4 is no name of a page",
        ),
        (
            &["clip_results.json", "-o", "clip_results.json"],
            "let it end in .html",
        ),
        (
            &["results.html", "-o", "results.html"],
            "is a file that this run reads",
        ),
        (&["clip_results.json", "-o", "folder.html"], "no plain file"),
        (
            &["clip_results.json", "-o", "folder.html"],
            "give another name with -o",
        ),
        (&["clip_results.json", "--frames", "2001"], "from 0 to 2000"),
        (&["clip_results.json", "--frames", "-1"], "from 0 to 2000"),
        (&[], "RESULTS"),
    ] {
        let words: Vec<&str> = std::iter::once("report")
            .chain(words.iter().copied())
            .collect();
        let said = vpipe(folder.path(), &words);
        assert_eq!(said.code, 2, "{words:?}: {}", said.talk);
        assert!(said.talk.contains(expected), "{words:?}: {}", said.talk);
    }
    assert_eq!(
        fs::read(folder.path().join("clip.mp4")).unwrap(),
        b"a video"
    );
}
