"""The command line: every command, its output, and its exit code."""


def main() -> None:
    """Run the `lineshaft` command with the process's arguments, and exit with its code."""
    import sys

    from lineshaft.cli.app import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))
