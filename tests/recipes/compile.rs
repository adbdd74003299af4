//! Plans as data: what every recipe of this repository compiles to, here and at a server.
//!
//! The machine is one of four cores, whatever this one is.

use crate::support::placements;
use crate::support::repository::Repository;
use crate::support::repository::recipes;
use crate::support::repository::stem;
use crate::support::snapshots::settings;
use insta::assert_snapshot;
use std::time::Duration;
use vpipe::cli::diagnostic::Style;
use vpipe::cli::diagnostic::draw;
use vpipe::diag::Diagnostic;
use vpipe::diag::Report;
use vpipe::facts::Encoding;
use vpipe::facts::Facts;
use vpipe::facts::KnownVideo;
use vpipe::facts::KnownWork;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::facts::Survey;
use vpipe::facts::VideoFacts;
use vpipe::item::Size;
use vpipe::name::StageId;
use vpipe::name::VideoId;
use vpipe::plan;
use vpipe::plan::CheckedRecipe;
use vpipe::plan::CompileOptions;
use vpipe::plan::DrawFormat;
use vpipe::plan::Estimate;
use vpipe::plan::Forecast;
use vpipe::plan::GraphOptions;
use vpipe::plan::Plan;
use vpipe::plan::StageForecast;
use vpipe::plan::StepKind;
use vpipe::plan::Times;
use vpipe::plan::Workload;
use vpipe::recipe;
use vpipe::recipe::BackendSpec;
use vpipe::recipe::Recipe;
use vpipe::recipe::Request;
use vpipe::recipe::RunpodSpec;
use vpipe::recipe::Stage;
use vpipe::recipe::StageSpec;
use vpipe::time::Ratio;
use vpipe::time::TimeRanges;

#[test]
fn every_preset_has_its_plan() {
    for path in recipes("recipes") {
        let name = stem(&path);
        snapshot(&format!("plan@{name}"), &drawn(&load(name)));
    }
}

#[test]
fn every_example_has_its_plan() {
    for path in recipes("recipes/examples") {
        snapshot(
            &format!("plan@example-{}", stem(&path)),
            &drawn(&load(&path)),
        );
    }
}

#[test]
fn every_good_recipe_has_its_plan() {
    for path in recipes("tests/recipes/good") {
        // Its command line is tried in `load.rs`.
        snapshot(&format!("plan@good-{}", stem(&path)), &drawn(&load(&path)));
    }
}

#[test]
fn what_asks_a_server_is_retried_as_its_backend_says() {
    let seven = Duration::from_secs(7);
    let place = |stage: &StageId| match there(stage) {
        Placement::Remote(place) => Placement::Remote(RemoteFacts {
            retry_time: seven,
            outage_timeout: seven,
            ..place
        }),
        other => other,
    };
    let plan = compile(&load("default"), &place).unwrap();
    let asking = plan.steps().filter_map(|(_, step)| match &step.kind {
        StepKind::VisionRequest { place, .. } | StepKind::SpeechRequest { place, .. } => {
            Some((step, place))
        }
        _ => None,
    });
    let mut stages = Vec::new();
    for (step, place) in asking {
        let retry = (step.retry.attempts, step.retry.time);
        assert_eq!(retry, (place.attempts, seven), "{}", step.id);
        stages.push(step.stage.to_string());
    }
    stages.sort_unstable();
    assert_eq!(stages, ["whisper", "yolo"]);
}

#[test]
fn a_plan_can_be_drawn_for_pages_and_tools() {
    let recipe = load("default");
    let plan = compile(&recipe, &there).unwrap();
    snapshot("graph@mermaid", &plan.draw(DrawFormat::Mermaid));
    snapshot("graph@dot", &plan.draw(DrawFormat::Dot));
    let figures = [
        "36 requests, \"2\" sent again".to_owned(),
        "$0.03".to_owned(),
    ];
    let drawn = GraphOptions {
        stages: true,
        figures: [("yolo".into(), figures.to_vec())].into(),
    };
    let all = [DrawFormat::Text, DrawFormat::Mermaid, DrawFormat::Dot];
    let all = all.map(|format| plan.draw_with(format, &drawn));
    snapshot("graph@stages", &all.join("\n"));
}

// One line for what a stage sends, and one each for what that takes.
#[test]
fn every_recipe_has_its_forecast() {
    let mut text = String::new();
    for folder in ["recipes", "recipes/examples", "tests/recipes/good"] {
        for path in recipes(folder) {
            let recipe = load(&path);
            let facts = Facts {
                videos: vec![video()],
                surveys: [(VideoId(0), survey(&recipe))].into(),
                ..facts(&recipe, &paid)
            };
            text += &format!("{path}\n");
            match plan::compile(&recipe, &facts, CompileOptions::default()) {
                Ok(plan) => text += &forecast(&plan::forecast(&plan, &facts)),
                Err(wrong) => text += &format!("  {}\n", wrong[0].message),
            }
        }
    }
    snapshot("forecasts", &text);
}

fn forecast(forecast: &Forecast) -> String {
    let three =
        |low: f64, expected: f64, high: f64| format!("{expected:.4} ({low:.4} to {high:.4})");
    let mut text = String::new();
    for stage in &forecast.stages {
        let Estimate {
            low,
            expected,
            high,
        } = stage.requests;
        text += &format!(
            "  {}: {:?}\n    {expected} ({low} to {high}) requests to {} workers",
            stage.stage, stage.work, stage.workers
        );
        let bytes = stage.bytes.map(|bytes| {
            format!(
                ", {} ({} to {}) bytes",
                bytes.expected, bytes.low, bytes.high
            )
        });
        text += &format!("{}\n", bytes.unwrap_or_default());
        if let Some(vram) = stage.vram {
            text += &format!("    {} GB: {:?}\n", vram.gb, vram.fit);
        }
        if let Some(Times {
            one_by_one,
            parallel:
                Estimate {
                    low,
                    expected,
                    high,
                },
            ideal,
        }) = stage.times
        {
            let seconds = three(low, expected, high);
            text +=
                &format!("    {seconds} s; one by one {one_by_one:.4} s, at best {ideal:.4} s\n");
        }
        if let Some(cost) = &stage.cost {
            let Estimate {
                low,
                expected,
                high,
            } = cost.estimate;
            let dollars = three(low.cost, expected.cost, high.cost);
            text += &format!("    {dollars} $: {} s of workers\n", expected.billed);
        }
    }
    text
}

#[test]
fn what_will_disappoint_is_told() {
    for path in recipes("tests/recipes/warn") {
        let report = warnings(&load(&path)).unwrap_or_else(|| panic!("nothing is told of {path}"));
        snapshot(
            &format!("warn@{}", stem(&path)),
            &draw(&report, Style::Plain),
        );
    }
    for folder in ["recipes", "recipes/examples"] {
        for path in recipes(folder) {
            // An example is for one machine or many: whether a batch is worth a stage is not said.
            let told = warnings(&load(&path)).map_or_else(Vec::new, |report| report.diagnostics);
            let one_by_one = |it: &Diagnostic| it.message.ends_with("one frame a request");
            assert!(told.iter().all(one_by_one), "{path}: {told:?}");
        }
    }
}

// The default recipe over one video of 574 frames of 100 kB, its stages on a server with this
// encoding: the bytes of JPEG that a batch holds, and the bytes of all requests of `yolo`.
fn sent(encoding: Encoding) -> (usize, u64) {
    let recipe = load("default");
    let place = |stage: &Stage, _: &Recipe| match there(&stage.id) {
        Placement::Remote(place) => Placement::Remote(RemoteFacts { encoding, ..place }),
        other => other,
    };
    let mut facts = facts(&recipe, &place);
    facts.videos = vec![video()];
    let survey = Survey {
        sizes: vec![100_000; 24],
        ..survey(&recipe)
    };
    facts.surveys.insert(VideoId(0), survey);
    let plan = plan::compile(&recipe, &facts, CompileOptions::default()).unwrap();
    let batch = plan.steps().find_map(|(_, step)| match &step.kind {
        StepKind::Batch { max_bytes, .. } => Some(*max_bytes),
        _ => None,
    });
    let forecast = plan::forecast(&plan, &facts);
    let yolo = forecast
        .stages
        .iter()
        .find(|it| it.stage.as_str() == "yolo");
    (batch.unwrap(), yolo.unwrap().bytes.unwrap().expected)
}

#[test]
fn a_form_holds_more_frames_than_json_and_sends_fewer_bytes() {
    // Of a body of 10 MB, 99 of 100 bytes are left for base64, of which three in four are JPEG.
    // 574 frames in 36 requests: four bytes for three, 3 more a frame, 250 more a request.
    let json = 57_400_000 * 4 / 3 + 574 * 3 + 36 * 250;
    assert_eq!(sent(Encoding::Base64), (7_425_000, json));
    // 97 of 100 bytes are JPEG; 170 more a frame for the header of its part.
    let form = 57_400_000 + 574 * 170 + 36 * 250;
    assert_eq!(sent(Encoding::Raw), (9_700_000, form));
}

// The default recipe on paid workers, over one video of which so much is known: what is left for
// `yolo` and for `whisper`, in requests and in dollars.
fn left(yolo: KnownWork, whisper: KnownWork) -> Vec<StageForecast> {
    let recipe = load("default");
    let known = KnownVideo {
        unneeded: yolo.least as u64,
        saved: 0,
        stages: [("yolo".into(), yolo), ("whisper".into(), whisper)].into(),
    };
    let facts = Facts {
        videos: vec![video()],
        surveys: [(VideoId(0), survey(&recipe))].into(),
        known: [(VideoId(0), known)].into(),
        ..facts(&recipe, &paid)
    };
    let plan = plan::compile(&recipe, &facts, CompileOptions::default()).unwrap();
    let mut stages = plan::forecast(&plan, &facts).stages;
    stages.sort_by_key(|stage| stage.stage.to_string());
    stages
}

#[test]
fn what_is_known_is_taken_off_the_forecast() {
    let all = |known| KnownWork {
        least: known,
        most: known,
    };
    // 574 frames in 36 requests of 16, and nothing of the sound, which is in a transcript.
    let stages = left(all(0.0), all(f64::INFINITY));
    let [whisper, yolo] = &stages[..] else {
        panic!("{stages:?}");
    };
    assert_eq!((yolo.requests.low, yolo.requests.high), (36, 36));
    let nothing = Workload::Sound {
        seconds: Some(0.0),
        all: Some(574.0),
    };
    assert_eq!((whisper.work, whisper.requests.high), (nothing, 0));
    assert_eq!(whisper.cost.as_ref().unwrap().estimate.high.billed, 0);
    // 320 are known: 254 in 16 requests. 100 more may be known: 154 in 10.
    let part = KnownWork {
        least: 320.0,
        most: 420.0,
    };
    let heard = KnownWork {
        least: 0.0,
        most: 400.0,
    };
    let stages = left(part, heard);
    let frames = Workload::Frames {
        count: Some(154),
        all: Some(574),
        exact: false,
    };
    assert_eq!(stages[1].work, frames);
    let requests = stages[1].requests;
    assert_eq!(
        [requests.low, requests.expected, requests.high],
        [10, 10, 16]
    );
    let Workload::Sound { seconds, .. } = stages[0].work else {
        panic!("{stages:?}");
    };
    assert_eq!(seconds, Some(174.0));
    // What is known is not paid: 0.0125 s a frame at least.
    let execution = stages[1].cost.as_ref().unwrap().estimate.low.execution;
    assert!((execution - 154.0 * 0.0125).abs() < 1e-9, "{execution}");
    let known = left(all(574.0), all(f64::INFINITY));
    assert!(known.iter().all(|stage| stage.requests.high == 0));
}

fn warnings(recipe: &CheckedRecipe) -> Option<Report> {
    let facts = facts(recipe, &paid);
    let plan = plan::compile(recipe, &facts, CompileOptions::default()).ok()?;
    let diagnostics = plan::warnings(recipe, &plan, &facts);
    (!diagnostics.is_empty()).then(|| Report {
        sources: recipe.sources.clone(),
        diagnostics,
    })
}

// 574 s with sound, of which 574 frames of 100 kB were found at one a second.
fn video() -> VideoFacts {
    VideoFacts {
        id: VideoId(0),
        path: "clip.mp4".into(),
        size: Size {
            width: 1280,
            height: 720,
        },
        duration: Some(574.0),
        fps: Ratio::new(30, 1),
        codec: "h264".to_owned(),
        rotation: 0,
        has_sound: true,
        first_frame: None,
        expected_frames: Some(574),
        wanted: TimeRanges::default(),
    }
}

fn survey(recipe: &Recipe) -> Survey {
    let fps = recipe.extract().map(|spec| spec.fps.to_f64());
    Survey {
        frames: (574.0 * fps.unwrap_or(1.0)).ceil() as u64,
        exact: true,
        packets: 9_000,
        duration: None,
        sizes: (0..24).map(|number| 94_000 + 500 * number).collect(),
        decoding: 0.001,
        encoding: 0.004,
    }
}

// With the fleet that the recipe says, where it has one.
fn paid(stage: &Stage, recipe: &Recipe) -> Placement {
    let spec = stage.spec.backend();
    let spec = spec.and_then(|name| recipe.backends.get(name));
    let spec = match spec.map(|backend| &backend.spec) {
        Some(BackendSpec::Runpod(spec)) => (**spec).clone(),
        _ => RunpodSpec::default(),
    };
    match there(&stage.id) {
        Placement::Remote(place) => Placement::Remote(RemoteFacts {
            max_body: spec.max_body.unwrap_or(place.max_body),
            fleet: Some((&spec).into()),
            ..place
        }),
        other => other,
    }
}

fn facts(recipe: &Recipe, place: &dyn Fn(&Stage, &Recipe) -> Placement) -> Facts {
    let infers = |stage: &&Stage| stage.spec.medium().is_some();
    let stages = recipe.stages.iter().filter(infers);
    Facts {
        cores: 4,
        placements: stages
            .map(|stage| (stage.id.clone(), place(stage, recipe)))
            .collect(),
        ..Facts::default()
    }
}

pub(crate) fn load(name: &str) -> CheckedRecipe {
    let request = Request {
        recipe: name.to_owned(),
        allowed_variables: ["ENGINE", "THREADS"].map(str::to_owned).into(),
        ..Request::default()
    };
    plan::check(recipe::load(&request, &Repository).unwrap()).unwrap()
}

fn drawn(recipe: &CheckedRecipe) -> String {
    let on = |place: &dyn Fn(&StageId) -> Placement| match compile(recipe, place) {
        Ok(plan) => plan.draw(DrawFormat::Text),
        Err(why) => format!("{why}\n"),
    };
    format!(
        "on this machine\n{}\nat a server\n{}",
        on(&here),
        on(&there)
    )
}

pub(crate) fn compile(
    recipe: &CheckedRecipe,
    place: &dyn Fn(&StageId) -> Placement,
) -> Result<Plan, String> {
    let facts = facts(recipe, &|stage, _| match &stage.spec {
        // Always at a server, whatever the others do.
        StageSpec::Http(_) => there(&stage.id),
        _ => place(&stage.id),
    });
    plan::compile(recipe, &facts, CompileOptions::default()).map_err(|wrong| {
        wrong
            .into_iter()
            .map(|wrong| wrong.message)
            .collect::<Vec<_>>()
            .join("; ")
    })
}

pub(crate) fn here(_: &StageId) -> Placement {
    Placement::Local(placements::local("yolo11n.onnx"))
}

pub(crate) fn there(_: &StageId) -> Placement {
    Placement::Remote(placements::runpod())
}

fn snapshot(name: &str, text: &str) {
    settings().bind(|| assert_snapshot!(name, text));
}
