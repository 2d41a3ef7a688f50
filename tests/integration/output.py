"""A sink for output that tests can wait on."""

import asyncio


class Output:
    """Keeps what was written, and tells when some text has come."""

    def __init__(self) -> None:
        self.text = ""
        self._arrived = asyncio.Condition()

    async def write(self, data: bytes) -> None:
        async with self._arrived:
            self.text += data.decode()
            self._arrived.notify_all()

    async def wait_for(self, text: str) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: text in self.text)
