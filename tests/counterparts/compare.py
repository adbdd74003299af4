"""Compares what `vpipe compare` finds with what others compute: which box is which by scipy's assignment, words by jiwer.

    python compare.py VPIPE     needs compare.txt installed; exits with 1 if anything differs

Boxes and words are drawn at random, from a seed. The weights of a pair are those of src/output/README.md.
"""

import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import jiwer
import numpy
from scipy.optimize import linear_sum_assignment

RESULTS = pathlib.Path(__file__).parents[1] / "cli/compare/results.json"
SCENES = 400
TRANSCRIPTS = 60
WORDS = "a b c d e red green circle square moves turns left right".split()


def boxes(draw, count):
    """Boxes that overlap much: all within 500 pixels."""
    found = []
    for _ in range(count):
        x, y = draw.randint(0, 400), draw.randint(0, 400)
        wide, high = draw.randint(20, 120), draw.randint(20, 120)
        found.append(([x, y, x + wide, y + high], draw.choice(["person", "car", "dog"])))
    return found


def moved(draw, found):
    """The same boxes, most of them, in another order and somewhat elsewhere."""
    kept = [it for it in found if draw.random() < 0.85]
    shifted = []
    for box, name in kept:
        by = draw.choice([2, 10, 40])
        box = [side + draw.randint(-by, by) for side in box]
        x, y = sorted([box[0], box[2]]), sorted([box[1], box[3]])
        name = draw.choice(["person", "car", "dog"]) if draw.random() < 0.1 else name
        shifted.append(([x[0], y[0], x[1] + 1, y[1] + 1], name))
    draw.shuffle(shifted)
    return shifted


def entry(number, found):
    objects = [
        {"bbox": box, "class": 0, "class_name": name, "confidence": 0.5} for box, name in found
    ]
    return {
        "timestamp": float(number),
        "frame_number": number,
        "detections": objects,
        "count": len(objects),
    }


def iou(a, b):
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def weight(old, new):
    overlap = iou(old[0], new[0])
    if old[1] == new[1]:
        return overlap if overlap >= 0.1 else 0
    return overlap / 2 if overlap >= 0.5 else 0


def best(old, new, of):
    weights = numpy.array([[of(a, b) for b in new] for a in old]).reshape(len(old), len(new))
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return weights[rows, columns].sum()


def compare(vpipe, old, new, *options):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, results in (("old.json", old), ("new.json", new)):
            path = pathlib.Path(folder, name)
            path.write_text(json.dumps(results))
            paths.append(str(path))
        words = [vpipe, "compare", *paths, "--json", *options]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 5):
        sys.exit(done.stderr or done.stdout)
    return json.loads(done.stdout)["comparison"]


def check_boxes(vpipe, base, draw):
    scenes = [boxes(draw, draw.randint(0, 40)) for _ in range(SCENES)] + [boxes(draw, 300)]
    pairs = [(scene, moved(draw, scene)) for scene in scenes]
    sides = [
        dict(base, detections=[entry(at, pair[side]) for at, pair in enumerate(pairs)], stages={})
        for side in (0, 1)
    ]
    # Where nothing but the same box is the same, every other pair is told, with its overlap.
    changes = collections.defaultdict(list)
    for change in compare(vpipe, *sides, "--iou", "1")["changes"]:
        changes[change.get("frame_number")].append(change)
    for at, (old, new) in enumerate(pairs):
        share = {"object-moved": 1, "class-changed": 0.5}
        found = sum(it["iou"] * share.get(it["change"], 0) for it in changes[at] if "iou" in it)
        told = [it["change"] for it in changes[at]]
        paired = told.count("object-moved") + told.count("class-changed")
        same = len(old) - paired - told.count("object-lost")
        wanted = best(old, new, weight)
        if abs(found + same - wanted) > 1e-6:
            yield f"scene {at}: {found + same} where scipy has {wanted}"
    # Else as many as can be are the same.
    changes.clear()
    for change in compare(vpipe, *sides)["changes"]:
        changes[change.get("frame_number")].append(change["change"])
    for at, (old, new) in enumerate(pairs):
        told = collections.Counter(changes[at])
        others = told["object-moved"] + told["class-changed"] + told["object-lost"]

        def is_same(a, b):
            return int(a[1] == b[1] and iou(a[0], b[0]) >= 0.9)

        wanted = round(best(old, new, is_same))
        if len(old) - others != wanted:
            yield f"scene {at}: {len(old) - others} are the same, by scipy {wanted}"
    print(f"{len(pairs)} scenes with {sum(len(old) for old, _ in pairs)} boxes")


def check_words(vpipe, base, draw):
    edits = 0
    for _ in range(TRANSCRIPTS):
        texts = []
        old = draw.choices(WORDS, k=draw.randint(1, 200))
        new = [word for word in old if draw.random() > 0.1]
        for _ in range(draw.randint(0, 20)):
            new.insert(draw.randint(0, len(new)), draw.choice(WORDS))
        texts = [" ".join(old), " ".join(new)]
        sides = []
        for text in texts:
            segment = dict(base["transcription"]["segments"][1], text=text)
            sides.append(dict(base, transcription=dict(base["transcription"], segments=[segment])))
        found = compare(vpipe, *sides)["words"]
        wanted = jiwer.process_words(*texts)
        wanted = wanted.substitutions + wanted.insertions + wanted.deletions
        edits += wanted
        if found["edits"] != wanted:
            yield f"{found['edits']} edits where jiwer has {wanted}: {texts}"
    print(f"{TRANSCRIPTS} transcripts with {edits} edits")


def main(vpipe):
    base = json.loads(RESULTS.read_text())
    draw = random.Random(16)
    wrong = [*check_boxes(vpipe, base, draw), *check_words(vpipe, base, draw)]
    sys.exit("\n".join(wrong) or None)


main(*sys.argv[1:])
