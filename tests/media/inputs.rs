//! What counts as an input, and what is said of those that are none.

use crate::clips::Clips;
use crate::clips::corner;
use crate::clips::counting;
use crate::clips::luma_of;
use crate::clips::probe;
use crate::clips::sampled;
use crate::clips::wanted;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use vpipe::failure::Class;
use vpipe::media;
use vpipe::media::MediaError;
use vpipe::media::MediaInput;
use vpipe::name::VideoId;

fn refused(path: &Path) -> MediaError {
    match media::identify(path) {
        Ok(input) => media::probe(&input, VideoId(0), &wanted("1")).unwrap_err(),
        Err(error) => error,
    }
}

#[test]
fn a_folder_of_frames_is_read_in_the_order_of_its_names() {
    let clips = Clips::new();
    fs::create_dir(clips.path("folder")).unwrap();
    clips.make(
        "folder/%d.png",
        &format!("{} -frames:v 12", counting("1", "30")),
    );
    clips.make(
        "folder/x.jpg",
        "-f lavfi -i color=white:s=64x48 -frames:v 1",
    );
    fs::write(clips.path("folder/2b.jpg"), "no frame").unwrap();
    fs::write(clips.path("folder/notes.txt"), "no frame").unwrap();
    let folder = clips.path("folder");
    let facts = probe(&folder, "1");
    assert_eq!(facts.expected_frames, Some(14));
    assert_eq!(facts.codec, "png");
    let frames = sampled(&folder, "1");
    assert_eq!(frames.len(), 14);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.moment.index, index as u64);
        assert_eq!(frame.moment.frame_number, index as u64);
        match (index, &frame.content) {
            (2, content) => {
                let failure = content.as_ref().unwrap_err();
                assert_eq!(failure.class, Class::Media);
                assert!(failure.message.contains("2b.jpg"), "{failure}");
            }
            (13, _) => assert!(corner(frame) > 250),
            // A PNG is full range: what was 16 + n is stretched when it is made.
            (_, _) => {
                let number = if index < 2 { index } else { index - 1 };
                assert!(corner(frame).abs_diff(luma_of(number as u64)) <= 1);
            }
        }
    }
}

#[test]
fn content_decides_and_not_the_name() {
    let clips = Clips::new();
    let clip = clips.make("clip.mp4", &counting("1", "10"));
    let renamed = clips.path("clip.png");
    fs::copy(&clip, &renamed).unwrap();
    assert_eq!(
        media::identify(&renamed).unwrap(),
        MediaInput::Video(renamed.clone())
    );
    let content = |path: &Path| {
        let input = media::identify(path).unwrap();
        media::content(&input, &AtomicBool::new(false)).unwrap()
    };
    let bytes = fs::read(&clip).unwrap();
    assert_eq!(content(&clip).digest, blake3::hash(&bytes).to_string());
    assert_eq!(content(&clip).bytes, bytes.len() as u64);
    assert_eq!(content(&renamed), content(&clip));
    let frame = clips.make("frame.png", "-f lavfi -i color=white:s=8x8 -frames:v 1");
    let renamed = clips.path("frame.mp4");
    fs::copy(frame, &renamed).unwrap();
    assert!(matches!(
        media::identify(&renamed).unwrap(),
        MediaInput::Pictures { .. }
    ));
    let strange = clips.path("a %d: b'\u{e9}.mp4");
    fs::copy(&clip, &strange).unwrap();
    assert_eq!(sampled(&strange, "1").len(), 1);
}

#[test]
fn what_is_no_video_is_refused_in_one_sentence() {
    let clips = Clips::new();
    let text = "these are words\n".repeat(1000);
    fs::write(clips.path("text.mp4"), &text).unwrap();
    fs::write(clips.path("text.txt"), &text).unwrap();
    fs::write(clips.path("empty.mp4"), "").unwrap();
    fs::create_dir(clips.path("folder")).unwrap();
    let whole = fs::read(clips.make("whole.mp4", &counting("2", "30"))).unwrap();
    fs::write(clips.path("no-index.mp4"), &whole[..whole.len() / 2]).unwrap();
    let subtitles = "1\n00:00:00,000 --> 00:00:01,000\nwords\n";
    fs::write(clips.path("words.srt"), subtitles).unwrap();
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n";
    fs::write(clips.path("list.m3u8"), playlist).unwrap();
    for (name, wanted) in [
        ("missing.mp4", "there is no file or folder"),
        ("text.mp4", "is not a video"),
        ("text.txt", "is not a video"),
        ("empty.mp4", "is empty (0 bytes)"),
        ("folder", "no JPEG or PNG pictures"),
        ("no-index.mp4", "was cut short"),
        ("words.srt", "has no video stream"),
        ("list.m3u8", "is not a video"),
    ] {
        let message = refused(&clips.path(name)).to_string();
        assert!(
            message.contains(wanted) && message.contains(name),
            "{name}: {message}"
        );
        assert!(
            !message.contains('\n') && !message.ends_with('.'),
            "{message}"
        );
    }
}

#[test]
fn a_file_with_sound_alone_has_no_frames() {
    let clips = Clips::new();
    clips.make("cover.png", "-f lavfi -i color=red:s=64x64 -frames:v 1");
    let cover =
        "-f lavfi -i sine=d=1 -i cover.png -map 0 -map 1 -c:v copy -disposition:v attached_pic";
    for song in [
        clips.make("plain.mp4", "-f lavfi -i sine=d=1"),
        clips.make("with-cover.mp3", cover),
    ] {
        let facts = probe(&song, "1");
        assert!(facts.has_sound && !facts.has_frames());
        assert!((facts.duration.unwrap() - 1.0).abs() < 0.1, "{facts:?}");
        let input = media::identify(&song).unwrap();
        let wanted = wanted("1");
        let error = media::frames(&input, &facts, &wanted, Default::default()).err();
        assert!(matches!(error, Some(MediaError::NoVideoStream { .. })));
    }
}

#[test]
fn an_unknown_codec_is_named() {
    let clips = Clips::new();
    let clip = clips.make("clip.mkv", &format!("{} -c:v ffv1", counting("1", "10")));
    let mut bytes = fs::read(&clip).unwrap();
    let at = bytes.windows(4).position(|it| it == b"FFV1").unwrap();
    bytes[at..at + 4].copy_from_slice(b"QUIX");
    fs::write(&clip, bytes).unwrap();
    let error = refused(&clip);
    assert!(matches!(error, MediaError::NoDecoder { .. }), "{error}");
    assert!(error.to_string().contains("coded as QUIX"), "{error}");
}

#[test]
fn a_file_cut_short_gives_what_it_has() {
    let clips = Clips::new();
    let lossless = "-c:v libx264 -preset ultrafast -qp 0 -g 15";
    for name in ["cut.ts", "cut.mkv"] {
        let clip = clips.make(name, &format!("{} {lossless}", counting("4", "30")));
        let whole = fs::read(&clip).unwrap();
        fs::write(&clip, &whole[..whole.len() * 6 / 10]).unwrap();
        let frames = sampled(&clip, "5");
        assert!((8..16).contains(&frames.len()), "{name}: {}", frames.len());
        for frame in frames.iter().take(8) {
            assert_eq!(corner(frame), luma_of(frame.moment.frame_number));
        }
    }
}

// The early end of the frames at one a second, in seconds: where, and where it was stated.
fn early_end(clip: &Path) -> Option<(f64, f64)> {
    let input = media::identify(clip).unwrap();
    let wanted = wanted("1");
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let mut frames = media::frames(&input, &facts, &wanted, Default::default()).unwrap();
    assert!(frames.by_ref().count() > 0);
    frames.early_end().map(|early| (early.end, early.stated))
}

fn keep_bytes(clip: &Path, part: f64) {
    let whole = fs::read(clip).unwrap();
    let kept = (whole.len() as f64 * part) as usize;
    fs::write(clip, &whole[..kept]).unwrap();
}

#[test]
fn an_early_end_is_seen_by_time_however_few_frames_are_wanted() {
    let clips = Clips::new();
    let lossless = "-c:v libx264 -preset ultrafast -qp 0 -g 15 -movflags +faststart";
    // Each frame takes as many bytes as any other.
    let noise = "-f lavfi -i nullsrc=s=64x48:r=30:d=4,geq=lum=random(1)*255:cb=128:cr=128";
    for name in ["short.mp4", "short.mkv", "short.flv"] {
        let clip = clips.make(name, &format!("{noise} {lossless}"));
        assert_eq!(early_end(&clip), None, "{name} is whole");
        keep_bytes(&clip, 0.75);
        let (end, stated) = early_end(&clip).expect(name);
        assert!((end - 3.0).abs() < 0.15, "{name}: {end}");
        assert!((stated - 4.0).abs() < 0.05, "{name}: {stated}");
    }
}

#[test]
fn what_ends_where_it_should_has_no_early_end() {
    let clips = Clips::new();
    let source = counting("2", "30");
    let longer = format!("{source} -f lavfi -i sine=d=5 -c:v libx264 -c:a aac");
    for name in ["longer.mp4", "longer.mkv", "longer.flv"] {
        let clip = clips.make(name, &longer);
        assert_eq!(early_end(&clip), None, "{name}");
    }
    // A broadcast that begins within a group of frames.
    let stream = clips.make("whole.ts", &format!("{source} -c:v libx264 -g 15"));
    let whole = fs::read(&stream).unwrap();
    let within = whole.len() / 188 / 3 * 188;
    fs::write(&stream, &whole[within..]).unwrap();
    assert_eq!(early_end(&stream), None);
}

#[test]
fn a_high_dynamic_range_is_known() {
    let clips = Clips::new();
    let source = counting("1", "10");
    for (name, tag, wanted) in [
        ("pq.mp4", "smpte2084", Some("PQ")),
        ("hlg.mkv", "arib-std-b67", Some("HLG")),
        ("usual.mp4", "bt709", None),
    ] {
        let arguments = format!("{source} -c:v libx264 -color_trc {tag}");
        let clip = clips.make(name, &arguments);
        let input = media::identify(&clip).unwrap();
        let wanted_frames = crate::clips::wanted("1");
        let facts = media::probe(&input, VideoId(0), &wanted_frames).unwrap();
        let stop = Default::default();
        let frames = media::frames(&input, &facts, &wanted_frames, stop).unwrap();
        assert_eq!(frames.high_range(), wanted, "{name}");
    }
}

#[test]
fn damage_is_survived_and_counted() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=s=320x240:r=30:d=2 -c:v png";
    let clip = clips.make("damaged.mov", source);
    let mut bytes = fs::read(&clip).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0x55);
    fs::write(&clip, bytes).unwrap();
    let input = media::identify(&clip).unwrap();
    let wanted = wanted("30");
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let mut frames = media::frames(&input, &facts, &wanted, Default::default()).unwrap();
    let taken: Vec<_> = frames.by_ref().map(Result::unwrap).collect();
    assert_eq!(taken.len(), 60);
    let gaps: Vec<_> = taken.iter().filter(|it| it.content.is_err()).collect();
    assert!(!gaps.is_empty());
    assert_eq!(gaps.len() as u64, frames.damaged());
    assert_eq!(gaps[0].moment.index, gaps[0].moment.frame_number);
}

#[test]
fn a_stream_of_pictures_is_a_video_and_a_still_stays_one() {
    let clips = Clips::new();
    let source = counting("3.2", "25");
    // By its content, whatever it is called.
    for name in ["cam.mjpeg", "cam.jpg", "cam"] {
        let arguments = format!("{source} -c:v mjpeg -q:v 2 -f mjpeg");
        let clip = clips.make(name, &arguments);
        let frames = sampled(&clip, "1");
        let numbers: Vec<_> = frames.iter().map(|it| it.moment.frame_number).collect();
        assert_eq!(numbers, [0, 25, 50, 75], "{name}");
        for frame in &frames {
            assert!(corner(frame).abs_diff(luma_of(frame.moment.frame_number)) <= 2);
        }
    }
    let animated = clips.make(
        "anim.png",
        &format!("{} -plays 0 -f apng", counting("2.4", "5")),
    );
    let frames = sampled(&animated, "1");
    let numbers: Vec<_> = frames.iter().map(|it| it.moment.frame_number).collect();
    assert_eq!(numbers, [0, 5, 10]);
    for (name, format) in [
        ("one.png", "image2"),
        ("one.apng", "apng"),
        ("one.jpg", "mjpeg"),
    ] {
        let arguments = format!("-f lavfi -i color=white:s=64x48 -frames:v 1 -f {format}");
        let still = clips.make(name, &arguments);
        let input = media::identify(&still).unwrap();
        assert!(matches!(input, MediaInput::Pictures { .. }), "{name}");
        assert!(corner(&sampled(&still, "1")[0]) > 250, "{name}");
    }
    // A photograph with a preview behind it.
    clips.make("small.jpg", "-f lavfi -i color=red:s=16x16 -frames:v 1");
    let parts = ["one.jpg", "small.jpg"].map(|name| fs::read(clips.path(name)).unwrap());
    let photograph = clips.path("photograph.jpg");
    fs::write(&photograph, parts.concat()).unwrap();
    assert_eq!(sampled(&photograph, "1").len(), 1);
}

#[test]
fn an_animated_webp_is_read_or_named() {
    let clips = Clips::new();
    let arguments = format!("{} -c:v libwebp_anim", counting("2.4", "5"));
    if !crate::clips::can_encode(&arguments) {
        return;
    }
    let animated = clips.make("anim.webp", &arguments);
    let input = media::identify(&animated).unwrap();
    match media::probe(&input, VideoId(0), &wanted("1")) {
        Ok(_) => assert_eq!(sampled(&animated, "1").len(), 3),
        Err(error) => assert!(error.to_string().contains("is an animated WebP"), "{error}"),
    }
    let still = clips.make("still.webp", "-f lavfi -i color=white:s=64x48 -frames:v 1");
    assert_eq!(sampled(&still, "1").len(), 1);
}

#[test]
fn what_is_no_file_is_told_at_once() {
    media::init();
    for (name, wanted) in [
        (
            "https://127.0.0.1:9/clip.mp4?size=2",
            "is an address: download it first",
        ),
        ("rtsp://127.0.0.1/live", "is an address"),
        ("-", "is a pipe"),
        ("C:\\none.mp4", "there is no file"),
    ] {
        let error = media::identify(Path::new(name)).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains(name), "{error}");
    }
    #[cfg(unix)]
    {
        let clips = Clips::new();
        let pipe = clips.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let error = media::identify(&pipe).unwrap_err().to_string();
        assert!(error.contains("is a pipe"), "{error}");
    }
}

#[test]
fn a_stream_that_cannot_be_decoded_gives_way_to_one_that_can() {
    let clips = Clips::new();
    let sound = "-f lavfi -i sine=d=1 -f lavfi -i sine=d=1";
    let arguments = format!(
        "{} {} {sound} -map 1 -map 0 -map 2 -map 3 -c:v:0 ffv1 -c:v:1 libx264 -c:a:0 flac \
         -c:a:1 pcm_s16le -disposition:v:0 default -disposition:a:0 default",
        counting("1", "10"),
        "-f lavfi -i color=white:s=320x240:r=10:d=1",
    );
    let clip = clips.make("clip.mkv", &arguments);
    let mut bytes = fs::read(&clip).unwrap();
    for (name, unknown) in [
        (b"FFV1".as_slice(), b"QUIX"),
        (b"A_FLAC".as_slice(), b"A_QU"),
    ] {
        let at = bytes.windows(name.len()).position(|it| it == name).unwrap();
        bytes[at..at + 4].copy_from_slice(unknown);
    }
    fs::write(&clip, bytes).unwrap();
    let facts = probe(&clip, "1");
    assert_eq!((facts.size.width, facts.codec.as_str()), (64, "h264"));
    let input = media::identify(&clip).unwrap();
    let stop = std::sync::Arc::default();
    let frames = media::frames(&input, &facts, &wanted("1"), stop).unwrap();
    assert_eq!(frames.instead_of(), Some("QUIX"));
    assert_eq!(frames.map(Result::unwrap).count(), 1);
    let wanted = media::SoundSelection::default();
    let pieces = media::sound(&input, &facts, &wanted, Default::default()).unwrap();
    assert!(pieces.instead_of().is_some());
    assert!(pieces.map(Result::unwrap).count() > 0);
}

// What a file of a stranger says that would have FFmpeg open another one, by its path.
const MANIFESTS: [(&str, &str); 6] = [
    (
        "dash",
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT1S\" profiles=\"urn:mpeg:dash:profile:isoff-main:2011\">\n\
         <Period><AdaptationSet contentType=\"video\"><Representation id=\"0\" \
         mimeType=\"video/mp4\" bandwidth=\"1\"><BaseURL>SECRET</BaseURL></Representation>\
         </AdaptationSet></Period>\n</MPD>\n",
    ),
    ("concat", "ffconcat version 1.0\nfile 'SECRET'\n"),
    ("safe concat", "ffconcat version 1.0\nfile secret.mp4\n"),
    (
        "hls",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nSECRET\n#EXT-X-ENDLIST\n",
    ),
    (
        "sdp",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ),
    ("mpsub", "FORMAT=TIME\nFILE=SECRET\n0 1\ntext\n"),
];

#[test]
fn a_manifest_leads_to_no_other_file() {
    let clips = Clips::new();
    let secret = clips.make("secret.mp4", &counting("1", "10"));
    for (name, text) in MANIFESTS {
        let manifest = clips.path("holiday.mp4");
        fs::write(&manifest, text.replace("SECRET", secret.to_str().unwrap())).unwrap();
        let error = refused(&manifest);
        assert!(
            matches!(error, MediaError::NotVideo { .. }),
            "{name}: {error}"
        );
        assert!(!error.to_string().contains("secret"), "{name}: {error}");
    }
}
