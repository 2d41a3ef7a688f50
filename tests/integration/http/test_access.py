"""Who may call what."""

import base64

import httpx2
import pytest

from http_pipelines import create

OPEN = ["/", "/health", "/ready", "/docs", "/openapi.json", "/docs/swagger-ui.css"]
REFUSAL = '{"detail":"Incorrect username or password"}'
PIPELINES = "/v1/pipelines"


def _basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open_needs_no_credentials(stranger: httpx2.Client, path: str) -> None:
    assert stranger.get(path).status_code == 200
    head = stranger.head(path)
    assert head.status_code == 200
    assert head.content == b""


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic YWRtaW46YWRtaW4",  # Without its padding.
        "Bearer YWRtaW46YWRtaW4=",
        _basic(b"admin"),
        _basic(b"admin:wrong"),
        _basic(b"nobody:admin"),
        _basic(b"\xff\xfe:admin"),
        _basic(b"ad\0min:admin"),
        _basic(b"admin:admin\0"),
        _basic(b":"),
        _basic(b"admin:" + b"x" * 10_000),
    ],
)
def test_bad_credentials_are_refused_in_the_documents_words(
    stranger: httpx2.Client, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = stranger.get(PIPELINES, headers=headers)

    assert answer.status_code == 401
    assert answer.headers.get_list("www-authenticate") == ["Basic", "Bearer"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == REFUSAL


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/runs/0197a9b0-7e0e-7000-8000-000000000001"),
        ("POST", "/v1/worker/claim"),
        ("POST", "/"),
        ("DELETE", "/health"),
        ("GET", "/nowhere"),
        ("GET", "/docsx"),
        ("GET", "/docs/swagger-ui.css/x"),
        ("OPTIONS", "/docs"),
    ],
)
def test_all_else_needs_credentials_whether_it_exists_or_not(
    stranger: httpx2.Client, method: str, path: str
) -> None:
    assert stranger.request(method, path).status_code == 401


def test_the_schemes_name_is_read_in_any_case(stranger: httpx2.Client, credentials: tuple[str, str]) -> None:
    encoded = base64.b64encode(":".join(credentials).encode()).decode()

    assert stranger.get(PIPELINES, headers={"Authorization": f"bAsIc  {encoded}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_a_page_of_another_site_cannot_use_the_credentials_that_a_browser_remembers(
    api: httpx2.Client, headers: dict[str, str]
) -> None:
    pipeline = create(api, "true")

    answer = api.delete(f"{PIPELINES}/{pipeline}", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:lineshaft:problem:forbidden"
    assert api.get(f"{PIPELINES}/{pipeline}").status_code == 200


def test_the_servers_own_pages_may_call_it(api: httpx2.Client, url: str) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin", "Origin": url}, {"Origin": url}):
        pipeline = create(api, "true")
        assert api.delete(f"{PIPELINES}/{pipeline}", headers=headers).status_code == 200


def test_no_other_site_is_told_that_it_may_read_answers(api: httpx2.Client) -> None:
    answer = api.get(PIPELINES, headers={"Origin": "https://elsewhere.example"})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5001", "localhost.evil.example", "x", "127.0.0.1.x"]
)
def test_a_name_that_may_lead_here_by_deceit_is_refused_while_the_password_is_the_default(
    api: httpx2.Client, credentials: tuple[str, str], host: str
) -> None:
    if credentials != ("admin", "admin"):
        pytest.skip("The server at LINESHAFT_URL has credentials of its own, which no stranger knows.")

    answer = api.get(PIPELINES, headers={"Host": host})

    assert answer.status_code == 403
    assert "LINESHAFT_PASSWORD" in answer.json()["advice"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "ci.localhost", "127.0.0.1:1", "[::1]:5001", "0.0.0.0:5001", "192.0.2.7"],
)
def test_the_server_answers_to_localhost_and_to_any_address(api: httpx2.Client, host: str) -> None:
    assert api.get(PIPELINES, headers={"Host": host}).status_code == 200
