//! What a remote backend gives, without the keys of the run: the one door through which answers and
//! failures of servers leave a stage.
//!
//! The stage behind it reads answers as they came.

use crate::backends::transport::redaction::Redaction;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Heard;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Found;
use crate::item::Item;
use crate::name::Ticket;
use crate::speech::Recognition;
use crate::stages::trial::RenderedRequest;
use crate::stages::trial::Trial;
use crate::stages::trial::TrialAnswer;
use bytes::Bytes;
use std::sync::Arc;

/// A stage that asks a remote backend; nothing that it gives holds a key.
#[derive(Debug)]
pub struct Redacted<C> {
    call: C,
    redaction: Redaction,
}

impl<C> Redacted<C> {
    pub(super) fn new(call: C, redaction: &Redaction) -> Arc<Self> {
        Arc::new(Self {
            call,
            redaction: redaction.clone(),
        })
    }

    fn items(&self, answer: Result<Vec<Item>, Failure>) -> Result<Vec<Item>, Failure> {
        if self.redaction.is_empty() {
            return answer;
        }
        let mut items = self.failure(answer)?;
        items.iter_mut().for_each(|item| self.item(item));
        Ok(items)
    }

    fn failure<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        answer.map_err(|failure| self.redaction.failure(failure))
    }

    fn item(&self, item: &mut Item) {
        match item {
            Item::Detections(detections) => self.found(&mut detections.found),
            Item::ChunkTranscript(transcript) => match &mut transcript.recognition {
                Ok(recognition) => self.recognition(recognition),
                Err(failure) => *failure = self.redaction.failure(failure.clone()),
            },
            _ => {}
        }
    }

    fn found(&self, found: &mut Found) {
        match found {
            Found::Objects(objects) => self.class_names(objects),
            Found::Fields(records) => {
                let values = records
                    .iter_mut()
                    .flat_map(|record| record.values.values_mut());
                values.for_each(|value| self.redaction.value(value));
            }
            Found::Error(failure) => *failure = self.redaction.failure(failure.clone()),
            Found::Skipped(why) => *why = self.redaction.text(why),
        }
    }

    fn class_names(&self, objects: &mut [Detection]) {
        let names = objects.iter().map(|object| object.class_name.to_string());
        let mut names: Vec<String> = names.collect();
        self.redaction.texts(&mut names);
        for (object, name) in objects.iter_mut().zip(names) {
            if *object.class_name != *name {
                object.class_name = name.into();
            }
        }
    }

    fn recognition(&self, recognition: &mut Recognition) {
        let segments = &mut recognition.segments;
        let texts = segments.iter_mut().map(|segment| &mut segment.text);
        self.redaction.texts(texts);
        let words = segments.iter_mut().flat_map(|segment| &mut segment.words);
        self.redaction.texts(words.map(|word| &mut word.word));
    }
}

impl<C: Call> Call for Redacted<C> {
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        self.failure(self.call.prepare(item))
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        let submitted = self.call.submit(item, body, exchange);
        Box::pin(async move {
            match self.failure(submitted.await)? {
                Submitted::Answer(items) => self.items(Ok(items)).map(Submitted::Answer),
                ticket @ Submitted::Ticket(_) => Ok(ticket),
            }
        })
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        ticket: &'a Ticket,
        exchange: &'a mut Exchange,
        heard: &'a Heard<'a>,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        let answer = self.call.wait(item, ticket, exchange, heard);
        Box::pin(async move { self.items(answer.await) })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        self.call.cancel(ticket, running)
    }

    fn address(&self) -> String {
        self.call.address()
    }

    fn first_goes_alone(&self) -> bool {
        self.call.first_goes_alone()
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        self.call.split(item)
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        self.call.give_up(item, failure)
    }

    fn advice(&self) -> Option<String> {
        self.call.advice()
    }
}

impl<C: Trial> Trial for Redacted<C> {
    fn rendered(&self, item: &Item) -> Result<RenderedRequest, Failure> {
        self.failure(self.call.rendered(item))
    }

    fn ask<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<TrialAnswer, Failure>> {
        let answer = self.call.ask(item);
        Box::pin(async move {
            let TrialAnswer { mut came, read } = self.failure(answer.await)?;
            self.redaction.value(&mut came);
            let read = self.items(read);
            Ok(TrialAnswer { came, read })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Redacted;
    use crate::backends::transport::redaction::Redaction;
    use crate::backends::transport::secret::Secret;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::item::Item;
    use crate::name::VideoId;
    use crate::speech::AudioSpan;
    use crate::speech::ChunkTranscript;
    use crate::speech::Recognition;
    use crate::speech::Segment;
    use crate::speech::Word;

    fn segment(text: &str, words: &[&str]) -> Segment {
        let word = |word: &&str| Word {
            word: (*word).to_owned(),
            ..Word::default()
        };
        Segment {
            text: text.to_owned(),
            words: words.iter().map(word).collect(),
            ..Segment::default()
        }
    }

    #[test]
    fn a_key_is_said_in_no_segment_and_no_words() {
        let redaction = Redaction::of([&Secret::new("rpa-12345678")]);
        let redacted = Redacted::new((), &redaction);
        let transcript = |recognition| {
            Item::ChunkTranscript(ChunkTranscript {
                stage: "whisper".into(),
                span: AudioSpan {
                    video: VideoId::FIRST,
                    range: 0..1,
                    own: 0..1,
                },
                recognition,
            })
        };
        let heard = Recognition {
            segments: vec![
                segment("it is rpa-", &["it", " is", " rpa", "-"]),
                segment(" 1234 5678, he said", &["1234", " 5678,", " he", " said"]),
            ],
            ..Recognition::default()
        };
        let failed = Failure::new(Class::Worker, "no rpa-12345678").help("or rpa-12345678");
        let items = vec![transcript(Ok(heard)), transcript(Err(failed))];
        let items = redacted.items(Ok(items)).unwrap();
        let [Item::ChunkTranscript(heard), Item::ChunkTranscript(failed)] = &items[..] else {
            panic!("{items:?}");
        };
        let expected = [
            segment("it is (the key)", &["it", " is", " (the key)", ""]),
            segment(", he said", &["", ",", " he", " said"]),
        ];
        assert_eq!(heard.recognition.as_ref().unwrap().segments, expected);
        let failure = failed.recognition.as_ref().unwrap_err();
        assert_eq!(failure.message, "no (the key)");
        assert_eq!(failure.help.as_deref(), Some("or (the key)"));
        let failure = Failure::new(Class::Worker, "no rpa-12345678");
        let told = redacted.items(Err(failure)).unwrap_err();
        assert_eq!(told.message, "no (the key)");
    }
}
