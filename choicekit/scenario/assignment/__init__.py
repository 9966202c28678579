"""`kind: assignment`: its blocks, and how an assignment scenario becomes a study and a result."""
