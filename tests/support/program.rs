//! The program as a child process, far from what the user of this machine has set.

use assert_cmd::Command;
use std::path::Path;

/// What the program wrote, and how it ended.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) talk: String,
    pub(crate) code: i32,
}

/// The program with nothing of the user's in its environment that it would heed.
pub(crate) fn quiet_environment(command: &mut std::process::Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RUNPOD_") {
            command.env_remove(name);
        }
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100");
    // Not ONNX Runtime, whether this machine has one or not.
    command.env("VPIPE_ENGINE", "rten");
}

/// Runs the program in `folder`.
pub(crate) fn vpipe(folder: &Path, words: &[&str]) -> Said {
    vpipe_with(folder, words, &[])
}

/// Runs the program in `folder` with variables of its own.
pub(crate) fn vpipe_with(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command.current_dir(folder).args(words);
    command.envs(variables.iter().copied());
    let output = Command::from_std(command).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(".exe", "");
    Said {
        out: text(output.stdout),
        talk: text(output.stderr),
        code: output.status.code().unwrap(),
    }
}

/// The same while the servers of the test go on.
pub(crate) async fn vpipe_beside(
    folder: &Path,
    words: &[&str],
    variables: &[(&str, &str)],
) -> Said {
    let folder = folder.to_owned();
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let variables: Vec<(String, String)> = variables.iter().map(owned).collect();
    let run = move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let variables = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        vpipe_with(&folder, &words, &variables.collect::<Vec<_>>())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Interrupts a run, as Ctrl-C does, once it has written so many files into a folder.
#[cfg(unix)]
pub(crate) fn interrupt_after(files: usize, folder: &Path, run: &mut std::process::Child) {
    signal_after("INT", files, folder, run);
}

/// Sends a signal to a run once it has written so many files into a folder.
#[cfg(unix)]
pub(crate) fn signal_after(
    signal: &str,
    files: usize,
    folder: &Path,
    run: &mut std::process::Child,
) {
    while std::fs::read_dir(folder).map_or(0, Iterator::count) < files {
        let ended = run.try_wait().unwrap();
        assert!(ended.is_none(), "the run ended before SIG{signal}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut kill = std::process::Command::new("kill");
    let sent = kill
        .args([format!("-{signal}"), run.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
