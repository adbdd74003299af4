//! Mistakes that nearly everybody makes once: each is told with its cure, and the cure works.

use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use std::fs;
use std::path::Path;

// What a message tells to type.
fn cure(talk: &str) -> Vec<String> {
    let help = talk.split("help: ").nth(1);
    let help = help.unwrap_or_else(|| panic!("no cure in: {talk}"));
    let command = help.split('`').nth(1).unwrap();
    let words = command.strip_prefix("vpipe ").unwrap().split(' ');
    words.map(str::to_owned).collect()
}

// The cure of what `words` come to ends with 0, and the message has `told` in it.
fn assert_cured(folder: &Path, words: &[&str], told: &str) {
    let said = vpipe(folder, words);
    assert_eq!(said.code, 2, "{words:?}: {}", said.talk);
    assert!(said.talk.contains(told), "{words:?}: {}", said.talk);
    let cure = cure(&said.talk);
    let mut cure: Vec<&str> = cure.iter().map(String::as_str).collect();
    cure.extend(["--set", "extract.end=1"]);
    let said = vpipe(folder, &cure);
    assert_eq!(said.code, 0, "{cure:?}: {}", said.talk);
}

#[test]
fn a_command_out_of_habit_is_told_with_the_one_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(CLIP, folder.path().join("clip.mp4")).unwrap();
    for (words, told) in [
        ("run clip.mp4", "<INPUT>"),
        ("clip.mp4", "unrecognized subcommand"),
        ("run clip.mp4 clip.mp4", "clip.mp4 cannot be read"),
        ("run clip.mp4 1 5 16 out", "clip.mp4 cannot be read"),
        ("run default clip.mp4 1 5 16 out", "no file or folder `1`"),
        ("plan default clip.mp4 0.5", "no file or folder `0.5`"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_cured(folder.path(), &words, told);
    }
    assert!(folder.path().join("out/clip_results.json").is_file());
}

#[test]
fn names_that_clash_and_folders_in_folders_are_told_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b/c"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        fs::copy(CLIP, folder.path().join(name).join("clip.mp4")).unwrap();
    }
    let two = ["plan", "default", "a/clip.mp4", "b/c/clip.mp4"];
    let said = vpipe(folder.path(), &two);
    assert_eq!(said.code, 2);
    let apart = "output/{{ video.folder }}";
    let help = format!("help: --output-dir '{apart}' keeps them apart");
    assert!(said.talk.contains(&help), "{}", said.talk);
    let words = [&two[..], &["--output-dir", apart, "--first", "1s"]].concat();
    assert_eq!(vpipe(folder.path(), &words).code, 0);
    let said = vpipe(folder.path(), &["run", "default", "b"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk
            .contains("; \"b/**/*.mp4\" takes those of its folders"),
        "{}",
        said.talk
    );
    let words = ["run", "default", "b/**/*.mp4", "--first", "1s"];
    assert_eq!(vpipe(folder.path(), &words).code, 0);
}
