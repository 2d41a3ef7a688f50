import subprocess
import sys

import pytest

from lineshaft.integrations.forges import default_api_url, default_username
from lineshaft.integrations.forges.wording import bounded_key, shortened
from lineshaft.model.connection import ForgeKind


@pytest.mark.parametrize(
    ("kind", "url", "expected"),
    [
        (ForgeKind.GITHUB, "https://github.com", "https://api.github.com"),
        (ForgeKind.GITHUB, "https://GitHub.com/acme/", "https://api.github.com"),
        (ForgeKind.GITHUB, "https://acme.ghe.com", "https://api.acme.ghe.com"),
        (ForgeKind.GITHUB, "https://github.example:8443/", "https://github.example:8443/api/v3"),
        (ForgeKind.GITLAB, "https://gitlab.com/acme/web", "https://gitlab.com/api/v4"),
        (ForgeKind.GITLAB, "https://git.example/gitlab", "https://git.example/gitlab/api/v4"),
        (ForgeKind.BITBUCKET, "https://bitbucket.org/acme", "https://api.bitbucket.org"),
        (ForgeKind.BITBUCKET, "https://bitbucket.example", "https://bitbucket.example/rest/api/latest"),
        (ForgeKind.GITEA, "http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1"),
        (ForgeKind.GITEA, "https://codeberg.org/acme", "https://codeberg.org/api/v1"),
        (ForgeKind.GITEA, "https://user:secret@git.example?x#y", "https://git.example/api/v1"),
        (ForgeKind.GIT, "https://git.example", ""),
    ],
)
def test_the_api_is_where_each_forge_has_it(kind: ForgeKind, url: str, expected: str) -> None:
    assert default_api_url(kind, url) == expected


def test_each_forge_has_a_name_for_whoever_has_a_token() -> None:
    assert {kind: default_username(kind) for kind in ForgeKind} == {
        ForgeKind.GITHUB: "x-access-token",
        ForgeKind.GITLAB: "oauth2",
        ForgeKind.BITBUCKET: "x-token-auth",
        ForgeKind.GITEA: "x-access-token",
        ForgeKind.GIT: "git",
    }


def test_a_short_text_stays_and_a_long_one_is_cut_with_a_sign_of_it() -> None:
    assert shortened(" a\n b ", 3) == "a b"
    assert shortened("abcd", 3) == "ab…"


def test_a_short_key_stays_and_a_long_one_ends_in_a_digest() -> None:
    assert bounded_key("x" * 40, 40) == "x" * 40
    assert bounded_key("x" * 41, 40) != bounded_key("x" * 42, 40)
    assert len(bounded_key("\ud800" * 41, 40)) == 40


def test_webhooks_are_read_without_loading_what_calls_forges() -> None:
    program = (
        "import sys\n"
        "from lineshaft.integrations.forges import webhook_reader\n"
        "from lineshaft.model.connection import ForgeKind\n"
        "for kind in ForgeKind: webhook_reader(kind)\n"
        "print(sorted({'httpx2', 'ssl'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
