//! Live rows: the last lines of a terminal, drawn over again in their place, and what is said above
//! them.
//!
//! A window may get another size between two drawings. Every row is a line of its own that fits the
//! window that it was drawn for, so a wider window changes none; in a narrower one a row takes
//! several lines, which are counted before they are taken away. Knows nothing of what the rows say.

use console::Term;
use console::measure_text_width;
use console::truncate_str;
use std::env;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// The live rows of stderr; a clone draws the same ones.
#[derive(Clone, Debug)]
pub(super) struct LiveRows(Arc<Mutex<Drawn>>);

#[derive(Debug)]
struct Drawn {
    term: Term,
    rows: Vec<String>,
    is_shown: bool,
}

impl LiveRows {
    pub(super) fn on_stderr() -> Self {
        // indicatif asks for the colours of stdout, and is drawn on stderr.
        console::set_colors_enabled(console::colors_enabled_stderr());
        Self(Arc::new(Mutex::new(Drawn {
            term: Term::buffered_stderr(),
            rows: Vec::new(),
            is_shown: false,
        })))
    }

    /// Whether stderr is a terminal that can draw over what it shows.
    pub(super) fn can_be_drawn(&self) -> bool {
        self.drawn().term.is_term() && env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Columns of the window.
    pub(super) fn width(&self) -> usize {
        let (_, width) = self.drawn().term.size();
        usize::from(width)
    }

    /// Shows these rows in place of those before them.
    pub(super) fn draw(&self, rows: Vec<String>) {
        let mut drawn = self.drawn();
        drawn.take_away();
        drawn.rows = rows;
        drawn.put();
    }

    /// Has `write` write to stderr above the rows.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut drawn = self.drawn();
        drawn.take_away();
        let written = write();
        drawn.put();
        written
    }

    /// Takes the rows away.
    pub(super) fn clear(&self) {
        let mut drawn = self.drawn();
        drawn.take_away();
        drawn.rows.clear();
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// A terminal that takes nothing any more is no reason to end a run.
impl Drawn {
    fn put(&mut self) {
        let (height, width) = self.term.size();
        // One line is left for the cursor, which stands below them.
        let room = usize::from(height).saturating_sub(1);
        let hidden = self.rows.len().saturating_sub(room);
        self.rows.drain(..hidden);
        for row in &mut self.rows {
            *row = truncate_str(row, usize::from(width), "…").into_owned();
            self.term.write_line(row).unwrap_or_default();
        }
        self.term.flush().unwrap_or_default();
        self.is_shown = !self.rows.is_empty();
    }

    fn take_away(&mut self) {
        if !std::mem::take(&mut self.is_shown) {
            return;
        }
        let (_, width) = self.term.size();
        let widths = self.rows.iter().map(|row| measure_text_width(row));
        let lines = lines_taken(widths, usize::from(width), rewraps());
        self.cleared(lines).unwrap_or_default();
    }

    // Line by line, from the cursor up: what is cleared at once from the top of a window on, tmux
    // keeps as a page of its history.
    fn cleared(&self, lines: usize) -> io::Result<()> {
        self.term.clear_line()?;
        for _ in 0..lines {
            self.term.move_cursor_up(1)?;
            self.term.clear_line()?;
        }
        self.term.flush()
    }
}

// How many lines of a window rows of these widths take.
fn lines_taken(widths: impl Iterator<Item = usize>, width: usize, rewraps: bool) -> usize {
    let lines = |row: usize| match rewraps {
        true => row.div_ceil(width.max(1)).max(1),
        false => 1,
    };
    widths.map(lines).sum()
}

// Whether the terminal puts what does not fit a narrower window on further lines. Nearly all do;
// these cut it off.
fn rewraps() -> bool {
    let is_set = |name| env::var_os(name).is_some();
    let term = env::var("TERM").unwrap_or_default();
    let is_screen = term.starts_with("screen") || is_set("XTERM_VERSION") || is_set("STY");
    is_set("TMUX") || !(is_screen || term.starts_with("st-") || term == "linux")
}

#[cfg(test)]
mod tests {
    use super::lines_taken;

    #[test]
    fn a_narrower_window_has_more_lines_of_the_same_rows() {
        let rows = [78, 40, 0, 12];
        let taken = |width, rewraps| lines_taken(rows.into_iter(), width, rewraps);
        assert_eq!(taken(80, true), 4);
        assert_eq!(taken(140, true), 4);
        assert_eq!(taken(40, true), 5);
        assert_eq!(taken(39, true), 6);
        assert_eq!(taken(10, true), 8 + 4 + 1 + 2);
        assert_eq!(taken(10, false), 4);
        assert_eq!(taken(0, true), 78 + 40 + 1 + 12);
    }
}
