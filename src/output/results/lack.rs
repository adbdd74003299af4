//! What results would lose if others took their place.
//!
//! A file is never replaced by one that knows less of the same video: by one of a shorter range, or
//! with failures where it has answers. What was asked otherwise is not less. Pure.

use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::output::results::results::WantedPart;
use crate::output::results::transcription::Transcription;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What stands in `old` and not in `new`, as the end of a sentence about the file of `old`; `None`
/// where `new` may take its place.
pub(in crate::output) fn lack(new: &Results, old: &Results) -> Option<String> {
    if new.source.digest != old.source.digest {
        return None;
    }
    if is_narrower(&parts(new), &parts(old)) {
        let range = new.range.clone().unwrap_or_default();
        return Some(format!("it covers more of the video than {range}"));
    }
    let answered = frames(old, is_answered);
    let failed = frames(new, |seen| matches!(seen, Seen::Error { .. }));
    let lost = answered.intersection(&failed).count();
    if lost > 0 {
        let answers = if lost == 1 { "an answer" } else { "answers" };
        let frames = if lost == 1 { "frame" } else { "frames" };
        return Some(format!(
            "it has {answers} for {lost} {frames} that failed now"
        ));
    }
    let heard = transcriptions(old);
    let lost = transcriptions(new).into_iter().any(|(stage, new)| {
        let old = heard.get(stage);
        old.is_some_and(|old| is_whole(old) && has_failed(new))
    });
    lost.then(|| "it has the speech that failed now".to_owned())
}

/// How much `results` know: frames and segments with an answer.
pub(in crate::output) fn answers(results: &Results) -> usize {
    let said = transcriptions(results);
    let segments = said.values().map(|it| it.segments().len());
    frames(results, is_answered).len() + segments.sum::<usize>()
}

fn parts(results: &Results) -> Vec<WantedPart> {
    results.range.clone().unwrap_or_default().parts()
}

// Whether `new` lacks a moment of `old`.
fn is_narrower(new: &[WantedPart], old: &[WantedPart]) -> bool {
    let end = |part: &WantedPart| part.end.unwrap_or(f64::INFINITY);
    let mut new = new.to_vec();
    new.sort_by(|a, b| a.start.total_cmp(&b.start));
    old.iter().any(|part| {
        // How far it is covered from its start on.
        let covered = new.iter().fold(part.start, |covered, it| {
            if it.start <= covered {
                covered.max(end(it))
            } else {
                covered
            }
        });
        covered < end(part)
    })
}

fn is_answered(seen: &Seen) -> bool {
    match seen {
        Seen::Objects { .. } | Seen::Record { .. } | Seen::Crops { .. } => true,
        Seen::Error { .. } | Seen::Skipped { .. } => false,
    }
}

// Which frames of which stage `wanted` holds for; what stands at the top has no name.
fn frames(results: &Results, wanted: impl Fn(&Seen) -> bool) -> BTreeSet<(&str, u64)> {
    let stages = results.stages.iter().filter_map(|(id, output)| {
        let entries: &[Entry] = match output {
            StageOutput::Detected(detected) => &detected.detections,
            StageOutput::Recorded { records, .. } => records,
            StageOutput::Transcribed { .. } => return None,
        };
        Some((id.as_str(), entries))
    });
    let all = stages.chain([("", results.detections.as_slice())]);
    all.flat_map(|(stage, entries)| entries.iter().map(move |entry| (stage, entry)))
        .filter(|(_, entry)| wanted(&entry.seen))
        .map(|(stage, entry)| (stage, entry.frame_number))
        .collect()
}

fn transcriptions(results: &Results) -> BTreeMap<&str, &Transcription> {
    let stages = results.stages.iter().filter_map(|(id, output)| {
        let StageOutput::Transcribed { transcription } = output else {
            return None;
        };
        Some((id.as_str(), transcription))
    });
    stages.chain([("", &results.transcription)]).collect()
}

fn is_whole(transcription: &Transcription) -> bool {
    matches!(transcription, Transcription::Transcribed(it) if it.gaps.is_empty())
}

fn has_failed(transcription: &Transcription) -> bool {
    match transcription {
        Transcription::Transcribed(it) => !it.gaps.is_empty(),
        Transcription::Error { .. } => true,
        Transcription::Skipped { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::answers;
    use super::lack;
    use crate::failure::Class;
    use crate::output::results::build::tests::plain;
    use crate::output::results::results::Results;
    use crate::output::results::results::Seen;
    use crate::output::results::results::WantedPart;
    use crate::output::results::results::WantedRange;
    use crate::output::results::transcription::TranscriptEntry;
    use crate::output::results::transcription::Transcription;

    // Two frames with an answer, one that failed, one that was skipped.
    fn changed(change: impl Fn(&mut Results)) -> Results {
        let mut results = plain();
        change(&mut results);
        results
    }

    fn range(start: f64, end: Option<f64>) -> Results {
        ranges(&[(start, end)])
    }

    fn ranges(parts: &[(f64, Option<f64>)]) -> Results {
        let parts: Vec<_> = parts
            .iter()
            .map(|&(start, end)| WantedPart { start, end })
            .collect();
        changed(|it| {
            it.range = Some(WantedRange {
                start: parts[0].start,
                end: parts[parts.len() - 1].end,
                parts: if parts.len() > 1 {
                    parts.clone()
                } else {
                    Vec::new()
                },
            });
        })
    }

    fn failed(numbers: &[usize]) -> Results {
        changed(|it| {
            for &number in numbers {
                let error = Class::Worker;
                it.detections[number].seen = Seen::Error { error };
            }
        })
    }

    #[test]
    fn what_has_answers_is_not_replaced_by_what_failed_or_covers_less() {
        assert_eq!(answers(&plain()), 2);
        let says = |new: &Results, old: &Results| lack(new, old).unwrap_or_default();
        assert_eq!(says(&plain(), &plain()), "");
        let more = "it covers more of the video than";
        let first = range(0.0, Some(2.0));
        assert_eq!(says(&first, &plain()), format!("{more} 0 s to 2 s"));
        assert_eq!(
            says(&range(5.0, None), &plain()),
            format!("{more} 5 s to the end")
        );
        assert_eq!(says(&plain(), &first), "");
        assert_eq!(says(&first, &range(0.0, Some(1.0))), "");
        assert_ne!(says(&first, &range(0.0, Some(2.5))), "");
        let one = "it has an answer for 1 frame that failed now";
        assert_eq!(says(&failed(&[1]), &plain()), one);
        let two = "it has answers for 2 frames that failed now";
        assert_eq!(says(&failed(&[0, 1]), &plain()), two);
        assert_eq!(says(&plain(), &failed(&[0, 1])), "", "it knows more");
        let skipped = changed(|it| {
            let skipped = "one frame in 2 is looked at".to_owned();
            it.detections[1].seen = Seen::Skipped { skipped };
        });
        assert_eq!(says(&skipped, &plain()), "", "it was asked otherwise");
        let other = changed(|it| it.source.digest = "other".to_owned());
        assert_eq!(says(&first, &other), "", "it is another video");
    }

    #[test]
    fn what_covers_more_is_not_replaced_by_some_of_its_parts() {
        let covers = |new: &Results, old: &Results| lack(new, old).is_none();
        let two = ranges(&[(1.0, Some(2.0)), (5.0, Some(8.0))]);
        let more = "it covers more of the video than 1 s to 2 s, 5 s to 8 s";
        assert_eq!(lack(&two, &plain()).as_deref(), Some(more));
        assert!(covers(&plain(), &two));
        assert!(covers(&two, &two));
        assert!(covers(&two, &range(6.0, Some(7.0))));
        assert!(covers(&range(0.0, Some(9.0)), &two));
        assert!(!covers(&range(1.0, Some(2.0)), &two));
        assert!(!covers(&two, &range(1.5, Some(5.5))), "it has 2 s to 5 s");
        let other = ranges(&[(0.5, Some(3.0)), (5.0, Some(7.5))]);
        assert!(!covers(&two, &other) && !covers(&other, &two));
        // Those that touch are as good as one.
        let touching = ranges(&[(1.0, Some(2.0)), (2.0, None)]);
        assert!(covers(&touching, &range(1.0, None)));
        assert!(!covers(&touching, &plain()));
    }

    #[test]
    fn speech_is_not_replaced_by_none() {
        let said = changed(|it| {
            it.transcription = Transcription::Transcribed(Box::<TranscriptEntry>::default());
        });
        let unheard = changed(|it| {
            let error = Class::Network;
            it.transcription = Transcription::Error { error };
        });
        let lost = lack(&unheard, &said);
        assert_eq!(lost.as_deref(), Some("it has the speech that failed now"));
        assert_eq!(lack(&said, &unheard), None);
        assert_eq!(lack(&plain(), &said), None, "nobody was to listen");
    }
}
