//! The servers that a run under test asks, and what they were asked.

use super::scene::Scene;
use crate::speech::server::Server;
use crate::speech::server::Speaks;
use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::KEY;
use crate::support::fleet::Setting;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

/// What goes wrong with a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Faults {
    /// Nothing.
    None,
    /// All that can be made good, with one request in ten.
    All,
}

/// What a server was asked at once, and under which ticket.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) ticket: Option<String>,
    pub(super) items: Vec<u64>,
}

/// A detector at a fleet, a server that listens and one that looks and answers at once.
pub(super) struct Servers {
    fleet: Fleet,
    ears: Server,
    eyes: String,
    seen: Arc<Mutex<Vec<u64>>>,
}

impl Servers {
    pub(super) async fn start(scene: &Scene) -> Self {
        let seen = Arc::default();
        let app = Router::new()
            .route("/look", post(look))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&seen));
        let speaks = match scene.recipe.contains("openai") {
            true => Speaks::Openai,
            false => Speaks::Handler,
        };
        Self {
            fleet: Fleet::of(setting(scene.faults)).await,
            ears: Server::start(speaks, 10_000_000, &[]).await,
            eyes: format!("{}/look", serve(app).await),
            seen,
        }
    }

    /// A recipe that leads to these servers.
    pub(super) fn named_in(&self, recipe: &str) -> String {
        recipe
            .replace("FLEET", &self.fleet.base)
            .replace("EARS", &self.ears.address)
            .replace("EYES", &self.eyes)
    }

    /// The keys that they take.
    pub(super) fn variables() -> [(&'static str, &'static str); 2] {
        [("RUNPOD_API_KEY", KEY), ("MY_KEY", KEY)]
    }

    /// How often all of them were called.
    pub(super) fn calls(&self) -> u64 {
        let seen = self.seen.lock().unwrap().len() as u64;
        *self.fleet.calls().borrow() + self.ears.calls() + seen
    }

    /// All that was asked, in order of time at each server.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let mut asked: Vec<Asked> = Vec::new();
        for (name, items) in self.fleet.jobs() {
            let ticket = Some(name);
            asked.push(Asked { ticket, items });
        }
        for heard in self.ears.heard() {
            asked.push(Asked {
                ticket: heard.job,
                items: vec![heard.sound],
            });
        }
        for item in self.seen.lock().unwrap().iter() {
            asked.push(Asked {
                ticket: None,
                items: vec![*item],
            });
        }
        asked
    }

    /// The tickets that somebody came back with.
    pub(super) fn polled(&self) -> BTreeSet<String> {
        self.fleet
            .polled()
            .into_iter()
            .chain(self.ears.polled())
            .collect()
    }

    /// What a fleet was asked although a job had the answer, and the ticket of that job.
    pub(super) fn asked_again(&self) -> Vec<(u64, String)> {
        self.fleet.submitted_again()
    }
}

fn setting(faults: Faults) -> Setting {
    // Odd bytes stand in the name of a class, and so in the results.
    let good =
        |fault: &Fault| !fault.costs_frames() && !fault.is_chance() && *fault != Fault::OddBytes;
    let (faults, percent) = match faults {
        Faults::None => (Vec::new(), 0),
        Faults::All => (Fault::ALL.into_iter().filter(good).collect(), 10),
    };
    Setting {
        faults,
        percent,
        by_content: true,
        ..Setting::default()
    }
}

// Says of what it is asked a digest of it, and of images where something is in them.
async fn look(State(seen): State<Arc<Mutex<Vec<u64>>>>, Json(body): Json<Value>) -> Json<Value> {
    let digest = blake3::hash(body.to_string().as_bytes());
    let number = u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap());
    seen.lock().unwrap().push(number);
    let left = number % 50;
    let object = json!({
        "bbox": [left, 20, left + 120, 140], "class": number % 1000, "class_name": "n",
        "confidence": 0.75,
    });
    Json(json!({ "caption": format!("{number:016x}"), "detections": [[object]] }))
}
