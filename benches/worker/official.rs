//! RunPod's own worker, as a process.

use crate::INTERVAL;
use crate::Outcome;
use crate::control_plane::ControlPlane;
use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use tokio::time::sleep;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A Python with RunPod's SDK.
pub(crate) fn python() -> Outcome<PathBuf> {
    if let Some(python) = env::var_os("PYTHON") {
        return Ok(python.into());
    }
    let root = Path::new(ROOT);
    let folder = root.join("target/counterparts/runpod_sdk");
    let python = folder.join("bin/python");
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let list = root.join("tests/counterparts/runpod_sdk.txt");
    let pip = [
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-r",
    ];
    done(Command::new(&python).args(pip).arg(list))?;
    Ok(python)
}

fn done(command: &mut Command) -> Outcome<()> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err("RunPod's SDK cannot be installed: set PYTHON".into()),
    }
}

/// Has all jobs in the queue done by it.
pub(crate) async fn run(python: &Path, plane: &ControlPlane, name: &str) -> Outcome<()> {
    let mut command = Command::new(python);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("RUNPOD_") {
            command.env_remove(name);
        }
    }
    let worker = command
        .arg(Path::new(ROOT).join("benches/worker/official.py"))
        .envs(plane.variables(name, INTERVAL))
        // It would look for a GPU and for the internet.
        .env("RUNPOD_SKIP_GPU_CHECK", "true")
        .env("RUNPOD_SKIP_AUTO_SYSTEM_CHECKS", "true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut worker = Ended(worker);
    let through = plane.until_all_are_through();
    let mut through = pin!(through);
    loop {
        tokio::select! {
            () = &mut through => return Ok(()),
            () = sleep(Duration::from_millis(100)) => {
                if let Some(status) = worker.0.try_wait()? {
                    return Err(format!("RunPod's worker ended by itself: {status}").into());
                }
            }
        }
    }
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let killed = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = killed {
            println!("RunPod's worker goes on: {error}");
        }
    }
}
