//! The fields of a job for a Whisper worker: a template for each kind of worker, filled with
//! the sound and the parameters of the stage.
//!
//! Does not know how a job gets to its worker.

use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperTask;
use crate::recipe::WhisperWorker;
use crate::template::Data;
use crate::template::Expressions;
use crate::template::Filled;
use crate::template::Names;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

/// What a worker is asked about a sound file.
///
/// # Errors
///
/// Of class `refused` where the request cannot be made.
pub fn input(spec: &WhisperSpec, file: &Bytes) -> Result<Filled, Failure> {
    let params = json!({
        "beam_size": spec.beam_size,
        "condition_on_previous_text": spec.condition_on_previous_text,
        "language": spec.language,
        "model": spec.model,
        "task": spec.task.as_str(),
        // Subtitles tell the times of a translation, which its segments do not.
        "translation": (spec.task == WhisperTask::Translate).then_some("srt"),
        "translate": spec.task == WhisperTask::Translate,
        "vad_filter": spec.sound.vad_filter,
        "word_timestamps": spec.word_timestamps,
    });
    let names = Names::default()
        .with("audio", Data::new(&STANDARD.encode(file)))
        .with("params", Data::new(&params));
    let filled = Expressions::default().fill(&template(spec.worker), &names);
    filled.map_err(|fault| {
        let message = format!("the request cannot be made: {fault}");
        Failure::new(Class::Refused, message)
    })
}

// A field whose value is none is left out. RunPod's own worker refuses what it does not know, so
// each gets only its own fields.
fn template(worker: WhisperWorker) -> Value {
    match worker {
        WhisperWorker::Handler => json!({
            "audio": "{{ audio }}",
            "language": "{{ params.language }}",
            "model": "{{ params.model }}",
            "task": "{{ params.task }}",
            "vad_filter": "{{ params.vad_filter }}",
            "word_timestamps": "{{ params.word_timestamps }}",
        }),
        WhisperWorker::FasterWhisper => json!({
            "audio_base64": "{{ audio }}",
            "language": "{{ params.language }}",
            "model": "{{ params.model }}",
            "transcription": "plain_text",
            "translate": "{{ params.translate }}",
            "translation": "{{ params.translation }}",
            "enable_vad": "{{ params.vad_filter }}",
            "beam_size": "{{ params.beam_size }}",
            "condition_on_previous_text": "{{ params.condition_on_previous_text }}",
            "word_timestamps": "{{ params.word_timestamps }}",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::input;
    use crate::recipe::WhisperSpec;
    use crate::recipe::WhisperTask;
    use crate::recipe::WhisperWorker;
    use bytes::Bytes;
    use serde_json::json;

    #[test]
    fn each_worker_gets_its_own_fields() {
        let mut spec = WhisperSpec::default();
        let asked = |spec: &WhisperSpec| {
            let filled = input(spec, &Bytes::from_static(b"fLaC")).unwrap();
            serde_json::to_value(&filled).unwrap()
        };
        let usual = json!({
            "audio": "ZkxhQw==", "task": "transcribe", "vad_filter": true,
            "word_timestamps": true,
        });
        assert_eq!(asked(&spec), usual);
        // Only where they are given, and only to a worker that takes them.
        spec.beam_size = Some(3);
        spec.condition_on_previous_text = Some(false);
        assert_eq!(asked(&spec), usual);
        spec.worker = WhisperWorker::FasterWhisper;
        spec.language = Some("de".to_owned());
        spec.model = Some("turbo".to_owned());
        spec.task = WhisperTask::Translate;
        let official = json!({
            "audio_base64": "ZkxhQw==", "language": "de", "model": "turbo",
            "transcription": "plain_text", "translate": true, "translation": "srt",
            "enable_vad": true,
            "word_timestamps": true,
            "beam_size": 3, "condition_on_previous_text": false,
        });
        assert_eq!(asked(&spec), official);
        spec.beam_size = None;
        spec.condition_on_previous_text = None;
        let silent = asked(&spec);
        assert!(silent["beam_size"].is_null() && silent["condition_on_previous_text"].is_null());
    }
}
