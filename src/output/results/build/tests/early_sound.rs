//! Sound that begins before the first frame.

use super::facts;
use super::listened;
use super::recipe;
use super::run;
use super::video;
use super::whisper;
use super::yolo;
use crate::facts::FirstFrame;
use crate::facts::VideoFacts;
use crate::output::OutputRoot;
use crate::output::Place;
use crate::output::results::build::results;
use crate::recipe::OutputFormat;
use crate::speech::Segment;
use crate::speech::Transcript;
use crate::time::Pts;
use crate::time::TimeBase;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[test]
fn sound_before_the_first_frame_has_negative_times_and_early_captions() {
    let base = TimeBase::new(1, 1000).unwrap();
    let first = FirstFrame {
        pts: Pts(2_000),
        base,
        offset: 2.0,
    };
    let video = VideoFacts {
        first_frame: Some(first),
        ..video()
    };
    let segment = |start, end, text: &str| Segment {
        start,
        end,
        text: text.to_owned(),
        ..Segment::default()
    };
    // Times from sample 0, which is where a player begins.
    let speech = Transcript {
        duration: 4.0,
        segments: vec![segment(0.0, 1.6, "One."), segment(1.7, 3.3, "Two.")],
        ..Transcript::default()
    };
    let record = listened(Ok(speech.earlier_by(video.start_offset())));
    let recipe = recipe(vec![yolo("yolo", 5), whisper()], None);
    let found = results(&recipe, &facts(false), &video, &record, run());
    assert_eq!(found.source.start_offset, 2.0);
    let times = found.transcription.segments().iter();
    let times: Vec<_> = times.map(|it| (it.start, it.end)).collect();
    assert_eq!(times, [(-2.0, -0.4), (-0.3, 1.3)]);
    let folder = tempfile::tempdir().unwrap();
    let root = OutputRoot::new(folder.path().to_owned(), &Arc::default());
    let place = Place::new(root, folder.path().to_owned(), "a");
    let written = place.write_format(OutputFormat::Srt, &found, &AtomicBool::new(false));
    let captions = std::fs::read_to_string(&written.unwrap()[0]).unwrap();
    let lines = [
        "00:00:00,000 --> 00:00:01,600\nOne.",
        "00:00:01,700 --> 00:00:03,300\nTwo.",
    ];
    assert!(lines.iter().all(|it| captions.contains(it)), "{captions}");
}
