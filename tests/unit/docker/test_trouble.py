"""What has failed a build or a push, told apart by the words of engines and their clients."""

import pytest

from lineshaft.docker.buildkit import trouble_told
from lineshaft.docker.trouble import build_trouble, push_trouble
from lineshaft.model.reason import ReasonCode

_DENIED = "pull access denied, repository does not exist or may require authorization"


@pytest.mark.parametrize(
    ("words", "code", "ours"),
    [
        ("unknown instruction: FRM", ReasonCode.IMAGE_BUILD_FAILED, False),
        ("COPY failed: stat nix: file does not exist", ReasonCode.IMAGE_BUILD_FAILED, False),
        ('failed to compute cache key: "/nix" not found: not found', ReasonCode.IMAGE_BUILD_FAILED, False),
        ("write /var/lib/docker/x: no space left on device", ReasonCode.DISK_FULL, True),
        ("manifest for r.example/a:v1 not found: manifest unknown", ReasonCode.IMAGE_NOT_FOUND, False),
        ("r.example/a:v1: not found", ReasonCode.IMAGE_NOT_FOUND, False),
        (f"{_DENIED}: server message: insufficient_scope", ReasonCode.IMAGE_PULL_DENIED, False),
        (
            'Head "https://r.example/v2/a/manifests/v1": no basic auth credentials',
            ReasonCode.IMAGE_PULL_DENIED,
            False,
        ),
        (
            "pulling from host r.example failed with status code [manifests v1]: 401 Unauthorized",
            ReasonCode.IMAGE_PULL_DENIED,
            False,
        ),
        (
            'Get "https://r.example/v2/": dial tcp: lookup r.example: no such host',
            ReasonCode.REGISTRY_UNREACHABLE,
            True,
        ),
        (
            'failed to do request: Head "https://r.example/v2/a/manifests/v1": TLS handshake timeout',
            ReasonCode.REGISTRY_UNREACHABLE,
            True,
        ),
        (
            "pulling from host r.example failed with status code [manifests v1]: 503 Service Unavailable",
            ReasonCode.REGISTRY_UNREACHABLE,
            True,
        ),
    ],
)
def test_a_failed_build_is_told_by_its_words(words: str, code: ReasonCode, *, ours: bool) -> None:
    trouble = build_trouble(words)
    assert (trouble.reason.code, trouble.ours) == (code, ours)
    assert words in trouble.reason.text


def test_a_command_that_has_failed_is_the_tasks_whatever_its_text_says() -> None:
    trouble = build_trouble("The command 'echo no space left on device' returned a non-zero code: 1", 1)
    assert (trouble.reason.code, trouble.ours, trouble.exit_code) == (ReasonCode.IMAGE_BUILD_FAILED, False, 1)


@pytest.mark.parametrize(
    ("words", "code", "ours"),
    [
        ("denied: requested access to the resource is denied", ReasonCode.IMAGE_PUSH_FAILED, False),
        ("unauthorized: authentication required", ReasonCode.IMAGE_PUSH_FAILED, False),
        ("no basic auth credentials", ReasonCode.IMAGE_PUSH_FAILED, False),
        ("tag v1 is immutable", ReasonCode.IMAGE_PUSH_FAILED, False),
        ("dial tcp 127.0.0.1:1: connect: connection refused", ReasonCode.REGISTRY_UNREACHABLE, True),
        ("received unexpected HTTP status: 502 Bad Gateway", ReasonCode.REGISTRY_UNREACHABLE, True),
        ("toomanyrequests: slow down", ReasonCode.REGISTRY_UNREACHABLE, True),
        ("write /registry/blob: no space left on device", ReasonCode.DISK_FULL, True),
    ],
)
def test_a_failed_push_is_told_by_its_words(words: str, code: ReasonCode, *, ours: bool) -> None:
    trouble = push_trouble("r.example/a:v1", words)
    assert (trouble.reason.code, trouble.ours) == (code, ours)
    assert "r.example/a:v1" in trouble.reason.text


_OLD_CLIENT = """\
#5 [2/3] RUN echo hi && exit 3
#5 ERROR: executor failed running [/bin/sh -c echo hi && exit 3]: exit code: 3
------
 > [2/3] RUN echo hi && exit 3:
#5 0.063 hi
------
executor failed running [/bin/sh -c echo hi && exit 3]: exit code: 3
"""
_NEW_CLIENT = """\
#5 [2/3] RUN echo hi && exit 3
#5 ERROR: process "/bin/sh -c echo hi && exit 3" did not complete successfully: exit code: 3
------
 > [2/3] RUN echo hi && exit 3:
0.063 hi
------
Dockerfile:2
--------------------
   1 |     FROM base
   2 | >>> RUN echo hi && exit 3
--------------------
ERROR: failed to solve: process "/bin/sh -c echo hi && exit 3" did not complete successfully: exit code: 3
"""


@pytest.mark.parametrize("printed", [_OLD_CLIENT, _NEW_CLIENT])
def test_the_instruction_and_its_exit_code_are_found_in_what_the_program_prints(printed: str) -> None:
    trouble = trouble_told(printed)
    assert trouble.exit_code == 3
    assert trouble.reason.text == "The image could not be built: RUN echo hi && exit 3: exit code 3"


def test_the_words_of_a_newer_program_are_found_behind_the_piece_of_the_dockerfile() -> None:
    printed = (
        "Dockerfile:1\n--------------------\n   1 | >>> FRM x\n--------------------\nERROR: failed to solve: "
    )
    trouble = trouble_told(f"{printed}dockerfile parse error on line 1: unknown instruction: FRM\n")
    assert trouble.reason.text.endswith("built: dockerfile parse error on line 1: unknown instruction: FRM")


def test_a_program_that_says_nothing_has_failed_all_the_same() -> None:
    assert trouble_told("").reason.code is ReasonCode.IMAGE_BUILD_FAILED
