//! The whole job, from a video to its results, as child processes whose cost is read from `/proc`.

#[path = "process.rs"]
mod process;

pub(crate) use process::Took;
pub(crate) use process::took;

use super::Outcome;
use super::server::Running;
use super::server::Setting;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

// In the clip, at one a second.
const FRAMES: usize = 574;

/// A video of 574 s, made once.
pub(crate) fn clip() -> Outcome<PathBuf> {
    let path = Path::new(ROOT).join("target/bench/clip.mp4");
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(Path::new(ROOT).join("target/bench"))?;
    let encoders = Command::new("ffmpeg")
        .args(["-v", "quiet", "-encoders"])
        .output()?;
    let has_x264 = String::from_utf8_lossy(&encoders.stdout).contains("libx264");
    let codec: &[&str] = match has_x264 {
        true => &["-c:v", "libx264", "-preset", "veryfast"],
        false => &["-c:v", "mpeg4", "-bf", "2", "-q:v", "5"],
    };
    // Under another name until it is whole.
    let part = path.with_extension("part.mp4");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=1280x720:rate=30:duration=574")
        .args(codec)
        .args(["-pix_fmt", "yuv420p"])
        .arg(&part)
        .status()?;
    if !made.success() {
        return Err("ffmpeg could not make the clip".into());
    }
    fs::rename(part, &path)?;
    Ok(path)
}

/// This program, and the older build of it that `BASELINE` names.
pub(crate) fn programs() -> (PathBuf, Option<PathBuf>) {
    let baseline = env::var_os("BASELINE").map(PathBuf::from);
    (env!("CARGO_BIN_EXE_vpipe").into(), baseline)
}

/// What `program`, a build of vpipe, takes for `clip` where nothing is known of it.
pub(crate) fn vpipe(
    program: &Path,
    clip: &Path,
    fleet: &Running,
    setting: Setting,
) -> Outcome<Took> {
    let folder = Path::new(ROOT).join("target/bench/vpipe");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    vpipe_in(&folder, program, clip, fleet, setting, FRAMES)
}

/// The same in `folder`, where it has to ask about so many frames.
pub(crate) fn vpipe_in(
    folder: &Path,
    program: &Path,
    clip: &Path,
    fleet: &Running,
    setting: Setting,
    asked: usize,
) -> Outcome<Took> {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(["run", "default", "--quiet"])
        .arg(clip)
        .env("RUNPOD_API_KEY", "none")
        .env("RUNPOD_YOLO_ENDPOINT_ID", "detect")
        .env("RUNPOD_ENDPOINT_BASE_URL", &fleet.base);
    of_fleet(command, fleet, setting, asked)
}

/// The client in Python over `clip`.
pub(crate) fn client(
    python: &Path,
    clip: &Path,
    fleet: &Running,
    setting: Setting,
) -> Outcome<Took> {
    let mut command = Command::new(python);
    command
        .arg(Path::new(ROOT).join("benches/client.py"))
        .arg(clip)
        .arg(Path::new(ROOT).join("target/bench/client_results.json"))
        .arg(format!("{}/detect", fleet.base));
    of_fleet(command, fleet, setting, FRAMES)
}

/// A Python with what the client needs, made once; or the one that `PYTHON` names.
pub(crate) fn python() -> Outcome<PathBuf> {
    if let Some(python) = env::var_os("PYTHON") {
        return Ok(python.into());
    }
    let venv = Path::new(ROOT).join("target/bench/venv");
    let python = venv.join("bin/python");
    let ready = venv.join("ready");
    if !ready.is_file() {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .status()?;
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "opencv-python-headless",
            "requests",
        ]);
        if !made.success() || !pip.status()?.success() {
            return Err("the client's packages could not be installed; set PYTHON".into());
        }
        fs::write(ready, "")?;
    }
    Ok(python)
}

fn of_fleet(command: Command, fleet: &Running, setting: Setting, asked: usize) -> Outcome<Took> {
    fleet.worked();
    let words = format!("{command:?}");
    let took = took(command, Stdio::null())?;
    let worked = fleet.worked();
    if worked.images != asked {
        return Err(format!("{words}: {} frames were sent", worked.images).into());
    }
    Ok(Took {
        idle: worked.idle(setting),
        ..took
    })
}
