//! `extract`: the sampled pictures of each video, and JPEGs of those that leave the machine.
//!
//! Does not know who looks at them.

use super::dedup::Dedup;
use crate::engine::Emitter;
use crate::engine::Lane;
use crate::engine::Map;
use crate::engine::Source;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Item;
use crate::item::Picture;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaError;
use crate::media::Wanted;
use crate::name::VideoId;
use crate::recipe::ExtractSpec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The inputs of a run, identified and probed.
pub type Videos = BTreeMap<VideoId, (media::Input, VideoFacts)>;

/// Samples pictures from each video; only those in its first `until` seconds where that is given.
pub(super) fn pictures(
    spec: &ExtractSpec,
    format: PixelFormat,
    videos: &Arc<Videos>,
    until: Option<f64>,
) -> Arc<dyn Source> {
    let wanted = Wanted {
        until,
        ..Wanted::new(spec.fps, spec.max_side, format)
    };
    Arc::new(Extract {
        wanted,
        dedup: spec.dedup.then_some(spec.dedup_threshold),
        videos: Arc::clone(videos),
    })
}

/// Makes a JPEG of each picture and lets go of its pixels.
pub(super) fn encode(quality: u8) -> Arc<dyn Map> {
    Arc::new(Encode { quality })
}

struct Extract {
    wanted: Wanted,
    dedup: Option<f32>,
    videos: Arc<Videos>,
}

impl Source for Extract {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        let Some((input, facts)) = self.videos.get(&video) else {
            return Err(Failure::new(
                Class::Media,
                format!("{video} is not in this run"),
            ));
        };
        if !facts.has_pictures() {
            return Ok(());
        }
        let mut pictures = media::pictures(input, facts, &self.wanted, out.stop().flag())
            .map_err(|error| failure(&error))?;
        let mut dedup = Dedup::new(self.dedup);
        let mut samples = 0;
        for picture in pictures.by_ref() {
            let picture = picture.map_err(|error| failure(&error))?;
            samples += picture.moment.samples;
            if out.emit(dedup.pass(picture)).is_err() {
                return Ok(());
            }
        }
        let damaged = pictures.damaged();
        if damaged > 0 {
            let path = facts.path.display();
            out.notice(format!("{damaged} damaged packets of {path} were left out"));
        }
        if out.stop().is_stopping() {
            Ok(())
        } else {
            ends_where_it_says(facts, samples)
        }
    }
}

// Headers round their duration; what lacks more than that was cut short.
fn ends_where_it_says(facts: &VideoFacts, samples: u64) -> Result<(), Failure> {
    match facts.expected_pictures {
        Some(expected) if samples + 1 + expected / 50 < expected => {
            let path = facts.path.display();
            let message = format!(
                "`{path}` breaks off: {samples} of {expected} pictures could be read; the file was \
                 cut short or is damaged"
            );
            Err(Failure::new(Class::Media, message))
        }
        _ => Ok(()),
    }
}

struct Encode {
    quality: u8,
}

impl Map for Encode {
    fn lane(&self) -> Result<Box<dyn Lane>, Failure> {
        Ok(Box::new(Self {
            quality: self.quality,
        }))
    }

    // A picture without a JPEG goes on as a gap and keeps its place.
    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        match item {
            Item::Picture(picture) => {
                let content = Err(failure.clone());
                vec![Item::Picture(Picture {
                    content,
                    ..picture.clone()
                })]
            }
            // A repeat passes as it is.
            other => vec![other.clone()],
        }
    }
}

impl Lane for Encode {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        let Item::Picture(picture) = item else {
            return Ok(vec![item.clone()]);
        };
        let Ok(Content {
            pixels: Some(pixels),
            ..
        }) = &picture.content
        else {
            return Ok(vec![item.clone()]);
        };
        let jpeg = media::encode_jpeg(pixels, picture.size, self.quality)
            .map_err(|error| failure(&error))?;
        let content = Ok(Content {
            pixels: None,
            jpeg: Some(jpeg),
        });
        Ok(vec![Item::Picture(Picture {
            content,
            ..picture.clone()
        })])
    }
}

fn failure(error: &MediaError) -> Failure {
    Failure::new(Class::Media, error.to_string())
}
