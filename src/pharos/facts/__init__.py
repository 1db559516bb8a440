"""Compact tables per UTC day, each derived from one day of events."""
