"""Exit codes of commands: those that programs built with the SDK have as well."""

from lineshaft.sdk.exit_code import ExitCode

__all__ = ["ExitCode"]
