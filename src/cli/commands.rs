//! The commands: words in, a verb of `app` called, what it says written out, an exit code back.

use crate::app;
use crate::app::AppError;
use crate::app::CompareRequest;
use crate::app::GraphRequest;
use crate::app::Limits;
use crate::app::NewTestRequest;
use crate::app::RunRequest;
use crate::app::TestMode;
use crate::app::TestOutcome;
use crate::app::TestReport;
use crate::app::TestRequest;
use crate::app::TestTotal;
use crate::app::TestUpdate;
use crate::app::TryRequest;
use crate::cli::annotate;
use crate::cli::args::CheckArgs;
use crate::cli::args::Cli;
use crate::cli::args::Command;
use crate::cli::args::CompletionsArgs;
use crate::cli::args::DoctorArgs;
use crate::cli::args::InitArgs;
use crate::cli::args::ModelsArgs;
use crate::cli::args::PlanArgs;
use crate::cli::args::RunArgs;
use crate::cli::args::ShowArgs;
use crate::cli::args::TryArgs;
use crate::cli::args::compare::CompareArgs;
use crate::cli::args::graph::GraphArgs;
use crate::cli::args::history::CleanArgs;
use crate::cli::args::history::HistoryArgs;
use crate::cli::args::test::TestArgs;
use crate::cli::check;
use crate::cli::compare;
use crate::cli::convert;
use crate::cli::data::data;
use crate::cli::data::write_json;
use crate::cli::defect::Defects;
use crate::cli::diagnostic;
use crate::cli::find;
use crate::cli::habits;
use crate::cli::history;
use crate::cli::inputs;
use crate::cli::inputs::Expansion;
use crate::cli::live::LiveRows;
use crate::cli::log;
use crate::cli::mistake;
use crate::cli::plan;
use crate::cli::report;
use crate::cli::screen::Screen;
use crate::cli::serve;
use crate::cli::streams;
use crate::cli::streams::talk;
use crate::cli::summary;
use crate::cli::tables;
use crate::cli::test;
use crate::cli::test::junit::Junit;
use crate::cli::r#try;
use crate::cli::worker;
use crate::diag::Report;
use crate::recipe::Request;
use crate::recipe::Showing;
use clap::CommandFactory;
use clap::Parser;
use jiff::tz::TimeZone;
use serde_json::json;
use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;

// The exit code where a comparison differs.
const DIFFERENT: u8 = 5;

/// Does what `words` say, the program's name first, and gives the exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    Defects::listen().guard(|| command(words))
}

fn command(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return refused(&words, &error),
    };
    let rows = LiveRows::on_stderr();
    let done = log::start(&cli.log, &rows).and_then(|()| match cli.command {
        Command::Run(args) => run(args, rows),
        Command::Check(args) => check(args),
        Command::Plan(args) => plan(args),
        Command::Graph(args) => graph(args),
        Command::Try(args) => try_stage(args),
        Command::Show(args) => show(args),
        Command::Init(args) => init(&args),
        Command::Schema => data(&app::schema()).map(|()| 0),
        Command::Completions(args) => completions(&args),
        Command::History(args) => history(&args),
        Command::Compare(args) => compare(args),
        Command::Annotate(args) => annotate::annotate(args, &rows),
        Command::Find(args) => find::find(&args),
        Command::Report(args) => report::report(args),
        Command::Convert(args) => convert::convert(args),
        Command::Test(args) => test(args, &rows),
        Command::Serve(args) => serve::serve(args),
        Command::Worker(args) => worker::work(&args),
        Command::Clean(args) => clean(&args),
        Command::Models(args) => models(&args),
        Command::Doctor(args) => doctor(&args),
    });
    done.unwrap_or_else(|error| {
        let meant = habits::meant(&words);
        if wants_json(&words) {
            // Where stdout takes nothing, there is nobody to tell.
            write_json(&mistake::json(&error, meant.as_deref())).unwrap_or_default();
        }
        if talks(&words) {
            complain(&error, meant);
        }
        error.exit_code()
    })
}

// Every command that writes JSON writes its mistakes so.
fn wants_json(words: &[OsString]) -> bool {
    words.iter().any(|word| word == "--json")
}

// Beside JSON only a run talks to people.
fn talks(words: &[OsString]) -> bool {
    !wants_json(words) || words.get(1).is_some_and(|verb| verb == "run")
}

// Says what is wrong with words that are no command.
fn refused(words: &[OsString], error: &clap::Error) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    let meant = habits::meant(words).filter(|_| error.use_stderr());
    if error.use_stderr() && wants_json(words) {
        let said = error.render().to_string();
        write_json(&mistake::of_words(&said, meant.as_deref(), code)).unwrap_or_default();
    }
    if talks(words) {
        // Help goes to stdout, all else to stderr; there is no third place to complain at.
        error.print().unwrap_or_default();
        meant.iter().for_each(|meant| advise(meant));
    }
    code
}

fn advise(meant: &str) {
    talk(&format!("  help: `{meant}`"));
}

// The inputs that words stand for; says which files of folders are none.
fn expanded(words: &[PathBuf]) -> Result<Expansion, AppError> {
    let expansion = inputs::expand(words).map_err(|error| AppError::request(&error))?;
    expansion.left_out().iter().for_each(|line| talk(line));
    Ok(expansion)
}

fn run(args: RunArgs, rows: LiveRows) -> Result<u8, AppError> {
    let expansion = expanded(&args.over.inputs)?;
    let request = RunRequest {
        recipe: args.recipe.into(),
        inputs: expansion.paths,
        sound_files: expansion.sound_files,
        first: args.over.first,
        limits: Limits {
            cost: args.max_cost,
            time: args.deadline,
        },
        fresh: args.fresh,
        state_dir: args.state.state_dir,
        record: args.record,
        replay: args.replay,
    };
    let screen = Screen::new(args.quiet, rows);
    let outcome = app::run(&request, &mut |update| screen.update(&update));
    screen.close();
    let outcome = outcome?;
    if args.quiet {
        summary::troubles(&outcome).for_each(|line| talk(&line));
    } else {
        talk(&summary::summary(&outcome));
    }
    if args.json {
        write_json(&summary::json(&outcome))?;
    }
    Ok(outcome.exit_code())
}

fn check(args: CheckArgs) -> Result<u8, AppError> {
    let checked = app::check(&args.recipe.into());
    if args.json {
        let (said, code) = match &checked {
            Ok(checked) => (check::right(checked), 0),
            Err(error) => (check::wrong(error), error.exit_code()),
        };
        return write_json(&said).map(|()| code);
    }
    let checked = checked?;
    if let Some(warnings) = &checked.warnings {
        draw(warnings);
    }
    data(&tables::checked(&checked))?;
    Ok(0)
}

fn plan(args: PlanArgs) -> Result<u8, AppError> {
    let expansion = expanded(&args.over.inputs)?;
    let request = RunRequest {
        recipe: args.recipe.into(),
        inputs: expansion.paths,
        sound_files: expansion.sound_files,
        first: args.over.first,
        limits: Limits::default(),
        fresh: false,
        state_dir: args.state.state_dir,
        record: None,
        replay: None,
    };
    let planned = app::plan(&request)?;
    if args.json {
        write_json(&plan::json(&planned))?;
    } else {
        if let Some(warnings) = &planned.warnings {
            draw(warnings);
        }
        data(&plan::text(&planned))?;
    }
    Ok(planned.exit_code())
}

fn show(args: ShowArgs) -> Result<u8, AppError> {
    let showing = Showing {
        origins: args.origins,
        built_in: args.built_in,
    };
    data(&app::show(&args.recipe.into(), showing)?)?;
    Ok(0)
}

fn try_stage(args: TryArgs) -> Result<u8, AppError> {
    let tried = app::try_stage(&TryRequest {
        recipe: args.recipe.into(),
        stage: args.stage,
        input: args.input,
        at: args.at,
        send: args.send,
    })?;
    data(&r#try::page(&tried))?;
    Ok(r#try::exit_code(&tried))
}

fn init(args: &InitArgs) -> Result<u8, AppError> {
    app::init(&args.file)?;
    let file = args.file.display();
    talk(&format!(
        "{file}: a recipe to begin with; `vpipe check {file}` says what it would do"
    ));
    Ok(0)
}

fn completions(args: &CompletionsArgs) -> Result<u8, AppError> {
    let mut words = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vpipe", &mut words);
    data(&String::from_utf8_lossy(&words))?;
    Ok(0)
}

fn graph(args: GraphArgs) -> Result<u8, AppError> {
    let drawing = GraphRequest {
        format: args.format.into(),
        stages: args.stages,
        results: args.results,
    };
    let drawn = app::graph(&args.recipe.into(), &drawing)?;
    drawn.notice.iter().for_each(|notice| talk(notice));
    data(&drawn.text)?;
    Ok(0)
}

fn history(args: &HistoryArgs) -> Result<u8, AppError> {
    let history = app::history(args.run, args.state.state_dir.as_deref())?;
    let zone = TimeZone::system();
    let text = match (args.json, args.run, history.runs.first()) {
        (true, ..) => format!("{:#}\n", history::json(&history)),
        (false, Some(_), Some(run)) => history::page(run, &zone),
        (false, ..) => history::list(&history, &zone),
    };
    data(&text)?;
    Ok(0)
}

fn compare(args: CompareArgs) -> Result<u8, AppError> {
    let request = CompareRequest {
        old: args.old,
        new: args.new,
        tolerance: args.tolerance.into(),
    };
    let is_folder = request.old.is_dir();
    let (mut files, mut different, mut values) = (0, 0, Vec::new());
    let done = app::compare(&request, &mut |file| {
        files += 1;
        different += u64::from(!file.is_same());
        match args.json {
            true => values.push(compare::json(&file)),
            false => data(&compare::text(&file))?,
        }
        Ok(())
    });
    if args.json {
        done?;
        write_json(&match is_folder {
            true => compare::folder_json(&values),
            false => values.pop().unwrap_or_default(),
        })?;
    } else {
        done?;
        if is_folder {
            data(&compare::total(files, different))?;
        }
    }
    Ok(if different > 0 { DIFFERENT } else { 0 })
}

fn test(args: TestArgs, rows: &LiveRows) -> Result<u8, AppError> {
    if let Some(name) = args.new.name.clone() {
        return new_test(args, name, rows);
    }
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let request = TestRequest {
        allowed: args.allowed(),
        mode: match (args.update, args.asking.record) {
            (true, _) => TestMode::Update,
            (false, true) => TestMode::Record(args.asking.into()),
            (false, false) => TestMode::Compare,
        },
        jobs: args.jobs.map_or_else(cores, usize::from),
        paths: args.paths,
        report: args.junit,
    };
    let (mut total, mut values, mut junit) = (TestTotal::default(), Vec::new(), Junit::default());
    let (mut watched, mut written) = (None, Ok(()));
    let end = app::test(&request, &mut |update| match update {
        TestUpdate::Records { file } => {
            talk(&test::records(&file));
            watched = Some(Screen::new(false, rows.clone()));
        }
        TestUpdate::Run(update) => watched.iter_mut().for_each(|it| it.update(&update)),
        TestUpdate::Done(report) => {
            watched.take().into_iter().for_each(Screen::close);
            total.add(&report);
            junit.add(&report);
            match args.json {
                true => values.push(test::json(&report)),
                false if written.is_ok() => written = tell(&report),
                false => {}
            }
        }
    })?;
    written?;
    end.write_report(
        &junit
            .text()
            .map_err(|error| AppError::environment(&error))?,
    )?;
    test::orphans(&end.orphans).iter().for_each(|it| talk(it));
    match args.json {
        true => write_json(&test::total_json(&values, &total, &end.orphans))?,
        false => data(&test::total(&total))?,
    }
    Ok(total.exit_code())
}

// What is wrong with it is drawn where mistakes are.
fn tell(report: &TestReport) -> Result<(), AppError> {
    data(&test::text(report))?;
    if let TestOutcome::Failed(error) = &report.outcome {
        complain(error, None);
    }
    Ok(())
}

fn new_test(args: TestArgs, name: PathBuf, rows: &LiveRows) -> Result<u8, AppError> {
    let [recipe, inputs @ ..] = args.paths.as_slice() else {
        return Err(test::unnamed());
    };
    if inputs.is_empty() {
        return Err(test::unnamed());
    }
    let expansion = expanded(inputs)?;
    let request = NewTestRequest {
        name,
        recipe: Request {
            recipe: recipe.to_string_lossy().into_owned(),
            ..args.allowed()
        },
        inputs: expansion.paths,
        first: args.new.first,
        recording: args.asking.into(),
    };
    let watched = Screen::new(false, rows.clone());
    let made = app::new_test(&request, &mut |update| match update {
        TestUpdate::Run(update) => watched.update(&update),
        TestUpdate::Records { .. } | TestUpdate::Done(_) => {}
    });
    watched.close();
    let report = made?;
    let mut total = TestTotal::default();
    total.add(&report);
    if args.json {
        write_json(&test::json(&report))?;
    } else if report.state().passes() {
        data(&test::made(&report))?;
    } else {
        data(&test::text(&report))?;
    }
    Ok(total.exit_code())
}

fn clean(args: &CleanArgs) -> Result<u8, AppError> {
    let state_dir = args.state.state_dir.as_deref();
    let (journal, forgotten) = app::clean(args.older_than, state_dir)?;
    data(&history::forgotten(&journal, &forgotten))?;
    Ok(0)
}

fn models(args: &ModelsArgs) -> Result<u8, AppError> {
    data(&tables::models(&app::models(&args.folders)?))?;
    Ok(0)
}

fn doctor(args: &DoctorArgs) -> Result<u8, AppError> {
    let findings = app::doctor();
    if args.json {
        write_json(&json!(findings))?;
    } else {
        data(&tables::findings(&findings))?;
    }
    Ok(app::verdict(&findings))
}

// `meant` is the command that a mistake in the request seems to mean.
fn complain(error: &AppError, meant: Option<String>) {
    match (error, meant) {
        (AppError::Recipe(report), _) => draw(report),
        (AppError::Request { message, .. }, Some(meant)) => {
            talk(&format!("error: {message}"));
            advise(&meant);
        }
        (
            AppError::Request { message, help }
            | AppError::Environment { message, help }
            | AppError::Budget { message, help },
            _,
        ) => {
            talk(&format!("error: {message}"));
            if let Some(help) = help {
                talk(&format!("  help: {help}"));
            }
        }
    }
}

fn draw(report: &Report) {
    let style = streams::style();
    let drawn = match streams::width() {
        Some(width) => diagnostic::draw_within(report, style, width),
        None => diagnostic::draw(report, style),
    };
    streams::drawn(drawn.trim_end());
}
