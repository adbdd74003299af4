//! Habits: the command that is meant by one written as the Python script was called, or with a
//! video where the recipe belongs.

use crate::cli::inputs::is_named_as_media;
use std::ffi::OsString;
use std::path::Path;

/// The options that have taken the place of what the script was given after the video.
const OPTIONS: [&str; 3] = ["--fps", "--max-workers", "--batch-size"];

/// The command that `words`, the program's name first, seem to mean; `None` where they are none of
/// these habits.
pub(super) fn meant(words: &[OsString]) -> Option<String> {
    let words: Vec<&str> = words.iter().skip(1).map_while(|it| it.to_str()).collect();
    let at = words.iter().position(|word| is_named_as_media(word))?;
    let (verb, recipe) = match words.get(..at)? {
        [] => ("run", "default"),
        [verb @ ("run" | "plan")] => (*verb, "default"),
        [verb @ ("run" | "plan"), recipe] => (*verb, *recipe),
        _ => return None,
    };
    let video = words.get(at)?;
    let rest = words.get(at + 1..)?;
    let numbers = rest.iter().take(OPTIONS.len());
    let numbers = numbers.take_while(|word| word.parse::<f64>().is_ok());
    let numbers: Vec<&str> = numbers.copied().collect();
    // A recipe and a video alone are no habit.
    if at == 2 && numbers.is_empty() {
        return None;
    }
    let mut meant = format!("vpipe {verb} {} {}", quoted(recipe), quoted(video));
    for (option, number) in OPTIONS.iter().zip(&numbers) {
        meant.push_str(&format!(" {option} {number}"));
    }
    let folder = rest.get(numbers.len()).filter(|word| {
        numbers.len() == OPTIONS.len() && !word.starts_with('-') && !Path::new(word).is_file()
    });
    if let Some(folder) = folder {
        meant.push_str(&format!(" --output-dir {}", quoted(folder)));
    }
    Some(meant)
}

fn quoted(word: &str) -> String {
    match word.contains(char::is_whitespace) {
        true => format!("\"{word}\""),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::meant;
    use std::ffi::OsString;

    #[test]
    fn what_the_script_was_given_becomes_options() {
        for (written, expected) in [
            ("vpipe run a.mp4", Some("vpipe run default a.mp4")),
            ("vpipe a.MOV", Some("vpipe run default a.MOV")),
            ("vpipe plan a.mp4 b.mp4", Some("vpipe plan default a.mp4")),
            ("vpipe run default a.mp4 b.mp4", None),
            ("vpipe run default a.mp4 --fps 2", None),
            ("vpipe doctor", None),
            ("vpipe check a.mp4", None),
            (
                "vpipe run my.toml a.mp4 0.5",
                Some("vpipe run my.toml a.mp4 --fps 0.5"),
            ),
            (
                "vpipe run default a.mp4 1 5 16 output",
                Some(
                    "vpipe run default a.mp4 --fps 1 --max-workers 5 --batch-size 16 \
                     --output-dir output",
                ),
            ),
        ] {
            let words: Vec<OsString> = written.split(' ').map(OsString::from).collect();
            assert_eq!(meant(&words).as_deref(), expected, "{written}");
        }
        let spaced = ["vpipe", "run", "my video.mp4"].map(OsString::from);
        assert_eq!(
            meant(&spaced).unwrap(),
            "vpipe run default \"my video.mp4\""
        );
    }
}
