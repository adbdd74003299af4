//! The graph of stages: built from `inputs`, checked before anything is lowered.
//!
//! Every complaint has a place in the recipe. Knows nothing of steps and limits.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::item::ItemKind;
use crate::name::StageId;
use crate::plan::graph::ports;
use crate::plan::graph::ports::Inputs;
use crate::plan::graph::ports::Ports;
use crate::recipe::Input;
use crate::recipe::Port;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageSpec;
use petgraph::algo::tarjan_scc;
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;

/// The stages of a recipe, joined by what flows between them.
pub(in crate::plan) struct StageGraph<'a> {
    pub(in crate::plan) graph: DiGraph<&'a Stage, ItemKind>,
    /// Every stage after those it takes from.
    pub(in crate::plan) order: Vec<NodeIndex>,
}

impl StageGraph<'_> {
    /// The stage whose crops `stage` takes, one by one or in batches.
    pub(in crate::plan) fn crops_of<'a>(&'a self, stage: &'a Stage) -> Option<&'a StageId> {
        let stages = || self.graph.node_weights();
        crops_of(stage, |id| stages().copied().find(|stage| stage.id == *id))
    }
}

// A batch is of what its own input gives.
fn crops_of<'a>(
    stage: &'a Stage,
    find: impl Fn(&StageId) -> Option<&'a Stage>,
) -> Option<&'a StageId> {
    stage.inputs.iter().find_map(|input| match input.port {
        Port::Crops => Some(&input.stage),
        Port::Boxes | Port::Sound => None,
        Port::Main => match find(&input.stage) {
            Some(Stage {
                spec: StageSpec::Batch(_),
                inputs,
                ..
            }) => inputs
                .iter()
                .find(|input| input.port == Port::Crops)
                .map(|input| &input.stage),
            _ => None,
        },
    })
}

/// Everything that is wrong with the graph of a recipe, in the order of the file.
pub fn check(recipe: &Recipe) -> Vec<Diagnostic> {
    build(recipe).err().unwrap_or_default()
}

/// The graph, or everything that is wrong with it.
pub(in crate::plan) fn build(recipe: &Recipe) -> Result<StageGraph<'_>, Vec<Diagnostic>> {
    let (graph, spans, mut wrong) = connect(recipe);
    for node in graph.node_indices() {
        wrong.extend(check_count_of_inputs(&graph, node));
        wrong.extend(check_use(&graph, node));
    }
    wrong.extend(check_is_there(
        recipe,
        &["extract"],
        "a recipe reads its videos once",
    ));
    wrong.extend(check_is_there(
        recipe,
        &["merge", "save"],
        "what is found goes to a results file",
    ));
    for (kind, why) in [
        ("extract", "a recipe reads its videos once"),
        ("merge", "a video has one results file"),
    ] {
        wrong.extend(check_is_alone(recipe, kind, why));
    }
    wrong.extend(check_primary(recipe));
    wrong.extend(check_one_file_a_frame(recipe));
    wrong.extend(
        recipe
            .stages
            .iter()
            .flat_map(|stage| check_take(recipe, stage)),
    );
    wrong.extend(cycles(&graph, &spans));
    if !wrong.is_empty() {
        wrong.sort_by_key(Diagnostic::span);
        return Err(wrong);
    }
    // Acyclic: every component that `cycles` saw had one node and no edge to itself.
    let order = toposort(&graph, None).unwrap_or_default();
    Ok(StageGraph { graph, order })
}

type Spans = BTreeMap<(NodeIndex, NodeIndex), Span>;

// An edge is drawn even where the kinds do not fit, so that cycles are found all the same.
fn connect(recipe: &Recipe) -> (DiGraph<&Stage, ItemKind>, Spans, Vec<Diagnostic>) {
    let mut graph = DiGraph::new();
    let mut spans = Spans::new();
    let mut wrong = Vec::new();
    let nodes: BTreeMap<_, _> = recipe
        .stages
        .iter()
        .map(|stage| (&stage.id, graph.add_node(stage)))
        .collect();
    for stage in &recipe.stages {
        for input in &stage.inputs {
            // The recipe has no input that names an unknown stage.
            let Some((&from, &to)) = nodes.get(&input.stage).zip(nodes.get(&stage.id)) else {
                continue;
            };
            let all = Ports::of(&graph[from].spec);
            let takes = Ports::of(&stage.spec);
            let gives = all.only(input.port);
            let kind = gives.kind_to(&takes);
            if gives.gives.is_empty() {
                wrong.push(no_such_port(input, graph[from]));
            } else if kind.is_none() && takes.inputs != Inputs::None {
                wrong.push(mismatch(input, graph[from], &gives, stage, &takes));
            }
            graph.add_edge(from, to, kind.unwrap_or(ItemKind::Record));
            spans.insert((from, to), input.span);
        }
    }
    (graph, spans, wrong)
}

fn no_such_port(input: &Input, from: &Stage) -> Diagnostic {
    let (lacks, help) = match input.port {
        Port::Sound => (
            "has no sound",
            "sound is that of the stage that reads the video, such as `extract.sound`",
        ),
        Port::Boxes => (
            "finds no boxes",
            "boxes are those of a stage that finds some, such as `yolo.boxes`",
        ),
        Port::Main | Port::Crops => (
            "finds nothing that could be cut out",
            "crops are those of a stage that finds boxes, such as `yolo.crops`",
        ),
    };
    Diagnostic::error(input.span, format!("`{}` {lacks}", from.id)).help(help)
}

fn mismatch(input: &Input, from: &Stage, gives: &Ports, to: &Stage, takes: &Ports) -> Diagnostic {
    let port = match input.port {
        Port::Main => "",
        Port::Crops => ".crops",
        Port::Boxes => ".boxes",
        Port::Sound => ".sound",
    };
    Diagnostic::error(
        input.span,
        format!(
            "`{}` takes {}, but `{}{port}` gives {}",
            to.id,
            ports::list(takes.takes),
            from.id,
            ports::list(gives.gives)
        ),
    )
    .label(format!("gives {}", ports::list(gives.gives)))
    .help(match to.spec {
        StageSpec::Batch(_) | StageSpec::Save(_) => {
            "name the stage that gives frames, such as `extract`"
        }
        StageSpec::Yolo(_) => "name a stage that gives frames or batches, such as `batch`",
        StageSpec::Whisper(_) => "name the stage that gives sound, such as `extract`",
        StageSpec::Http(_) => {
            "with `each = \"batch\"` it takes batches, with an input such as `extract.sound` sound, with \
             one such as `yolo.boxes` what was found, else frames or crops"
        }
        _ => "name stages that find something, such as `yolo` and `whisper`",
    })
}

fn check_count_of_inputs(graph: &DiGraph<&Stage, ItemKind>, node: NodeIndex) -> Option<Diagnostic> {
    let stage = graph[node];
    let span = stage.key("inputs");
    match (Ports::of(&stage.spec).inputs, stage.inputs.len()) {
        (Inputs::None, 1..) => Some(
            Diagnostic::error(
                span,
                format!("`{}` reads videos and takes no inputs", stage.id),
            )
            .help("remove `inputs`"),
        ),
        (Inputs::One | Inputs::Many, 0) => Some(
            Diagnostic::error(span, format!("`{}` has no inputs", stage.id))
                .help("add `inputs = [\"...\"]` with the stage it takes from"),
        ),
        (Inputs::One, 2..) => Some(
            Diagnostic::error(
                span,
                format!(
                    "`{}` takes one input, but {} are named",
                    stage.id,
                    stage.inputs.len()
                ),
            )
            .help("declare a second stage of this kind for the other input"),
        ),
        _ => None,
    }
}

fn check_use(graph: &DiGraph<&Stage, ItemKind>, node: NodeIndex) -> Option<Diagnostic> {
    let stage = graph[node];
    let is_outcome = matches!(stage.spec, StageSpec::Merge(_) | StageSpec::Save(_));
    let used = is_outcome || graph.edges(node).next().is_some();
    (!used).then(|| {
        Diagnostic::error(
            stage.span,
            format!("nothing takes what `{}` gives", stage.id),
        )
        .help(format!(
            "name `{}` in the `inputs` of another stage, or remove it",
            stage.id
        ))
    })
}

// That there is a stage of the first of these kinds, which is the usual one, or of another.
fn check_is_there(recipe: &Recipe, kinds: &[&str], why: &str) -> Option<Diagnostic> {
    let mut stages = recipe.stages.iter();
    if stages.any(|stage| kinds.contains(&stage.spec.kind())) {
        return None;
    }
    let place = recipe.stages.first().map(|stage| stage.span);
    let usual = kinds.first().copied().unwrap_or_default();
    let message = format!("the recipe has no `{}` stage", kinds.join("` or `"));
    Some(
        Diagnostic::error(place.unwrap_or_default(), message)
            .help(format!("add a table `[stages.{usual}]`: {why}")),
    )
}

fn check_is_alone(recipe: &Recipe, kind: &str, why: &str) -> Vec<Diagnostic> {
    let mut of_kind = recipe
        .stages
        .iter()
        .filter(|stage| stage.spec.kind() == kind);
    let Some(first) = of_kind.next() else {
        return Vec::new();
    };
    of_kind
        .map(|second| {
            Diagnostic::error(second.span, format!("a second `{kind}` stage"))
                .also(first.span, "the first one")
                .help(format!("{why}: let both users name `{}`", first.id))
        })
        .collect()
}

fn check_primary(recipe: &Recipe) -> Option<Diagnostic> {
    let (stage, spec) = recipe.stages.iter().find_map(|stage| match &stage.spec {
        StageSpec::Merge(spec) => Some((stage, spec)),
        _ => None,
    })?;
    let primary = spec.primary.as_ref()?;
    let is_input = stage.inputs.iter().any(|input| input.stage == *primary);
    let detects = recipe
        .stages
        .iter()
        .any(|stage| stage.id == *primary && stage.spec.detects());
    (!is_input || !detects).then(|| {
        Diagnostic::error(
            stage.key("primary"),
            format!(
                "`primary` names `{primary}`, which is not a detecting input of `{}`",
                stage.id
            ),
        )
        .help("name a stage that finds boxes and stands in `inputs`, such as `yolo`")
    })
}

// An entry of the results has room for one file.
fn check_one_file_a_frame(recipe: &Recipe) -> Option<Diagnostic> {
    let saves = |id: &StageId| {
        let mut stages = recipe.stages.iter();
        stages.any(|stage| stage.id == *id && matches!(stage.spec, StageSpec::Save(_)))
    };
    let merge = recipe
        .stages
        .iter()
        .find(|stage| matches!(stage.spec, StageSpec::Merge(_)))?;
    let mut saving = merge.inputs.iter().filter(|input| saves(&input.stage));
    let (first, second) = (saving.next()?, saving.next()?);
    Some(
        Diagnostic::error(
            second.span,
            format!("`{}` takes one `save` stage", merge.id),
        )
        .also(first.span, "the first one")
        .help("name the one whose files the results should tell; the other is run all the same"),
    )
}

// Boxes are tested and padded where frames are cut around them.
fn check_take(recipe: &Recipe, stage: &Stage) -> Vec<Diagnostic> {
    let find = |id: &StageId| recipe.stages.iter().find(|stage| stage.id == *id);
    if crops_of(stage, find).is_some() {
        return Vec::new();
    }
    let keys = ["filter", "padding"].into_iter();
    let written = keys.filter_map(|key| Some((key, *stage.keys.get(key)?)));
    written
        .filter(|_| stage.spec.takes_frames())
        .map(|(key, span)| {
            let message = format!("`{key}` is about boxes, and `{}` takes none", stage.id);
            Diagnostic::error(span, message).help(
                "let it take the crops of another stage, `inputs = [\"STAGE.crops\"]`; `conf` and \
                 `classes` say which objects a stage keeps",
            )
        })
        .collect()
}

fn cycles(graph: &DiGraph<&Stage, ItemKind>, spans: &Spans) -> Vec<Diagnostic> {
    tarjan_scc(graph)
        .into_iter()
        .filter(|nodes| {
            nodes.len() > 1 || nodes.iter().any(|&node| graph.contains_edge(node, node))
        })
        .map(|nodes| cycle(graph, spans, &nodes))
        .collect()
}

fn cycle(graph: &DiGraph<&Stage, ItemKind>, spans: &Spans, nodes: &[NodeIndex]) -> Diagnostic {
    let path = path_round(graph, nodes);
    let names: Vec<_> = path.iter().map(|&node| graph[node].id.as_str()).collect();
    // The path has at least two entries: its first node stands at both ends.
    let edges = path.iter().zip(path.iter().skip(1));
    let mut places = edges.filter_map(|(&from, &to)| Some((spans.get(&(from, to))?, to, from)));
    let message = format!("stages wait for each other: {}", names.join(" -> "));
    let Some((&first, ..)) = places.next() else {
        return Diagnostic::error(Span::default(), message);
    };
    let mut diagnostic = Diagnostic::error(first, message)
        .label("this closes the circle")
        .help("remove one of these inputs");
    for (&span, to, from) in places {
        diagnostic = diagnostic.also(
            span,
            format!("`{}` waits for `{}`", graph[to].id, graph[from].id),
        );
    }
    diagnostic
}

// A way through a strongly connected component back to its first stage in the file: along it
// every stage still reaches the start, so the walk from the start by breadth finds the shortest.
fn path_round(graph: &DiGraph<&Stage, ItemKind>, nodes: &[NodeIndex]) -> Vec<NodeIndex> {
    let Some(&start) = nodes.iter().min_by_key(|node| graph[**node].span) else {
        return Vec::new();
    };
    let mut came_from = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in graph.edges(node) {
            let next = edge.target();
            if next == start {
                let mut path = vec![start, node];
                while let Some(&before) = path.last().and_then(|last| came_from.get(last)) {
                    path.push(before);
                }
                if node == start {
                    path.truncate(2);
                }
                path.reverse();
                return path;
            }
            if nodes.contains(&next) && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    vec![start]
}
