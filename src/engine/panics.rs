//! Panics: a defect of this program, caught where it happens and told like any other failure.
//!
//! The item or the video that met it has no answer, the run ends, and what is done is kept.

use crate::failure::Class;
use crate::failure::Failure;
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use tokio::task::JoinError;

/// What `work` gives, or the failure that a panic in it is. What it may have left half done must
/// not be used again.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| failure(&*panic))
}

/// The same for work that is waited for.
pub(super) async fn caught_in<F: Future>(work: F) -> Result<F::Output, Failure> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| failure(&*panic))
}

/// What a task gave that has ended.
pub(super) fn joined<T>(done: Result<T, JoinError>) -> Result<T, Failure> {
    done.map_err(|error| match error.try_into_panic() {
        Ok(panic) => failure(&*panic),
        Err(_cancelled) => Failure::new(Class::Stopped, "the run was dropped"),
    })
}

fn failure(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    // Nothing that a terminal would obey, and not whole answers of servers.
    let text = text.unwrap_or("no reason is given").chars();
    let text: String = text
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect();
    Failure::new(Class::Internal, format!("vpipe itself failed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::caught;
    use super::caught_in;
    use super::joined;
    use crate::failure::Class;

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_words() {
        let boom = || -> () { panic!("boom {}", 7) };
        for failure in [
            caught(boom).unwrap_err(),
            caught_in(async { boom() }).await.unwrap_err(),
            joined(tokio::spawn(async move { boom() }).await).unwrap_err(),
            joined(tokio::task::spawn_blocking(boom).await).unwrap_err(),
        ] {
            assert_eq!(failure.class, Class::Internal);
            assert!(failure.message.ends_with("boom 7"), "{failure}");
        }
        assert_eq!(caught(|| 7), Ok(7));
    }
}
