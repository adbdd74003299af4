//! What `plan` writes, for people and as JSON.
//!
//! Pure: what `app` says in, text out.

use crate::app::HostShare;
use crate::app::KnownStage;
use crate::app::PlanReport;
use crate::app::PlannedStage;
use crate::app::RunHeader;
use crate::cli::forecast;
use crate::cli::forecast::seconds;
use crate::cli::forecast::spread;
use crate::cli::mistake;
use crate::cli::money::bytes;
use crate::cli::money::dollars;
use crate::cli::money::number;
use crate::cli::tables::table;
use crate::facts::Survey;
use crate::facts::VideoFacts;
use crate::name::StageId;
use crate::plan;
use crate::plan::DrawFormat;
use crate::plan::Estimate;
use crate::plan::StageFate;
use crate::recipe::Difference;
use crate::recipe::Medium;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// What a run would do, part by part.
pub(super) fn text(planned: &PlanReport) -> String {
    let header = &planned.header;
    let mut text = format!("{} over {}\n", header.recipe, over(header));
    let stages = planned.stages.iter();
    let stages: Vec<_> = stages
        .map(|stage| [stage.id.to_string(), fate(stage)])
        .collect();
    part(&mut text, "stages", &table(&stages));
    let drawn = planned.plan.draw(DrawFormat::Text);
    let steps: String = drawn.lines().map(|line| format!("  {line}\n")).collect();
    part(&mut text, "steps", &steps);
    let inputs = header.videos.iter().map(|video| {
        let survey = planned.surveys.get(&video.id);
        [video.path.display().to_string(), input(video, survey)]
    });
    let unread = planned.unreadable.iter();
    let unread = unread.map(|(path, why)| [path.display().to_string(), why.clone()]);
    let inputs: Vec<_> = inputs.chain(unread).collect();
    part(&mut text, "inputs", &table(&inputs));
    text += "\n";
    for share in &header.hosts {
        text += &format!("{}\n", sent(share, true));
    }
    if header.hosts.iter().all(|share| share.is_here) {
        text += "nothing leaves this machine\n";
    }
    text.extend(demo(&header.demo).map(|line| line + "\n"));
    for notice in &header.notices {
        text += &format!("{notice}\n");
    }
    for known in header.known.iter().filter_map(known) {
        text += &format!("{known}\n");
    }
    if let Some(reading) = header.forecast.reading {
        text += &format!("all frames are ready after about {}\n", seconds(reading));
    }
    for stage in &header.local {
        let lines = forecast::local_lines(stage);
        text += &format!("\n{}\n", lines.join("\n"));
    }
    if let Some(together) = plan::together(&header.local) {
        let is_least = header.local.iter().any(|stage| stage.speed.is_least);
        let about = if is_least { "more than" } else { "about" };
        let together = seconds(together);
        text += &format!("\nthey share the cores of this machine: {about} {together} together\n");
    }
    for stage in &header.forecast.stages {
        let lines = forecast::all_lines(stage);
        text += &format!("\n{}\n", lines.join("\n"));
    }
    let cost = header.forecast.cost();
    if header.forecast.stages.len() > 1 && cost.high > 0.0 {
        text += &format!("\nall together {}\n", spread(cost, dollars));
    }
    let differences = planned.differences.iter().map(difference);
    let differences: String = differences.collect();
    part(&mut text, "unlike `default`", &differences);
    text
}

fn part(text: &mut String, title: &str, lines: &str) {
    if !lines.is_empty() {
        *text += &format!("\n{title}\n{lines}");
    }
}

fn fate(stage: &PlannedStage) -> String {
    let kind = match stage.kind == stage.id.as_str() {
        true => String::new(),
        false => format!("{}, ", stage.kind),
    };
    let what = match (&stage.fate, stage.place.as_str(), stage.why.as_str()) {
        (StageFate::Bypassed(why), ..) => format!("not needed: {why}"),
        (StageFate::Skipped(why), ..) => format!("skipped: {why}"),
        (StageFate::Runs(_), "", _) => "here".to_owned(),
        (StageFate::Runs(_), place, "") => place.to_owned(),
        (StageFate::Runs(_), place, why) => format!("{place}, because {why}"),
    };
    kind + &what
}

fn input(video: &VideoFacts, survey: Option<&Survey>) -> String {
    let mut parts = Vec::new();
    if video.has_frames() {
        parts.push(video.size.to_string());
    }
    parts.extend(video.duration.map(seconds));
    if let Some(survey) = survey.filter(|_| video.has_frames()) {
        let about = if survey.exact { "" } else { "about " };
        parts.push(format!(
            "{about}{}",
            number(survey.frames, "frame", "frames")
        ));
        let tried = survey.sizes.len() as u64;
        if let Some(mean) = survey.sizes.iter().sum::<u64>().checked_div(tried) {
            parts.push(format!(
                "{} each as JPEG (of {tried} that were tried)",
                bytes(mean)
            ));
        }
    }
    parts.push(if video.has_sound { "sound" } else { "no sound" }.to_owned());
    parts.join(", ")
}

/// What a host gets: `frames leave this machine for api.example.com, with the key in KEY`, or
/// `frames go to 127.0.0.1 on this machine`.
pub(super) fn sent(share: &HostShare, would: bool) -> String {
    let what = match (share.frames, share.sound) {
        (true, true) => "frames and sound",
        (false, true) => "sound",
        (_, false) => "frames",
    };
    // Frames are many, sound is one.
    let goes = match (share.is_here, would, share.frames) {
        (true, true, _) => "would go to",
        (true, false, true) => "go to",
        (true, false, false) => "goes to",
        (false, true, _) => "would leave this machine for",
        (false, false, true) => "leave this machine for",
        (false, false, false) => "leaves this machine for",
    };
    let host = &share.host;
    let here = if share.is_here {
        " on this machine"
    } else {
        ""
    };
    let names = |names: &BTreeSet<String>| Vec::from_iter(names.iter().cloned()).join(", ");
    let keys = match share.keys.is_empty() {
        true => None,
        false => Some(format!("the key in {}", names(&share.keys))),
    };
    let variables = match share.variables.is_empty() {
        true => None,
        false => Some(format!("the value of {}", names(&share.variables))),
    };
    let with: Vec<String> = keys.into_iter().chain(variables).collect();
    let with = match with.is_empty() {
        true => String::new(),
        false => format!(", with {}", with.join(" and ")),
    };
    let proxy = share.proxy.as_ref();
    let proxy = proxy.map(|proxy| format!(" through the proxy {proxy}"));
    let proxy = proxy.unwrap_or_default();
    format!("{what} {goes} {host}{here}{proxy}{with}")
}

/// What a stage need not ask again: `yolo: 320 answers are known already`.
pub(super) fn known(known: &KnownStage) -> Option<String> {
    let answers = match known.answers {
        0 => None,
        1 => Some("1 answer is known already".to_owned()),
        count => Some(format!("{count} answers are known already")),
    };
    let jobs = match known.open_jobs {
        0 => None,
        1 => Some("1 job of an earlier run is still at the server".to_owned()),
        count => Some(format!(
            "{count} jobs of an earlier run are still at the server"
        )),
    };
    let parts: Vec<String> = answers.into_iter().chain(jobs).collect();
    (!parts.is_empty()).then(|| format!("{}: {}", known.stage, parts.join(", ")))
}

/// Which stages run on a built-in demo model, what it knows, and how they get a real one.
pub(super) fn demo(stages: &[(StageId, Medium)]) -> Option<String> {
    let of = |wanted: Medium| stages.iter().filter(move |(_, medium)| *medium == wanted);
    let knows = match (of(Medium::Frames).next(), of(Medium::Sound).next()) {
        (None, None) => return None,
        (Some(_), None) => "six drawn shapes",
        (None, Some(_)) => "60 English words about drawn shapes",
        (Some(_), Some(_)) => "six drawn shapes and 60 English words about them",
    };
    let ids: Vec<&str> = stages.iter().map(|(id, _)| id.as_str()).collect();
    let option = |(id, medium): &(StageId, Medium)| match medium {
        Medium::Frames | Medium::Boxes => format!("--set {id}.model=FILE.onnx"),
        Medium::Sound => format!("--set {id}.model=FOLDER"),
    };
    let options: Vec<String> = stages.iter().map(option).collect();
    Some(format!(
        "{}: built-in demo models of {knows}; for real ones `{}`, see `vpipe models`",
        ids.join(", "),
        options.join(" ")
    ))
}

/// How many inputs there are, and how many of them cannot be read.
pub(super) fn over(header: &RunHeader) -> String {
    let all = header.videos.len() + header.unreadable;
    let inputs = number(all as u64, "input", "inputs");
    match header.unreadable {
        0 => inputs,
        1 if all == 1 => format!("{inputs}, which cannot be read"),
        some => format!("{inputs}, {some} of which cannot be read"),
    }
}

fn difference(difference: &Difference) -> String {
    let Difference {
        key,
        value,
        default,
    } = difference;
    match (value, default) {
        (Some(value), Some(default)) => format!("  {key} = {value} (there {default})\n"),
        (Some(value), None) => format!("  {key} = {value} (there nothing)\n"),
        (None, Some(default)) => format!("  {key} is not there (there {default})\n"),
        (None, None) => String::new(),
    }
}

/// What a run would do, for programs.
pub(super) fn json(planned: &PlanReport) -> Value {
    let header = &planned.header;
    let Estimate {
        low,
        expected,
        high,
    } = header.forecast.cost();
    json!({
        "recipe": header.recipe,
        "stages": planned.stages.iter().map(stage).collect::<Vec<_>>(),
        "steps": steps(planned),
        "inputs": header.videos.iter().map(|video| described(video, planned)).collect::<Vec<_>>(),
        "unreadable": planned.unreadable.iter().map(|(path, why)| {
            json!({ "path": path, "error": why })
        }).collect::<Vec<_>>(),
        "hosts": header.hosts.iter().map(|share| &share.host).collect::<Vec<_>>(),
        "sent": header.hosts,
        "notices": header.notices,
        "known": header.known,
        "demo": !header.demo.is_empty(),
        "reading_seconds": header.forecast.reading,
        "local": header.local,
        "local_seconds": plan::together(&header.local),
        "forecast": header.forecast.stages,
        "cost": { "low": low, "expected": expected, "high": high },
        "peak": planned.plan.peak(),
        "differences": planned.differences,
        "diagnostics": planned.warnings.as_ref().map_or_else(Vec::new, mistake::diagnostics),
    })
}

fn stage(stage: &PlannedStage) -> Value {
    let (fate, why_not, steps) = match &stage.fate {
        StageFate::Runs(steps) => ("runs", None, steps.as_slice()),
        StageFate::Bypassed(why) => ("not-needed", Some(why), &[][..]),
        StageFate::Skipped(why) => ("skipped", Some(why), &[][..]),
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": stage.id,
        "kind": stage.kind,
        "fate": fate,
        "place": some(&stage.place),
        "why": why_not.cloned().or_else(|| some(&stage.why)),
        "steps": steps,
    })
}

fn steps(planned: &PlanReport) -> Vec<Value> {
    let plan = &planned.plan;
    let name = |index| {
        plan.steps()
            .find(|(at, _)| *at == index)
            .map(|(_, step)| &step.id)
    };
    let step = plan.steps().map(|(index, step)| {
        let edges = plan.edges(index).into_iter();
        let edges = edges.map(|(kind, to)| json!({ "gives": kind, "to": name(to) }));
        json!({
            "id": step.id,
            "at_once": step.limit.max,
            "edges": edges.collect::<Vec<_>>(),
        })
    });
    step.collect()
}

fn described(video: &VideoFacts, planned: &PlanReport) -> Value {
    json!({
        "path": video.path,
        "width": video.size.width,
        "height": video.size.height,
        "duration": video.duration,
        "codec": video.codec,
        "has_sound": video.has_sound,
        "survey": planned.surveys.get(&video.id),
    })
}
