//! What `check` and `models` write: short tables, of words only.

use crate::app::Capability;
use crate::app::CheckReport;
use crate::app::Finding;
use crate::app::FindingState;
use crate::app::ModelReport;
use crate::app::StageRow;
use crate::facts::ModelFacts;

const CLASSES_NAMED: usize = 6;
const LANGUAGES_NAMED: usize = 8;

const MORE_MODELS: &str = "
Any detector that Ultralytics exports to ONNX can be used (v5u, v8, v9, v10, 11, 12):

  pip install ultralytics
  yolo export model=yolo11n.pt format=onnx
  vpipe run default clip.mp4 --set yolo.model=yolo11n.onnx

In a recipe it is `model = \"yolo11n.onnx\"` under [stages.yolo]. And any Whisper that Optimum exports:

  pip install \"optimum[onnxruntime]\"
  optimum-cli export onnx --model openai/whisper-base whisper-base
  vpipe run default clip.mp4 --set whisper.model=whisper-base
";

/// What a recipe would do.
pub(super) fn checked(checked: &CheckReport) -> String {
    let stages: Vec<[String; 2]> = checked
        .stages
        .iter()
        .map(|row| [row.id.to_string(), what_it_does(row)])
        .collect();
    let mebibytes = checked.peak.bytes as f64 / f64::from(1 << 20);
    format!(
        "{} is right\n{}at most {} frames in memory, {mebibytes:.0} MiB\n",
        checked.recipe,
        table(&stages),
        checked.peak.frames,
    )
}

fn what_it_does(row: &StageRow) -> String {
    let mut parts = Vec::new();
    if row.kind != row.id.as_str() {
        parts.push(row.kind.to_owned());
    }
    match &row.skipped {
        Some(why) => parts.push(format!("skipped: {why}")),
        None => {
            if !row.place.is_empty() {
                parts.push(row.place.clone());
            }
            parts.push(format!("{} at once", row.limit));
        }
    }
    parts.join(", ")
}

/// The models that are here, and how to get more.
pub(super) fn models(models: &[ModelReport]) -> String {
    let rows: Vec<[String; 2]> = models
        .iter()
        .map(|model| {
            let path = model.path.as_ref().map(|path| path.display().to_string());
            let about = match &model.knows {
                Ok(Capability::Detection(facts)) => about(facts),
                Ok(Capability::Speech { languages, demo }) => speech(languages, *demo),
                Err(why) => format!("cannot be used: {why}"),
            };
            [path.unwrap_or_else(|| "(built in)".to_owned()), about]
        })
        .collect();
    table(&rows) + MORE_MODELS
}

fn about(model: &ModelFacts) -> String {
    let named: Vec<&str> = model
        .classes
        .iter()
        .take(CLASSES_NAMED)
        .map(|class| &**class)
        .collect();
    let more = if model.classes.len() > CLASSES_NAMED {
        ", ..."
    } else {
        ""
    };
    let size = match model.fixed_size {
        Some(size) => format!("always {size}"),
        None => "any size".to_owned(),
    };
    let demo = if model.demo {
        "; a demo of drawn shapes, nothing else"
    } else {
        ""
    };
    format!(
        "{} classes ({}{more}), {size}{demo}",
        model.classes.len(),
        named.join(", "),
    )
}

fn speech(languages: &[String], demo: bool) -> String {
    let first = languages.len().min(LANGUAGES_NAMED);
    let named = languages[..first].join(", ");
    let known = match languages.len() {
        0 => "speech (en)".to_owned(),
        count if count > first => format!("speech in {count} languages ({named}, ...)"),
        _ => format!("speech ({named})"),
    };
    let demo = if demo {
        "; a demo of 60 words, nothing else"
    } else {
        ""
    };
    format!("{known}{demo}")
}

/// What is in place, and under it what to do about what is not.
pub(super) fn findings(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.about.len()).max();
    let width = width.unwrap_or_default();
    let row = |finding: &Finding| {
        let state = match finding.state {
            FindingState::Good => "ok",
            FindingState::Absent => "-",
            FindingState::Wrong => "WRONG",
        };
        let Finding { about, found, .. } = finding;
        let mut text = format!("{about:width$}  {state:5}  {found}\n");
        if let Some(help) = &finding.help {
            text += &format!("{:width$}         -> {help}\n", "");
        }
        text
    };
    findings.iter().map(row).collect()
}

/// Two columns, indented.
pub(super) fn table(rows: &[[String; 2]]) -> String {
    let width = rows.iter().map(|[name, _]| name.chars().count()).max();
    let width = width.unwrap_or_default();
    rows.iter()
        .map(|[name, about]| format!("  {name:width$}  {about}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::checked;
    use super::models;
    use crate::app::Capability;
    use crate::app::CheckReport;
    use crate::app::ModelReport;
    use crate::app::StageRow;
    use crate::facts::ModelFacts;
    use crate::item::Size;
    use crate::plan::Peak;

    fn row(id: &str, kind: &'static str, place: &str, skipped: Option<&str>) -> StageRow {
        StageRow {
            id: id.into(),
            kind,
            place: place.to_owned(),
            limit: 2,
            total: None,
            skipped: skipped.map(str::to_owned),
        }
    }

    #[test]
    fn a_recipe_that_is_right() {
        let right = CheckReport {
            recipe: "default".to_owned(),
            stages: vec![
                row("extract", "extract", "", None),
                row("people", "yolo", "local, rten, yolo11n.onnx", None),
                row("whisper", "whisper", "", Some("no backend for speech")),
            ],
            peak: Peak {
                frames: 84,
                bytes: 103_000_000,
                sound: 0,
            },
            warnings: None,
        };
        insta::assert_snapshot!(checked(&right), @r"
    default is right
      extract  2 at once
      people   yolo, local, rten, yolo11n.onnx, 2 at once
      whisper  skipped: no backend for speech
    at most 84 frames in memory, 98 MiB
    ");
    }

    #[test]
    fn models_that_are_here() {
        let model = |classes: usize, fixed_size, demo| ModelFacts {
            name: String::new(),
            demo,
            classes: (0..classes).map(|n| format!("class{n}").into()).collect(),
            fixed_size,
            imgsz: None,
            digest: String::new(),
        };
        let speech = |languages: u32, demo| {
            let languages = (0..languages).map(|n| format!("l{n}")).collect();
            Ok(Capability::Speech { languages, demo })
        };
        let side = Size {
            width: 320,
            height: 320,
        };
        let found = [
            ModelReport {
                path: None,
                knows: Ok(Capability::Detection(model(6, Some(side), true))),
            },
            ModelReport {
                path: Some("models/yolo11n.onnx".into()),
                knows: Ok(Capability::Detection(model(80, None, false))),
            },
            ModelReport {
                path: Some("other.onnx".into()),
                knows: Err("it is a classifier".to_owned()),
            },
            ModelReport {
                path: None,
                knows: speech(1, true),
            },
            ModelReport {
                path: Some("models/whisper-base".into()),
                knows: speech(99, false),
            },
            ModelReport {
                path: Some("models/whisper-base.en".into()),
                knows: speech(0, false),
            },
        ];
        insta::assert_snapshot!(models(&found), @r#"
      (built in)              6 classes (class0, class1, class2, class3, class4, class5), always 320x320; a demo of drawn shapes, nothing else
      models/yolo11n.onnx     80 classes (class0, class1, class2, class3, class4, class5, ...), any size
      other.onnx              cannot be used: it is a classifier
      (built in)              speech (l0); a demo of 60 words, nothing else
      models/whisper-base     speech in 99 languages (l0, l1, l2, l3, l4, l5, l6, l7, ...)
      models/whisper-base.en  speech (en)

    Any detector that Ultralytics exports to ONNX can be used (v5u, v8, v9, v10, 11, 12):

      pip install ultralytics
      yolo export model=yolo11n.pt format=onnx
      vpipe run default clip.mp4 --set yolo.model=yolo11n.onnx

    In a recipe it is `model = "yolo11n.onnx"` under [stages.yolo]. And any Whisper that Optimum exports:

      pip install "optimum[onnxruntime]"
      optimum-cli export onnx --model openai/whisper-base whisper-base
      vpipe run default clip.mp4 --set whisper.model=whisper-base
    "#);
    }
}
