//! Free space: whether what a run writes fits on the disks that it is written to, before anything is
//! paid.

use crate::app::compile::Compiled;
use crate::app::error::AppError;
use crate::app::inputs::Inputs;
use crate::disk;
use crate::plan;
use crate::plan::Storage;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// What is written to one disk.
struct Load {
    // The first folder on it, as the user named it.
    folder: PathBuf,
    results: Storage,
    journal: Storage,
    frames: Storage,
}

impl Load {
    fn all(&self) -> Storage {
        self.results.and(self.journal).and(self.frames)
    }
}

/// What the user is told of disks that may become full; the journal is in `state`. Folders that
/// cannot be asked about are left out.
///
/// # Errors
///
/// Where a disk has less room than what is written takes at least.
pub(super) fn check(
    compiled: &Compiled,
    inputs: &Inputs,
    state: &Path,
) -> Result<Vec<String>, AppError> {
    let mut told = Vec::new();
    for load in loads(compiled, inputs, state).into_values() {
        if let Ok(free) = disk::free(&load.folder) {
            told.extend(compare(free, &load)?);
        }
    }
    Ok(told)
}

fn loads(compiled: &Compiled, inputs: &Inputs, state: &Path) -> BTreeMap<String, Load> {
    let mut loads: BTreeMap<String, Load> = BTreeMap::new();
    let mut add = |folder: &Path, take: &dyn Fn(&mut Load)| {
        let Ok(volume) = disk::volume(folder) else {
            return;
        };
        take(loads.entry(volume).or_insert_with(|| Load {
            folder: folder.to_owned(),
            results: Storage::default(),
            journal: Storage::default(),
            frames: Storage::default(),
        }));
    };
    for video in &compiled.facts.videos {
        let written = plan::storage(&compiled.plan, &compiled.facts, video);
        if let Some(place) = inputs.places.get(&video.id) {
            let results = place.complete();
            let folder = results.parent().unwrap_or(Path::new("."));
            add(folder, &|load| {
                load.results = load.results.and(written.results);
            });
        }
        for ((_, id), root) in &inputs.save_roots {
            if *id == video.id {
                add(root.folder(), &|load| {
                    load.frames = load.frames.and(written.frames);
                });
                break;
            }
        }
        add(state, &|load| {
            load.journal = load.journal.and(written.journal);
        });
    }
    loads
}

fn compare(free: u64, load: &Load) -> Result<Option<String>, AppError> {
    let (all, folder) = (load.all(), load.folder.display());
    let room = format!("the disk of {folder} has room for {}", megabytes(free));
    if free < all.least {
        return Err(AppError::Environment {
            message: format!(
                "{room}, and at least {} will be written to it: {}",
                megabytes(all.least),
                parts(load, |storage| storage.least)
            ),
            help: Some(
                "make room, or give a folder on another disk: --output-dir for the results, \
                 --state-dir for the journal, `output_dir` of a stage that saves"
                    .to_owned(),
            ),
        });
    }
    Ok((free < all.usual).then(|| {
        let usual = megabytes(all.usual);
        let parts = parts(load, |storage| storage.usual);
        format!("{room}, and about {usual} may be written to it: {parts}")
    }))
}

fn parts(load: &Load, of: impl Fn(Storage) -> u64) -> String {
    let parts = [
        ("saved frames", of(load.frames)),
        ("journal", of(load.journal)),
        ("results", of(load.results)),
    ];
    let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0);
    let parts = parts.map(|(what, bytes)| format!("{what} {}", megabytes(bytes)));
    Vec::from_iter(parts).join(", ")
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::Load;
    use super::compare;
    use crate::app::error::AppError;
    use crate::plan::Storage;

    fn load() -> Load {
        let of = |least: u64, usual: u64| Storage { least, usual };
        Load {
            folder: "output".into(),
            results: of(40_000, 600_000),
            journal: of(100_000, 400_000),
            frames: of(14_400_000, 138_000_000),
        }
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused_and_one_that_may_be_is_told() {
        assert_eq!(compare(139_000_000, &load()).unwrap(), None);
        let told = compare(14_540_000, &load()).unwrap().unwrap();
        insta::assert_snapshot!(told, @"the disk of output has room for 14.5 MB, and about 139.0 MB may be written to it: saved frames 138.0 MB, journal 0.4 MB, results 0.6 MB");
        let refused = compare(14_539_999, &load()).unwrap_err();
        assert_eq!(refused.exit_code(), 3);
        let AppError::Environment { message, help } = refused else {
            panic!("{refused:?}");
        };
        insta::assert_snapshot!(message, @"the disk of output has room for 14.5 MB, and at least 14.5 MB will be written to it: saved frames 14.4 MB, journal 0.1 MB, results 0.0 MB");
        assert!(
            help.unwrap()
                .starts_with("make room, or give a folder on another disk")
        );
    }
}
