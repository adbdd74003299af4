//! Recipes of a stranger, in `hostile/`: none shows what is in a file that is no recipe, waits for a
//! pipe, writes to what it reads or outside of the folder it is run in.
//!
//! Each begins with comments: the exit `code`, what is `told`, what it is `run` over (the clip,
//! unless said), and the systems that have what it needs (`only`). `TOP` stands for the folder that
//! holds `work`, in which it is run, and `home`, which it must leave alone.

use crate::support::process::watch;
use crate::support::program::quiet_environment;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
use crate::support::repository::stem;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// What no recipe may show.
const SECRET: &str = "hush-hush";

// Far more than any of them takes, and less than for ever.
const TIME: Duration = Duration::from_secs(120);

fn ffmpeg(folder: &Path, words: &[&str]) {
    let made = Command::new("ffmpeg")
        .current_dir(folder)
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("testsrc=size=64x48:rate=1:duration=2")
        .args(words)
        .status();
    assert!(made.unwrap().success());
}

/// What FFmpeg makes, once for all of them.
fn media() -> TempDir {
    let folder = TempDir::new().unwrap();
    ffmpeg(folder.path(), &["-c:v", "mpeg4", "clip.avi"]);
    ffmpeg(folder.path(), &["-start_number", "0", "%06d.jpg"]);
    folder
}

/// A user's folders, with what a stranger might have put there.
fn scene(top: &Path, media: &Path) {
    let model = Path::new(ROOT).join("src/backends/models/demo/shapes.onnx");
    let names = "circle\nsquare\ntriangle\nstar\nring\ncross\n";
    let base = "version = 1\n[stages.extract]\n[stages.save]\ninputs = [\"extract\"]\n\
                [stages.merge]\ninputs = [\"save\"]\n";
    let write = |path: &str, text: &str| {
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let copy = |from: &Path, path: &str| {
        write(path, "");
        fs::copy(from, top.join(path)).unwrap();
    };
    let hard = |from: &str, path: &str| {
        write(path, "");
        fs::remove_file(top.join(path)).unwrap();
        fs::hard_link(top.join(from), top.join(path)).unwrap();
    };
    write("home/notes.txt", SECRET);
    write("home/credentials", &format!("[default]\nkey = {SECRET}\n"));
    write("home/secret.toml", &format!("token = \"{SECRET}\"\n"));
    write("home/twice.toml", &format!("{SECRET} = 1\n{SECRET} = 2\n"));
    write(
        "home/almost.toml",
        &format!("version = 1\ntoken = \"{SECRET}\"\n"),
    );
    write(
        "home/config.json",
        &format!("{{\"num_mel_bins\": \"{SECRET}\"}}"),
    );
    write("work/.env", &format!("A_KEY={SECRET}\n"));
    write(
        "work/command line",
        &format!("{base}output_dir = \"../home\"\n"),
    );
    write("work/base/clip_results.json", base);
    write("work/names/clip_results.json", names);
    write("work/partial/clip_results.partial.json", names);
    write("work/planted-folder/clip_results.json/full", "");
    write("work/huge.toml", "version = 1\n");
    let huge = fs::File::options()
        .write(true)
        .open(top.join("work/huge.toml"));
    huge.unwrap().set_len(1 << 32).unwrap();
    copy(&media.join("clip.avi"), "work/clip.avi");
    copy(&media.join("000000.jpg"), "work/pictures/000000.jpg");
    copy(&media.join("000001.jpg"), "work/pictures/000001.jpg");
    copy(&model, "work/shapes.onnx");
    copy(&model, "work/models/clip_results.json");
    hard("work/pictures/000000.jpg", "work/hard/000000.jpg");
    hard("work/pictures/000001.jpg", "work/second/000001.jpg");
    hard("work/.env", "work/env/000000.jpg");
    #[cfg(unix)]
    plant(top);
}

#[cfg(unix)]
fn plant(top: &Path) {
    use std::os::unix::fs::symlink;

    let work = top.join("work");
    let made = |path: &str| {
        let path = work.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let link = |to: &str, path: &str| symlink(top.join(to), made(path)).unwrap();
    let pipe = |path: &str| {
        let status = Command::new("mkfifo").arg(made(path)).status();
        assert!(status.unwrap().success());
    };
    pipe("pipe");
    pipe("voice/config.json");
    drop(std::os::unix::net::UnixListener::bind(work.join("socket")).unwrap());
    link("home/secret.toml", "link.toml");
    link("home", "shortcut");
    link("work/pictures", "also");
    link("home/notes.txt", "planted-link/clip_results.json");
    pipe("planted-pipe/clip_results.json");
    link(
        "home/notes.txt",
        "planted-temporary-link/.clip_results.json.tmp",
    );
    pipe("planted-temporary-pipe/.clip_results.json.tmp");
    link("home/notes.txt", "planted-frame-link/000000.jpg");
    pipe("planted-frame-pipe/000000.jpg");
    link(
        "home/notes.txt",
        "planted-frame-temporary-link/.000000.jpg.tmp",
    );
}

/// Everything below a folder: what links lead to, and what is in files.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let content = if about.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                target.into_os_string().into_encoded_bytes()
            } else if about.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else if about.is_file() && about.len() < 1 << 20 {
                fs::read(&path).unwrap()
            } else {
                format!("{:?} {}", about.file_type(), about.len()).into_bytes()
            };
            found.insert(path, content);
        }
    }
    found
}

/// What is said after `# KEY: ` in the comments of a recipe.
fn said<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    let begin = format!("# {key}: ");
    lines.find_map(|line| line.strip_prefix(&begin))
}

/// What is wrong with what the program did to a recipe.
fn harm(path: &str, media: &Path) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let here = match said(&text, "only") {
        Some("linux") => cfg!(target_os = "linux"),
        Some("unix") => cfg!(unix),
        _ => true,
    };
    if !here {
        return Vec::new();
    }
    let top = TempDir::new().unwrap();
    scene(top.path(), media);
    let recipe = text.replace("TOP", top.path().to_str().unwrap());
    let work = top.path().join("work");
    fs::write(work.join("r.toml"), recipe).unwrap();
    let before = everything(top.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    let input = said(&text, "run").unwrap_or("clip.avi");
    command.current_dir(&work).args(["run", "r.toml", input]);
    command.env("SOME_KEY", SECRET);
    let mut command = assert_cmd::Command::from_std(command);
    let output = command.timeout(TIME).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    let after = everything(top.path());
    let mut harm = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            harm.push(what);
        }
    };
    let code = output.status.code().map(|code| code.to_string());
    must(
        code.as_deref() == said(&text, "code"),
        format!("ended with {code:?}"),
    );
    if let Some(told) = said(&text, "told") {
        let words: Vec<&str> = talk.split_whitespace().filter(|it| *it != "│").collect();
        must(
            words.join(" ").contains(told),
            format!("did not tell `{told}`"),
        );
    }
    let shown = talk.contains(SECRET) || out.contains(SECRET);
    must(!shown, "showed the secret".to_owned());
    must(!talk.contains("panicked"), "panicked".to_owned());
    for (path, content) in &before {
        let name = path.strip_prefix(top.path()).unwrap().display();
        must(after.get(path) == Some(content), format!("changed {name}"));
    }
    for path in after.keys().filter(|path| !path.starts_with(&work)) {
        let name = path.strip_prefix(top.path()).unwrap().display();
        must(before.contains_key(path), format!("made {name}"));
    }
    if !harm.is_empty() {
        harm.push(talk.into_owned());
    }
    harm
}

#[test]
fn a_recipe_of_a_stranger_does_no_harm() {
    let media = media();
    let mut done = String::new();
    for path in recipes("tests/cli/hostile") {
        let harm = harm(&path, media.path());
        if !harm.is_empty() {
            done += &format!("\n{}:\n  {}\n", stem(&path), harm.join("\n  "));
        }
    }
    assert!(done.is_empty(), "{done}");
}

/// A folder of a stranger in which the file of variables is a pipe that nobody writes to.
#[cfg(unix)]
#[test]
fn a_pipe_of_variables_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.path().join(".env"))
        .status();
    assert!(made.unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command
        .current_dir(folder.path())
        .args(["check", "default"]);
    let went = watch(&mut command, TIME);
    assert!(went.status.success(), "{} {}", went.status, went.talk);
}
