//! The file of the page: template, style, program and data put together.
//!
//! Data stands in blocks of JSON that no browser runs. What runs and what styles is this program's
//! own, and carries a nonce that the policy of the page asks for.

use crate::output::page::address::VideoAddress;
use crate::output::page::data::listed;
use crate::output::page::data::video_data;
use crate::output::page::names::names;
use crate::output::results::results::Results;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::Serialize;
use std::path::Path;

/// The bytes of the largest page: what browsers open within seconds.
const LARGEST: usize = 256 << 20;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The program of the page, file by file.
const PROGRAM: [&str; 16] = [
    include_str!("clock.js"),
    include_str!("elements.js"),
    include_str!("video.js"),
    include_str!("search.js"),
    include_str!("rows.js"),
    include_str!("player.js"),
    include_str!("overlay.js"),
    include_str!("now.js"),
    include_str!("timeline.js"),
    include_str!("lanes.js"),
    include_str!("transcript.js"),
    include_str!("moments.js"),
    include_str!("details.js"),
    include_str!("controls.js"),
    include_str!("keys.js"),
    include_str!("main.js"),
];

/// A video of a page.
#[derive(Clone, Debug)]
pub struct PageVideo<'a> {
    /// What was found in it.
    pub results: &'a Results,
    /// The file of that, which tells it from another video of its name.
    pub file: Option<&'a Path>,
    /// Where it is.
    pub address: VideoAddress,
    /// Pictures of it, in order of time, for browsers that cannot play it.
    pub pictures: Vec<KeptPicture>,
}

/// A picture of a video at a moment.
#[derive(Clone, Debug)]
pub struct KeptPicture {
    /// Seconds since the first frame.
    pub seconds: f64,
    /// The JPEG, as the video is shown.
    pub jpeg: Bytes,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[error("the page would have {megabytes} MB, and a browser opens {most} MB at most")]
pub struct PageTooLarge {
    megabytes: usize,
    most: usize,
}

#[derive(Serialize)]
struct PictureData {
    time: i64,
    jpeg: String,
}

/// The page of these videos; several are listed, and searched as one.
///
/// # Errors
///
/// Where it is too large for a browser.
pub fn page(videos: &[PageVideo<'_>]) -> Result<String, PageTooLarge> {
    let names = names(videos);
    let named = || videos.iter().zip(&names);
    let list: Vec<_> = named()
        .map(|(video, name)| listed(video.results, name))
        .collect();
    let mut data = block("list", &list);
    for (at, (video, name)) in named().enumerate() {
        let known = video_data(video.results, name, &video.address);
        data.push_str(&block(&format!("video-{at}"), &known));
        let pictures: Vec<PictureData> = video.pictures.iter().map(picture).collect();
        data.push_str(&block(&format!("pictures-{at}"), &pictures));
        if data.len() > LARGEST {
            return Err(PageTooLarge {
                megabytes: data.len() >> 20,
                most: LARGEST >> 20,
            });
        }
    }
    Ok(assembled(&data))
}

fn picture(picture: &KeptPicture) -> PictureData {
    PictureData {
        time: (picture.seconds * 1e3).round() as i64,
        jpeg: BASE64_STANDARD.encode(&picture.jpeg),
    }
}

// The parts in the places that the template names. No part is looked through for places.
fn assembled(data: &str) -> String {
    let program = PROGRAM.join("\n");
    // Whoever wrote a text of the data cannot know it, since the text decides it.
    let digest = blake3::hash(data.as_bytes()).to_hex();
    let mut page = String::with_capacity(data.len() + program.len() + STYLE.len());
    let mut pieces = TEMPLATE.split("{{");
    page.extend(pieces.next());
    for piece in pieces {
        let (place, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        page.push_str(match place {
            "nonce" => digest.as_str(),
            "style" => STYLE,
            "program" => &program,
            "data" => data,
            _ => "",
        });
        page.push_str(rest);
    }
    page
}

// A block of JSON in HTML. The letters that could end it stand in texts alone, and JSON has another
// way to write them.
fn block(id: &str, value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut text = format!("<script type=\"application/json\" id=\"{id}\">");
    text.reserve(json.len());
    for letter in json.chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            letter => text.push(letter),
        }
    }
    text.push_str("</script>\n");
    text
}
