//! Answers in memory, for runs that follow each other. They are kept by the content of a video, as
//! those of the journal are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use vpipe::answer::Answer;
use vpipe::answer::Extent;
use vpipe::answer::ItemKey;
use vpipe::answer::OpenTicket;
use vpipe::answer::StageDigest;
use vpipe::engine::Answers;
use vpipe::engine::NotedAnswer;
use vpipe::failure::Failure;
use vpipe::name::Ticket;
use vpipe::name::VideoId;

type Key = (String, StageDigest, Extent);

/// What outlasts a run.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<Key, Answer>>>);

impl Memory {
    /// The same, for a run over videos with these digests, in their order.
    pub(crate) fn for_videos(&self, digests: &[String]) -> Arc<dyn Answers> {
        Arc::new(MemoryOfRun {
            memory: self.clone(),
            videos: digests.to_vec(),
        })
    }

    /// Keeps only those of which `holds`, which gets the number of each.
    pub(crate) fn keep(&self, holds: impl Fn(usize, &Extent, &Answer) -> bool) {
        let mut number = 0;
        self.0.lock().unwrap().retain(|(_, _, extent), answer| {
            number += 1;
            holds(number - 1, extent, answer)
        });
    }

    pub(crate) fn all(&self) -> Vec<Answer> {
        self.0.lock().unwrap().values().cloned().collect()
    }
}

struct MemoryOfRun {
    memory: Memory,
    videos: Vec<String>,
}

impl MemoryOfRun {
    fn key(&self, key: &ItemKey) -> Key {
        let VideoId(number) = key.video;
        (self.videos[number as usize].clone(), key.stage, key.extent)
    }
}

impl Answers for MemoryOfRun {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        let answers = self.memory.0.lock().unwrap();
        Ok(answers.get(&self.key(key)).cloned())
    }

    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        let answers = self.memory.0.lock().unwrap();
        Ok(answers.contains_key(&self.key(key)))
    }

    fn note_ticket(&self, _: &OpenTicket) -> Result<(), Failure> {
        Ok(())
    }

    fn note_answers(&self, noted: &[NotedAnswer]) -> Result<(), Failure> {
        let mut answers = self.memory.0.lock().unwrap();
        for noted in noted {
            answers.insert(self.key(&noted.key), noted.answer.clone());
        }
        Ok(())
    }

    fn drop_ticket(&self, _: &Ticket) -> Result<(), Failure> {
        Ok(())
    }

    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        let VideoId(number) = video;
        let digest = &self.videos[number as usize];
        let answers = self.memory.0.lock().unwrap();
        let keys = answers.keys();
        let keys = keys.filter(|(of, by, _)| of == digest && *by == stage);
        Ok(keys.map(|(.., extent)| *extent).collect())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(Vec::new())
    }
}
