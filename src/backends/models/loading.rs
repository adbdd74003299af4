//! Loading a model with the first engine and device that take it.

use crate::backends::engine::EngineKind;
use crate::backends::engine::load::LoadOptions;
use crate::backends::models::source::ModelError;
use crate::recipe::Device;

/// A model, and what came of the choice of its engine.
#[derive(Clone)]
pub struct Chosen<M> {
    /// The model.
    pub model: M,
    /// What computes it, and on what.
    pub computed: (EngineKind, Device),
    /// Why that is not what was asked for, a sentence each.
    pub notices: Vec<String>,
}

/// How a model is loaded: the options, and what may do in place of their engine and device.
pub struct Loading {
    /// How it is run at best.
    pub options: LoadOptions,
    /// What may do instead, in this order.
    pub otherwise: Vec<(EngineKind, Device)>,
}

impl Loading {
    /// Loads with `load`, with the first engine that takes the model.
    ///
    /// # Errors
    ///
    /// What the last of them says, or what is wrong with the model for all.
    pub fn load<M>(
        &self,
        load: impl Fn(&LoadOptions) -> Result<M, ModelError>,
    ) -> Result<Chosen<M>, ModelError> {
        let mut options = self.options;
        let mut otherwise = self.otherwise.iter();
        let mut notices = Vec::new();
        loop {
            let error = match load(&options) {
                Ok(model) => {
                    return Ok(Chosen {
                        model,
                        computed: (options.engine, options.device),
                        notices,
                    });
                }
                Err(error) => error,
            };
            let (ModelError::Engine { name, cause, .. }, Some(&(engine, device))) =
                (&error, otherwise.next())
            else {
                return Err(error);
            };
            notices.push(format!(
                "{name} is not taken by {} on {}, and runs on {engine} on {device}: {cause}",
                options.engine, options.device
            ));
            (options.engine, options.device) = (engine, device);
        }
    }
}
