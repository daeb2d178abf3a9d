"""`python -m candor_cli` is the `candor` command."""

from candor_cli.main import main

main()
