//! What decides the answers of a stage, kind by kind.
//!
//! The parameters of each kind are taken apart whole, so that a new one is decided on here before
//! anything compiles. Left out is what only says where, how fast, how often and by whom a stage is
//! asked: ids, limits, batches, retries, hosts. So are the engine of a model on this machine and
//! its threads: they are another way to compute the same.

use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::plan::digest::server;
use crate::plan::digest::server::NamesUsed;
use crate::recipe::ClassRef;
use crate::recipe::Confidence;
use crate::recipe::ExtractMode;
use crate::recipe::ExtractSpec;
use crate::recipe::HttpSpec;
use crate::recipe::HttpStageSpec;
use crate::recipe::Inference;
use crate::recipe::MappingSpec;
use crate::recipe::SaveFormat;
use crate::recipe::SaveSpec;
use crate::recipe::SoundSpec;
use crate::recipe::Subject;
use crate::recipe::TrackMethod;
use crate::recipe::TrackPoint;
use crate::recipe::TrackSpec;
use crate::recipe::USUAL_IMGSZ;
use crate::recipe::WhisperBackend;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperWorker;
use crate::recipe::YoloBackend;
use crate::recipe::YoloSpec;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

/// What decides the answers of a stage, besides what it takes.
pub(super) struct Terms {
    pub(super) all: Value,
    /// The names that its templates use.
    pub(super) used: NamesUsed,
}

/// Which frames are sampled, and which of them repeat another; no more than `first` of a video.
pub(super) fn sampling(spec: &ExtractSpec, first: Option<Duration>) -> Value {
    let ExtractSpec {
        fps,
        max_side,
        quality: _,
        dedup,
        dedup_threshold,
        mode,
        start: _,
        end: _,
        ranges: _,
        concurrency: _,
    } = spec;
    let mode = match mode {
        ExtractMode::Exact => "exact",
        ExtractMode::Keyframes => "keyframes",
    };
    json!({
        "fps": [fps.num(), fps.den()],
        "max_side": max_side,
        "dedup": dedup.then(|| dedup_threshold.to_string()),
        "mode": mode,
        "range": range(&spec.wanted(first)),
    })
}

/// What of a video is wanted, in nanoseconds: from where to where, or a list of such.
pub(super) fn range(wanted: &TimeRanges) -> Value {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let part = |range: TimeRange| json!([nanoseconds(range.start), range.end.map(nanoseconds)]);
    let mut parts: Vec<Value> = wanted.iter().map(part).collect();
    match parts.len() {
        1 => parts.remove(0),
        _ => parts.into(),
    }
}

/// What a frame looks like where it comes as JPEG, or else as pixels.
pub(super) fn look(spec: &ExtractSpec, as_jpeg: bool) -> Value {
    json!({ "max_side": spec.max_side, "quality": as_jpeg.then_some(spec.quality) })
}

/// What decides the file of a frame; not its path, which a kept answer tells.
pub(super) fn file(spec: &SaveSpec, extract: &ExtractSpec) -> Value {
    let SaveSpec {
        format,
        quality,
        // What is drawn is another stage's.
        draw: _,
        output_dir: _,
        name: _,
    } = spec;
    let (format, quality) = match format {
        SaveFormat::Jpeg => ("jpeg", Some(quality.unwrap_or(extract.quality))),
        SaveFormat::Png => ("png", None),
    };
    json!({
        "kind": "save",
        "format": format,
        "quality": quality,
        "max_side": extract.max_side,
    })
}

/// What decides which boxes are one thing, besides where they are.
pub(super) fn track(spec: &TrackSpec) -> Value {
    let TrackSpec {
        method,
        high,
        low,
        new,
        r#match,
        buffer,
        min_frames,
        classes,
        // What of a thing goes on, and not which boxes are one.
        best_of: _,
        lines: _,
        regions: _,
        point: _,
    } = spec;
    let method = match method {
        TrackMethod::Auto | TrackMethod::Motion => "motion",
        TrackMethod::Bytetrack => "bytetrack",
    };
    let shares = [high, low, new, r#match].map(ToString::to_string);
    json!({
        "kind": "track",
        "method": method,
        "shares": shares,
        "buffer": buffer.as_nanos().to_string(),
        "min_frames": min_frames,
        "classes": classes,
    })
}

/// What decides which sights of a thing a `filter` may choose, besides which boxes are one thing.
pub(super) fn sights(spec: &TrackSpec) -> Value {
    let lines = spec.lines.iter();
    let lines = lines.map(|(name, line)| (name.clone(), server::points(line.points())));
    let regions = spec.regions.iter();
    let regions = regions.map(|(name, region)| (name.clone(), server::points(region.corners())));
    json!({
        "best_of": spec.best_of,
        "lines": Map::from_iter(lines),
        "regions": Map::from_iter(regions),
        "point": match spec.point {
            TrackPoint::Centre => "centre",
            TrackPoint::Foot => "foot",
        },
    })
}

/// What decides what is heard in a piece of sound, whatever its borders.
pub(super) fn heard(spec: &SoundSpec, as_file: bool) -> Value {
    let SoundSpec {
        track,
        chunk: _,
        codec,
        vad_filter,
    } = spec;
    json!({
        "track": track,
        "codec": as_file.then(|| codec.extension()),
        "vad_filter": vad_filter,
    })
}

/// What decides the answers of a stage that is placed at `place`; `None` where it is placed
/// nowhere.
pub(super) fn asked(inference: &Inference, place: &Placement) -> Option<Terms> {
    let mut used = NamesUsed::default();
    let all = match (inference, place) {
        (_, Placement::Skipped { .. }) | (Inference::Http(..), Placement::Local(_)) => return None,
        (Inference::Yolo(spec, _), Placement::Local(place)) => yolo_here(spec, place),
        (Inference::Yolo(spec, backend), Placement::Remote(place)) => {
            yolo_on_server(spec, place, backend.as_ref(), &mut used)
        }
        (Inference::Whisper(spec, _), Placement::Local(place)) => {
            whisper(spec, &json!({ "local": place.model.digest }))
        }
        (Inference::Whisper(spec, backend), Placement::Remote(place)) => {
            whisper(spec, &speech_server(spec, backend.as_ref(), place))
        }
        (Inference::Http(spec, server), Placement::Remote(_)) => http(spec, server, &mut used),
    };
    Some(Terms { all, used })
}

// With the classes that the model calls `names` by their numbers, as far as those are known.
fn yolo(spec: &YoloSpec, names: &[Arc<str>]) -> Value {
    let YoloSpec {
        backend: _,
        model: _,
        names: _,
        concurrency: _,
        conf,
        iou,
        imgsz,
        half,
        classes,
        max_det,
    } = spec;
    // As they are written: a digest is no place for the digits of a float.
    json!({
        "conf": confidence(conf, names),
        "iou": iou.to_string(),
        "imgsz": imgsz.unwrap_or(USUAL_IMGSZ),
        "half": half,
        "classes": numbered(classes, names),
        "max_det": max_det,
    })
}

fn numbered(classes: &[ClassRef], names: &[Arc<str>]) -> Vec<ClassRef> {
    let numbered = |class: &ClassRef| match class.numbers(names) {
        unknown if unknown.is_empty() => vec![class.clone()],
        numbers => numbers.into_iter().map(ClassRef::Number).collect(),
    };
    classes.iter().flat_map(numbered).collect()
}

// One for all where no class has another.
fn confidence(conf: &Confidence, names: &[Arc<str>]) -> Value {
    let own = conf.classes.iter();
    let own = own.filter(|(_, share)| **share != conf.default);
    let own = own.flat_map(|(class, share)| {
        let classes = numbered(slice::from_ref(class), names).into_iter();
        classes.map(|class| (class.to_string(), Value::from(share.to_string())))
    });
    let mut own: Map<String, Value> = own.collect();
    if own.is_empty() {
        return conf.default.to_string().into();
    }
    own.insert("default".to_owned(), conf.default.to_string().into());
    own.into()
}

fn yolo_here(spec: &YoloSpec, place: &LocalFacts) -> Value {
    let model = &place.model;
    let mut params = yolo(spec, &model.classes);
    params["imgsz"] = match model.fixed_size {
        Some(_) => Value::Null,
        None => json!(spec.imgsz.or(model.imgsz).unwrap_or(USUAL_IMGSZ)),
    };
    json!({
        "kind": "yolo",
        "model": { "local": model.digest, "classes": model.classes },
        "params": params,
    })
}

fn yolo_on_server(
    spec: &YoloSpec,
    place: &RemoteFacts,
    backend: Option<&YoloBackend>,
    used: &mut NamesUsed,
) -> Value {
    let usual = MappingSpec::default();
    let (mapping, server) = match backend {
        Some(YoloBackend::Http(server)) => (&server.mapping, server::http(server, used)),
        Some(YoloBackend::Runpod(server)) => (&server.mapping, json!("worker")),
        Some(YoloBackend::Local(_)) | None => (&usual, json!("worker")),
    };
    let names = &place.class_names;
    let mut model = json!({ "remote": spec.model });
    if !names.is_empty() {
        model["classes"] = json!(names);
    }
    json!({
        "kind": "yolo",
        "model": model,
        "params": yolo(spec, names),
        "mapping": server::mapping(mapping, used),
        "server": server,
    })
}

fn whisper(spec: &WhisperSpec, model: &Value) -> Value {
    let WhisperSpec {
        backend: _,
        model: _,
        concurrency: _,
        language,
        task,
        beam_size,
        condition_on_previous_text,
        word_timestamps,
        worker: _,
        sound: _,
    } = spec;
    json!({
        "kind": "whisper",
        "model": model,
        "language": language,
        "task": task.as_str(),
        "beam_size": beam_size,
        "condition_on_previous_text": condition_on_previous_text,
        "word_timestamps": word_timestamps,
    })
}

// What a worker of RunPod's is called says where it is; what a server of OpenAI's API is asked for
// is its model.
fn speech_server(
    spec: &WhisperSpec,
    backend: Option<&WhisperBackend>,
    place: &RemoteFacts,
) -> Value {
    match (backend, spec.worker) {
        (Some(WhisperBackend::Openai(_)), _) => json!({ "openai": place.model }),
        (_, WhisperWorker::Handler) => json!({ "handler": spec.model }),
        (_, WhisperWorker::FasterWhisper) => json!({ "faster-whisper": spec.model }),
    }
}

fn http(spec: &HttpStageSpec, server: &HttpSpec, used: &mut NamesUsed) -> Value {
    let HttpStageSpec {
        backend: _,
        model,
        concurrency: _,
        each: _,
        sound: _,
        mapping,
    } = spec;
    let about = match mapping.about {
        Subject::Frame => "frame",
        Subject::Batch => "batch",
        Subject::Boxes => "boxes",
        Subject::Sound => "sound",
    };
    let server = server::http(server, used);
    json!({
        "kind": "http",
        "about": about,
        "model": { "remote": model },
        "mapping": server::mapping(mapping, used),
        "server": server,
    })
}
