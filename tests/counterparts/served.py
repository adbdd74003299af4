"""`vpipe serve` for as long as a counterpart asks it something: on loopback, with the demo models and a key of the test's."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import threading

from keyless import environment

KEY = "a-key-of-the-test"


@contextlib.contextmanager
def serving(vpipe, *words):
    """The address of a server, such as http://127.0.0.1:40123."""
    command = [os.path.abspath(vpipe), "serve", "--listen", "127.0.0.1:0", "--api-key-env", "SERVE_KEY", *words]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(command, cwd=folder, env=environment(SERVE_KEY=KEY), stderr=subprocess.PIPE, text=True)
        said = []
        try:
            for line in server.stderr:
                said.append(line)
                if line.startswith("listening on "):
                    address = line.split()[-1]
                if line.startswith("the models are loaded"):
                    break
            else:
                raise AssertionError("".join(said))
            # What it says later is read, so that it is never held up.
            threading.Thread(target=lambda: said.extend(server.stderr), daemon=True).start()
            yield address
        finally:
            server.terminate()
            assert server.wait(30) == 0, "".join(said)


def frames(clip, count):
    """JPEGs of the clip, one a second."""
    with tempfile.TemporaryDirectory() as folder:
        ffmpeg("-i", clip, "-vf", "fps=1", "-frames:v", str(count), f"{folder}/%03d.jpg")
        return [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.jpg"))]


def sound(clip, seconds):
    """The beginning of the clip's sound, as a WAV file."""
    with tempfile.TemporaryDirectory() as folder:
        ffmpeg("-i", clip, "-t", str(seconds), "-vn", "-ac", "1", "-ar", "16000", f"{folder}/a.wav")
        return pathlib.Path(folder, "a.wav").read_bytes()


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *words], check=True)
