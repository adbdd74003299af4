"""Compares what vpipe sends with what OpenAI's own Python client sends for the same.

    python openai_client.py VPIPE CLIP      needs openai_client.txt installed; exits with 1 if anything differs

A server on loopback keeps every request. The fields of one of vpipe's are then given to the client, which knows
the names and types that the API has; what it sends has to be the same again, byte for byte but for the order of
JSON's keys and the boundaries of forms. The answers are made of the client's own types. No key leaves this machine.
"""

import email.parser
import email.policy
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import openai
from openai.types.audio import TranscriptionVerbose
from openai.types.chat import ChatCompletion

CAPTION = ChatCompletion.model_validate({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "llava",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                 "message": {"role": "assistant", "content": "A red circle.", "refusal": None}}],
})
SPEECH = TranscriptionVerbose.model_validate({
    "task": "transcribe", "language": "english", "duration": 20.0, "text": "A red circle.",
    "segments": [{"id": 0, "seek": 0, "start": 0.5, "end": 2.0, "text": " A red circle.", "tokens": [1],
                  "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01}],
})

WHISPER = """
version = 1

[backends.openai]
kind = "openai"
base_url = "{base}"
api_key_env = "SOME_KEY"

[stages.extract]

[stages.whisper]
inputs = ["extract"]
backend = "openai"
language = "en"

[stages.merge]
inputs = ["whisper"]
"""


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers as the API does."""

    kept = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.kept.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        answer = CAPTION if self.path.endswith("/chat/completions") else SPEECH
        text = answer.model_dump_json().encode()
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
        environment = {**os.environ, "SOME_KEY": "some-key"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        results = json.loads(next(pathlib.Path(folder).glob("*_results.json")).read_text())
    return list(Listener.kept), results


def sent_by_client(call):
    """The one request that the client sends in `call`, and what it makes of the answer."""
    Listener.kept.clear()
    answer = call()
    [request] = Listener.kept
    return request, answer


def form(headers, body):
    """The fields of a form, in order: names, and text or file name, type and content."""
    head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        file = part.get_filename()
        fields.append((name, content if file is None else (file, part.get_content_type(), content)))
    return fields


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


def speech(vpipe, clip, client, base):
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder) / "whisper.toml"
        recipe.write_text(WHISPER.format(base=base))
        requests, results = run(vpipe, recipe, clip, "--first", "20s")
    assert requests, "nothing was sent"
    for path, headers, body in requests:
        ours = form(headers, body)
        fields = {}
        for name, value in ours:
            if name.endswith("[]"):
                fields.setdefault(name[:-2], []).append(value.decode())
            else:
                fields[name] = value if isinstance(value, tuple) else value.decode()
        name, kind, content = fields.pop("file")
        given = {"file": (name, content, kind), **fields}
        (their_path, their_headers, their_body), answer = sent_by_client(
            lambda: client.audio.transcriptions.create(**given))
        assert (path, headers["authorization"]) == (their_path, their_headers["authorization"])
        theirs = form(their_headers, their_body)
        assert sorted(map(repr, ours)) == sorted(map(repr, theirs)), "the client sends something else"
    assert results["transcription"]["text"].startswith(answer.text), results["transcription"]
    print(f"{len(requests)} requests about sound are the client's own")


def main(vpipe, clip):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/v1"
    client = openai.OpenAI(api_key="some-key", base_url=base, max_retries=0)
    chat(vpipe, clip, client, base)
    speech(vpipe, clip, client, base)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
