//! Disk: plain files of bounded size, read whole, and how much more a disk holds.
//!
//! A path that a recipe names may lead to a pipe, a device or a window into the kernel, which have no
//! end or hold what is nobody's recipe. Knows nothing of what files are for.

use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Read;
use std::path::Path;

/// The content of a plain file of at most `largest` bytes. Anything else is refused before it is
/// opened, so that nothing is waited for.
///
/// # Errors
///
/// Where it cannot be read, is no plain file, is larger, or holds another number of bytes than the
/// system says, as files under `/proc` do. No error tells what is in it.
pub fn read_plain(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(path, largest)?;
    let length = file.metadata()?.len();
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length + 1).read_to_end(&mut content)?;
    if content.len() as u64 != length {
        return Err(io::Error::other(
            "its length is not what the system says: it is no file on a disk, or changes",
        ));
    }
    Ok(content)
}

/// Opens a plain file of at most `largest` bytes. Anything else is refused before it is opened.
///
/// # Errors
///
/// Where it cannot be opened, is no plain file or is larger.
pub fn open_plain(path: &Path, largest: u64) -> io::Result<File> {
    refuse_special(path, &fs::metadata(path)?)?;
    let file = File::open(path)?;
    // It may be another one by now.
    let about = file.metadata()?;
    refuse_special(path, &about)?;
    if about.len() > largest {
        let why = format!("it has more than {largest} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(file)
}

/// Bytes that this user may still write where the folder at `path` is.
///
/// # Errors
///
/// Where the system does not say.
pub fn free(path: &Path) -> io::Result<u64> {
    fs4::available_space(path)
}

/// What two folders that share their room have in common.
///
/// # Errors
///
/// Where the folder at `path` cannot be looked at.
pub fn volume(path: &Path) -> io::Result<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(fs::metadata(path)?.dev().to_string())
    }
    #[cfg(not(unix))]
    {
        // The letter of a drive, or the name of a share.
        let path = fs::canonicalize(path)?;
        let drive = path.components().next();
        Ok(drive.map_or_else(String::new, |drive| {
            drive.as_os_str().to_string_lossy().into_owned()
        }))
    }
}

fn refuse_special(path: &Path, about: &Metadata) -> io::Result<()> {
    if about.is_file() && !is_device(path) {
        return Ok(());
    }
    Err(io::Error::other("it is not a plain file"))
}

// Elsewhere the system says so itself.
#[cfg(not(windows))]
fn is_device(_: &Path) -> bool {
    false
}

// Windows calls a device a file: `CON`, `nul.toml` and `\\.\pipe\name`.
#[cfg(windows)]
fn is_device(path: &Path) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_uppercase();
    let is_port = stem.len() == 4
        && (stem.starts_with("COM") || stem.starts_with("LPT"))
        && stem.ends_with(|digit: char| digit.is_ascii_digit());
    path.to_string_lossy().starts_with(r"\\.\") || is_port || DEVICES.contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    use super::free;
    use super::read_plain;
    use super::volume;
    use std::fs;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_plain(&path, 5).unwrap(), b"12345");
        let error = read_plain(&path, 4).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 4 bytes");
        assert!(read_plain(folder.path(), 5).is_err());
    }

    #[test]
    fn folders_of_one_disk_share_its_room() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        assert_eq!(volume(&below).unwrap(), volume(folder.path()).unwrap());
        assert!(free(&below).unwrap() > 0);
        assert!(free(&folder.path().join("none")).is_err());
    }
}
