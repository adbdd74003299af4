//! Runs that are killed at random moments and begun again, and what must hold of them.

#![expect(
    clippy::print_stderr,
    reason = "how much was paid is what a long run is for"
)]

use super::clips;
use super::journal;
use super::journal::Key;
use super::outcome::Content;
use super::outcome::outcome;
use super::scene::Scene;
use super::servers::Asked;
use super::servers::Faults;
use super::servers::Servers;
use crate::support::program::quiet_environment;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;

/// How often a run is killed. More of it takes minutes.
pub(super) fn kills() -> u32 {
    let kills = std::env::var("VPIPE_TEST_KILLS").ok();
    kills.map_or(3, |kills| kills.parse().unwrap())
}

fn seed() -> u64 {
    let seed = std::env::var("VPIPE_TEST_SEED").ok();
    seed.map_or(7, |seed| seed.parse().unwrap())
}

/// Kills the runs of a scene so often, and holds them to what a run that nobody disturbed gives.
pub(super) async fn is_killed(scene: &Scene) {
    let folder = TempDir::new().unwrap();
    let mut killing = Killing {
        scene,
        folder: folder.path(),
        videos: scene.clips.make(folder.path()),
        random: seed(),
        killed: 0,
    };
    let undisturbed = killing.undisturbed().await;
    while killing.killed < kills() {
        killing.round(&undisturbed).await;
    }
}

// A run that nobody disturbed.
struct Undisturbed {
    files: BTreeMap<String, Content>,
    answers: BTreeMap<Key, Vec<u8>>,
    asked: Vec<Asked>,
    calls: u64,
    took: Duration,
}

// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    // After so many calls of the servers, and so much later.
    Calls(u64, Duration),
    After(Duration),
}

struct Killing<'a> {
    scene: &'a Scene,
    folder: &'a Path,
    videos: Vec<String>,
    random: u64,
    killed: u32,
}

impl Killing<'_> {
    async fn undisturbed(&self) -> Undisturbed {
        // What an earlier one has left is out of its way.
        let servers = Servers::start(&self.scene.with(Faults::None)).await;
        let begun = Instant::now();
        assert_eq!(self.run(&servers, None).await, Some(0));
        let undisturbed = Undisturbed {
            files: outcome(self.folder),
            answers: journal::content(self.folder).answers,
            asked: servers.asked(),
            calls: servers.calls(),
            took: begun.elapsed(),
        };
        fs::remove_dir_all(self.folder.join("output")).unwrap();
        undisturbed
    }

    // Runs until all is done, from the beginning.
    async fn round(&mut self, undisturbed: &Undisturbed) {
        let servers = Servers::start(self.scene).await;
        let (before, mut noted) = (self.killed, BTreeSet::new());
        let mut runs = 0;
        loop {
            runs += 1;
            assert!(runs < 2 * kills() + 20, "it is never done");
            let moment = (self.killed < kills()).then(|| self.moment(undisturbed));
            match self.run(&servers, moment).await {
                None => {
                    self.killed += 1;
                    noted.extend(journal::content(self.folder).tickets);
                    journal::tells_nothing(self.folder);
                    if self.scene.moves {
                        clips::change_places(&mut self.videos, self.killed - 1, self.folder);
                    }
                }
                Some(0) => break,
                // What was not answered is asked by the next run.
                Some(code) => assert_eq!((code, self.scene.faults), (1, Faults::All)),
            }
        }
        let (files, left) = (outcome(self.folder), journal::content(self.folder));
        journal::tells_nothing(self.folder);
        fs::remove_dir_all(self.folder.join("output")).unwrap();
        let kills = (self.killed - before) as usize;
        self.is_paid_once(&servers, &noted, undisturbed, kills);
        assert_eq!(left.tickets, BTreeSet::new(), "tickets are left open");
        if self.scene.moves {
            let undisturbed = self.undisturbed().await;
            self.is_as(&undisturbed, &files, &left.answers);
        } else {
            self.is_as(undisturbed, &files, &left.answers);
        }
    }

    // The files and the answers are those of a run that nobody disturbed. Where videos have changed
    // their names, what was made under the old ones is there too.
    fn is_as(
        &self,
        undisturbed: &Undisturbed,
        files: &BTreeMap<String, Content>,
        answers: &BTreeMap<Key, Vec<u8>>,
    ) {
        let scene = self.scene.name;
        for (name, content) in &undisturbed.files {
            let file = files.get(name);
            assert!(file.is_some(), "{scene}: {name} is missing");
            assert!(
                file == Some(content),
                "{scene}: {name} differs: {file:?}\n{content:?}"
            );
        }
        for (key, answer) in &undisturbed.answers {
            assert_eq!(answers.get(key), Some(answer), "{scene}: {key:?}");
        }
        if !self.scene.moves {
            let names = |files: &BTreeMap<String, Content>| -> Vec<String> {
                files.keys().cloned().collect()
            };
            assert_eq!(names(files), names(&undisturbed.files), "{scene}");
            assert_eq!(answers.len(), undisturbed.answers.len(), "{scene}");
        }
    }

    fn is_paid_once(
        &self,
        servers: &Servers,
        noted: &BTreeSet<String>,
        undisturbed: &Undisturbed,
        kills: usize,
    ) {
        let scene = self.scene.name;
        let asked = servers.asked();
        let all = |asked: &[Asked]| -> BTreeSet<u64> {
            asked.iter().flat_map(|asked| asked.items.clone()).collect()
        };
        assert_eq!(
            all(&asked),
            all(&undisturbed.asked),
            "{scene}: others were asked"
        );
        let mut known = servers.polled();
        known.extend(noted.iter().cloned());
        let again = servers.asked_again();
        let again = again.into_iter().filter(|(_, job)| known.contains(job));
        assert_eq!(
            again.collect::<Vec<_>>(),
            [],
            "{scene}: the answers could be had"
        );
        let paid: usize = asked.iter().map(|asked| asked.items.len()).sum();
        let wanted: usize = undisturbed
            .asked
            .iter()
            .map(|asked| asked.items.len())
            .sum();
        eprintln!("{scene}: {kills} kills: {paid} items were paid, of {wanted}");
        if self.scene.faults == Faults::All {
            return;
        }
        let has_ticket =
            |asked: &&Asked| asked.ticket.as_ref().is_some_and(|it| known.contains(it));
        let (kept, lost): (Vec<&Asked>, Vec<&Asked>) = asked.iter().partition(has_ticket);
        let mut once = BTreeSet::new();
        for item in kept.iter().flat_map(|asked| &asked.items) {
            assert!(once.insert(*item), "{scene}: {item} was asked twice");
        }
        // Without tickets, all that was answered is lost but for what was noted.
        let lost = match asked.iter().any(|asked| asked.ticket.is_none()) {
            true => paid - wanted,
            false => lost.len(),
        };
        assert!(
            lost <= kills * self.scene.in_flight,
            "{scene}: {lost} requests were lost"
        );
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 33) % below
    }

    // So that there is work left to the last.
    fn moment(&mut self, undisturbed: &Undisturbed) -> Moment {
        let share = |whole: u64| (whole * 6).div_ceil(u64::from(kills()) * 5);
        let later = Duration::from_millis(self.draw(20));
        match undisturbed.calls {
            0 => {
                let took = u64::try_from(undisturbed.took.as_millis()).unwrap();
                Moment::After(Duration::from_millis(self.draw(share(took) + 300)))
            }
            calls => Moment::Calls(1 + self.draw(share(calls)), later),
        }
    }

    fn begin(&self, servers: &Servers) -> Child {
        let recipe = servers.named_in(self.scene.recipe);
        fs::write(self.folder.join("recipe.toml"), recipe).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
        quiet_environment(&mut command);
        command
            .current_dir(self.folder)
            .args(["run", "recipe.toml", "--quiet"])
            .args(&self.videos)
            .envs(Servers::variables())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        command.spawn().unwrap()
    }

    // The exit code; `None` where it was killed.
    async fn run(&self, servers: &Servers, moment: Option<Moment>) -> Option<i32> {
        let (begun, before) = (Instant::now(), servers.calls());
        let mut child = self.begin(servers);
        loop {
            if let Some(ended) = child.try_wait().unwrap() {
                return Some(ended.code().unwrap());
            }
            let later = match moment {
                Some(Moment::Calls(calls, later)) if servers.calls() >= before + calls => later,
                Some(Moment::After(time)) if begun.elapsed() >= time => Duration::ZERO,
                _ => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                }
            };
            tokio::time::sleep(later).await;
            // It may have ended by now.
            child.kill().unwrap();
            let ended = child.wait().unwrap();
            return ended.code();
        }
    }
}
