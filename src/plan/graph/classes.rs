//! The classes that a recipe names: whether the models that its stages are placed on have them, and
//! whether a server can be asked for them.
//!
//! Pure over the recipe and the facts: what a model calls its classes is one of those.

use crate::diag::Diagnostic;
use crate::diag::did_you_mean;
use crate::facts::Facts;
use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::name::StageId;
use crate::plan::checked::CheckedRecipe;
use crate::plan::digest::server::requested;
use crate::plan::graph::stages::StageGraph;
use crate::recipe::ClassRef;
use crate::recipe::Inference;
use crate::recipe::Stage;
use crate::recipe::YoloBackend;
use crate::recipe::YoloSpec;
use crate::template::Compared;
use serde_json::Value;
use std::sync::Arc;

// More names than these are not listed in a message.
const LISTED: usize = 12;

/// Every class of `recipe` that the model which is asked does not have, and every one that a server
/// cannot be asked for.
pub(in crate::plan) fn check(
    recipe: &CheckedRecipe,
    graph: &StageGraph<'_>,
    facts: &Facts,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    for (id, inference) in recipe.inferences() {
        let (Inference::Yolo(spec, backend), Some(stage)) = (inference, recipe.stage(id)) else {
            continue;
        };
        match Named::of(facts, id) {
            Some(named) => {
                let listed = spec.classes.iter().map(|class| ("classes", class));
                let sure = spec.conf.classes.keys().map(|class| ("conf", class));
                wrong.extend(named.check(stage, listed.chain(sure)));
            }
            None if facts
                .placements
                .get(id)
                .and_then(Placement::remote)
                .is_some() =>
            {
                wrong.extend(check_request(stage, spec, backend.as_ref()));
            }
            None => {}
        }
    }
    for (stage, of, spec) in recipe.tracks() {
        let classes = spec.classes.iter().map(|class| ("classes", class));
        let named = Named::of(facts, of);
        wrong.extend(named.iter().flat_map(|it| it.check(stage, classes.clone())));
    }
    let stages = recipe.stages.iter();
    wrong.extend(stages.flat_map(|stage| check_filter(recipe, graph, facts, stage)));
    wrong
}

// Classes that have names, and whose they are.
struct Named<'a> {
    whose: String,
    names: &'a [Arc<str>],
    demo: bool,
}

impl<'a> Named<'a> {
    // Those of the model that `stage` is placed on; `None` where nobody says how it calls any.
    fn of(facts: &'a Facts, stage: &StageId) -> Option<Self> {
        match facts.placements.get(stage)? {
            Placement::Local(LocalFacts { model, .. }) => Some(Self {
                whose: model.name.clone(),
                names: &model.classes,
                demo: model.demo,
            }),
            Placement::Remote(place) => (!place.class_names.is_empty()).then(|| Self {
                whose: "`names`".to_owned(),
                names: &place.class_names,
                demo: false,
            }),
            Placement::Skipped { .. } => None,
        }
    }

    // Of the classes that stand under these keys of `stage`, each that there is not.
    fn check<'b>(
        &self,
        stage: &Stage,
        classes: impl Iterator<Item = (&'b str, &'b ClassRef)>,
    ) -> Vec<Diagnostic> {
        let unknown = classes.filter(|(_, class)| !self.has(class));
        let mistakes = unknown.map(|(key, class)| {
            let message = match class {
                ClassRef::Number(number) => format!("{} has no class {number}", self.whose),
                ClassRef::Name(name) => format!("{} has no class `{name}`", self.whose),
            };
            let place = stage.item(key, &class.to_string());
            Diagnostic::error(place, message).help(self.instead(class))
        });
        mistakes.collect()
    }

    // A model that says nothing of its classes may have all numbers.
    fn has(&self, class: &ClassRef) -> bool {
        match class {
            ClassRef::Number(number) => {
                self.names.is_empty() || (*number as usize) < self.names.len()
            }
            ClassRef::Name(_) => !class.numbers(self.names).is_empty(),
        }
    }

    fn instead(&self, class: &ClassRef) -> String {
        let mut numbered = self.names.iter().enumerate();
        let is_named = numbered.any(|(number, name)| **name != *number.to_string());
        let last = self.names.len().saturating_sub(1);
        let demo = match self.demo {
            true => "; it is a demo, and `model` names a model of your own",
            false => "",
        };
        match class {
            ClassRef::Number(_) => format!("its classes are 0 to {last}{demo}"),
            ClassRef::Name(_) if !is_named => {
                "it does not name its classes: write their numbers, or in `names` a file of their \
                 names"
                    .to_owned()
            }
            ClassRef::Name(name) => {
                match did_you_mean(name, self.names.iter().map(AsRef::as_ref)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("its classes are {}{demo}", list(self.names)),
                }
            }
        }
    }
}

fn list(names: &[Arc<str>]) -> String {
    let few = names.iter().take(LISTED).map(|name| format!("`{name}`"));
    let few = few.collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(LISTED) {
        None | Some(0) => few,
        Some(more) => format!("{few} and {more} others"),
    }
}

// What a request sends has to be known, by number or by name; what it does not send is compared
// here.
fn check_request(
    stage: &Stage,
    spec: &YoloSpec,
    backend: Option<&YoloBackend>,
) -> Option<Diagnostic> {
    let is_number = |class: &&ClassRef| matches!(class, ClassRef::Number(_));
    let mut classes = spec.classes.iter();
    let (unknown, how, other) = if requested(backend, "params.classes") {
        let unknown = classes.find(|class| !is_number(class))?;
        (unknown, "number", "write the numbers of classes")
    } else if requested(backend, "params.class_names") {
        let unknown = classes.find(is_number)?;
        (unknown, "name", "write the names of classes")
    } else {
        return None;
    };
    let message = format!("the request sends classes by {how}, and `{unknown}` has none here");
    let place = stage.item("classes", &unknown.to_string());
    Some(Diagnostic::error(place, message).help(format!(
        "say what the model calls its classes: `names = \"coco\"` for the 80 of COCO, or a file of \
         their names; or {other}"
    )))
}

// Tests for what the stage that finds the boxes has no class of.
fn check_filter(
    recipe: &CheckedRecipe,
    graph: &StageGraph<'_>,
    facts: &Facts,
    stage: &Stage,
) -> Vec<Diagnostic> {
    let finder = graph.found_of(stage).and_then(|(_, id)| recipe.stage(id));
    let (Some(filter), Some(finder)) = (&stage.take.filter, finder) else {
        return Vec::new();
    };
    let Some(named) = Named::of(facts, &finder.id) else {
        return Vec::new();
    };
    let by_name = filter.compared("class_name").into_iter();
    let by_name = by_name.flat_map(|it| {
        unknown(&it, &named, |value| {
            Some(ClassRef::Name(value.as_str()?.into()))
        })
    });
    let by_number = filter.compared("class").into_iter();
    let by_number = by_number.flat_map(|it| {
        unknown(&it, &named, |value| {
            Some(ClassRef::Number(u32::try_from(value.as_u64()?).ok()?))
        })
    });
    let finder = &finder.id;
    let told = by_name.chain(by_number).map(|(class, never_holds)| {
        let message = match never_holds {
            true => format!("`filter` never holds: `{finder}` finds no class `{class}`"),
            false => format!("`filter` asks for a class `{class}`, and `{finder}` finds none"),
        };
        Diagnostic::error(stage.key("filter"), message).help(named.instead(&class))
    });
    told.collect()
}

// The classes that a value may be of and that the model does not have, with whether it has none of
// all: then one of them is enough to tell.
fn unknown(
    comparison: &Compared,
    named: &Named<'_>,
    class: impl Fn(&Value) -> Option<ClassRef>,
) -> Vec<(ClassRef, bool)> {
    let classes: Option<Vec<ClassRef>> = comparison.with.iter().map(class).collect();
    let classes = classes.unwrap_or_default();
    let never_holds = !classes.iter().any(|class| named.has(class));
    let told = if never_holds { 1 } else { usize::MAX };
    let unknown = classes.into_iter().filter(|class| !named.has(class));
    unknown
        .take(told)
        .map(|class| (class, never_holds))
        .collect()
}
