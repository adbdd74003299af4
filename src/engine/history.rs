//! The history of a server: whether it has answered one request of a step, and what came instead.
//!
//! Where nothing but failures came, the next requests would fail too, and may cost as much.

use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// After so many requests that failed, and none that was answered, no more are sent.
pub(super) const MOST_FAILURES: usize = 8;

/// How many different failures are told.
const MOST_TOLD: usize = 3;

/// What a server has done with the requests of one step.
#[derive(Default)]
pub(super) struct AnswerHistory {
    reached: AtomicBool,
    answered: AtomicBool,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    count: usize,
    told: BTreeSet<String>,
}

impl AnswerHistory {
    /// The server has said something, whatever it was.
    pub(super) fn reached(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Notes that a request of `stage` failed. Gives why no further one should be sent, where that
    /// is so.
    pub(super) fn failed(&self, stage: &StageId, failure: &Failure) -> Option<Failure> {
        if self.answered.load(Ordering::Relaxed) {
            return None;
        }
        match failure.class {
            Class::BadAnswer => {
                let message = format!(
                    "`{stage}`: {}; it is the first answer, so nothing more is asked",
                    failure.message
                );
                Some(Failure {
                    message,
                    ..failure.clone()
                })
            }
            Class::Worker | Class::Lost | Class::TimedOut => {
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.count += 1;
                if failures.told.len() < MOST_TOLD {
                    failures.told.insert(failure.message.clone());
                }
                (failures.count >= MOST_FAILURES).then(|| failures.sum(stage, failure.class))
            }
            _ => None,
        }
    }

    /// What the failure of an item means that was tried as often as the recipe allows: `true`
    /// where nobody has answered anything by then, and nobody will.
    pub(super) fn is_hopeless(&self, class: Class) -> bool {
        let sign = match class {
            Class::Network => &self.reached,
            _ => &self.answered,
        };
        !sign.load(Ordering::Relaxed)
    }
}

impl Failures {
    fn sum(&self, stage: &StageId, class: Class) -> Failure {
        let told: Vec<&str> = self.told.iter().map(String::as_str).collect();
        let message = format!(
            "`{stage}` got no answer to its first {} requests, only failures: {}",
            self.count,
            told.join("; ")
        );
        Failure::new(class, message)
    }
}

#[cfg(test)]
mod tests {
    use super::AnswerHistory;
    use super::MOST_FAILURES;
    use crate::failure::Class;
    use crate::failure::Failure;

    fn failure(class: Class, message: &str) -> Failure {
        Failure::new(class, message)
    }

    #[test]
    fn nothing_but_failures_ends_the_run_after_a_few() {
        let history = AnswerHistory::default();
        let stage = "yolo".into();
        for number in 1..MOST_FAILURES {
            let failure = failure(Class::Worker, &format!("boom {}", number % 2));
            assert_eq!(history.failed(&stage, &failure), None);
        }
        let last = history
            .failed(&stage, &failure(Class::Lost, "gone"))
            .unwrap();
        assert_eq!(
            last.message,
            "`yolo` got no answer to its first 8 requests, only failures: boom 0; boom 1; gone"
        );
    }

    #[test]
    fn one_answer_is_enough_to_go_on() {
        let history = AnswerHistory::default();
        let stage = "yolo".into();
        let bad = failure(Class::BadAnswer, "no list");
        assert!(history.failed(&stage, &bad).is_some(), "the first answer");
        history.answered();
        assert_eq!(history.failed(&stage, &bad), None);
        for _ in 0..2 * MOST_FAILURES {
            assert_eq!(
                history.failed(&stage, &failure(Class::Worker, "boom")),
                None
            );
        }
    }

    #[test]
    fn a_server_that_is_busy_all_the_time_is_hopeless_as_one_that_is_not_there() {
        let history = AnswerHistory::default();
        assert!(history.is_hopeless(Class::Network) && history.is_hopeless(Class::Busy));
        history.reached();
        assert!(!history.is_hopeless(Class::Network) && history.is_hopeless(Class::Busy));
        history.answered();
        assert!(!history.is_hopeless(Class::Busy));
    }
}
