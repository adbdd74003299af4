"""Gives what vpipe sends to Roboflow's inference server to the types that the server itself reads and answers with.

    python roboflow_types.py VPIPE CLIP     needs roboflow_types.txt installed, with PIP_NO_DEPS=1; exits with 1 if
                                            anything differs

The server needs models and a gigabyte of other packages; the types of its requests and answers need neither, so they
are read without the packages around them. A server on loopback takes the requests. No key is sent.
"""

import base64
import http.server
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import types

# The packages themselves would load the server when they are imported.
AROUND = [
    "inference",
    "inference.core",
    "inference.core.entities",
    "inference.core.entities.requests",
    "inference.core.entities.responses",
]
for name in AROUND:
    package = types.ModuleType(name)
    outer, _, inner = name.rpartition(".")
    if outer:
        package.__path__ = [str(pathlib.Path(path) / inner) for path in sys.modules[outer].__path__]
    else:
        package.__path__ = list(importlib.util.find_spec(name).submodule_search_locations)
    sys.modules[name] = package

from inference.core.entities.requests.inference import ObjectDetectionInferenceRequest
from inference.core.entities.responses.inference import InferenceResponseImage
from inference.core.entities.responses.inference import ObjectDetectionInferenceResponse

from keyless import environment
from inference.core.entities.responses.inference import ObjectDetectionPrediction

RECIPE = pathlib.Path(__file__).parents[2] / "recipes/examples/roboflow.toml"


class Server(http.server.BaseHTTPRequestHandler):
    """Reads requests and writes answers with the server's own types."""

    seen, wrong = [], []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        try:
            text = self.answer(body)
        except Exception as error:
            self.wrong.append(error)
            self.send_error(422)
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def answer(self, body):
        assert self.path == "/infer/object_detection", self.path
        unknown = set(body) - set(ObjectDetectionInferenceRequest.model_fields)
        assert not unknown, f"the server does not know {unknown}"
        asked = ObjectDetectionInferenceRequest(**body)
        assert asked.image.type == "base64"
        assert base64.b64decode(asked.image.value, validate=True).startswith(b"\xff\xd8")
        self.seen.append(asked)
        found = ObjectDetectionPrediction(
            x=60, y=40, width=20, height=10, confidence=0.75, class_id=3, **{"class": "person"})
        answer = ObjectDetectionInferenceResponse(
            image=InferenceResponseImage(width=640, height=360), predictions=[found])
        return answer.model_dump_json(by_alias=True, exclude_none=True).encode()

    def log_message(self, *_):
        pass


def main(vpipe, clip):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/infer/object_detection"
    with tempfile.TemporaryDirectory() as folder:
        command = [vpipe, "run", str(RECIPE), clip, "--first", "5s", "--var", f"url={url}", "--output-dir", folder]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
        assert not Server.wrong, Server.wrong
        assert done.returncode == 0, done.stderr
        results = json.loads(next(pathlib.Path(folder).glob("*_results.json")).read_text())
    assert len(Server.seen) == 5, len(Server.seen)
    for asked in Server.seen:
        assert (asked.model_id, asked.confidence, asked.iou_threshold) == ("yolov8n-640", 0.4, 0.5), asked
    for entry in results["detections"]:
        [found] = entry["detections"]
        assert (found["class"], found["class_name"], found["confidence"]) == (3, "person", 0.75), found
        [x1, y1, x2, y2] = found["bbox"]
        assert abs((x1 + x2) / (y1 + y2) - 60 / 40) < 0.01 and x2 > x1 and y2 > y1, found
    print(f"{len(Server.seen)} requests are what Roboflow's server reads")


if __name__ == "__main__":
    main(*(str(pathlib.Path(path).resolve()) for path in sys.argv[1:3]))
