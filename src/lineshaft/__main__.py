"""`python -m lineshaft` is `lineshaft`."""

from lineshaft.cli import main

main()
