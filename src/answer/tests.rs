//! Questions and answers of items, and the items that they stand for.

use super::Answer;
use super::Extent;
use super::Question;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Batch;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Part;
use crate::item::Size;
use crate::name::VideoId;
use crate::speech::AudioData;
use crate::speech::AudioSpan;
use crate::speech::Chunk;
use crate::speech::Recognition;
use crate::time::Pts;

const VIDEO: VideoId = VideoId(3);

fn moment(pts: i64, parent: Option<u32>) -> Moment {
    Moment {
        video: VIDEO,
        index: 7,
        frame_number: 210,
        pts: Pts(pts),
        seconds: 7.0,
        samples: 1,
        part: parent.map(|parent| Part {
            number: 0,
            of: 1,
            parent,
            left: 10,
            top: 20,
            scale: [1.5, 1.5],
        }),
    }
}

fn frame(pts: i64, parent: Option<u32>) -> Frame {
    let size = |width, height| Size { width, height };
    Frame {
        moment: moment(pts, parent),
        source: size(1920, 1080),
        size: size(1280, 720),
        content: Ok(Content::default()),
    }
}

fn gap(pts: i64) -> Frame {
    Frame {
        content: Err(Failure::new(Class::Media, "damaged")),
        ..frame(pts, None)
    }
}

fn boxes(found: Found, same_as: Option<u64>) -> Item {
    Item::Detections(Detections {
        stage: "yolo".into(),
        moment: moment(5, None),
        found,
        same_as,
    })
}

fn chunk(content: Result<AudioData, Failure>) -> Item {
    let span = AudioSpan {
        video: VIDEO,
        range: 100..900,
        own: 150..800,
    };
    Item::Chunk(Chunk { span, content })
}

#[test]
fn what_is_not_looked_at_or_listened_to_is_not_asked() {
    let objects = || Found::Objects(Vec::new());
    for item in [
        Item::Frame(gap(1)),
        Item::Batch(Batch {
            video: VIDEO,
            frames: vec![gap(1), gap(2)],
        }),
        boxes(Found::Skipped("one in two".to_owned()), None),
        boxes(objects(), Some(3)),
        chunk(Ok(AudioData::Silence)),
        chunk(Err(Failure::new(Class::Media, "damaged"))),
    ] {
        assert_eq!(Question::of(&item), None, "{item}");
        assert_eq!(Extent::of_question(&item), None, "{item}");
    }
}

#[test]
fn a_question_gives_the_item_back_that_its_answer_is_read_with() {
    let batch = Item::Batch(Batch {
        video: VIDEO,
        frames: vec![frame(1, None), gap(2), frame(3, Some(4))],
    });
    let question = Question::of(&batch).unwrap();
    let of = |pts, crop| Extent::Frame {
        pts: Pts(pts),
        crop,
    };
    assert_eq!(question.extents(), [of(1, None), of(3, Some(4))]);
    let Item::Batch(again) = question.item(&"yolo".into(), VIDEO) else {
        panic!("no batch");
    };
    assert_eq!(again.frames.len(), 2, "the gap was not sent");
    for (again, sent) in again.frames.iter().zip([frame(1, None), frame(3, Some(4))]) {
        assert_eq!(again.moment, sent.moment);
        assert_eq!((again.source, again.size), (sent.source, sent.size));
    }
    let sound = Question::of(&chunk(Ok(AudioData::Samples([1, 2].into())))).unwrap();
    let Item::Chunk(again) = sound.item(&"whisper".into(), VIDEO) else {
        panic!("no chunk");
    };
    assert_eq!((again.span.range, again.span.own), (100..900, 150..800));
    let record = Question::of(&boxes(Found::Objects(Vec::new()), None)).unwrap();
    assert_eq!(record.extents(), [of(5, None)]);
    let again = record.item(&"read".into(), VIDEO);
    assert_eq!(Question::of(&again), Some(record));
}

#[test]
fn an_answer_is_the_item_that_left_the_stage() {
    let found = Answer::Objects(vec![Detection {
        class: 7,
        ..Detection::default()
    }]);
    let asked = Item::Frame(frame(9, Some(2)));
    let left = found.clone().item(&"yolo".into(), &asked).unwrap();
    let extent = Extent::of_question(&asked).unwrap();
    assert_eq!(Answer::of(&left), Some((extent, found.clone())));
    let heard = Answer::Recognition(Recognition::default());
    let asked = chunk(Ok(AudioData::Samples([1].into())));
    let left = heard.clone().item(&"whisper".into(), &asked).unwrap();
    let extent = Extent::of_question(&asked).unwrap();
    assert_eq!(Answer::of(&left), Some((extent, heard.clone())));
    assert!(found.item(&"whisper".into(), &asked).is_none());
    assert!(
        heard
            .item(&"yolo".into(), &Item::Frame(frame(1, None)))
            .is_none()
    );
}
