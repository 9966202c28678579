"""`kind: network`: its blocks, and how a network scenario becomes a study and a result."""
