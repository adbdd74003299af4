//! A run that is recorded: its answers are kept where they always are, and noted here is which of
//! them it has used, be they new or of an earlier run.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::StageDigest;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::failure::Failure;
use crate::name::Ticket;
use crate::name::VideoId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Answers, and which of them were used.
pub struct Recording {
    answers: Arc<dyn Answers>,
    used: Mutex<BTreeSet<ItemKey>>,
}

impl Recording {
    /// Notes which of `answers` are used.
    pub fn new(answers: Arc<dyn Answers>) -> Self {
        Self {
            answers,
            used: Mutex::default(),
        }
    }

    /// The answers of a stage about a video that were used, in order.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub(super) fn used(
        &self,
        video: VideoId,
        stage: StageDigest,
    ) -> Result<Vec<(Extent, Answer)>, Failure> {
        let keys: Vec<ItemKey> = {
            let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let first = ItemKey {
                video,
                stage,
                extent: Extent::Whole,
            };
            let of_stage = used
                .range(first..)
                .take_while(|key| (key.video, key.stage) == (video, stage));
            of_stage.copied().collect()
        };
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let answer = self.answers.look_up(&key)?;
            found.extend(answer.map(|answer| (key.extent, answer)));
        }
        Ok(found)
    }

    fn use_of(&self, keys: impl Iterator<Item = ItemKey>) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.extend(keys);
    }
}

impl Answers for Recording {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        let answer = self.answers.look_up(key)?;
        self.use_of(answer.iter().map(|_| *key));
        Ok(answer)
    }

    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        self.answers.has(key)
    }

    fn note_ticket(&self, ticket: &OpenTicket) -> Result<(), Failure> {
        self.answers.note_ticket(ticket)
    }

    fn note_tickets(&self, tickets: &[OpenTicket]) -> Result<(), Failure> {
        self.answers.note_tickets(tickets)
    }

    fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure> {
        self.answers.note_answers(answers)?;
        self.use_of(answers.iter().map(|noted| noted.key));
        Ok(())
    }

    fn drop_ticket(&self, ticket: &Ticket) -> Result<(), Failure> {
        self.answers.drop_ticket(ticket)
    }

    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        self.answers.extents(video, stage)
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        self.answers.open_tickets()
    }
}
