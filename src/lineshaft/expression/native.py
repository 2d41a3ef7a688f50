"""The CEL library's Rust module, without the command line that its package imports beside it.

`import cel` also loads typer, rich and prompt_toolkit, for 0.15 s. The Rust module alone takes 2 ms.
Importing this module loads it, once, under the import system's own lock; so import it inside the functions
that need it.
"""

import importlib.util
import sys
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cel import Context, Program, compile  # noqa: A004 - The library's name for it.
else:

    def _load() -> ModuleType:
        """Load the Rust module, or take it from a program that has imported the whole package.

        Raises:
            ImportError: the library is not installed.
        """
        if loaded := sys.modules.get("cel.cel"):
            return loaded
        package = importlib.util.find_spec("cel")
        spec = PathFinder.find_spec("cel.cel", package and package.submodule_search_locations)
        if spec is None or spec.loader is None:
            raise ImportError(
                "The library common-expression-language is not installed; install lineshaft again."
            )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # A program that imports the whole package later gets this same module.
        sys.modules["cel.cel"] = module
        return module

    _cel = _load()
    Context, Program, compile = _cel.Context, _cel.Program, _cel.compile  # noqa: A001 - As above.

__all__ = ["Context", "Program", "compile"]
