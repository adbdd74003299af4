//! The table of what is seen: a row an object, and a row for each frame without.

use super::seen::looked;
use super::seen::unanswered;
use super::table::Cell;
use super::table::Column;
use super::table::ColumnKind;
use crate::name::StageId;
use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;

/// Its columns.
pub(super) const COLUMNS: [Column; 14] = [
    Column::full("video", ColumnKind::Text),
    Column::full("frame_number", ColumnKind::Whole),
    Column::full("timestamp", ColumnKind::Number),
    Column::partial("stage", ColumnKind::Text),
    Column::partial("class", ColumnKind::Whole),
    Column::partial("class_name", ColumnKind::Text),
    Column::partial("confidence", ColumnKind::Number),
    Column::partial("x1", ColumnKind::Pixels),
    Column::partial("y1", ColumnKind::Pixels),
    Column::partial("x2", ColumnKind::Pixels),
    Column::partial("y2", ColumnKind::Pixels),
    Column::partial("track", ColumnKind::Whole),
    Column::partial("parent", ColumnKind::Whole),
    Column::full("status", ColumnKind::Text),
];

/// Its rows, stage by stage, each in order of time.
pub(super) fn rows(results: &Results) -> impl Iterator<Item = [Cell<'_>; 14]> {
    let looked = looked(results).into_iter();
    let video = results.video.as_str();
    looked.flat_map(move |looked| {
        let stage = Cell::text(looked.stage.map(StageId::as_str));
        looked.entries.iter().flat_map(move |entry| {
            let row = move |object, status| row(video, stage, entry, object, status);
            let objects = match &entry.seen {
                Seen::Objects { detections, .. } => detections.as_slice(),
                Seen::Record { .. }
                | Seen::Crops { .. }
                | Seen::Error { .. }
                | Seen::Skipped { .. } => &[],
            };
            let none = objects.is_empty().then(|| {
                let status = unanswered(entry).unwrap_or("empty");
                row(None, status)
            });
            let found = objects.iter();
            found.map(move |it| row(Some(it), "found")).chain(none)
        })
    })
}

fn row<'a>(
    video: &'a str,
    stage: Cell<'a>,
    entry: &Entry,
    object: Option<&'a Object>,
    status: &'static str,
) -> [Cell<'a>; 14] {
    let side = |at: usize| Cell::number(object.map(|it| it.bbox[at]));
    [
        Cell::Text(video),
        Cell::Whole(entry.frame_number),
        Cell::Number(entry.timestamp),
        stage,
        Cell::whole(object.map(|it| it.class.into())),
        Cell::text(object.map(|it| &*it.class_name)),
        Cell::number(object.map(|it| it.confidence)),
        side(0),
        side(1),
        side(2),
        side(3),
        Cell::whole(object.and_then(|it| it.track)),
        Cell::whole(object.and_then(|it| it.parent).map(u64::from)),
        Cell::Text(status),
    ]
}
