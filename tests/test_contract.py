"""The HTTP interface is what it says of itself, as Schemathesis sees it."""

from __future__ import annotations

from tests.contract.fuzz import fuzz


def test_every_operation_answers_as_described_to_valid_requests_and_others() -> None:
    # Those that it derives from the schemas, without random ones: CONTRIBUTING.md has the command.
    assert fuzz(1, "--phases", "coverage", "--seed", "1").returncode == 0
