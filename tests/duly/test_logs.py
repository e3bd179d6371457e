"""Logs say what was raised and where; never its words, which may be a parent's."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import structlog
from duly.logs import configure
configure("info")
secret = "Kayleigh has bruises"
try:
    raise ValueError(secret)
except ValueError:
    structlog.get_logger().exception("letter not settled", letter=7)
"""


def test_a_logged_error_names_its_kind_and_place_and_no_word_of_a_letter():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert '"raised": "ValueError"' in ran.stderr
    assert '"letter": 7' in ran.stderr
    assert "Kayleigh" not in ran.stderr
