"""`kind: choice`: its blocks, and how a choice scenario becomes a study and a result."""
