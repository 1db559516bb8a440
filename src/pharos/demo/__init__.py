"""A simulated campus: learners, courses, tracking logs, LMS database and an LMS stand-in."""
