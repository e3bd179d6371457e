"""A folder with the settings of the invented Southlands, as `duly init` would leave it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

SECRET = "a-secret-of-the-tests-that-is-long-enough"


def found(folder: Path, *, relay_port: int, database: str = "sqlite:///duly.sqlite", smtp_port: int = 0) -> Path:
    """Write school.toml, calendar.toml, .env and duly.toml into the folder; the path of duly.toml."""
    for name, source in (("school.toml", "schools"), ("calendar.toml", "calendars")):
        text = resources.files("procedure").joinpath(f"{source}/southlands.toml").read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / ".env").write_text(f"DULY_SECRET={SECRET}\n", encoding="utf-8")
    config = folder / "duly.toml"
    config.write_text(
        f'database = "{database}"\nsmtp_port = {smtp_port}\nrelay_host = "127.0.0.1"\nrelay_port = {relay_port}\n',
        encoding="utf-8",
    )
    return config
