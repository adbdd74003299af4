//! Wrappings: some handlers give a list of one, or JSON in a text, where others give the thing
//! itself.
//!
//! Does not know what is inside.

use crate::backends::transport::json;
use crate::failure::Failure;
use serde_json::Value;

/// More wrappings than anybody puts around an answer.
const MOST: usize = 4;

/// What `read` makes of an output as it is, or of what is inside of it.
///
/// # Errors
///
/// What is wrong with the output as it is, where nothing inside of it can be read either.
pub(super) fn in_any_wrapping<T>(
    output: &Value,
    read: impl Fn(&Value) -> Result<T, Failure>,
) -> Result<T, Failure> {
    read(output).or_else(|failure| {
        let mut inner = inside(output);
        inner.find_map(|inner| read(&inner).ok()).ok_or(failure)
    })
}

/// What is in an output, one wrapping after the other.
fn inside(output: &Value) -> impl Iterator<Item = Value> {
    std::iter::successors(json::unwrapped(output), json::unwrapped).take(MOST)
}

#[cfg(test)]
mod tests {
    use super::in_any_wrapping;
    use crate::failure::Class;
    use crate::failure::Failure;
    use serde_json::Value;
    use serde_json::json;

    fn found(output: &Value) -> Result<u64, Failure> {
        let number = output.get("found").and_then(Value::as_u64);
        number.ok_or_else(|| Failure::new(Class::BadAnswer, "it has no `found`"))
    }

    #[test]
    fn what_is_wrapped_is_read() {
        let inner = json!({ "found": 7 });
        let text = inner.to_string();
        for output in [
            json!(inner),
            json!([inner]),
            json!(text),
            json!([text]),
            json!([[inner]]),
        ] {
            assert_eq!(in_any_wrapping(&output, found), Ok(7), "{output}");
        }
        let deep = (0..9).fold(inner, |inner, _| json!([inner]));
        for output in [json!(null), json!([]), json!([{}, { "found": 7 }]), deep] {
            let failure = in_any_wrapping(&output, found).unwrap_err();
            assert_eq!(failure.message, "it has no `found`", "{output}");
        }
    }
}
