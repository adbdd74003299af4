//! The profile of a Whisper model: what its files say about sound, tokens and networks, checked
//! against each other.
//!
//! Knows nothing of where files lie or of running anything.

use crate::backends::engine::header::Header;
use crate::backends::engine::header::Port;
use crate::backends::models::whisper::mel;
use crate::backends::models::whisper::vocabulary::Vocabulary;
use serde::Deserialize;
use std::collections::BTreeMap;

/// More than any Whisper has, and small enough that nothing made of them is too large.
const MOST_BANDS: usize = 256;
const MOST_FRAMES: usize = 6_000;
const MOST_LAYERS: usize = 64;
const MOST_HEADS: usize = 64;
const MOST_WIDTH: usize = 4_096;
const MOST_POSITIONS: usize = 4_096;
/// The vocabulary of models that know nothing but English, where nothing else says so.
const ENGLISH: usize = 51_864;
/// The last time, in steps of 20 ms, that a window's first segment may begin at.
const LATEST_BEGIN: u32 = 50;

/// What a model hears, what it says and how it is made.
#[derive(Debug)]
pub(in crate::backends) struct SpeechProfile {
    /// Bands of its spectrograms.
    pub(in crate::backends) bands: usize,
    /// Frames of a window; twice the places of the encoder's output.
    pub(in crate::backends) frames: usize,
    /// Numbers a place of the encoder's output.
    pub(in crate::backends) width: usize,
    /// Layers, heads and numbers a head of the decoder.
    pub(in crate::backends) decoder: (usize, usize, usize),
    /// Whether the decoder takes the positions of its tokens.
    pub(in crate::backends) takes_positions: bool,
    /// The most tokens of a window, its prompt among them.
    pub(in crate::backends) positions: usize,
    /// The tokens with a meaning of their own.
    pub(in crate::backends) tokens: SpecialTokens,
    /// Languages by their code; empty for a model that knows English alone.
    pub(in crate::backends) languages: BTreeMap<String, u32>,
    /// Tokens that are never text.
    pub(in crate::backends) suppressed: Vec<u32>,
    /// Tokens that no text begins with.
    pub(in crate::backends) never_first: Vec<u32>,
    /// The last time, in steps of 20 ms, that a window's first segment may begin at.
    pub(in crate::backends) latest_begin: u32,
    /// Whether it has learned single utterances, so that a window is to end at a pause.
    pub(in crate::backends) ends_at_pauses: bool,
}

/// The numbers of the tokens with a meaning of their own.
#[derive(Clone, Copy, Debug)]
pub(in crate::backends) struct SpecialTokens {
    /// The end of the text; every token of text has a smaller number.
    pub(in crate::backends) end: u32,
    /// The beginning of a window's prompt.
    pub(in crate::backends) start: u32,
    /// The beginning of what was said before, which stands before the prompt.
    pub(in crate::backends) previous: Option<u32>,
    /// The task: text in the language that is spoken.
    pub(in crate::backends) transcribe: Option<u32>,
    /// The task: text in English.
    pub(in crate::backends) translate: Option<u32>,
    /// Nobody speaks.
    pub(in crate::backends) no_speech: Option<u32>,
    /// There will be no times.
    pub(in crate::backends) no_times: u32,
    /// Time 0; later ones follow in steps of 20 ms.
    pub(in crate::backends) first_time: u32,
}

/// What is read of `config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "a table")]
pub(in crate::backends) struct ModelConfig {
    max_source_positions: Option<usize>,
    max_target_positions: Option<usize>,
    num_mel_bins: Option<usize>,
    vocab_size: Option<usize>,
    suppress_tokens: Option<Vec<i64>>,
    begin_suppress_tokens: Option<Vec<i64>>,
}

/// What is read of `generation_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "a table")]
pub(in crate::backends) struct GenerationConfig {
    is_multilingual: Option<bool>,
    lang_to_id: BTreeMap<String, u32>,
    no_timestamps_token_id: Option<u32>,
    suppress_tokens: Option<Vec<i64>>,
    begin_suppress_tokens: Option<Vec<i64>>,
    max_initial_timestamp_index: Option<u32>,
    /// A key of our own: the model has learned single utterances.
    single_utterances: bool,
}

/// What is read of `preprocessor_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "a table")]
pub(in crate::backends) struct PreprocessorConfig {
    feature_size: Option<usize>,
    hop_length: Option<usize>,
    n_fft: Option<usize>,
    sampling_rate: Option<usize>,
}

/// The files of a model that say what it is.
pub(in crate::backends) struct ModelFiles<'a> {
    pub(in crate::backends) config: ModelConfig,
    pub(in crate::backends) generation: GenerationConfig,
    pub(in crate::backends) preprocessor: PreprocessorConfig,
    pub(in crate::backends) vocabulary: &'a Vocabulary,
    pub(in crate::backends) encoder: &'a Header,
    pub(in crate::backends) decoder: &'a Header,
}

impl SpeechProfile {
    /// Reads the profile; else says what is wrong, in words that follow the model's name.
    pub(in crate::backends) fn read(files: &ModelFiles<'_>) -> Result<Self, String> {
        let ModelFiles {
            config, generation, ..
        } = files;
        files.preprocessor.check()?;
        let (bands, frames) = files.window()?;
        let tokens = SpecialTokens::read(generation, files.vocabulary)?;
        let (layers, heads, numbers) = decoder(files.decoder)?;
        let asked = |name: &str| files.decoder.inputs.iter().any(|input| input.name == name);
        let of_text = |ids: &Option<Vec<i64>>, other: &Option<Vec<i64>>| -> Vec<u32> {
            let ids = ids.as_ref().or(other.as_ref());
            let ids = ids.map(Vec::as_slice).unwrap_or_default();
            ids.iter().filter_map(|&id| id.try_into().ok()).collect()
        };
        let mut suppressed = of_text(&generation.suppress_tokens, &config.suppress_tokens);
        suppressed.extend(tokens.of_prompts(files.vocabulary));
        let english = config.vocab_size == Some(ENGLISH);
        let languages = match generation.is_multilingual.unwrap_or(!english) {
            true => languages(generation, files.vocabulary, tokens),
            false => BTreeMap::new(),
        };
        Ok(Self {
            bands,
            frames,
            width: within(heads * numbers, MOST_WIDTH, "numbers a place")?,
            decoder: (layers, heads, numbers),
            takes_positions: asked("cache_position"),
            positions: within(
                config.max_target_positions.unwrap_or(448),
                MOST_POSITIONS,
                "places for tokens",
            )?,
            tokens,
            languages,
            suppressed,
            never_first: of_text(
                &generation.begin_suppress_tokens,
                &config.begin_suppress_tokens,
            ),
            latest_begin: generation
                .max_initial_timestamp_index
                .unwrap_or(LATEST_BEGIN),
            ends_at_pauses: generation.single_utterances,
        })
    }

    /// Samples of a window.
    pub(in crate::backends) fn samples(&self) -> usize {
        self.frames * mel::HOP
    }

    /// The most tokens of a text after a prompt of so many.
    pub(in crate::backends) fn longest_text(&self, prompt: usize) -> usize {
        (self.positions / 2).min(self.positions.saturating_sub(prompt))
    }

    /// A prompt that tells the model what was said before; of that, as much of the end as fits.
    pub(in crate::backends) fn prompt_after(&self, previous: &[u32], start: &[u32]) -> Vec<u32> {
        let most = (self.positions / 2).saturating_sub(1);
        let last = previous.len().saturating_sub(most);
        match (self.tokens.previous, previous.get(last..)) {
            (Some(token), Some(previous)) if !previous.is_empty() => {
                [&[token], previous, start].concat()
            }
            _ => start.to_vec(),
        }
    }
}

impl PreprocessorConfig {
    fn check(&self) -> Result<(), String> {
        for (name, value, known) in [
            ("sampling_rate", self.sampling_rate, mel::RATE),
            ("hop_length", self.hop_length, mel::HOP),
            ("n_fft", self.n_fft, mel::WINDOW),
        ] {
            if let Some(value) = value.filter(|&value| value != known) {
                return Err(format!(
                    "wants sound with {name} = {value}; Whisper has {known}"
                ));
            }
        }
        Ok(())
    }
}

impl ModelFiles<'_> {
    /// Bands and frames of a window: what the encoder takes, or else what the files beside it say.
    fn window(&self) -> Result<(usize, usize), String> {
        let input = self.encoder.inputs.first();
        let dims = match (
            self.encoder.inputs.len(),
            input.map(|input| &input.dims[..]),
        ) {
            (1, Some(&[_, bands, frames])) => (bands, frames),
            _ => return Err("has an encoder that does not take one spectrogram".to_owned()),
        };
        let places = self.config.max_source_positions.unwrap_or(1_500);
        let bands = dims.0.or(self.config.num_mel_bins);
        let bands = bands.or(self.preprocessor.feature_size).unwrap_or(80);
        let frames = dims.1.unwrap_or(places.saturating_mul(2));
        Ok((
            within(bands, MOST_BANDS, "mel bands")?,
            within(frames, MOST_FRAMES, "frames")?,
        ))
    }
}

/// Layers, heads and numbers a head of a merged decoder.
fn decoder(header: &Header) -> Result<(usize, usize, usize), String> {
    let input = |name: &str| header.inputs.iter().find(|input| input.name == name);
    if input("use_cache_branch").is_none() {
        return Err(
            "has a decoder that is not the merged one, which takes `use_cache_branch`".to_owned(),
        );
    }
    let key = |layer: usize| input(&format!("past_key_values.{layer}.decoder.key"));
    let layers = (0..=MOST_LAYERS).take_while(|&layer| key(layer).is_some());
    let layers = within(layers.count(), MOST_LAYERS, "layers")?;
    let expected = 4 * layers + 3;
    let known = |input: &&Port| input.name != "cache_position";
    let inputs = header.inputs.iter().filter(known).count();
    if inputs != expected {
        return Err(format!(
            "has a decoder of {layers} layers with {inputs} inputs, not {expected}"
        ));
    }
    match key(0).map(|port| &port.dims[..]) {
        Some(&[_, Some(heads), _, Some(numbers)]) => Ok((
            layers,
            within(heads, MOST_HEADS, "heads")?,
            within(numbers, MOST_WIDTH, "numbers a head")?,
        )),
        _ => Err("has a decoder that does not say how many heads it has".to_owned()),
    }
}

impl SpecialTokens {
    fn read(generation: &GenerationConfig, vocabulary: &Vocabulary) -> Result<Self, String> {
        let special = |name: &str| vocabulary.special(name);
        let needed = |name: &str| {
            special(name).ok_or_else(|| format!("has no token {name} in its tokenizer.json"))
        };
        let no_times = match generation.no_timestamps_token_id {
            Some(id) => id,
            None => needed("<|notimestamps|>")?,
        };
        let tokens = Self {
            end: needed("<|endoftext|>")?,
            start: needed("<|startoftranscript|>")?,
            previous: special("<|startofprev|>"),
            transcribe: special("<|transcribe|>"),
            translate: special("<|translate|>"),
            no_speech: special("<|nospeech|>").or(special("<|nocaptions|>")),
            no_times,
            // Early tokenizers do not list the times, which always follow.
            first_time: special("<|0.00|>").unwrap_or(no_times.saturating_add(1)),
        };
        if tokens.end < tokens.start && tokens.start < no_times && no_times < tokens.first_time {
            Ok(tokens)
        } else {
            Err("has special tokens in an order that is not Whisper's".to_owned())
        }
    }

    /// The tokens that only prompts are made of.
    fn of_prompts(&self, vocabulary: &Vocabulary) -> impl Iterator<Item = u32> {
        let model = vocabulary.special("<|startoflm|>");
        [
            Some(self.start),
            self.previous,
            self.transcribe,
            self.translate,
        ]
        .into_iter()
        .chain([model, self.no_speech])
        .flatten()
    }
}

/// The languages by their code.
fn languages(
    generation: &GenerationConfig,
    vocabulary: &Vocabulary,
    tokens: SpecialTokens,
) -> BTreeMap<String, u32> {
    let bare = |name: &str| {
        let code = name.strip_prefix("<|")?.strip_suffix("|>")?;
        Some(code.to_owned())
    };
    let listed = generation.lang_to_id.iter();
    let listed: BTreeMap<_, _> = listed
        .filter_map(|(name, &id)| Some((bare(name)?, id)))
        .collect();
    if !listed.is_empty() {
        return listed;
    }
    // Between the beginning and the tasks there is nothing else.
    let tasks = tokens.translate.into_iter().chain(tokens.transcribe).min();
    let tasks = tasks.unwrap_or(tokens.start);
    let specials = vocabulary.specials();
    specials
        .filter(|&(_, id)| tokens.start < id && id < tasks)
        .filter_map(|(name, id)| Some((bare(name)?, id)))
        .collect()
}

fn within(number: usize, most: usize, what: &str) -> Result<usize, String> {
    if (1..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("has {number} {what}; 1 to {most} are possible"))
    }
}
