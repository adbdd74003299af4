//! When all that is looked for is there: at the same time, or within so many seconds.

use crate::output::find::query::MomentQuery;
use crate::output::find::query::Occurrence;
use crate::output::find::searched::SearchedResults;
use serde::Serialize;

/// A stretch of a video in which all that is looked for is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundMoment {
    /// Seconds since the first frame.
    pub start: f64,
    /// Seconds; not before `start`, nor after the end of the video where that is known.
    pub end: f64,
    /// What is said meanwhile, segment by segment, where words are looked for.
    pub said: Vec<String>,
}

/// The moments of `results` in which all of `query` is there, in the order of time; those less apart
/// than `within` are one.
///
/// Where all of it is there at the same time, that is the moment. Else it goes from the end of what
/// is over first to the begin of what comes last, with as much of both as `within` says.
pub fn moments(query: &MomentQuery, results: &SearchedResults) -> Vec<FoundMoment> {
    let within = query.within.max(0.0);
    let terms = query.occurrences(results);
    let mut shared = match terms.split_first() {
        Some((first, _)) => widened(first, within / 2.0),
        None => return Vec::new(),
    };
    for term in terms.iter().skip(1) {
        shared = common(&shared, &widened(term, within / 2.0));
    }
    let stretches = shared.iter().map(|it| stretch(*it, &terms, within));
    let mut found: Vec<Occurrence> = Vec::new();
    for next in stretches {
        match found.last_mut() {
            Some(last) if next.start - last.end <= within => last.end = last.end.max(next.end),
            _ => found.push(next),
        }
    }
    let last = results.duration().unwrap_or(f64::INFINITY);
    let moment = |it: Occurrence| FoundMoment {
        start: it.start,
        end: it.end.min(last).max(it.start),
        said: match query.said.is_empty() {
            true => Vec::new(),
            false => said(it, results),
        },
    };
    found.into_iter().map(moment).collect()
}

// Occurrences with so much more on both sides, those that meet then as one.
fn widened(occurrences: &[Occurrence], more: f64) -> Vec<Occurrence> {
    let mut wide: Vec<Occurrence> = Vec::new();
    for it in occurrences {
        let (start, end) = (it.start - more, it.end + more);
        match wide.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => wide.push(Occurrence { start, end }),
        }
    }
    wide
}

// What both have in common; each is in order and apart.
fn common(one: &[Occurrence], other: &[Occurrence]) -> Vec<Occurrence> {
    let (mut common, mut at, mut beside) = (Vec::new(), 0, 0);
    while let (Some(a), Some(b)) = (one.get(at), other.get(beside)) {
        let (start, end) = (a.start.max(b.start), a.end.min(b.end));
        if start <= end + TINY {
            let end = end.max(start);
            common.push(Occurrence { start, end });
        }
        match a.end < b.end {
            true => at += 1,
            false => beside += 1,
        }
    }
    common
}

// Sums of decimal fractions are not exact.
const TINY: f64 = 1e-6;

// The moment that a time is the middle of, at which all terms are as near as they have to be.
fn stretch(shared: Occurrence, terms: &[Vec<Occurrence>], within: f64) -> Occurrence {
    let (from, to) = (shared.start + within / 2.0, shared.end - within / 2.0);
    if from <= to + TINY {
        let end = to.max(from);
        return Occurrence { start: from, end };
    }
    let (mut start, mut end) = (to, from);
    for it in terms.iter().flatten() {
        if it.start <= from + TINY && it.end >= to - TINY {
            start = start.min(it.start.max(to - within));
            end = end.max(it.end.min(from + within));
        }
    }
    Occurrence { start, end }
}

// What several transcripts tell alike is told once.
fn said(moment: Occurrence, results: &SearchedResults) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for segments in results.speeches() {
        let meanwhile = segments
            .iter()
            .filter(|it| it.start < moment.end && it.end > moment.start)
            .map(|it| it.text.trim())
            .filter(|text| !told.iter().any(|other| other == text));
        let new: Vec<String> = meanwhile.map(str::to_owned).collect();
        told.extend(new);
    }
    told
}
