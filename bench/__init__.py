"""What is measured, each against its peer, by one command: `make bench`."""
