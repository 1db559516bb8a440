"""Runs jobs on a schedule, follows growing logs, and alerts people when something is wrong."""
