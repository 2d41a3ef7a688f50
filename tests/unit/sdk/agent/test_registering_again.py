"""A worker that registers anew, over a network that loses answers."""

from lineshaft.model.errors import ServerUnreachableError, WorkerNotFoundError
from scripted_server import Scene, at_work


async def test_a_second_try_says_the_same_as_the_first_which_may_have_begun_the_session() -> None:
    scene = Scene()
    async with at_work(scene.agent()):
        assert (await scene.welcome()).former is None
        (await scene.server.heartbeats.next()).fail(WorkerNotFoundError("It is forgotten."))
        (await scene.pauses.next()).end()

        first = await scene.server.hellos.next()
        first.fail(ServerUnreachableError("No answer in time."))
        (await scene.pauses.next()).end()
        second = await scene.server.hellos.next()

        assert first.message.session is not None
        assert second.message == first.message


async def test_each_session_has_an_id_of_its_own() -> None:
    scene = Scene()
    async with at_work(scene.agent()):
        first = await scene.welcome()
        (await scene.server.heartbeats.next()).fail(WorkerNotFoundError("It is forgotten."))
        (await scene.pauses.next()).end()

        assert (await scene.welcome()).session != first.session
