from lineshaft.worker.otlp.turns import Turns
from worker_tasks import Log


async def test_lines_begin_on_a_new_one_when_the_program_is_in_the_middle_of_its_own() -> None:
    log = Log()
    turns = Turns(log)
    await turns.write(b"half")
    await turns.write_lines("told\n")
    await turns.write(b"whole\n")
    await turns.write_lines("told\n")
    assert log.text == "half\ntold\nwhole\ntold\n"


async def test_nothing_is_written_for_no_lines() -> None:
    log = Log()
    turns = Turns(log)
    await turns.write(b"half")
    await turns.write_lines("")
    assert log.text == "half"
