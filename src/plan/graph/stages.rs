//! The graph of stages: built from `inputs`, checked before anything is lowered.
//!
//! Every complaint has a place in the recipe. Knows nothing of steps and limits.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::item::ItemKind;
use crate::name::StageId;
use crate::plan::found::FoundForm;
use crate::plan::graph::files;
use crate::plan::graph::ports;
use crate::recipe::InputCount;
use crate::recipe::Medium;
use crate::recipe::Port;
use crate::recipe::Ports;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageInput;
use crate::recipe::StageKind;
use petgraph::algo::kosaraju_scc;
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const READ_ONCE: &str = "a recipe reads its videos once";

const READ_BY_ALL: &str =
    "a recipe reads its videos once, and `every = 5` in a stage takes one frame in five";
// Of more stages that wait for each other only the first are named.
const LONGEST_TOLD: usize = 20;

// More stages in a row whose frames wait for each other hold more of them than a machine has memory
// for.
const DEEPEST_FOUND: usize = 8;

const WRITTEN: &str = "what is found goes to a results file";

/// The stages of a recipe, joined by what flows between them.
pub(in crate::plan) struct StageGraph<'a> {
    pub(in crate::plan) recipe: &'a Recipe,
    pub(in crate::plan) graph: DiGraph<&'a Stage, ItemKind>,
    /// Every stage after those it takes from.
    pub(in crate::plan) order: Vec<NodeIndex>,
}

impl<'a> StageGraph<'a> {
    /// The graph of a recipe that was checked, which has no cycle.
    pub(in crate::plan) fn of(recipe: &'a Recipe) -> Self {
        let (graph, ..) = connect(recipe);
        let order = toposort(&graph, None).unwrap_or_default();
        Self {
            recipe,
            graph,
            order,
        }
    }

    /// The stage whose crops `stage` takes, one by one or in batches.
    pub(in crate::plan) fn crops_of<'b>(&'b self, stage: &'b Stage) -> Option<&'b StageId> {
        let (form, of) = found_of(self.recipe, stage)?;
        (form == FoundForm::Crops).then_some(of)
    }

    /// The stage of which `stage` takes what it found something in, and in which form.
    pub(in crate::plan) fn found_of<'b>(
        &'b self,
        stage: &'b Stage,
    ) -> Option<(FoundForm, &'b StageId)> {
        found_of(self.recipe, stage)
    }
}

/// The stage of which `stage` takes what it found something in, and in which form. A batch is of what
/// its own input gives.
pub(in crate::plan) fn found_of<'a>(
    recipe: &'a Recipe,
    stage: &'a Stage,
) -> Option<(FoundForm, &'a StageId)> {
    let found = |input: &'a StageInput| Some((FoundForm::of(input.port)?, &input.stage));
    stage.inputs.iter().find_map(|input| match input.port {
        Port::Crops | Port::Frames => found(input),
        Port::Boxes | Port::Sound => None,
        Port::Main => {
            let batch = recipe
                .stage(&input.stage)
                .filter(|it| it.spec.kind() == StageKind::Batch)?;
            batch.inputs.iter().find_map(found)
        }
    })
}

/// Everything that is wrong with the graph of a recipe.
pub(in crate::plan) fn check(recipe: &Recipe) -> Vec<Diagnostic> {
    let (graph, spans, mut wrong) = connect(recipe);
    let unused: Vec<NodeIndex> = graph
        .node_indices()
        .filter(|node| is_unused(&graph, *node))
        .collect();
    let has_end = recipe
        .stages
        .iter()
        .any(|stage| stage.spec.kind().facts().is_outcome);
    for node in graph.node_indices() {
        wrong.extend(check_count_of_inputs(&graph, node));
        // Where there is no end, all of them lack that one.
        if has_end && unused.contains(&node) {
            wrong.push(no_use(graph[node]));
        }
    }
    let reads = [StageKind::Extract];
    wrong.extend(check_is_there(recipe, &reads, "", READ_ONCE));
    let mut ends = StageKind::ALL.to_vec();
    ends.retain(|kind| kind.facts().is_outcome);
    // The usual one first.
    ends.reverse();
    let unused = unused.iter().map(|node| format!("\"{}\"", graph[*node].id));
    let unused: Vec<String> = unused.collect();
    let inputs = match unused.is_empty() {
        true => String::new(),
        false => format!(" with `inputs = [{}]`", unused.join(", ")),
    };
    wrong.extend(check_is_there(recipe, &ends, &inputs, WRITTEN));
    for (kind, why) in [
        (StageKind::Extract, READ_BY_ALL),
        (StageKind::Merge, "a video has one results file"),
    ] {
        wrong.extend(check_is_alone(recipe, kind, why));
    }
    wrong.extend(check_primary(recipe));
    wrong.extend(files::check(recipe));
    wrong.extend(
        recipe
            .stages
            .iter()
            .flat_map(|stage| check_take(recipe, stage)),
    );
    let cycles = cycles(&graph, &spans);
    if cycles.is_empty() {
        wrong.extend(check_depth(recipe));
    }
    wrong.extend(cycles);
    wrong
}

// How many stages in a row take what others found something in.
fn check_depth(recipe: &Recipe) -> Vec<Diagnostic> {
    let is_deep = |stage: &&Stage| {
        let mut found = Some(*stage);
        for _ in 0..=DEEPEST_FOUND {
            let of = found.and_then(|stage| found_of(recipe, stage));
            found = of.and_then(|(_, id)| recipe.stage(id));
        }
        found.is_some()
    };
    let deep = recipe.stages.iter().filter(is_deep);
    deep.map(|stage| {
        let message = format!(
            "`{}` waits for what others found, {DEEPEST_FOUND} deep",
            stage.id
        );
        Diagnostic::error(stage.key("inputs"), message)
            .help("let it take from a stage that is nearer to `extract`")
    })
    .collect()
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
            let all = graph[from].spec.ports();
            let takes = stage.spec.ports();
            let gives = all.only(input.port);
            let kind = gives.kind_to(&takes);
            if gives.gives.is_empty() {
                wrong.push(no_such_port(input, graph[from]));
            } else if kind.is_none() && takes.inputs != InputCount::None {
                wrong.push(mismatch(input, graph[from], &gives, stage, &takes));
            }
            graph.add_edge(from, to, kind.unwrap_or(ItemKind::Record));
            spans.insert((from, to), input.span);
        }
    }
    (graph, spans, wrong)
}

fn no_such_port(input: &StageInput, from: &Stage) -> Diagnostic {
    let (lacks, help) = match input.port {
        Port::Sound => (
            "has no sound",
            "sound is that of the stage that reads the video, such as `extract.sound`",
        ),
        Port::Boxes => (
            "finds no boxes",
            "boxes are those of a stage that finds some, such as `yolo.boxes`",
        ),
        Port::Frames => (
            "finds no boxes in its frames",
            "frames in which something is found are those of a stage that finds boxes, such as \
             `yolo.frames`; all frames are those of `extract`",
        ),
        Port::Main | Port::Crops => (
            "finds nothing that could be cut out",
            "crops are those of a stage that finds boxes, such as `yolo.crops`",
        ),
    };
    Diagnostic::error(input.span, format!("`{}` {lacks}", from.id)).help(help)
}

fn mismatch(
    input: &StageInput,
    from: &Stage,
    gives: &Ports,
    to: &Stage,
    takes: &Ports,
) -> Diagnostic {
    let port = input.port.suffix();
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
    .help(to.spec.kind().facts().input_help)
}

fn check_count_of_inputs(graph: &DiGraph<&Stage, ItemKind>, node: NodeIndex) -> Option<Diagnostic> {
    let stage = graph[node];
    let span = stage.key("inputs");
    match (stage.spec.ports().inputs, stage.inputs.len()) {
        (InputCount::None, 1..) => Some(
            Diagnostic::error(
                span,
                format!("`{}` reads videos and takes no inputs", stage.id),
            )
            .help("remove `inputs`"),
        ),
        (InputCount::One | InputCount::Many, 0) => Some(
            Diagnostic::error(span, format!("`{}` has no inputs", stage.id))
                .help("add `inputs = [\"...\"]` with the stage it takes from"),
        ),
        (InputCount::One, 2..) => Some(
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

fn is_unused(graph: &DiGraph<&Stage, ItemKind>, node: NodeIndex) -> bool {
    let is_outcome = graph[node].spec.kind().facts().is_outcome;
    !is_outcome && graph.edges(node).next().is_none()
}

fn no_use(stage: &Stage) -> Diagnostic {
    let id = &stage.id;
    Diagnostic::error(stage.span, format!("nothing takes what `{id}` gives")).help(format!(
        "name `{id}` in the `inputs` of another stage, or remove it"
    ))
}

// That there is a stage of one of these kinds, the first of which is the usual one; `with` is what
// its table has to hold.
fn check_is_there(
    recipe: &Recipe,
    kinds: &[StageKind],
    with: &str,
    why: &str,
) -> Option<Diagnostic> {
    let mut stages = recipe.stages.iter();
    if stages.any(|stage| kinds.contains(&stage.spec.kind())) {
        return None;
    }
    let place = recipe.stages.first().map(|stage| stage.span);
    let usual = kinds.first().copied().map_or("", StageKind::word);
    let message = format!("the recipe has no {} stage", StageKind::list(kinds));
    Some(
        Diagnostic::error(place.unwrap_or_default(), message)
            .help(format!("add a table `[stages.{usual}]`{with}: {why}")),
    )
}

fn check_is_alone(recipe: &Recipe, kind: StageKind, why: &str) -> Vec<Diagnostic> {
    let mut of_kind = recipe.of_kind(kind);
    let Some(first) = of_kind.next() else {
        return Vec::new();
    };
    of_kind
        .map(|second| {
            Diagnostic::error(second.span, format!("a second `{kind}` stage"))
                .also(first.span, "the first one")
                .help(format!("let both users name `{}`: {why}", first.id))
        })
        .collect()
}

fn check_primary(recipe: &Recipe) -> Option<Diagnostic> {
    let stage = recipe.of_kind(StageKind::Merge).next()?;
    let primary = recipe.merge()?.primary.as_ref()?;
    let is_input = stage.inputs.iter().any(|input| input.stage == *primary);
    let detects = recipe.stage(primary).is_some_and(|it| it.spec.detects());
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

// Boxes are tested where something is taken because of them, and padded where they are cut out.
fn check_take(recipe: &Recipe, stage: &Stage) -> Vec<Diagnostic> {
    let found = found_of(recipe, stage).map(|(form, _)| form);
    let has_use = |key: &str| match found {
        Some(FoundForm::Crops) => true,
        Some(FoundForm::Frames) => key != "padding",
        None => false,
    };
    let sees = matches!(stage.spec.medium(), None | Some(Medium::Frames));
    // A kind may have a key of that name for something else.
    let of_kind = stage.spec.kind().facts().take_keys;
    let keys = ["filter", "padding", "regions"].into_iter();
    let keys = keys.filter(|key| of_kind.contains(key));
    let written = keys.filter_map(|key| Some((key, *stage.keys.get(key)?)));
    let useless = written.filter(|(key, _)| sees && !has_use(key));
    useless
        .map(|(key, span)| match found {
            Some(_) => {
                let message = format!(
                    "`{key}` is about crops, and `{}` takes whole frames",
                    stage.id
                );
                Diagnostic::error(span, message)
                    .help("leave it out, or take the crops: `inputs = [\"STAGE.crops\"]`")
            }
            None => {
                let message = format!("`{key}` is about boxes, and `{}` takes none", stage.id);
                Diagnostic::error(span, message).help(
                    "let it take what another stage found, `inputs = [\"STAGE.crops\"]` or \
                     `[\"STAGE.frames\"]`; `conf` and `classes` say which objects a stage keeps",
                )
            }
        })
        .collect()
}

fn cycles(graph: &DiGraph<&Stage, ItemKind>, spans: &Spans) -> Vec<Diagnostic> {
    // Not Tarjan's, which recurses as deep as stages follow each other.
    kosaraju_scc(graph)
        .into_iter()
        .filter(|nodes| {
            nodes.len() > 1 || nodes.iter().any(|&node| graph.contains_edge(node, node))
        })
        .map(|nodes| cycle(graph, spans, &nodes))
        .collect()
}

fn cycle(graph: &DiGraph<&Stage, ItemKind>, spans: &Spans, nodes: &[NodeIndex]) -> Diagnostic {
    let path = path_round(graph, nodes);
    let names = path.iter().take(LONGEST_TOLD);
    let mut names: Vec<_> = names.map(|&node| graph[node].id.as_str()).collect();
    if let [.., first] = path.as_slice()
        && names.len() < path.len()
    {
        names.extend(["...", graph[*first].id.as_str()]);
    }
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
    for (&span, to, from) in places.take(LONGEST_TOLD) {
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
    let nodes: BTreeSet<NodeIndex> = nodes.iter().copied().collect();
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
