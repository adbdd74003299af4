//! A test that is made: its file, its cassette and its snapshots in one go, in place of nothing.

use crate::app::compile;
use crate::app::error::AppError;
use crate::app::interrupts::Interrupts;
use crate::app::test;
use crate::app::test::RecordRequest;
use crate::app::test::TestMode;
use crate::app::test::TestRequest;
use crate::app::test::case::TestCase;
use crate::app::test::find;
use crate::app::test::record::Left;
use crate::app::test::report::TestOutcome;
use crate::app::test::report::TestReport;
use crate::app::test::report::TestUpdate;
use crate::media;
use crate::recipe;
use crate::recipe::TestSpec;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// A test to be made.
#[derive(Clone, Debug)]
pub struct NewTestRequest {
    /// Its name, or the path of its file with or without the ending.
    pub name: PathBuf,
    /// The recipe and what is changed in it.
    pub recipe: recipe::Request,
    /// Videos, pictures and folders of pictures.
    pub inputs: Vec<PathBuf>,
    /// Only so much from the beginning of each video.
    pub first: Option<Duration>,
    /// How its cassette is recorded.
    pub recording: RecordRequest,
}

/// Makes a test: runs its recipe as a user would, and keeps the answers and what was found.
///
/// # Errors
///
/// Where it cannot be called so, one of its files is there already, it cannot be recorded, or a file
/// cannot be written. The test is there where the report passes.
pub fn new_test(
    request: &NewTestRequest,
    update: &mut dyn FnMut(TestUpdate),
) -> Result<TestReport, AppError> {
    media::init();
    compile::load(&request.recipe)?;
    let interrupts = Interrupts::listen()?;
    let file = file_of(&request.name);
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let is_new = !folder.exists();
    let made = fs::create_dir_all(folder)
        .map_err(|error| unusable(folder, &error))
        .and_then(|()| make(request, &file, folder, &interrupts, update));
    if is_new && !made.as_ref().is_ok_and(|report| report.state().passes()) {
        // Only where nothing is in it.
        fs::remove_dir(folder).unwrap_or_default();
    }
    made
}

fn make(
    request: &NewTestRequest,
    file: &Path,
    folder: &Path,
    interrupts: &Interrupts,
    update: &mut dyn FnMut(TestUpdate),
) -> Result<TestReport, AppError> {
    let case = TestCase::new(file, spec(request, folder)?)?;
    check_nothing_is_there(&case)?;
    let text = case.spec.text();
    let root = case.root();
    let tests = TestRequest {
        paths: Vec::new(),
        mode: TestMode::Record(request.recording.clone()),
        jobs: 1,
        allowed: recipe::Request {
            allowed_hosts: request.recipe.allowed_hosts.clone(),
            allowed_variables: request.recipe.allowed_variables.clone(),
            ..recipe::Request::default()
        },
        report: None,
    };
    let mut left = Left::new(request.recording.limits);
    let recording = Some((&request.recording, &mut left));
    let report = test::report_of(file.to_owned(), Ok(case), interrupts, |case| {
        test::attempt(case, &tests, recording, interrupts, update)
    });
    if let TestOutcome::Failed(error) = report.outcome {
        return Err(error);
    }
    if report.state().passes() {
        let written = root.write(file, text.as_bytes());
        written.map_err(|error| AppError::unwritable(&error))?;
    }
    Ok(report)
}

fn check_nothing_is_there(case: &TestCase) -> Result<(), AppError> {
    let snapshots = case.inputs.iter().map(|input| &input.snapshot);
    let mut all = [&case.file, &case.cassette].into_iter().chain(snapshots);
    match all.find(|path| fs::symlink_metadata(path).is_ok()) {
        Some(there) => Err(AppError::Request {
            message: format!("{} is there already", there.display()),
            help: Some("choose another name, or remove it".to_owned()),
        }),
        None => Ok(()),
    }
}

// The file of a test that the user calls so.
fn file_of(name: &Path) -> PathBuf {
    match find::name_of(name) {
        Some(_) => name.to_owned(),
        None => {
            let mut file = name.as_os_str().to_owned();
            file.push(find::ENDING);
            file.into()
        }
    }
}

fn spec(request: &NewTestRequest, folder: &Path) -> Result<TestSpec, AppError> {
    let recipe = &request.recipe.recipe;
    let inputs = request.inputs.iter().map(|path| from_folder(path, folder));
    Ok(TestSpec {
        recipe: match recipe::preset(recipe) {
            Some(preset) => preset.name.to_owned(),
            None => from_folder(Path::new(recipe), folder)?,
        },
        inputs: inputs.collect::<Result<_, _>>()?,
        set: request.recipe.sets.clone(),
        vars: request.recipe.vars.clone(),
        first: request.first,
        ..TestSpec::default()
    })
}

// `path` as it is written in a file of `folder`, on every system. What is named from the root of the
// disk stays so where it is not below the working directory.
fn from_folder(path: &Path, folder: &Path) -> Result<String, AppError> {
    let whole = |path: &Path| fs::canonicalize(path).map_err(|error| unusable(path, &error));
    let here = whole(Path::new("."))?;
    // A link keeps its name.
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    let place = match path.file_name() {
        Some(name) => whole(above)?.join(name),
        None => whole(path)?,
    };
    let is_elsewhere = path.is_absolute() && !place.starts_with(&here);
    let relative = pathdiff::diff_paths(&place, whole(folder)?).filter(|_| !is_elsewhere);
    let written = relative.unwrap_or_else(|| path.to_owned());
    let text = written.to_str().ok_or_else(|| AppError::Request {
        message: format!("the path {} is not Unicode", written.display()),
        help: Some("rename it: a test file is a text".to_owned()),
    })?;
    Ok(match std::path::MAIN_SEPARATOR {
        '\\' => text.replace('\\', "/"),
        _ => text.to_owned(),
    })
}

fn unusable(path: &Path, error: &io::Error) -> AppError {
    AppError::Request {
        message: format!("{} cannot be used: {error}", path.display()),
        help: None,
    }
}
