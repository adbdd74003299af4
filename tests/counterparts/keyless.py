"""The environment that a counterpart runs vpipe in: that of the caller without RunPod's variables, so that a run is on this
machine whoever calls it."""

import os


def environment(**variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNPOD_")}
    return kept | variables
