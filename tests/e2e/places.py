"""Where things are, and how patient the tests have to be."""
import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("FXWIRE_BUILD", "build")
DEMO_RATES = TOP / "etc" / "demo-rates.csv"

VALGRIND = os.environ.get("FXWIRE_VALGRIND") == "1"
SANITIZED = "address" in BUILD.name or "undefined" in BUILD.name
# Deadlines are multiplied by this; bounds of the contract never are.
SCALE = 8 if VALGRIND else 2 if SANITIZED else 1
