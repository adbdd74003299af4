//! `try`: a request, its answer and what a stage makes of it, for people to compare.
//!
//! Pure.

use crate::app::TryReport;
use serde_json::Value;

/// What was tried, under a heading for each part.
pub(super) fn page(tried: &TryReport) -> String {
    let mut page = String::new();
    for note in &tried.notes {
        page += &format!("# {note}\n");
    }
    page += &format!("# asked about {}: {} bytes\n", tried.item, tried.bytes);
    page += &tried.head;
    if !tried.fields.is_null() {
        page += &format!("\n{:#}\n", tried.fields);
    }
    if let Some(answer) = &tried.answer {
        page += &part("answered", &answer.came);
        if answer.came.is_ok() {
            page += &part("read as", &answer.read);
        }
    }
    page
}

/// 1 where the stage would have no answer.
pub(super) fn exit_code(tried: &TryReport) -> u8 {
    let read = tried.answer.as_ref().map(|answer| answer.read.is_ok());
    u8::from(read == Some(false))
}

fn part(what: &str, said: &Result<Value, String>) -> String {
    match said {
        Ok(said) => format!("\n# {what}\n{said:#}\n"),
        Err(why) => format!("\n# {what}: nothing\nerror: {why}\n"),
    }
}
