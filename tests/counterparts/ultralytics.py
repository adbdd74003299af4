"""Compares the boxes of vpipe with those of Ultralytics' own predict: same frames, same ONNX.

Not run by CI: it needs `ultralytics` (AGPL, so only in a throw-away environment), `onnx`,
`onnxruntime` and, to train, some ten minutes of two cores.

    python ultralytics.py train WORK              three small models on drawn scenes, as ONNX
    python ultralytics.py compare MODEL.onnx ...  boxes side by side; exits with 1 if they differ

Without pretrained weights a few minutes of training give a model that finds something to
compare; how good it is does not matter. `compare` draws frames of many sizes into a
temporary folder, or takes those of `--frames DIR`, and gives them to `vpipe run`, built with
`cargo build --release`. Results have corners to 0.01 px and confidences to 0.0001.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

# This file is called as the package is.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "src/backends/models/demo"))

FAMILIES = {"yolov8n": {}, "yolov10n": {"nms": False}, "yolo11n": {}}  # nms=False: v10's end-to-end head
SIZES = [(640, 360), (500, 333), (333, 500), (320, 320), (1280, 720), (101, 77), (720, 404), (641, 481)]


def draw_training_set(root, count):
    import scenes

    for split, first, n in [("train", 900_000, count), ("val", 990_000, 24)]:
        images, labels = root / "images" / split, root / "labels" / split
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            image, rows = scenes.still(first + i)
            side = image.shape[0]
            cv2.imwrite(str(images / f"{i:05}.png"), image[:, :, ::-1])
            lines = [
                f"{int(k)} {(x1 + x2) / 2 / side} {(y1 + y2) / 2 / side} {(x2 - x1) / side} {(y2 - y1) / side}\n"
                for k, x1, y1, x2, y2, _ in rows
            ]
            (labels / f"{i:05}.txt").write_text("".join(lines))
    names = ["circle", "square", "triangle", "star", "cross", "ring"]
    data = {"path": str(root.resolve()), "train": "images/train", "val": "images/val", "names": names}
    (root / "data.yaml").write_text(json.dumps(data))


def train(work):
    from ultralytics import YOLO

    draw_training_set(work / "scenes", 1200)
    for family, export in FAMILIES.items():
        model = YOLO(f"{family}.yaml")
        # Small frames and small batches: what counts in a few minutes is the number of steps.
        model.train(
            data=str(work / "scenes/data.yaml"), imgsz=160, batch=8, nbs=8, epochs=4, workers=0, device="cpu", seed=0,
            optimizer="AdamW", lr0=0.002, warmup_epochs=0.3, warmup_bias_lr=0.002, mosaic=0, close_mosaic=0, erasing=0,
            scale=0.2, amp=False, val=False, plots=False, project=str(work.resolve() / "runs"), name=family,
            exist_ok=True,
        )  # fmt: skip
        model = YOLO(work / "runs" / family / "weights/last.pt")
        pathlib.Path(model.export(format="onnx", imgsz=320, **export)).rename(work / f"{family}.onnx")


def draw_frames(folder):
    import scenes

    for i in range(48):
        w, h = SIZES[i % len(SIZES)]
        rng = np.random.default_rng([77, i])
        k = min(w, h) / 320
        image = scenes.backdrop(rng, w, h)
        shapes, *_ = scenes.arrange(rng, image, int(rng.integers(4, 12)), 26 * k, 150 * k, k)
        for shape in shapes:
            scenes.paint(image, shape)
        cv2.imwrite(str(folder / f"{i:03}_{w}x{h}.png"), scenes.wear(rng, image)[:, :, ::-1])


def ours(model, frames, options):
    yolo = {"model": str(pathlib.Path(model).resolve()), "half": False, "backend": "here"}
    yolo |= {"conf": options.conf, "iou": options.iou, "imgsz": options.imgsz}
    lines = ["version = 1", "[backends.here]", 'kind = "local"', f"engine = {json.dumps(options.engine)}"]
    lines += ["[stages.extract]", "max_side = 8192", "[stages.yolo]", 'inputs = ["extract"]']
    lines += [f"{key} = {json.dumps(value)}" for key, value in yolo.items()]
    lines += ["[stages.merge]", 'inputs = ["yolo"]', 'output_dir = "output"']
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder, "compare.toml")
        recipe.write_text("\n".join(lines))
        command = [options.vpipe, "run", str(recipe), *(str(path.resolve()) for path in frames)]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files = [pathlib.Path(folder, "output", f"{path.stem}_results.json") for path in frames]
        entries = [json.loads(file.read_text())["detections"][0]["detections"] for file in files]
    return [[(*d["bbox"], d["confidence"], d["class"]) for d in entry] for entry in entries]


def theirs(model, frames, options):
    from ultralytics import YOLO

    model = YOLO(model, task="detect")
    settings = {"conf": options.conf, "iou": options.iou, "imgsz": options.imgsz, "max_det": 300, "device": "cpu"}
    found = (model.predict(str(path), verbose=False, **settings)[0].boxes.data for path in frames)
    return [[tuple(box) for box in boxes.tolist()] for boxes in found]


def overlap(a, b):
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return both / (area - both) if area > both else float(a[:4] == b[:4])


def compare(model, frames, options):
    """One line about one model; whether all boxes agree, in the same order."""
    mine, other = ours(model, frames, options), theirs(model, frames, options)
    assert len(mine) == len(other) == len(frames)
    boxes = sum(map(len, other))
    least, worst, apart, strays = 1.0, 0.0, 0.0, 0
    for a, b in zip(mine, other):
        strays += abs(len(a) - len(b))
        for x, y in zip(a, b):
            same, confidence = overlap(x, y), abs(x[4] - y[4])
            strays += x[5] != y[5] or same < 0.99 or confidence > 0.01
            least, worst = min(least, same), max(worst, confidence)
            apart = max(apart, *(abs(p - q) for p, q in zip(x[:4], y[:4])))
    print(
        f"{pathlib.Path(model).name}: {boxes} boxes in {len(frames)} frames, {strays} do not match in place; "
        f"least IoU {least:.6f}, confidence at most {worst:.2e} apart, corners at most {apart:.2e} px"
    )
    return strays == 0 and boxes > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("train").add_argument("work", type=pathlib.Path)
    verb = verbs.add_parser("compare")
    verb.add_argument("models", nargs="+")
    verb.add_argument("--frames", type=pathlib.Path)
    verb.add_argument("--conf", type=float, default=0.1)
    verb.add_argument("--iou", type=float, default=0.5)
    verb.add_argument("--imgsz", type=int, default=320)
    verb.add_argument("--engine", choices=["rten", "ort"], default="rten")
    verb.add_argument("--vpipe", type=lambda path: str(pathlib.Path(path).resolve()), default=ROOT / "target/release/vpipe")
    options = parser.parse_args()
    if options.verb == "train":
        train(options.work)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if options.frames is None:
            options.frames = pathlib.Path(folder)
            draw_frames(options.frames)
        frames = sorted(options.frames.glob("*.png"))
        agree = [compare(model, frames, options) for model in options.models]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
