"""The calls of the API client for tests."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from lineshaft.model.test_case import TestState
from lineshaft.model.test_report import TestOrder
from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.client.pipelines import pipeline_path
from lineshaft.sdk.client.runs import run_path
from lineshaft.sdk.test_report import CountsView, TestView
from lineshaft.sdk.transport import read


class TestCalls(Calls):
    """What a client asks for about tests."""

    __test__ = False

    def run_tests(
        self,
        run_id: UUID | str,
        *,
        states: Iterable[TestState] = (),
        node: str | None = None,
        text: str | None = None,
        attempt: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[TestView]:
        """Go through the test cases of a run, failures first (GET /v1/runs/{id}/tests), a page at a time.

        Args:
            run_id: whose tests.
            states: only those that ended so; none means any.
            node: only those of this node, and of nodes below it.
            text: only those whose names hold it.
            attempt: of which attempt; None means each node's newest that has told of tests.
            page_size: how many to ask for at a time.

        Raises:
            RunNotFoundError: there is no such run.
        """
        after: int | None = 0
        path = f"{run_path(run_id)}/tests"
        query = _query(states, node, text, attempt)
        while after is not None:
            page_query = [*query, ("limit", str(page_size)), ("after", str(after))]
            answer = self._transport.request("GET", path, subject=run_id, params=page_query)
            yield from read(answer, lambda page: [TestView.from_document(each) for each in page["items"]])
            after = read(answer, lambda page: None if page["next"] is None else int(page["next"]))

    def count_tests(
        self, run_id: UUID | str, *, node: str | None = None, attempt: int | None = None
    ) -> CountsView:
        """Tell what the tests of a run have come to (GET /v1/runs/{id}/tests).

        Raises:
            RunNotFoundError: there is no such run.
        """
        query = [*_query((), node, None, attempt), ("limit", "1")]
        answer = self._transport.request("GET", f"{run_path(run_id)}/tests", subject=run_id, params=query)
        return read(answer, lambda page: CountsView.from_document(page["counts"]))

    def pipeline_tests(
        self,
        pipeline_id: UUID | str,
        order: TestOrder,
        *,
        runs: int | None = None,
        branch: str | None = None,
        page_size: int = PAGE,
    ) -> Iterator[TestView]:
        """Go through tests of a pipeline (GET /v1/pipelines/{id}/tests), a page at a time.

        Args:
            pipeline_id: whose tests.
            order: the slowest, the flaky, or the newly failing ones.
            runs: how many of its last runs that have told of tests count; None means as the server does.
            branch: only runs on this branch count.
            page_size: how many to ask for at a time.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        query = {"order": order.value, "limit": str(page_size)}
        query |= {} if runs is None else {"runs": str(runs)}
        query |= {} if branch is None else {"branch": branch}
        path = f"{pipeline_path(pipeline_id)}/tests"
        return self._transport.pages(path, query, "after", TestView.from_document, subject=pipeline_id)


def _query(
    states: Iterable[TestState], node: str | None, text: str | None, attempt: int | None
) -> list[tuple[str, str]]:
    said = {"node": node, "text": text, "attempt": None if attempt is None else str(attempt)}
    return [
        *(("state", state.value) for state in states),
        *((name, value) for name, value in said.items() if value is not None),
    ]
