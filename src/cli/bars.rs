//! Bars: the live rows of a run, each drawn by indicatif.
//!
//! indicatif fills a row up to the edge of the window, so that terminals take all rows for one long
//! line, which another size of the window breaks elsewhere. Therefore it draws into a [`Frame`], and
//! [`LiveRows`](crate::cli::live::LiveRows) puts the rows of that on the terminal.

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;
use indicatif::TermLike;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A row: what is said, around a bar where it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LiveRow {
    /// What stands before the bar.
    pub(super) before: String,
    pub(super) bar: Option<Bar>,
    /// What stands after it.
    pub(super) after: String,
}

/// A bar: so many columns, of which those are filled that are done of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) columns: usize,
    pub(super) done: u64,
    pub(super) total: u64,
}

impl LiveRow {
    /// A row without a bar.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self {
            after: text.into(),
            ..Self::default()
        }
    }

    fn style(&self) -> ProgressStyle {
        let template = match self.bar {
            Some(Bar { columns, .. }) => format!("{{prefix}}{{bar:{columns}.cyan/dim}}{{msg}}"),
            None => "{prefix}{msg}".to_owned(),
        };
        // The templates are ours and tested; should one be wrong, a plain bar is shown.
        let style = ProgressStyle::with_template(&template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        style.progress_chars("━─")
    }
}

/// The bars of the rows that were drawn last.
#[derive(Debug)]
pub(super) struct Bars {
    frame: Frame,
    multi: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    pub(super) fn new() -> Self {
        let frame = Frame::default();
        let target = ProgressDrawTarget::term_like(Box::new(frame.clone()));
        Self {
            frame,
            multi: MultiProgress::with_draw_target(target),
            bars: Vec::new(),
        }
    }

    /// The rows as text, with the colours of a terminal, for a window of so many columns.
    pub(super) fn drawn(&mut self, rows: &[LiveRow], width: usize) -> Vec<String> {
        self.frame.text().width = u16::try_from(width).unwrap_or(u16::MAX);
        for bar in self.bars.drain(rows.len().min(self.bars.len())..) {
            self.multi.remove(&bar);
        }
        while self.bars.len() < rows.len() {
            self.bars.push(self.multi.add(ProgressBar::no_length()));
        }
        for (bar, row) in self.bars.iter().zip(rows) {
            bar.set_style(row.style());
            if let Some(Bar { done, total, .. }) = row.bar {
                bar.set_length(total);
                bar.set_position(done);
            }
            bar.set_prefix(row.before.clone());
            bar.set_message(row.after.clone());
        }
        match rows.is_empty() {
            true => Vec::new(),
            false => self.frame.text().rows.clone(),
        }
    }
}

/// What indicatif takes for a terminal: the rows that it wrote last.
#[derive(Clone, Debug, Default)]
struct Frame(Arc<Mutex<FrameText>>);

#[derive(Debug, Default)]
struct FrameText {
    width: u16,
    written: Vec<String>,
    rows: Vec<String>,
}

impl Frame {
    fn text(&self) -> MutexGuard<'_, FrameText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Every frame is written whole, each row in one piece, with nothing but spaces between two.
impl TermLike for Frame {
    fn width(&self) -> u16 {
        self.text().width
    }

    // Whoever shows the rows leaves out those that have no room.
    fn height(&self) -> u16 {
        u16::MAX
    }

    fn move_cursor_up(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let row = text.trim_end();
        if !row.is_empty() {
            self.text().written.push(row.to_owned());
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut text = self.text();
        text.rows = std::mem::take(&mut text.written);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Bar;
    use super::Bars;
    use super::LiveRow;

    fn row(name: &str, done: u64, total: u64) -> LiveRow {
        let columns = 8;
        LiveRow {
            before: format!("{name} "),
            bar: Some(Bar {
                columns,
                done,
                total,
            }),
            after: format!(" {done}/{total}"),
        }
    }

    #[test]
    fn rows_are_drawn_one_by_one_whatever_the_window() {
        let mut bars = Bars::new();
        for width in [80, 21, 17, 5, 1] {
            let rows = [row("yolo", 1, 4), row("merge", 0, 4), LiveRow::of("3 s")];
            let drawn = ["yolo ━━────── 1/4", "merge ──────── 0/4", "3 s"];
            assert_eq!(bars.drawn(&rows, width), drawn, "{width}");
        }
    }

    #[test]
    fn a_later_frame_has_nothing_of_an_earlier_one() {
        let mut bars = Bars::new();
        let first = [
            row("yolo", 1, 4),
            LiveRow::of("clip.mp4"),
            LiveRow::of("3 s"),
        ];
        assert_eq!(bars.drawn(&first, 80).len(), 3);
        let fewer = [LiveRow::of("stopping")];
        assert_eq!(bars.drawn(&fewer, 80), ["stopping"]);
        assert!(bars.drawn(&[], 80).is_empty());
        let full = [row("yolo", 4, 4), row("empty", 0, 0)];
        assert_eq!(
            bars.drawn(&full, 80),
            ["yolo ━━━━━━━━ 4/4", "empty ━━━━━━━━ 0/0"]
        );
    }
}
