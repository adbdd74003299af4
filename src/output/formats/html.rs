//! `html`: the page of one video, as `vpipe report` makes it.

use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::format_file::Telling;
use crate::output::page::address::VideoAddress;
use crate::output::page::address::find_video;
use crate::output::page::page::PageVideo;
use crate::output::page::page::page;
use std::io::Error;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_report.html",
    subject: Subject::All,
    content: FormatContent::File(write),
}];

fn write(out: &mut Sink<'_>, of: &Telling<'_>) -> Result<()> {
    let video = find_video(&of.results.video, of.folder);
    let video = PageVideo {
        results: of.results,
        file: None,
        address: VideoAddress::of(of.folder, video.as_deref())?,
        pictures: Vec::new(),
    };
    out.write_all(page(&[video]).map_err(Error::other)?.as_bytes())
}
