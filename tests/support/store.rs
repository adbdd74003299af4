//! Answers and tickets in memory, across the runs of a test: what came twice, and what is left open.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::MutexGuard;
use vpipe::answer::Answer;
use vpipe::answer::Extent;
use vpipe::answer::ItemKey;
use vpipe::answer::OpenTicket;
use vpipe::answer::StageDigest;
use vpipe::engine::Answers;
use vpipe::engine::NotedAnswer;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::name::Ticket;
use vpipe::name::VideoId;

/// Where answers are kept.
#[derive(Default)]
pub(crate) struct MemoryStore {
    kept: Mutex<Kept>,
    // What nobody may be asked for a second time fails with this.
    miss: Option<Failure>,
    // How many answers there is room for.
    room: Option<usize>,
}

#[derive(Default)]
struct Kept {
    answers: BTreeMap<ItemKey, Answer>,
    open: BTreeMap<Ticket, OpenTicket>,
    tickets: BTreeSet<String>,
    twice: Vec<ItemKey>,
    commits: usize,
}

impl MemoryStore {
    /// One that is full after so many answers.
    pub(crate) fn with_room(answers: usize) -> Self {
        Self {
            room: Some(answers),
            ..Self::default()
        }
    }

    /// The same answers, beside which nobody may be asked.
    pub(crate) fn sealed(self, miss: Failure) -> Self {
        Self {
            miss: Some(miss),
            ..self
        }
    }

    /// How many answers are kept.
    pub(crate) fn answers(&self) -> usize {
        self.kept().answers.len()
    }

    /// How often answers were written.
    pub(crate) fn commits(&self) -> usize {
        self.kept().commits
    }

    /// Answers that were kept again.
    pub(crate) fn twice(&self) -> Vec<ItemKey> {
        self.kept().twice.clone()
    }

    /// All tickets that were ever kept.
    pub(crate) fn tickets(&self) -> BTreeSet<String> {
        self.kept().tickets.clone()
    }

    /// How many tickets are open.
    pub(crate) fn open(&self) -> usize {
        self.kept().open.len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

impl Answers for MemoryStore {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        match (self.kept().answers.get(key), &self.miss) {
            (None, Some(miss)) => Err(miss.clone()),
            (answer, _) => Ok(answer.cloned()),
        }
    }

    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        Ok(self.kept().answers.contains_key(key))
    }

    fn note_ticket(&self, ticket: &OpenTicket) -> Result<(), Failure> {
        let mut kept = self.kept();
        kept.tickets.insert(ticket.ticket.to_string());
        kept.open.insert(ticket.ticket.clone(), ticket.clone());
        Ok(())
    }

    fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure> {
        let mut kept = self.kept();
        let all = kept.answers.len() + answers.len();
        if self.room.is_some_and(|room| all > room) {
            return Err(Failure::new(Class::Disk, "the disk is full"));
        }
        kept.commits += 1;
        for noted in answers {
            if let Some(ticket) = &noted.ticket {
                kept.open.remove(ticket);
            }
            let old = kept.answers.insert(noted.key, noted.answer.clone());
            if old.is_some() {
                kept.twice.push(noted.key);
            }
        }
        Ok(())
    }

    fn drop_ticket(&self, ticket: &Ticket) -> Result<(), Failure> {
        self.kept().open.remove(ticket);
        Ok(())
    }

    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        let kept = self.kept();
        let keys = kept.answers.keys();
        let keys = keys.filter(|key| key.video == video && key.stage == stage);
        Ok(keys.map(|key| key.extent).collect())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(self.kept().open.values().cloned().collect())
    }
}
