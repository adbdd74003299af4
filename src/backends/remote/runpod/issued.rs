//! Issued ids: which jobs a server has named, so that no two of them share an answer.
//!
//! Digests of a fixed size are kept, so an id takes no more memory than it must.

use crate::failure::Class;
use crate::failure::Failure;
use crate::name::Ticket;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

type Digest = [u8; 16];

/// The ids of all jobs of a run; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct IssuedIds(Arc<Mutex<HashMap<Digest, bool>>>);

impl IssuedIds {
    /// The ticket of a new job with this id.
    ///
    /// # Errors
    ///
    /// Of class `bad-answer` where another job has it. Which of them an answer is for cannot be
    /// told, so from then on [`IssuedIds::is_unique`] holds for neither.
    pub(super) fn issue(&self, id: String) -> Result<Ticket, Failure> {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ids.insert(digest(&id), false) {
            None => Ok(id.into()),
            Some(_) => {
                ids.insert(digest(&id), true);
                Err(shared(&id))
            }
        }
    }

    /// A job with the id of this ticket is waited for, whoever submitted it.
    pub(super) fn awaited(&self, ticket: &Ticket) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.entry(digest(&ticket.to_string())).or_insert(false);
    }

    /// A job with this id was answered at once.
    pub(super) fn answered(&self, id: &str) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = ids.contains_key(&digest(id));
        ids.insert(digest(id), shared);
    }

    /// Nothing, where one job alone has the id of this ticket.
    pub(super) fn is_unique(&self, ticket: &Ticket) -> Result<(), Failure> {
        let id = ticket.to_string();
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ids.get(&digest(&id)) {
            Some(true) => Err(shared(&id)),
            Some(false) | None => Ok(()),
        }
    }
}

fn shared(id: &str) -> Failure {
    let why = format!("the server gave the id {id} to two jobs: whose answer it has is not known");
    Failure::new(Class::BadAnswer, why)
}

fn digest(id: &str) -> Digest {
    let mut digest = Digest::default();
    blake3::Hasher::new()
        .update(id.as_bytes())
        .finalize_xof()
        .fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::IssuedIds;
    use crate::failure::Class;

    #[test]
    fn an_id_of_two_jobs_is_the_ticket_of_neither() {
        let ids = IssuedIds::default();
        let (first, other) = (
            ids.issue("a".to_owned()).unwrap(),
            ids.issue("b".to_owned()).unwrap(),
        );
        assert!(ids.is_unique(&first).is_ok());
        let failure = ids.clone().issue("a".to_owned()).unwrap_err();
        assert_eq!(failure.class, Class::BadAnswer);
        assert!(ids.is_unique(&first).is_err() && ids.is_unique(&other).is_ok());
        ids.awaited(&"c".into());
        assert!(ids.issue("c".to_owned()).is_err(), "one of an earlier run");
    }
}
