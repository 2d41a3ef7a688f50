"""Where a browser goes next is a path of this server."""

from urllib.parse import urljoin

import pytest

from lineshaft.server.pages.destination import HOME, destination, reference


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "docs",
        " /docs",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\/evil.example",
        "/docs\\..",
        "javascript:alert(1)",
        "/docs\r\nSet-Cookie: x=y",
        "/\t/evil.example",
        "/docs\n",
        "/a b",
        "/ä",
        "/\0",
        "/sign-in?next=/x",
        "/sign-in/oidc",
        "/" + "x" * 2_000,
    ],
)
def test_what_is_no_path_of_this_server_leads_home(asked: str | None) -> None:
    assert destination(asked) == HOME


@pytest.mark.parametrize("asked", ["/", "/docs", "/v1/runs?state=failed&after=%C3%A4#x", "/a//b", "/a:b@c"])
def test_a_path_of_this_server_is_taken(asked: str) -> None:
    assert destination(asked) == asked


@pytest.mark.parametrize("page", ["/sign-in", "/sign-in/oidc/callback", "/a/b/c/d"])
@pytest.mark.parametrize(
    "path", ["/", "/docs", "/javascript:alert(1)", "/.//evil.example", "/http://evil.example"]
)
def test_a_reference_leads_to_a_path_of_the_same_host_below_the_same_prefix(page: str, path: str) -> None:
    written = reference(page, path)

    assert written.startswith(".")
    target = urljoin(f"https://ci.example{page}", written)
    assert target.startswith("https://ci.example/")
    below = urljoin(f"https://ci.example/prefix{page}", reference(page, "/docs"))
    assert below == "https://ci.example/prefix/docs"
