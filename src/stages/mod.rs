//! Stages: what each kind does, as sources, maps, calls and folds for the engine.
