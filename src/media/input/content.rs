//! The content of an input: all of its bytes, which are read once.

use crate::facts::VideoContent;
use crate::media::error::MediaError;
use crate::media::input::identify;
use crate::media::input::identify::MediaInput;
use blake3::Hasher;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::slice;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Reads all of `input` and says what its content is. Ends early, with an error of kind
/// [`Interrupted`](io::ErrorKind::Interrupted), once `stop` is set.
///
/// # Errors
///
/// Where a file of it cannot be read.
pub fn content(input: &MediaInput, stop: &AtomicBool) -> Result<VideoContent, MediaError> {
    let files = match input {
        MediaInput::Video(path) => slice::from_ref(path),
        MediaInput::Pictures { files, .. } => files.as_slice(),
    };
    let (mut digests, mut bytes) = (Vec::new(), 0);
    for file in files {
        let (digest, read) =
            digest(file, stop).map_err(|source| identify::unreadable(file, source))?;
        digests.push(digest);
        bytes += read;
    }
    // That of one file is that of its bytes. Where there are several, each counts by its own
    // digest, so that moving a byte from one to the next is seen.
    let digest = match digests.as_slice() {
        [only] => *only,
        several => {
            let mut hasher = Hasher::new();
            for digest in several {
                hasher.update(digest.as_bytes());
            }
            hasher.finalize()
        }
    };
    let digest = digest.to_hex().to_string();
    Ok(VideoContent { digest, bytes })
}

/// What is read at once.
const PIECE: usize = 1 << 20;

fn digest(path: &Path, stop: &AtomicBool) -> io::Result<(blake3::Hash, u64)> {
    let file = File::open(path)?;
    // One that grows as fast as it is read would have no end.
    let length = file.metadata()?.len();
    let mut file = file.take(length);
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
    loop {
        if stop.load(Ordering::Relaxed) {
            let why = "no longer wanted";
            return Err(io::Error::new(io::ErrorKind::Interrupted, why));
        }
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok((hasher.finalize(), hasher.count()));
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}
