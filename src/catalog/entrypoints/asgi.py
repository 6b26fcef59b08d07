"""`app`, for `litestar --app catalog.entrypoints.asgi:app …` and for any ASGI server."""

from .container import build_app_for_litestar
from .settings import load_settings

app = build_app_for_litestar(load_settings())
