//! `save`: each frame to a file of its own, whole or not at all.

use crate::answer::StageDigest;
use crate::engine::Answers;
use crate::engine::Map;
use crate::engine::MapState;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Saved;
use crate::item::SavedFile;
use crate::media;
use crate::media::MediaError;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::OutputRoot;
use crate::recipe::SaveFormat;
use crate::recipe::SaveSpec;
use crate::stages::assemble::Resources;
use crate::stages::extract::extract::Videos;
use crate::stages::extract::known::kept_file;
use crate::stages::extract::known::on_disk;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Writes frames as `stage`, but for those whose files are kept under `digest` and still there. No
/// two of all that share `taken` go to one file.
pub(super) fn save(
    stage: &StageId,
    digest: Option<StageDigest>,
    spec: &SaveSpec,
    resources: &Resources,
    taken: &Arc<Taken>,
) -> Arc<dyn Map> {
    Arc::new(Save {
        stage: stage.clone(),
        digest,
        answers: Arc::clone(&resources.answers),
        spec: spec.clone(),
        videos: Arc::clone(&resources.videos),
        roots: Arc::clone(&resources.save_roots),
        taken: Arc::clone(taken),
    })
}

/// The files that a run has written, as digests of their paths: a long video has many.
#[derive(Default)]
pub(super) struct Taken(Mutex<BTreeSet<[u8; 16]>>);

impl Taken {
    // Whether the path was free.
    fn take(&self, path: &Path) -> bool {
        let digest = blake3::hash(path.as_os_str().as_encoded_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest.as_bytes()[..16]);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(short)
    }
}

#[derive(Clone)]
struct Save {
    stage: StageId,
    digest: Option<StageDigest>,
    answers: Arc<dyn Answers>,
    spec: SaveSpec,
    videos: Arc<Videos>,
    roots: Arc<BTreeMap<(StageId, VideoId), OutputRoot>>,
    taken: Arc<Taken>,
}

impl Map for Save {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        match item {
            Item::Frame(frame) => vec![self.saved(&frame.moment, Err(failure.clone()))],
            Item::Repeat(repeat) => vec![Item::Saved(Saved::of_repeat(&self.stage, repeat))],
            Item::Saved(_) => vec![item.clone()],
            _ => Vec::new(),
        }
    }
}

impl MapState for Save {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        Ok(match item {
            Item::Frame(frame) => vec![self.saved(&frame.moment, Ok(self.write(frame)?))],
            Item::Repeat(repeat) => vec![Item::Saved(Saved::of_repeat(&self.stage, repeat))],
            // One that is not taken, as it was told before.
            Item::Saved(_) => vec![item.clone()],
            _ => Vec::new(),
        })
    }
}

impl Save {
    fn saved(&self, moment: &Moment, file: Result<SavedFile, Failure>) -> Item {
        Item::Saved(Saved {
            stage: self.stage.clone(),
            moment: moment.clone(),
            file,
            same_as: None,
        })
    }

    // The file of a frame that was written before, and is still there.
    fn kept(&self, moment: &Moment) -> Option<SavedFile> {
        let (_, facts) = self.videos.get(&moment.video)?;
        kept_file(&*self.answers, self.digest?, &self.spec, facts, moment)
    }

    fn write(&self, frame: &Frame) -> Result<SavedFile, Failure> {
        if let Some(file) = self
            .kept(&frame.moment)
            .filter(|it| self.taken.take(&it.path))
        {
            return Ok(file);
        }
        let bytes = self.encoded(frame)?;
        let path = self.path(&frame.moment)?;
        if !self.taken.take(&path) {
            let message = format!(
                "two frames would be written to {}: let `name` hold `{{{{ frame.index }}}}`",
                path.display()
            );
            return Err(Failure::new(Class::Disk, message));
        }
        let root = self
            .roots
            .get(&(self.stage.clone(), frame.moment.video))
            .ok_or_else(|| unknown(frame.moment.video))?;
        root.write(&path, &bytes)
            .map_err(|error| Failure::new(Class::Disk, error.to_string()))?;
        let gone = format!("{} is gone as soon as it was written", path.display());
        on_disk(&path).ok_or_else(|| Failure::new(Class::Disk, gone))
    }

    fn path(&self, moment: &Moment) -> Result<PathBuf, Failure> {
        let (_, facts) = self
            .videos
            .get(&moment.video)
            .ok_or_else(|| unknown(moment.video))?;
        let path = self.spec.path(&facts.path, moment);
        path.map_err(|fault| Failure::new(Class::Disk, fault.message))
    }

    fn encoded(&self, frame: &Frame) -> Result<Bytes, Failure> {
        let content = frame.content.as_ref().map_err(Clone::clone)?;
        let encoded = match (&content.jpeg, &content.pixels, self.spec.format) {
            (Some(jpeg), _, SaveFormat::Jpeg) => return Ok(jpeg.clone()),
            (_, Some(pixels), SaveFormat::Jpeg) => {
                let quality = self.spec.quality.unwrap_or(100);
                media::encode_jpeg(pixels, frame.size, quality)
            }
            (_, Some(pixels), SaveFormat::Png) => media::encode_png(pixels, frame.size),
            (_, None, _) => return Err(Failure::new(Class::Media, "the frame has no pixels")),
        };
        encoded.map_err(|error: MediaError| Failure::new(Class::Media, error.to_string()))
    }
}

fn unknown(video: VideoId) -> Failure {
    Failure::new(Class::Media, format!("{video} is not in this run"))
}
