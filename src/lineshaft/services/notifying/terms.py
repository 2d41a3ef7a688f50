"""What mails of this server may say, and to whom."""

from dataclasses import dataclass
from typing import Final

from lineshaft.model.mail_address import address_in, domain_of
from lineshaft.model.notification import AUTHOR, Email
from lineshaft.model.run import Run


@dataclass(frozen=True, slots=True)
class MailTerms:
    """What mails of this server may say, and to whom.

    Attributes:
        public_url: the server's address as people know it; None where nobody has said.
        author_domains: the domains, in small letters, whose addresses count when a commit names its author.
            Whoever pushes can name anybody.
    """

    public_url: str | None = None
    author_domains: frozenset[str] = frozenset()

    def url_of(self, run: Run) -> str:
        """Say where a run can be looked at; empty where that is not known."""
        return "" if self.public_url is None else f"{self.public_url.rstrip('/')}/v1/runs/{run.id}"

    def recipients(self, email: Email, run: Run) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """List who gets a mail and who a copy of it, each address once."""
        taken: set[str] = set()
        author = self._author(run)
        both: list[tuple[str, ...]] = []
        for said in (email.to, email.cc):
            meant = [author if each == AUTHOR else each for each in said]
            both.append(tuple(each for each in meant if each is not None and not _seen(each, taken)))
        return both[0], both[1]

    def _author(self, run: Run) -> str | None:
        address = None if run.source is None else address_in(run.source.author)
        return address if address is not None and domain_of(address) in self.author_domains else None


NO_TERMS: Final = MailTerms()


def _seen(address: str, taken: set[str]) -> bool:
    # The part before the sign may tell capitals apart, but nobody's does.
    known = address.lower() in taken
    taken.add(address.lower())
    return known
