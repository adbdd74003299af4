//! What is said of a cassette that is not as it was written.

use crate::engine::cassette::Cassette;
use crate::engine::cassette::CassetteHead;
use crate::engine::cassette::head::check_of;
use crate::engine::cassette::tests::samples::answers;
use crate::engine::cassette::tests::samples::recorded;
use crate::engine::cassette::tests::samples::street;
use crate::engine::cassette::tests::samples::written;
use std::fs;
use std::path::Path;

const HEAD: &str = "cassette.json";
const YOLO: &str = "2-yolo.jsonl";

// What is said of a cassette in which `change` was made.
fn said(change: fn(&Path)) -> String {
    let folder = written(&recorded(&answers(&street()[..4])));
    change(folder.path());
    let said = Cassette::open(folder.path()).map(|_| "nothing".to_owned());
    let said = said.unwrap_or_else(|error| format!("{error}\n  help: {}", error.help()));
    let top = folder.path().display().to_string();
    said.replace(&top, "DIR").replace('\\', "/")
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

// Changes the head as somebody would who knows how it is checked.
fn forge(folder: &Path, change: fn(&mut serde_json::Value)) {
    let path = folder.join(HEAD);
    let mut head = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut head);
    let mut forged: CassetteHead = serde_json::from_value(head).unwrap();
    forged.check = check_of(&forged);
    fs::write(path, serde_json::to_vec_pretty(&forged).unwrap()).unwrap();
}

// Writes the lines of the detector anew.
fn change_lines(folder: &Path, change: fn(&mut Vec<String>)) {
    let path = folder.join(YOLO);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    fs::write(path, lines.concat()).unwrap();
}

// What is done to a cassette, and its name.
type Damage = (&'static str, fn(&Path));

const OF_HEAD: &[Damage] = &[
    ("nothing was done", |_| {}),
    ("no head", |folder| {
        fs::remove_file(folder.join(HEAD)).unwrap();
    }),
    ("a newer format", |folder| {
        edit(folder, HEAD, "\"format\": 1", "\"format\": 99");
    }),
    ("a head that is changed", |folder| {
        edit(folder, HEAD, "h264", "h265");
    }),
    ("a head with a key of its own", |folder| {
        edit(folder, HEAD, "\"format\": 1", "\"format\": 1, \"mine\": 2");
    }),
    ("a head that is cut", |folder| {
        let text = fs::read(folder.join(HEAD)).unwrap();
        fs::write(folder.join(HEAD), text.split_at(text.len() / 2).0).unwrap();
    }),
    ("a stage that leads elsewhere", |folder| {
        edit(folder, HEAD, "\"id\": \"yolo\"", "\"id\": \"../yolo\"");
    }),
    ("a video that leads elsewhere", |folder| {
        forge(folder, |head| head["videos"][0]["name"] = "../a.mp4".into());
    }),
    ("a video that commands the screen", |folder| {
        forge(folder, |head| {
            head["videos"][0]["name"] = "\u{1b}[31m".into();
        });
    }),
    ("a video that never ends", |folder| {
        forge(folder, |head| head["videos"][0]["duration"] = 1e300.into());
    }),
];

const OF_STAGE: &[Damage] = &[
    ("a file less", |folder| {
        fs::remove_file(folder.join(YOLO)).unwrap();
    }),
    ("a name that is changed", |folder| {
        edit(folder, YOLO, "person", "parson");
    }),
    ("a line less", |folder| {
        change_lines(folder, |lines| drop(lines.pop()));
    }),
    ("a line more", |folder| {
        change_lines(folder, |lines| lines.push(lines[0].clone()));
    }),
    ("a line that is cut", |folder| {
        change_lines(folder, |lines| lines[3].truncate(40));
    }),
    ("lines in another order", |folder| {
        change_lines(folder, |lines| lines.swap(1, 2));
    }),
    ("the file of another recording", |folder| {
        let (_, bytes) = recorded(&answers(&street()[4..8])).remove(1);
        fs::write(folder.join(YOLO), bytes).unwrap();
    }),
    ("the file of another stage", |folder| {
        fs::copy(folder.join("1-extract.jsonl"), folder.join(YOLO)).unwrap();
    }),
    ("no text", |folder| {
        fs::write(folder.join(YOLO), b"\xff\xfe\x1b[31m\n").unwrap();
    }),
];

#[test]
fn what_is_not_as_it_was_written_is_told_with_file_and_line() {
    let all = OF_HEAD.iter().chain(OF_STAGE);
    let text: String = all
        .map(|(what, change)| format!("{what}\n  {}\n", said(*change)))
        .collect();
    insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("cassette_damage", text);
    });
}
