//! Many short videos, made by ffmpeg and kept under `target/`.

use super::Outcome;
use super::ROOT;
use super::empty;
use super::whole;
use super::whole::Took;
use serde_json::Value;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

const VIDEOS: usize = 200;

/// What the first run over all of them takes, and the runs after it.
pub(super) fn runs(turns: usize) -> Outcome<(Took, Vec<Took>)> {
    let videos = videos()?;
    let folder = empty("many")?;
    let run = |asked: bool| -> Outcome<Took> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
        command.current_dir(&folder);
        command
            .args(["run", "default", "--quiet", "--json"])
            .args(&videos);
        let out = folder.join("said.json");
        let took = whole::took(command, File::create(&out)?.into())?;
        let said: Value = serde_json::from_slice(&fs::read(out)?)?;
        let stages = said["stages"].as_array().ok_or("no stages")?;
        let yolo = stages.iter().find(|stage| stage["id"] == "yolo");
        let known = yolo.is_some_and(|yolo| yolo["known"] == yolo["frames"]);
        if asked == known {
            return Err(format!("of {VIDEOS} videos: {said}").into());
        }
        Ok(took)
    };
    let first = run(true)?;
    let again = (0..turns).map(|_| run(false)).collect::<Outcome<_>>()?;
    Ok((first, again))
}

fn videos() -> Outcome<Vec<PathBuf>> {
    let folder = Path::new(ROOT).join("target/bench/many");
    fs::create_dir_all(&folder)?;
    let mut videos = Vec::new();
    for number in 0..VIDEOS {
        let path = folder.join(format!("{number}.mp4"));
        if !path.is_file() {
            // Under another name until it is whole.
            let part = folder.join("part.mp4");
            let source = format!("testsrc2=size=320x240:rate=10:duration=3,hue=h={number}");
            let made = Command::new("ffmpeg")
                .args([
                    "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &source,
                ])
                .args(["-pix_fmt", "yuv420p"])
                .arg(&part)
                .status()?;
            if !made.success() {
                return Err("ffmpeg could not make a video".into());
            }
            fs::rename(part, &path)?;
        }
        videos.push(path);
    }
    Ok(videos)
}
