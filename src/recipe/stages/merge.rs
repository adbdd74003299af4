//! Parameters of `merge`: where results go, and which other files are made of them.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::name::StageId;
use crate::recipe::context::Context;
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
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use std::path::Path;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "merge",
    take_keys: &[],
    keys_by_input: &[],
    rendered_later: &["output_dir"],
    paths: &[],
    takes_sound: false,
    is_mapped: false,
    finds_backend: false,
    is_outcome: true,
    input_help: "name stages that find something, such as `yolo` and `whisper`",
};

/// Parameters of `merge`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MergeSpec {
    /// The stage whose detections stand at the top of the results, where there are several.
    #[serde(deserialize_with = "value::optional")]
    #[schemars(with = "Option<String>")]
    pub primary: Option<StageId>,
    /// The folder for the results: a template over `video`.
    #[serde(deserialize_with = "value::template")]
    #[schemars(with = "String")]
    pub output_dir: Template,
    /// The files that are written beside the results.
    pub formats: Vec<OutputFormat>,
    /// Columns of a line in captions; a Chinese, Japanese or Korean letter takes two.
    #[serde(deserialize_with = "value::line_width")]
    pub line_width: usize,
    /// Lines of a caption, at most.
    #[serde(deserialize_with = "value::line_count")]
    pub line_count: usize,
}

impl Default for MergeSpec {
    fn default() -> Self {
        Self {
            primary: None,
            output_dir: Template::new("output", Scope::default()),
            formats: Vec::new(),
            line_width: 42,
            line_count: 2,
        }
    }
}

/// A file that is made of the results.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// SubRip captions.
    Srt,
    /// WebVTT captions, for browsers.
    Vtt,
    /// A table with times in milliseconds.
    Tsv,
    /// Plain text.
    Txt,
    /// What is seen, a line of JSON a frame; grows while the run goes on.
    Jsonl,
    /// Tables of what is seen and of what is said, as text.
    Csv,
    /// The same tables in columns that have types, compressed.
    Parquet,
    /// What is seen, as a data set of COCO.
    Coco,
    /// What is seen, as a data set that Ultralytics trains on.
    Yolo,
    /// What is seen, as the MOTChallenge has it.
    Mot,
    /// A page of all of it, with the video.
    Html,
}

impl OutputFormat {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Srt,
        Self::Vtt,
        Self::Tsv,
        Self::Txt,
        Self::Jsonl,
        Self::Csv,
        Self::Parquet,
        Self::Coco,
        Self::Yolo,
        Self::Mot,
        Self::Html,
    ];

    /// Its name in recipes and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Tsv => "tsv",
            Self::Txt => "txt",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::Mot => "mot",
            Self::Html => "html",
        }
    }
}

impl MergeSpec {
    /// The folder for the results of a video. In reach of the template: `video.path`,
    /// `video.folder`, `video.name` (with its extension) and `video.stem` (without).
    pub fn folder(&self, video: &Path) -> Result<String, Fault> {
        self.output_dir.render_with("video", path_values(video))
    }

    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        table: StageTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let written = table.keys.get("output_dir").map(|entry| entry.node.span);
        let mut spec: Self = table.read(&FACTS, &[], wrong);
        spec.output_dir = Template::new(spec.output_dir.text(), context.scope.clone());
        if let Some(span) = written {
            let folder = spec.folder(Path::new(SAMPLE_VIDEO));
            wrong.extend(context.check_folder(folder, spec.output_dir.text(), span));
        }
        spec
    }
}

impl StageParameters for MergeSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[
                ItemKind::Detections,
                ItemKind::Fields,
                ItemKind::Transcript,
                ItemKind::Saved,
            ],
            inputs: InputCount::Many,
            gives: &[ItemKind::Record],
        }
    }
}
