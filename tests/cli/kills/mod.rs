//! `kill -9` at random moments of a run over five videos, and the same command again until it is
//! done: the results are those of a run that nobody disturbed, and nothing is paid twice that a
//! server has given a ticket for.
//!
//! `VPIPE_TEST_KILLS=50` kills that often, which takes minutes; `VPIPE_TEST_SEED` draws other
//! moments.

mod clips;
mod journal;
mod killing;
mod outcome;
mod scene;
mod servers;

use self::clips::Clips;
use self::killing::is_killed;
use self::scene::Scene;
use self::servers::Faults;

#[tokio::test(flavor = "multi_thread")]
async fn frames_at_a_fleet() {
    is_killed(&Scene::new("frames", Clips::Noise, scene::FRAMES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_at_a_fleet_on_which_all_else_goes_wrong() {
    let scene = Scene::new("faults", Clips::Noise, scene::FRAMES);
    is_killed(&scene.with(Faults::All)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_videos_that_are_renamed_swapped_and_copied() {
    is_killed(&Scene::new("moved", Clips::Noise, scene::SAVED).moving()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crops_of_what_a_fleet_has_found() {
    is_killed(&Scene::new("crops", Clips::Noise, scene::CROPS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_repeat_others() {
    is_killed(&Scene::new("repeats", Clips::Stills, scene::REPEATS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_tickets() {
    let scene = Scene::new("http", Clips::Noise, scene::HTTP);
    is_killed(&scene.without_tickets(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_at_a_fleet() {
    is_killed(&Scene::new("speech", Clips::Speech, scene::SPEECH)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_at_a_server_without_tickets() {
    let scene = Scene::new("openai", Clips::Speech, scene::OPENAI);
    is_killed(&scene.without_tickets(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_on_this_machine() {
    is_killed(&Scene::new("here", Clips::Demo, scene::HERE).moving()).await;
}
