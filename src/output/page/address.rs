//! Where a video is, as seen from a page: a relative address that goes with both wherever they go.

use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// Where the video of a page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoAddress {
    /// From the folder of the page, percent-encoded.
    Relative(String),
    /// Nowhere that a page can name; why, as a sentence without a full stop.
    Absent(String),
    /// There is none: these are pictures, and a page shows those that are kept in it.
    Pictures,
}

impl VideoAddress {
    /// The address of `video`, where it is there, from a page in `folder`, which is there.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be looked at.
    pub fn of(folder: &Path, video: Option<&Path>) -> io::Result<Self> {
        let absent = |why: &str| Ok(Self::Absent(why.to_owned()));
        match video {
            None => absent("it was not found when the page was made"),
            Some(pictures) if pictures.is_dir() => Ok(Self::Pictures),
            Some(video) => Self::between(folder, video),
        }
    }

    fn between(folder: &Path, video: &Path) -> io::Result<Self> {
        // A link to the video keeps its name.
        let above = match video.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        let mut place = fs::canonicalize(above)?;
        place.extend(video.file_name());
        Ok(Self::from_whole(&fs::canonicalize(folder)?, &place))
    }

    // From one whole path to another.
    fn from_whole(folder: &Path, video: &Path) -> Self {
        let relative = pathdiff::diff_paths(video, folder);
        match relative.filter(|path| path.is_relative() && !path.has_root()) {
            Some(path) => Self::Relative(encoded(&path)),
            None => Self::Absent("the video is on another disk than this page".to_owned()),
        }
    }
}

/// Where the video may be that results in the folder `beside` call `video`: as the run had it, seen
/// from here and from the results; and beside them.
pub fn video_places(video: &str, beside: &Path) -> Vec<PathBuf> {
    // A run on another system may have named it.
    let name = video.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let mut places = vec![PathBuf::from(video), beside.join(video)];
    places.extend(name.map(|name| beside.join(name)));
    places.dedup();
    places
}

/// The video, or folder of pictures, that results in the folder `beside` call `video`.
pub fn find_video(video: &str, beside: &Path) -> Option<PathBuf> {
    let mut places = video_places(video, beside).into_iter();
    places.find(|place| place.is_file() || place.is_dir())
}

// Every byte but letters, digits and `-._~` is encoded, so nothing in a name is read as a part of an
// address.
fn encoded(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(encoded_name(name.as_encoded_bytes())),
        Component::ParentDir => Some("..".to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    parts.collect::<Vec<String>>().join("/")
}

fn encoded_name(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            // To a string, which takes everything.
            byte => write!(text, "%{byte:02X}").unwrap_or_default(),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::VideoAddress;
    use std::fs;
    use std::path::Path;

    fn address(folder: &str, video: &str) -> String {
        match VideoAddress::from_whole(Path::new(folder), Path::new(video)) {
            VideoAddress::Relative(address) => address,
            VideoAddress::Absent(why) => why,
            VideoAddress::Pictures => String::new(),
        }
    }

    #[test]
    fn any_name_is_one_part_of_an_address() {
        for (folder, video, expected) in [
            ("/a/out", "/a/clip.mp4", "../clip.mp4"),
            ("/a", "/a/b/clip.mp4", "b/clip.mp4"),
            ("/a/b/c", "/d/clip.mp4", "../../../d/clip.mp4"),
            ("/a", "/a/my clip.mp4", "my%20clip.mp4"),
            ("/a", "/a/50%#1?.mp4", "50%25%231%3F.mp4"),
            (
                "/a",
                "/a/javascript:alert(1).mp4",
                "javascript%3Aalert%281%29.mp4",
            ),
            ("/a", "/a/\"><script>.mp4", "%22%3E%3Cscript%3E.mp4"),
            ("/a", "/a/größe\u{202e}.mp4", "gr%C3%B6%C3%9Fe%E2%80%AE.mp4"),
        ] {
            assert_eq!(address(folder, video), expected, "{folder} {video}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_unicode_keeps_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let name = Path::new(OsStr::from_bytes(b"/a/\xff.mp4"));
        let expected = VideoAddress::Relative("%FF.mp4".to_owned());
        assert_eq!(VideoAddress::from_whole(Path::new("/a"), name), expected);
    }

    #[cfg(windows)]
    #[test]
    fn separators_and_drives_of_windows() {
        assert_eq!(address(r"C:\a\out", r"C:\a\b c\d.mp4"), "../b%20c/d.mp4");
        assert!(address(r"C:\a", r"D:\d.mp4").contains("another disk"));
    }

    #[test]
    fn dots_and_links_are_followed_but_for_the_video_itself() {
        let top = tempfile::tempdir().unwrap();
        for folder in ["out/deep", "videos"] {
            fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        fs::write(top.path().join("videos/a b.mp4"), "").unwrap();
        let page = top.path().join("out/deep/..");
        let video = top.path().join("out/../videos/./a b.mp4");
        let address = VideoAddress::of(&page, Some(&video)).unwrap();
        let expected = VideoAddress::Relative("../videos/a%20b.mp4".to_owned());
        assert_eq!(address, expected);
    }
}
