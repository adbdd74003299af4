//! A page of the documentation, and what is fenced in it.

use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;

/// Every page that users and engineers read, from the top level.
pub(super) const PAGES: [&str; 8] = [
    "README.md",
    "recipes/README.md",
    "src/README.md",
    "src/backends/README.md",
    "src/output/README.md",
    "src/output/page/README.md",
    "src/output/formats/README.md",
    "benches/README.md",
];

/// One page.
pub(super) struct Page {
    /// From the top level.
    pub(super) path: &'static str,
    /// All of it.
    pub(super) text: String,
}

/// A fenced block.
pub(super) struct Block {
    pub(super) language: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn read(path: &'static str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
        Self { path, text }
    }

    pub(super) fn all() -> Vec<Self> {
        PAGES.map(Self::read).into()
    }

    /// Its fenced blocks, in order.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for line in self.text.lines() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    let (language, text) = (language.to_owned(), String::new());
                    open = Some(Block { language, text });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(block)) => {
                    let text = block.text + line + "\n";
                    open = Some(Block { text, ..block });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.path);
        blocks
    }

    /// The texts of its blocks of one language.
    pub(super) fn fenced(&self, language: &str) -> Vec<String> {
        let blocks = self.blocks().into_iter();
        let blocks = blocks.filter(|block| block.language == language);
        blocks.map(|block| block.text).collect()
    }

    /// Its lines that are not in a block.
    pub(super) fn prose(&self) -> Vec<&str> {
        let mut fenced = false;
        let prose = self.text.lines().filter(|line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        });
        prose.collect()
    }
}
