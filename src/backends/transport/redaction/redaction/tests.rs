//! A key in every spelling that is known, and what is no key.

use super::IN_PLACE;
use super::Redaction;
use crate::backends::transport::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

const KEY: &str = "sk-Test/Key+42&x=Zz";

/// The key in one spelling, as Python writes it.
#[derive(Deserialize)]
struct Spelled {
    spelling: String,
    text: String,
}

fn redaction(key: &str) -> Redaction {
    Redaction::of([&Secret::new(key)])
}

fn spellings() -> Vec<Spelled> {
    serde_json::from_str(include_str!("spellings.json")).unwrap()
}

#[test]
fn a_key_is_taken_out_in_every_spelling() {
    let redaction = redaction(KEY);
    for Spelled { spelling, text } in spellings() {
        let told = redaction.text(&text);
        assert_eq!(told.matches(IN_PLACE).count(), 1, "{spelling}: {told}");
        // What is left belongs to what stood around it.
        let excess = told.len().saturating_sub(IN_PLACE.len());
        assert!(
            excess < 130 && !redaction.is_in(&told),
            "{spelling}: {told}"
        );
        let told = redaction.excerpt(&format!("who is {text}?"));
        assert!(
            told.starts_with("who is ") && told.contains(IN_PLACE),
            "{spelling}: {told}"
        );
    }
}

#[test]
fn what_is_no_key_stays_as_it_is() {
    let redaction = redaction(KEY);
    for text in [
        "",
        "this is a test, 100% of it & more \\ than \"that\" &amp; %20 \\u0041",
        "sk-Test/Key+42&x=Z",
        "c2stVGVzdC9LZXkr",
        "73 6b 2d 54 65 73 74",
        "\u{65e5}\u{672c}\u{8a9e} \u{200b}\u{ad} \u{1f600}",
        "\\",
        "%",
        "&#x;",
        "\\u12",
        "\\u{",
        "%u",
        "&#99999999999;",
    ] {
        assert_eq!(redaction.text(text), text);
        assert!(!redaction.is_in(text), "{text}");
    }
}

#[test]
fn a_short_key_is_taken_out_of_nothing() {
    assert!(redaction("test").is_empty() && redaction("seven77").is_empty());
    assert_eq!(redaction("seven77").text("seven77"), "seven77");
    assert_eq!(redaction("eight888").text("eight888"), IN_PLACE);
}

#[test]
fn a_value_is_taken_out_under_its_name_and_a_word_stays() {
    let values = ["tok/4f9a8b7c", "warehouse-4"].map(Secret::new);
    let redaction = redaction(KEY).and_values(["SITE", "PLACE"].into_iter().zip(&values));
    assert_eq!(
        redaction.text(&format!("{KEY}, TOK/4F9A8B7C at warehouse-4")),
        "(the key), (the value of SITE) at warehouse-4"
    );
    let mut value = json!({ "a": ["tok%2F4f9a8b7c", { "tok/4f9a8b7c": 1 }] });
    redaction.value(&mut value);
    assert_eq!(
        value,
        json!({ "a": ["(the value of SITE)", "(the value of SITE)"] })
    );
}

#[test]
fn a_key_of_letters_alone_is_not_two_words() {
    let words = redaction("sunshine");
    assert_eq!(
        words.text("sun shine, sun\nshine, SUNSHINE"),
        "sun shine, (the key), (the key)"
    );
    let mut texts = ["sun".to_owned(), "shine".to_owned()];
    words.texts(&mut texts);
    assert_eq!(texts, ["sun", "shine"]);
}

#[test]
fn a_key_that_looks_like_an_escape_is_one_all_the_same() {
    for key in [
        "ab%41cd%42ef",
        "ab\\u0041cdefg",
        "ab&amp;cd&lt;ef",
        "%%%%%%%%",
        "\\\\\\\\\\\\\\\\",
    ] {
        let spelled = key.bytes().map(|byte| format!("\\u{byte:04x}"));
        let spelled: String = spelled.collect();
        for text in [key.to_owned(), json!(key).to_string(), spelled] {
            let told = redaction(key).text(&text);
            assert!(
                told.contains(IN_PLACE) && !told.contains(key),
                "{key}: {told}"
            );
        }
    }
}

#[test]
fn a_key_is_found_in_texts_that_belong_together() {
    let redaction = redaction(KEY);
    let mut words = ["who ", "is sk-Test", "/Key", " +42&x=Zz here", "?"].map(str::to_owned);
    redaction.texts(&mut words);
    assert_eq!(words, ["who ", "is (the key)", "", " here", "?"]);
}

#[test]
fn a_value_holds_no_key_in_any_place() {
    let redaction = redaction(KEY);
    let numbers: Vec<u8> = KEY.bytes().collect();
    for (value, expected) in [
        (
            json!({ "a": [KEY, 1.5], "b": "c" }),
            json!({ "a": ["(the key)", 1.5], "b": "c" }),
        ),
        (
            json!({ "a": { KEY: 1 }, "b": 2 }),
            json!({ "a": "(the key)", "b": 2 }),
        ),
        (
            json!([{ "data": numbers }, 1, 2]),
            json!([{ "data": "(the key)" }, 1, 2]),
        ),
        (json!(["sk-Test/Key", "+42&x=Zz"]), json!(["(the key)", ""])),
        (json!(null), json!(null)),
    ] {
        let mut redacted = value.clone();
        redaction.value(&mut redacted);
        assert_eq!(redacted, expected);
    }
    let digits = self::redaction("1234567890");
    let mut value = json!({ "id": 1_234_567_890, "other": 12_345 });
    digits.value(&mut value);
    assert_eq!(value, json!({ "id": "(the key)", "other": 12_345 }));
}

#[test]
fn an_excerpt_never_ends_within_a_key() {
    let redaction = redaction(KEY);
    let part = KEY.get(..8).unwrap();
    let near = (150..200).step_by(7);
    for before in near.chain([0, 16_000, 16_384, 16_500, 17_000, 300_000]) {
        for filled in ["x", " "] {
            let text = format!("{}{KEY} and more", filled.repeat(before));
            let told = redaction.excerpt(&text);
            assert!(!told.contains(part), "{before} {filled}: {told}");
        }
    }
    let many = vec![KEY; 2_000].join(" ");
    assert!(!redaction.excerpt(&many).contains(part));
}

#[test]
fn a_key_in_a_long_text_is_found_wherever_it_stands() {
    let redaction = redaction(KEY);
    // What is looked through at once ends before, in and behind the key.
    for before in [0, 65_500, 65_520, 65_536, 65_550] {
        for filled in ["x", "\u{e9}"] {
            let text = format!("{}{KEY}{}", filled.repeat(before), filled.repeat(1_000));
            assert_eq!(
                redaction.text(&text),
                text.replace(KEY, IN_PLACE),
                "{before}"
            );
        }
    }
}

// What would take hours if each letter of the text were compared with each of the key.
#[test]
fn the_time_is_linear_in_the_text() {
    let key = "a".repeat(1_000) + "1";
    let redaction = redaction(&key);
    for part in ["a", "\\", "%", "&", "&#", "\\u", "61", "YWFh", "97,", " "] {
        let text = part.repeat((100 << 10) / part.len());
        assert!(!redaction.is_in(&text));
    }
}

#[test]
fn a_value_of_many_parts_stays_what_it_is() {
    let redaction = redaction(KEY);
    let objects: Vec<Value> = (0..1000)
        .map(|id| json!({ "id": id, "name": "person" }))
        .collect();
    let mut value = json!({ "objects": objects });
    let before = value.clone();
    redaction.value(&mut value);
    assert_eq!(value, before);
}
