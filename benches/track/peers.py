"""The trackers of others on the same scenes, and the scores of all.

    python peers.py scenes FOLDER SEEDS    writes the scenes, one file each
    python peers.py score FOLDER           tracks them, reads the `tracks` that vpipe has written, prints a table

Needs: motmetrics, supervision, ultralytics, lap (requirements.txt).
"""

import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np

import scenes

RATES = (30, 10, 5, 2, 1)
# Seeds from 0 are those that the defaults were chosen on; scores are told of these.
HELD_OUT = 100
LOWEST, NEW = 0.1, 0.25  # the defaults of Ultralytics
BUFFER = 5.0  # seconds that vpipe looks for a thing, and the others in rows of their own


def write(folder: Path, seeds: int) -> None:
    for name in scenes.NAMES:
        for fps in RATES:
            for seed in range(HELD_OUT, HELD_OUT + seeds):
                scene = {"name": name, "fps": fps, "frames": scenes.frames(name, seed, fps)}
                (folder / f"{name}-{fps}-{seed}.scene.json").write_text(json.dumps(scene))


def arrays(frame: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes = frame["boxes"]
    xyxy = np.array([box["bbox"] for box in boxes], dtype=np.float32).reshape(-1, 4)
    confidence = np.array([box["confidence"] for box in boxes], dtype=np.float32)
    return xyxy, confidence, np.array([box["class"] for box in boxes], dtype=int)


def supervision(fps: int, frames: list[dict], seconds: float | None = None) -> list[list[int | None]]:
    import supervision as sv

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracker = sv.ByteTrack(
            track_activation_threshold=NEW,
            # Frames of a video of 30 a second: it counts as many of the `frame_rate` as pass in that time.
            lost_track_buffer=30 if seconds is None else round(30 * seconds),
            minimum_matching_threshold=0.8,
            frame_rate=fps,
        )
    made = []
    for frame in frames:
        xyxy, confidence, kinds = arrays(frame)
        place = np.arange(len(xyxy))
        found = sv.Detections(xyxy=xyxy, confidence=confidence, class_id=kinds, data={"place": place})
        tracked = tracker.update_with_detections(found)
        ids = [None] * len(xyxy)
        if len(tracked):
            for at, id in zip(tracked.data["place"], tracked.tracker_id):
                ids[int(at)] = int(id)
        made.append(ids)
    return made


class Boxes:
    """What the trackers of Ultralytics take."""

    def __init__(self, xyxy, conf, cls):
        self.xyxy, self.conf, self.cls = xyxy, conf, cls

    def __len__(self):
        return len(self.conf)

    def __getitem__(self, at):
        return Boxes(self.xyxy[at], self.conf[at], self.cls[at])

    @property
    def xywh(self):
        sides = self.xyxy[:, 2:] - self.xyxy[:, :2]
        return np.concatenate([self.xyxy[:, :2] + sides / 2, sides], axis=1)


def ultralytics(kind: str, fps: int, frames: list[dict], seconds: float | None = None) -> list[list[int | None]]:
    from ultralytics.trackers.basetrack import BaseTrack
    from ultralytics.trackers.bot_sort import BOTSORT
    from ultralytics.trackers.byte_tracker import BYTETracker

    args = types.SimpleNamespace(
        track_high_thresh=0.25, track_low_thresh=LOWEST, new_track_thresh=NEW, match_thresh=0.8, fuse_score=True
    )
    # As it is delivered: 30 frames, at any rate; or as many as `seconds` have.
    args.track_buffer = 30 if seconds is None else max(1, round(seconds * fps))
    # Without pictures there is neither optical flow nor appearance.
    args.gmc_method, args.with_reid, args.proximity_thresh, args.appearance_thresh = "none", False, 0.5, 0.8
    args.model = "auto"
    BaseTrack.reset_id()
    tracker = {"bytetrack": BYTETracker, "botsort": BOTSORT}[kind](args)
    made = []
    for frame in frames:
        boxes = Boxes(*arrays(frame))
        tracked = tracker.update(boxes, np.zeros((scenes.HEIGHT, scenes.WIDTH, 3), np.uint8))
        ids = [None] * len(boxes)
        for row in np.asarray(tracked).reshape(-1, 8):
            ids[int(row[7])] = int(row[4])
        made.append(ids)
    return made


def distances(truth: list, mine: list) -> np.ndarray:
    """One less the overlap of each pair of boxes; no number where it is below one half."""
    a = np.array(truth, dtype=float).reshape(-1, 1, 4)
    b = np.array(mine, dtype=float).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.prod(np.clip(sides, 0, None), axis=-1)
    area = [np.prod(it[..., 2:] - it[..., :2], axis=-1) for it in (a, b)]
    overlap = both / np.maximum(area[0] + area[1] - both, 1e-9)
    return np.where(overlap < 0.5, np.nan, 1 - overlap)


def accumulate(frames: list[dict], tracks: list[list[int | None]]):
    import motmetrics

    told = motmetrics.MOTAccumulator(auto_id=True)
    for frame, ids in zip(frames, tracks, strict=True):
        mine = [(id, box["bbox"]) for id, box in zip(ids, frame["boxes"], strict=True) if id is not None]
        truth = frame["truth"]
        distance = distances([it["bbox"] for it in truth], [bbox for _, bbox in mine])
        told.update([it["id"] for it in truth], [id for id, _ in mine], distance)
    return told


def scores(told: dict) -> dict[str, float]:
    """IDF1, MOTA and switches over all of some scenes, by name."""
    import motmetrics

    host = motmetrics.metrics.create()
    table = host.compute_many(
        list(told.values()), metrics=["idf1", "mota", "num_switches"], names=list(told), generate_overall=True
    )
    return table.loc["OVERALL"]


def score(folder: Path) -> None:
    peers = {
        "vpipe": None,
        "supervision ByteTrack": supervision,
        "Ultralytics ByteTrack": lambda fps, frames: ultralytics("bytetrack", fps, frames),
        "Ultralytics BoT-SORT": lambda fps, frames: ultralytics("botsort", fps, frames),
        "supervision ByteTrack, 5 s": lambda fps, frames: supervision(fps, frames, BUFFER),
        "Ultralytics ByteTrack, 5 s": lambda fps, frames: ultralytics("bytetrack", fps, frames, BUFFER),
        "Ultralytics BoT-SORT, 5 s": lambda fps, frames: ultralytics("botsort", fps, frames, BUFFER),
    }
    told: dict = {}
    for path in sorted(folder.glob("*.scene.json")):
        scene = json.loads(path.read_text())
        frames, fps = scene["frames"], scene["fps"]
        for peer, track in peers.items():
            if track is None:
                for written in folder.glob(path.name.replace(".scene.json", ".*.tracks.json")):
                    method = written.name.split(".")[-3]
                    made = json.loads(written.read_text())
                    told.setdefault((f"vpipe {method}", fps), {})[path.stem] = accumulate(frames, made)
            else:
                told.setdefault((peer, fps), {})[path.stem] = accumulate(frames, track(fps, frames))
    names = sorted({peer for peer, _ in told}, key=lambda name: (not name.startswith("vpipe"), name))
    for what, title, form in (
        ("idf1", "IDF1, in %", lambda v: f"{100 * v:.1f}"),
        ("mota", "MOTA, in %", lambda v: f"{100 * v:.1f}"),
        ("num_switches", "switches", lambda v: f"{v:.0f}"),
    ):
        print(f"| {title} | " + " | ".join(f"{fps} fps" for fps in RATES) + " |")
        print("|---" * (len(RATES) + 1) + "|")
        for name in names:
            cells = [form(scores(told[name, fps])[what]) for fps in RATES if (name, fps) in told]
            print(f"| {name} | " + " | ".join(cells) + " |")
        print()
    if "--scenes" in sys.argv:
        for scene in scenes.NAMES:
            for name in names:
                row = []
                for fps in RATES:
                    of = {key: it for key, it in told[name, fps].items() if key.startswith(scene)}
                    row.append(f"{100 * scores(of)['idf1']:.1f}")
                print(f"| {scene} | {name} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "scenes":
        write(folder, int(sys.argv[3]))
    else:
        score(folder)
