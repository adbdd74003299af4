//! Drawing a plan: as text for people, as Mermaid and DOT for pages and tools.
//!
//! Knows nothing of terminals or colour.

use super::step::Lane;
use super::step::Plan;
use super::step::StageFate;
use super::step::Step;
use super::step::StepIndex;
use super::step::StepKind;
use std::fmt::Write;

/// How a plan is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table, one line a step.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// Graphviz.
    Dot,
}

impl Plan {
    /// The plan, drawn.
    pub fn draw(&self, format: Format) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        match format {
            Format::Text => self.text(&mut out),
            Format::Mermaid => self.mermaid(&mut out),
            Format::Dot => self.dot(&mut out),
        }
        .unwrap_or_default();
        out
    }

    fn text(&self, out: &mut String) -> std::fmt::Result {
        let width = self
            .steps()
            .map(|(_, step)| step.id.as_str().len())
            .max()
            .unwrap_or(0);
        for stage in &self.stages {
            match &stage.fate {
                StageFate::Runs(_) => {}
                StageFate::Bypassed(why) => writeln!(out, "{:width$}  -          {why}", stage.id)?,
                StageFate::Skipped(why) => writeln!(out, "{:width$}  skipped    {why}", stage.id)?,
            }
            for (index, step) in self.steps().filter(|(_, step)| step.stage == stage.id) {
                write!(
                    out,
                    "{:width$}  {:9}  {}",
                    step.id,
                    word(step),
                    amount(step)
                )?;
                for (kind, to) in self.edges(index) {
                    write!(out, "  -> {kind} to {}", self.graph[to.0].id)?;
                }
                writeln!(out)?;
            }
        }
        let peak = self.peak;
        let mib = peak.bytes as f64 / f64::from(1 << 20);
        write!(
            out,
            "memory: at most {} pictures, {mib:.0} MiB",
            peak.pictures
        )?;
        if peak.sound > 0 {
            let mib = peak.sound as f64 / f64::from(1 << 20);
            write!(out, "; sound, {mib:.0} MiB")?;
        }
        writeln!(out)
    }

    fn mermaid(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "flowchart LR")?;
        for (index, step) in self.steps() {
            writeln!(
                out,
                "    {}[\"{}<br/>{}\"]",
                node(index),
                step.id,
                amount(step)
            )?;
        }
        for (index, _) in self.steps() {
            for (kind, to) in self.edges(index) {
                writeln!(out, "    {} -->|{kind}| {}", node(index), node(to))?;
            }
        }
        for (number, (name, why)) in self.skipped().enumerate() {
            let why = why.replace('"', "#quot;");
            writeln!(
                out,
                "    x{number}[\"{name}<br/>skipped: {why}\"]:::skipped"
            )?;
        }
        writeln!(out, "    classDef skipped stroke-dasharray: 5 5")
    }

    fn dot(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "digraph vpipe {{\n    rankdir=LR;\n    node [shape=box];"
        )?;
        for (index, step) in self.steps() {
            writeln!(
                out,
                "    {} [label=\"{}\\n{}\"];",
                node(index),
                step.id,
                amount(step)
            )?;
        }
        for (index, _) in self.steps() {
            for (kind, to) in self.edges(index) {
                writeln!(
                    out,
                    "    {} -> {} [label=\"{kind}\"];",
                    node(index),
                    node(to)
                )?;
            }
        }
        for (number, (name, why)) in self.skipped().enumerate() {
            let why = why.replace('\\', "\\\\").replace('"', "\\\"");
            writeln!(
                out,
                "    x{number} [label=\"{name}\\nskipped: {why}\", style=dashed];"
            )?;
        }
        writeln!(out, "}}")
    }

    fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stages.iter().filter_map(|stage| match &stage.fate {
            StageFate::Skipped(why) => Some((stage.id.as_str(), why.as_str())),
            _ => None,
        })
    }
}

fn node(index: StepIndex) -> String {
    format!("s{}", index.0.index())
}

fn word(step: &Step) -> &'static str {
    match step.lane {
        Lane::Source => "reads",
        Lane::Threads => "threads",
        Lane::Calls => "requests",
        Lane::Fold => match step.kind {
            StepKind::Pick { .. } => "picks",
            StepKind::Cut { .. } => "cuts",
            _ => "joins",
        },
    }
}

fn amount(step: &Step) -> String {
    match step.lane {
        Lane::Source => format!("up to {} videos at once", step.limit.max),
        Lane::Threads => format!("{} at once", step.limit.max),
        Lane::Calls => format!("{} in flight", step.limit.max),
        Lane::Fold => match &step.kind {
            StepKind::Pick { picking } => match picking.every {
                1 => "all of some videos".to_owned(),
                every => format!("one picture in {every}"),
            },
            StepKind::Cut { of, .. } => format!("what `{of}` found"),
            StepKind::Gather => "picture by picture".to_owned(),
            _ => "in order of time".to_owned(),
        },
    }
}
