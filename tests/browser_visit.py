"""A browser in a test's hands: it keeps cookies, follows redirects, and submits forms as browsers do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2


class Page(HTMLParser):
    """A page as far as tests look at it: its first form, its links, what it alerts to."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self.answer = answer
        self.status = answer.status_code
        self.url = str(answer.url)
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.alert = ""
        self.title = ""
        self._link = ""
        self._inside: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        match tag:
            case "form" if self.action is None:
                self.action = values.get("action", "")
            case "input" if values.get("type") == "submit":
                self.buttons[values["name"]] = values.get("value", "")
            case "input" if values.get("type") != "checkbox" or "checked" in values:
                self.fields[values.get("name", "")] = values.get("value", "")
            case "button" if "name" in values:
                self.buttons[values["name"]] = values.get("value", "")
            case "a":
                self._link = values.get("href", "")
            case _:
                pass
        if tag in {"div", "title", "a"}:
            self._inside.append("alert" if values.get("role") == "alert" else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"div", "title", "a"} and self._inside:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if "alert" in self._inside:
            self.alert += f" {data}"
        elif self._inside == ["title"]:
            self.title += data
        elif self._inside == ["a"]:
            self.links[data] = self._link


class Browser:
    """Visits pages."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.http.cookies.jar}

    async def visit(self, url: str) -> Page:
        headers = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
        return Page(await self.http.get(url, headers=headers))

    async def follow(self, page: Page, link: str) -> Page:
        return await self.visit(urljoin(page.url, page.links[link]))

    async def submit(self, page: Page, button: str | None = None, **fields: str) -> Page:
        """Submit the page's form, filled in; by a button that says something, where one is named."""
        assert page.action is not None
        pressed = {} if button is None else {button: page.buttons[button]}
        parts = urlsplit(page.url)
        headers = {
            "Accept": "text/html,*/*;q=0.8",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Referer": page.url,
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Site": "same-origin",
        }
        url = urljoin(page.url, page.action)
        return Page(await self.http.post(url, data={**page.fields, **fields, **pressed}, headers=headers))


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Open a browser without cookies."""
    async with httpx2.AsyncClient(follow_redirects=True, timeout=60) as http:
        yield Browser(http)
