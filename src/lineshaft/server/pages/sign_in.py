"""The sign-in page: plain HTML that needs no script."""

from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlencode

from lineshaft.server.pages.destination import reference

PATH: Final = "/sign-in"
PROVIDER_PATH: Final = "/sign-in/oidc"
RETURN_PATH: Final = "/sign-in/oidc/callback"

_ASSETS: Final = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
SIGN_OUT: Final = "sign-out"
"""What the form's field `do` says when somebody wants to sign out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, as the page tells it.

    Attributes:
        message: in one sentence.
        advice: what to do next, or an empty string.
        of_fields: whether name and password are what is wrong.
    """

    message: str
    advice: str = ""
    of_fields: bool = False


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The page that somebody sees who is not signed in.

    Attributes:
        path: where it is shown.
        following: the path of this server where they go then.
        provider: what the sign-in provider is called; None where there is none.
        name: the user name that was typed before.
        fault: why they are not signed in; None at first.
    """

    path: str
    following: str
    provider: str | None = None
    name: str = ""
    fault: Fault | None = None

    def html(self) -> str:
        """Write it."""
        title = "Sign in to Lineshaft"
        content = "\n".join(part for part in (self._alert(), self._form(), self._other_way()) if part)
        return _page(self.path, title if self.fault is None else f"Error: {title}", title, content)

    def _alert(self) -> str:
        if self.fault is None:
            return ""
        advice = f'<p class="advice">{escape(self.fault.advice)}</p>' if self.fault.advice else ""
        return f'<div class="alert" role="alert" id="fault"><p>{escape(self.fault.message)}</p>{advice}</div>'

    def _form(self) -> str:
        wrong = self.fault is not None and self.fault.of_fields
        marks = ' aria-invalid="true" aria-describedby="fault"' if wrong else ""
        on_name, on_password = ("", " autofocus") if self.name else (" autofocus", "")
        return f"""\
<form method="post" action="{escape(reference(self.path, PATH))}">
<input type="hidden" name="next" value="{escape(self.following)}">
<label for="username">Name</label>
<input id="username" name="username" value="{escape(self.name)}" autocomplete="username" \
autocapitalize="none" spellcheck="false" required maxlength="255"{marks}{on_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" \
required maxlength="1024"{marks}{on_password}>
<button type="submit">Sign in</button>
</form>"""

    def _other_way(self) -> str:
        if self.provider is None:
            return ""
        way = f"{reference(self.path, PROVIDER_PATH)}?{urlencode({'next': self.following})}"
        return (
            '<p class="or">or</p>\n'
            f'<a class="button second" href="{escape(way)}">Sign in with {escape(self.provider)}</a>'
        )


@dataclass(frozen=True, slots=True)
class SignedInPage:
    """The page that somebody sees who is signed in already.

    Attributes:
        path: where it is shown.
        following: the path of this server where they go from here.
        name: who they are.
    """

    path: str
    following: str
    name: str

    def html(self) -> str:
        """Write it."""
        content = f"""\
<p class="who">You are signed in as <strong>{escape(self.name)}</strong>.</p>
<a class="button" href="{escape(reference(self.path, self.following))}">Go on</a>
<form method="post" action="{escape(reference(self.path, PATH))}">
<button class="second" type="submit" name="do" value="{SIGN_OUT}">Sign out</button>
</form>"""
        return _page(self.path, "Signed in to Lineshaft", "Signed in", content)


def asset(name: str) -> tuple[bytes, str] | None:
    """Find a file that the page loads, with its media type; None where there is none of that name."""
    media_type = _ASSETS.get(name)
    return None if media_type is None else (_file(name), media_type)


def _page(path: str, title: str, heading: str, content: str) -> str:
    return _template().substitute(title=title, heading=heading, content=content, root=reference(path, "/"))


@cache
def _template() -> Template:
    return Template(_file("sign_in.html").decode())


@cache
def _file(name: str) -> bytes:
    return (files(__package__) / name).read_bytes()
