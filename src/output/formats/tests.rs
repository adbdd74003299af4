//! Captions whose text and times were worked out by hand, and what holds for all of them.

use super::caption::Caption;
use super::caption::CaptionLayout;
use super::captions::captions;
use super::srt;
use super::tsv;
use super::txt;
use super::vtt;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::WordEntry;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::proptest;
use unicode_width::UnicodeWidthStr;

fn segment(start: f64, end: f64, text: &str) -> SegmentEntry {
    SegmentEntry {
        id: 0,
        start,
        end,
        text: text.to_owned(),
        avg_logprob: None,
        no_speech_prob: None,
        words: Vec::new(),
    }
}

fn with_words(segment: SegmentEntry, words: &[(f64, f64, &str)]) -> SegmentEntry {
    let word = |(start, end, word): &(f64, f64, &str)| WordEntry {
        word: (*word).to_owned(),
        start: *start,
        end: *end,
        probability: None,
    };
    SegmentEntry {
        words: words.iter().map(word).collect(),
        ..segment
    }
}

const NARROW: CaptionLayout = CaptionLayout {
    line_width: 20,
    line_count: 2,
};
const USUAL: CaptionLayout = CaptionLayout {
    line_width: 42,
    line_count: 2,
};

fn written(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

// Each caption as its times and lines.
fn shown(segments: &[SegmentEntry], layout: CaptionLayout) -> Vec<String> {
    let show = |caption: &Caption| {
        let (start, end) = (caption.start, caption.end);
        format!("{start} {end} {}", caption.lines.join(" / "))
    };
    captions(segments, 1e6, layout).iter().map(show).collect()
}

#[test]
fn formats_write_what_players_read() {
    // 43 letters in 6.2 s, 25 of them on the first caption: 6.2 s * 25 / 43 = 3.605 s.
    let text = "The quick brown fox jumps over the lazy dog & <runs> --> away";
    let segments = [segment(0.0, 6.2, text), segment(3725.5, 3726.5, "Yes.")];
    let captions = captions(&segments, 4000.0, NARROW);
    let mut out = Vec::new();
    srt::write(&mut out, &captions).unwrap();
    insta::assert_snapshot!(written(out), @r"
    1
    00:00:00,000 --> 00:00:03,605
    The quick brown
    fox jumps over

    2
    00:00:03,605 --> 00:00:06,200
    the lazy dog &
    <runs> -> away

    3
    01:02:05,500 --> 01:02:06,500
    Yes.
    ");
    let mut out = Vec::new();
    vtt::write(&mut out, &captions).unwrap();
    insta::assert_snapshot!(written(out), @r"
    WEBVTT

    00:00:00.000 --> 00:00:03.605
    The quick brown
    fox jumps over

    00:00:03.605 --> 00:00:06.200
    the lazy dog &amp;
    &lt;runs&gt; --&gt; away

    01:02:05.500 --> 01:02:06.500
    Yes.
    ");
    let mut out = Vec::new();
    tsv::write(&mut out, &segments).unwrap();
    let table = format!("start\tend\ttext\n0\t6200\t{text}\n3725500\t3726500\tYes.\n");
    assert_eq!(written(out), table);
    let mut out = Vec::new();
    txt::write(&mut out, &segments).unwrap();
    assert_eq!(written(out), format!("{text}\nYes.\n"));
}

#[test]
fn captions_go_by_the_times_of_words() {
    let text = "Extraordinarily complicated simplifications.";
    let words = [
        (1.2, 1.7, "extraordinarily"),
        (2.0, 2.5, "complicated"),
        (7.0, 7.9, "simplifications"),
    ];
    assert_eq!(
        shown(&[with_words(segment(1.0, 9.0, text), &words)], NARROW),
        [
            "1200 2500 Extraordinarily / complicated",
            "7000 7900 simplifications."
        ]
    );
    // Words that lie elsewhere are not believed.
    let words = words.map(|(start, end, word)| (start + 90.0, end + 90.0, word));
    assert_eq!(
        shown(&[with_words(segment(0.0, 2.1, text), &words)], USUAL),
        ["0 2100 Extraordinarily complicated / simplifications."]
    );
}

#[test]
fn captions_end_where_sentences_do() {
    let text = "The red circle, which is large, moves left; the blue square doesn't. It moves up.";
    // 61 letters in 6.1 s, 52 of them before the last sentence.
    assert_eq!(
        shown(&[segment(0.0, 6.1, text)], USUAL),
        [
            "0 5200 The red circle, which is large, / moves left; the blue square doesn't.",
            "5200 6100 It moves up.",
        ]
    );
    // 62 letters; an abbreviation and an initial end no sentence, and 0.7 s are too short.
    let text =
        "It stops. Dr. J. Smith said that nobody had seen it move for a hundred years or so.";
    assert_eq!(
        shown(&[segment(0.0, 6.2, text)], USUAL),
        [
            "0 800 It stops.",
            "800 6200 Dr. J. Smith said that nobody had seen / it move for a hundred years or so.",
        ]
    );
}

#[test]
fn scripts_without_spaces_are_broken_by_width_and_gain_none() {
    let text = "红色的圆向左移动，蓝色的方块向上移动。绿色的三角形停在原来的地方。";
    let captions = shown(&[segment(0.0, 3.0, text)], NARROW);
    // 30 letters in 3 s; ten signs are as wide as a line, and a comma goes with what is before it.
    assert_eq!(
        captions,
        [
            "0 1700 红色的圆向左移动， / 蓝色的方块向上移动。",
            "1700 3000 绿色的三角形 / 停在原来的地方。",
        ]
    );
    let split = [segment(0.0, 0.3, "红色"), segment(0.3, 2.0, "的圆")];
    assert_eq!(shown(&split, USUAL), ["0 2000 红色的圆"]);
}

#[test]
fn one_caption_at_a_time() {
    // One within another, two at once, and one that is over before it begins.
    let both = [segment(0.0, 6.0, "One two."), segment(2.0, 4.0, "Three.")];
    assert_eq!(shown(&both, USUAL), ["0 2000 One two.", "2000 4000 Three."]);
    let both = [segment(1.0, 4.0, "One two."), segment(1.0, 4.0, "Four six")];
    assert_eq!(
        shown(&both, USUAL),
        ["1000 2500 One two.", "2500 4000 Four six"]
    );
    let odd = [segment(5.0, 3.0, "Odd."), segment(8.0, 9.0, "Even.")];
    assert_eq!(shown(&odd, USUAL), ["5000 5800 Odd.", "8000 9000 Even."]);
    // Out of order.
    let late = [segment(4.0, 6.0, "Two."), segment(0.0, 2.0, "One.")];
    assert_eq!(shown(&late, USUAL), ["0 2000 One.", "4000 6000 Two."]);
}

#[test]
fn no_caption_is_gone_before_it_can_be_read() {
    let text = "Yes. I am quite sure that the red circle moves to the left, and so is everybody else here.";
    let words: Vec<_> = text.split(' ').collect();
    let at = |index: usize| {
        if index == 0 {
            0.0
        } else {
            0.159 + 0.3 * (index - 1) as f64
        }
    };
    let words: Vec<_> = words
        .iter()
        .enumerate()
        .map(|(i, w)| (at(i), at(i + 1), *w))
        .collect();
    let captions = shown(
        &[with_words(segment(0.0, at(words.len()), text), &words)],
        USUAL,
    );
    assert_eq!(captions[0], "0 800 Yes.", "{captions:?}");
    assert!(captions[1].starts_with("800 "), "{captions:?}");
    // A segment a word, as some servers give them.
    let words = ["The ", "red ", "circle ", "moves ", "left."];
    let segments = (0..).zip(words).map(|(i, word)| {
        let start = 0.2 * f64::from(i);
        segment(start, start + 0.2, word)
    });
    let segments: Vec<_> = segments.collect();
    assert_eq!(
        shown(&segments, USUAL),
        ["0 1000 The red circle moves left."]
    );
}

#[test]
fn long_words_emoji_and_right_to_left() {
    let address = "https://example.org/a/very/long/address/without/any/end";
    let captions = shown(&[segment(0.0, 4.0, address)], NARROW);
    let whole: String = captions
        .iter()
        .flat_map(|it| it.split(' ').skip(2))
        .collect();
    assert_eq!(whole.replace('/', ""), address.replace('/', ""));
    let family = "👨\u{200d}👩\u{200d}👧 👨\u{200d}👩\u{200d}👧 ♪ ♪";
    assert_eq!(
        shown(&[segment(0.0, 4.0, family)], NARROW),
        [format!("0 4000 {family}")]
    );
    let hebrew = "העיגול האדום זז שמאלה, והריבוע הכחול זז למעלה.";
    assert_eq!(
        shown(&[segment(0.0, 4.0, hebrew)], USUAL),
        ["0 4000 העיגול האדום זז שמאלה, / והריבוע הכחול זז למעלה."]
    );
    assert_eq!(shown(&[segment(0.0, 1.0, " \n\t")], USUAL), [""; 0]);
}

fn texts() -> impl Strategy<Value = String> {
    proptest::string::string_regex(
        "([a-z]{1,12}[.,;]? ?|[\u{4e00}-\u{4e20}]{1,9}。?|[א-ת]{2,5} |👍|\u{301}){0,30}",
    )
    .unwrap()
}

proptest! {
    #[test]
    fn every_letter_is_shown_once_and_in_its_place(
        parts in proptest::collection::vec((texts(), 0.0..30.0_f64, -1.0..9.0_f64, any::<bool>()), 0..8),
        line_width in 10..50_usize,
        line_count in 1..4_usize,
    ) {
        let segments: Vec<SegmentEntry> = parts
            .iter()
            .map(|(text, start, length, has_words)| {
                let whole = segment(*start, start + length, text);
                let words: Vec<_> = text.split(' ').filter(|_| *has_words).collect();
                let at = |index: usize| start + length * index as f64 / words.len().max(1) as f64;
                let words: Vec<_> = words.iter().enumerate().map(|(i, w)| (at(i), at(i + 1), *w)).collect();
                with_words(whole, &words)
            })
            .collect();
        let layout = CaptionLayout { line_width, line_count };
        let captions = captions(&segments, 40.0, layout);
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let told: usize = captions.iter().flat_map(|it| &it.lines).map(|line| letters(line)).sum();
        let said: usize = segments.iter().map(|it| letters(&it.text)).sum();
        assert_eq!(told, said);
        for caption in &captions {
            assert!(caption.start < caption.end, "{caption:?}");
            assert!((1..=line_count).contains(&caption.lines.len()), "{caption:?}");
            assert!(caption.lines.iter().all(|line| line.width() <= line_width), "{caption:?}");
        }
        for pair in captions.windows(2) {
            assert!(pair[0].end <= pair[1].start, "{pair:?}");
        }
    }
}
