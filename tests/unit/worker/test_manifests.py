import json
from pathlib import Path

import pytest

from lineshaft.worker.manifests import BadManifestsError, read_manifests


def names(folder: Path, path: str) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in read_manifests(folder, path)]


def named(name: str) -> str:
    return f"metadata: {{name: {name}}}\n"


def test_a_file_may_hold_several_documents(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text(f"---\n{named('one')}---\n---\n# nothing\n---\n{named('two')}")
    assert names(tmp_path, "all.yml") == ["one", "two"]


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    (folder / "sub").mkdir(parents=True)
    (folder / "20.yaml").write_text(named("second"))
    (folder / "10.json").write_text(json.dumps({"metadata": {"name": "first"}}))
    (folder / "30.yml").write_text(named("third"))
    (folder / "README.md").write_text("no manifest")
    assert names(tmp_path, "deploy/") == ["first", "second", "third"]


def test_a_list_is_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text(
        "kind: List\nitems:\n- metadata: {name: one}\n- metadata: {name: two}\n"
    )
    assert names(tmp_path, "all.yml") == ["one", "two"]


def test_anchors_and_merges_are_followed_and_dates_stay_text(tmp_path: Path) -> None:
    text = "metadata: &m {name: a, date: 2026-01-01}\nother: {<<: *m, name: b}\n"
    (tmp_path / "all.yml").write_text(text)
    (manifest,) = read_manifests(tmp_path, "all.yml")
    assert manifest["other"] == {"name": "b", "date": "2026-01-01"}


def bomb(levels: int, line: str) -> str:
    return "a0: &a0 {x: 1}\n" + "".join(line.format(this=level, last=level - 1) for level in range(1, levels))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just text",
        "- a\n- b",
        "1: a",
        "kind: List\nitems: [1]",
        "a: [",
        "a: !!python/object:os.system x",
        "a: !!binary aGVsbG8=",
        "a: !!set {b}",
        "a: &a [*a]",
        "[" * 100_000,
        "- " * 100_000,
        "%TAG ! x\n" * 200,
        "\xff",
        bomb(40, "a{this}: &a{this} [*a{last}, *a{last}]\n"),
        bomb(40, "a{this}: &a{this} {{<<: [*a{last}, *a{last}]}}\n"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "all.yml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadManifestsError):
        read_manifests(tmp_path, "all.yml")


def test_an_error_names_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_text("a: 1\nb: [\n")
    with pytest.raises(BadManifestsError, match=r"all\.yml is no YAML from line \d"):
        read_manifests(tmp_path, "all.yml")


@pytest.mark.parametrize("path", ["missing", "..", "/etc", "link.yml", "folder"])
def test_what_is_not_there_or_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside.yml").write_text(named("outside"))
    (root / "link.yml").symlink_to(tmp_path / "outside.yml")
    (root / "folder" / "link.yml").symlink_to(tmp_path / "outside.yml")
    with pytest.raises(BadManifestsError, match=path.replace(".", r"\.")):
        read_manifests(root, path)


def test_too_large_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all.yml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(BadManifestsError, match="larger than"):
        read_manifests(tmp_path, "all.yml")
