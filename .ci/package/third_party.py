"""Prints the licences of the crates that are in the program for this machine.

Which crates those are says `cargo metadata`: what vpipe needs to run, and what that needs. Each
text is printed once, with the crates whose text it is.
"""

import json
import pathlib
import re
import subprocess
import sys

TEXT = re.compile(r"(licen[sc]e|copying|notice|copyright|unlicense|readme\.ijg)", re.IGNORECASE)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def crates() -> list[dict]:
    host = re.search(r"^host: (\S+)$", output("rustc", "-vV"), re.MULTILINE)[1]
    options = ["--format-version=1", "--locked", f"--filter-platform={host}"]
    metadata = json.loads(output("cargo", "metadata", *options))
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, open_ids = {root}, [root]
    while open_ids:
        for need in needs[open_ids.pop()]:
            runs = any(kind["kind"] is None for kind in need["dep_kinds"])
            if runs and need["pkg"] not in found:
                found.add(need["pkg"])
                open_ids.append(need["pkg"])
    return sorted((packages[it] for it in found - {root}), key=lambda it: (it["name"], it["version"]))


def texts(crate: dict) -> list[str]:
    """What a crate has of licences: at its top, and beside the C sources that it brings."""
    folder = pathlib.Path(crate["manifest_path"]).parent
    files = [*folder.glob("*"), *folder.glob("*/*")]
    named = sorted(it for it in files if it.is_file() and TEXT.match(it.name) and it.suffix != ".rs")
    return [it.read_text(encoding="utf-8", errors="replace").strip() for it in named]


def main() -> None:
    sys.stdout.reconfigure(encoding="utf-8")
    # By their words: how a text is broken into lines makes no other licence.
    owners: dict[tuple[str, ...], tuple[str, list[str]]] = {}
    print("Crates that are part of vpipe, and their licences\n")
    for crate in crates():
        name = f"{crate['name']} {crate['version']}"
        found = texts(crate)
        # Some crates say their licence and bring no text of it.
        about = "" if found else f", of {', '.join(crate['authors']) or crate['repository']}"
        print(f"{name}: {crate['license'] or 'see below'}{about}")
        for text in found:
            owners.setdefault(tuple(text.split()), (text, []))[1].append(name)
    for text, names in owners.values():
        print(f"\n{'=' * 80}\n{', '.join(names)}\n{'-' * 80}\n{text}")


if __name__ == "__main__":
    main()
