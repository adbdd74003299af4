//! Answers that are kept: what a step asks before it asks a backend.
//!
//! Behind it is the journal, a cassette, or nothing. Steps look up; the conductor alone notes.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::StageDigest;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::Ticket;
use crate::name::VideoId;

/// Where answers are kept.
pub trait Answers: Send + Sync {
    /// The answer that is kept under `key`; `None` where a backend is to be asked.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or nobody may be asked and there is none.
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure>;

    /// Whether an answer is kept under `key`.
    ///
    /// # Errors
    ///
    /// Where that cannot be read.
    fn has(&self, key: &ItemKey) -> Result<bool, Failure>;

    /// Keeps work that a server has accepted. Outlasts a loss of power once it returns.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept.
    fn note_ticket(&self, ticket: &OpenTicket) -> Result<(), Failure>;

    /// The same for several that were accepted at once.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be kept.
    fn note_tickets(&self, tickets: &[OpenTicket]) -> Result<(), Failure> {
        tickets.iter().try_for_each(|it| self.note_ticket(it))
    }

    /// Keeps answers, all or none; a ticket that they came under is open no more. Outlasts the
    /// process once it returns.
    ///
    /// # Errors
    ///
    /// Where they cannot be kept.
    fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure>;

    /// Forgets work that will have no answer.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    fn drop_ticket(&self, ticket: &Ticket) -> Result<(), Failure>;

    /// What of `video` the answers of `stage` are about, in order.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure>;

    /// The work on the videos of this run that a server accepted in an earlier one and that has
    /// no answer yet.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure>;

    /// The first video of this run that has the content of `video`, and so its answers.
    fn original(&self, video: VideoId) -> VideoId {
        video
    }
}

/// An answer that has just come.
#[derive(Clone, Debug, PartialEq)]
pub struct NotedAnswer {
    /// What it is kept under.
    pub key: ItemKey,
    /// The answer.
    pub answer: Answer,
    /// Where it came from, such as a host and what it calls its model; `None` where the stage's
    /// digest says it.
    pub origin: Option<String>,
    /// The ticket that it came under.
    pub ticket: Option<Ticket>,
}

impl NotedAnswer {
    /// The answer that `item` carries out of the stage with this digest, and where it came from;
    /// `None` where it carries none.
    pub(super) fn of(
        item: &Item,
        stage: StageDigest,
        origin: Option<&str>,
        ticket: Option<&Ticket>,
    ) -> Option<Self> {
        let (extent, answer) = Answer::of(item)?;
        let stage = match &answer {
            Answer::File(file) => stage.of_file(&file.path),
            _ => stage,
        };
        Some(Self {
            key: ItemKey {
                video: item.video(),
                stage,
                extent,
            },
            answer,
            origin: origin.map(str::to_owned),
            ticket: ticket.cloned(),
        })
    }
}

/// Keeps nothing and knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unkept;

impl Answers for Unkept {
    fn look_up(&self, _: &ItemKey) -> Result<Option<Answer>, Failure> {
        Ok(None)
    }

    fn has(&self, _: &ItemKey) -> Result<bool, Failure> {
        Ok(false)
    }

    fn note_ticket(&self, _: &OpenTicket) -> Result<(), Failure> {
        Ok(())
    }

    fn note_answers(&self, _: &[NotedAnswer]) -> Result<(), Failure> {
        Ok(())
    }

    fn drop_ticket(&self, _: &Ticket) -> Result<(), Failure> {
        Ok(())
    }

    fn extents(&self, _: VideoId, _: StageDigest) -> Result<Vec<Extent>, Failure> {
        Ok(Vec::new())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(Vec::new())
    }
}
