"""Compares what vpipe sends to a chat server with what OpenAI's own Python client sends for the same.

    python openai_chat.py VPIPE CLIP      needs openai_chat.txt installed; exits with 1 if anything differs

A server on loopback keeps every request. The fields of one of vpipe's are then given to the client, which knows
the names and types that the API has; what it sends has to be the same again but for the order of JSON's keys. The
answers are made of the client's own types. No key leaves this machine.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import openai
from openai.types.chat import ChatCompletion

from keyless import environment

CAPTION = ChatCompletion.model_validate({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "llava",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                 "message": {"role": "assistant", "content": "A red circle.", "refusal": None}}],
})

class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers as the API does."""

    kept = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.kept.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        text = CAPTION.model_dump_json().encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def run(vpipe, recipe, clip, *words):
    """The requests that a run sends, and its results."""
    Listener.kept.clear()
    with tempfile.TemporaryDirectory() as folder:
        command = [vpipe, "run", str(recipe), clip, "--output-dir", folder, *words]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        results = json.loads(next(pathlib.Path(folder).glob("*_results.json")).read_text())
    return list(Listener.kept), results


def sent_by_client(call):
    """The one request that the client sends in `call`, and what it makes of the answer."""
    Listener.kept.clear()
    answer = call()
    [request] = Listener.kept
    return request, answer


def chat(vpipe, clip, client, base):
    root = pathlib.Path(__file__).parents[2]
    recipe = root / "recipes/examples/captions.toml"
    requests, results = run(vpipe, recipe, clip, "--first", "3s", "--var", f"url={base}/chat/completions")
    assert requests, "nothing was sent"
    for path, headers, body in requests:
        asked = json.loads(body)
        (their_path, their_headers, their_body), answer = sent_by_client(lambda: client.chat.completions.create(**asked))
        assert (path, headers["content-type"]) == (their_path, their_headers["content-type"])
        assert asked == json.loads(their_body), "the client sends something else"
    for record in results["stages"]["captions"]["records"]:
        assert record["record"]["caption"] == answer.choices[0].message.content, record
    print(f"{len(requests)} requests for captions are the client's own")


def main(vpipe, clip):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/v1"
    client = openai.OpenAI(api_key="some-key", base_url=base, max_retries=0)
    chat(vpipe, clip, client, base)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
