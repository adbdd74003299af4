//! Outages: a backend that stops answering is left alone and probed until it answers again.
//!
//! While it lasts, one request at a time finds out whether it is over, and the others wait without
//! using up their attempts. An item alone that fails while others are answered is no outage; where
//! nobody else asks it has its attempts, and then a minute.
//!
//! What was asked later tells more: an answer on its way when the backend went away ends no outage,
//! and a failure that comes in after a later question was answered begins none.

use crate::duration::spelled;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use crate::plan::Retry;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::sync::watch;
use tokio::time::Instant;

/// So many failures in a row, of different items, are an outage.
const MOST_FAILURES: u32 = 3;

/// The longest pause between two probes.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long an item that alone fails is waited for, while nobody else asks.
const LONGEST_ALONE: Duration = Duration::from_secs(60);

/// Whether a backend answers, as far as the steps that ask it have seen.
pub(super) struct Outage {
    seen: Mutex<Seen>,
    is_on: watch::Sender<bool>,
    probe: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Seen {
    // How often it has answered, and when the last question was asked that it answered.
    answers: u64,
    answered: Option<Instant>,
    // What has failed since the last answer, how often, and from when on.
    failing: BTreeSet<String>,
    failures: u32,
    is_sure: bool,
    since: Option<Instant>,
    last: Option<Failure>,
    // The stage that noticed an outage.
    stage: Option<StageId>,
    // Before the next probe, and when that is due.
    pause: Duration,
    due: Option<Instant>,
    // One that is over, until it is told.
    over: Option<(StageId, Duration)>,
}

/// A question that was not answered.
pub(super) struct Silence<'a> {
    /// What it was about.
    pub(super) item: String,
    pub(super) failure: &'a Failure,
    pub(super) sign: Sign,
    /// When it was asked; of several, the earliest.
    pub(super) asked: Instant,
}

/// How sure a failure makes it that there is an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It may be the item.
    Weak,
    /// It may be the item, which has no attempts left; but nobody was answered since its first one
    /// failed.
    Last,
    /// Several questions in a row were not answered, and none of them can be the item's fault.
    Strong,
}

/// What an item may do that is about to ask.
pub(super) enum Turn {
    /// Ask; as a probe where there is an outage.
    Ask(Option<Probe>),
    /// Nothing: the run is stopped.
    Stopped,
    /// Nothing: it alone fails, for as long as an outage may last.
    GiveUp(Failure),
}

/// The right to find out whether an outage is over; another has it when this is dropped.
pub(super) struct Probe(#[expect(dead_code, reason = "held")] OwnedMutexGuard<()>);

/// Whether a failure of this class means that nobody has looked at the request.
pub(super) fn is_silence(class: Class) -> bool {
    matches!(class, Class::Network | Class::ServerError)
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            is_on: watch::Sender::new(false),
            probe: Arc::default(),
        }
    }
}

impl Outage {
    /// How often the backend has answered.
    pub(super) fn answers(&self) -> u64 {
        self.seen().answers
    }

    /// Whether there is an outage.
    pub(super) fn is_on(&self) -> bool {
        *self.is_on.borrow()
    }

    /// The backend has answered what was asked then.
    pub(super) fn answered(&self, asked: Instant) {
        let mut seen = self.seen();
        seen.answers += 1;
        seen.answered = seen.answered.max(Some(asked));
        if self.is_on() && seen.since.is_some_and(|since| asked < since) {
            return;
        }
        let since = seen.since.take();
        seen.failing.clear();
        seen.is_sure = false;
        (seen.failures, seen.last, seen.due) = (0, None, None);
        if let (Some(stage), Some(since)) = (seen.stage.take(), since) {
            seen.over = Some((stage, since.elapsed()));
            self.is_on.send_replace(false);
        }
    }

    /// `stage` was not answered. Gives whether an outage begins with it: never before the backend
    /// has answered anything.
    pub(super) fn failed(&self, stage: &StageId, silence: Silence<'_>, retry: Retry) -> bool {
        let mut seen = self.seen();
        // Where nothing was answered so far, this is before the first answer.
        if seen
            .answered
            .is_none_or(|answered| silence.asked < answered)
        {
            return false;
        }
        seen.failing.insert(silence.item);
        seen.is_sure |= silence.sign == Sign::Strong || seen.failing.len() > 1;
        seen.failures += 1;
        seen.last = Some(silence.failure.clone());
        let now = Instant::now();
        seen.since.get_or_insert(now);
        if seen.stage.is_some() {
            seen.pause = (seen.pause * 2).min(LONGEST_PAUSE);
            seen.wait(now, silence.failure);
            return false;
        }
        let many = seen.failures >= MOST_FAILURES && seen.is_sure;
        if !many && silence.sign == Sign::Weak {
            return false;
        }
        seen.pause = retry.pause;
        seen.wait(now, silence.failure);
        seen.stage = Some(stage.clone());
        self.is_on.send_replace(true);
        true
    }

    /// When an item may ask.
    pub(super) async fn turn(&self, stop: &StopSignal, longest: Duration) -> Turn {
        let probe = async {
            let probe = Arc::clone(&self.probe).lock_owned().await;
            let due = self.seen().due;
            if let Some(due) = due {
                tokio::time::sleep_until(due).await;
            }
            Probe(probe)
        };
        tokio::select! {
            biased;
            () = stop.stopping() => Turn::Stopped,
            () = self.over() => Turn::Ask(None),
            () = self.ends(longest) => self.end(stop, longest),
            probe = probe => Turn::Ask(Some(probe)),
        }
    }

    /// Waits until there is no outage.
    pub(super) async fn over(&self) {
        let mut is_on = self.is_on.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        if is_on.wait_for(|is_on| !is_on).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The outage that is over and of which nobody knows: whose, and how long it was.
    pub(super) fn take_over(&self) -> Option<(StageId, Duration)> {
        self.seen().over.take()
    }

    async fn ends(&self, longest: Duration) {
        loop {
            let (since, is_sure) = {
                let seen = self.seen();
                (seen.since.unwrap_or_else(Instant::now), seen.is_sure)
            };
            let longest = match is_sure {
                true => longest,
                false => longest.min(LONGEST_ALONE),
            };
            match since.checked_add(longest) {
                Some(end) if end <= Instant::now() => return,
                // It may be more than one by then.
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        }
    }

    // Where more than one item has failed, the backend is gone. One alone may be at fault itself.
    fn end(&self, stop: &StopSignal, longest: Duration) -> Turn {
        let mut seen = self.seen();
        let why = seen.last.clone();
        let why = why.map(|failure| failure.message).unwrap_or_default();
        if !seen.is_sure {
            let (since, stage) = (seen.since.take(), seen.stage.take());
            seen.over = stage.zip(since.map(|since| since.elapsed()));
            self.is_on.send_replace(false);
            return Turn::GiveUp(Failure::new(Class::TimedOut, why));
        }
        let failure = Failure::new(
            Class::Unavailable,
            format!("no request was answered for {}: {why}", spelled(longest)),
        )
        .help("what is not done is asked when the same command runs again; see `outage_timeout`");
        stop.finish(StopReason::Failed(failure));
        Turn::Stopped
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn wait(&mut self, now: Instant, failure: &Failure) {
        let pause = self.pause.max(failure.retry_after.unwrap_or_default());
        self.due = now.checked_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::LONGEST_ALONE;
    use super::Outage;
    use super::Sign;
    use super::Silence;
    use super::Turn;
    use crate::engine::stop::StopReason;
    use crate::engine::stop::StopSignal;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::plan::Retry;
    use std::time::Duration;
    use tokio::time::Instant;

    const LONGEST: Duration = Duration::from_secs(300);

    fn fails(outage: &Outage, item: &str, sign: Sign) -> bool {
        let failure = Failure::new(Class::Network, "connection refused");
        let silence = Silence {
            item: item.to_owned(),
            failure: &failure,
            sign,
            asked: Instant::now(),
        };
        outage.failed(&"yolo".into(), silence, Retry::default())
    }

    fn answers(outage: &Outage) {
        outage.answered(Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_begins_where_different_items_fail_and_nobody_is_answered() {
        let outage = Outage::default();
        for item in ["a", "b", "c", "d"] {
            assert!(!fails(&outage, item, Sign::Strong), "it never answered");
        }
        answers(&outage);
        assert!(
            (0..9).all(|_| !fails(&outage, "a", Sign::Weak)),
            "it may be `a`"
        );
        answers(&outage);
        assert!(!fails(&outage, "a", Sign::Weak) && !fails(&outage, "b", Sign::Weak));
        assert!(fails(&outage, "a", Sign::Weak) && outage.is_on());
        assert!(!fails(&outage, "c", Sign::Weak), "it is told once");
        answers(&outage);
        assert!(!outage.is_on() && outage.take_over().is_some());
        assert!(
            fails(&outage, "a", Sign::Strong),
            "polls are nobody's fault"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_later_tells_more() {
        let outage = Outage::default();
        answers(&outage);
        let before = Instant::now();
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(fails(&outage, "a", Sign::Strong));
        outage.answered(before);
        assert!(outage.is_on(), "its answer was on its way");
        tokio::time::advance(Duration::from_millis(1)).await;
        answers(&outage);
        assert!(!outage.is_on());
        let failure = Failure::new(Class::Network, "connection refused");
        let late = Silence {
            item: "b".to_owned(),
            failure: &failure,
            sign: Sign::Strong,
            asked: before,
        };
        assert!(!outage.failed(&"yolo".into(), late, Retry::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_probes_later_and_later() {
        let (outage, stop) = (Outage::default(), StopSignal::default());
        answers(&outage);
        fails(&outage, "a", Sign::Strong);
        let start = Instant::now();
        for wanted in [0.5, 1.5, 3.5, 7.5, 15.5, 25.5, 35.5] {
            let Turn::Ask(Some(probe)) = outage.turn(&stop, LONGEST).await else {
                panic!("no probe");
            };
            let passed = start.elapsed().as_secs_f64();
            assert!((passed - wanted).abs() < 0.01, "{passed}");
            let second = tokio::time::timeout(Duration::from_secs(0), outage.turn(&stop, LONGEST));
            assert!(second.await.is_err(), "two at a time");
            fails(&outage, "b", Sign::Weak);
            drop(probe);
        }
        let (turn, ()) = tokio::join!(outage.turn(&stop, LONGEST), async { answers(&outage) });
        assert!(matches!(turn, Turn::Ask(None)), "all may ask");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_end_ends_the_run_or_the_item_that_is_alone() {
        for (second, sign, stops, longest) in [
            ("b", Sign::Last, true, LONGEST),
            ("a", Sign::Strong, true, LONGEST),
            ("a", Sign::Last, false, LONGEST_ALONE),
        ] {
            let (outage, stop) = (Outage::default(), StopSignal::default());
            answers(&outage);
            let start = Instant::now();
            fails(&outage, "a", Sign::Weak);
            fails(&outage, second, sign);
            let end = loop {
                match outage.turn(&stop, LONGEST).await {
                    Turn::Ask(probe) => {
                        fails(&outage, "a", Sign::Weak);
                        drop(probe);
                    }
                    end => break end,
                }
            };
            assert_eq!(start.elapsed(), longest);
            assert_eq!(matches!(end, Turn::Stopped), stops);
            assert_eq!(matches!(stop.reason(), Some(StopReason::Failed(_))), stops);
        }
    }
}
