"""The web pages for course teams, over the Data API and the LMS."""
