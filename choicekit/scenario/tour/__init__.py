"""The blocks and the run of `kind: tour`."""
