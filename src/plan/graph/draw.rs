//! Drawing a plan: as text for people, as Mermaid and DOT for pages and tools.
//!
//! Knows nothing of terminals or colour.

use crate::item::ItemKind;
use crate::name::StageId;
use crate::plan::found::FoundForm;
use crate::plan::step::Execution;
use crate::plan::step::Plan;
use crate::plan::step::StageFate;
use crate::plan::step::StagePlan;
use crate::plan::step::Step;
use crate::plan::step::StepKind;
use crate::recipe::StageKind;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How a plan is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawFormat {
    /// A table, one line a step.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// What of a plan is drawn.
#[derive(Clone, Debug, Default)]
pub struct GraphOptions {
    /// Whether the stages are drawn, and not the steps that they were lowered to.
    pub stages: bool,
    /// What a run told of each stage, a few words each.
    pub figures: BTreeMap<StageId, Vec<String>>,
}

// One box.
struct Node<'a> {
    // Among the boxes.
    number: usize,
    stage: &'a StageId,
    name: &'a str,
    word: &'static str,
    amount: String,
    figures: &'a [String],
    edges: Vec<(ItemKind, usize, &'a str)>,
}

impl Plan {
    /// The steps of the plan, drawn.
    pub fn draw(&self, format: DrawFormat) -> String {
        self.draw_with(format, &GraphOptions::default())
    }

    /// The plan, drawn.
    pub fn draw_with(&self, format: DrawFormat, drawn: &GraphOptions) -> String {
        let nodes = match drawn.stages {
            true => self.stage_nodes(drawn),
            false => self.step_nodes(drawn),
        };
        let mut out = String::new();
        // Writing to a string cannot fail.
        match format {
            DrawFormat::Text => self.text(&nodes, &mut out),
            DrawFormat::Mermaid => self.mermaid(&nodes, &mut out),
            DrawFormat::Dot => self.dot(&nodes, &mut out),
        }
        .unwrap_or_default();
        out
    }

    fn step_nodes<'a>(&'a self, drawn: &'a GraphOptions) -> Vec<Node<'a>> {
        let node = |(index, step): (_, &'a Step)| {
            let edges = self.edges(index).into_iter();
            let edges = edges.map(|(kind, to)| (kind, to.0.index(), self.graph[to.0].id.as_str()));
            let figures = drawn.figures.get(&step.stage);
            let figures = figures.filter(|_| step.stands_for_stage());
            Node {
                number: index.0.index(),
                stage: &step.stage,
                name: step.id.as_str(),
                word: word(step),
                amount: amount(step),
                figures: figures.map_or(&[], Vec::as_slice),
                edges: edges.collect(),
            }
        };
        self.steps().map(node).collect()
    }

    // The step that stands for a stage says how it runs; what flows between stages is what flows
    // between their steps, and the sound of a video, which those who listen read by themselves.
    fn stage_nodes<'a>(&'a self, drawn: &'a GraphOptions) -> Vec<Node<'a>> {
        let stages = self.stages.iter().enumerate();
        let places: BTreeMap<&StageId, usize> = stages.map(|(at, it)| (&it.id, at)).collect();
        let number = |id: &StageId| places.get(id).copied();
        let listening = self
            .listening()
            .filter_map(|id| Some((ItemKind::Sound, number(id)?, id.as_str())));
        let listening: Vec<_> = listening.collect();
        let node = |(at, stage): (usize, &'a StagePlan)| {
            let own = || self.steps_of(&stage.id);
            let gives_sound = stage.kind == StageKind::Extract && !listening.is_empty();
            let main = own()
                .find(|(_, step)| step.stands_for_stage())
                .or_else(|| own().next_back());
            let (word, amount) = match (main, &stage.fate) {
                (Some((_, step)), _) => (word(step), amount(step)),
                (None, StageFate::Bypassed(why)) if gives_sound => ("-", why.clone()),
                (None, _) => return None,
            };
            let mut edges: Vec<(ItemKind, usize, &str)> = own()
                .flat_map(|(index, _)| self.edges(index))
                .filter_map(|(kind, to)| {
                    let to = &self.graph[to.0].stage;
                    Some((kind, number(to)?, to.as_str())).filter(|_| *to != stage.id)
                })
                .collect();
            if gives_sound {
                edges.extend(&listening);
            }
            edges.sort();
            edges.dedup();
            let figures = drawn.figures.get(&stage.id);
            Some(Node {
                number: at,
                stage: &stage.id,
                name: stage.id.as_str(),
                word,
                amount,
                figures: figures.map_or(&[], Vec::as_slice),
                edges,
            })
        };
        let nodes = self.stages.iter().enumerate().filter_map(node);
        nodes.collect()
    }

    // The stages that read sound.
    fn listening(&self) -> impl Iterator<Item = &StageId> {
        let reading = self
            .steps()
            .filter(|(_, step)| matches!(step.kind, StepKind::ReadSound { .. }));
        reading.map(|(_, step)| &step.stage)
    }

    fn text(&self, nodes: &[Node<'_>], out: &mut String) -> std::fmt::Result {
        let ids = self.stages.iter().map(|stage| stage.id.as_str());
        let names = nodes.iter().map(|node| node.name).chain(ids);
        let width = names.map(str::len).max().unwrap_or(0);
        let mut of_stages: BTreeMap<&StageId, Vec<&Node<'_>>> = BTreeMap::new();
        for node in nodes {
            of_stages.entry(node.stage).or_default().push(node);
        }
        for stage in &self.stages {
            let nodes = of_stages.get(&stage.id);
            match &stage.fate {
                StageFate::Bypassed(why) if nodes.is_none() => {
                    writeln!(out, "{:width$}  -          {why}", stage.id)?;
                }
                StageFate::Skipped(why) => writeln!(out, "{:width$}  skipped    {why}", stage.id)?,
                StageFate::Runs(_) | StageFate::Bypassed(_) => {}
            }
            for node in nodes.into_iter().flatten() {
                let Node {
                    name, word, amount, ..
                } = node;
                write!(out, "{name:width$}  {word:9}  {amount}")?;
                for (kind, _, to) in &node.edges {
                    write!(out, "  -> {kind} to {to}")?;
                }
                writeln!(out)?;
                for figure in node.figures {
                    writeln!(out, "{:width$}             {figure}", "")?;
                }
            }
        }
        let peak = self.peak;
        let mib = peak.bytes as f64 / f64::from(1 << 20);
        write!(out, "memory: at most {} frames, {mib:.0} MiB", peak.frames)?;
        if peak.sound > 0 {
            let mib = peak.sound as f64 / f64::from(1 << 20);
            write!(out, "; sound, {mib:.0} MiB")?;
        }
        writeln!(out)
    }

    fn mermaid(&self, nodes: &[Node<'_>], out: &mut String) -> std::fmt::Result {
        writeln!(out, "flowchart LR")?;
        for node in nodes {
            write!(
                out,
                "    s{}[\"{}<br/>{}",
                node.number, node.name, node.amount
            )?;
            for figure in node.figures {
                write!(out, "<br/>{}", figure.replace('"', "#quot;"))?;
            }
            writeln!(out, "\"]")?;
        }
        for node in nodes {
            for (kind, to, _) in &node.edges {
                writeln!(out, "    s{} -->|{kind}| s{to}", node.number)?;
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

    fn dot(&self, nodes: &[Node<'_>], out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "digraph vpipe {{\n    rankdir=LR;\n    node [shape=box];"
        )?;
        for node in nodes {
            write!(
                out,
                "    s{} [label=\"{}\\n{}",
                node.number, node.name, node.amount
            )?;
            for figure in node.figures {
                write!(
                    out,
                    "\\n{}",
                    figure.replace('\\', "\\\\").replace('"', "\\\"")
                )?;
            }
            writeln!(out, "\"];")?;
        }
        for node in nodes {
            for (kind, to, _) in &node.edges {
                writeln!(out, "    s{} -> s{to} [label=\"{kind}\"];", node.number)?;
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

fn word(step: &Step) -> &'static str {
    match step.execution {
        Execution::Source => "reads",
        Execution::Threads => "threads",
        Execution::Calls => "requests",
        Execution::Fold => match &step.kind {
            StepKind::SelectFrames { .. } => "picks",
            StepKind::TakeFound { taken, .. } => match taken.form {
                FoundForm::Crops => "cuts",
                FoundForm::Frames => "finds",
            },
            StepKind::Track { .. } => "tracks",
            _ => "joins",
        },
    }
}

fn amount(step: &Step) -> String {
    match step.execution {
        Execution::Source => format!("up to {} videos at once", step.limit.max),
        Execution::Threads => format!("{} at once", step.limit.max),
        Execution::Calls => format!("{} in flight", step.limit.max),
        Execution::Fold => match &step.kind {
            StepKind::SelectFrames { selection } => match selection.every {
                1 => "all of some videos".to_owned(),
                every => format!("one frame in {every}"),
            },
            StepKind::TakeFound { taken, .. } => match taken.form {
                FoundForm::Crops => format!("what `{}` found", taken.of),
                FoundForm::Frames => format!("those in which `{}` found something", taken.of),
            },
            StepKind::GatherCrops => "frame by frame".to_owned(),
            _ => "in order of time".to_owned(),
        },
    }
}
