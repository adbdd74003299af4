//! Defects: a panic of the program itself is one message and exit code 3, wherever it happens.
//!
//! What is done by then is kept: the engine ends a run like after any other failure.

use crate::cli::streams::talk;
use std::env;
use std::panic;
use std::panic::AssertUnwindSafe;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Nothing in the environment of a user's computer or files was the cause.
const EXIT_CODE: u8 = 3;

/// The panics of this process, in the order in which they happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Defects(Arc<Mutex<Vec<String>>>);

impl Defects {
    /// Notes all panics from now on. They are shown at once only where the user wants a backtrace.
    pub(super) fn listen() -> Self {
        let defects = Self::default();
        let noting = defects.clone();
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            noting.note(&text(panic));
            if env::var_os("RUST_BACKTRACE").is_some_and(|set| set != "0") {
                usual(panic);
            }
        }));
        defects
    }

    /// Does `work` and gives its exit code, or the one of a defect.
    pub(super) fn guard(&self, work: impl FnOnce() -> u8) -> u8 {
        let done = panic::catch_unwind(AssertUnwindSafe(work));
        match (done, self.message()) {
            (Ok(code), None) => code,
            (_, message) => {
                talk(&message.unwrap_or_else(|| "error: vpipe has a defect".to_owned()));
                EXIT_CODE
            }
        }
    }

    fn note(&self, text: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The first ones are the cause of the others.
        if all.len() < 10 {
            all.push(text.to_owned());
        }
    }

    fn message(&self) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = all.first()?;
        Some(format!(
            "error: vpipe has a defect: {first}\n  help: please report it with the recipe and, if \
             you can, the input; RUST_BACKTRACE=1 shows how it came to it"
        ))
    }
}

fn text(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("no reason is given");
    let what: String = what
        .chars()
        .filter(|it| !it.is_control())
        .take(300)
        .collect();
    match panic.location() {
        Some(place) => format!("{what} ({place})"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::Defects;

    #[test]
    fn a_panic_is_an_exit_code_and_one_message() {
        let defects = Defects::default();
        assert_eq!(defects.guard(|| 1), 1);
        assert_eq!(defects.guard(|| panic!("boom")), 3);
    }

    #[test]
    fn a_panic_that_somebody_caught_is_told_as_well() {
        let defects = Defects::default();
        defects.note("boom (src/a.rs:1:2)");
        defects.note("and so on");
        assert_eq!(defects.guard(|| 0), 3);
        let message = defects.message().unwrap();
        assert!(message.starts_with("error: vpipe has a defect: boom (src/a.rs:1:2)\n"));
        assert!(!message.contains("and so on"));
    }
}
