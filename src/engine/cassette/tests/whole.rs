//! What comes back out of a cassette, and how large one is.

use crate::answer::Answer;
use crate::engine::cassette::Cassette;
use crate::engine::cassette::tests::samples::ASKED;
use crate::engine::cassette::tests::samples::answers;
use crate::engine::cassette::tests::samples::frame;
use crate::engine::cassette::tests::samples::recorded;
use crate::engine::cassette::tests::samples::street;
use crate::engine::cassette::tests::samples::written;
use crate::item::Detection;
use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::prop_assert_eq;
use proptest::proptest;
use std::fs;

#[test]
fn a_box_takes_at_most_120_bytes() {
    let files = recorded(&answers(&street()));
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let boxes = 600 * 7;
    assert!(bytes / boxes <= 120, "{} bytes a box", bytes / boxes);
    assert!(bytes / boxes >= 40, "hardly anything was written: {bytes}");
}

#[test]
fn no_order_of_arrival_changes_a_byte() {
    let scene: Vec<_> = street().into_iter().take(9).collect();
    let mut all = answers(&scene);
    let expected = recorded(&all);
    all.reverse();
    assert!(recorded(&all) == expected);
    all.rotate_left(7);
    assert!(recorded(&all) == expected);
    // Nothing of the machine that answered.
    let text = String::from_utf8(bytes_of(&expected)).unwrap();
    assert!(!text.contains("a.example"), "{text}");
}

fn bytes_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let bytes = files.iter().map(|(_, bytes)| bytes.as_slice());
    bytes.collect::<Vec<_>>().concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn objects_come_back_bit_by_bit(
        bits in proptest::collection::vec(any::<[u32; 5]>(), 0..6),
        class in any::<u32>(),
        parent in any::<Option<u32>>(),
        name in any::<String>(),
    ) {
        let number = |bits: u32| {
            let number = f32::from_bits(bits);
            // JSON knows no endless numbers, and one way not to be a number.
            if number.is_finite() { number } else { f32::NAN }
        };
        let objects: Vec<_> = bits
            .iter()
            .map(|bits| {
                let [x1, y1, x2, y2, confidence] = bits.map(number);
                Detection {
                    bbox: [x1, y1, x2, y2],
                    class,
                    class_name: name.as_str().into(),
                    confidence,
                    parent,
                    sight: None,
                }
            })
            .collect();
        let folder = written(&recorded(&answers(std::slice::from_ref(&objects))));
        let cassette = Cassette::open(folder.path()).unwrap();
        let back = match cassette.answer(0, &ASKED, frame(0)) {
            Some(Answer::Objects(back)) => back.clone(),
            other => panic!("{other:?}"),
        };
        let all = |objects: &[Detection]| -> Vec<String> {
            let bits = |it: &Detection| {
                let numbers: Vec<u32> = it.bbox.iter().map(|it| it.to_bits()).collect();
                let rest = (it.confidence.to_bits(), it.class, it.parent);
                format!("{numbers:?} {rest:?} {}", it.class_name)
            };
            objects.iter().map(bits).collect()
        };
        prop_assert_eq!(all(&back), all(&objects));
    }
}

#[test]
fn frames_and_how_sampling_ended_come_back() {
    let all = answers(&street()[..3]);
    let folder = written(&recorded(&all));
    let cassette = Cassette::open(folder.path()).unwrap();
    for noted in &all {
        let key = noted.key;
        let found = cassette.answer(0, &key.stage, key.extent);
        assert_eq!(found, Some(&noted.answer), "{key:?}");
    }
    assert_eq!(cassette.extents(0, &ASKED).len(), 3);
    // As Git checks it out where lines end otherwise.
    for file in ["1-extract.jsonl", "2-yolo.jsonl"] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    }
    assert!(Cassette::open(folder.path()).is_ok());
}
