"""The documented commands are the commands there are."""

from __future__ import annotations

from pathlib import Path

from dreamactor.app.reference import command_reference


def test_the_table_of_commands_is_up_to_date() -> None:
    written = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert written == command_reference(), "run: python -m dreamactor.app.reference > docs/commands.md"
