"""The local Kafka and PostgreSQL, and the runner behind make up, demo and tests."""

from candor_stack.errors import StackError
from candor_stack.home import StackDescription, find, home
from candor_stack.local import LocalStack, StackOptions
from candor_stack.postgres import PostgresOptions
from candor_stack.runner import Crash, Runner, RunnerOptions
from candor_stack.topics import TopicSpec, candor_topics, ensure_topics, service_topics

__all__ = [
    "Crash",
    "LocalStack",
    "PostgresOptions",
    "Runner",
    "RunnerOptions",
    "StackDescription",
    "StackError",
    "StackOptions",
    "TopicSpec",
    "candor_topics",
    "ensure_topics",
    "find",
    "home",
    "service_topics",
]
