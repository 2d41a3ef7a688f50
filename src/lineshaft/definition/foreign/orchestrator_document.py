"""The document of `Dialect.NODE` that is an orchestrator's pipelines."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator

from lineshaft.definition.foreign.document import Document
from lineshaft.definition.foreign.node_document import (
    FOLDER_KEY,
    PATTERN_DEMAND,
    Exec,
    Folder,
    ForeignText,
    Pattern,
)
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import LABEL_WORDS
from lineshaft.definition.repository import read_repository
from lineshaft.definition.rule import refused
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.mail_address import is_address
from lineshaft.model.notification import MOST_RECIPIENTS
from lineshaft.model.placement import LABEL_PATTERN, LONGEST_LABEL, MOST_LABELS

_LONGEST_BODY: Final = 8_192

_Label = Annotated[
    str, Field(max_length=LONGEST_LABEL, pattern=LABEL_PATTERN), Key("", f"a label: {LABEL_WORDS}")
]


def _repository(address: str) -> str:
    try:
        read_repository(address)
    except InvalidInputError as error:
        raise refused(f"must be the address of a repository. {error}") from None
    return address


def _addresses(value: Any) -> tuple[str, ...]:
    said = value.split(",") if isinstance(value, str) else value
    if not isinstance(said, list) or not 0 < len(said) <= MOST_RECIPIENTS:
        raise ValueError(value)
    addresses = tuple(each.strip() if isinstance(each, str) else "" for each in said)
    if not all(map(is_address, addresses)):
        raise ValueError(value)
    return addresses


class MailDocument(Document):
    """A mail."""

    model_config = ConfigDict(title="email")

    to: Annotated[
        tuple[str, ...],
        PlainValidator(_addresses),
        Key("Who gets it", "an address of mail, or several of them"),
    ]
    subject: Annotated[ForeignText | None, Key("Its subject", "text, not empty")] = None
    body: Annotated[
        str | None,
        Field(min_length=1, max_length=_LONGEST_BODY),
        Key("What it says, as HTML", f"text of 1 to {_LONGEST_BODY:,} characters"),
    ] = None


class OutcomeDocument(Document):
    """Who is told of one outcome."""

    model_config = ConfigDict(title="notification")

    email: Annotated[MailDocument | None, Key("The mail that is sent", "an object")] = None


class NotificationsDocument(Document):
    """Who is told of which outcome."""

    model_config = ConfigDict(title="object of notifications")

    on_failure: Annotated[OutcomeDocument | None, Key("Who is told of failures", "an object")] = Field(
        None, alias="onFailure"
    )
    on_success: Annotated[OutcomeDocument | None, Key("Who is told of successes", "an object")] = Field(
        None, alias="onSuccess"
    )


class EntryDocument(Document):
    """One pipeline of an orchestrator."""

    model_config = ConfigDict(title="pipeline")

    repository: Annotated[
        str, AfterValidator(_repository), Key("Where the source is", "the address of a git repository")
    ]
    ref: Annotated[ForeignText | None, Key("What is built", "the name of a branch")] = None
    cwd: Annotated[Folder | None, FOLDER_KEY] = None
    exec: Annotated[Exec, Key("What is called", "a list of a program and its arguments, or a text of these")]
    notifications: Annotated[NotificationsDocument | None, Key("Who is told how it went", "an object")] = None
    worker_tags: Annotated[
        list[_Label] | None,
        Field(max_length=MOST_LABELS),
        Key("What a worker must offer", f"a list of at most {MOST_LABELS} labels"),
    ] = Field(None, alias="worker-tags")
    tag_pattern: Annotated[Pattern | None, Key("Which tags start it", PATTERN_DEMAND)] = Field(
        None, alias="tag-pattern"
    )
    poll: Any = None
    webhook: Any = None


class PipelinesDocument(Document):
    """An orchestrator's pipelines by their names, which are the keys."""

    model_config = ConfigDict(title="file of pipelines", extra="allow")

    __pydantic_extra__: dict[str, EntryDocument] = Field(init=False)

    @property
    def entries(self) -> dict[str, EntryDocument]:
        """The pipelines, in the order in which they were written."""
        return self.__pydantic_extra__
