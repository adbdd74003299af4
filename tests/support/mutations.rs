//! Mutations: files that are nearly right, each given to a process of its own.
//!
//! No file makes the program panic, abort, take more than 300 MB, or compute for more than 5 s. A few
//! run with the other tests; `FUZZ_COUNT=2000` runs so many of each kind, from `FUZZ_SEED` on. The case
//! of a seed is always the same, and one that does harm stays in `target/mutations/`.

use crate::support::process::watch;
use crate::support::repository::ROOT;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const MOST_MEGABYTES: u64 = 300;
const MOST_SECONDS: f64 = 5.0;
// Of the clock, where the processor is shared with others.
const LIMIT: Duration = Duration::from_secs(600);

/// Names the file that a process is to try, where it is one of these.
const CASE: &str = "MUTATED_FILE";

/// A sequence of numbers that look random (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// What a file is made of and how its places are chosen.
pub(crate) struct Corpus {
    /// Names of files and what is in them.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Bytes at the begin and at the end that hold sizes and structure: half of all places are there.
    pub(crate) head: usize,
}

impl Corpus {
    /// A file, changed in a few places, and its name.
    fn mutated(&self, seed: u64) -> (String, Vec<u8>) {
        let mut random = Random(seed);
        let (name, content) = &self.files[random.below(self.files.len())];
        let mut content = content.clone();
        for _ in 0..=random.below(4) {
            self.change(&mut content, &mut random);
        }
        (name.clone(), content)
    }

    fn place(&self, length: usize, random: &mut Random) -> usize {
        let head = self.head.min(length);
        match random.below(4) {
            0 => random.below(head),
            1 => length - random.below(head).max(1).min(length),
            _ => random.below(length),
        }
    }

    fn change(&self, content: &mut Vec<u8>, random: &mut Random) {
        let length = content.len();
        if length == 0 {
            return;
        }
        let at = self.place(length, random);
        let other = self.place(length, random);
        let size = [4, 64, 1024, length / 2][random.below(4)];
        let end = (at + 1 + random.below(size)).min(length);
        match random.below(8) {
            0 => content[at] ^= 1 << random.below(8),
            1 => content[at] = random.next() as u8,
            // A size: what is none, the smallest and the largest there are, either way round.
            2 | 3 => {
                let sizes = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, length as u32];
                let size = sizes[random.below(sizes.len())];
                let bytes = match random.below(2) {
                    0 => size.to_be_bytes(),
                    _ => size.to_le_bytes(),
                };
                let end = (at + 4).min(length);
                content[at..end].copy_from_slice(&bytes[..end - at]);
            }
            4 => content.truncate(at),
            5 => {
                content.drain(at..end);
            }
            6 => {
                let part = content[at..end].to_vec();
                let part = part.repeat(1 + random.below(3));
                content.splice(other..other, part);
            }
            // Two parts change places.
            _ => {
                let part: Vec<u8> = content.drain(at..end).collect();
                let to = other.min(content.len());
                content.splice(to..to, part);
            }
        }
    }
}

/// The file that this process is to try, if it is one of these.
pub(crate) fn case() -> Option<PathBuf> {
    env::var_os(CASE).map(PathBuf::from)
}

/// Has `child`, a test of this program that does nothing unless there is a [`case`], try mutations of
/// `corpus`: `usual` of them, unless the environment says.
pub(crate) fn hold(kind: &str, corpus: &Corpus, child: &str, usual: u64) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let (seed, count) = (number("FUZZ_SEED"), number("FUZZ_COUNT"));
    let (seed, count) = (seed.unwrap_or(1), count.unwrap_or(usual));
    let folder = Path::new(ROOT).join("target/mutations").join(kind);
    fs::create_dir_all(&folder).unwrap();
    let mut harm = Vec::new();
    for seed in seed..seed + count {
        let (name, content) = corpus.mutated(seed);
        let path = folder.join(format!("{seed}-{name}"));
        fs::write(&path, content).unwrap();
        match harm_of(child, &path) {
            None => fs::remove_file(&path).unwrap(),
            Some(why) => harm.push(format!("FUZZ_SEED={seed} {name}: {why}")),
        }
    }
    assert!(harm.is_empty(), "{}", harm.join("\n"));
}

fn harm_of(child: &str, path: &Path) -> Option<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", child, "--nocapture"]);
    command.env(CASE, path).env("RUST_BACKTRACE", "0");
    let went = watch(&mut command, LIMIT);
    if !went.status.success() {
        let (how, seconds) = (went.status, went.seconds);
        return Some(format!(
            "{how} after {seconds} s of the processor: {}",
            went.talk
        ));
    }
    if went.megabytes > MOST_MEGABYTES {
        return Some(format!("it took {} MB", went.megabytes));
    }
    (went.seconds > MOST_SECONDS).then(|| format!("it computed for {} s", went.seconds))
}
