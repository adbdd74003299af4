//! Memory: the most frames and sound that can be alive at once, by counting every place where
//! they can be.
//!
//! Channels, windows and folds are bounded, so the sum over them is a bound for the run. It is
//! asserted against a measured peak in `tests/engine/scheduling.rs`.

use crate::facts::Encoding;
use crate::facts::Facts;
use crate::facts::VideoFacts;
use crate::item::ItemKind;
use crate::item::PixelFormat;
use crate::item::Size;
use crate::name::StageId;
use crate::plan::step::Execution;
use crate::plan::step::Peak;
use crate::plan::step::Step;
use crate::plan::step::StepKind;
use petgraph::Direction;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Videos that are read at the same time.
pub(in crate::plan) const OPEN_VIDEOS: usize = 2;

/// The peak of a graph for these videos and decoders.
pub(in crate::plan) fn peak(graph: &DiGraph<Step, ItemKind>, facts: &Facts) -> Peak {
    let frames = graph
        .node_indices()
        .map(|node| held(graph, node, facts.decoder_frames))
        .sum();
    let one = bytes_of_one(graph, &facts.videos);
    let sources = graph
        .node_weights()
        .filter(|step| matches!(step.kind, StepKind::ReadFrames { .. }));
    let decoding = (sources.count() * OPEN_VIDEOS) as u64 * facts.decoder_bytes;
    let bodies = graph
        .node_indices()
        .map(|node| bodies(graph, node, one))
        .sum::<u64>();
    Peak {
        frames,
        bytes: frames as u64 * one + bodies + decoding,
        sound: sound(graph),
    }
}

// Every item that a step of calls has taken may have its body ready, which is never more than the
// server takes.
fn bodies(graph: &DiGraph<Step, ItemKind>, node: NodeIndex, frame: u64) -> u64 {
    let step = &graph[node];
    let StepKind::VisionRequest { place, .. } = &step.kind else {
        return 0;
    };
    let body = match place.encoding {
        Encoding::Base64 => taken(graph, node) as u64 * frame * 4 / 3,
        Encoding::Raw => taken(graph, node) as u64 * frame,
    };
    step.window as u64 * body.min(place.max_body as u64)
}

fn held(graph: &DiGraph<Step, ItemKind>, node: NodeIndex, decoder: usize) -> usize {
    let step = &graph[node];
    let taken = taken(graph, node);
    let waiting = step.inbox * taken;
    let inside = match (&step.execution, &step.kind) {
        (_, StepKind::ReadSound { .. }) => 0,
        (Execution::Source, _) => OPEN_VIDEOS * (1 + decoder),
        (Execution::Threads | Execution::Calls, _) => step.window * taken,
        // An incomplete batch for each open video, and one that is full and passed on.
        (Execution::Fold, StepKind::Batch { spec, .. }) => {
            OPEN_VIDEOS * (spec.size - 1) + spec.size
        }
        // Frames that wait for what another stage finds in them are those on the way there and
        // back; and one whose crops are passed on.
        (Execution::Fold, StepKind::TakeFound { .. }) => {
            let on_the_way = way_to(graph, node);
            let on_the_way = on_the_way.iter();
            let on_the_way =
                on_the_way.map(|&step| held(graph, step, decoder) + awaited(&graph[step]));
            on_the_way.sum::<usize>() + 1
        }
        (Execution::Fold, _) => 0,
    };
    waiting + inside
}

// The frames whose finds a step holds back while the frames themselves wait elsewhere.
fn awaited(step: &Step) -> usize {
    match &step.kind {
        StepKind::Track { spec, .. } => OPEN_VIDEOS * (spec.best_of as usize - 1),
        _ => 0,
    }
}

// The most frames in one item that a step takes.
fn taken(graph: &DiGraph<Step, ItemKind>, node: NodeIndex) -> usize {
    graph
        .edges_directed(node, Direction::Incoming)
        .map(|edge| in_one(graph, edge.source(), *edge.weight()))
        .max()
        .unwrap_or(0)
}

// The steps between the source and what a cut waits for.
fn way_to(graph: &DiGraph<Step, ItemKind>, cut: NodeIndex) -> BTreeSet<NodeIndex> {
    let mut way = BTreeSet::new();
    let mut ahead = vec![cut];
    while let Some(step) = ahead.pop() {
        for before in graph.neighbors_directed(step, Direction::Incoming) {
            if graph[before].execution != Execution::Source && way.insert(before) {
                ahead.push(before);
            }
        }
    }
    way
}

// The bytes of sound in a step and before it. Pieces are small beside chunks; a chunk takes two
// bytes a sample, or less where it is coded, and as text in a request four bytes of three.
fn sound(graph: &DiGraph<Step, ItemKind>) -> u64 {
    let longest = graph.node_weights().filter_map(|step| match step.kind {
        StepKind::ChunkSound { length, .. } => Some((&step.stage, length.longest())),
        _ => None,
    });
    let longest: BTreeMap<&StageId, usize> = longest.collect();
    let steps = graph.node_weights();
    steps
        .map(|step| sound_in(step, longest.get(&step.stage).copied().unwrap_or(0)))
        .sum()
}

fn sound_in(step: &Step, longest: usize) -> u64 {
    let held = step.inbox + step.window;
    let chunks = match step.kind {
        // One that is collected and one that is passed on.
        StepKind::ChunkSound { .. } => 2 * OPEN_VIDEOS,
        StepKind::EncodeSound { .. } | StepKind::Transcribe { .. } => held,
        StepKind::SpeechRequest { .. } => held + step.window * 4 / 3,
        _ => 0,
    };
    chunks as u64 * 2 * longest as u64
}

// The frames in one item of `kind` that `from` gives.
fn in_one(graph: &DiGraph<Step, ItemKind>, from: NodeIndex, kind: ItemKind) -> usize {
    match (kind, &graph[from].kind) {
        (ItemKind::Frame | ItemKind::Crop, _) => 1,
        (ItemKind::Batch, StepKind::Batch { spec, .. }) => spec.size,
        _ => 0,
    }
}

fn bytes_of_one(graph: &DiGraph<Step, ItemKind>, videos: &[VideoFacts]) -> u64 {
    let source = graph.node_weights().find_map(|step| match &step.kind {
        StepKind::ReadFrames { spec, format } => Some((spec.max_side, *format)),
        _ => None,
    });
    let Some((max_side, format)) = source else {
        return 0;
    };
    let pixels = videos
        .iter()
        .map(|video| area(video.size.within(max_side)))
        .max()
        // Nothing is known yet: the usual shape, as large as the recipe allows.
        .unwrap_or_else(|| {
            area(Size {
                width: max_side,
                height: max_side / 16 * 9,
            })
        });
    match format {
        PixelFormat::Rgb24 => pixels * 3,
        PixelFormat::I420 => pixels * 3 / 2,
    }
}

fn area(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}
