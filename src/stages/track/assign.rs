//! Which track takes which box: the pairs that are worth the most together.
//!
//! Tracks and boxes that have nothing to do with each other are assigned apart, so what it takes
//! grows with the largest crowd and not with the picture.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use std::collections::BTreeSet;

// A crowd of more is assigned pair by pair, the best first: the best of all takes the cube.
const LARGEST: usize = 200;

// Worth is counted in whole parts of this.
const PARTS: f64 = 1e6;

/// One track that may take one box, and what that is worth: more than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) track: usize,
    pub(super) place: usize,
    pub(super) worth: f64,
}

/// Those of `pairs` that are worth the most together, each track and each box in one at most; in
/// the order of the tracks.
pub(super) fn assign(pairs: &[Pair]) -> Vec<Pair> {
    let mut chosen: Vec<Pair> = crowds(pairs).iter().flat_map(|it| of_crowd(it)).collect();
    chosen.sort_by_key(|pair| pair.track);
    chosen
}

// The pairs that share tracks or boxes, directly or through others.
fn crowds(pairs: &[Pair]) -> Vec<Vec<Pair>> {
    let tracks = pairs.iter().map(|it| it.track + 1).max().unwrap_or(0);
    let places = pairs.iter().map(|it| it.place + 1).max().unwrap_or(0);
    // Each points at another of its crowd, or at itself where it is the first.
    let mut first: Vec<usize> = (0..tracks + places).collect();
    for pair in pairs {
        let (a, b) = (
            root(&mut first, pair.track),
            root(&mut first, tracks + pair.place),
        );
        first[a.max(b)] = a.min(b);
    }
    let mut crowds: Vec<Vec<Pair>> = vec![Vec::new(); tracks + places];
    for pair in pairs {
        crowds[root(&mut first, pair.track)].push(*pair);
    }
    crowds.retain(|it| !it.is_empty());
    crowds
}

fn root(first: &mut [usize], mut at: usize) -> usize {
    while first[at] != at {
        first[at] = first[first[at]];
        at = first[at];
    }
    at
}

fn of_crowd(pairs: &[Pair]) -> Vec<Pair> {
    let numbers = |of: fn(&Pair) -> usize| {
        let mut numbers: Vec<usize> = pairs.iter().map(of).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let (tracks, places) = (numbers(|it| it.track), numbers(|it| it.place));
    if pairs.len() == 1 {
        return pairs.to_vec();
    }
    if tracks.len().max(places.len()) > LARGEST {
        return best_first(pairs);
    }
    // No pair is worth nothing, and stands for none. Each row has a column of its own for that.
    let mut worth = Matrix::new(tracks.len(), places.len().max(tracks.len()), 0_i64);
    for pair in pairs {
        let row = tracks.binary_search(&pair.track);
        let column = places.binary_search(&pair.place);
        if let (Ok(row), Ok(column)) = (row, column) {
            worth[(row, column)] = (pair.worth * PARTS) as i64;
        }
    }
    let (_, columns) = kuhn_munkres(&worth);
    let taken = columns.into_iter().enumerate().filter_map(|(row, column)| {
        let (track, place) = (*tracks.get(row)?, *places.get(column)?);
        let mut pairs = pairs.iter();
        pairs.find(|it| it.track == track && it.place == place)
    });
    taken.copied().collect()
}

fn best_first(pairs: &[Pair]) -> Vec<Pair> {
    let mut pairs = pairs.to_vec();
    pairs.sort_by(|a, b| b.worth.total_cmp(&a.worth));
    let (mut tracks, mut places) = (BTreeSet::new(), BTreeSet::new());
    pairs.retain(|it| {
        let free = !tracks.contains(&it.track) && !places.contains(&it.place);
        if free {
            tracks.insert(it.track);
            places.insert(it.place);
        }
        free
    });
    pairs
}
