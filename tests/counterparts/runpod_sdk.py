"""Runs vpipe against the dev server of RunPod's own Python SDK, with a handler of ours behind it.

    python runpod_sdk.py VPIPE CLIP      needs runpod_sdk.txt installed; exits with 1 if anything differs

The handler answers each frame with one object whose class is a checksum of the JPEG that came,
and writes the checksums down. So the results are right if and only if every frame that was
sent is in them once, in its own place. The server is on loopback and gets no key.
"""

import base64
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import zlib

from keyless import environment

RECIPE = """
version = 1
extends = "default"

[backends.dev]
kind = "runpod"
dialect = "dev-server"
base_url = "http://127.0.0.1:{port}"
mode = "{mode}"

[stages.batch]
size = 4

[stages.yolo]
backend = "dev"
"""


def handler(job):
    """One object a frame; raises where the stage asks for more confidence than there is."""
    asked = job["input"]
    if asked["conf"] > 0.9:
        raise ValueError("nothing is that sure")
    sums = [zlib.crc32(base64.b64decode(image)) for image in asked["images"]]
    with open(os.environ["SUMS"], "a") as log:
        log.writelines(f"{sum}\n" for sum in sums)
    box = {"bbox": [0, 0, 10, 10], "confidence": 0.5, "class_name": "sum"}
    return {"detections": [[{**box, "class": sum}] for sum in sums]}


def serve():
    import runpod

    runpod.serverless.start({"handler": handler})


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(server, port):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, "the dev server ended"
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("the dev server did not start")


def run(vpipe, clip, folder, port, mode, *words):
    """The results of a run, and its exit code."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (folder / "recipe.toml").write_text(RECIPE.format(port=port, mode=mode))
    command = [vpipe, "run", "recipe.toml", clip, *words]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120)
    results = folder / "output" / f"{pathlib.Path(clip).stem}_results.json"
    assert results.exists(), done.stderr
    return json.loads(results.read_text()), done.returncode


def check(vpipe, clip, folder, port, mode):
    sums = folder / "sums"
    sums.write_text("")
    results, code = run(vpipe, clip, folder, port, mode)
    assert code == 0, code
    found = [entry["detections"][0]["class"] for entry in results["detections"]]
    sent = [int(line) for line in sums.read_text().split()]
    assert len(found) > 20 and sorted(found) == sorted(sent), (found, sent)
    results, code = run(vpipe, clip, folder, port, mode, "--set", "yolo.conf=0.95", "--first", "2s")
    assert code == 1, code
    errors = [entry.get("error") for entry in results["detections"]]
    assert errors and set(errors) == {"worker"}, errors
    assert "nothing is that sure" in json.dumps(results["run"]), results["run"]
    print(f"{mode}: {len(found)} frames in their places, {len(errors)} with the handler's error")


def main(vpipe, clip):
    vpipe, clip = (str(pathlib.Path(path).resolve()) for path in (vpipe, clip))
    with tempfile.TemporaryDirectory() as name:
        folder, port = pathlib.Path(name), free_port()
        command = [sys.executable, __file__, "--rp_serve_api", "--rp_api_host", "127.0.0.1"]
        command += ["--rp_api_port", str(port), "--rp_log_level", "ERROR"]
        log = open(folder / "log", "w+")
        server = subprocess.Popen(
            command,
            env={**os.environ, "SUMS": str(folder / "sums")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(server, port)
            for mode in ("async", "sync"):
                check(vpipe, clip, folder, port, mode)
        except AssertionError:
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
            raise
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    if "--rp_serve_api" in sys.argv:
        serve()
    else:
        main(*sys.argv[1:])
