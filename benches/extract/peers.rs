//! Who is compared, and how each is asked.

use super::Outcome;
use super::kept;
use super::turn::Cost;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// Something that makes JPEGs of sampled frames.
pub(super) enum Peer {
    Vpipe,
    /// An older build of this benchmark.
    Older(PathBuf),
    Ffmpeg,
    /// One of `peers.py`.
    Python(&'static str),
}

/// vpipe, FFmpeg, and what the Python environment has; says what it lacks.
pub(super) fn present() -> Vec<Peer> {
    let mut peers = vec![Peer::Vpipe];
    peers.extend(env::var_os("BASELINE").map(|program| Peer::Older(program.into())));
    peers.push(Peer::Ffmpeg);
    let Ok(python) = env::var("PYTHON") else {
        println!("PYTHON is not set: compared with FFmpeg alone");
        return peers;
    };
    for name in ["opencv", "pyav", "decord", "torchcodec"] {
        let asked = Command::new(&python).arg(script()).arg(name).output();
        match asked {
            Ok(answer) if answer.status.success() => {
                println!("{name} {}", String::from_utf8_lossy(&answer.stdout).trim());
                peers.push(Peer::Python(name));
            }
            Ok(answer) => {
                let why = String::from_utf8_lossy(&answer.stderr);
                let why = why.lines().last().unwrap_or("it fails");
                println!("{name} is left out: {why}");
            }
            Err(error) => println!("{name} is left out: {error}"),
        }
    }
    peers
}

fn script() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/extract/peers.py")
}

impl Peer {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Vpipe => "vpipe",
            Self::Older(_) => "vpipe before",
            Self::Ffmpeg => "ffmpeg",
            Self::Python(name) => name,
        }
    }

    /// One turn in a process of its own, on these cores where they are named.
    pub(super) fn turn(&self, clip: &Path, rate: &str, cores: Option<&str>) -> Outcome<Cost> {
        let folder = kept().join("frames");
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        let cost = match self {
            Self::Ffmpeg => ffmpeg(clip, rate, &folder)?,
            Self::Vpipe | Self::Older(_) => {
                let program = match self {
                    Self::Older(program) => program.clone(),
                    _ => env::current_exe()?,
                };
                let mut command = match cores {
                    Some(cores) => {
                        let mut command = Command::new("taskset");
                        command.args(["-c", cores]).arg(program);
                        command
                    }
                    None => Command::new(program),
                };
                ask(command.arg("turn").arg(clip).arg(rate).arg(&folder))?
            }
            Self::Python(name) => {
                let mut command = Command::new(env::var("PYTHON")?);
                command.arg(script()).arg(name).arg(clip).arg(rate);
                ask(command.arg(&folder))?
            }
        };
        let frames = fs::read_dir(&folder)?.count();
        Ok(Cost { frames, ..cost })
    }
}

fn ask(command: &mut Command) -> Outcome<Cost> {
    let output = command.output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{command:?}: {why}").into());
    }
    Cost::read(&String::from_utf8(output.stdout)?)
}

// FFmpeg says itself what it took. `-q:v 2` has about the size and quality of the others.
fn ffmpeg(clip: &Path, rate: &str, folder: &Path) -> Outcome<Cost> {
    let filter = format!("fps={rate}:round=up,scale=1280:-2:flags=area");
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "info", "-nostats", "-benchmark", "-i"])
        .arg(clip)
        .args(["-an", "-vf", &filter, "-q:v", "2"])
        .arg(folder.join("%06d.jpg"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let seconds = |name: &str| -> Outcome<f64> {
        let (_, rest) = text.split_once(name).ok_or("ffmpeg says no times")?;
        let end = rest.find('s').unwrap_or(rest.len());
        Ok(rest.get(..end).unwrap_or_default().parse()?)
    };
    Ok(Cost {
        frames: 0,
        processor: seconds("utime=")? + seconds("stime=")?,
        wall: seconds("rtime=")?,
        peak: 0,
    })
}
