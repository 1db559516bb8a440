"""Everything that talks to the LMS: database import, REST client, OAuth2."""
