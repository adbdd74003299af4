//! The two networks of a Whisper model, and what the decoder remembers between tokens.
//!
//! The decoder is the merged one of Transformers' exports: with `use_cache_branch` false it takes
//! the prompt and works out keys and values for the sound; with true it takes one token and what
//! is remembered. Knows nothing of what tokens mean.

use crate::backends::engine::header::Header;
use crate::backends::engine::network;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::EngineKind;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Network;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::network::Session;
use crate::backends::engine::network::Tensor;
use crate::backends::models::whisper::profile::Profile;
use std::sync::Arc;

/// A loaded model.
pub(in crate::backends) struct Networks {
    encoder: Box<dyn Network>,
    decoder: Box<dyn Network>,
    ports: Arc<Ports>,
}

/// The names of inputs and outputs, and the sizes that they have.
struct Ports {
    encoder: (String, String),
    bands: usize,
    frames: usize,
    width: usize,
    heads: usize,
    numbers: usize,
    asks_places: bool,
    /// Keys and values that grow with the text: the inputs, and the outputs that replace them.
    own: Vec<(String, String)>,
    /// Keys and values of the sound.
    cross: Vec<(String, String)>,
}

/// One thread's access to the networks.
pub(in crate::backends) struct Ears {
    encoder: Box<dyn Session>,
    decoder: Box<dyn Session>,
    ports: Arc<Ports>,
}

/// What the decoder remembers of a window: its sound, and the text up to now.
#[derive(Clone)]
pub(in crate::backends) struct Memory {
    sound: Arc<Tensor>,
    cross: Arc<Vec<Tensor>>,
    own: Vec<Tensor>,
    length: usize,
}

impl Networks {
    /// Loads encoder and decoder, each with its description.
    pub(in crate::backends) fn load(
        kind: EngineKind,
        profile: &Profile,
        encoder: (&Header, Onnx),
        decoder: (&Header, Onnx),
        threads: usize,
    ) -> Result<Self, EngineError> {
        let (layers, heads, numbers) = profile.decoder;
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
            numbers,
            asks_places: profile.asks_places,
            own: names("decoder"),
            cross: names("encoder"),
        };
        Ok(Self {
            encoder: network::load(kind, encoder.0, encoder.1, threads)?,
            decoder: network::load(kind, decoder.0, decoder.1, threads)?,
            ports: Arc::new(ports),
        })
    }

    /// Sessions with threads of their own.
    pub(in crate::backends) fn ears(&self) -> Result<Ears, EngineError> {
        Ok(Ears {
            encoder: self.encoder.session()?,
            decoder: self.decoder.session()?,
            ports: Arc::clone(&self.ports),
        })
    }
}

impl Ears {
    /// What the encoder makes of a spectrogram, [1, frames / 2, width].
    pub(in crate::backends) fn encode(&mut self, mel: &[f32]) -> Result<Arc<Tensor>, EngineError> {
        let ports = &self.ports;
        let shape = [1, ports.bands, ports.frames];
        let input = (ports.encoder.0.as_str(), Input::Floats(&shape, mel));
        let made = self.encoder.run(&[input], &[&ports.encoder.1])?;
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

    /// Begins a text with the tokens of a prompt: the logits after each of them, and the memory.
    pub(in crate::backends) fn begin(
        &mut self,
        sound: &Arc<Tensor>,
        prompt: &[u32],
    ) -> Result<(Vec<Vec<f32>>, Memory), EngineError> {
        let ports = Arc::clone(&self.ports);
        // The branch that is not taken is given something of the right kind.
        let nothing = vec![0.0; ports.heads * ports.numbers];
        let shape = [1, ports.heads, 1, ports.numbers];
        let past = ports.own.iter().chain(&ports.cross);
        let past = past.map(|(name, _)| (name.as_str(), Input::Floats(&shape, &nothing)));
        let outputs = ports.own.iter().chain(&ports.cross);
        let outputs = outputs.map(|(_, name)| name.as_str());
        let places = 0..prompt.len();
        let (logits, mut own) =
            self.decode(sound, prompt, places, past.collect(), outputs, false)?;
        let cross = own.split_off(ports.own.len().min(own.len()));
        let memory = Memory {
            sound: Arc::clone(sound),
            cross: Arc::new(cross),
            own,
            length: prompt.len(),
        };
        Ok((logits, memory))
    }

    /// Adds a token to the text: the logits after it.
    pub(in crate::backends) fn go_on(
        &mut self,
        memory: &mut Memory,
        token: u32,
    ) -> Result<Vec<f32>, EngineError> {
        let ports = Arc::clone(&self.ports);
        let names = ports.own.iter().chain(&ports.cross);
        let tensors = memory.own.iter().chain(&*memory.cross);
        let past = names.zip(tensors).map(|((name, _), tensor)| {
            let input = Input::Floats(&tensor.shape, &tensor.data);
            (name.as_str(), input)
        });
        let outputs = ports.own.iter().map(|(_, name)| name.as_str());
        let places = memory.length..memory.length + 1;
        let (logits, own) = self.decode(
            &memory.sound,
            &[token],
            places,
            past.collect(),
            outputs,
            true,
        )?;
        memory.own = own;
        memory.length += 1;
        logits
            .into_iter()
            .next_back()
            .ok_or_else(|| EngineError::new("its decoder gives nothing"))
    }

    fn decode<'a>(
        &mut self,
        sound: &'a Tensor,
        tokens: &[u32],
        places: std::ops::Range<usize>,
        inputs: Vec<(&'a str, Input<'a>)>,
        outputs: impl Iterator<Item = &'a str>,
        goes_on: bool,
    ) -> Result<(Vec<Vec<f32>>, Vec<Tensor>), EngineError> {
        // Vocabularies and texts are bounded far below this.
        let ids: Vec<i32> = tokens.iter().map(|&token| token as i32).collect();
        let places: Vec<i32> = places.map(|place| place as i32).collect();
        let floats = Input::Floats(&sound.shape, &sound.data);
        let mut all: Vec<(&str, Input<'_>)> = vec![
            ("input_ids", Input::Ids(&ids)),
            ("encoder_hidden_states", floats),
            ("use_cache_branch", Input::Flag(goes_on)),
        ];
        if self.ports.asks_places {
            all.push(("cache_position", Input::Places(&places)));
        }
        all.extend(inputs);
        let outputs: Vec<&str> = std::iter::once("logits").chain(outputs).collect();
        let mut made = self.decoder.run(&all, &outputs)?.into_iter();
        let logits = made.next().filter(|logits| {
            let rows = tokens.len();
            matches!(logits.shape[..], [1, r, v] if r == rows && v > 0 && logits.data.len() == r * v)
        });
        let logits = logits.ok_or_else(|| EngineError::new("its decoder gives no logits"))?;
        let row = logits.data.len() / tokens.len().max(1);
        let rows = logits.data.chunks_exact(row).map(<[f32]>::to_vec);
        Ok((rows.collect(), made.collect()))
    }
}
