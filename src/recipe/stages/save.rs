//! Parameters of `save`: the form of the files and what they are called.
//!
//! The names of videos and so of files are not trusted: a name never leads out of its folder.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::item::Moment;
use crate::item::Part;
use crate::name::StageId;
use crate::name::VideoId;
use crate::name::file_name;
use crate::recipe::context::Context;
use crate::recipe::input::Port;
use crate::recipe::load::value;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::values::SAMPLE_VIDEO;
use crate::recipe::values::path_values;
use crate::template::Fault;
use crate::template::Scope;
use crate::template::Template;
use crate::time::Pts;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "save",
    take_keys: &["filter", "padding", "regions"],
    keys_by_input: &["filter", "padding", "regions"],
    rendered_later: &["output_dir", "name"],
    paths: &[],
    takes_sound: false,
    is_mapped: false,
    finds_backend: false,
    is_outcome: true,
    input_help: "name a stage that gives frames or crops, such as `extract`, `yolo.frames` or `yolo.crops`",
};

/// Parameters of `save`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SaveSpec {
    /// The format of the files.
    pub format: SaveFormat,
    /// JPEG quality, 1 to 100; that of `extract` where absent.
    #[serde(deserialize_with = "value::some_quality")]
    pub quality: Option<u8>,
    /// The stage whose boxes are drawn on its frames, each with name, confidence and track: those that
    /// `filter` lets through. `inputs` takes the frames of that stage.
    #[serde(deserialize_with = "value::optional")]
    #[schemars(with = "Option<String>")]
    pub draw: Option<StageId>,
    /// The folder for the files: a template over `video`.
    #[serde(deserialize_with = "value::template")]
    #[schemars(with = "String")]
    pub output_dir: Template,
    /// The path of a file within the folder, without its extension: a template over `video` and
    /// `frame`. That of a crop ends with `_{{ frame.crop }}` besides.
    #[serde(deserialize_with = "value::template")]
    #[schemars(with = "String")]
    pub name: Template,
}

impl Default for SaveSpec {
    fn default() -> Self {
        Self {
            format: SaveFormat::Jpeg,
            quality: None,
            draw: None,
            output_dir: Template::new("output", Scope::default()),
            name: Template::new(NAME, Scope::default()),
        }
    }
}

// What the file of a frame is called, and that of a crop, of which a frame may have several.
const NAME: &str = "{{ video.stem }}_frames/{{ frame.index }}_{{ frame.seconds }}s";
const NAME_OF_CROP: &str =
    "{{ video.stem }}_frames/{{ frame.index }}_{{ frame.seconds }}s_{{ frame.crop }}";

/// How a frame is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SaveFormat {
    /// Small, with a little loss.
    #[default]
    Jpeg,
    /// Without loss.
    Png,
}

impl SaveFormat {
    /// What the names of its files end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

impl SaveSpec {
    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        table: StageTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let written = |key| table.keys.get(key).map(|entry| entry.node.span);
        let (folder_span, name_span) = (written("output_dir"), written("name"));
        let of_crops = table.inputs.iter().any(|input| input.port == Port::Crops);
        let mut spec: Self = table.read(&FACTS, &[], wrong);
        spec.output_dir = Template::new(spec.output_dir.text(), context.scope.clone());
        let name = match name_span {
            None if of_crops => NAME_OF_CROP,
            _ => spec.name.text(),
        };
        spec.name = Template::new(name, context.scope.clone());
        let video = Path::new(SAMPLE_VIDEO);
        if let Some(span) = folder_span {
            wrong.extend(context.check_folder(spec.folder(video), spec.output_dir.text(), span));
        }
        if let Some(span) = name_span {
            let names = sample_moments(of_crops).map(|moment| spec.file(video, &moment));
            wrong.extend(match names {
                [Err(fault), _] | [_, Err(fault)] => {
                    Some(context.placed(fault, spec.name.text(), span))
                }
                [Ok(one), Ok(other)] if one == other && of_crops => Some(
                    Diagnostic::error(span, "`name` is the same for every crop of a frame")
                        .help("let it hold `{{ frame.crop }}` beside `{{ frame.index }}`"),
                ),
                [Ok(one), Ok(other)] if one == other => Some(
                    Diagnostic::error(span, "`name` is the same for every frame")
                        .help("let it hold `{{ frame.index }}`"),
                ),
                [Ok(_), Ok(_)] => None,
            });
        }
        spec
    }

    /// The file for a frame of the video at `video`.
    ///
    /// In reach of both templates is what [`MergeSpec::folder`](crate::recipe::MergeSpec::folder) has; in
    /// reach of `name` also `frame.index` (its place among the sampled ones) and
    /// `frame.frame_number` (its place in the source), both from 0 with at least six digits so
    /// that files sort, and `frame.seconds`, to the millisecond; of a crop also `frame.crop`, which
    /// of those of the frame it is, from 0 with at least three digits.
    ///
    /// # Errors
    ///
    /// Where a template cannot be rendered, or the name is none or leads out of the folder.
    pub fn path(&self, video: &Path, moment: &Moment) -> Result<PathBuf, Fault> {
        let mut path = PathBuf::from(self.folder(video)?);
        path.push(self.file(video, moment)?);
        Ok(path)
    }

    /// The folder that the names of files are taken from.
    pub fn folder(&self, video: &Path) -> Result<String, Fault> {
        self.output_dir.render_with("video", path_values(video))
    }

    /// The name of a file within the folder.
    pub(in crate::recipe) fn file(&self, video: &Path, moment: &Moment) -> Result<PathBuf, Fault> {
        let scope = Scope::default()
            .with("video", path_values(video))
            .with("frame", frame_values(moment));
        let name = self.name.render_in(scope)?;
        let inside = |part| matches!(part, Component::Normal(_));
        let file = Path::new(&name);
        if name.ends_with(['/', '\\'])
            || !file.components().all(inside)
            || file.file_name().is_none()
        {
            return Err(Fault {
                message: format!(
                    "`name` comes out as {name:?}, which names no file in `output_dir`"
                ),
                help: Some("`name` is a path within `output_dir`, without `..`".to_owned()),
                range: None,
                undefined: None,
            });
        }
        // Every part has to be a name that can be written.
        let fitting = |part: Component<'_>| {
            let part = part.as_os_str().to_string_lossy();
            file_name(&part, self.format.extension().len() + 1)
        };
        let parts: PathBuf = file.components().map(fitting).collect();
        let mut path = parts.into_os_string();
        path.push(format!(".{}", self.format.extension()));
        Ok(path.into())
    }
}

impl StageParameters for SaveSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[ItemKind::Frame, ItemKind::Crop],
            inputs: InputCount::One,
            gives: &[ItemKind::Saved],
        }
    }
}

// Two frames of one video that differ in everything; or two crops of one.
fn sample_moments(of_crops: bool) -> [Moment; 2] {
    [0, 1].map(|number| {
        let index = if of_crops { 0 } else { number };
        Moment {
            video: VideoId(0),
            index,
            frame_number: index * 30,
            pts: Pts(index.cast_signed()),
            seconds: index as f64,
            samples: 1,
            part: of_crops.then(|| Part::of(number as u32)),
        }
    })
}

fn frame_values(moment: &Moment) -> Map<String, Value> {
    let values = [
        ("index", format!("{:06}", moment.index)),
        ("frame_number", format!("{:06}", moment.frame_number)),
        ("seconds", format!("{:.3}", moment.seconds)),
    ];
    let crop = moment
        .part
        .map(|part| ("crop", format!("{:03}", part.number)));
    let values = values.into_iter().chain(crop);
    values
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::SaveFormat;
    use super::SaveSpec;
    use crate::item::Moment;
    use crate::name::VideoId;
    use crate::template::Scope;
    use crate::template::Template;
    use crate::time::Pts;
    use std::path::Path;

    fn moment() -> Moment {
        Moment {
            video: VideoId(0),
            index: 12,
            frame_number: 360,
            pts: Pts(0),
            seconds: 12.0125,
            samples: 1,
            part: None,
        }
    }

    fn path(spec: &SaveSpec, video: &str) -> Result<String, String> {
        let path = spec.path(Path::new(video), &moment());
        path.map(|path| path.display().to_string().replace('\\', "/"))
            .map_err(|fault| fault.message)
    }

    fn named(name: &str) -> SaveSpec {
        SaveSpec {
            name: Template::new(name, Scope::default()),
            ..SaveSpec::default()
        }
    }

    #[test]
    fn files_are_named_by_index_and_time() {
        let usual = SaveSpec::default();
        assert_eq!(
            path(&usual, "videos/clip.mp4").unwrap(),
            "output/clip_frames/000012_12.012s.jpg"
        );
        let png = SaveSpec {
            format: SaveFormat::Png,
            ..named("{{ frame.frame_number }}")
        };
        assert_eq!(path(&png, "clip.mp4").unwrap(), "output/000360.png");
    }

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for name in ["../x", "/x", "a/../../x", "..", ".", "a/", "./x"] {
            let message = path(&named(name), "clip.mp4").unwrap_err();
            assert!(message.contains("names no file in"), "{name}: {message}");
        }
        let stem = named("{{ video.stem }}/{{ frame.index }}");
        assert_eq!(path(&stem, "...mp4").unwrap(), "output/__/000012.jpg");
        assert_eq!(path(&stem, "a/..").unwrap(), "output/pictures/000012.jpg");
    }

    #[test]
    fn every_part_of_a_name_can_be_written() {
        let spec = SaveSpec::default();
        let path = spec.path(Path::new(&format!("{}.mp4", "a".repeat(251))), &moment());
        let path = path.unwrap();
        let lengths = path.components().map(|part| part.as_os_str().len());
        assert!(lengths.clone().all(|length| length <= 255), "{path:?}");
        assert!(lengths.max() > Some(245), "{path:?}");
        assert_eq!(path.extension(), Some("jpg".as_ref()));
    }
}
