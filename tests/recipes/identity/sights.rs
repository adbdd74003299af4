//! Which sights of a thing go on numbers what is found in them, for who is told that.

use super::differing;
use super::digests;
use super::place;
use vpipe::facts::Facts;

const RECIPE: &str = r#"
version = 1
[backends.server]
kind = "http"
url = "http://127.0.0.1:9/see"
[backends.here]
kind = "local"
[stages.extract]
[stages.near]
kind = "yolo"
inputs = ["extract"]
backend = "here"
model = "m.onnx"
[stages.things]
kind = "track"
inputs = ["near"]
lines.gate = [[0.5, 0], [0.5, 1]]
[stages.parts]
kind = "yolo"
inputs = ["things.crops"]
filter = "FILTER"
[stages.told]
kind = "http"
inputs = ["parts.boxes"]
backend = "server"
request.objects = "{{ objects }}"
answer.record.text = "output.text"
[stages.merge]
inputs = ["parts", "told"]
primary = "parts"
"#;

#[test]
fn what_is_numbered_by_sights_is_asked_anew_where_they_are_others() {
    let sets = [
        "things.best_of=3",
        "things.point=\"foot\"",
        "things.lines.gate=[[0.4, 0], [0.5, 1]]",
        "things.regions.door=[[0, 0], [1, 0], [1, 1]]",
    ];
    for (filter, expected) in [
        ("confidence > 0.5", Vec::new()),
        ("first", vec!["told.request"]),
        ("crossed('gate')", vec!["told.request"]),
    ] {
        let recipe = RECIPE.replace("FILTER", filter);
        let base = digests(&recipe, &[], &Facts::default(), &place);
        for set in sets {
            let changed = digests(&recipe, &[set], &Facts::default(), &place);
            let changed = differing(&base, &changed);
            let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
            assert_eq!(changed, expected, "{filter}: {set}");
        }
    }
}
