"""Lets the harness of the black-box tests be imported: it is this one's too."""
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "e2e"))
