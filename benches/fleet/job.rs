//! The whole job, from a video to its results, as child processes whose cost is read from `/proc`.

use super::Outcome;
use super::server::Running;
use super::server::Setting;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const LOOK: Duration = Duration::from_millis(10);

// In the clip, at one a second.
const FRAMES: usize = 574;

/// What one run took.
pub(crate) struct Took {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) mebibytes: f64,
    pub(crate) idle: f64,
}

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

/// What a process takes that writes its output to `out`.
pub(crate) fn took(mut command: Command, out: Stdio) -> Outcome<Took> {
    let start = Instant::now();
    let mut child = command.stdout(out).spawn()?;
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let (mut mebibytes, mut ticks) = (0.0_f64, 0);
    // Its times are there until it is waited for, its memory until it has ended.
    loop {
        let stat = fs::read_to_string(process.join("stat"))?;
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
        ticks = number(11)
            .zip(number(12))
            .map_or(ticks, |(user, system)| user + system);
        mebibytes = mebibytes.max(peak(&process));
        if fields.first() == Some(&"Z") {
            break;
        }
        thread::sleep(LOOK);
    }
    let wall = start.elapsed().as_secs_f64();
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    Ok(Took {
        wall,
        // In hundredths of a second, on every Linux.
        cpu: ticks as f64 / 100.0,
        mebibytes,
        idle: 0.0,
    })
}

fn peak(process: &Path) -> f64 {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}
