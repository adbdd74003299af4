//! What each video is called on a page of several: no more than tells it from the others.
//!
//! Pure.

use crate::output::page::page::PageVideo;

/// The name of each video: of its file alone, with its folders where others have that name, and with the
/// file of its results where others have those too.
pub(super) fn names(videos: &[PageVideo<'_>]) -> Vec<String> {
    let whole = |video: &PageVideo<'_>| video.results.video.clone();
    let of_file = |video: &PageVideo<'_>| {
        let mut parts = video.results.video.rsplit(['/', '\\']);
        let name = parts.find(|part| !part.is_empty());
        name.unwrap_or(&video.results.video).to_owned()
    };
    let with_results = |video: &PageVideo<'_>| match video.file {
        Some(file) => format!("{} ({})", video.results.video, file.display()),
        None => whole(video),
    };
    let is_shared = |video: &PageVideo<'_>, name: &dyn Fn(&PageVideo<'_>) -> String| {
        let same = videos.iter().filter(|other| name(other) == name(video));
        same.count() > 1
    };
    let name = |video: &PageVideo<'_>| match (is_shared(video, &of_file), is_shared(video, &whole))
    {
        (false, _) => of_file(video),
        (true, false) => whole(video),
        (true, true) => with_results(video),
    };
    videos.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::output::page::address::VideoAddress;
    use crate::output::page::page::PageVideo;
    use crate::output::results::results::Results;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn a_name_tells_a_video_from_the_others() {
        let results = |video: &str| -> Results {
            serde_json::from_value(json!({
                "format": 1, "video": video, "processed_at": "", "processing_time": 0.0,
                "config": {}, "models": {}, "failures": [], "run": {"version": "0", "stages": {}},
                "source": {"width": 0, "height": 0, "codec": "", "rotation": 0, "digest": ""},
                "summary": {"frames": 0, "failed": 0, "skipped": 0, "objects": 0, "classes": {}},
                "detections": [], "transcription": {"skipped": "nobody listened"},
            }))
            .unwrap()
        };
        let all = [
            ("gate.mp4", "out/gate_results.json"),
            ("x/clip.mp4", "out/x.json"),
            ("y\\clip.mp4", "out/y.json"),
            ("z/clip.mp4", "mon/z.json"),
            ("z/clip.mp4", "tue/z.json"),
            ("frames/", "out/frames_results.json"),
        ];
        let all = all.map(|(video, file)| (results(video), file));
        let videos = all.each_ref().map(|(results, file)| PageVideo {
            results,
            file: Some(Path::new(file)),
            address: VideoAddress::Pictures,
            pictures: Vec::new(),
        });
        let told = [
            "gate.mp4",
            "x/clip.mp4",
            "y\\clip.mp4",
            "z/clip.mp4 (mon/z.json)",
            "z/clip.mp4 (tue/z.json)",
            "frames",
        ];
        assert_eq!(names(&videos), told);
    }
}
