"""The canonical text of a native definition: JSON that holds all of it, and a definition made of it."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel

from lineshaft.definition.compiling.around import Around, Keys
from lineshaft.definition.compiling.compiler import Compiler
from lineshaft.definition.compiling.fragment import Fragment
from lineshaft.definition.compiling.level import Level
from lineshaft.definition.compiling.triggers import triggers_of
from lineshaft.definition.native.inputs import input_type
from lineshaft.model.callers import Callers
from lineshaft.model.concurrency import Concurrency, Policy
from lineshaft.model.definition import Definition, Format
from lineshaft.model.input import Input, InputType
from lineshaft.model.notification import DEFAULT_STATES, Email, Notification
from lineshaft.model.schedule import DEFAULT_TIMEZONE, Schedule
from lineshaft.model.state import State
from lineshaft.model.tree import Tree

ALLOW: Final = Concurrency(Policy.ALLOW)
"""What a new run means for those before it in a definition that does not say."""


def keys_of(document: BaseModel) -> dict[str, Any]:
    """Write a checked document as plain JSON values: what was written, with times in seconds."""
    return document.model_dump(mode="python", by_alias=True, exclude_unset=True)


def canonical_text(keys: Keys) -> str:
    """Write a whole document, its fragments under `files`, as the text that is kept."""
    return json.dumps(keys, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_seconds)


def read_canonical_native(text: str) -> Definition:
    """Read the text of a definition that `read_native` made; nothing is checked again."""
    keys: dict[str, Any] = json.loads(text)
    fragments = {path: Fragment(fragment) for path, fragment in keys.get("files", {}).items()}
    root = Compiler(fragments).whole(keys["name"], keys, Around(root_level(keys)))
    return definition_of(text, keys, Tree(root))


def definition_of(text: str, keys: Keys, tree: Tree) -> Definition:
    """Put a definition together.

    Args:
        text: its canonical text.
        keys: what that says.
        tree: its nodes.
    """
    concurrency = keys.get("concurrency")
    return Definition(
        hash=sha256(f"{Format.NATIVE}\n{text}".encode()).hexdigest(),
        format=Format.NATIVE,
        text=text,
        name=keys["name"],
        repository=keys.get("repository"),
        tree=tree,
        inputs=inputs_of(keys),
        concurrency=(
            Concurrency(Policy(concurrency["policy"]), concurrency.get("group", "")) if concurrency else ALLOW
        ),
        priority=keys.get("priority"),
        callable_by=Callers.said(keys.get("callable_by")),
        schedules=tuple(map(_schedule, (keys.get("on") or {}).get("schedule", ()))),
        triggers=triggers_of(keys),
        notifications=tuple(map(_notification, keys.get("notify", ()))),
        resource=keys.get("resource"),
        metadata=keys.get("metadata", {}),
    )


def root_level(keys: Keys) -> Level:
    """Make the level around a pipeline: what its defaults, secrets, identity tokens and source say."""
    defaults = keys.get("defaults", {})
    return Level(
        defaults=defaults,
        env=defaults.get("env"),
        secrets=tuple(keys.get("secrets", ())),
        id_tokens=keys.get("id_tokens"),
        source=keys.get("source"),
    )


def inputs_of(keys: Keys) -> tuple[Input, ...]:
    """List the inputs of a pipeline or fragment."""
    return tuple(_input(name, asked) for name, asked in keys.get("inputs", {}).items())


def _schedule(said: str | Keys) -> Schedule:
    # Texts of an earlier version hold the short form.
    keys: Keys = {"cron": said} if isinstance(said, str) else said
    return Schedule(keys["cron"], keys.get("timezone", DEFAULT_TIMEZONE), keys.get("inputs", {}))


def _notification(said: Keys) -> Notification:
    email: Keys = said["email"]
    return Notification(
        states=tuple(map(State, said["on"])) if "on" in said else DEFAULT_STATES,
        email=Email(
            to=tuple(email["to"]),
            cc=tuple(email.get("cc", ())),
            subject=email.get("subject"),
            body=email.get("body"),
            html=email.get("html", False),
        ),
    )


def _input(name: str, asked: Keys) -> Input:
    default = asked.get("default")
    return Input(
        name=name,
        type=InputType(asked.get("type", input_type(default))),
        default=default,
        choices=tuple(asked.get("choices", ())),
        required=asked.get("required", default is None),
        description=asked.get("description", ""),
    )


def _seconds(time: timedelta) -> float:
    seconds = time.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
