//! Presets: the recipes in `recipes/` that are known by name.

/// A recipe that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What the user calls it.
    pub name: &'static str,
    /// Its file.
    pub text: &'static str,
}

/// All presets, the one to begin with first.
pub const PRESETS: [Preset; 4] = [
    Preset {
        name: "default",
        text: include_str!("../../../recipes/default.toml"),
    },
    Preset {
        name: "max-speed",
        text: include_str!("../../../recipes/max-speed.toml"),
    },
    Preset {
        name: "conservative",
        text: include_str!("../../../recipes/conservative.toml"),
    },
    Preset {
        name: "high-detail",
        text: include_str!("../../../recipes/high-detail.toml"),
    },
];

/// A commented recipe to begin with.
pub const STARTER: &str = include_str!("starter.toml");

/// The preset of that name.
pub fn preset(name: &str) -> Option<Preset> {
    PRESETS.into_iter().find(|preset| preset.name == name)
}
