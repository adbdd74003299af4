//! Any answer is read as what was asked for, or refused with a reason.

use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::mapping::Sizes;
use crate::backends::remote::mapping::help;
use crate::backends::remote::speech::SentSound;
use crate::backends::remote::speech::text_of;
use crate::backends::remote::tests::mutations;
use crate::backends::transport::json;
use crate::item::Size;
use crate::recipe::AnswerShape;
use crate::recipe::MappingSpec;
use crate::recipe::RecordSpec;
use crate::recipe::TranscriptSpec;

const SENT: SentSound = SentSound {
    seconds: 3.73,
    translate: false,
};

fn mapping(answer: AnswerShape) -> Mapping {
    Mapping::new(&MappingSpec {
        answer,
        ..MappingSpec::default()
    })
}

#[test]
fn any_answer_about_frames_is_read_or_refused() {
    let usual = Mapping::new(&MappingSpec::default());
    let record = mapping(AnswerShape::Record(RecordSpec {
        images: "[output]".to_owned(),
        fields: [
            ("all", "output"),
            ("text", "output.choices[0].message.content"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .to_vec(),
    }));
    let size = Sizes::unscaled(Size {
        width: 64,
        height: 48,
    });
    mutations::each(mutations::of_frames(), |reply| {
        let Ok(output) = json::parse(&reply.body) else {
            return;
        };
        for (mapping, sent) in [(&usual, 1), (&usual, 2), (&record, 1)] {
            match mapping.found(&output, &vec![size; sent]) {
                Ok(found) => mutations::check_found(&found, sent),
                Err(failure) => assert!(!failure.message.is_empty()),
            }
        }
        help(&usual, &output, &[size], &reply.redaction);
    });
}

#[test]
fn any_answer_about_sound_is_read_or_refused() {
    let usual = mapping(AnswerShape::Transcript(TranscriptSpec::default()));
    let own = mapping(AnswerShape::Transcript(TranscriptSpec {
        segments: Some("output.segments".to_owned()),
        ..TranscriptSpec::default()
    }));
    mutations::each(mutations::of_sound(), |reply| {
        let output = json::parse(&reply.body).ok();
        let Some(output) = output.or_else(|| text_of(&reply.body)) else {
            return;
        };
        for translate in [false, true] {
            let sent = SentSound { translate, ..SENT };
            for mapping in [&usual, &own] {
                if let Ok(heard) = mapping.recognition(&output, &sent) {
                    mutations::check_recognition(&heard, sent.seconds);
                }
            }
        }
    });
}
