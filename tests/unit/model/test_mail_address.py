import pytest

from lineshaft.model.mail_address import address_in, domain_of, is_address


@pytest.mark.parametrize(
    "text",
    ["ann@example.org", "a.b+c@x.example.org", "webmaster@localhost", "o'neil@a-b.example", f"a@{'b' * 252}"],
)
def test_plain_addresses_are_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@example.org\n",
        "ann@example.org\r\nBcc: eve@example.org",
        "ann@example.org,eve@example.org",
        "<ann@example.org>",
        "Ann <ann@example.org>",
        '"a b"@example.org',
        "a..b@example.org",
        ".a@example.org",
        "a@-b.example",
        "a@b..example",
        "a b@example.org",
        "änn@example.org",
        "a@[127.0.0.1]",
        f"a@{'b' * 253}",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("author", "address"),
    [
        ("Ann <ann@example.org>", "ann@example.org"),
        ("ann@example.org", "ann@example.org"),
        ("Ann < ann@example.org >", "ann@example.org"),
        ("Ann <ann@example.org> x", None),
        ("Ann <>", None),
        ("Ann", None),
        ("", None),
        ("<" * 1_000_000, None),
    ],
)
def test_the_address_of_an_author_is_found(author: str, address: str | None) -> None:
    assert address_in(author) == address


def test_domains_are_in_small_letters() -> None:
    assert domain_of("Ann@Example.ORG") == "example.org"
