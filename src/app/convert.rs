//! `convert`: files of other formats, made of results that stand on the disk.

use crate::app::error::AppError;
use crate::app::interrupts::Interrupts;
use crate::app::writable;
use crate::name::StageId;
use crate::output;
use crate::output::Place;
use crate::output::ReadFiles;
use crate::recipe::OutputFormat;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// What is converted.
#[derive(Clone, Debug)]
pub struct ConvertRequest {
    /// The results files.
    pub results: Vec<PathBuf>,
    /// What they are converted to, each once.
    pub formats: Vec<OutputFormat>,
    /// The folder for the files; beside the results where it is `None`.
    pub output_dir: Option<String>,
    /// The stage whose boxes are told in place of those at the top.
    pub stage: Option<StageId>,
}

/// What became of one results file.
#[derive(Clone, Debug)]
pub struct ConvertedFile {
    /// The results.
    pub results: PathBuf,
    /// What was written.
    pub files: Vec<(OutputFormat, PathBuf)>,
    /// The formats in which the results have nothing to tell.
    pub untold: Vec<OutputFormat>,
}

/// Converts each results file, and hands it over as soon as its files are written. Says whether it was
/// asked to end before all were: what was not whole then is not there.
///
/// # Errors
///
/// Where two would be written to the same files, one is not there or holds no results, it has no such
/// stage, or a file may not or cannot be written. What was written before stays.
pub fn convert(
    request: &ConvertRequest,
    each: &mut dyn FnMut(ConvertedFile) -> Result<(), AppError>,
) -> Result<bool, AppError> {
    let interrupts = Interrupts::listen()?;
    let mut reads = ReadFiles::default();
    request.results.iter().for_each(|path| reads.add(path));
    let reads = Arc::new(reads);
    let mut places = BTreeMap::new();
    for path in &request.results {
        let place = place(path, request, &reads);
        let taken = places.insert((place.folder.clone(), place.stem.clone()), path);
        if let Some(other) = taken {
            return Err(AppError::Request {
                message: format!(
                    "{} and {} would be written to the same files, {}*",
                    other.display(),
                    path.display(),
                    place.folder.join(&place.stem).display()
                ),
                help: Some("convert each by itself, with an --output-dir of its own".to_owned()),
            });
        }
        place
            .check_formats(&request.formats)
            .map_err(|error| AppError::unwritable(&error))?;
    }
    for path in &request.results {
        if interrupts.came() {
            break;
        }
        let place = place(path, request, &reads);
        each(one(path, request, &place, &interrupts)?)?;
    }
    Ok(interrupts.came())
}

// Where it is asked to end, what is written by then.
fn one(
    path: &Path,
    request: &ConvertRequest,
    place: &Place,
    interrupts: &Interrupts,
) -> Result<ConvertedFile, AppError> {
    let mut results = output::read_results(path).map_err(|error| AppError::unread(&error))?;
    if let Some(stage) = &request.stage {
        results = results
            .of_stage(stage)
            .map_err(|stages| AppError::Request {
                message: format!("{} has no boxes of a stage `{stage}`", path.display()),
                help: Some(match stages.is_empty() {
                    true => "leave --stage out: no other stage of it looked for boxes".to_owned(),
                    false => format!("its stages with boxes are {}", stages.join(", ")),
                }),
            })?;
    }
    let mut converted = ConvertedFile {
        results: path.to_owned(),
        files: Vec::new(),
        untold: Vec::new(),
    };
    for format in &request.formats {
        let written = place.write_format(*format, &results, &interrupts.flag());
        if written.is_err() && interrupts.came() {
            break;
        }
        let written = written.map_err(|error| AppError::unwritable(&error))?;
        if written.is_empty() {
            converted.untold.push(*format);
        }
        let files = written.into_iter().map(|file| (*format, file));
        converted.files.extend(files);
    }
    Ok(converted)
}

// Where the files of the results at `path` go: those of one stage under a name with that stage.
fn place(path: &Path, request: &ConvertRequest, reads: &Arc<ReadFiles>) -> Place {
    let stem = output::video_stem(path);
    let stem = match &request.stage {
        Some(stage) => format!("{stem}_{stage}"),
        None => stem,
    };
    let beside = path.parent().unwrap_or(Path::new("")).to_string_lossy();
    let folder = request.output_dir.as_deref().unwrap_or(&beside);
    let root = writable::root(folder, true, reads);
    Place::new(root, PathBuf::from(folder), &stem)
}
