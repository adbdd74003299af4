//! Encoder and decoder of a Whisper model, and the decoder's cache of keys and values.
//!
//! The decoder is the merged one of Transformers' exports: with `use_cache_branch` false it takes
//! the prompt and computes keys and values of the sound; with true it takes one token a row and
//! the cache. Several texts of one window are rows of one cache. Knows nothing of what tokens mean.

use crate::backends::engine::header::Header;
use crate::backends::engine::load::LoadOptions;
use crate::backends::engine::load::load;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::watched::WatchedNetwork;
use crate::backends::engine::watched::WatchedSession;
use crate::backends::models::whisper::decoder_graph;
use crate::backends::models::whisper::profile::SpeechProfile;
use std::ops::Range;
use std::sync::Arc;

/// A loaded model.
pub(in crate::backends) struct Networks {
    encoder: WatchedNetwork,
    decoder: WatchedNetwork,
    ports: Arc<Ports>,
}

/// The names of inputs and outputs, and the sizes that they have.
struct Ports {
    encoder: (String, String),
    bands: usize,
    frames: usize,
    width: usize,
    heads: usize,
    head_width: usize,
    takes_positions: bool,
    /// Whether the texts of a call attend to one sound; else each needs keys and values of its own.
    shares_sound: bool,
    /// Keys and values that grow with the text: the inputs, and the outputs that replace them.
    own: Vec<(String, String)>,
    /// Keys and values of the sound.
    cross: Vec<(String, String)>,
}

/// One thread's sessions of both networks.
pub(in crate::backends) struct NetworkSessions {
    encoder: WatchedSession,
    decoder: WatchedSession,
    ports: Arc<Ports>,
}

/// Keys and values of a window's sound, and of the texts that have been decoded for it, each a row.
#[derive(Clone)]
pub(in crate::backends) struct KvCache {
    sound: Arc<Tensor>,
    cross: Vec<Arc<Tensor>>,
    own: Vec<Arc<Tensor>>,
    rows: usize,
    length: usize,
}

/// Logits: a row for each token that the decoder was given, or for the last ones of a prompt.
pub(in crate::backends) struct Logits {
    data: Vec<f32>,
    vocabulary: usize,
}

impl Logits {
    /// Of rows of one length.
    #[cfg(test)]
    pub(in crate::backends) fn of(rows: impl Iterator<Item = Vec<f32>>) -> Self {
        let rows: Vec<Vec<f32>> = rows.collect();
        Self {
            vocabulary: rows[0].len(),
            data: rows.concat(),
        }
    }

    /// The logits after the token before so many last ones; none where there is no such row.
    pub(in crate::backends) fn before(&self, last: usize) -> &[f32] {
        self.data
            .rchunks_exact(self.vocabulary)
            .nth(last)
            .unwrap_or_default()
    }

    /// All rows, which may be changed.
    pub(in crate::backends) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.data.chunks_exact_mut(self.vocabulary)
    }
}

impl KvCache {
    /// Keeps these rows in this order; a row may be kept several times.
    fn select(&mut self, rows: &[usize]) {
        if rows.iter().copied().eq(0..self.rows) {
            return;
        }
        for tensor in &mut self.own {
            let row = tensor.data.len() / self.rows.max(1);
            let kept = rows
                .iter()
                .filter_map(|&at| tensor.data.get(at * row..(at + 1) * row));
            let data = kept.collect::<Vec<_>>().concat();
            let mut shape = tensor.shape.clone();
            if let Some(first) = shape.first_mut() {
                *first = rows.len();
            }
            *tensor = Arc::new(Tensor { shape, data });
        }
        self.rows = rows.len();
    }

    /// Gives each of so many texts keys and values of the sound.
    fn repeat_cross(&mut self, texts: usize) {
        for tensor in &mut self.cross {
            if tensor.shape.first() == Some(&texts) {
                continue;
            }
            let rows = tensor.shape.first().copied().unwrap_or(1).max(1);
            let row = tensor.data.len() / rows;
            let mut shape = tensor.shape.clone();
            if let Some(first) = shape.first_mut() {
                *first = texts;
            }
            *tensor = Arc::new(Tensor {
                shape,
                data: tensor.data.get(..row).unwrap_or_default().repeat(texts),
            });
        }
    }
}

impl Networks {
    /// Loads encoder and decoder, each with its description.
    pub(in crate::backends) fn load(
        profile: &SpeechProfile,
        encoder: (&Header, Onnx),
        decoder: (&Header, Onnx),
        options: LoadOptions,
    ) -> Result<Self, EngineError> {
        let of_encoder = LoadOptions {
            packs_weights: false,
            ..options
        };
        let (layers, heads, head_width) = profile.decoder;
        let (description, mut onnx) = decoder;
        let shares_sound = decoder_graph::improve(&mut onnx.graph, layers);
        let names = |side: &str| {
            let of_layer = |layer: usize| {
                ["key", "value"].map(|part| {
                    let name = format!("{layer}.{side}.{part}");
                    (format!("past_key_values.{name}"), format!("present.{name}"))
                })
            };
            (0..layers).flat_map(of_layer).collect()
        };
        let ports = Ports {
            encoder: encoder.0.ports(),
            bands: profile.bands,
            frames: profile.frames,
            width: profile.width,
            heads,
            head_width,
            takes_positions: profile.takes_positions,
            shares_sound,
            own: names("decoder"),
            cross: names("encoder"),
        };
        Ok(Self {
            encoder: load(of_encoder, encoder.0, encoder.1)?,
            decoder: load(options, description, onnx)?,
            ports: Arc::new(ports),
        })
    }

    /// Sessions with threads of their own.
    pub(in crate::backends) fn sessions(&self) -> Result<NetworkSessions, EngineError> {
        Ok(NetworkSessions {
            encoder: self.encoder.session()?,
            decoder: self.decoder.session()?,
            ports: Arc::clone(&self.ports),
        })
    }
}

impl NetworkSessions {
    /// Whether one of them answers nothing any more.
    pub(in crate::backends) fn is_lost(&self) -> bool {
        self.encoder.is_lost() || self.decoder.is_lost()
    }

    /// What the encoder makes of a spectrogram, [1, frames / 2, width].
    pub(in crate::backends) fn encode(
        &mut self,
        mel: Vec<f32>,
    ) -> Result<Arc<Tensor>, EngineError> {
        let ports = &self.ports;
        let tensor = Tensor {
            shape: vec![1, ports.bands, ports.frames],
            data: mel,
        };
        let (input, output) = ports.encoder.clone();
        let input = (input, Input::Floats(Arc::new(tensor)));
        let made = self.encoder.run(vec![input], vec![output])?;
        let expected = [1, ports.frames / 2, ports.width];
        match <[Tensor; 1]>::try_from(made) {
            Ok([sound]) if sound.shape == expected => Ok(Arc::new(sound)),
            _ => Err(EngineError(format!(
                "its encoder does not give {} x {} numbers",
                ports.frames / 2,
                ports.width
            ))),
        }
    }

    /// Decodes a prompt: the logits after its last tokens at least, and a cache of one row.
    pub(in crate::backends) fn prompt(
        &mut self,
        sound: &Arc<Tensor>,
        prompt: &[u32],
    ) -> Result<(Logits, KvCache), EngineError> {
        let ports = Arc::clone(&self.ports);
        // The branch that is not taken is given something of the right kind.
        let nothing = Arc::new(Tensor {
            shape: vec![1, ports.heads, 1, ports.head_width],
            data: vec![0.0; ports.heads * ports.head_width],
        });
        let past = ports.own.iter().chain(&ports.cross);
        let past = past.map(|(name, _)| (name.clone(), Input::Floats(Arc::clone(&nothing))));
        let outputs = ports.own.iter().chain(&ports.cross);
        let outputs = outputs.map(|(_, name)| name.clone());
        let tokens = Tokens {
            shape: [1, prompt.len()],
            ids: prompt,
            positions: 0..prompt.len(),
        };
        let (logits, mut own) = self.decode(sound, &tokens, past.collect(), outputs, false)?;
        let cross = own.split_off(ports.own.len().min(own.len()));
        let cache = KvCache {
            sound: Arc::clone(sound),
            cross: cross.into_iter().map(Arc::new).collect(),
            own: own.into_iter().map(Arc::new).collect(),
            rows: 1,
            length: prompt.len(),
        };
        Ok((logits, cache))
    }

    /// Continues the texts at `rows` of the cache by a token each: a row of logits for each.
    pub(in crate::backends) fn step(
        &mut self,
        cache: &mut KvCache,
        rows: &[usize],
        tokens: &[u32],
    ) -> Result<Logits, EngineError> {
        cache.select(rows);
        if !self.ports.shares_sound {
            cache.repeat_cross(rows.len());
        }
        let ports = Arc::clone(&self.ports);
        let names = ports.own.iter().chain(&ports.cross);
        let tensors = cache.own.iter().chain(&cache.cross);
        let past = names
            .zip(tensors)
            .map(|((name, _), tensor)| (name.clone(), Input::Floats(Arc::clone(tensor))));
        let outputs = ports.own.iter().map(|(_, name)| name.clone());
        let tokens = Tokens {
            shape: [tokens.len(), 1],
            ids: tokens,
            positions: cache.length..cache.length + 1,
        };
        let (logits, own) = self.decode(&cache.sound, &tokens, past.collect(), outputs, true)?;
        cache.own = own.into_iter().map(Arc::new).collect();
        cache.length += 1;
        Ok(logits)
    }

    fn decode(
        &mut self,
        sound: &Arc<Tensor>,
        tokens: &Tokens<'_>,
        past: Vec<(String, Input)>,
        outputs: impl Iterator<Item = String>,
        uses_cache: bool,
    ) -> Result<(Logits, Vec<Tensor>), EngineError> {
        // Vocabularies and texts are bounded far below this.
        let ids: Vec<i32> = tokens.ids.iter().map(|&token| token as i32).collect();
        let positions: Vec<i32> = tokens.positions.clone().map(|at| at as i32).collect();
        let mut inputs = past;
        let mut give = |name: &str, input| inputs.push((name.to_owned(), input));
        give("input_ids", Input::Ids(tokens.shape, ids));
        give("encoder_hidden_states", Input::Floats(Arc::clone(sound)));
        give("use_cache_branch", Input::Flag(uses_cache));
        if self.ports.takes_positions {
            give("cache_position", Input::Places(positions));
        }
        let outputs = std::iter::once("logits".to_owned()).chain(outputs);
        let mut made = self.decoder.run(inputs, outputs.collect())?.into_iter();
        let [rows, columns] = tokens.shape;
        let fits = |given: usize| (columns.min(decoder_graph::LAST)..=columns).contains(&given);
        let logits = made.next().and_then(|logits| match logits.shape[..] {
            [r, c, vocabulary] if r == rows && fits(c) && vocabulary > 0 => {
                let whole = logits.data.len() == r * c * vocabulary;
                whole.then_some(Logits {
                    data: logits.data,
                    vocabulary,
                })
            }
            _ => None,
        });
        let logits = logits.ok_or_else(|| EngineError::new("its decoder gives no logits"))?;
        Ok((logits, made.collect()))
    }
}

/// Tokens that the decoder is given, and where in their texts they stand.
struct Tokens<'a> {
    shape: [usize; 2],
    ids: &'a [u32],
    positions: Range<usize>,
}
