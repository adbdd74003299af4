//! Clips like those of a camera, made once: panning textures with all sizes of detail, shapes
//! that move over them, grain, and a cut every 20 seconds.

use super::Outcome;
use super::kept;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A clip and what it is.
pub(super) struct Clip {
    pub(super) title: String,
    pub(super) path: PathBuf,
}

/// The clip called `name` of this length; made where it is not there.
pub(super) fn make(name: &str, seconds: u32) -> Outcome<Clip> {
    let (title, rate, codec) = match name {
        "h264" => ("1080p30 H.264, x264's defaults", 30, "libx264"),
        "short" => (
            "1080p60 H.264, groups of 2 s",
            60,
            "libx264 -preset veryfast -b:v 8M -maxrate 8M -bufsize 16M -g 120 -sc_threshold 0 -bf 2",
        ),
        "hevc" => (
            "1080p30 HEVC, x265 veryfast",
            30,
            "libx265 -preset veryfast -b:v 4M -x265-params log-level=none",
        ),
        other => return Err(format!("there is no clip {other}: h264, short, hevc").into()),
    };
    let path = kept().join(format!("{name}-{seconds}.mp4"));
    if !path.exists() {
        println!("making {}", path.display());
        let texture = texture()?;
        // A cut moves the camera by a third of the texture.
        let filter = "[0]crop=1920:1080:x='mod(floor(t/20)*560+500*(1+sin(t/4)),iw-ow)':\
                      y='mod(floor(t/20)*310+200*(1+cos(t/5)),ih-oh)'[back];\
                      [1]split=2[a][b];[b]negate[c];\
                      [back][a]overlay=x='800+700*sin(t*0.9)':y='400+350*cos(t*0.7)'[one];\
                      [one][c]overlay=x='700+650*cos(t*0.5)':y='450-300*sin(t*1.1)',\
                      noise=alls=5:allf=t,format=yuv420p";
        let still = format!("-loop 1 -framerate {rate} -t {seconds} -i");
        let sprite = format!("-f lavfi -i testsrc2=s=240x180:r={rate}:d={seconds}");
        let mut command = ffmpeg(&still);
        command.arg(texture).args(sprite.split(' '));
        command.args(["-filter_complex", filter, "-c:v"]);
        write(command.args(codec.split(' ')), &path)?;
    }
    let title = title.to_owned();
    Ok(Clip { title, path })
}

/// The clip over and over, for so many minutes, without coding it again.
pub(super) fn loop_for(clip: &Clip, minutes: u32) -> Outcome<PathBuf> {
    let path = kept().join(format!("loop-{minutes}.mp4"));
    if !path.exists() {
        println!("making {}", path.display());
        let mut command = ffmpeg("-stream_loop -1 -i");
        command.arg(&clip.path).args(["-c", "copy", "-t"]);
        write(command.arg((minutes * 60).to_string()), &path)?;
    }
    Ok(path)
}

// Grey noise of five sizes, each as strong as the others.
fn texture() -> Outcome<PathBuf> {
    let path = kept().join("texture.png");
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(kept())?;
    let sizes = ["42:24", "84:48", "168:96", "650:370", "2600:1480"];
    let octaves = sizes.iter().enumerate().map(|(index, size)| {
        let size = size.replace(':', "x");
        format!(
            "color=gray:s={size}:d=1:r=1,format=gbrp,noise=alls=70:all_seed={},\
             scale=2600:1480:flags=bicubic,format=gbrp[o{index}]",
            index + 7
        )
    });
    let graph = octaves.collect::<Vec<_>>().join(";");
    let mix = "[o0][o1][o2][o3][o4]mix=inputs=5:weights=5 4 3 2 1,eq=contrast=2,format=rgb24";
    let mut command = ffmpeg("-filter_complex");
    command
        .arg(format!("{graph};{mix}"))
        .args(["-frames:v", "1"]);
    write(&mut command, &path)?;
    Ok(path)
}

fn ffmpeg(arguments: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]);
    command.args(arguments.split(' '));
    command
}

// Under another name first, so that what is broken off is not taken for a clip.
fn write(command: &mut Command, path: &Path) -> Outcome<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!("unfinished-{name}"));
    if !command.arg(&unfinished).status()?.success() {
        return Err(format!("ffmpeg could not make {name}").into());
    }
    fs::rename(unfinished, path)?;
    Ok(())
}
