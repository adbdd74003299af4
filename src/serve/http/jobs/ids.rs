//! Ids of jobs, which nobody can guess: whoever knows one can read its result.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Gives ids.
#[derive(Debug)]
pub(super) struct Ids {
    secret: [u8; 32],
    given: AtomicU64,
}

impl Ids {
    /// With a secret of the system's own randomness, which the standard library has in its hashers.
    pub(super) fn new() -> Self {
        let mut secret = blake3::Hasher::new();
        for part in 0..4_u8 {
            let random = RandomState::new().hash_one(part);
            secret.update(&random.to_le_bytes());
        }
        Self {
            secret: secret.finalize().into(),
            given: AtomicU64::new(0),
        }
    }

    /// One that was never given: `begin`, and letters as a UUID has them.
    pub(super) fn next(&self, begin: &str) -> String {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let digest = blake3::keyed_hash(&self.secret, &count.to_le_bytes());
        let hex = digest.to_hex();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        let parts = parts.map(|(from, to)| part(from, to));
        format!("{begin}{}", parts.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use std::collections::BTreeSet;

    #[test]
    fn ids_differ_and_say_how_they_begin() {
        let servers = [Ids::new(), Ids::new()];
        let ids: BTreeSet<String> = (0..1000).map(|it| servers[it % 2].next("sync-")).collect();
        assert_eq!(ids.len(), 1000);
        assert!(
            ids.iter()
                .all(|id| id.starts_with("sync-") && id.len() == 41)
        );
    }
}
