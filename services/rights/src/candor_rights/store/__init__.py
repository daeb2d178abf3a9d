"""SQL to domain and back, one module for each table. Every function works in its caller's transaction."""

from typing import Any

from psycopg import AsyncConnection

Connection = AsyncConnection[dict[str, Any]]
Row = dict[str, Any]
