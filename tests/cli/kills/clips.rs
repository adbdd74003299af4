//! The videos that are run over, and how they change their places between two runs.

use super::killing::kills;
use crate::speech::words::Script;
use crate::support::repository::CLIP;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::SystemTime;

const VIDEOS: u32 = 5;

/// What is in the videos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clips {
    /// Frames of which no two are the same, nor any parts of them.
    Noise,
    /// Each frame for a second.
    Stills,
    /// Words that can be read from the samples of their sound.
    Speech,
    /// Parts of the demo clip.
    Demo,
}

impl Clips {
    /// Makes them in `folder` and gives their names.
    pub(super) fn make(self, folder: &Path) -> Vec<String> {
        let numbers = 0..VIDEOS;
        let names: Vec<String> = numbers
            .map(|number| self.make_one(number, folder))
            .collect();
        if self != Self::Speech {
            make_alike([&folder.join(&names[1]), &folder.join(&names[2])]);
        }
        names
    }

    fn make_one(self, number: u32, folder: &Path) -> String {
        // Of different lengths, so that none has as many frames as another.
        let seconds = (4 * kills()).min(100) + number;
        let name = match self {
            Self::Speech => format!("{number}.wav"),
            _ => format!("{number}.avi"),
        };
        let path = folder.join(&name);
        let noise = "noise=alls=40:allf=t:all_seed";
        let drawn = |rate: u32, more: &str| {
            let source = format!("testsrc=size=320x180:rate={rate}:duration={seconds}{more}");
            let input = ["-f", "lavfi", "-i", &source].map(str::to_owned);
            encode(&input, &path);
        };
        match self {
            Self::Noise => drawn(10, &format!(",{noise}={number}")),
            Self::Stills => drawn(1, &format!(",{noise}={number},fps=10")),
            Self::Speech => {
                Script::new(70 + 10 * number as usize, None, u64::from(2 * number) + 3)
                    .write(&path);
            }
            Self::Demo => {
                let (start, length) = (4 * number, 3 + number % 2);
                let input = [
                    "-ss",
                    &start.to_string(),
                    "-t",
                    &length.to_string(),
                    "-i",
                    CLIP,
                ];
                encode(&input.map(str::to_owned), &path);
            }
        }
        name
    }
}

fn encode(input: &[String], path: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(input)
        .args(["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"])
        .args(["-c:a", "pcm_s16le"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

/// Renames, swaps or copies some of the videos `names` in `folder`; `turn` says which.
pub(super) fn change_places(names: &mut Vec<String>, turn: u32, folder: &Path) {
    let path = |name: &str| folder.join(name);
    match turn % 4 {
        0 => {
            let renamed = format!("renamed-{turn}.avi");
            fs::rename(path(&names[0]), path(&renamed)).unwrap();
            names[0] = renamed;
        }
        1 => swap(&path(&names[1]), &path(&names[2])),
        2 => {
            let copy = format!("copy-{turn}.avi");
            fs::copy(path(&names[3]), path(&copy)).unwrap();
            names.push(copy);
        }
        _ => fs::remove_file(path(&names.pop().unwrap())).unwrap(),
    }
}

/// Makes two files such that a listing of their folder does not tell them apart: of one size, by
/// zeros at the end, which no decoder minds, and of one time.
fn make_alike(files: [&Path; 2]) {
    let lengths = files.map(|path| fs::metadata(path).unwrap().len());
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for path in files {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(lengths.into_iter().max().unwrap()).unwrap();
        file.set_modified(hour_ago).unwrap();
    }
}

fn swap(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(&aside, other).unwrap();
}
