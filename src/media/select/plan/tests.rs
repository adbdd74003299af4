//! Plans of packets that are written as a line of text.

use super::GopPart;
use super::PacketInfo;
use super::Planner;
use super::Unplannable;
use crate::item::PixelFormat;
use crate::media::Mode;
use crate::media::VideoSelection;
use crate::media::select::selection::KnownFrames;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;

// `I0 P3 b1 b2`: I starts, b is a leaf, x is not shown; a number is a time stamp and a name.
fn entry(text: &str) -> PacketInfo<i64> {
    let (kind, number) = text.split_at(1);
    let number = number.parse().unwrap();
    PacketInfo {
        packet: number,
        bytes: 1,
        pts: Pts(number),
        is_shown: kind != "x",
        is_start: kind == "I",
        is_leaf: kind == "b",
    }
}

fn planner(every: i64, mode: Mode) -> Planner<i64> {
    let fps = Ratio::new(1, every).unwrap();
    let mut wanted = VideoSelection::new(fps, 64, PixelFormat::I420);
    wanted.mode = mode;
    let rules = wanted.rules(TimeBase::new(1, 1).unwrap(), Pts(0));
    Planner::new(rules, &wanted, true)
}

fn parts(every: i64, mode: Mode, file: &str) -> Result<Vec<GopPart<i64>>, Unplannable> {
    let mut planner = planner(every, mode);
    let mut parts = Vec::new();
    let mut end = 0;
    for text in file.split_whitespace() {
        let entry = entry(text);
        end = end.max(entry.pts.0 + 1);
        parts.extend(planner.push(entry)?);
    }
    parts.extend(planner.end(Some(Pts(end)))?);
    Ok(parts)
}

// `0 3* 2*, 6*`: what is decoded, a star on what is wanted, groups between commas.
fn plan(every: i64, file: &str) -> String {
    let parts = parts(every, Mode::Exact, file).unwrap();
    assert!(parts.iter().all(|part| part.opens && part.closes));
    let of = |part: GopPart<i64>| {
        let wanted: Vec<_> = part.targets.iter().map(|it| it.place.pts.0).collect();
        let star = |it: &i64| if wanted.contains(it) { "*" } else { "" };
        let names = part.packets.iter().map(|it| format!("{it}{}", star(it)));
        names.collect::<Vec<_>>().join(" ")
    };
    parts.into_iter().map(of).collect::<Vec<_>>().join(", ")
}

#[test]
fn groups_without_a_sample_tails_and_leaves_are_left_out() {
    let file = "I0 P3 b1 b2 P6 b4 b5 I7 P8 P9 I10 P13 b11 b12 P14 I15 P16";
    assert_eq!(plan(5, file), "0* 3 6 5*, 10*, 15*");
    assert_eq!(plan(12, file), "0*, 10 13 12*");
    assert_eq!(plan(100, file), "0*");
    assert_eq!(plan(1, "I0 I1 I2"), "0*, 1*, 2*");
}

#[test]
fn frames_before_the_next_start_are_decoded_with_it() {
    // Those shown before I9 and coded after it are predicted from P6 and I9.
    let file = "I0 P3 b1 b2 P6 b4 b5 I9 b7 b8 P12 b10 b11 I15 b13 b14 P18";
    assert_eq!(plan(7, file), "0* 3 6 9 7*, 9 12 15 14*");
    assert_eq!(plan(9, file), "0*, 9*, 15 18*");
    let hierarchy = "I0 P8 B4 b2 b6 I16 B12 b10 b14 P24 B20 b18 b22";
    assert_eq!(plan(10, hierarchy), "0* 8 4 16 12 10*, 16 24 20*");
    assert_eq!(plan(12, hierarchy), "0* 8 4 16 12*, 16 24*");
}

// As `plan`, where nobody needs to see `known`; what is only there to keep its place stands
// behind a bar.
fn plan_without(every: i64, known: &'static [i64], file: &str) -> String {
    let mut planner = planner(every, Mode::Exact);
    planner.known = Some(KnownFrames::new(|pts| known.contains(&pts.0)));
    let mut parts = Vec::new();
    let entries: Vec<_> = file.split_whitespace().map(entry).collect();
    let end = entries.iter().map(|entry| entry.pts.0 + 1).max().unwrap();
    for entry in entries {
        parts.extend(planner.push(entry).unwrap());
    }
    parts.extend(planner.end(Some(Pts(end))).unwrap());
    let names = |names: Vec<i64>| names.iter().map(i64::to_string).collect::<Vec<_>>();
    let of = |part: GopPart<i64>| {
        let targets = part.targets.iter();
        let known = targets.filter(|it| it.is_known).map(|it| it.place.pts.0);
        let known = names(known.collect()).join(" ");
        format!("{} | {known}", names(part.packets).join(" "))
    };
    let parts: Vec<String> = parts.into_iter().map(of).collect();
    parts.join(", ").trim().to_owned()
}

#[test]
fn what_nobody_needs_to_see_is_not_decoded_for_itself() {
    let file = "I0 P3 b1 b2 P6 b4 b5 I7 P8 P9 I10 P13 b11 b12 P14 I15 P16";
    assert_eq!(plan(5, file), "0* 3 6 5*, 10*, 15*");
    assert_eq!(plan_without(5, &[10], file), "0 3 6 5 | ,  | 10, 15 |");
    assert_eq!(plan_without(5, &[5, 15], file), "0 | 5, 10 | ,  | 15");
    assert_eq!(plan_without(5, &[0], file), "0 3 6 5 | 0, 10 | , 15 |");
    assert_eq!(
        plan_without(5, &[0, 5, 10, 15], file),
        "| 0 5,  | 10,  | 15"
    );
    // A leaf that is known lies before what is not.
    assert_eq!(plan_without(2, &[2], "I0 P3 b1 b2 P4"), "0 3 4 | 2");
    // One of the next group that is shown before it.
    let open = "I0 P3 b1 b2 P6 b4 b5 I9 b7 b8 P12 b10 b11 I15 b13 b14 P18";
    assert_eq!(plan(7, open), "0* 3 6 9 7*, 9 12 15 14*");
    assert_eq!(plan_without(7, &[7], open), "0 | 7, 9 12 15 14 |");
}

#[test]
fn known_frames_keep_their_places_in_a_group_without_end() {
    let known = |pts: Pts| pts.0 % 200 == 0;
    let mut planner = planner(100, Mode::Exact);
    planner.known = Some(KnownFrames::new(known));
    let mut parts = planner.push(entry("I0")).unwrap();
    // P3 b1 b2 P6 b4 b5 ...
    for number in 0..1_700 {
        let first = number * 3;
        for text in [format!("P{}", first + 3), format!("b{}", first + 1)] {
            parts.extend(planner.push(entry(&text)).unwrap());
        }
        let last = format!("b{}", first + 2);
        parts.extend(planner.push(entry(&last)).unwrap());
    }
    parts.extend(planner.end(Some(Pts(5_101))).unwrap());
    let mut shown = Vec::new();
    for part in &parts {
        let targets = part.targets.iter();
        let mut part: Vec<_> = targets.map(|it| (it.place.pts, it.is_known)).collect();
        part.sort_unstable();
        shown.extend(part);
    }
    let expected = (0..=5_100)
        .step_by(100)
        .map(|pts| (Pts(pts), known(Pts(pts))));
    assert!(shown.into_iter().eq(expected));
}

#[test]
fn hidden_packets_are_decoded_and_not_counted() {
    let parts = parts(4, Mode::Exact, "x-3 x-2 x-1 P0 P1 P2 P3 P4").unwrap();
    assert_eq!(parts[0].packets, [-3, -2, -1, 0, 1, 2, 3, 4]);
    let numbers: Vec<_> = parts[0].targets.iter().map(|it| it.place.number).collect();
    assert_eq!(numbers, [0, 4]);
}

#[test]
fn keyframes_are_groups_of_one() {
    let file = "I0 P1 P2 I3 P4 P5 I6 P7 P8 I9 P10 P11";
    let parts = parts(5, Mode::Keyframes, file).unwrap();
    let packets: Vec<_> = parts.iter().map(|part| part.packets.clone()).collect();
    assert_eq!(packets, [[0], [6], [9]]);
    assert_eq!(parts[1].targets[0].place.number, 6);
}

#[test]
fn contradictions_are_seen() {
    assert_eq!(parts(1, Mode::Exact, "I0 P1 P1 P2"), Err(Unplannable));
    let mut late = "I0".to_owned();
    (5..50).for_each(|pts| late += &format!(" P{pts}"));
    assert_eq!(
        parts(1, Mode::Exact, &format!("{late} P1")),
        Err(Unplannable)
    );
    assert_eq!(parts(1, Mode::Exact, ""), Err(Unplannable));
}

#[test]
fn a_group_without_end_is_given_out_in_parts() {
    let mut planner = planner(100, Mode::Exact);
    let mut parts = planner.push(entry("I0")).unwrap();
    for pts in 1..5000 {
        parts.extend(planner.push(entry(&format!("P{pts}"))).unwrap());
        assert!(planner.slots.len() < 700);
    }
    parts.extend(planner.end(Some(Pts(5000))).unwrap());
    assert!(parts.len() > 5);
    assert!(parts[0].opens && !parts[0].closes);
    assert!(parts[1..].iter().all(|part| !part.opens));
    assert!(parts.last().unwrap().closes);
    let packets: Vec<_> = parts
        .iter()
        .flat_map(|part| &part.packets)
        .copied()
        .collect();
    assert!(packets.into_iter().eq(0..=4900));
    let targets = parts.iter().flat_map(|part| &part.targets);
    assert!(targets.map(|it| it.place.pts.0).eq((0..5000).step_by(100)));
}
