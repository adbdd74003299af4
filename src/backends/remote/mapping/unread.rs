//! What a user is told of an answer that cannot be read: what came, and how the recipe would read
//! it.

use crate::backends::remote::mapping::guess;
use crate::backends::remote::mapping::mapping::Mapping;
use crate::backends::remote::mapping::value::Sizes;
use crate::backends::transport::redaction::Redaction;
use crate::recipe::AnswerShape;
use serde_json::Value;
use std::io;

// Enough JSON for an excerpt of it, and for a key that it may end in.
const MOST_BYTES: usize = 256 << 10;

/// What the user is told of an answer that `mapping` cannot read: what came, and which lines of the
/// recipe would read it. `redaction` takes keys out of it.
pub fn help(mapping: &Mapping, output: &Value, sent: &[Sizes], redaction: &Redaction) -> String {
    let (spec, heading) = (mapping.spec(), mapping.heading());
    let table = heading.lines().last().unwrap_or_default();
    let came = came(output, redaction);
    let lines = guess::lines(spec, output, sent);
    let advice = match (lines, &spec.answer) {
        (Some(lines), _) => {
            let lines = format!("{heading}\n{lines}").replace('\n', "\n      ");
            format!("these lines of the recipe read it:\n\n      {lines}\n")
        }
        (None, AnswerShape::Detections(_)) => format!(
            "say under `{table}` where the boxes are: `images`, `objects`, `bbox`, `class`, \
             `class_name`, `confidence`; `vpipe try` shows a whole answer"
        ),
        (None, AnswerShape::Record(_) | AnswerShape::Transcript(_)) => {
            format!("say under `{table}` where the fields are; `vpipe try` shows a whole answer")
        }
    };
    format!("{came}\n  help: {}", redaction.text(&advice))
}

/// The line about what came.
pub(in crate::backends) fn came(output: &Value, redaction: &Redaction) -> String {
    format!("  it answered: {}", shown(output, redaction))
}

// An answer may be larger than anybody reads.
fn shown(output: &Value, redaction: &Redaction) -> String {
    let mut start = Start(Vec::new());
    // Fails where there is more of it.
    serde_json::to_writer(&mut start, output).unwrap_or_default();
    redaction.excerpt(&String::from_utf8_lossy(&start.0))
}

struct Start(Vec<u8>);

impl io::Write for Start {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match MOST_BYTES.saturating_sub(self.0.len()).min(part.len()) {
            0 if !part.is_empty() => Err(io::ErrorKind::FileTooLarge.into()),
            taken => {
                self.0
                    .extend_from_slice(part.get(..taken).unwrap_or_default());
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::help;
    use crate::backends::remote::mapping::mapping::Mapping;
    use crate::backends::remote::mapping::value::Sizes;
    use crate::backends::transport::redaction::Redaction;
    use crate::item::Size;
    use crate::recipe::MappingSpec;
    use serde_json::Value;
    use serde_json::json;

    fn told(output: &Value) -> String {
        let sizes = Sizes::unscaled(Size {
            width: 100,
            height: 50,
        });
        let mapping = Mapping::new(&MappingSpec::default()).under("[backends.fleet.answer]");
        help(&mapping, output, &[sizes], &Redaction::default())
    }

    #[test]
    fn what_came_is_shown_with_the_lines_that_read_it() {
        let object = json!({ "bbox": [1, 2, 3, 4], "class": 0, "class_name": "car",
                             "confidence": 1 });
        let told = told(&json!({ "boxes": [[object]] }));
        assert_eq!(
            told,
            "  it answered: {\"boxes\":[[{\"bbox\":[1,2,3,4],\"class\":0,\
             \"class_name\":\"car\",\"confidence\":1}]]}\n  \
             help: these lines of the recipe read it:\n\n      [backends.fleet.answer]\n      \
             images = \"output.boxes\"\n      objects = \"image\"\n      \
             class_name = \"object.class_name\"\n"
        );
    }

    #[test]
    fn a_large_answer_is_shown_in_part() {
        let told = told(&json!("x".repeat(1 << 20)));
        assert!(
            told.len() < 600 && told.contains("[backends.fleet.answer]"),
            "{told}"
        );
    }
}
