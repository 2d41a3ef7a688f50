"""Problems as workflow commands of GitHub Actions, which show them in the files of a change.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from typing import Final

from lineshaft.model.errors import Problem

_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotation(problem: Problem, file: str) -> str:
    """Say a problem as one line for GitHub.

    Args:
        problem: what is wrong.
        file: the file's path from the repository's root.
    """
    properties = {"file": file}
    if problem.line is not None:
        properties["line"] = str(problem.line)
        if problem.column is not None:
            properties["col"] = str(problem.column)
            if problem.length:
                properties["endColumn"] = str(problem.column + problem.length)
    if problem.field:
        properties["title"] = problem.field
    said = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    words = " ".join(word for word in (problem.field, problem.message) if word)
    if problem.advice:
        words += f"\n{problem.advice}"
    return f"::error {said}::{words.translate(_DATA)}"
