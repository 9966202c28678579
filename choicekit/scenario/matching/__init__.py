"""`kind: matching`: mechanisms side by side, from YAML."""
