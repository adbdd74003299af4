//! The languages that Whisper knows, by code and by name.
//!
//! From the table of its tokenizer; some servers answer with the one, some with the other.

/// The code of a language that is told by its code or its English name, with or without a script
/// or a country: `zh-CN` and `Chinese` are `zh`.
pub fn language_code(told: &str) -> Option<String> {
    let told = told.trim().to_lowercase();
    let main = told.split(['-', '_']).next().unwrap_or_default();
    let known = |told: &str| {
        let named = LANGUAGES.iter().chain(&OTHER_NAMES);
        let mut named = named.filter(|(code, name)| told == *code || told == *name);
        named.next().map(|(code, _)| (*code).to_owned())
    };
    // One of tomorrow.
    let is_code = main.len() == 2 && main.bytes().all(|byte| byte.is_ascii_lowercase());
    known(&told)
        .or_else(|| known(main))
        .or_else(|| is_code.then(|| main.to_owned()))
}

/// The English name of the language with this code, in small letters as Whisper has it.
pub fn english_name(code: &str) -> Option<&'static str> {
    let known = LANGUAGES.iter().find(|(known, _)| *known == code)?;
    Some(known.1)
}

// Whisper's other names for some of them.
const OTHER_NAMES: [(&str, &str); 11] = [
    ("my", "burmese"),
    ("ca", "valencian"),
    ("nl", "flemish"),
    ("ht", "haitian"),
    ("lb", "letzeburgesch"),
    ("ps", "pushto"),
    ("pa", "panjabi"),
    ("ro", "moldavian"),
    ("si", "sinhalese"),
    ("es", "castilian"),
    ("zh", "mandarin"),
];

const LANGUAGES: [(&str, &str); 100] = [
    ("en", "english"),
    ("zh", "chinese"),
    ("de", "german"),
    ("es", "spanish"),
    ("ru", "russian"),
    ("ko", "korean"),
    ("fr", "french"),
    ("ja", "japanese"),
    ("pt", "portuguese"),
    ("tr", "turkish"),
    ("pl", "polish"),
    ("ca", "catalan"),
    ("nl", "dutch"),
    ("ar", "arabic"),
    ("sv", "swedish"),
    ("it", "italian"),
    ("id", "indonesian"),
    ("hi", "hindi"),
    ("fi", "finnish"),
    ("vi", "vietnamese"),
    ("he", "hebrew"),
    ("uk", "ukrainian"),
    ("el", "greek"),
    ("ms", "malay"),
    ("cs", "czech"),
    ("ro", "romanian"),
    ("da", "danish"),
    ("hu", "hungarian"),
    ("ta", "tamil"),
    ("no", "norwegian"),
    ("th", "thai"),
    ("ur", "urdu"),
    ("hr", "croatian"),
    ("bg", "bulgarian"),
    ("lt", "lithuanian"),
    ("la", "latin"),
    ("mi", "maori"),
    ("ml", "malayalam"),
    ("cy", "welsh"),
    ("sk", "slovak"),
    ("te", "telugu"),
    ("fa", "persian"),
    ("lv", "latvian"),
    ("bn", "bengali"),
    ("sr", "serbian"),
    ("az", "azerbaijani"),
    ("sl", "slovenian"),
    ("kn", "kannada"),
    ("et", "estonian"),
    ("mk", "macedonian"),
    ("br", "breton"),
    ("eu", "basque"),
    ("is", "icelandic"),
    ("hy", "armenian"),
    ("ne", "nepali"),
    ("mn", "mongolian"),
    ("bs", "bosnian"),
    ("kk", "kazakh"),
    ("sq", "albanian"),
    ("sw", "swahili"),
    ("gl", "galician"),
    ("mr", "marathi"),
    ("pa", "punjabi"),
    ("si", "sinhala"),
    ("km", "khmer"),
    ("sn", "shona"),
    ("yo", "yoruba"),
    ("so", "somali"),
    ("af", "afrikaans"),
    ("oc", "occitan"),
    ("ka", "georgian"),
    ("be", "belarusian"),
    ("tg", "tajik"),
    ("sd", "sindhi"),
    ("gu", "gujarati"),
    ("am", "amharic"),
    ("yi", "yiddish"),
    ("lo", "lao"),
    ("uz", "uzbek"),
    ("fo", "faroese"),
    ("ht", "haitian creole"),
    ("ps", "pashto"),
    ("tk", "turkmen"),
    ("nn", "nynorsk"),
    ("mt", "maltese"),
    ("sa", "sanskrit"),
    ("lb", "luxembourgish"),
    ("my", "myanmar"),
    ("bo", "tibetan"),
    ("tl", "tagalog"),
    ("mg", "malagasy"),
    ("as", "assamese"),
    ("tt", "tatar"),
    ("haw", "hawaiian"),
    ("ln", "lingala"),
    ("ha", "hausa"),
    ("ba", "bashkir"),
    ("jw", "javanese"),
    ("su", "sundanese"),
    ("yue", "cantonese"),
];

#[cfg(test)]
mod tests {
    use super::language_code;

    #[test]
    fn names_and_codes_are_the_same() {
        for (told, wanted) in [
            ("English", "en"),
            ("de", "de"),
            ("haitian creole", "ht"),
            ("YUE", "yue"),
            ("xx", "xx"),
            ("zh-CN", "zh"),
            ("pt_BR", "pt"),
            ("zh-Hant-TW", "zh"),
            ("Mandarin", "zh"),
            ("yue-HK", "yue"),
        ] {
            assert_eq!(language_code(told).as_deref(), Some(wanted));
        }
        for none in ["klingon", "", "-", "1x", "auto"] {
            assert_eq!(language_code(none), None);
        }
    }
}
