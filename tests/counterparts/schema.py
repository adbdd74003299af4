"""The schema of recipes, as a validator by other people reads it: it takes every recipe of this
repository and of its pages, and no wrong key, word or number.

    python schema.py VPIPE
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ["recipes", "recipes/examples", "tests/recipes/good", "tests/recipes/warn"]
PAGES = ["README.md", "recipes/README.md", "src/backends/README.md", "src/output/README.md"]
WRONG = [
    "version = 2",
    "version = 1\nstage = 3",
    "version = 1\n[stages.yolo]\nconf = 1.5",
    "version = 1\n[stages.yolo]\nconf = 0.5\nimgsize = 640",
    "version = 1\n[stages.yolo]\nclasses = 2",
    "version = 1\n[stages.extract]\nfps = 0",
    "version = 1\n[stages.extract]\nquality = 101",
    'version = 1\n[stages.extract]\nmode = "quick"',
    "version = 1\n[stages.batch]\nsize = 1.5",
    'version = 1\n[stages.x]\nkind = "yolo"\nconcurrency = 0',
    'version = 1\n[backends.x]\nkind = "runpod"\nattempts = 0',
    'version = 1\n[backends.x]\nkind = "elsewhere"',
]


def recipes():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.toml")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
            name = block.splitlines()[0]
            # A test file is no recipe.
            if not name.endswith(".test.toml"):
                yield f"{page}: {name}", block


def main(vpipe):
    said = subprocess.run([vpipe, "schema"], check=True, capture_output=True, text=True)
    schema = json.loads(said.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    mistakes = []
    texts = list(recipes())
    for name, text in texts:
        for error in validator.iter_errors(tomllib.loads(text)):
            mistakes.append(f"{name}: {error.json_path}: {error.message}")
    for text in WRONG:
        if validator.is_valid(tomllib.loads(text)):
            mistakes.append(f"this is right to it, and wrong:\n{text}")
    print(f"{len(texts)} recipes, {len(WRONG)} wrong ones")
    if len(texts) < 40:
        mistakes.append("where are the recipes?")
    # An empty text would be a failure as well.
    sys.exit("\n".join(mistakes) or None)


main(*sys.argv[1:])
