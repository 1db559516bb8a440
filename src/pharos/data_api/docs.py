"""The interactive page of the API. It works without the internet: all its files are served from here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from pharos.data_api.access import SCHEME

SWAGGER = "../static/swagger-ui-5.35.0"  # of /docs/, wherever the service lives
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
<script src="../static/docs.js"></script>
</body>
</html>
"""


class Documented(FastAPI):
    """An application whose description says how to authenticate."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {})["securitySchemes"] = {
                SCHEME: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token KEY`, from `pharos token create`; or `JWT TOKEN`, from the LMS.",
                }
            }
        return super().openapi()


async def docs(request: Request) -> Response:
    """The page, or the OpenAPI document for a client that asks for JSON."""
    accept = request.headers.get("accept", "")
    if "json" in accept and "html" not in accept:
        return JSONResponse(request.app.openapi())
    return HTMLResponse(PAGE)
