//! What is said of a cassette at the end of a run: where it was recorded to, or what it lacks.
//!
//! Pure.

use crate::app::Recorded;
use crate::app::RunReport;
use crate::cli::money::bytes as bytes_of;
use crate::cli::money::number;
use crate::engine::cassette::MissGroup;
use crate::engine::cassette::Misses;
use serde_json::Value;
use serde_json::json;

/// The most lines that are written about misses.
const MOST_LINES: usize = 20;

/// What went wrong, a line each; nothing where nothing did.
pub(super) fn troubles(outcome: &RunReport) -> Vec<String> {
    let recorded = match &outcome.recorded {
        Some(Recorded::Incomplete { folder, why }) => Some(format!(
            "{} is not recorded: {why}; what is known already is not asked again by the same command",
            folder.display()
        )),
        Some(Recorded::Unwritten { why }) => Some(format!("the cassette is not recorded: {why}")),
        Some(Recorded::Written { .. }) | None => None,
    };
    recorded
        .into_iter()
        .chain(misses(&outcome.misses))
        .collect()
}

/// All that there is to say.
pub(super) fn lines(outcome: &RunReport) -> Vec<String> {
    let written = match &outcome.recorded {
        Some(Recorded::Written { folder, bytes }) => {
            let bytes = bytes_of(*bytes);
            Some(format!("recorded to {}, {bytes}", folder.display()))
        }
        Some(Recorded::Incomplete { .. } | Recorded::Unwritten { .. }) | None => None,
    };
    written.into_iter().chain(troubles(outcome)).collect()
}

/// What is not in a cassette and why, in at most 20 lines.
pub(super) fn misses(misses: &Misses) -> Vec<String> {
    let groups = &misses.groups;
    if misses.is_empty() {
        return Vec::new();
    }
    let items = groups.iter().map(|group| group.items).sum();
    let items = number(items, "item is", "items are");
    let mut lines = vec![format!(
        "{items} not in the cassette; --record makes it anew:"
    )];
    let room = MOST_LINES - 1;
    let shown = match groups.len() > room {
        true => room - 1,
        false => groups.len(),
    };
    lines.extend(groups.iter().take(shown).map(miss));
    let more = (groups.len() - shown) as u64;
    if more > 0 {
        lines.push(format!("  {}", number(more, "more reason", "more reasons")));
    }
    lines
}

fn miss(group: &MissGroup) -> String {
    let MissGroup { stage, why, items } = group;
    format!("  {stage}: {}: {why}", number(*items, "item", "items"))
}

/// The same for programs.
pub(super) fn json(outcome: &RunReport) -> (Value, Value) {
    let recorded = match &outcome.recorded {
        None => Value::Null,
        Some(Recorded::Written { folder, bytes }) => {
            json!({ "folder": folder.display().to_string(), "bytes": bytes })
        }
        Some(Recorded::Incomplete { folder, why }) => {
            json!({ "folder": folder.display().to_string(), "error": why })
        }
        Some(Recorded::Unwritten { why }) => json!({ "error": why }),
    };
    (recorded, misses_json(&outcome.misses))
}

/// What is not in a cassette, for programs.
pub(super) fn misses_json(misses: &Misses) -> Value {
    let groups = misses.groups.iter();
    groups
        .map(|group| json!({ "stage": group.stage, "items": group.items, "why": group.why }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::misses;
    use crate::engine::cassette::MissGroup;
    use crate::engine::cassette::Misses;

    fn groups(count: usize) -> Vec<String> {
        let group = |number: usize| MissGroup {
            stage: "yolo".into(),
            why: format!("`a{number}` was 1 and is 2"),
            items: number as u64 + 1,
        };
        misses(&Misses {
            groups: (0..count).map(group).collect(),
        })
    }

    #[test]
    fn misses_are_told_by_reason_in_at_most_20_lines() {
        assert!(groups(0).is_empty());
        insta::assert_snapshot!(groups(2).join("\n"), @r"
        3 items are not in the cassette; --record makes it anew:
          yolo: 1 item: `a0` was 1 and is 2
          yolo: 2 items: `a1` was 1 and is 2
        ");
        for (count, lines, last) in [
            (19, 20, "  yolo: 19 items: `a18` was 1 and is 2"),
            (20, 20, "  2 more reasons"),
            (500, 20, "  482 more reasons"),
        ] {
            let told = groups(count);
            assert_eq!(told.len(), lines, "{count}");
            assert_eq!(told.last().map(String::as_str), Some(last));
        }
    }
}
