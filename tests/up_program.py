"""`lineshaft up`, or the command that is named, as a program for tests."""

import sys

from lineshaft.cli.app import run_command_line

if __name__ == "__main__":
    sys.exit(run_command_line(sys.argv[1:] or ["up"]))
