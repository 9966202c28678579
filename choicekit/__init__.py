"""choicekit."""
