"""The toy service's own migrations."""
