//! What the pixels are: size, turn, range, colours, and the way to JPEG.

use crate::clips::Clips;
use crate::clips::corner;
use crate::clips::fps;
use crate::clips::probe;
use crate::clips::sampled;
use crate::clips::take;
use std::path::Path;
use vpipe::item::Frame;
use vpipe::item::PixelFormat;
use vpipe::item::Pixels;
use vpipe::item::Size;
use vpipe::media;
use vpipe::media::VideoSelection;

fn pixels(frame: &Frame) -> &Pixels {
    frame.content.as_ref().unwrap().pixels.as_ref().unwrap()
}

fn rgb_at(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
    let pixels = pixels(frame);
    let start = y * pixels.stride + x * 3;
    pixels.data[start..start + 3].try_into().unwrap()
}

fn first(path: &Path, max_side: u32, format: PixelFormat) -> Frame {
    take(path, &VideoSelection::new(fps("1"), max_side, format)).remove(0)
}

fn near(got: [u8; 3], wanted: [u8; 3], tolerance: u8) -> bool {
    got.iter()
        .zip(wanted)
        .all(|(a, b)| a.abs_diff(b) <= tolerance)
}

const CORNERS: &str = "-f lavfi -i color=red:s=32x24:r=5:d=1 -f lavfi -i color=lime:s=32x24:r=5:d=1 \
    -f lavfi -i color=blue:s=32x24:r=5:d=1 -f lavfi -i color=white:s=32x24:r=5:d=1 \
    -filter_complex [0][1]hstack[a];[2][3]hstack[b];[a][b]vstack";
const RED: [u8; 3] = [255, 0, 0];
const LIME: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];

#[test]
fn frames_stand_as_they_are_shown() {
    let clips = Clips::new();
    clips.make("flat.mp4", &format!("{CORNERS} -c:v libx264 -qp 1"));
    // FFmpeg's option counts against the clock.
    for (option, degrees, corners) in [
        (0, 0, [RED, LIME, BLUE, WHITE]),
        (270, 90, [BLUE, RED, WHITE, LIME]),
        (180, 180, [WHITE, BLUE, LIME, RED]),
        (90, 270, [LIME, WHITE, RED, BLUE]),
    ] {
        let arguments = format!("-i flat.mp4 -c copy -metadata:s:v:0 rotate={option}");
        let clip = clips.make("turned.mp4", &arguments);
        let facts = probe(&clip, "1");
        assert_eq!(facts.rotation, degrees);
        for (max_side, format) in [(64, PixelFormat::Rgb24), (32, PixelFormat::Rgb24)] {
            let frame = first(&clip, max_side, format);
            let Size { width, height } = frame.size;
            assert_eq!(frame.source, facts.size);
            assert_eq!(frame.size, facts.size.within(max_side));
            assert_eq!(width > height, degrees % 180 == 0);
            let (right, bottom) = (width as usize - 3, height as usize - 3);
            let got = [(2, 2), (right, 2), (2, bottom), (right, bottom)]
                .map(|(x, y)| rgb_at(&frame, x, y));
            for (got, wanted) in got.into_iter().zip(corners) {
                assert!(near(got, wanted, 6), "{degrees}: {got:?} for {wanted:?}");
            }
        }
        let jpeg = jpeg_to_rgb(&clips, &first(&clip, 32, PixelFormat::I420));
        assert!(near(jpeg[0], corners[0], 12), "{degrees}: {jpeg:?}");
    }
}

// Writes the frame as JPEG, and reads back its first and last pixel with FFmpeg.
fn jpeg_to_rgb(clips: &Clips, frame: &Frame) -> [[u8; 3]; 2] {
    let jpeg = media::encode_jpeg(pixels(frame), frame.size, 95).unwrap();
    std::fs::write(clips.path("one.jpg"), jpeg).unwrap();
    let raw = clips.make("one.rgb", "-i one.jpg -f rawvideo -pix_fmt rgb24");
    let bytes = std::fs::read(raw).unwrap();
    let Size { width, height } = frame.size;
    assert_eq!(bytes.len(), (width * height * 3) as usize);
    let at = |start: usize| bytes[start..start + 3].try_into().unwrap();
    [at(0), at(bytes.len() - 3)]
}

#[test]
fn limited_range_becomes_the_full_range_of_jpeg() {
    let clips = Clips::new();
    let source = "-f lavfi -i nullsrc=s=64x48:r=5:d=1,format=yuv420p,geq=lum=if(lt(X\\,32)\\,16\\,235):cb=128:cr=128";
    for (name, arguments) in [
        ("limited.mp4", "-c:v libx264 -qp 0"),
        ("ten.mp4", "-pix_fmt yuv420p10le -c:v libx264 -qp 0"),
        (
            "full.mp4",
            "-vf scale=out_range=full -color_range pc -c:v libx264 -qp 0",
        ),
        ("wide.mp4", "-pix_fmt yuv444p -c:v libx264 -qp 0"),
    ] {
        let clip = clips.make(name, &format!("{source} {arguments}"));
        let frame = &sampled(&clip, "1")[0];
        let row = &pixels(frame).data[..64];
        assert!(
            row[0] <= 1 && row[63] >= 254,
            "{name}: {} to {}",
            row[0],
            row[63]
        );
        let [black, white] = jpeg_to_rgb(&clips, frame);
        assert!(
            near(black, [0; 3], 3) && near(white, WHITE, 3),
            "{name}: {black:?} {white:?}"
        );
        let rgb = first(&clip, 64, PixelFormat::Rgb24);
        assert!(
            near(rgb_at(&rgb, 0, 9), [0; 3], 2) && near(rgb_at(&rgb, 63, 9), WHITE, 2),
            "{name}"
        );
    }
}

#[test]
fn colours_of_high_definition_survive() {
    let clips = Clips::new();
    for (matrix, tag) in [
        ("bt709", "bt709"),
        ("bt601", "smpte170m"),
        ("bt2020", "bt2020nc"),
    ] {
        let clip = clips.make(
            "matrix.mp4",
            &format!(
                "-f lavfi -i color=0xc04080:s=64x48:r=5:d=1,format=rgb24,scale=out_color_matrix={matrix}:out_range=tv,format=yuv444p -c:v libx264 -qp 0 -colorspace {tag}"
            ),
        );
        let wanted = [0xc0, 0x40, 0x80];
        let rgb = rgb_at(&first(&clip, 64, PixelFormat::Rgb24), 30, 30);
        assert!(near(rgb, wanted, 3), "{matrix}: {rgb:?}");
        let [jpeg, _] = jpeg_to_rgb(&clips, &sampled(&clip, "1")[0]);
        assert!(near(jpeg, wanted, 4), "{matrix}: {jpeg:?}");
    }
}

#[test]
fn larger_frames_are_scaled_and_odd_ones_left() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=r=5:d=1:s=";
    let large = clips.make(
        "large.mp4",
        &format!("{source}1920x1080 -c:v libx264 -preset ultrafast"),
    );
    let frame = &sampled(&large, "1")[0];
    assert_eq!((frame.size.width, frame.size.height), (1280, 720));
    assert_eq!((frame.source.width, frame.source.height), (1920, 1080));
    let odd = clips.make(
        "odd.mkv",
        &format!("{source}202x150 -vf scale=101:75 -c:v ffv1 -pix_fmt yuv420p"),
    );
    let frame = &sampled(&odd, "1")[0];
    assert_eq!((frame.size.width, frame.size.height), (101, 75));
    let it = pixels(frame);
    assert_eq!(
        it.data.len(),
        it.stride * 75 + 2 * it.stride.div_ceil(2) * 38
    );
    media::encode_jpeg(it, frame.size, 85).unwrap();
    let rgb = first(&odd, 1280, PixelFormat::Rgb24);
    media::encode_jpeg(pixels(&rgb), rgb.size, 85).unwrap();
}

#[test]
fn png_is_read_without_loss_and_photographs_upright() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=s=61x47,format=rgb24 -frames:v 1";
    let png = clips.make("one.png", source);
    let raw = clips.make("raw.rgb", "-i one.png -f rawvideo -pix_fmt rgb24");
    let wanted = std::fs::read(raw).unwrap();
    let frame = first(&png, 1280, PixelFormat::Rgb24);
    let got: Vec<u8> = pixels(&frame)
        .data
        .chunks(pixels(&frame).stride)
        .flat_map(|row| &row[..61 * 3])
        .copied()
        .collect();
    assert_eq!(got, wanted);
    let grey = clips.make(
        "grey.png",
        "-f lavfi -i nullsrc=s=16x16,format=gray,geq=60 -frames:v 1",
    );
    assert_eq!(
        rgb_at(&first(&grey, 1280, PixelFormat::Rgb24), 4, 4),
        [60; 3]
    );
    assert_eq!(corner(&first(&grey, 1280, PixelFormat::I420)), 60);

    let flat = clips.make("flat.jpg", &format!("{CORNERS} -frames:v 1 -q:v 1"));
    let upright = clips.path("upright.jpg");
    std::fs::write(&upright, with_orientation(&std::fs::read(flat).unwrap(), 6)).unwrap();
    let facts = probe(&upright, "1");
    assert_eq!((facts.size.width, facts.size.height), (48, 64));
    let frame = first(&upright, 1280, PixelFormat::Rgb24);
    assert!(near(rgb_at(&frame, 2, 2), BLUE, 12));
    assert!(near(rgb_at(&frame, 45, 2), RED, 12));
}

// The corners as Pillow's `ImageOps.exif_transpose` shows them, row by row.
#[test]
fn photographs_of_every_format_are_turned_as_their_tag_says() {
    let clips = Clips::new();
    let still = |name: &str, options: &str| {
        let made = clips.make(name, &format!("{CORNERS} -frames:v 1 {options}"));
        std::fs::read(made).unwrap()
    };
    let jpeg = still("flat.jpg", "-q:v 1");
    let png = still("flat.png", "-pix_fmt rgb24");
    let animated = still("flat.apng", "-f apng -plays 0 -frames:v 3");
    let webp = still("flat.webp", "-c:v libwebp -quality 100");
    for (orientation, corners) in [
        (1, [RED, LIME, BLUE, WHITE]),
        (2, [LIME, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, LIME, RED]),
        (4, [BLUE, WHITE, RED, LIME]),
        (5, [RED, BLUE, LIME, WHITE]),
        (6, [BLUE, RED, WHITE, LIME]),
        (7, [WHITE, LIME, BLUE, RED]),
        (8, [LIME, WHITE, RED, BLUE]),
    ] {
        for (name, photograph) in [
            ("turned.jpg", with_orientation(&jpeg, orientation)),
            ("turned.png", png_with_orientation(&png, orientation)),
            ("turned.apng", png_with_orientation(&animated, orientation)),
            ("turned.webp", webp_with_orientation(&webp, orientation)),
        ] {
            let path = clips.path(name);
            std::fs::write(&path, photograph).unwrap();
            let frame = first(&path, 1280, PixelFormat::Rgb24);
            let (w, h) = (frame.size.width as usize, frame.size.height as usize);
            assert_eq!((w, h), if orientation < 5 { (64, 48) } else { (48, 64) });
            let facts = probe(&path, "1");
            assert_eq!(facts.size, frame.source, "{name}, {orientation}");
            let shown = [(2, 2), (w - 3, 2), (2, h - 3), (w - 3, h - 3)];
            for ((x, y), wanted) in shown.into_iter().zip(corners) {
                let got = rgb_at(&frame, x, y);
                assert!(
                    near(got, wanted, 12),
                    "{name}, {orientation}: {got:?} for {wanted:?}"
                );
            }
        }
    }
}

// The tags of a photograph, of which there is one: 0x0112.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

// The first chunk, `IHDR`, ends at byte 33; the checksum is that of name and data.
fn png_with_orientation(png: &[u8], orientation: u8) -> Vec<u8> {
    let chunk = [b"eXIf".to_vec(), exif(orientation)].concat();
    let mut crc = u32::MAX;
    for byte in &chunk {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    [
        &png[..33],
        &length,
        &chunk,
        &(!crc).to_be_bytes(),
        &png[33..],
    ]
    .concat()
}

// In the extended form: flags (8 for these tags), and the size of the canvas less one.
fn webp_with_orientation(webp: &[u8], orientation: u8) -> Vec<u8> {
    let tags = exif(orientation);
    let extended = [8, 0, 0, 0, 63, 0, 0, 47, 0, 0];
    let mut body = b"WEBP".to_vec();
    for (name, data) in [(b"VP8X", &extended[..]), (b"EXIF", &tags)] {
        if name == b"EXIF" {
            body.extend(&webp[12..]);
        }
        body.extend(name);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(data);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

// Puts an Exif block with one tag, 0x0112, behind the start of a JPEG.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [b"Exif\0\0".to_vec(), exif(orientation)].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn pixels_that_are_not_square_are_shown_as_players_show_them() {
    let clips = Clips::new();
    let flat = format!("{CORNERS},scale=64:96:flags=neighbor");
    for (name, options) in [
        ("wide.mp4", "-c:v libx264 -qp 1"),
        ("wide.mkv", "-c:v libx264 -qp 1"),
        ("wide.ts", "-c:v libx264 -qp 1"),
        ("wide.mov", "-c:v mjpeg -q:v 1"),
    ] {
        let clip = clips.make(name, &format!("{flat},setsar=3 {options}"));
        let facts = probe(&clip, "1");
        let frame = first(&clip, 96, PixelFormat::Rgb24);
        for size in [facts.size, frame.source] {
            assert_eq!((size.width, size.height), (192, 96), "{name}");
        }
        assert_eq!((frame.size.width, frame.size.height), (96, 48), "{name}");
        for (at, wanted) in [((2, 2), RED), ((93, 2), LIME), ((93, 45), WHITE)] {
            let got = rgb_at(&frame, at.0, at.1);
            assert!(near(got, wanted, 12), "{name}: {got:?} for {wanted:?}");
        }
    }
    // Turned as well: what was three times as wide is three times as high.
    let arguments = "-i wide.mp4 -c copy -metadata:s:v:0 rotate=90";
    let turned = clips.make("turned.mp4", arguments);
    let size = first(&turned, 1280, PixelFormat::I420).size;
    assert_eq!((size.width, size.height), (96, 192));
    assert_eq!(size, probe(&turned, "1").size);
}

#[test]
fn a_stream_that_changes_the_size_of_its_frames_states_one() {
    let clips = Clips::new();
    let part = |name: &str, size: &str, aspect: &str| {
        let arguments = format!(
            "{CORNERS},scale={size}:flags=neighbor,setsar={aspect} -c:v libx264 -qp 1 -bf 0"
        );
        clips.make(name, &arguments)
    };
    // Down, up, and to another shape of pixels.
    let parts = [
        part("a.ts", "128:96", "1"),
        part("b.ts", "64:48", "1"),
        part("c.ts", "256:192", "1"),
        part("d.ts", "64:96", "2"),
    ];
    let joined = parts.map(|part| std::fs::read(part).unwrap()).concat();
    let clip = clips.path("joined.ts");
    std::fs::write(&clip, joined).unwrap();
    let facts = probe(&clip, "1");
    assert_eq!((facts.size.width, facts.size.height), (128, 96));
    let frames = take(
        &clip,
        &VideoSelection::new(fps("1"), 1280, PixelFormat::Rgb24),
    );
    let sizes: Vec<_> = frames
        .iter()
        .map(|it| (it.size.width, it.size.height))
        .collect();
    assert_eq!(sizes, [(128, 96), (64, 48), (256, 192), (128, 96)]);
    for frame in &frames {
        assert_eq!(frame.source, facts.size);
        let right = frame.size.width as usize - 3;
        assert!(near(rgb_at(frame, right, 2), LIME, 12));
    }
}
