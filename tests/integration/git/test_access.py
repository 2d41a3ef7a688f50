"""With what git reaches a host, told to those who reach it without git."""

from pathlib import Path

import pytest

from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.access import ask_by_ssh, certificates_for, login_for
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.remote import open_remote
from lineshaft.model.errors import SourceUnreachableError
from lineshaft.ports.repositories import Login

URL = "https://forge.example:8443/team/shop.git"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a user without any settings."""
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    return made


def program(folder: Path) -> GitProgram:
    made = folder / "program"
    made.mkdir()
    return GitProgram(ProcessExecutor(), made, "test/git")


@pytest.mark.usefixtures("home")
async def test_where_nobody_signs_in_there_is_no_login(tmp_path: Path) -> None:
    assert await login_for(program(tmp_path), URL, {}) is None


@pytest.mark.usefixtures("home")
async def test_the_login_of_a_remote_is_for_its_host_alone(tmp_path: Path) -> None:
    git = program(tmp_path)
    login = Login("ada", "h=u'sh $(id)")
    environment = open_remote(URL, (), login).environment
    assert await login_for(git, URL, environment) == login
    assert await login_for(git, URL.replace("8443", "443"), environment) is None
    assert await login_for(git, URL.replace("https", "http"), environment) is None
    assert await login_for(git, URL.replace("forge", "other"), environment) is None


async def test_a_helper_of_the_user_is_asked_as_git_asks_it(tmp_path: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    (home / ".git-credentials").write_text("https://ada:hush@forge.example:8443\n")
    assert await login_for(program(tmp_path), URL, {}) == Login("ada", "hush")


async def test_certificates_are_those_that_git_trusts_at_an_address(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = program(tmp_path)
    assert await certificates_for(git, URL) is None
    (home / ".gitconfig").write_text(
        '[http "https://forge.example:8443"]\n\tsslCAInfo = ~/forge.pem\n[http]\n\tsslCAInfo = /all.pem\n'
    )
    assert await certificates_for(git, URL) == home / "forge.pem"
    assert await certificates_for(git, "https://other.example/a.git") == Path("/all.pem")
    monkeypatch.setenv("GIT_SSL_CAINFO", "/named.pem")
    (tmp_path / "later").mkdir()
    assert await certificates_for(program(tmp_path / "later"), URL) == Path("/named.pem")


async def test_what_ssh_complains_of_is_the_reason(tmp_path: Path, home: Path) -> None:
    git = program(tmp_path)
    with pytest.raises(SourceUnreachableError, match="Can't open user config file"):
        await ask_by_ssh(git, "-F", str(home / "none"), "--", "127.0.0.1", "true", most_bytes=100)
