//! How snapshots are kept: in `snapshots/` at the top level, under their own names.

use super::repository::ROOT;
use insta::Settings;
use std::path::Path;

/// Settings for snapshots in `snapshots/`.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(Path::new(ROOT).join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}
