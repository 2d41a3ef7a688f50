"""Results and artifacts as people get them: named, whole, in ranges, and file by file."""

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from integration.files.conftest import Stage
from lineshaft.model.artifact import PART_BYTES, ArtifactKind, ContentFormat
from lineshaft.model.kept_files import ResultType
from worker_files_scene import Held, keep

XML = b"<testsuites/>"
REPORT: dict[str, Any] = {
    "kind": ArtifactKind.RESULT,
    "type": ResultType.JUNIT,
    "format": ContentFormat.FILE,
    "media_type": "text/html",
}
FOLDER: dict[str, Any] = {"kind": ArtifactKind.RESULT, "type": ResultType.DIR}
LONG = bytes(range(256)) * 20_000


def archive(**files: bytes) -> bytes:
    """Pack files; those whose names end with `stored` are not compressed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        for name, data in files.items():
            method = zipfile.ZIP_STORED if name.endswith("stored") else zipfile.ZIP_DEFLATED
            written.writestr(zipfile.ZipInfo(name), data, method)
    return packed.getvalue()


PACKED = archive(
    **{
        "index.html": b"<script>alert(1)</script>",
        "sub/long.bin": LONG,
        "sub/long.stored": LONG,
        "sub/deep/empty.txt": b"",
        "subway/é.txt": b"line\n",
    }
)


async def kept(stage: Stage, data: bytes = XML, name: str = "junit", **members: Any) -> tuple[str, Held]:
    """Keep a result, and return the address of the run's results."""
    held = await stage.scene.first()
    await keep(stage.scene.files, held, data, name, **(members or REPORT))
    noun = "artifacts" if members.get("kind", ArtifactKind.ARTIFACT) is ArtifactKind.ARTIFACT else "results"
    return f"/v1/runs/{held.address.run_id}/{noun if members else 'results'}", held


async def test_a_result_is_listed_with_all_that_is_known_of_it(stage: Stage) -> None:
    results, held = await kept(stage)

    (item,) = (await stage.http.get(results)).json()["items"]

    assert item == {
        "name": "junit",
        "path": "build",
        "attempt": 1,
        "format": "file",
        "media_type": "text/html",
        "size_bytes": len(XML),
        "sha256": hashlib.sha256(XML).hexdigest(),
        "created_at": stage.clock.now().isoformat(),
        "url": f"/v1/runs/{held.address.run_id}/results/build/junit?attempt=1",
        "type": "junit",
        "tests": None,
    }
    assert (await stage.http.get(item["url"])).content == XML


@pytest.mark.parametrize("name", ["junit", "build/junit"])
async def test_a_result_is_found_by_its_name_and_its_node(stage: Stage, name: str) -> None:
    results, _ = await kept(stage)

    answer = await stage.http.get(f"{results}/{name}")

    assert answer.status_code == 200
    assert answer.content == XML


async def test_a_report_is_xml_whatever_its_worker_says(stage: Stage) -> None:
    results, _ = await kept(stage)

    headers = (await stage.http.get(f"{results}/junit")).headers

    assert headers["content-type"] == "application/xml"
    assert headers["content-disposition"] == 'inline; filename="junit.xml"'


async def test_no_browser_runs_what_a_task_has_kept(stage: Stage) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)

    for path in ("site", "site/files/index.html", "site/files/sub"):
        headers = (await stage.http.get(f"{results}/{path}")).headers
        assert headers["content-security-policy"] == "sandbox"
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_name_that_two_nodes_have_used_needs_its_node(stage: Stage) -> None:
    results, held = await kept(stage)
    await keep(stage.scene.files, await stage.scene.second(held), b"other", "junit", **REPORT)

    answer = await stage.http.get(f"{results}/junit")

    assert answer.status_code == 409
    assert "'build/junit', 'test/junit'" in answer.json()["advice"]
    assert (await stage.http.get(f"{results}/test/junit")).content == b"other"


async def test_what_nobody_kept_is_not_found_and_the_rest_is_named(stage: Stage) -> None:
    results, _ = await kept(stage)

    answer = await stage.http.get(f"{results}/coverage")

    assert answer.status_code == 404
    assert "'build/junit'" in answer.json()["advice"]
    assert (await stage.http.get(f"{results}/junit", params={"attempt": 2})).status_code == 404


async def test_bytes_of_a_long_artifact_are_read_in_ranges(stage: Stage) -> None:
    data = bytes(range(251)) * (PART_BYTES // 200)
    artifacts, _ = await kept(stage, data, "dist", kind=ArtifactKind.ARTIFACT)

    whole = await stage.http.get(f"{artifacts}/dist")
    part = await stage.http.get(
        f"{artifacts}/dist", headers={"Range": f"bytes={PART_BYTES - 5}-{PART_BYTES + 4}"}
    )

    assert whole.content == data
    assert part.status_code == 206
    assert part.content == data[PART_BYTES - 5 : PART_BYTES + 5]
    assert part.headers["content-range"] == f"bytes {PART_BYTES - 5}-{PART_BYTES + 4}/{len(data)}"


async def test_who_has_it_already_is_told_so(stage: Stage) -> None:
    results, _ = await kept(stage)
    etag = (await stage.http.get(f"{results}/junit")).headers["etag"]

    assert etag == f'"{hashlib.sha256(XML).hexdigest()}"'
    for known in (etag, f'"x", W/{etag}', "*"):
        answer = await stage.http.get(f"{results}/junit", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
    other = await stage.http.get(f"{results}/junit", headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


async def test_a_range_of_another_version_gets_the_whole(stage: Stage) -> None:
    results, _ = await kept(stage)
    etag = (await stage.http.get(f"{results}/junit")).headers["etag"]

    same = await stage.http.get(f"{results}/junit", headers={"Range": "bytes=1-2", "If-Range": etag})
    other = await stage.http.get(f"{results}/junit", headers={"Range": "bytes=1-2", "If-Range": '"x"'})
    behind = await stage.http.get(f"{results}/junit", headers={"Range": "bytes=99-"})

    assert (same.status_code, same.content) == (206, XML[1:3])
    assert (other.status_code, other.content) == (200, XML)
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{len(XML)}")


async def test_head_tells_the_size_without_the_bytes(stage: Stage) -> None:
    results, _ = await kept(stage)

    answer = await stage.http.head(f"{results}/junit")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(XML))


@pytest.mark.parametrize("name", ["sub/long.bin", "sub/long.stored"])
async def test_one_file_is_read_out_of_an_archive_in_ranges(stage: Stage, name: str) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)
    url = f"{results}/site/files/{name}"

    whole = await stage.http.get(url)
    part = await stage.http.get(url, headers={"Range": "bytes=-300"})

    assert whole.content == LONG
    assert (part.status_code, part.content) == (206, LONG[-300:])
    assert part.headers["etag"] == whole.headers["etag"]


async def test_a_file_in_an_archive_has_the_type_that_its_name_tells(stage: Stage) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)

    text = await stage.http.get(f"{results}/build/site/files/subway/é.txt")
    empty = await stage.http.get(f"{results}/site/files/sub/deep/empty.txt")
    unknown = await stage.http.get(f"{results}/site/files/sub/long.bin")

    assert text.content == b"line\n"
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-disposition"] == "inline; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"
    assert (empty.status_code, empty.content) == (200, b"")
    assert unknown.headers["content-disposition"] == 'attachment; filename="long.bin"'


@pytest.mark.parametrize("path", ["sub", "sub/"])
async def test_a_folder_of_an_archive_is_an_archive_of_its_own(stage: Stage, path: str) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)

    answer = await stage.http.get(f"{results}/site/files/{path}")

    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as folder:
        assert folder.testzip() is None
        assert folder.namelist() == ["sub/long.bin", "sub/long.stored", "sub/deep/empty.txt"]
        assert folder.read("sub/long.bin") == LONG


async def test_the_bytes_of_an_archive_are_its_own_when_all_of_it_is_asked_for(stage: Stage) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)

    for path in ("site", "site/files", "site/files/"):
        answer = await stage.http.get(f"{results}/{path}")
        assert answer.content == PACKED
        assert answer.headers["content-disposition"] == 'attachment; filename="site.zip"'


async def test_a_file_that_is_not_in_an_archive_is_not_found(stage: Stage) -> None:
    results, _ = await kept(stage, PACKED, "site", **FOLDER)

    assert (await stage.http.get(f"{results}/site/files/sub/none")).status_code == 404
    assert (await stage.http.get(f"{results}/site/files/su")).status_code == 404


async def test_a_plain_file_has_nothing_in_it(stage: Stage) -> None:
    results, _ = await kept(stage)

    assert (await stage.http.get(f"{results}/junit/files/a")).status_code == 409


@pytest.mark.parametrize("broken", [b"no archive", PACKED[:-30], PACKED[:60] + b"\0" * 500 + PACKED[-700:]])
async def test_an_archive_that_is_none_is_refused_and_no_fault_of_the_server(
    stage: Stage, broken: bytes
) -> None:
    results, _ = await kept(stage, broken, "site", **FOLDER)

    answer = await stage.http.get(f"{results}/site/files/sub/long.bin")

    assert answer.status_code == 409


async def test_a_link_in_an_archive_is_not_followed(stage: Stage) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        link = zipfile.ZipInfo("passwd")
        link.external_attr = 0o120777 << 16
        written.writestr(link, "/etc/passwd")
    results, _ = await kept(stage, packed.getvalue(), "site", **FOLDER)

    answer = await stage.http.get(f"{results}/site/files/passwd")

    assert answer.status_code == 404
    assert "symbolic link" in answer.json()["detail"]


async def test_an_artifact_that_has_expired_is_listed_and_gone(stage: Stage) -> None:
    artifacts, _ = await kept(stage, PACKED, "dist", kind=ArtifactKind.ARTIFACT, expire_seconds=60)
    stage.clock.advance(timedelta(minutes=2))

    (item,) = (await stage.http.get(artifacts)).json()["items"]
    answer = await stage.http.get(f"{artifacts}/dist")

    assert item["expired"]
    assert answer.status_code == 410
    assert answer.json()["type"].endswith("artifact-expired")


async def test_a_deleted_artifact_is_gone_and_the_log_says_who_did_it(stage: Stage) -> None:
    artifacts, _ = await kept(stage, PACKED, "dist", kind=ArtifactKind.ARTIFACT)

    answer = await stage.http.delete(f"{artifacts}/dist")

    assert answer.status_code == 204
    assert (await stage.http.get(artifacts)).json()["items"] == []
    assert (await stage.http.delete(f"{artifacts}/dist")).status_code == 404
    entry = (await stage.http.get("/v1/audit", params={"limit": 1})).json()["items"][0]
    assert (entry["action"], entry["target"], entry["actor"]) == ("artifact.deleted", "build/dist", "admin")


async def test_results_are_told_a_page_at_a_time(stage: Stage) -> None:
    held = await stage.scene.first()
    for name in ("c", "a", "b"):
        await keep(stage.scene.files, held, XML, name, **REPORT)
    results = f"/v1/runs/{held.address.run_id}/results"

    first = (await stage.http.get(results, params={"limit": 2})).json()
    second = (await stage.http.get(results, params={"limit": 2, "after": first["next"]})).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None


async def test_a_result_has_a_name_with_files_in_it(stage: Stage) -> None:
    results, _ = await kept(stage, XML, "my/files/report", **REPORT)

    assert (await stage.http.get(f"{results}/my/files/report")).content == XML
    assert (await stage.http.get(f"{results}/build/my/files/report")).content == XML
