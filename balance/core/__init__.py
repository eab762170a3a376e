"""The pure core: frozen data and functions from state to state; no files, clocks or threads."""
