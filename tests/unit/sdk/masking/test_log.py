"""The log of an attempt, which several write and in which nothing secret is."""

import asyncio
from pathlib import Path

from lineshaft.sdk.masking import MaskedLog, Masking
from worker_tasks import Log

TOKEN = "s3cr3t-token-0001"


async def log_with(*values: str) -> tuple[MaskedLog, Log, Masking]:
    masking, log = Masking(), Log()
    await masking.learn({f"SECRET_{number}": value for number, value in enumerate(values)})
    return MaskedLog(log, masking), log, masking


async def test_a_secret_is_masked_wherever_it_was_cut() -> None:
    masked, log, _ = await log_with(TOKEN)
    await masked.write(b"a s3cr3t-")
    await masked.write(b"token-0001 b s3c")
    assert log.text == "a *** b "
    await masked.finish()
    assert log.text == "a *** b s3c"


async def test_lines_of_others_do_not_tear_a_secret_apart() -> None:
    masked, log, _ = await log_with(TOKEN)
    await masked.write(b"a s3cr3t-")
    await masked.write_lines(f"told of {TOKEN}\n")
    await masked.write(b"token-0001\n")
    await masked.finish()
    assert log.text == "a \ntold of ***\n***\n"


async def test_lines_begin_on_a_new_one_when_the_program_is_in_the_middle_of_its_own() -> None:
    masked, log, _ = await log_with()
    await masked.write(b"half")
    await masked.write_lines("told\n")
    await masked.write(b"whole\n")
    await masked.write_lines("told\n")
    assert log.text == "half\ntold\nwhole\ntold\n"


async def test_nothing_is_written_for_no_lines() -> None:
    masked, log, _ = await log_with()
    await masked.write(b"half")
    await masked.write_lines("")
    assert log.text == "half"


async def test_what_a_task_registers_is_masked_from_its_next_output_on(tmp_path: Path) -> None:
    masked, log, masking = await log_with()
    path = tmp_path / "mask"
    async with masking.reading(path):
        await masked.write(f"{TOKEN}\n".encode())
        path.write_text(f"{TOKEN}\n")
        await masked.write(f"{TOKEN}\n".encode())
    assert log.text == f"{TOKEN}\n***\n"


async def test_all_who_look_at_once_know_what_one_of_them_has_read(tmp_path: Path) -> None:
    _, _, masking = await log_with()
    path = tmp_path / "mask"
    async with masking.reading(path):
        path.write_text(f"{TOKEN}\n{'x1y2z3' * 5000}\n")

        async def masked() -> str:
            await masking.look()
            return masking.mask_text(TOKEN)

        assert {*await asyncio.gather(masked(), masked(), masked())} == {"***"}


async def test_what_was_registered_last_is_known_behind_the_end_of_the_task(tmp_path: Path) -> None:
    _, _, masking = await log_with()
    path = tmp_path / "mask"
    async with masking.reading(path):
        path.write_text(TOKEN)
    path.unlink()
    assert masking.mask_text(f"<{TOKEN}>") == "<***>"


async def test_a_secret_that_cannot_be_masked_is_told_of_by_its_name_once() -> None:
    masked, log, _ = await log_with("short")
    await masked.write(b"one\n")
    await masked.write(b"two\n")
    head, *rest = log.text.splitlines()
    assert head.startswith("The value of SECRET_0 is not masked. It has fewer than 8 characters")
    assert rest == ["one", "two"]


async def test_large_pieces_go_on_whole_and_in_their_order() -> None:
    masked, log, _ = await log_with(TOKEN)
    data = b"".join(b"%06d\n" % number for number in range(150_000))
    await masked.write(data[: 1 << 20])
    await masked.finish()
    assert log.data == data[: 1 << 20]
