import os
import subprocess
from pathlib import Path

import pytest

from lineshaft.cli.checkout import Checkout
from lineshaft.cli.snapshot import snapshot_checkout, snapshot_folder
from lineshaft.model.errors import InvalidInputError

NOBODY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", "-C", folder, *arguments],
        env=os.environ | NOBODY,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return answer.stdout.strip()


def commit(folder: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Begin", a="1")
    commit(folder, "Add b", b="1")
    return folder


def around(folder: Path) -> Checkout:
    found = Checkout.around(folder)
    assert found is not None
    return found


def test_a_folder_outside_of_git_is_no_checkout(tmp_path: Path) -> None:
    assert Checkout.around(tmp_path) is None


def test_a_checkout_tells_what_expressions_ask_for(shop: Path) -> None:
    (shop / "deep").mkdir()
    found = around(shop / "deep")
    assert found == Checkout(
        root=shop,
        commit=git(shop, "rev-parse", "HEAD"),
        branch="main",
        message="Add b",
        author="Ada <ada@example.org>",
        changes=("b",),
    )


def test_what_is_not_committed_has_changed_as_well(shop: Path) -> None:
    (shop / "a").write_text("2")
    (shop / "new").write_text("1")
    found = around(shop)
    assert found.uncommitted
    assert found.changes == ("a", "b", "new")


def test_in_a_first_commit_everything_has_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "Begin", a="1", b="1")
    assert around(tmp_path).changes == ("a", "b")


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    found = around(tmp_path)
    assert (found.commit, found.branch, found.uncommitted) == (None, "trunk", True)


def test_where_the_commit_before_is_not_here_changes_are_not_known(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop}", "shallow")
    assert around(tmp_path / "shallow").changes is None


def test_a_tag_counts_where_no_branch_is_checked_out(shop: Path) -> None:
    git(shop, "tag", "v1")
    git(shop, "checkout", "--quiet", "v1")
    assert (around(shop).branch, around(shop).tag) == ("", "v1")


def test_a_branch_a_tag_and_a_commit_can_be_asked_for(shop: Path) -> None:
    first = git(shop, "rev-parse", "HEAD^")
    git(shop, "branch", "old", first)
    git(shop, "tag", "v0", first)
    told = [
        (each.commit, each.branch, each.tag) for each in (Checkout.at(shop, ref) for ref in ("old", "v0"))
    ]
    assert told == [(first, "old", ""), (first, "", "v0")]
    found = Checkout.at(shop, first[:10])
    assert (found.commit, found.branch, found.tag, found.changes) == (first, "", "", ("a",))


@pytest.mark.parametrize("ref", ["nope", "--all", ""])
def test_a_revision_that_is_not_there_is_refused(shop: Path, ref: str) -> None:
    with pytest.raises(InvalidInputError, match="has no branch, tag or commit"):
        Checkout.at(shop, ref)


def test_settings_of_a_hook_do_not_lead_elsewhere(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert Checkout.around(shop) is not None


def test_a_snapshot_holds_what_is_not_committed_and_leaves_the_repository_alone(
    shop: Path, tmp_path: Path
) -> None:
    (shop / ".gitignore").write_text("ignored\n")
    (shop / "ignored").write_text("1")
    (shop / "a").write_text("2")
    (shop / "b").unlink()
    (shop / "new").write_text("1")
    before = git(shop, "status", "--porcelain")
    objects = git(shop, "count-objects")
    taken = snapshot_checkout(around(shop), tmp_path / "snapshot")
    git(tmp_path, "clone", "--quiet", f"file://{taken.root}", "copy")
    copy = tmp_path / "copy"
    assert sorted(path.name for path in copy.iterdir()) == [".git", ".gitignore", "a", "new"]
    assert (copy / "a").read_text() == "2"
    assert git(copy, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert taken.commit == git(copy, "rev-parse", "HEAD")
    assert (git(shop, "status", "--porcelain"), git(shop, "count-objects")) == (before, objects)


def test_a_snapshot_needs_no_commit_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    (folder / "a").write_text("1")
    taken = snapshot_checkout(around(folder), tmp_path / "snapshot")
    git(tmp_path, "clone", "--quiet", f"file://{taken.root}", "copy")
    assert (tmp_path / "copy" / "a").read_text() == "1"
    assert taken.branch == "trunk"


def test_a_folder_outside_of_git_can_be_taken_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_text("1")
    taken = snapshot_folder(folder, tmp_path / "snapshot")
    git(tmp_path, "clone", "--quiet", f"file://{taken.root}", "copy")
    assert (tmp_path / "copy" / "deep" / "a").read_text() == "1"
    assert (taken.branch, taken.changes) == ("", None)
    assert not (folder / ".git").exists()
