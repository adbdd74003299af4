//! Clips of moments: files that begin and end with them, to the frame. None takes the place of a file
//! that this program did not write.

use crate::app::annotate;
use crate::app::annotate::source::VideoSource;
use crate::app::error::AppError;
use crate::app::find::FoundVideo;
use crate::app::find::MomentClip;
use crate::app::interrupts::Interrupts;
use crate::media;
use crate::media::TimedText;
use crate::name::file_name;
use crate::output;
use crate::output::FoundMoment;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

const ENDING: &str = ".mp4";

/// The longest end of a name, behind that of the video.
const LONGEST_TIMES: usize = "_10000h00m00s-10000h00m00s_10000.mp4".len();

/// The clips of one search, in a folder.
pub(super) struct Clips<'a> {
    folder: &'a Path,
    // No two of them have one name.
    taken: BTreeSet<PathBuf>,
}

impl<'a> Clips<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            taken: BTreeSet::new(),
        }
    }

    /// Cuts the moments of a video out, and notes the files.
    ///
    /// # Errors
    ///
    /// Where nothing can be written to the folder.
    pub(super) fn cut(
        &mut self,
        video: &mut FoundVideo,
        interrupts: &Interrupts,
    ) -> Result<(), AppError> {
        let source = source(video, interrupts);
        for moment in &video.moments {
            if interrupts.came() {
                return Ok(());
            }
            let clip = match &source {
                Ok(source) => self.cut_one(video, source, moment, interrupts)?,
                Err(why) => Err(why.clone()),
            };
            if !interrupts.came() {
                video.clips.push(clip);
            }
        }
        Ok(())
    }

    fn cut_one(
        &mut self,
        video: &FoundVideo,
        (source, captions): &(VideoSource, Vec<TimedText>),
        moment: &FoundMoment,
        interrupts: &Interrupts,
    ) -> Result<Result<MomentClip, String>, AppError> {
        let path = self.path(&source.path, moment);
        if let Err(error) = annotate::keep_others(&path, "--clips") {
            return Ok(Err(error.to_string()));
        }
        let mut reads = ReadFiles::default();
        [&video.results, &source.path]
            .into_iter()
            .for_each(|path| reads.add(path));
        let root = OutputRoot::new(self.folder.to_owned(), &Arc::new(reads));
        let unwritable = |error| AppError::unwritable_to("--clips", &error);
        let file = root.prepare(&path).and_then(|()| root.begin(&path));
        let file = file.map_err(unwritable)?;
        let handle = file.file().map_err(unwritable)?;
        let range = (moment.start, moment.end);
        let cut = media::cut(
            &source.input,
            &source.facts,
            range,
            captions,
            handle,
            interrupts.flag(),
        );
        if let (Ok(_), false) = (&cut, interrupts.came()) {
            file.keep().map_err(unwritable)?;
        }
        let clip = cut.map(|cut| MomentClip { path, cut });
        Ok(clip.map_err(|error| error.to_string()))
    }

    fn path(&mut self, video: &Path, moment: &FoundMoment) -> PathBuf {
        let stem = video.file_stem().unwrap_or_default().to_string_lossy();
        let stem = file_name(&stem, LONGEST_TIMES);
        let (start, end) = (moment.start.max(0.0).floor(), moment.end.max(0.0).ceil());
        let name = format!("{stem}_{}-{}", clock(start), clock(end));
        let mut path = self.folder.join(format!("{name}{ENDING}"));
        let mut number = 2;
        while !self.taken.insert(path.clone()) {
            path = self.folder.join(format!("{name}_{number}{ENDING}"));
            number += 1;
        }
        path
    }
}

// The video, and what is said in it.
fn source(
    video: &FoundVideo,
    interrupts: &Interrupts,
) -> Result<(VideoSource, Vec<TimedText>), String> {
    let results = output::read_results(&video.results).map_err(|error| error.to_string())?;
    let source = VideoSource::find(&results, &video.results, None, &interrupts.flag());
    let source = source.map_err(|error| error.to_string())?;
    Ok((source, annotate::captions(&results)))
}

// Seconds as names of files have them: `0m12s`, `1h02m03s`.
fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}m{seconds:02}s"),
        hours => format!("{hours}h{minutes:02}m{seconds:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::Clips;
    use crate::output::FoundMoment;
    use std::path::Path;

    #[test]
    fn clips_are_named_by_their_times_and_each_by_its_own_name() {
        let mut clips = Clips::new(Path::new("clips"));
        let mut name = |video: &str, start: f64, end: f64| {
            let said = Vec::new();
            let path = clips.path(Path::new(video), &FoundMoment { start, end, said });
            path.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(name("a/b c.mkv", 12.4, 18.2), "b c_0m12s-0m19s.mp4");
        assert_eq!(name("d/b c.mp4", 12.0, 19.0), "b c_0m12s-0m19s_2.mp4");
        assert_eq!(name("a.mp4", 3723.0, 36_000.0), "a_1h02m03s-10h00m00s.mp4");
        assert_eq!(name("a.mp4", -0.5, 0.0), "a_0m00s-0m00s.mp4");
        let long = name(&format!("{}.mp4", "x".repeat(251)), 1.0, 2.0);
        assert!(long.len() <= 255, "{long}");
    }
}
