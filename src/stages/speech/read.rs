//! The sound of each video, as it comes out of the file.
//!
//! Has its own demuxer, so that neither frames nor sound can hold the other up.

use crate::engine::Emitter;
use crate::engine::VideoSource;
use crate::facts::DamagedPackets;
use crate::facts::StreamFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::media;
use crate::media::MediaError;
use crate::media::SoundSelection;
use crate::name::VideoId;
use crate::stages::extract::extract::Videos;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;

/// Reads the wanted sound of each video: the track of this number. Those of `without`,
/// and a video without sound, give nothing.
pub(in crate::stages) fn read(
    track: Option<NonZero<usize>>,
    without: &BTreeMap<VideoId, String>,
    videos: &Arc<Videos>,
) -> Arc<dyn VideoSource> {
    Arc::new(Read {
        track,
        without: without.keys().copied().collect(),
        videos: Arc::clone(videos),
    })
}

struct Read {
    track: Option<NonZero<usize>>,
    without: BTreeSet<VideoId>,
    videos: Arc<Videos>,
}

impl VideoSource for Read {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        if self.without.contains(&video) {
            return Ok(());
        }
        let Some((input, facts)) = self.videos.get(&video).filter(|(_, it)| it.has_sound) else {
            return Ok(());
        };
        let failure = |error: MediaError| Failure::new(Class::Media, error.to_string());
        let stop = out.stop().flag();
        let wanted = SoundSelection {
            track: self.track,
            from: Some(facts.heard_from).filter(|from| *from > 0.0),
            until: facts.heard_until,
        };
        let mut pieces = media::sound(input, facts, &wanted, stop).map_err(failure)?;
        if let Some(codec) = pieces.instead_of() {
            let path = facts.path.display();
            out.notice(format!(
                "the usual sound track of {path} is coded as {codec}, which the FFmpeg on this \
                 machine cannot decode: another track is heard"
            ));
        }
        for piece in pieces.by_ref() {
            if out.emit(Item::Sound(piece.map_err(failure)?)).is_err() {
                return Ok(());
            }
        }
        let damaged = pieces.damaged();
        if damaged > 0 {
            let path = facts.path.display();
            out.notice(format!(
                "{damaged} damaged packets of the sound of {path} were left out"
            ));
        }
        let damaged = DamagedPackets {
            frames: 0,
            sound: damaged,
        };
        let length = pieces.length().filter(|_| !facts.has_frames());
        out.learnt(video, StreamFacts { length, damaged });
        let until = facts.heard_until.unwrap_or(f64::INFINITY);
        match pieces.early_end().filter(|early| early.end < until) {
            Some(early) if !out.stop().is_stopping() => {
                let message = format!("the sound of `{}` {early}", facts.path.display());
                Err(Failure::new(Class::Media, message))
            }
            _ => Ok(()),
        }
    }
}
