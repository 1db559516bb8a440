"""The interactive page of the API. Works without the internet: all it needs is served from here."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

SWAGGER = "/static/swagger-ui-5.35.0"
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pharos Data API</title>
<link rel="stylesheet" href="{SWAGGER}/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{SWAGGER}/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script>
</body>
</html>
"""


async def docs(request: Request) -> Response:
    """The page, or the OpenAPI document for a client that asks for JSON."""
    accept = request.headers.get("accept", "")
    if "json" in accept and "html" not in accept:
        return JSONResponse(request.app.openapi())
    return HTMLResponse(PAGE)
