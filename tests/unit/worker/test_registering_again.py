"""A worker that registers anew, over a network that loses answers."""

from lineshaft.model.errors import ServerUnreachableError, WorkerNotFoundError
from scripted_server import Scene, at_work


async def test_a_second_try_names_no_former_session_since_the_first_may_have_ended_it() -> None:
    scene = Scene()
    async with at_work(scene.agent()):
        assert (await scene.welcome()).former is None
        (await scene.server.heartbeats.next()).fail(WorkerNotFoundError("It is forgotten."))
        (await scene.pauses.next()).end()

        first = await scene.server.hellos.next()
        first.fail(ServerUnreachableError("No answer in time."))
        (await scene.pauses.next()).end()
        second = await scene.server.hellos.next()

        assert first.message.former is not None
        assert second.message.former is None
