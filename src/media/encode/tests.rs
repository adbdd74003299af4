//! Each encoder that may be chosen writes what it is given: by FFmpeg's own programs, frame by frame.

use crate::facts::VideoFacts;
use crate::item::Content;
use crate::item::Frame;
use crate::item::Moment;
use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::encode::picture::ENCODERS;
use crate::media::encode::picture::PictureEncoder;
use crate::media::encode::writer::VideoOrigin;
use crate::media::encode::writer::VideoWriter;
use crate::name::VideoId;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use crate::time::TimeRanges;
use ffmpeg_next::encoder;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Odd, as some videos are.
const SIZE: Size = Size {
    width: 65,
    height: 49,
};

/// In ticks of an MPEG stream, which are more than MPEG-4 counts; not evenly spaced.
const TIMES: [i64; 6] = [0, 3_000, 9_000, 12_000, 18_000, 21_000];

const COLOURS: [[u8; 3]; 6] = [
    [200, 40, 40],
    [40, 180, 60],
    [50, 60, 200],
    [230, 230, 230],
    [20, 20, 20],
    [180, 170, 40],
];

fn frame(index: u64, ticks: i64, colour: [u8; 3]) -> Frame {
    let count = (SIZE.width * SIZE.height) as usize;
    let pixels = Pixels {
        format: PixelFormat::Rgb24,
        data: colour.repeat(count).into(),
        stride: SIZE.width as usize * 3,
    };
    Frame {
        moment: Moment {
            video: VideoId::FIRST,
            index,
            frame_number: index,
            pts: Pts(ticks),
            seconds: ticks as f64 / 90_000.0,
            samples: 1,
            part: None,
        },
        source: SIZE,
        size: SIZE,
        content: Ok(Content {
            pixels: Some(pixels),
            jpeg: None,
        }),
    }
}

fn facts(path: &Path) -> VideoFacts {
    VideoFacts {
        id: VideoId::FIRST,
        path: path.into(),
        size: SIZE,
        duration: None,
        fps: Ratio::new(20, 1),
        codec: String::new(),
        rotation: 0,
        has_sound: false,
        first_frame: None,
        expected_frames: None,
        wanted: TimeRanges::default(),
    }
}

fn said(program: &str, words: &str, file: &Path) -> Vec<u8> {
    let (before, after) = words.split_once("FILE").unwrap();
    let done = Command::new(program)
        .args(["-v", "error"])
        .args(before.split_whitespace())
        .arg(file)
        .args(after.split_whitespace())
        .output()
        .unwrap();
    assert!(done.status.success(), "{program} {words}");
    done.stdout
}

#[test]
fn every_encoder_writes_every_frame_at_its_time() {
    crate::media::init();
    let folder = tempfile::tempdir().unwrap();
    let mut tried = Vec::new();
    for known in &ENCODERS {
        if encoder::find_by_name(known.name).is_none() {
            continue;
        }
        let path = folder.path().join(format!("{}.mp4", known.name));
        let facts = facts(&path);
        let base = TimeBase::new(1, 90_000).unwrap();
        let picture = PictureEncoder::open_as(known, SIZE, base, Some(20.0)).unwrap();
        let origin = VideoOrigin {
            facts: &facts,
            base,
            begin: 0.0,
            end: None,
        };
        let file = File::create(&path).unwrap();
        let mut writer =
            VideoWriter::of(picture, file, &origin, Vec::new(), Arc::default()).unwrap();
        for (index, (ticks, colour)) in (0..).zip(TIMES.into_iter().zip(COLOURS)) {
            writer.add(&frame(index, ticks, colour)).unwrap();
        }
        let written = writer.finish(0.3).unwrap();
        assert_eq!((written.frames, written.encoder), (6, known.name));
        let words =
            "-select_streams v -show_entries packet=pts_time,duration_time -of csv=p=0 FILE";
        let times = String::from_utf8(said("ffprobe", words, &path)).unwrap();
        let expected = [
            "0.000000,0.033333",
            "0.033333,0.066667",
            "0.100000,0.033333",
            "0.133333,0.066667",
            "0.200000,0.033333",
            "0.233333,0.066667",
        ];
        let told: Vec<&str> = times
            .lines()
            .map(|line| line.trim_end_matches(','))
            .collect();
        assert_eq!(told, expected, "{}", known.name);
        let words = "-i FILE -vsync 0 -f rawvideo -pix_fmt rgb24 -";
        let pixels = said("ffmpeg", words, &path);
        let bytes = 66 * 50 * 3;
        assert_eq!(pixels.len(), 6 * bytes, "{}", known.name);
        for (frame, colour) in pixels.chunks(bytes).zip(COLOURS) {
            let middle = &frame[(25 * 66 + 33) * 3..][..3];
            let apart = middle.iter().zip(colour).map(|(a, b)| a.abs_diff(b)).max();
            assert!(apart <= Some(12), "{}: {middle:?} {colour:?}", known.name);
        }
        tried.push(known.name);
    }
    // Every FFmpeg has it.
    assert!(tried.contains(&"mpeg4"), "{tried:?}");
}
