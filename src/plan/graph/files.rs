//! The files of frames: what `save` may write, and what `merge` may tell of it.

use crate::diag::Diagnostic;
use crate::name::StageId;
use crate::recipe::Port;
use crate::recipe::Recipe;
use crate::recipe::SaveSpec;
use crate::recipe::Stage;
use crate::recipe::StageInput;
use crate::recipe::StageKind;

/// Everything that is wrong with them.
pub(super) fn check(recipe: &Recipe) -> Vec<Diagnostic> {
    let saves = recipe.saves();
    let drawn = saves.filter_map(|(stage, spec)| check_draw(recipe, stage, spec));
    let told = check_one_file_a_frame(recipe).into_iter();
    drawn
        .chain(told)
        .chain(check_files_of_crops(recipe))
        .collect()
}

// Boxes are drawn on the frames that they were found in.
fn check_draw(recipe: &Recipe, stage: &Stage, spec: &SaveSpec) -> Option<Diagnostic> {
    let drawn = spec.draw.as_ref()?;
    let of_drawn = |input: &&StageInput| input.stage == *drawn;
    let input = stage.inputs.iter().find(of_drawn);
    let wrong = |what: String| Diagnostic::error(stage.key("draw"), what);
    let frames = format!("take the frames of that stage: `inputs = [\"{drawn}.frames\"]`");
    match (recipe.stage(drawn), input) {
        (None, _) => {
            let finders = recipe.stages.iter().filter(|it| it.spec.detects());
            let finders: Vec<&str> = finders.map(|it| it.id.as_str()).collect();
            let wrong = wrong(format!(
                "`draw` names `{drawn}`, and there is no such stage"
            ));
            Some(wrong.help(format!("stages that find boxes: {}", finders.join(", "))))
        }
        (Some(it), _) if !it.spec.detects() => Some(
            wrong(format!("`draw` names `{drawn}`, which finds no boxes"))
                .help("name a stage that detects or tracks, such as `yolo`"),
        ),
        (Some(_), Some(input)) if input.port == Port::Frames => None,
        (Some(_), Some(input)) if input.port == Port::Crops => Some(
            wrong(format!(
                "boxes are drawn on whole frames, and `{}` takes crops",
                stage.id
            ))
            .help(frames),
        ),
        (Some(_), _) => Some(
            wrong(format!(
                "`draw` names `{drawn}`, and `{}` takes no frames of it",
                stage.id
            ))
            .help(frames),
        ),
    }
}

// An entry of the results has room for one file.
fn check_one_file_a_frame(recipe: &Recipe) -> Option<Diagnostic> {
    let saves = |id: &StageId| {
        let stage = recipe.stage(id);
        stage.is_some_and(|stage| stage.spec.kind() == StageKind::Save)
    };
    let merge = recipe.of_kind(StageKind::Merge).next()?;
    let mut saving = merge.inputs.iter().filter(|input| saves(&input.stage));
    let (first, second) = (saving.next()?, saving.next()?);
    Some(
        Diagnostic::error(
            second.span,
            format!("`{}` takes one `save` stage", merge.id),
        )
        .also(first.span, "the first one")
        .help("name the one whose files the results should tell; the other is run all the same"),
    )
}

fn check_files_of_crops(recipe: &Recipe) -> Option<Diagnostic> {
    let merge = recipe.of_kind(StageKind::Merge).next()?;
    let mut inputs = merge.inputs.iter();
    let (input, stage) = inputs.find_map(|input| {
        let stage = recipe.stage(&input.stage)?;
        let saves = stage.spec.kind() == StageKind::Save;
        (saves && stage.takes_crops()).then_some((input, stage))
    })?;
    let message = format!(
        "`{}` writes several files of a frame, and `{}` takes one",
        stage.id, merge.id
    );
    Some(
        Diagnostic::error(input.span, message)
            .help("leave it out of `inputs`: the stage is run all the same"),
    )
}
