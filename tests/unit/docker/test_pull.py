"""What engines say of pulls that fail, and how far those are that go on."""

import pytest

from lineshaft.docker.pull import Progress, why_not_pulled
from lineshaft.model.image_name import Reference
from lineshaft.model.reason import ReasonCode

IMAGE = Reference("registry.example/shop", "v1")


@pytest.mark.parametrize(
    ("words", "code", "ours"),
    [
        ("manifest for x:1 not found: manifest unknown: manifest unknown", ReasonCode.IMAGE_NOT_FOUND, False),
        (
            "no matching manifest for linux/amd64 in the manifest list entries",
            ReasonCode.IMAGE_NOT_FOUND,
            False,
        ),
        ('Get "https://r/v2/x/manifests/1": no basic auth credentials', ReasonCode.IMAGE_PULL_DENIED, False),
        ("unauthorized: authentication required", ReasonCode.IMAGE_PULL_DENIED, False),
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            ReasonCode.IMAGE_PULL_DENIED,
            False,
        ),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', ReasonCode.REGISTRY_UNREACHABLE, True),
        ("received unexpected HTTP status: 503 Service Unavailable", ReasonCode.REGISTRY_UNREACHABLE, True),
        (
            "toomanyrequests: You have reached your pull rate limit. Log in for more",
            ReasonCode.REGISTRY_UNREACHABLE,
            True,
        ),
        (
            "failed to register layer: write /x: no space left on device",
            ReasonCode.DISK_FULL,
            True,
        ),
        (
            "manifest for r.example/certificate:1 not found: manifest unknown",
            ReasonCode.IMAGE_NOT_FOUND,
            False,
        ),
        (
            'Get "https://r/v2/": x509: certificate signed by unknown authority',
            ReasonCode.REGISTRY_UNREACHABLE,
            True,
        ),
        ("something that nobody has seen yet", ReasonCode.REGISTRY_UNREACHABLE, True),
    ],
)
def test_the_words_of_an_engine_tell_what_has_failed(words: str, code: ReasonCode, ours: bool) -> None:
    refusal = why_not_pulled(IMAGE, words)
    assert (refusal.code, refusal.ours) == (code, ours)
    assert refusal.text.startswith(f"The image registry.example/shop:v1 could not be pulled: {words}.")


def test_progress_is_the_sum_of_the_layers() -> None:
    progress = Progress()
    for layer in ("a", "b"):
        detail = {"current": 1024, "total": 4096}
        progress.take({"status": "Downloading", "id": layer, "progressDetail": detail})
    progress.take({"status": "Download complete", "id": "a", "progressDetail": {}})
    assert progress.text == "    5 KiB of 8 KiB"


def test_nothing_is_told_of_layers_whose_size_nobody_knows() -> None:
    progress = Progress()
    progress.take({"status": "Pulling fs layer", "id": "a", "progressDetail": {}})
    progress.take({"status": "Downloading", "id": "a", "progressDetail": {"current": 10}})
    assert progress.text == ""
