"""Starts `vpipe serve` for RunPod's JavaScript SDK, and node with serve_javascript.mjs, which asks it.

    python serve_javascript.py VPIPE CLIP SDK      SDK: the folder of runpod-sdk; exits with 1 if anything differs
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from served import KEY
from served import frames
from served import serving


def main(vpipe, clip, sdk):
    script = pathlib.Path(__file__).with_suffix(".mjs")
    with serving(vpipe, "--whisper", "none") as address, tempfile.TemporaryDirectory() as folder:
        image = pathlib.Path(folder, "frame.jpg")
        image.write_bytes(frames(clip, 1)[0])
        subprocess.run(["node", script, os.path.abspath(sdk), address, KEY, image], check=True, timeout=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
