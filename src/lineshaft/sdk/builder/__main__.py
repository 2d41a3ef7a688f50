"""`python -m lineshaft.sdk.builder FILE`: builds what a file says."""

from lineshaft.sdk.builder.command_line import main_of_file

if __name__ == "__main__":
    main_of_file()
