"""Tests: those of a run, and what many runs of a pipeline tell of them."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.model.test_case import TestState
from lineshaft.model.test_report import TestOrder
from lineshaft.ports.store import TestWindow
from lineshaft.server.depends import AttemptNumber, Limit, Offset, PipelineId, Plane, RunId
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.kept_documents import PipelineTestPage, RunTestPage
from lineshaft.server.openapi import PIPELINE_NOT_FOUND
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.services.tests import TestFilter
from lineshaft.wire.tests import counts_document, pipeline_test_document, run_test_document

_JSON: Final = "application/json"
MOST_TEST_RUNS: Final = 100
"""How many of a pipeline's last runs may count."""

_WITHOUT_NUL: Final = r"^[^\x00]*$"

router = APIRouter(route_class=GuardedRoute, prefix="/v1", tags=["tests"])


@router.get(
    "/runs/{run_id}/tests", responses={200: {"model": RunTestPage}}, openapi_extra=needs(Permission.VIEW)
)
async def list_run_tests(
    run_id: RunId,
    plane: Plane,
    *,
    state: Annotated[list[TestState], Query(max_length=10, description="Only those that ended so.")] = [],  # noqa: B006 - FastAPI copies it.
    node: Annotated[
        str | None,
        Query(max_length=2000, pattern=_WITHOUT_NUL, description="Only of this node, and of those below it."),
    ] = None,
    text: Annotated[
        str | None, Query(max_length=255, pattern=_WITHOUT_NUL, description="What their names hold.")
    ] = None,
    attempt: AttemptNumber = None,
    limit: Limit = 50,
    after: Offset = 0,
) -> Response:
    """List the test cases of a run, failures first, and count them."""
    of = TestFilter(frozenset(state), node, text, attempt)
    found = await plane.tests.of_run(run_id, of, offset=after, limit=limit)
    document = {
        "counts": counts_document(found.counts),
        "items": [run_test_document(test) for test in found.shown],
        "next": after + limit if found.more else None,
    }
    return Response(to_json(document), media_type=_JSON)


@router.get(
    "/pipelines/{pipeline_id}/tests",
    responses={200: {"model": PipelineTestPage}, **PIPELINE_NOT_FOUND},
    openapi_extra=needs(Permission.VIEW),
)
async def list_pipeline_tests(
    pipeline_id: PipelineId,
    plane: Plane,
    *,
    order: Annotated[TestOrder, Query(description="Which tests.")] = TestOrder.NEWLY_FAILING,
    runs: Annotated[
        int,
        Query(
            ge=1, le=MOST_TEST_RUNS, description="How many of the last runs that have told of tests count."
        ),
    ] = 20,
    branch: Annotated[
        str | None,
        Query(max_length=1000, pattern=_WITHOUT_NUL, description="Only runs on this branch count."),
    ] = None,
    limit: Limit = 50,
    after: Offset = 0,
) -> Response:
    """List the tests of a pipeline that are slowest, flaky, or newly failing."""
    window = TestWindow(pipeline_id, runs, branch)
    found = await plane.tests.of_pipeline(window, order, offset=after, limit=limit + 1)
    items = [to_json(pipeline_test_document(test)) for test in found[:limit]]
    return Response(page_json(items, after + limit if len(found) > limit else None), media_type=_JSON)
