//! Every link of a page leads to a file, and to a heading of it; the README is short.

use super::page::Page;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;

#[test]
fn every_link_leads_somewhere() {
    for page in Page::all() {
        let mut links = 0;
        for target in page.prose().into_iter().flat_map(links_of) {
            links += 1;
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let here = Path::new(ROOT).join(page.path);
            let file = match file {
                "" => here,
                file => here.parent().unwrap().join(file),
            };
            assert!(file.exists(), "{}: {target} is not there", page.path);
            if !heading.is_empty() {
                let text = fs::read_to_string(&file).unwrap();
                let found = headings(&text).any(|it| it == heading);
                assert!(found, "{}: {target} has no such heading", page.path);
            }
        }
        assert!(links > 0, "{} has no link", page.path);
    }
}

#[test]
fn the_readme_is_short() {
    let size = Page::read("README.md").text.len();
    assert!(size <= 10_000, "README.md has {size} bytes");
}

fn links_of(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split("](").skip(1);
    parts.filter_map(|part| part.split_once(')').map(|(target, _)| target))
}

// Headings as GitHub makes anchors of them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|&c| c.is_alphanumeric() || " -_".contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}
