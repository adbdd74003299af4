//! The content of an answer as bytes: what they are, a checksum, and back without a bit changed.
//!
//! Objects are packed, about 23 bytes each; all other answers are rare or long and are JSON. The
//! checksum covers what they are about too, so that no damage makes one answer look like another.

use crate::answer::Answer;
use crate::item::Detection;
use std::sync::Arc;

/// What the first byte says of those after it.
const OBJECTS: u8 = 1;
const JSON: u8 = 2;

/// Bytes of the checksum, which are the last.
const CHECKSUM: usize = 8;

/// An answer as it is kept under `key`; `None` where it cannot be written down.
pub(super) fn encode(key: &[u8], answer: &Answer) -> Option<Vec<u8>> {
    let mut bytes = match answer {
        Answer::Objects(objects) => pack(objects),
        other => {
            let mut bytes = vec![JSON];
            serde_json::to_writer(&mut bytes, other).ok()?;
            bytes
        }
    };
    let checksum = checksum(key, &bytes);
    bytes.extend(checksum);
    Some(bytes)
}

/// The answer that is kept under `key`; `None` where the bytes are damaged, or of a form that this
/// program does not know.
pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Option<Answer> {
    let (content, kept) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if checksum(key, content) != kept {
        return None;
    }
    match content.split_first()? {
        (&OBJECTS, packed) => unpack(packed).map(Answer::Objects),
        (&JSON, text) => serde_json::from_slice(text).ok(),
        _ => None,
    }
}

/// What is kept under `key`, or under `other` already, as it is kept under `other`; `None` where it
/// is damaged.
pub(super) fn renamed(key: &[u8], other: &[u8], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = bytes.len().checked_sub(CHECKSUM)?;
    let kept = bytes.split_off(length);
    let name = checksum(other, &bytes);
    let is_whole = *kept == name || *kept == checksum(key, &bytes);
    bytes.extend(name);
    is_whole.then_some(bytes)
}

fn checksum(key: &[u8], content: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new();
    let digest = hasher.update(key).update(content).finalize();
    let mut checksum = [0; CHECKSUM];
    for (to, from) in checksum.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    checksum
}

// The number of objects; then of each its box, its confidence, its class, its parent plus one, and
// the number of its name: 0 for one that follows here, else the place of an earlier one from 1.
fn pack(objects: &[Detection]) -> Vec<u8> {
    let mut bytes = vec![OBJECTS];
    let mut names: Vec<&str> = Vec::new();
    put(&mut bytes, objects.len() as u64);
    for object in objects {
        let numbers = object.bbox.iter().chain([&object.confidence]);
        numbers.for_each(|number| bytes.extend(number.to_bits().to_le_bytes()));
        put(&mut bytes, object.class.into());
        put(
            &mut bytes,
            object.parent.map_or(0, |parent| u64::from(parent) + 1),
        );
        match names.iter().position(|name| *name == &*object.class_name) {
            Some(place) => put(&mut bytes, place as u64 + 1),
            None => {
                put(&mut bytes, 0);
                put(&mut bytes, object.class_name.len() as u64);
                bytes.extend(object.class_name.as_bytes());
                names.push(&object.class_name);
            }
        }
    }
    bytes
}

fn unpack(packed: &[u8]) -> Option<Vec<Detection>> {
    let mut rest = packed;
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut objects = Vec::new();
    for _ in 0..take(&mut rest)? {
        let mut numbers = [0.0; 5];
        for number in &mut numbers {
            let (bits, after) = rest.split_first_chunk()?;
            *number = f32::from_bits(u32::from_le_bytes(*bits));
            rest = after;
        }
        let [x1, y1, x2, y2, confidence] = numbers;
        let class = u32::try_from(take(&mut rest)?).ok()?;
        let parent = match take(&mut rest)? {
            0 => None,
            next => Some(u32::try_from(next - 1).ok()?),
        };
        let class_name = match usize::try_from(take(&mut rest)?).ok()? {
            0 => {
                let length = usize::try_from(take(&mut rest)?).ok()?;
                let (name, after) = rest.split_at_checked(length)?;
                rest = after;
                let name: Arc<str> = std::str::from_utf8(name).ok()?.into();
                names.push(Arc::clone(&name));
                name
            }
            place => Arc::clone(names.get(place - 1)?),
        };
        objects.push(Detection {
            bbox: [x1, y1, x2, y2],
            class,
            class_name,
            confidence,
            parent,
            sight: None,
        });
    }
    rest.is_empty().then_some(objects)
}

// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << (7 * place);
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::decode;
    use super::encode;
    use crate::answer::Answer;
    use crate::item::Detection;
    use crate::item::Fields;
    use crate::speech::Recognition;
    use crate::speech::Segment;
    use crate::speech::Word;
    use proptest::prelude::ProptestConfig;
    use proptest::prelude::Strategy;
    use proptest::prelude::any;
    use proptest::prop_assert;
    use proptest::prop_assert_eq;
    use proptest::proptest;
    use serde_json::json;

    const KEY: &[u8] = b"a frame of a video, and a stage";

    fn object() -> impl Strategy<Value = Detection> {
        let names = ["person", "traffic light", "", "自転車"];
        // Every bit pattern, NaN too.
        let numbers = any::<[u32; 5]>();
        let rest = (any::<u32>(), 0..names.len(), any::<Option<u32>>());
        (numbers, rest).prop_map(move |(bits, (class, name, parent))| {
            let [x1, y1, x2, y2, confidence] = bits.map(f32::from_bits);
            Detection {
                bbox: [x1, y1, x2, y2],
                class,
                class_name: names[name].into(),
                confidence,
                parent,
                sight: None,
            }
        })
    }

    fn bits(object: &Detection) -> (Vec<u32>, u32, &str, Option<u32>) {
        let numbers = object.bbox.iter().chain([&object.confidence]);
        let numbers = numbers.map(|number| number.to_bits()).collect();
        (numbers, object.class, &object.class_name, object.parent)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn objects_come_back_bit_by_bit(
            objects in proptest::collection::vec(object(), 0..40),
            at in any::<usize>(),
            bit in 0..8_u8,
        ) {
            let mut bytes = encode(KEY, &Answer::Objects(objects.clone())).unwrap();
            let Some(Answer::Objects(back)) = decode(KEY, &bytes) else {
                panic!("they do not come back");
            };
            let all = |objects: &[Detection]| objects.iter().map(bits).map(|it| format!("{it:?}")).collect::<Vec<_>>();
            prop_assert_eq!(all(&back), all(&objects));
            // One bit that is not as it was, and all is as if it were not there.
            let length = bytes.len();
            bytes[at % length] ^= 1 << bit;
            prop_assert!(decode(KEY, &bytes).is_none());
        }

        #[test]
        fn what_was_heard_comes_back_to_the_last_bit(
            times in proptest::collection::vec((any::<f64>(), any::<f32>()), 1..20),
            text in any::<String>(),
        ) {
            let finite = |(time, chance): &(f64, f32)| {
                let time = if time.is_finite() { *time } else { 0.1 };
                let chance = if chance.is_finite() { *chance } else { 0.1 };
                (time, chance)
            };
            let words = times.iter().map(finite).map(|(time, chance)| Word {
                start: time,
                end: time,
                word: text.clone(),
                probability: Some(chance),
            });
            let heard = Answer::Recognition(Recognition {
                language: Some("en".to_owned()),
                language_probability: Some(finite(&times[0]).1),
                segments: vec![Segment {
                    text: text.clone(),
                    words: words.collect(),
                    ..Segment::default()
                }],
            });
            let bytes = encode(KEY, &heard).unwrap();
            prop_assert_eq!(decode(KEY, &bytes), Some(heard));
        }

        #[test]
        fn no_bytes_are_misread(bytes in any::<Vec<u8>>()) {
            prop_assert!(decode(KEY, &bytes).is_none());
        }
    }

    #[test]
    fn fields_keep_their_order_and_their_numbers() {
        let values = json!({"b": 0.1, "a": [1, null, {"z": 1e-300, "y": "x"}], "n": u64::MAX});
        let fields = Answer::Fields(vec![Fields {
            parent: Some(3),
            values: values.as_object().unwrap().clone(),
        }]);
        let bytes = encode(KEY, &fields).unwrap();
        let back = decode(KEY, &bytes).unwrap();
        assert_eq!(back, fields);
        assert_eq!(format!("{back:?}"), format!("{fields:?}"));
    }

    #[test]
    fn an_answer_of_another_key_is_none() {
        let bytes = encode(KEY, &Answer::Objects(Vec::new())).unwrap();
        assert!(decode(KEY, &bytes).is_some());
        assert!(decode(b"another frame of a video, and a stage", &bytes).is_none());
    }

    #[test]
    fn ten_objects_take_less_than_300_bytes() {
        let object = |number: u32| Detection {
            bbox: [1234.5678, 345.678_9, 1456.7891, 678.912_3],
            class: number % 3,
            class_name: ["person", "bicycle", "traffic light"][number as usize % 3].into(),
            confidence: 0.876_543_2,
            parent: None,
            sight: None,
        };
        let bytes = encode(KEY, &Answer::Objects((0..10).map(object).collect())).unwrap();
        assert!(bytes.len() < 300, "{}", bytes.len());
    }
}
