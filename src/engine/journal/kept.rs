//! How much is kept: of which parts of a video, by which stages.

use crate::answer::Extent;
use crate::answer::StageDigest;
use crate::engine::journal::journal::Journal;
use crate::failure::Failure;
use crate::name::VideoId;
use crate::time::Pts;
use rusqlite::Connection;
use rusqlite::params;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What a journal knows of the videos of a run for one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Answers.
    pub answers: u64,
    /// Work that a server accepted and has not answered.
    pub tickets: u64,
}

impl Journal {
    /// What is known of the videos of this run, by the stages that it is known of.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn kept(&self) -> Result<BTreeMap<StageDigest, Kept>, Failure> {
        let videos = self.numbers_of_videos();
        let since = self.since.load(Ordering::Relaxed);
        let count = |connection: &Connection| {
            let mut kept: BTreeMap<StageDigest, Kept> = BTreeMap::new();
            let answers =
                "SELECT stages.digest, count(*) FROM answers JOIN stages ON stages.id = stage
                WHERE video = ?1 AND run >= ?2 GROUP BY stage";
            let tickets =
                "SELECT stages.digest, count(*) FROM tickets JOIN stages ON stages.id = stage
                WHERE video = ?1 AND run >= ?2 GROUP BY stage";
            for video in &videos {
                for (text, is_ticket) in [(answers, false), (tickets, true)] {
                    let mut select = connection.prepare_cached(text)?;
                    let mut rows = select.query([*video, since])?;
                    while let Some(row) = rows.next()? {
                        let kept = kept.entry(StageDigest(row.get(0)?)).or_default();
                        let count = row.get::<_, i64>(1)?.unsigned_abs();
                        match is_ticket {
                            true => kept.tickets += count,
                            false => kept.answers += count,
                        }
                    }
                }
            }
            Ok(kept)
        };
        self.store.read(count).map_err(|error| self.unread(&error))
    }

    // What answers of a stage are about, in order.
    pub(super) fn extents_of(
        &self,
        video: VideoId,
        stage: &StageDigest,
    ) -> rusqlite::Result<Vec<Extent>> {
        let video = self.videos().get(&video).map(|video| video.number);
        let Some((video, stage)) = video.zip(self.number_of(stage)?) else {
            return Ok(Vec::new());
        };
        let since = self.since.load(Ordering::Relaxed);
        self.store.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT kind, first, second FROM answers
                    WHERE video = ?1 AND stage = ?2 AND run >= ?3 ORDER BY kind, first, second",
            )?;
            let extents = select.query_map(params![video, stage, since], |row| {
                Ok(extent([row.get(0)?, row.get(1)?, row.get(2)?]))
            })?;
            extents.filter_map(Result::transpose).collect()
        })
    }
}

// What of a video the numbers mean; `None` for such as this program does not write.
fn extent([kind, first, second]: [i64; 3]) -> Option<Extent> {
    match kind {
        0 => Some(Extent::Whole),
        1 => Some(Extent::Frame {
            pts: Pts(first),
            crop: u32::try_from(second).ok(),
        }),
        2 => Some(Extent::Sound {
            start: first.cast_unsigned(),
            end: second.cast_unsigned(),
        }),
        _ => None,
    }
}
