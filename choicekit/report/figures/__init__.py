"""Figures of reports. Matplotlib is imported when the first one is drawn, never its global pyplot."""
