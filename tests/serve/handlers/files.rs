//! The files that jobs hold, by name, and models whose batch axis is free.

use crate::support::free_batch as model;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vpipe::item::Frame;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::speech::Codec;
use vpipe::time::Ratio;

/// The clip of the demo: shapes that move, and a voice that says so.
pub(crate) fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo/clip.mp4")
}

/// The frames of a file, one a second, as a run has them.
pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    media::init();
    let mut wanted = VideoSelection::new(Ratio::ONE, 1280, PixelFormat::Rgb24);
    wanted.decoders = 1;
    let input = media::identify(path).unwrap();
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let frames = media::frames(&input, &facts, &wanted, Arc::<AtomicBool>::default());
    frames.unwrap().map(Result::unwrap).collect()
}

/// Frame `number` of the clip as PNG.
pub(crate) fn png(number: usize) -> Vec<u8> {
    let frame = &frames(&clip())[number];
    let content = frame.content.as_ref().unwrap();
    let png = media::encode_png(content.pixels.as_ref().unwrap(), frame.size);
    png.unwrap().to_vec()
}

fn jpeg(number: usize) -> Vec<u8> {
    let frame = &frames(&clip())[number];
    let content = frame.content.as_ref().unwrap();
    let jpeg = media::encode_jpeg(content.pixels.as_ref().unwrap(), frame.size, 90);
    jpeg.unwrap().to_vec()
}

/// Files in base64, by the names that jobs give them.
pub(crate) type Files = BTreeMap<&'static str, String>;

/// All files that jobs name.
pub(crate) fn files() -> Files {
    let (png, jpeg) = (png(3), jpeg(3));
    let wave = |samples: Vec<i16>| media::encode_sound(&samples, Codec::Wav).unwrap().to_vec();
    let half = |file: &[u8]| file[..file.len() / 2].to_vec();
    // How a camera says that it was held upright (Exif 2.3, 4.6.4: orientation 6).
    let exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let huge_jpeg =
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xd9";
    let huge_png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xdc\0\0\xff\xdc\x08\x02\0\0\0";
    // A header that states a small size, before the one that is decoded.
    let small = b"\xff\xd8\xff\xc0\0\x11\x08\0\x10\0\x10\x03\x01\x22\0\x02\x11\x01\x03\x11\x01";
    let files = [
        ("$two-sizes.jpg", [&small[..], &jpeg[2..]].concat()),
        ("$turned.jpg", [&jpeg[..2], exif, &jpeg[2..]].concat()),
        ("$cut.jpg", half(&jpeg)),
        ("$cut.png", half(&png)),
        ("$mute.mjpeg", [&jpeg[..], &jpeg, &jpeg].concat()),
        ("$frame.jpg", jpeg),
        ("$frame.png", png),
        ("$huge.jpg", huge_jpeg.to_vec()),
        ("$huge.png", huge_png.to_vec()),
        (
            "$picture.bmp",
            b"BM\x36\x84\x03\0\0\0\0\0\x36\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
        ),
        ("$text", b"this is a text".to_vec()),
        (
            "$playlist",
            b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".to_vec(),
        ),
        ("$silence.wav", wave(vec![0; 16_000])),
        ("$cut.wav", b"RIFF\x24\0\0\0WAVE".to_vec()),
        ("$clip.mp4", std::fs::read(clip()).unwrap()),
    ];
    let coded = files.map(|(name, file)| (name, STANDARD.encode(file)));
    coded.into_iter().collect()
}

/// The same input with files in place of their names.
pub(crate) fn filled(input: &Value, files: &Files) -> Value {
    match input {
        Value::String(text) => match text.strip_prefix("data-url:") {
            Some(name) => format!("data:image/png;base64,{}", files[name]).into(),
            None => files.get(text.as_str()).unwrap_or(text).as_str().into(),
        },
        Value::Array(list) => list.iter().map(|it| filled(it, files)).collect(),
        Value::Object(keys) => {
            let keys = keys
                .iter()
                .map(|(key, it)| (key.clone(), filled(it, files)));
            Value::Object(keys.collect())
        }
        other => other.clone(),
    }
}

/// A model file of the built-in detector with a free batch axis; see [`model::free_batch`].
pub(crate) fn free_batch(folder: &Path, is_honest: bool) -> PathBuf {
    let name = if is_honest { "free.onnx" } else { "false.onnx" };
    let path = folder.join(name);
    std::fs::write(&path, model::free_batch(is_honest)).unwrap();
    path
}
