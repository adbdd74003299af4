//! Whatever goes wrong on the way, every job is done once and answered once.

use super::harness::all_is_right;
use super::harness::plane;
use super::harness::settings;
use super::harness::start;
use super::harness::submit;
use super::harness::within;
use super::script::Script;
use crate::control_plane::Call;
use crate::control_plane::Fault;
use std::time::Duration;

type Faults<'a> = &'a [(Call, &'a [Fault])];

const FINE: Fault = Fault::Fine;
const SLOW: Fault = Fault::Slow(Duration::from_millis(60));
// Longer than a worker waits.
const SILENT: Fault = Fault::Slow(Duration::from_secs(3_600));

/// What goes wrong, and how often; behind the last fault of a call all goes well.
const TABLE: &[(&str, Faults<'_>)] = &[
    ("nothing", &[]),
    (
        "204",
        &[(Call::Take, &[Fault::Status(204), FINE, Fault::Status(204)])],
    ),
    (
        "400",
        &[(Call::Take, &[Fault::Status(400), FINE, Fault::Status(400)])],
    ),
    (
        "429",
        &[
            (Call::Take, &[Fault::Status(429), FINE, Fault::TooMany(20)]),
            (Call::Done, &[Fault::Status(429), FINE, Fault::TooMany(20)]),
            (Call::Stop, &[Fault::Status(429), Fault::TooMany(20)]),
            (Call::Ping, &[Fault::Status(429), Fault::TooMany(20)]),
        ],
    ),
    (
        "500",
        &[
            (Call::Take, &[Fault::Status(500), FINE, Fault::Status(502)]),
            (
                Call::Done,
                &[
                    Fault::Status(500),
                    Fault::Status(503),
                    FINE,
                    Fault::Status(502),
                ],
            ),
            (Call::Stop, &[Fault::Status(500)]),
            (Call::Ping, &[Fault::Status(500), FINE, Fault::Status(500)]),
        ],
    ),
    (
        "resets before anything is done",
        &[
            (Call::Take, &[Fault::Lost, FINE, Fault::Lost]),
            (Call::Done, &[Fault::Lost, Fault::Lost, FINE, Fault::Lost]),
            (Call::Stop, &[Fault::Lost]),
            (Call::Ping, &[Fault::Lost, FINE, Fault::Lost]),
        ],
    ),
    (
        "jobs that are lost on the way",
        &[(Call::Take, &[Fault::Cut, FINE, Fault::Cut])],
    ),
    (
        "halves of jobs",
        &[(Call::Take, &[Fault::Half, FINE, Fault::Half])],
    ),
    (
        "pages in place of jobs",
        &[(Call::Take, &[Fault::Page, FINE, Fault::Page])],
    ),
    (
        "jobs that come again",
        &[(Call::Take, &[FINE, Fault::Again, FINE, Fault::Again])],
    ),
    (
        "slow answers",
        &[
            (Call::Take, &[SLOW, FINE, SLOW]),
            (Call::Done, &[SLOW, SLOW, FINE, SLOW]),
        ],
    ),
    (
        "answers that are taken, and that is lost",
        &[(Call::Done, &[Fault::Cut, FINE, Fault::Cut, Fault::Cut])],
    ),
    (
        "answers that are taken, and nothing is said",
        &[(Call::Done, &[SILENT])],
    ),
    (
        "answers that are taken, which is lost, and are refused then",
        &[(
            Call::Done,
            &[
                Fault::CutThen(400),
                FINE,
                Fault::CutThen(404),
                Fault::CutThen(410),
            ],
        )],
    ),
    (
        "everything",
        &[
            (
                Call::Take,
                &[
                    Fault::Status(500),
                    FINE,
                    Fault::Lost,
                    Fault::Again,
                    Fault::Status(204),
                    Fault::Cut,
                    Fault::Status(400),
                    SLOW,
                    Fault::TooMany(10),
                    Fault::Page,
                ],
            ),
            (
                Call::Done,
                &[
                    Fault::Status(500),
                    Fault::Cut,
                    FINE,
                    Fault::Lost,
                    SLOW,
                    Fault::TooMany(10),
                    Fault::Cut,
                    Fault::Cut,
                    Fault::Status(503),
                ],
            ),
            (
                Call::Ping,
                &[Fault::Lost, FINE, Fault::Cut, Fault::Status(500)],
            ),
        ],
    ),
];

#[tokio::test]
async fn every_job_is_done_once_and_answered_once() {
    for (name, faults) in TABLE {
        for slots in [1, 3] {
            let name = format!("{name}, {slots} slots");
            let (plane, script) = (plane(faults).await, Script::new());
            submit(&plane, 8);
            let mut settings = settings(&plane, "w1");
            settings.slots = slots;
            let worker = start(&settings, &script);
            within(plane.until_all_are_through()).await;
            worker.end().await;
            all_is_right(&name, &plane, std::slice::from_ref(&script));
            let most = script.done().most;
            assert!(most <= slots, "{name}: {most} at once");
        }
    }
}

#[tokio::test]
async fn two_workers_of_one_queue_do_every_job_once() {
    for (name, faults) in TABLE {
        let plane = plane(faults).await;
        let scripts = [Script::new(), Script::new()];
        submit(&plane, 12);
        let workers = [
            start(&settings(&plane, "w1"), &scripts[0]),
            start(&settings(&plane, "w2"), &scripts[1]),
        ];
        within(plane.until_all_are_through()).await;
        for worker in workers {
            worker.end().await;
        }
        all_is_right(name, &plane, &scripts);
    }
}

// Which call meets what is drawn, the same for the same seed.
#[tokio::test]
async fn whatever_meets_whatever() {
    let all = [
        FINE,
        FINE,
        Fault::Status(204),
        Fault::Status(500),
        Fault::TooMany(5),
        Fault::Lost,
        Fault::Cut,
        SLOW,
    ];
    for seed in 0..6_u64 {
        let mut state = seed;
        let mut draw = |count: usize, of: &[Fault]| {
            let one = |_| {
                // Knuth's MMIX; the high bits are the good ones.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                of[(state >> 33) as usize % of.len()]
            };
            (0..count).map(one).collect::<Vec<Fault>>()
        };
        // A job that is lost on the way twice is given up by the platform.
        let takes = draw(20, &all[..6]);
        let done = draw(40, &[&all[..2], &all[3..]].concat());
        let pings = draw(20, &all[3..6]);
        let faults: Faults<'_> = &[
            (Call::Take, &takes),
            (Call::Done, &done),
            (Call::Ping, &pings),
        ];
        let plane = plane(faults).await;
        let scripts = [Script::new(), Script::new()];
        submit(&plane, 20);
        let mut more = settings(&plane, "w2");
        more.slots = 2;
        let workers = [
            start(&settings(&plane, "w1"), &scripts[0]),
            start(&more, &scripts[1]),
        ];
        within(plane.until_all_are_through()).await;
        for worker in workers {
            worker.end().await;
        }
        all_is_right(&format!("seed {seed}"), &plane, &scripts);
    }
}
