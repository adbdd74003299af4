"""The report of `vpipe test --junit`, as a parser of other people reads it: names, counts, messages.

    python junit.py VPIPE CLIP      needs junit.txt installed; exits with 1 if anything differs

Tests that pass, differ, have nothing to compare with, miss answers and are wrong, in folders and texts
with letters that XML escapes or does not take.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import junitparser

from keyless import environment

DEMO = pathlib.Path(__file__).parents[1] / "demo"
ODD = 'gäste & <co> "ß" \U0001f600'
CLASS = '<b> & "c" ]]> \x0b'
SPEC = 'recipe = "default"\ninputs = ["clip.mp4"]\nfirst = 5\n'


def project(top, clip):
    """The demo's test and others of its kind; what is expected of each, by folder and name."""
    for folder in ["plain", ODD]:
        there = top / folder
        shutil.copytree(DEMO / "cassettes", there / "cassettes")
        shutil.copytree(DEMO / "snapshots", there / "snapshots")
        shutil.copy(clip, there / "clip.mp4")
        (there / "demo.test.toml").write_text(SPEC, encoding="utf-8")
    plain = top / "plain"
    cassette = 'cassette = "cassettes/demo"\n'
    (plain / "new.test.toml").write_text(SPEC + cassette, encoding="utf-8")
    (plain / "missed.test.toml").write_text(
        SPEC + cassette + 'set = ["yolo.conf=0.4"]\n', encoding="utf-8"
    )
    (plain / "none.test.toml").write_text(SPEC, encoding="utf-8")
    (plain / "wrong.test.toml").write_text(SPEC + 'x = "&<>"\n', encoding="utf-8")
    snapshot = top / ODD / "snapshots" / "demo@clip.json"
    results = json.loads(snapshot.read_text(encoding="utf-8"))
    results["detections"][0]["detections"][0].update({"class": 7, "class_name": CLASS})
    snapshot.write_text(json.dumps(results), encoding="utf-8")
    return {
        ("plain", "demo"): (None, ""),
        ("plain", "new"): ("failure", "there is no snapshot"),
        ("plain", "missed"): ("failure", "`conf` was 0.15 and is 0.4"),
        ("plain", "none"): ("failure", "there is no cassette"),
        ("plain", "wrong"): ("error", "there is no key `x` here"),
        (ODD, "demo"): ("failure", '<b> & "c" ]]>'),
    }


def kind_of(case):
    for result in case.result:
        kinds = {junitparser.Failure: "failure", junitparser.Error: "error"}
        return kinds.get(type(result), type(result).__name__), result.message, result.text or ""
    return None, "", ""


def main():
    vpipe, clip = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        expected = project(top, clip)
        said = subprocess.run(
            [vpipe, "test", "--junit", "reports/junit & co.xml"],
            cwd=top, env=environment(), capture_output=True, text=True, encoding="utf-8",
        )
        if said.returncode != 2:
            wrong.append(f"it ended with {said.returncode}: {said.stdout}{said.stderr}")
        report = junitparser.JUnitXml.fromfile(str(top / "reports" / "junit & co.xml"))
    found = {}
    for suite in report:
        for case in suite:
            found[(case.classname, case.name)] = kind_of(case)
            if case.classname != suite.name or case.time is None:
                wrong.append(f"{case.name} is in {suite.name} as {case.classname}")
    if set(found) != set(expected):
        wrong.append(f"tests: {sorted(found)}")
    for test, (kind, text) in expected.items():
        got, message, told = found.get(test, (None, "", ""))
        if got != kind or text not in f"{message}\n{told}":
            wrong.append(f"{test}: {got}: {message!r} {told!r}")
    counts = (report.tests, report.failures, report.errors)
    if counts != (6, 4, 1):
        wrong.append(f"counts: {counts}")
    suites = [(suite.name, suite.tests, suite.failures, suite.errors) for suite in report]
    if sorted(suites) != sorted([("plain", 5, 3, 1), (ODD, 1, 1, 0)]):
        wrong.append(f"suites: {suites}")
    for line in wrong:
        print(line)
    print(f"{len(found)} tests of {len(suites)} suites read by junitparser, {len(wrong)} mistakes")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
