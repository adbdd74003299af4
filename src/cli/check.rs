//! `check --json`: whether a recipe is right, and what it would do, for editors.
//!
//! Pure: what `app` says in, JSON out.

use crate::app::AppError;
use crate::app::CheckReport;
use crate::app::StageRow;
use crate::cli::mistake;
use serde_json::Value;
use serde_json::json;

/// What a recipe would do, and what of it will disappoint.
pub(super) fn right(checked: &CheckReport) -> Value {
    let row = |row: &StageRow| {
        json!({
            "id": row.id,
            "kind": row.kind,
            "place": row.place,
            "at_once": row.limit,
            "skipped": row.skipped,
        })
    };
    json!({
        "right": true,
        "recipe": checked.recipe,
        "stages": checked.stages.iter().map(row).collect::<Vec<_>>(),
        "peak": checked.peak,
        "diagnostics": checked.warnings.as_ref().map_or_else(Vec::new, mistake::diagnostics),
    })
}

/// Why a recipe cannot be run: a mistake like that of any command.
pub(super) fn wrong(error: &AppError) -> Value {
    let mut mistake = mistake::json(error, None);
    mistake["right"] = Value::Bool(false);
    mistake
}
