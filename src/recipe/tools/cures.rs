//! Cures: what to write for a key of another tool or of another table.

use crate::recipe::tools::suggest::quoted;
use crate::recipe::tools::suggest::suggest;

/// A key by the names that other tools have for it.
const NAMES: [(&str, &[&str]); 18] = [
    (
        "conf",
        &[
            "confidence",
            "confidence_threshold",
            "conf_thres",
            "conf_threshold",
            "score",
            "threshold",
        ],
    ),
    (
        "iou",
        &[
            "iou_thres",
            "iou_threshold",
            "nms",
            "nms_threshold",
            "overlap",
        ],
    ),
    (
        "imgsz",
        &["image_size", "img_size", "input_size", "resolution"],
    ),
    ("max_side", &["resolution", "max_size", "width", "scale"]),
    ("max_det", &["max_detections", "limit"]),
    (
        "ranges",
        &["range", "intervals", "segments", "parts", "clips", "times"],
    ),
    ("start", &["from", "start_time", "begin", "ss"]),
    ("end", &["to", "until", "end_time", "stop"]),
    (
        "model",
        &["weights", "model_path", "model_name", "checkpoint"],
    ),
    ("language", &["lang"]),
    (
        "concurrency",
        &[
            "workers",
            "max_workers",
            "num_workers",
            "threads",
            "parallel",
        ],
    ),
    ("size", &["batch_size", "batch"]),
    (
        "output_dir",
        &["output", "output_folder", "output_path", "out_dir"],
    ),
    ("fps", &["frame_rate", "framerate", "sample_rate", "rate"]),
    (
        "api_key_env",
        &["api_key", "key", "token", "secret", "api_token", "password"],
    ),
    (
        "base_url",
        &["url", "address", "host", "server", "endpoint", "api_base"],
    ),
    (
        "url",
        &["base_url", "address", "host", "server", "endpoint", "uri"],
    ),
    ("endpoint", &["endpoint_id"]),
];

/// Keys that one table alone has, and which.
pub(in crate::recipe) const HOMES: [(&str, &[&str]); 11] = [
    (
        "[stages.extract]",
        &[
            "fps",
            "max_side",
            "dedup",
            "dedup_threshold",
            "mode",
            "start",
            "end",
            "ranges",
        ],
    ),
    ("[stages.batch]", &["size"]),
    (
        "[stages.yolo]",
        &[
            "conf", "iou", "imgsz", "half", "max_det", "classes", "names",
        ],
    ),
    (
        "[stages.whisper]",
        &[
            "language",
            "beam_size",
            "word_timestamps",
            "condition_on_previous_text",
            "chunk",
            "vad_filter",
        ],
    ),
    (
        "[stages.merge]",
        &["formats", "primary", "line_width", "line_count"],
    ),
    ("[stages.save]", &["draw", "format", "name"]),
    ("[stages.merge] or [stages.save]", &["output_dir"]),
    ("[backends.NAME]", &["api_key_env"]),
    ("[backends.NAME] of kind http", &["url", "headers", "query"]),
    ("[backends.NAME] of kind openai", &["base_url"]),
    ("[backends.NAME] of kind runpod", &["endpoint"]),
];

/// Words that no recipe has, and why.
const NEEDLESS: [(&[&str], &str); 2] = [
    (
        &["device", "gpu", "cuda", "provider"],
        "leave it out: `backend` says where a stage runs, and a server chooses its own device; \
         on this machine it is the processor",
    ),
    (
        &["stream", "verbose", "show", "save_txt", "project"],
        "leave it out: frames are always streamed, `-v` says more, and `[stages.merge]` and \
         `[stages.save]` write",
    ),
];

/// What to do about the unknown key `key` where `known` are the keys.
pub(in crate::recipe) fn cure(key: &str, known: &[&str]) -> String {
    let meant = meant(key, known);
    if meant == "api_key_env" {
        let place = match known.contains(&meant) {
            true => "",
            false => " in `[backends.NAME]`",
        };
        return format!(
            "keys are named, never written: `api_key_env = \"RUNPOD_API_KEY\"`{place} names the \
             variable of the environment that has it"
        );
    }
    if known.contains(&meant) {
        return format!("write `{meant}`");
    }
    if let Some((_, why)) = NEEDLESS.iter().find(|(words, _)| words.contains(&key)) {
        return (*why).to_owned();
    }
    // A slip of the pen is nearer than a table elsewhere; tables within tables have keys of their own.
    let help = suggest(key, known.iter().copied(), "allowed keys");
    match HOMES.iter().find(|(_, keys)| keys.contains(&meant)) {
        Some((home, _)) if known.contains(&"kind") && !help.starts_with("did you mean") => {
            format!("`{meant}` is a key of {}", quoted_tables(home))
        }
        _ => help,
    }
}

// What `key` is called here; else what it is called where it has a home.
fn meant<'a>(key: &'a str, known: &[&str]) -> &'a str {
    let named = NAMES.iter().filter(|(_, names)| names.contains(&key));
    let names: Vec<&str> = named.map(|(meant, _)| *meant).collect();
    let here = names.iter().find(|name| known.contains(name));
    let has_home = HOMES.iter().any(|(_, keys)| keys.contains(&key));
    match (here, has_home) {
        (Some(name), _) => name,
        (None, true) => key,
        (None, false) => names.first().copied().unwrap_or(key),
    }
}

fn quoted_tables(home: &str) -> String {
    let tables = home
        .split(" or ")
        .map(|table| match table.split_once(" of kind ") {
            Some((table, kind)) => format!("{} of kind {}", quoted([table]), quoted([kind])),
            None => quoted([table]),
        });
    tables.collect::<Vec<String>>().join(" or ")
}
