"""Caches as people look after them."""

from integration.files.conftest import Stage
from worker_files_scene import find, keep_cache


async def test_caches_are_listed(stage: Stage) -> None:
    held = await stage.scene.first(ref="refs/heads/main")
    cache = await keep_cache(stage.scene.files, held, "deps-1", b"bytes")
    pipeline_id = (await stage.scene.run(held)).pipeline_id

    (item,) = (await stage.http.get(f"/v1/pipelines/{pipeline_id}/caches")).json()["items"]

    assert (item["id"], item["key"], item["scope"], item["size_bytes"]) == (str(cache), "deps-1", "main", 5)
    assert (item["run_id"], item["path"]) == (str(held.address.run_id), "build")


async def test_a_cache_that_is_deleted_is_not_found_any_more(stage: Stage) -> None:
    held = await stage.scene.first()
    cache = await keep_cache(stage.scene.files, held, "a")
    await keep_cache(stage.scene.files, held, "b")
    caches = f"/v1/pipelines/{(await stage.scene.run(held)).pipeline_id}/caches"

    assert (await stage.http.delete(f"{caches}/{cache}")).status_code == 204
    assert (await stage.http.delete(f"{caches}/{cache}")).status_code == 404

    assert (await find(stage.scene.files, held, "a")).files is None
    assert [item["key"] for item in (await stage.http.get(caches)).json()["items"]] == ["b"]
    entry = (await stage.http.get("/v1/audit", params={"limit": 1})).json()["items"][0]
    assert (entry["action"], entry["target"]) == ("cache.deleted", str(cache))


async def test_all_caches_of_a_pipeline_are_deleted_at_once(stage: Stage) -> None:
    held = await stage.scene.first()
    other = await stage.scene.first("other")
    for key in ("a", "b"):
        await keep_cache(stage.scene.files, held, key)
    await keep_cache(stage.scene.files, other, "a")
    caches = f"/v1/pipelines/{(await stage.scene.run(held)).pipeline_id}/caches"

    answer = await stage.http.delete(caches)

    assert answer.json() == {"deleted": 2}
    assert (await stage.http.get(caches)).json()["items"] == []
    assert (await find(stage.scene.files, other, "a")).files is not None
