//! Why an answer is not in a cassette: what decides it, then and now.

use crate::engine::cassette::head::CassettePlace;
use crate::engine::cassette::read::Cassette;
use crate::name::StageId;
use serde_json::Value;
use std::path::Path;

/// The most differences that are told of a stage.
const MOST: usize = 4;

/// The most letters of a value.
const LONGEST: usize = 60;

/// What was asked for in a replay and is not in its cassette.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misses {
    /// By stage and reason, in the order of the recipe.
    pub groups: Vec<MissGroup>,
}

/// What a stage lacks for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissGroup {
    /// The stage.
    pub stage: StageId,
    /// Why.
    pub why: String,
    /// Frames, crops and chunks of sound.
    pub items: u64,
}

impl Misses {
    /// Whether all was there.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds an item.
    pub(super) fn add(&mut self, stage: &StageId, why: &str) {
        let mut groups = self.groups.iter_mut();
        match groups.find(|group| group.stage == *stage && group.why == why) {
            Some(group) => group.items += 1,
            None => self.groups.push(MissGroup {
                stage: stage.clone(),
                why: why.to_owned(),
                items: 1,
            }),
        }
    }
}

/// Why `cassette` has no answers of a stage whose answers are decided by `terms`.
pub(super) fn of_stage(cassette: &Cassette, stage: &StageId, terms: &Value) -> String {
    let Some(recorded) = cassette.stage(stage) else {
        return format!("there was no stage `{stage}` then");
    };
    if let Some(CassettePlace::Skipped { why }) = &recorded.place {
        return format!("`{stage}` was skipped then: {}", plain(why));
    }
    let before = recorded.terms.clone().unwrap_or_default();
    let differences = differences(&without(&before, "joined"), &without(terms, "joined"));
    told(&differences).unwrap_or_else(|| "what decides its answers has changed".to_owned())
}

/// Why a video that the user calls `path` is not in it.
pub(super) fn of_video(cassette: &Cassette, path: &Path) -> String {
    let name = plain(&path.display().to_string());
    let mut videos = cassette.head().videos.iter();
    match videos.any(|video| video.is_called(path)) {
        true => format!("{name} has other content than the video of that name in it"),
        false => format!("the video {name} is not in it"),
    }
}

/// Why what `frames` begins to say was not sampled.
pub(super) fn of_sampling(cassette: &Cassette, terms: &Value, frames: &str) -> String {
    let mut stages = cassette.head().stages.iter();
    let before = stages.find(|stage| stage.sampling.is_some());
    let before = before.and_then(|stage| stage.terms.as_ref());
    let differences = before.map(|before| differences(before, terms));
    match differences.as_deref().and_then(told) {
        Some(why) => format!("{frames} not sampled then: {why}"),
        None => format!("{frames} not sampled then"),
    }
}

/// Why some of the sound was not transcribed by itself.
pub(super) fn of_sound(cassette: &Cassette, stage: &StageId, terms: &Value) -> String {
    let recorded = cassette.stage(stage);
    let before = recorded.and_then(|stage| stage.terms.as_ref()?.get("joined"));
    let differences = before
        .zip(terms.get("joined"))
        .map(|(before, now)| differences(before, now));
    match differences.as_deref().and_then(told) {
        Some(why) => format!("the sound was cut in another way then: {why}"),
        None => "the sound was cut in another way then".to_owned(),
    }
}

fn without(terms: &Value, name: &str) -> Value {
    let mut terms = terms.clone();
    if let Some(fields) = terms.as_object_mut() {
        fields.shift_remove(name);
    }
    terms
}

// A leaf that differs.
struct Difference {
    path: Vec<String>,
    before: Option<Value>,
    now: Option<Value>,
}

fn differences(before: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(before), Some(now), &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    before: Option<&Value>,
    now: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    if before == now {
        return;
    }
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let (one, other) = (fields(before), fields(now));
    if one.is_none() && other.is_none() {
        found.push(Difference {
            path: path.clone(),
            before: before.cloned(),
            now: now.cloned(),
        });
        return;
    }
    let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
    let new = other.keys().filter(|key| !one.contains_key(*key));
    for key in one.keys().chain(new) {
        path.push(key.clone());
        compare(path, one.get(key), other.get(key), found);
        path.pop();
    }
}

fn told(differences: &[Difference]) -> Option<String> {
    let mut own: Vec<_> = differences.iter().map(Difference::told).collect();
    own.dedup();
    let more = own.len().saturating_sub(MOST);
    let mut text = own
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if more > 0 {
        text += &format!("; and {more} more");
    }
    (!text.is_empty()).then_some(text)
}

impl Difference {
    fn told(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let name = match path.as_slice() {
            ["taken", "crops" | "boxes"] => {
                return "what it takes from another stage has changed".to_owned();
            }
            ["sampling"] => {
                return "the places of frames are sent, and other frames are sampled".to_owned();
            }
            ["videos", ..] => return "the names of videos are sent, and have changed".to_owned(),
            ["asked", "kind"] => "kind".to_owned(),
            ["asked", "model", ..] | ["asked", "mapping" | "server"] => {
                path.get(1).copied().unwrap_or_default().to_owned()
            }
            ["asked", "params" | "mapping" | "server", rest @ ..] => rest.join("."),
            ["asked" | "joined", rest @ ..] | ["taken", "sound", rest @ ..] => rest.join("."),
            ["taken", "frames", rest @ ..] => format!("extract.{}", rest.join(".")),
            ["taken", rest @ ..] => rest.join("."),
            rest => rest.join("."),
        };
        let name = plain(&name);
        let shown = match path.last() {
            Some(&"range") => range,
            _ => shown,
        };
        match (shown(self.before.as_ref()), shown(self.now.as_ref())) {
            (Some(before), Some(now)) if before != now => {
                format!("`{name}` was {before} and is {now}")
            }
            _ => format!("`{name}` is another one"),
        }
    }
}

// What of a video is wanted, which is kept in nanoseconds.
fn range(value: Option<&Value>) -> Option<String> {
    let ends = value?.as_array()?;
    let seconds = |end: &Value| Some(end.as_u64()? as f64 / 1e9);
    let (start, end) = (ends.first().and_then(seconds)?, ends.get(1)?);
    Some(match seconds(end) {
        Some(end) => format!("{start} s to {end} s"),
        None => format!("{start} s to the end"),
    })
}

// `None` for what is not to be shown, or says nothing.
fn shown(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => Some("not set".to_owned()),
        Some(Value::Bool(_) | Value::Number(_)) => value.map(Value::to_string),
        Some(Value::String(text)) => {
            let is_digest = text.starts_with('#') || text.len() == 64;
            (!is_digest).then(|| plain(text))
        }
        // A fraction.
        Some(Value::Array(items)) => match items.as_slice() {
            [Value::Number(num), Value::Number(den)] if den.as_i64() == Some(1) => {
                Some(num.to_string())
            }
            _ => Some(plain(&Value::Array(items.clone()).to_string())),
        },
        Some(Value::Object(_)) => None,
    }
}

/// A text of a cassette as it may be shown: on one line, and of bounded length.
pub(super) fn plain(text: &str) -> String {
    let mut letters = text.chars().filter(|letter| !letter.is_control());
    let mut plain: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        plain.push('…');
    }
    plain
}
