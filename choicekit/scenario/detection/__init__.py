"""`kind: detection`: its blocks, and how a detection scenario becomes a study and a result."""
