"""Reads what `vpipe convert` writes with the programs that it is for: pandas, pyarrow, DuckDB, pycocotools, supervision,
motmetrics, and parsers of SRT and WebVTT.

    python formats.py VPIPE VIDEO     needs formats.txt installed; exits with 1 if anything differs

The results are those of tests/cli/convert, which have all that results can have, and those of VIDEO with the built-in models.
"""

import contextlib
import html
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")

import duckdb
import motmetrics
import numpy
import pandas
import pyarrow.parquet
import srt
import supervision
import webvtt
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from keyless import environment

RESULTS = pathlib.Path(__file__).parents[1] / "cli/convert/clip_results.json"
FORMATS = "csv,parquet,coco,yolo,mot,jsonl,srt,vtt"
RECIPE = """
version = 1
extends = "default"

[stages.track]
inputs = ["yolo"]

[stages.save]
inputs = ["extract"]
name = "images/{{ video.stem }}_{{ '%06d' | format(frame.frame_number | int) }}"

[stages.merge]
inputs = ["track", "whisper", "save"]
"""
SIDES = ["x1", "y1", "x2", "y2"]
TYPES = {
    "video": "string",
    "frame_number": "uint64",
    "timestamp": "double",
    "stage": "string",
    "class": "uint64",
    "class_name": "string",
    "confidence": "double",
    **dict.fromkeys(SIDES, "float"),
    "track": "uint64",
    "parent": "uint64",
    "status": "string",
}


def equal(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r}\n  in place of {wanted!r}")


def near(what, found, wanted, within):
    found, wanted = numpy.asarray(found, float), numpy.asarray(wanted, float)
    if found.shape != wanted.shape or not numpy.allclose(found, wanted, rtol=0, atol=within):
        sys.exit(f"{what}: {found}\n  in place of {wanted}")


def quietly(work, *words, **named):
    """What work gives, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return work(*words, **named)


def looked(results):
    """The entries of each stage, the one at the top first."""
    top = results["primary"]
    others = results.get("stages", {}).items()
    others = [(name, it["detections"]) for name, it in others if name != top and "detections" in it]
    return [(top, results["detections"]), *others]


def rows(results):
    """The table of what is seen, as the page of formats says it."""
    for stage, entries in looked(results):
        for entry in entries:
            head = [results["video"], entry["frame_number"], entry["timestamp"], stage]
            for it in entry.get("detections", []):
                box = [it["class"], it["class_name"], it["confidence"], *it["bbox"]]
                yield [*head, *box, it.get("track"), it.get("parent"), "found"]
            if not entry.get("detections"):
                status = "failed" if "error" in entry else "skipped" if "skipped" in entry else "empty"
                yield [*head, *[None] * 9, status]


def tables(folder, stem, results):
    wanted = list(rows(results))
    table = pyarrow.parquet.read_table(folder / f"{stem}_detections.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    equal("types of pyarrow", types, TYPES)
    exact = [name for name in TYPES if name not in SIDES]
    places = [list(TYPES).index(name) for name in exact]
    found = [[row[name] for name in exact] for row in table.to_pylist()]
    equal("rows of pyarrow", found, [[row[at] for at in places] for row in wanted])
    boxes = [row[7:11] for row in wanted if row[-1] == "found"]
    for name, frame in [
        ("parquet", pandas.read_parquet(folder / f"{stem}_detections.parquet")),
        ("csv", pandas.read_csv(folder / f"{stem}_detections.csv")),
    ]:
        seen = frame[frame.status == "found"]
        near(f"boxes of pandas, {name}", seen[SIDES], boxes, 0.005)
        near(f"confidences of pandas, {name}", seen.confidence, [row[6] for row in wanted if row[-1] == "found"], 0)
        equal(f"frames of pandas, {name}", frame.frame_number.tolist(), [row[1] for row in wanted])
        equal(f"classes of pandas, {name}", seen.class_name.tolist(), [row[5] for row in wanted if row[-1] == "found"])
        equal(f"kinds of pandas, {name}", [str(frame[it].dtype)[:5] for it in ["timestamp", "confidence"]], ["float"] * 2)
        without = frame[frame.status != "found"]
        equal(f"null of pandas, {name}", without[[*SIDES, "class_name"]].isna().all(axis=None), True)
    for name in ["parquet", "csv"]:
        path = folder / f"{stem}_detections.{name}"
        counts = duckdb.sql(f"select status, count(*), count(x1) from '{path}' group by all").fetchall()
        statuses = [row[-1] for row in wanted]
        count = lambda status: statuses.count(status)
        equal(
            f"rows of DuckDB, {name}",
            sorted(counts),
            sorted((it, count(it), count(it) if it == "found" else 0) for it in set(statuses)),
        )


def speech(folder, stem, results):
    said = results["transcription"]
    wanted = [(it["start"], it["end"], it["text"], "said") for it in said["segments"]]
    gaps = said.get("gaps", [])
    wanted += [(it["start"], it["end"], None, "failed" if "error" in it else "skipped") for it in gaps]
    wanted.sort(key=lambda row: row[0])
    for path in [f"'{folder}/{stem}_speech.parquet'", f"read_csv('{folder}/{stem}_speech.csv', allow_quoted_nulls = false)"]:
        found = duckdb.sql(f'select start, "end", text, status from {path}').fetchall()
        equal("speech of DuckDB", found, wanted)
    offset = results["source"].get("start_offset", 0)
    heard = [it for it in said["segments"] if it["text"].strip()]
    letters = lambda text: "".join(text.split())
    text = letters("".join(it["text"] for it in heard))
    captions = list(srt.parse((folder / f"{stem}_results.srt").read_text("utf-8")))
    equal("text of SRT", letters("".join(it.content for it in captions)), text)
    near("start of SRT", [captions[0].start.total_seconds()], [heard[0]["start"] + offset], 0.001)
    captions = webvtt.read(folder / f"{stem}_results.vtt")
    equal("text of WebVTT", letters("".join(html.unescape(it.text) for it in captions)), text)


def answered(results):
    return [it for it in results["detections"] if "detections" in it]


def coco(folder, stem, results):
    path = folder / f"{stem}_coco.json"
    truth = quietly(COCO, path)
    frames = answered(results)
    equal("images of COCO", [it["frame_id"] for it in truth.imgs.values()], [it["frame_number"] for it in frames])
    found = [truth.imgToAnns[image] for image in truth.imgs]
    equal("boxes of COCO", [len(it) for it in found], [it["count"] for it in frames])
    names = {it["id"]: it["name"] for it in truth.cats.values()}
    for annotations, frame in zip(found, frames):
        for one, it in zip(annotations, frame["detections"]):
            x, y, wide, high = one["bbox"]
            near("box of COCO", [x, y, x + wide, y + high], it["bbox"], 1e-6)
            equal("object of COCO", (names[one["category_id"]], one["score"]), (it["class_name"], it["confidence"]))
            equal("track of COCO", one.get("track_id"), it.get("track"))
    left_out = [it["frame_number"] for it in json.loads(path.read_text("utf-8"))["info"]["unanswered"]]
    equal("left out of COCO", left_out, [it["frame_number"] for it in results["detections"] if "count" not in it])
    again = quietly(truth.loadRes, list(truth.anns.values()))
    evaluation = quietly(COCOeval, truth, again, "bbox")
    for work in [evaluation.evaluate, evaluation.accumulate, evaluation.summarize]:
        quietly(work)
    near("mean average precision against itself", evaluation.stats[:2], [1.0, 1.0], 1e-9)


def mot(folder, stem, results):
    found = motmetrics.io.loadtxt(folder / f"{stem}_mot.txt", fmt="mot15-2D")
    objects = [(frame["frame_number"], it) for frame in answered(results) for it in frame["detections"]]
    wanted = [(number + 1, it.get("track", -1)) for number, it in objects]
    equal("frames and things of MOT", [tuple(map(int, it)) for it in found.index], wanted)
    boxes = found[["X", "Y", "Width", "Height"]].to_numpy()
    boxes[:, 2:] += boxes[:, :2]
    near("boxes of MOT", boxes, [it["bbox"] for _, it in objects], 1e-6)
    near("confidences of MOT", found.Confidence, [it["confidence"] for _, it in objects], 0)


def datasets(folder, stem, results, images):
    """With the frames, which supervision wants."""
    frames = {f"{stem}_{it['frame_number']:06}.jpg": it for it in answered(results)}
    yolo = folder / f"{stem}_yolo"
    sets = [
        (2e-6 * 1280, supervision.DetectionDataset.from_yolo(images, yolo / "labels", yolo / "data.yaml")),
        (0.005, supervision.DetectionDataset.from_coco(images, folder / f"{stem}_coco.json")),
    ]
    names = [it["class_name"] for it in results["classes"]]
    for within, found in sets:
        equal("classes of supervision", found.classes, names)
        equal("frames of supervision", sorted(pathlib.Path(it[0]).name for it in found), sorted(frames))
        for path, _, boxes in found:
            wanted = frames[pathlib.Path(path).name]["detections"]
            near("boxes of supervision", boxes.xyxy, [it["bbox"] for it in wanted], within)
            equal("class of supervision", boxes.class_id.tolist(), [it["class"] for it in wanted])


def nothing(folder, stem, results):
    """Frames in which nothing was found, and sound in which nobody spoke."""
    frames = len(results["detections"])
    for name in ["parquet", "csv"]:
        counts = f"select status, count(*), count(x1) from '{folder}/{stem}_detections.{name}' group by all"
        equal(f"frames of DuckDB, {name}", duckdb.sql(counts).fetchall(), [("empty", frames, 0)])
        said = f"select start, text, status from '{folder}/{stem}_speech.{name}'"
        equal(f"speech of DuckDB, {name}", duckdb.sql(said).fetchall(), [(None, None, "empty")])
    truth = quietly(COCO, folder / f"{stem}_coco.json")
    equal("COCO", (len(truth.imgs), len(truth.anns)), (frames, 0))
    equal("MOT", (folder / f"{stem}_mot.txt").read_text(), "")
    labels = list((folder / f"{stem}_yolo/labels").iterdir())
    equal("labels", [it.read_text() for it in labels], [""] * frames)
    equal("SRT", list(srt.parse((folder / f"{stem}_results.srt").read_text())), [])
    equal("WebVTT", len(webvtt.read(folder / f"{stem}_results.vtt")), 0)


def run(vpipe, *words, folder):
    said = subprocess.run([vpipe, *words], cwd=folder, env=environment(), capture_output=True, text=True)
    equal(" ".join(map(str, words)) + said.stderr, said.returncode, 0)


def main():
    vpipe, video = (pathlib.Path(it).resolve() for it in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "frames.toml").write_text(RECIPE)
        run(vpipe, "run", "frames.toml", video, "--first", "5s", "--output-dir", "found", folder=folder)
        found = folder / "found" / f"{video.stem}_results.json"
        for path in [RESULTS, found]:
            run(vpipe, "convert", path, "--to", FORMATS, "--output-dir", path.stem, folder=folder)
            results = json.loads(path.read_text("utf-8"))
            stem = path.name.removesuffix("_results.json")
            for check in [tables, speech, coco, mot]:
                check(folder / path.stem, stem, results)
            if path == found:
                datasets(folder / path.stem, stem, results, folder / "found/images")
        empty = json.loads(found.read_text("utf-8"))
        for frame in empty["detections"]:
            frame.update(detections=[], count=0)
        empty["transcription"].update(segments=[], text="")
        (folder / "empty_results.json").write_text(json.dumps(empty))
        run(vpipe, "convert", "empty_results.json", "--to", FORMATS, "--output-dir", "empty", folder=folder)
        nothing(folder / "empty", "empty", empty)
    print("tables, captions and data sets are read as they were written")


main()
