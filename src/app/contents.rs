//! Contents: which video each input of a run is, whatever its file is called.
//!
//! That is remembered of files that have not changed. Others are read: before the work where the
//! journal, or another input, has a file of the same size; else beside it, since nothing can be
//! known of them.

use crate::app::error::AppError;
use crate::app::inputs::Inputs;
use crate::engine::journal::FileStamp;
use crate::engine::journal::Hold;
use crate::engine::journal::Journal;
use crate::facts::VideoContent;
use crate::failure::Failure;
use crate::media;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::name::VideoId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;

/// The content of each input of a run, or the reason why it is not known.
pub(super) struct Contents {
    shared: Arc<Shared>,
    unread: Vec<Unread>,
    reading: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    found: Mutex<Found>,
    more: Condvar,
    stop: AtomicBool,
}

#[derive(Default)]
struct Found {
    contents: BTreeMap<VideoId, Result<VideoContent, String>>,
    // Those of contents that were found beside the work.
    holds: Vec<Hold>,
    is_over: bool,
}

// What is read beside the work.
struct Unread {
    video: VideoId,
    input: MediaInput,
    stamp: FileStamp,
}

impl Contents {
    /// Finds out what can be known before the work. Inputs that cannot be read are taken out.
    pub(super) fn find(journal: &Journal, inputs: &mut Inputs) -> Result<Self, AppError> {
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        for stamp in inputs.stamps.values() {
            *sizes.entry(stamp.bytes()).or_default() += 1;
        }
        let is_alone = |stamp: &FileStamp| sizes.get(&stamp.bytes()).is_none_or(|it| *it == 1);
        let mut found = Found::default();
        let (mut unread, never) = (Vec::new(), AtomicBool::new(false));
        for (&video, (input, _)) in &inputs.videos {
            let Some(input) = input else {
                continue;
            };
            let stamp = inputs.stamps.get(&video);
            if let Some(content) = remembered(journal, stamp)? {
                found.contents.insert(video, Ok(content));
                continue;
            }
            let beside = stamp.filter(|stamp| stamp.is_settled() && is_alone(stamp));
            if let Some(stamp) = beside
                && !journal.may_know(stamp.bytes())?
            {
                unread.push(Unread {
                    video,
                    input: input.clone(),
                    stamp: stamp.clone(),
                });
                continue;
            }
            let content = read(input, &never).map_err(|error| error.to_string());
            if let (Ok(content), Some(stamp)) = (&content, stamp)
                && stamp.is_current()
            {
                journal.remember(stamp, content)?;
            }
            found.contents.insert(video, content);
        }
        Ok(Self::of(found, unread, inputs))
    }

    /// Those of a replay, which are known before the work.
    pub(super) fn known(inputs: &Inputs) -> Self {
        let content = |(video, digest): (&VideoId, &String)| {
            let (digest, bytes) = (digest.clone(), 0);
            (*video, Ok(VideoContent { digest, bytes }))
        };
        let found = Found {
            contents: inputs.digests.iter().map(content).collect(),
            ..Found::default()
        };
        Self::shared(found, Vec::new())
    }

    fn of(mut found: Found, unread: Vec<Unread>, inputs: &mut Inputs) -> Self {
        for (video, why) in found.contents.extract_if(.., |_, content| content.is_err()) {
            inputs.videos.remove(&video);
            inputs.unreadable.extend(why.err().map(|why| (video, why)));
        }
        Self::shared(found, unread)
    }

    fn shared(found: Found, unread: Vec<Unread>) -> Self {
        let shared = Shared {
            found: Mutex::new(found),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
            unread,
            reading: None,
        }
    }

    /// Tells the journal which video is which, and begins to read what was not read before.
    pub(super) fn begin(&mut self, journal: &Arc<Journal>) -> Result<(), AppError> {
        for (video, content) in &self.shared.found().contents {
            if let Ok(content) = content {
                journal.name_video(*video, content)?;
            }
        }
        for unread in &self.unread {
            journal.name_unread(unread.video, &unread.stamp)?;
        }
        let unread = std::mem::take(&mut self.unread);
        let (shared, journal) = (Arc::clone(&self.shared), Arc::clone(journal));
        let reading = thread::Builder::new()
            .name("contents".to_owned())
            .spawn(move || read_all(&shared, &journal, unread));
        self.reading = Some(reading.map_err(|error| AppError::environment(&error))?);
        Ok(())
    }

    /// The digest of a video; `None` while it is being read.
    pub(super) fn digest(&self, video: VideoId) -> Option<Result<String, String>> {
        self.shared.found().digest(video)
    }

    /// The digest of a video, which is waited for.
    pub(super) fn wait(&self, video: VideoId) -> Result<String, String> {
        let mut found = self.shared.found();
        loop {
            if let Some(digest) = found.digest(video) {
                return digest;
            }
            let woken = self.shared.more.wait(found);
            found = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends reading: at once, or when all is read.
    pub(super) fn end(&mut self, at_once: bool) {
        self.shared.stop.fetch_or(at_once, Ordering::Relaxed);
        if let Some(Err(_)) = self.reading.take().map(JoinHandle::join) {
            tracing::warn!("the thread that reads contents broke down");
        }
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn digest(&self, video: VideoId) -> Option<Result<String, String>> {
        let over = || Err("what is in it was not found out".to_owned());
        match self.contents.get(&video) {
            Some(content) => Some(content.clone().map(|content| content.digest)),
            None => self.is_over.then(over),
        }
    }
}

/// The digest of an input where anything may be known of it; changes nothing.
pub(super) fn look(
    journal: &Journal,
    input: &MediaInput,
    stamp: Option<&FileStamp>,
) -> Result<Option<String>, Failure> {
    if let Some(content) = remembered(journal, stamp)? {
        return Ok(Some(content.digest));
    }
    if let Some(stamp) = stamp
        && !journal.may_know(stamp.bytes())?
    {
        return Ok(None);
    }
    let content = read(input, &AtomicBool::new(false));
    Ok(content.ok().map(|content| content.digest))
}

fn remembered(
    journal: &Journal,
    stamp: Option<&FileStamp>,
) -> Result<Option<VideoContent>, Failure> {
    let Some(stamp) = stamp else {
        return Ok(None);
    };
    let bytes = stamp.bytes();
    let digest = journal.remembered(stamp)?;
    Ok(digest.map(|digest| VideoContent { digest, bytes }))
}

fn read(input: &MediaInput, stop: &AtomicBool) -> Result<VideoContent, MediaError> {
    tracing::debug!(path = %input.path().display(), "reading to know which video it is");
    media::content(input, stop)
}

// Earlier videos first, as everywhere.
fn read_all(shared: &Shared, journal: &Journal, unread: Vec<Unread>) {
    // However it ends, nobody waits for ever.
    let _over = Over(shared);
    for unread in unread {
        let content = read_beside(shared, journal, &unread);
        let hold = content.as_ref().ok().and_then(|content| {
            let hold = journal.hold(&place(&content.digest));
            // Who has it asks the same, and no harm is done.
            hold.ok().and_then(Result::ok)
        });
        let mut found = shared.found();
        found.contents.insert(unread.video, content);
        found.holds.extend(hold);
        shared.more.notify_all();
    }
}

fn read_beside(
    shared: &Shared,
    journal: &Journal,
    unread: &Unread,
) -> Result<VideoContent, String> {
    let content = read(&unread.input, &shared.stop);
    let content = content.map_err(|error| error.to_string())?;
    if !unread.stamp.is_current() {
        let path = unread.input.path().display();
        return Err(format!(
            "`{path}` was changed while it was read: run the same command again"
        ));
    }
    let known = journal.name_read(unread.video, &unread.stamp, &content);
    known.map_err(|failure| failure.message)?;
    Ok(content)
}

/// What a process holds that works on the video with this digest.
pub(super) fn place(digest: &str) -> String {
    format!("video {digest}")
}

struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.found().is_over = true;
        self.0.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Contents;
    use super::look;
    use crate::app::compile;
    use crate::app::inputs;
    use crate::app::inputs::Inputs;
    use crate::app::named::NamedInputs;
    use crate::engine::journal::FileStamp;
    use crate::engine::journal::Journal;
    use crate::name::VideoId;
    use crate::recipe::Request;
    use std::fs;
    use std::fs::File;
    use std::path::Path;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;
    use std::time::SystemTime;
    use tempfile::tempdir;

    const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/clip.mp4");

    // The demo clip with nothing behind it, so that it has this size.
    fn clip(path: &Path, bytes: u64) -> PathBuf {
        fs::copy(CLIP, path).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(bytes).unwrap();
        let hour = Duration::from_secs(3600);
        file.set_modified(SystemTime::now() - hour).unwrap();
        path.to_owned()
    }

    // Once a change of any of them would show.
    fn open(paths: &[PathBuf]) -> Inputs {
        let is_settled = |path: &PathBuf| FileStamp::of(path).unwrap().is_settled();
        while !paths.iter().all(is_settled) {
            thread::sleep(Duration::from_millis(50));
        }
        let request = Request {
            recipe: "default".to_owned(),
            ..Request::default()
        };
        let recipe = compile::load(&request).unwrap();
        inputs::open(&recipe, &NamedInputs::files(paths.to_vec()), None).unwrap()
    }

    fn digest(path: &Path) -> String {
        blake3::hash(&fs::read(path).unwrap()).to_string()
    }

    const VIDEOS: [VideoId; 3] = [VideoId(0), VideoId(1), VideoId(2)];

    #[test]
    fn what_nothing_can_be_known_of_is_read_beside_the_work() {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let journal = Arc::new(Journal::open(&at("state")).unwrap());
        let length = fs::metadata(CLIP).unwrap().len();
        // Two are of one size, and may be the same.
        let paths = [
            clip(&at("a.mp4"), length + 10),
            clip(&at("b.mp4"), length + 20),
            clip(&at("c.mp4"), length + 20),
        ];
        let mut inputs = open(&paths);
        let mut contents = Contents::find(&journal, &mut inputs).unwrap();
        let before = VIDEOS.map(|video| contents.digest(video));
        let known = digest(&paths[1]);
        assert_eq!(before, [None, Some(Ok(known.clone())), Some(Ok(known))]);
        contents.begin(&journal).unwrap();
        assert_eq!(contents.wait(VIDEOS[0]), Ok(digest(&paths[0])));
        contents.end(false);
        // All are remembered now, each by its file.
        let mut inputs = open(&paths);
        let contents = Contents::find(&journal, &mut inputs).unwrap();
        let all = VIDEOS.map(|video| contents.digest(video).unwrap().unwrap());
        assert_eq!(Vec::from(all), paths.each_ref().map(|it| digest(it)));
        // A name that is new, of a size that is not: read before anything else.
        fs::rename(&paths[0], at("d.mp4")).unwrap();
        let mut inputs = open(&[at("d.mp4")]);
        let contents = Contents::find(&journal, &mut inputs).unwrap();
        assert_eq!(contents.digest(VIDEOS[0]), Some(Ok(digest(&at("d.mp4")))));
        let [(Some(input), _)] = inputs.videos.values().collect::<Vec<_>>()[..] else {
            panic!("it is one");
        };
        let stamp = inputs.stamps.get(&VIDEOS[0]);
        assert_eq!(look(&journal, input, stamp), Ok(Some(digest(&at("d.mp4")))));
        let none = Journal::open(&at("other")).unwrap();
        assert_eq!(look(&none, input, stamp), Ok(None));
    }

    // 64 GB take many seconds to read. Elsewhere a file with nothing in it takes up room.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_large_file_holds_nothing_up() {
        let folder = tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("state")).unwrap());
        let path = clip(&folder.path().join("a.mp4"), 64 << 30);
        let mut inputs = open(std::slice::from_ref(&path));
        let mut contents = Contents::find(&journal, &mut inputs).unwrap();
        contents.begin(&journal).unwrap();
        assert_eq!(contents.digest(VIDEOS[0]), None);
        contents.end(true);
        let why = contents.wait(VIDEOS[0]).unwrap_err();
        assert!(why.ends_with("cannot be read: no longer wanted"), "{why}");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_of_no_content() {
        let folder = tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("state")).unwrap());
        let length = fs::metadata(CLIP).unwrap().len();
        let path = clip(&folder.path().join("a.mp4"), length);
        let mut inputs = open(std::slice::from_ref(&path));
        let mut contents = Contents::find(&journal, &mut inputs).unwrap();
        clip(&path, length + 1);
        contents.begin(&journal).unwrap();
        let why = contents.wait(VIDEOS[0]).unwrap_err();
        let said = why.replace(&path.display().to_string(), "FILE");
        insta::assert_snapshot!(said, @"`FILE` was changed while it was read: run the same command again");
        contents.end(false);
        let stamp = FileStamp::of(&path).unwrap();
        assert_eq!(journal.remembered(&stamp).unwrap(), None);
    }

    #[test]
    fn an_input_that_cannot_be_read_is_left_out() {
        let folder = tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("state")).unwrap();
        let length = fs::metadata(CLIP).unwrap().len();
        let paths = ["a.mp4", "b.mp4"].map(|name| clip(&folder.path().join(name), length));
        let mut inputs = open(&paths);
        fs::remove_file(&paths[1]).unwrap();
        Contents::find(&journal, &mut inputs).unwrap();
        assert_eq!(inputs.videos.keys().collect::<Vec<_>>(), [&VIDEOS[0]]);
        let why = &inputs.unreadable[&VIDEOS[1]];
        assert!(why.contains("there is no file or folder"), "{why}");
    }
}
