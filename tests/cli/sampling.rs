//! The same videos at another `fps`: what was asked of a frame is not asked again, whatever else is
//! made of it.

use crate::support::fleet::Fleet;
use crate::support::fleet::Setting;
use crate::support::program::vpipe_beside;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const RECIPE: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
[stages.extract]
fps = 2
dedup = DEDUP
[stages.first]
kind = "yolo"
inputs = ["extract"]
backend = "fleet"
[stages.second]
kind = "yolo"
inputs = ["first.crops"]
backend = "fleet"
padding = 0.1
filter = "confidence > 0.7"
[stages.save]
inputs = ["extract"]
name = "{{ video.stem }}/{{ frame.frame_number }}"
[stages.merge]
inputs = ["first", "second", "save"]
primary = "first"
"#;

// Eight seconds in which every frame is another, or two a second are.
fn clip(path: &Path, rate: u32) {
    let source = format!("testsrc=size=320x180:rate={rate}:duration=8,noise=alls=40:allf=t,fps=8");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source])
        .args(["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

struct Runs {
    folder: TempDir,
    fleet: Fleet,
}

impl Runs {
    async fn new(dedup: bool, rate: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let recipe = RECIPE.replace("DEDUP", &dedup.to_string());
        fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
        clip(&folder.path().join("a.avi"), rate);
        let setting = Setting {
            by_content: true,
            ..Setting::default()
        };
        let fleet = Fleet::of(setting).await;
        Self { folder, fleet }
    }

    // The results at `fps`, and how many frames and crops were asked about that were not before.
    async fn at(&self, fps: &str) -> (Value, usize) {
        let before = self.fleet.sizes().iter().sum::<usize>();
        let words = ["run", "recipe.toml", "a.avi", "--fps", fps];
        let said = vpipe_beside(self.folder.path(), &words, &self.fleet.variables()).await;
        assert_eq!(said.code, 0, "{}", said.talk);
        let path = self.folder.path().join("output/a_results.json");
        let mut results: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let fields = results.as_object_mut().unwrap();
        for varies in ["processed_at", "processing_time", "run"] {
            fields.remove(varies);
        }
        let images = self.fleet.jobs().into_iter().flat_map(|(_, images)| images);
        let images: Vec<u64> = images.collect();
        let once: BTreeSet<u64> = images.iter().copied().collect();
        assert_eq!(
            images.len(),
            once.len(),
            "something was asked again at {fps}"
        );
        (results, images.len() - before)
    }
}

// Runs at 2, 1, 4 and 2 frames a second: how often a model is asked by the first and the third of
// them, and by the third where nothing is known. The others ask nothing.
async fn assert_asks(runs: [Runs; 2], [first, third, unknown]: [usize; 3]) {
    let [runs, alone] = runs;
    let frames = |results: &Value| results["detections"].as_array().unwrap().len();
    let (two, asked) = runs.at("2").await;
    assert_eq!(asked, first);
    let (one, asked) = runs.at("1").await;
    assert_eq!((frames(&one), asked), (8, 0));
    let (four, asked) = runs.at("4").await;
    assert_eq!((frames(&four), asked), (32, third));
    assert_eq!(runs.at("2").await, (two, 0));
    assert_eq!(alone.at("4").await, (four, unknown));
    assert_eq!(alone.at("1").await, (one, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn crops_and_files_at_another_rate_ask_about_new_frames_alone() {
    let runs = [Runs::new(false, 8).await, Runs::new(false, 8).await];
    // Each frame, and what is sure in it.
    assert_asks(runs, [16 + 16, 32, 32 + 32]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_repeats_another_frame_at_another_rate_asks_about_new_frames_alone() {
    // Two new frames a second; every other one of four repeats one that was asked about.
    let runs = [Runs::new(true, 2).await, Runs::new(true, 2).await];
    assert_asks(runs, [16 + 16, 0, 32]).await;
}
