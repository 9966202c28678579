"""What the page says at each station: one module a station, with a ``TITLE`` and a function ``blocks``."""
