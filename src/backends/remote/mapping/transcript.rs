//! What was said in one chunk of sound, out of an answer that says it in its own way.
//!
//! Does not know whose answer it is.

use crate::backends::remote::mapping::value::bad;
use crate::backends::remote::mapping::value::list;
use crate::backends::remote::mapping::value::number;
use crate::backends::remote::mapping::value::text;
use crate::backends::remote::speech;
use crate::backends::remote::speech::SentSound;
use crate::failure::Failure;
use crate::recipe::TranscriptSpec;
use crate::speech::Recognition;
use crate::speech::Segment;
use crate::speech::language_code;
use crate::template::Expression;
use crate::template::Expressions;
use crate::template::Names;

// More than anybody says in a chunk.
const MOST_SEGMENTS: usize = 100_000;

/// What reads one answer.
pub(in crate::backends) struct TranscriptReader<'a> {
    start: Expression<'a>,
    end: Expression<'a>,
    text: Expression<'a>,
    language: Expression<'a>,
}

impl<'a> TranscriptReader<'a> {
    pub(in crate::backends) fn new(
        spec: &'a TranscriptSpec,
        expressions: &'a Expressions,
    ) -> Result<Self, Failure> {
        let compile = |text| expressions.compile(text).map_err(bad);
        Ok(Self {
            start: compile(&spec.start)?,
            end: compile(&spec.end)?,
            text: compile(&spec.text)?,
            language: compile(&spec.language)?,
        })
    }

    /// What `segments` lists of an answer.
    pub(in crate::backends) fn recognition(
        &self,
        segments: &Expression<'_>,
        names: &Names,
        sent: &SentSound,
    ) -> Result<Recognition, Failure> {
        let segments = list(segments, names)?;
        if segments.len() > MOST_SEGMENTS {
            return Err(bad(format!("it has {} segments", segments.len())));
        }
        let segments = segments.into_iter().map(|segment| {
            let names = names.clone().with("segment", segment);
            Ok(Segment {
                start: number(&self.start, &names)?,
                end: number(&self.end, &names)?,
                text: text(&self.text, &names)?,
                ..Segment::default()
            })
        });
        let segments = segments.collect::<Result<Vec<_>, Failure>>()?;
        let language = self.language.eval(names).map_err(bad)?.text();
        Ok(Recognition {
            language: language.and_then(|language| language_code(&language)),
            language_probability: None,
            segments: speech::settle(segments, Vec::new(), sent.seconds)?,
        })
    }
}
