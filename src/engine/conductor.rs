//! The conductor: the one place where everything that happens in a run is put in order, and the
//! only one that writes down what is to outlast the run.
//!
//! Steps report to it and never to each other or to the caller; it tells the caller, one thing
//! after the other. A ticket or an answer is acknowledged when it is kept. Tickets that come
//! together are kept together, and so are answers.

use crate::answer::OpenTicket;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::event::Event;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::Ticket;
use crate::name::VideoId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

/// What the conductor tells the caller of a run.
#[derive(Debug)]
pub enum Notification {
    /// Something happened.
    Event(Event),
    /// An item left the plan.
    Output(Item),
}

// What a step reports.
enum Report {
    Told(Notification),
    Accepted(Box<OpenTicket>, oneshot::Sender<()>),
    Answered(Vec<NotedAnswer>, oneshot::Sender<()>),
    Forgotten(Ticket),
}

// Wide enough that a burst of small reports does not hold steps up.
const WAITING: usize = 256;

/// Sends reports to the conductor.
#[derive(Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

/// Receives the reports of all steps until the last reporter is gone.
pub(super) struct Conductor {
    reports: mpsc::Receiver<Report>,
    answers: Arc<dyn Answers>,
    stop: StopSignal,
    /// What is to be told, in order.
    told: VecDeque<Notification>,
    /// The steps that a video leaves the plan by.
    exits: usize,
    left: BTreeMap<VideoId, usize>,
    done: watch::Sender<BTreeSet<VideoId>>,
}

impl Conductor {
    /// One that keeps what is reported in `answers` and ends the run where that fails.
    pub(super) fn new(
        exits: usize,
        answers: &Arc<dyn Answers>,
        stop: &StopSignal,
    ) -> (Reporter, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let conductor = Self {
            reports: receiver,
            answers: Arc::clone(answers),
            stop: stop.clone(),
            told: VecDeque::new(),
            exits,
            left: BTreeMap::new(),
            done: watch::Sender::default(),
        };
        (Reporter(sender), conductor)
    }

    /// The videos that have left the plan.
    pub(super) fn done(&self) -> watch::Receiver<BTreeSet<VideoId>> {
        self.done.subscribe()
    }

    /// The next thing to be told; `None` where all reporters are gone.
    pub(super) async fn next(&mut self) -> Option<Notification> {
        loop {
            match self.told.pop_front() {
                Some(Notification::Event(Event::VideoDone { video })) if !self.note_exit(video) => {
                }
                Some(notification) => return Some(notification),
                None => {
                    let first = self.reports.recv().await?;
                    self.take(first);
                }
            }
        }
    }

    // Takes in a report and all that wait behind it.
    fn take(&mut self, first: Report) {
        let (mut tickets, mut forgotten) = (Vec::new(), Vec::new());
        let (mut answers, mut kept) = (Vec::new(), Vec::new());
        let waiting = self.reports.len().min(WAITING);
        let rest = (0..waiting).map_while(|_| self.reports.try_recv().ok());
        let all: Vec<Report> = std::iter::once(first).chain(rest).collect();
        for report in all {
            match report {
                Report::Told(notification) => self.told.push_back(notification),
                Report::Accepted(ticket, told) => {
                    tickets.push(*ticket);
                    kept.push(told);
                }
                Report::Answered(more, told) => {
                    answers.extend(more);
                    kept.push(told);
                }
                Report::Forgotten(ticket) => forgotten.push(ticket),
            }
        }
        // Nothing is answered or forgotten before its ticket is acknowledged.
        if !tickets.is_empty() {
            self.kept(self.answers.note_tickets(&tickets));
        }
        for ticket in forgotten {
            self.kept(self.answers.drop_ticket(&ticket));
        }
        if !answers.is_empty() {
            self.kept(self.answers.note_answers(&answers));
        }
        kept.into_iter().for_each(acknowledge);
    }

    // What cannot be kept would be asked and paid again: no more is asked.
    fn kept(&self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            self.stop.finish(StopReason::Failed(failure));
        }
    }

    // Whether the exit that `video` came to now was its last.
    fn note_exit(&mut self, video: VideoId) -> bool {
        let exits = self.left.entry(video).or_default();
        *exits += 1;
        let is_last = *exits == self.exits;
        if is_last {
            self.done.send_if_modified(|done| done.insert(video));
        }
        is_last
    }
}

// Nobody waits for it any more where the step was aborted.
fn acknowledge(told: oneshot::Sender<()>) {
    told.send(()).unwrap_or_default();
}

// The conductor listens until all reporters are gone, so sending fails only when the run itself
// was dropped; then nobody is there to be told.
impl Reporter {
    pub(super) async fn event(&self, event: Event) {
        self.send(Report::Told(Notification::Event(event))).await;
    }

    pub(super) fn blocking_event(&self, event: Event) {
        let report = Report::Told(Notification::Event(event));
        self.0.blocking_send(report).unwrap_or_default();
    }

    pub(super) async fn output(&self, item: Item) {
        self.send(Report::Told(Notification::Output(item))).await;
    }

    pub(super) async fn video_done(&self, video: VideoId) {
        self.event(Event::VideoDone { video }).await;
    }

    /// Returns when `ticket` is kept.
    pub(super) async fn accepted(&self, ticket: OpenTicket) {
        let (told, wait) = oneshot::channel();
        self.send(Report::Accepted(Box::new(ticket), told)).await;
        wait.await.unwrap_or_default();
    }

    /// Returns when `answers` are kept.
    pub(super) async fn answered(&self, answers: Vec<NotedAnswer>) {
        let (told, wait) = oneshot::channel();
        self.send(Report::Answered(answers, told)).await;
        wait.await.unwrap_or_default();
    }

    /// Returns at once; `answer` is kept in its turn.
    pub(super) fn blocking_noted(&self, answer: NotedAnswer) {
        let (told, _) = oneshot::channel();
        let report = Report::Answered(vec![answer], told);
        self.0.blocking_send(report).unwrap_or_default();
    }

    /// `ticket` will have no answer.
    pub(super) async fn forgotten(&self, ticket: Ticket) {
        self.send(Report::Forgotten(ticket)).await;
    }

    async fn send(&self, report: Report) {
        self.0.send(report).await.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::Conductor;
    use super::Notification;
    use crate::answer::Answer;
    use crate::answer::Extent;
    use crate::answer::ItemKey;
    use crate::answer::OpenTicket;
    use crate::answer::Question;
    use crate::answer::StageDigest;
    use crate::engine::answers::Answers;
    use crate::engine::answers::NotedAnswer;
    use crate::engine::stop::StopReason;
    use crate::engine::stop::StopSignal;
    use crate::event::Event;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::name::Ticket;
    use crate::name::VideoId;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::task::Poll;

    // Writes down what it is told, and is full from some point on.
    #[derive(Default)]
    struct Log {
        notes: Mutex<Vec<String>>,
        most: usize,
    }

    impl Log {
        fn note(&self, text: String) -> Result<(), Failure> {
            let mut notes = self.notes.lock().unwrap();
            if notes.len() == self.most {
                return Err(Failure::new(Class::Disk, "the disk is full"));
            }
            notes.push(text);
            Ok(())
        }
    }

    impl Answers for Log {
        fn look_up(&self, _: &ItemKey) -> Result<Option<Answer>, Failure> {
            Ok(None)
        }

        fn has(&self, _: &ItemKey) -> Result<bool, Failure> {
            Ok(false)
        }

        fn note_ticket(&self, ticket: &OpenTicket) -> Result<(), Failure> {
            self.note(format!("ticket {}", ticket.ticket))
        }

        fn note_tickets(&self, tickets: &[OpenTicket]) -> Result<(), Failure> {
            self.note(format!("{} tickets", tickets.len()))
        }

        fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure> {
            self.note(format!("{} answers", answers.len()))
        }

        fn drop_ticket(&self, ticket: &Ticket) -> Result<(), Failure> {
            self.note(format!("no ticket {ticket}"))
        }

        fn extents(&self, _: VideoId, _: StageDigest) -> Result<Vec<Extent>, Failure> {
            Ok(Vec::new())
        }

        fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
            Ok(Vec::new())
        }
    }

    fn log(most: usize) -> Arc<Log> {
        Arc::new(Log {
            most,
            ..Log::default()
        })
    }

    fn ticket(name: &str) -> OpenTicket {
        OpenTicket {
            ticket: name.into(),
            stage: StageDigest([0; 32]),
            backend: "runpod".into(),
            address: "https://a.example".to_owned(),
            video: VideoId(0),
            question: Question::Frames(Vec::new()),
        }
    }

    fn answer() -> Vec<NotedAnswer> {
        let key = ItemKey {
            video: VideoId(0),
            stage: StageDigest([0; 32]),
            extent: Extent::Whole,
        };
        vec![NotedAnswer {
            key,
            answer: Answer::Objects(Vec::new()),
            origin: None,
            ticket: None,
        }]
    }

    async fn is_done(future: Pin<&mut impl Future>) -> bool {
        let mut future = future;
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn what_comes_together_is_kept_together_before_it_is_acknowledged() {
        let (log, stop) = (log(9), StopSignal::default());
        let answers: Arc<dyn Answers> = log.clone();
        let (reporter, mut conductor) = Conductor::new(1, &answers, &stop);
        let mut accepted = pin!(reporter.accepted(ticket("a")));
        let mut other = pin!(reporter.accepted(ticket("c")));
        let (mut first, mut second) = (
            pin!(reporter.answered(answer())),
            pin!(reporter.answered(answer())),
        );
        assert!(!is_done(accepted.as_mut()).await && !is_done(first.as_mut()).await);
        assert!(!is_done(second.as_mut()).await && !is_done(other.as_mut()).await);
        reporter.forgotten("b".into()).await;
        let video = VideoId(0);
        reporter.event(Event::VideoOpened { video }).await;
        let told = conductor.next().await;
        assert!(matches!(
            told,
            Some(Notification::Event(Event::VideoOpened { .. }))
        ));
        let notes = log.notes.lock().unwrap().clone();
        assert_eq!(notes, ["2 tickets", "no ticket b", "2 answers"]);
        assert!(is_done(accepted.as_mut()).await && is_done(first.as_mut()).await);
        assert!(is_done(second.as_mut()).await && is_done(other.as_mut()).await);
        assert!(!stop.is_stopping());
    }

    #[tokio::test]
    async fn what_cannot_be_kept_ends_the_run() {
        let (log, stop) = (log(1), StopSignal::default());
        let answers: Arc<dyn Answers> = log.clone();
        let (reporter, mut conductor) = Conductor::new(1, &answers, &stop);
        let mut accepted = pin!(reporter.accepted(ticket("a")));
        let mut answered = pin!(reporter.answered(answer()));
        assert!(!is_done(accepted.as_mut()).await && !is_done(answered.as_mut()).await);
        let video = VideoId(0);
        reporter.event(Event::VideoOpened { video }).await;
        assert!(conductor.next().await.is_some());
        assert!(is_done(answered.as_mut()).await, "nobody waits for ever");
        let Some(StopReason::Failed(failure)) = stop.reason() else {
            panic!("it goes on");
        };
        assert_eq!(failure.message, "the disk is full");
    }
}
