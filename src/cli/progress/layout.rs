//! The live rows of a run in a window: one a stage, then which video it is at, and then time and
//! money. What does not fit is left out, the least important first, and never cut in a word.

use crate::cli::bars::Bar;
use crate::cli::bars::LiveRow;
use console::measure_text_width;
use console::truncate_str;

// The bar has a third of the window, within these columns.
const BAR: (usize, usize) = (8, 30);

// Between two things that are said.
const GAP: &str = "  ";

/// A stage: its name, what of how much is done, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct StageRow {
    pub(super) name: String,
    pub(super) done: u64,
    /// `None` where it is not known.
    pub(super) total: Option<u64>,
    /// What matters most first.
    pub(super) words: Vec<String>,
}

/// The rows of the stages.
pub(super) fn stages(rows: &[StageRow], width: usize) -> Vec<LiveRow> {
    let names = rows.iter().map(|row| measure_text_width(&row.name));
    let names = names.max().unwrap_or_default();
    let columns = (width / 3).clamp(BAR.0, BAR.1);
    let row = |row: &StageRow| {
        let indent = names - measure_text_width(&row.name);
        let bar = row.total.map(|total| Bar {
            columns,
            done: row.done,
            total,
        });
        let space = if bar.is_some() { 0 } else { columns };
        let room = width.saturating_sub(names + columns + 2);
        LiveRow {
            before: format!("{:indent$}{} {:space$}", "", row.name, ""),
            bar,
            after: format!(" {}", fitting(&row.words, room)),
        }
    };
    rows.iter().map(row).collect()
}

/// As many of `words` as have room, from the first on.
pub(super) fn fitting(words: &[String], room: usize) -> String {
    let mut text = String::new();
    for word in words {
        let gap = if text.is_empty() { "" } else { GAP };
        if measure_text_width(&text) + gap.len() + measure_text_width(word) > room {
            break;
        }
        text += gap;
        text += word;
    }
    text
}

/// `b.mp4`, `b.mp4 and c.mp4`, `b.mp4 and 3 more`: as many names as have room.
pub(super) fn names(names: &[&str], room: usize) -> String {
    for named in (1..=names.len().min(3)).rev() {
        let (first, rest) = names.split_at(named);
        let text = match (first, rest.len()) {
            ([.., _], more @ 1..) => format!("{} and {more} more", first.join(", ")),
            ([before @ .., last], _) if !before.is_empty() => {
                format!("{} and {last}", before.join(", "))
            }
            _ => first.join(", "),
        };
        if measure_text_width(&text) <= room {
            return text;
        }
    }
    let first = names.first().copied().unwrap_or_default();
    truncate_str(first, room, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::StageRow;
    use super::fitting;
    use super::names;
    use super::stages;
    use crate::cli::bars::Bars;

    fn drawn(width: usize) -> String {
        let row = |name: &str, done, total, words: &[&str]| StageRow {
            name: name.to_owned(),
            done,
            total,
            words: words.iter().map(|&word| word.to_owned()).collect(),
        };
        let rows = [
            row("extract", 24, Some(24), &["24/24"]),
            row(
                "yolo",
                12,
                Some(24),
                &["12/24", "1 failed", "8.0/s", "5 of 5 at work", "8 known"],
            ),
            row("stream", 3, None, &["3"]),
            row("empty", 0, Some(0), &["0/0"]),
        ];
        Bars::new().drawn(&stages(&rows, width), width).join("\n")
    }

    #[test]
    fn what_does_not_fit_is_left_out_at_a_word() {
        insta::assert_snapshot!(drawn(80), @r"
        extract ━━━━━━━━━━━━━━━━━━━━━━━━━━ 24/24
           yolo ━━━━━━━━━━━━━───────────── 12/24  1 failed  8.0/s  5 of 5 at work
         stream                            3
          empty ━━━━━━━━━━━━━━━━━━━━━━━━━━ 0/0
        ");
        insta::assert_snapshot!(drawn(50), @r"
        extract ━━━━━━━━━━━━━━━━ 24/24
           yolo ━━━━━━━━──────── 12/24  1 failed  8.0/s
         stream                  3
          empty ━━━━━━━━━━━━━━━━ 0/0
        ");
        insta::assert_snapshot!(drawn(20), @r"
        extract ━━━━━━━━
           yolo ━━━━────
         stream          3
          empty ━━━━━━━━ 0/0
        ");
    }

    #[test]
    fn names_have_the_room_that_there_is() {
        let all = ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"];
        assert_eq!(names(&all, 80), "a.mp4, b.mp4, c.mp4 and 2 more");
        assert_eq!(names(&all, 25), "a.mp4, b.mp4 and 3 more");
        assert_eq!(names(&all, 20), "a.mp4 and 4 more");
        assert_eq!(names(&all, 4), "a.m…");
        assert_eq!(names(&all[..2], 80), "a.mp4 and b.mp4");
        assert_eq!(names(&all[..1], 80), "a.mp4");
        assert_eq!(names(&[], 80), "");
    }

    #[test]
    fn words_stand_two_spaces_apart() {
        let words = ["1m 05s", "$0.13 so far", "about 2 s left"].map(str::to_owned);
        assert_eq!(fitting(&words, 80), "1m 05s  $0.13 so far  about 2 s left");
        assert_eq!(fitting(&words, 20), "1m 05s  $0.13 so far");
        assert_eq!(fitting(&words, 19), "1m 05s");
        assert_eq!(fitting(&words, 3), "");
    }
}
