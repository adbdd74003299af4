//! `convert`: what it is asked, and what it writes for people and as JSON.

use crate::app;
use crate::app::AppError;
use crate::app::ConvertRequest;
use crate::app::ConvertedFile;
use crate::cli::args::convert::ConvertArgs;
use crate::cli::results_files;
use crate::cli::streams;
use crate::cli::streams::one_line;
use crate::cli::streams::talk;
use crate::name::StageId;
use serde_json::Value;
use serde_json::json;

/// The exit code where it was asked to end.
const INTERRUPTED: u8 = 130;

/// Converts results, and gives the exit code.
pub(super) fn convert(args: ConvertArgs) -> Result<u8, AppError> {
    let mut formats = args.formats;
    let mut seen = Vec::new();
    formats.retain(|format| {
        let is_new = !seen.contains(format);
        seen.push(*format);
        is_new
    });
    let request = ConvertRequest {
        results: results_files::expand(&args.results)?,
        formats,
        output_dir: args.output_dir,
        stage: args.stage.map(StageId::from),
    };
    let (mut converted, mut count) = (Vec::new(), 0);
    let interrupted = app::convert(&request, &mut |file| {
        count += file.files.len();
        if args.json {
            converted.push(file);
            return Ok(());
        }
        untold(&file).for_each(|line| talk(&line));
        let paths = file.files.iter();
        let paths = paths.map(|(_, path)| format!("{}\n", one_line(&path.display().to_string())));
        write(&paths.collect::<String>())
    })?;
    match (args.json, interrupted) {
        (true, _) => write(&format!("{:#}\n", json(&converted, interrupted)))?,
        (false, true) => talk(&format!("interrupted: {}", written(count))),
        (false, false) => {}
    }
    Ok(if interrupted { INTERRUPTED } else { 0 })
}

fn written(count: usize) -> String {
    match count {
        0 => "nothing was written".to_owned(),
        1 => "1 file was written before".to_owned(),
        count => format!("{count} files were written before"),
    }
}

fn write(text: &str) -> Result<(), AppError> {
    streams::data(text).map_err(|error| AppError::environment(&error))
}

fn untold(file: &ConvertedFile) -> impl Iterator<Item = String> {
    let results = one_line(&file.results.display().to_string());
    let formats = file.untold.iter();
    formats.map(move |format| format!("{results} has nothing to tell as {}", format.word()))
}

fn json(converted: &[ConvertedFile], interrupted: bool) -> Value {
    let all = |of: &dyn Fn(&ConvertedFile) -> Vec<Value>| -> Vec<Value> {
        converted.iter().flat_map(of).collect()
    };
    let files = all(&|file| {
        let results = file.results.display().to_string();
        let files = file.files.iter();
        let files = files.map(|(format, path)| {
            let path = path.display().to_string();
            json!({"results": results, "format": format.word(), "path": path})
        });
        files.collect()
    });
    let untold = all(&|file| {
        let results = file.results.display().to_string();
        let formats = file.untold.iter();
        let formats = formats.map(|format| json!({"results": results, "format": format.word()}));
        formats.collect()
    });
    json!({"files": files, "untold": untold, "interrupted": interrupted})
}
