"""`python -m lineshaft.cli` is `lineshaft`."""

from lineshaft.cli import main

main()
