"""The rules of incidents, legal clocks, pages and reports. Nothing here reads a clock, a file or a socket."""
