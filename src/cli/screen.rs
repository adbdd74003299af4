//! The screen: live bars where a person watches, lines where a file or a pipe does.
//!
//! Draws what [`Progress`] says. Knows nothing of runs.

use crate::cli::duration::spell_roughly;
use crate::cli::progress::Line;
use crate::cli::progress::Progress;
use crate::cli::progress::Row;
use crate::cli::progress::Weight;
use crate::cli::streams::talk;
use indicatif::MultiProgress;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use std::time::Duration;

// Often enough for a clock that shows seconds.
const TICK: Duration = Duration::from_millis(250);

/// Where progress is shown; on stderr in any case.
pub(super) struct Screen {
    bars: Option<Bars>,
    least: Weight,
}

impl Screen {
    /// A screen that draws its bars in `multi`. There are no bars where it is not a terminal, or a dumb one.
    pub(super) fn new(quiet: bool, multi: MultiProgress) -> Self {
        let bars = (!quiet && !multi.is_hidden()).then(|| Bars::new(multi));
        let least = match (quiet, &bars) {
            (true, _) => Weight::Trouble,
            (false, Some(_)) => Weight::Notice,
            (false, None) => Weight::Step,
        };
        Self { bars, least }
    }

    /// Shows where a run is, and `lines` that stay.
    pub(super) fn show(&mut self, progress: &Progress, lines: Vec<Line>) {
        for line in lines {
            if line.weight >= self.least {
                self.say(&line.text);
            }
        }
        if let Some(bars) = &mut self.bars {
            bars.show(progress);
        }
    }

    /// Takes the bars away, so that what is said next stands alone.
    pub(super) fn close(self) {
        if let Some(bars) = self.bars {
            bars.multi.clear().unwrap_or_default();
        }
    }

    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.multi.suspend(|| talk(text)),
            None => talk(text),
        }
    }
}

struct Bars {
    multi: MultiProgress,
    stages: Vec<ProgressBar>,
    clock: Option<ProgressBar>,
}

impl Bars {
    fn new(multi: MultiProgress) -> Self {
        Self {
            multi,
            stages: Vec::new(),
            clock: None,
        }
    }

    // All at once and in their order: a bar that is put above one that is drawn already leaves
    // a copy of that one behind.
    fn begin(&mut self, rows: &[Row]) {
        let width = rows.iter().map(|row| row.name.chars().count()).max();
        let width = width.unwrap_or_default();
        for row in rows {
            let bar = match row.total {
                Some(total) => ProgressBar::new(total).with_style(filling()),
                None => ProgressBar::no_length().with_style(counting()),
            };
            let bar = bar.with_prefix(format!("{:>width$}", row.name));
            self.stages.push(self.multi.add(bar));
        }
        let clock = ProgressBar::new_spinner().with_style(style("{elapsed}  {msg}"));
        let clock = self.multi.add(clock);
        clock.enable_steady_tick(TICK);
        self.clock = Some(clock);
    }

    fn show(&mut self, progress: &Progress) {
        let rows = progress.rows();
        if self.clock.is_none() && !rows.is_empty() {
            self.begin(&rows);
        }
        for (bar, row) in self.stages.iter().zip(rows) {
            bar.set_message(row.text);
            bar.set_position(row.done);
        }
        let left = progress.remaining().filter(|left| !left.is_zero());
        let left = left.map(|left| format!("about {} left", spell_roughly(left)));
        if let Some(clock) = &self.clock {
            clock.set_message(left.unwrap_or_default());
        }
    }
}

fn filling() -> ProgressStyle {
    style("{prefix} {bar:30.cyan/dim} {msg}").progress_chars("━━─")
}

fn counting() -> ProgressStyle {
    style("{prefix} {spinner:30} {msg}")
}

// The templates are ours and tested; should one be wrong, a plain bar is shown.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
