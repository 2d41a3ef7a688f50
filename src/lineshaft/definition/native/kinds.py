"""Which keys make a node what it is, and which fit to which."""

from typing import Any, Final

TASK_KINDS: Final = ("run", "exec", "build", "deploy", "builder", "driver", "pipeline")
"""The keys of which each makes a node a task."""

GROUP_KINDS: Final = ("steps", "use")
"""The keys of which each makes a node a group."""

KINDS: Final = (*TASK_KINDS, *GROUP_KINDS)
"""The keys of which a node has exactly one."""

_PROGRAMS: Final = ("run", "exec", "builder")
_WORKED: Final = (*_PROGRAMS, "build", "deploy")
_LEASED: Final = (*_WORKED, "driver")

FITS: Final[dict[str, tuple[str, ...]]] = {
    "shell": ("run",),
    "cwd": _WORKED,
    "image": _PROGRAMS,
    "pull": (*_PROGRAMS, "build"),
    "read_only": _PROGRAMS,
    "services": _PROGRAMS,
    "registries": (*_PROGRAMS, "build"),
    "ssh": (*_PROGRAMS, "build"),
    "resources": _LEASED,
    "secrets": _LEASED,
    "id_tokens": _LEASED,
    "environment": (*_LEASED, *GROUP_KINDS),
    "results": _WORKED,
    "artifacts": _WORKED,
    "cache": _WORKED,
    "outputs": _PROGRAMS,
    "generates": _PROGRAMS,
    "idempotent": _LEASED,
    "with": ("use", "pipeline", "driver"),
    "parallel": ("steps",),
    "fail_fast": ("steps", "matrix"),
}
"""The keys that have a meaning only beside one of others."""


def kinds_schema() -> dict[str, Any]:
    """Say the same as JSON Schema."""
    idempotent = {"required": ["idempotent"], "properties": {"idempotent": {"const": True}}}
    return {
        "oneOf": [{"required": [kind]} for kind in KINDS],
        "dependentSchemas": {
            key: {"anyOf": [{"required": [other]} for other in fitting]} for key, fitting in FITS.items()
        },
        "if": {"required": ["deploy", "retry"]},
        "then": idempotent,
        "not": {"required": ["retry", "idempotent"], "properties": {"idempotent": {"const": False}}},
        "allOf": [
            {
                "if": {"not": {"required": ["driver"]}},
                "then": {
                    "properties": {
                        "with": {"additionalProperties": {"type": ["string", "number", "boolean"]}}
                    }
                },
            }
        ],
    }
