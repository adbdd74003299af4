"""Scenes with known identities: shapes that move as those of the demo clip do, and what a detector says of them.

A scene is made from its name, a seed and a rate of frames, and is the same wherever it is made. The motion is
computed over time, so the same scene at another rate is the same scene looked at less often. What the detector
misses and where its boxes lie is drawn anew for each frame.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

WIDTH, HEIGHT = 1280, 720
SECONDS = 30
MISSED = 0.2  # of the boxes that could be found
JITTER = 0.05  # of the size of a box: the standard deviation of its centre and of its sides
CLUTTER = 0.1  # boxes around nothing, a frame
SEEN = 0.3  # the share of a shape that must be visible for it to count

NAMES = ("crossings", "occlusion", "returning", "equal", "panning", "mixed", "traffic")


@dataclass
class Shape:
    """One thing: it moves straight, and turns where its `legs` say."""

    id: int
    kind: int
    size: tuple[float, float]
    # (from second, x, y, speed across, speed down)
    legs: list[tuple[float, float, float, float, float]]
    # Moves up and down besides, as a thing does that walks.
    sway: float = 0.0
    # Comes nearer and goes away again: the share of its size that it grows and shrinks by.
    swell: float = 0.0

    def box(self, t: float, camera: tuple[float, float]) -> list[float]:
        leg = [leg for leg in self.legs if leg[0] <= t][-1]
        start, x, y, vx, vy = leg
        x += vx * (t - start) - camera[0]
        y += vy * (t - start) - camera[1] + self.sway * math.sin(2.1 * t + self.id)
        scale = 1 + self.swell * math.sin(0.9 * t + 2 * self.id)
        w, h = self.size[0] * scale, self.size[1] * scale
        return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


@dataclass
class Scene:
    """Shapes, from back to front, what hides them, and how the camera moves."""

    shapes: list[Shape]
    walls: list[list[float]] = field(default_factory=list)
    pan: float = 0.0

    def camera(self, t: float) -> tuple[float, float]:
        # There and back, slower at the turns, as a hand pans.
        return (self.pan * 4 * math.sin(t / 4), self.pan * math.sin(t / 3))


def wander(rng: random.Random, id: int, kind: int, slow: float, fast: float) -> Shape:
    """A shape that stays within the picture: it turns at its borders, and sometimes in between."""
    side = rng.uniform(60, 180)
    size = (side * rng.uniform(0.8, 1.25), side)
    x, y = rng.uniform(100, WIDTH - 100), rng.uniform(100, HEIGHT - 100)
    speed, angle = rng.uniform(slow, fast), rng.uniform(0, 2 * math.pi)
    vx, vy = speed * math.cos(angle), speed * math.sin(angle)
    legs, t = [(0.0, x, y, vx, vy)], 0.0
    while t < SECONDS:
        until = t + rng.uniform(3, 8)
        turned = False
        while t < until and not turned:
            t += 1 / 30
            x, y = x + vx / 30, y + vy / 30
            if (x < 80 and vx < 0) or (x > WIDTH - 80 and vx > 0):
                vx, turned = -vx, True
            if (y < 80 and vy < 0) or (y > HEIGHT - 80 and vy > 0):
                vy, turned = -vy, True
        if not turned:
            angle = math.atan2(vy, vx) + rng.gauss(0, 0.5)
            vx, vy = speed * math.cos(angle), speed * math.sin(angle)
        legs.append((t, x, y, vx, vy))
    return Shape(id, kind, size, legs, rng.uniform(0, 6), rng.uniform(0, 0.3))


def line(id: int, kind: int, side: float, start: float, end: float, a: tuple, b: tuple) -> list:
    """The legs of a way from `a` to `b`, seconds `start` to `end`."""
    seconds = end - start
    return [(start, a[0], a[1], (b[0] - a[0]) / seconds, (b[1] - a[1]) / seconds)]


def crossings(rng: random.Random) -> Scene:
    shapes = []
    for pair in range(5):
        y = 100 + 130 * pair
        kind = rng.randrange(6)
        other = kind if rng.random() < 0.5 else rng.randrange(6)
        for side, kind in ((-1, kind), (1, other)):
            legs, t, here = [], 0.0, side
            while t < SECONDS:
                seconds = rng.uniform(5, 11)
                x = WIDTH / 2 + here * 480
                legs.append((t, x, y + here * rng.uniform(10, 25), -here * 960 / seconds, 0.0))
                t, here = t + seconds, -here
            size = rng.uniform(70, 120)
            shapes.append(Shape(len(shapes), kind, (size, size), legs, rng.uniform(0, 4)))
    return Scene(shapes)


def occlusion(rng: random.Random) -> Scene:
    scene = Scene([wander(rng, id, rng.randrange(3), 20, 60) for id in range(3)])
    wall = [520.0, 0.0, 760.0, float(HEIGHT)]
    scene.walls.append(wall)
    for row in range(5):
        # Hidden for one second: as long as it needs for the wall less what of it looks out.
        size = rng.uniform(70, 110)
        speed = wall[2] - wall[0] - size * (1 - 2 * SEEN)
        legs, t, here = [], rng.uniform(-2, 0), rng.choice((-1, 1))
        while t < SECONDS:
            seconds = 1000 / speed
            legs.append((t, 640 + here * 500, 90 + 135 * row, -here * speed, 0.0))
            t, here = t + seconds, -here
        scene.shapes.append(Shape(len(scene.shapes), rng.randrange(3), (size, size), legs))
    return scene


def returning(rng: random.Random) -> Scene:
    scene = Scene([wander(rng, id, rng.randrange(3), 20, 120) for id in range(4)])
    for row in range(4):
        # Out at a side and back there, after 1 to 2 s.
        size = rng.uniform(70, 130)
        speed, side = rng.uniform(80, 200), rng.choice((-1, 1))
        edge = WIDTH / 2 + side * (WIDTH / 2 + size / 2)
        legs, t = [], 0.0
        x = edge - side * rng.uniform(200, 500)
        while t < SECONDS:
            out = abs(edge - x) / speed + rng.uniform(0.5, 1)
            legs.append((t, x, 120 + 160 * row, side * speed, 0.0))
            t, x = t + out, x + side * speed * out
            back = rng.uniform(400, 700) / speed
            legs.append((t, x, 120 + 160 * row, -side * speed, 0.0))
            t, x = t + back, x - side * speed * back
        scene.shapes.append(Shape(len(scene.shapes), rng.randrange(3), (size, size), legs))
    return scene


def equal(rng: random.Random) -> Scene:
    return Scene([wander(rng, id, 0, 20, 200) for id in range(12)])


def panning(rng: random.Random) -> Scene:
    shapes = [wander(rng, id, rng.randrange(6), 0, 80) for id in range(12)]
    return Scene(shapes, pan=rng.uniform(60, 140))


def mixed(rng: random.Random) -> Scene:
    shapes = [wander(rng, id, rng.randrange(6), 20, 240) for id in range(10)]
    return Scene(shapes, walls=[[300.0, 0.0, 420.0, float(HEIGHT)]])


def traffic(rng: random.Random) -> Scene:
    """Equal things that pass through one after the other, each once: one that has left does not come back."""
    shapes = []
    for lane in range(5):
        way, speed, t = rng.choice((-1, 1)), rng.uniform(90, 260), rng.uniform(-6, 0)
        size = rng.uniform(70, 120)
        while t < SECONDS:
            side = size * rng.uniform(0.85, 1.15)
            start = WIDTH / 2 - way * (WIDTH / 2 + side / 2)
            gone = t + (WIDTH + side) / speed
            x = start + way * (WIDTH + side)
            legs = [(-10.0, start, 90 + 135 * lane, 0.0, 0.0), (t, start, 90 + 135 * lane, way * speed, 0.0)]
            legs.append((gone, x, 90 + 135 * lane, 0.0, 0.0))
            shapes.append(Shape(len(shapes), 0, (side, side), legs, rng.uniform(0, 3)))
            t += side / speed * rng.uniform(1.6, 5)
    return Scene(shapes)


def overlap(a: list[float], b: list[float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def visible(box: list[float], front: list[list[float]]) -> float:
    """The share of a box that is in the picture and behind nothing, by a grid of 12 x 12 points."""
    count = 0
    for row in range(12):
        y = box[1] + (row + 0.5) / 12 * (box[3] - box[1])
        for column in range(12):
            x = box[0] + (column + 0.5) / 12 * (box[2] - box[0])
            inside = 0 <= x < WIDTH and 0 <= y < HEIGHT
            count += inside and not any(f[0] <= x < f[2] and f[1] <= y < f[3] for f in front)
    return count / 144


def within(box: list[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [max(x1, 0.0), max(y1, 0.0), min(x2, float(WIDTH)), min(y2, float(HEIGHT))]


def found(rng: random.Random, box: list[float], share: float) -> tuple[list[float], float]:
    """What a detector says of a shape of which `share` is visible."""
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = (box[0] + box[2]) / 2 + rng.gauss(0, JITTER * w), (box[1] + box[3]) / 2 + rng.gauss(0, JITTER * h)
    w, h = w * math.exp(rng.gauss(0, JITTER)), h * math.exp(rng.gauss(0, JITTER))
    confidence = min(0.98, max(0.1, rng.gauss(0.75, 0.12) - 0.6 * (1 - share)))
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2], confidence


def frames(name: str, seed: int, fps: int) -> list[dict]:
    """The frames of a scene: `seconds`, `truth` (id, bbox) and `boxes` (bbox, class, confidence)."""
    scene = globals()[name](random.Random(f"{name} {seed}"))
    rng = random.Random(f"{name} {seed} at {fps}")
    made = []
    for index in range(SECONDS * fps):
        t = index / fps
        camera = scene.camera(t)
        walls = [[w[0] - camera[0], w[1], w[2] - camera[0], w[3]] for w in scene.walls]
        all_boxes = [shape.box(t, camera) for shape in scene.shapes]
        truth, boxes = [], []
        for place, shape in enumerate(scene.shapes):
            box = all_boxes[place]
            front = [it for it in all_boxes[place + 1 :] + walls if overlap(box, it) > 0]
            share = visible(box, front)
            if share < SEEN:
                continue
            box = within(box)
            truth.append({"id": shape.id, "bbox": [round(v, 2) for v in box]})
            if rng.random() >= MISSED:
                bbox, confidence = found(rng, box, share)
                boxes.append((shape.kind, bbox, confidence))
        if rng.random() < CLUTTER:
            x, y, side = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(40, 160)
            bbox = [x - side / 2, y - side / 2, x + side / 2, y + side / 2]
            boxes.append((rng.randrange(6), bbox, rng.uniform(0.1, 0.5)))
        boxes.sort(key=lambda it: -it[2])
        made.append(
            {
                "seconds": round(t, 6),
                "truth": truth,
                "boxes": [
                    {"class": kind, "bbox": [round(v, 2) for v in bbox], "confidence": round(confidence, 4)}
                    for kind, bbox, confidence in boxes
                ],
            }
        )
    return made
