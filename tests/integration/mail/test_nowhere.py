"""A server without a mail server says so."""

import logging
from pathlib import Path
from typing import Any

import pytest

from lineshaft.definition import read_native
from lineshaft.server.composition import open_control_plane
from lineshaft.server.settings import ServerSettings

SHOP = read_native(b"name: shop\nnotify: [{email: {to: ann@example.org}}]\nsteps: [{name: a, run: make}]\n")
MAIL = {"smtp_url": "smtp://127.0.0.1:9", "smtp_from": "ci@example.org"}


@pytest.mark.parametrize(("said", "warns"), [({}, True), (MAIL, False)])
async def test_saving_a_pipeline_tells_whether_its_notifications_go_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, said: dict[str, Any], warns: bool
) -> None:
    config = tmp_path / "config.toml"
    config.touch()
    settings = ServerSettings.load(config=config, data=tmp_path / "data", **said)
    with caplog.at_level(logging.WARNING, "lineshaft.mail"):
        async with open_control_plane(settings) as plane:
            await plane.pipelines.create(SHOP)
            assert plane.notifications.sends is not warns

    assert ("The notifications of pipeline 'shop' have nowhere to go" in caplog.text) is warns
