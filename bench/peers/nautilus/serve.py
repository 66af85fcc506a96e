"""Loads one bench, says the versions, then runs it once for each line of stdin and answers with a line of JSON."""

import gc
import importlib
import json
import platform
import sys
from importlib import metadata


def main():
    name, path = sys.argv[1:]
    with open(path) as file:
        bench = importlib.import_module(name).Bench(json.load(file))
    gc.collect()
    gc.freeze()
    versions = {"nautilus": metadata.version("nautilus_trader"), "cpython": platform.python_version()}
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        outcome = bench.run(json.loads(line))
        print(json.dumps(outcome), flush=True)
        gc.collect()


main()
