//! What a test asks of a thing that was seen: `crossed("gate")`, `crossed("gate", "forward")`,
//! `entered("door")`.

use minijinja::Value;
use serde_json::Value as Json;

/// The value called `name` as something that is asked, where it is told of a thing which lines it
/// `crossed`, each with the direction, or which regions it `entered`.
pub(super) fn asked(name: &str, told: &Json) -> Option<Value> {
    match (name, told) {
        ("crossed", Json::Object(lines)) => {
            let lines = lines.clone();
            Some(Value::from_function(
                move |line: String, direction: Option<String>| {
                    let crossed = lines.get(&line).and_then(Json::as_str);
                    crossed.is_some_and(|it| direction.is_none_or(|direction| it == direction))
                },
            ))
        }
        ("entered", Json::Array(regions)) => {
            let regions = regions.clone();
            Some(Value::from_function(move |region: String| {
                regions.iter().any(|it| *it == region)
            }))
        }
        _ => None,
    }
}
