"""The secrets of one attempt, those that its task makes on the way included."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from lineshaft.model.maskable import why_unmaskable
from lineshaft.sdk.masking.mask_file import MaskFile
from lineshaft.sdk.masking.masker import Masker


class Masking:
    """Knows what is to be masked now.

    Attributes:
        masker: masks what was known at the last `look`.
    """

    def __init__(self) -> None:
        """Know no secrets."""
        self.masker = Masker()
        self._file: MaskFile | None = None
        self._sentences: list[str] = []
        self._learning = asyncio.Lock()

    async def learn(self, secrets: Mapping[str, str]) -> None:
        """Add secrets.

        Args:
            secrets: the values by their names; which of them cannot be masked the log is told.
        """
        for name, value in sorted(secrets.items()):
            why = why_unmaskable(value)
            if why is not None:
                self._sentences.append(f"The value of {name} is not masked. {why.text}")
        async with self._learning:
            await self._add(secrets.values())

    @asynccontextmanager
    async def reading(self, path: Path) -> AsyncIterator[None]:
        """Read secrets that a task makes from a file, as long as the task lives, and once behind its end."""
        self._file = MaskFile(path)
        try:
            yield
        finally:
            await self.look()
            self._file = None

    async def look(self) -> None:
        """Learn what the task has told; to be called right before anything of it is masked."""
        # Whoever comes while somebody learns waits for it, lest something goes out that is known by then.
        async with self._learning:
            if self._file is None:
                return
            news, sentences = self._file.news()
            self._sentences += sentences
            await self._add(news)

    def mask_text(self, text: str) -> str:
        """Mask a text that is complete in itself."""
        return self.masker.mask_text(text)

    def take_sentences(self) -> list[str]:
        """Take what the log is still to be told."""
        taken, self._sentences = self._sentences, []
        return taken

    async def _add(self, values: Collection[str]) -> None:
        if values:
            # The forms of large ones take a while.
            self.masker = await asyncio.to_thread(Masker, values, self.masker)
