//! The vocabulary of a Whisper model: tokens, and the bytes that they stand for.
//!
//! Read from `tokenizer.json` as the library `tokenizers` writes it: a byte-level vocabulary, where
//! every byte is written as a printable character, and added tokens such as `<|en|>`. Text is only
//! ever made from tokens here, so the merges are not read. Knows nothing of what is decoded.

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;

/// More tokens than any Whisper has: 51,866.
const MOST: usize = 1 << 18;

/// Tokens by number and special ones by name.
#[derive(Debug, Default)]
pub(in crate::backends) struct Vocabulary {
    bytes: Vec<Vec<u8>>,
    special: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Tokenizer {
    model: Model,
    #[serde(default, deserialize_with = "bounded_list")]
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Model {
    #[serde(deserialize_with = "bounded")]
    vocab: HashMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Added {
    id: u32,
    content: String,
}

// A table is refused at the first entry that is too many, and not when all have been kept.
fn bounded<'de, D: Deserializer<'de>>(from: D) -> Result<HashMap<String, u32>, D::Error> {
    struct Tokens;

    impl<'de> Visitor<'de> for Tokens {
        type Value = HashMap<String, u32>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut tokens = HashMap::new();
            while let Some((token, id)) = entries.next_entry()? {
                tokens.insert(token, id);
                if tokens.len() > MOST {
                    return Err(too_many());
                }
            }
            Ok(tokens)
        }
    }

    from.deserialize_map(Tokens)
}

fn bounded_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Added>, D::Error> {
    struct Tokens;

    impl<'de> Visitor<'de> for Tokens {
        type Value = Vec<Added>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            let mut tokens = Vec::new();
            while let Some(token) = elements.next_element()? {
                tokens.push(token);
                if tokens.len() > MOST {
                    return Err(too_many());
                }
            }
            Ok(tokens)
        }
    }

    from.deserialize_seq(Tokens)
}

fn too_many<E: Error>() -> E {
    E::custom(format!("it has more than {MOST} tokens"))
}

impl Vocabulary {
    /// Reads the content of a `tokenizer.json`; else says what is wrong with it, in words that
    /// follow the file's name.
    pub(in crate::backends) fn read(json: &[u8]) -> Result<Self, String> {
        let tokenizer: Tokenizer =
            serde_json::from_slice(json).map_err(|cause| format!("cannot be read: {cause}"))?;
        let byte = bytes();
        let mut vocabulary = Self::default();
        for (token, id) in &tokenizer.model.vocab {
            // A character that is not in the table stands for itself, as in added tokens.
            let mut spelled = Vec::with_capacity(token.len());
            for c in token.chars() {
                match byte.get(&c) {
                    Some(&byte) => spelled.push(byte),
                    None => spelled.extend(c.to_string().bytes()),
                }
            }
            *vocabulary.place(*id)? = spelled;
        }
        for added in tokenizer.added_tokens {
            // Special tokens have no text.
            vocabulary.place(added.id)?.clear();
            vocabulary.special.insert(added.content, added.id);
        }
        Ok(vocabulary)
    }

    fn place(&mut self, id: u32) -> Result<&mut Vec<u8>, String> {
        let at = id as usize;
        if at >= MOST {
            return Err(format!("has a token with the number {id}"));
        }
        if self.bytes.len() <= at {
            self.bytes.resize_with(at + 1, Vec::new);
        }
        Ok(&mut self.bytes[at])
    }

    /// The number of a special token, such as `<|en|>`.
    pub(in crate::backends) fn special(&self, name: &str) -> Option<u32> {
        self.special.get(name).copied()
    }

    /// All special tokens with their numbers.
    pub(in crate::backends) fn specials(&self) -> impl Iterator<Item = (&str, u32)> {
        self.special.iter().map(|(name, &id)| (name.as_str(), id))
    }

    /// The text of tokens. Special ones have none; bytes that are no UTF-8 become U+FFFD.
    pub(in crate::backends) fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .filter_map(|&token| self.bytes.get(token as usize))
            .flatten()
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The byte that each character stands for: printable ones for themselves, the others for those
/// from U+0100 on.
fn bytes() -> HashMap<char, u8> {
    let mut spare = 0x100..;
    (0..=u8::MAX)
        .filter_map(|byte| {
            let stands = match byte {
                b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
                _ => spare.next().and_then(char::from_u32)?,
            };
            Some((stands, byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::MOST;
    use super::Vocabulary;
    use proptest::prelude::any;
    use proptest::prelude::proptest;

    fn read(vocab: &str, added: &str) -> Result<Vocabulary, String> {
        Vocabulary::read(
            format!(r#"{{"model": {{"vocab": {vocab}}}, "added_tokens": {added}}}"#).as_bytes(),
        )
    }

    #[test]
    fn text_is_made_of_bytes_and_special_tokens_have_none() {
        let vocabulary = read(
            r#"{"a": 0, "Ġthe": 1, "ãģ": 2, "ĵ": 3, "Ċ": 4}"#,
            r#"[{"id": 5, "content": "<|en|>", "special": true}]"#,
        )
        .unwrap();
        assert_eq!(vocabulary.special("<|en|>"), Some(5));
        assert_eq!(vocabulary.special("<|de|>"), None);
        assert_eq!(vocabulary.text(&[5, 0, 1, 4, 99]), "a the\n");
        assert_eq!(vocabulary.text(&[2, 3]), "\u{3053}");
        assert_eq!(vocabulary.text(&[0, 2]), "a\u{fffd}");
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        let far = read(r#"{"a": 4000000000}"#, "[]").unwrap_err();
        assert_eq!(far, "has a token with the number 4000000000");
        let many: Vec<String> = (0..=MOST).map(|id| format!(r#""{id}": {id}"#)).collect();
        let many = read(&format!("{{{}, here it ends", many.join(", ")), "[]").unwrap_err();
        let told = "cannot be read: it has more than 262144 tokens";
        assert!(many.starts_with(told), "{many}");
        let added = vec![r#"{"id": 1, "content": ""}"#; MOST + 1].join(", ");
        let added = read("{}", &format!("[{added}, here it ends")).unwrap_err();
        assert!(added.starts_with(told), "{added}");
        let deep = read(&format!("{{\"a\": {}", "[".repeat(1 << 20)), "[]").unwrap_err();
        assert!(deep.starts_with("cannot be read: "), "{deep}");
        for json in ["", "[]", "{}", r#"{"model": {"vocab": {"a": -1}}}"#] {
            let wrong = Vocabulary::read(json.as_bytes()).unwrap_err();
            assert!(wrong.starts_with("cannot be read: "), "{json}: {wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = Vocabulary::read(&bytes);
        }
    }
}
