from collections.abc import Mapping
from pathlib import Path

import pytest

from command_line import CommandLine, isolated
from fake_api import PASSWORD, FakeApi


@pytest.fixture
def environment(api: FakeApi, tmp_path: Path) -> Mapping[str, str]:
    return isolated(tmp_path, api.url, PASSWORD)


@pytest.fixture
def lineshaft(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> CommandLine:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return CommandLine(capsysbinary)
