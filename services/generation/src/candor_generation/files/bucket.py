"""The logs in a bucket of any S3-compatible store that honours conditions on writes.

The keys are the paths of tlog-tiles, so that a bucket that is public can be read as the log itself.

Source: C2SP tlog-tiles
Spec: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from candor_generation.domain import tiles
from candor_generation.domain.tiles import Tile
from candor_generation.files import (
    CHECKPOINT,
    LogBrokenError,
    OvertakenError,
    Published,
    StoreAwayError,
    check_follows,
    checkpoint_text,
    credentials,
)

if TYPE_CHECKING:
    from obstore import Attributes, GetResult, PutMode, PutResult
    from obstore.store import S3Config

# Each waits for the network most of the time.
_WRITERS = 32
_TRIES = 3
_DROP_AT_ONCE = 1000
_LONGEST_KEY = 1024
# Tiles whose partial forms are remembered. More only come together while no checkpoint may be published.
_MOST_KNOWN = 1000
_MOST_SAID = 500
_PROBE = "conditional-writes"
_PROBE_TEXT = b"Here is tried whether the store honours conditions on writes.\n"
_NO_TAG = '"ffffffffffffffffffffffffffffffff"'
_FOREVER: Attributes = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "public, max-age=31536000, immutable",
}
_NEVER: Attributes = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}
# What is passed on; obstore itself reads the rest of the process's AWS_* variables, as of roles and of encryption.
_VARIABLES = {
    "AWS_ENDPOINT_URL": "endpoint",
    "AWS_ENDPOINT_URL_S3": "aws_endpoint_url_s3",
    "AWS_REGION": "region",
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
}
# A row of the database is locked while a checkpoint is put: whoever waits longer gives up, and begins anew.
_PATIENCE = timedelta(seconds=20)
_REQUEST = timedelta(seconds=10)
_CONNECT = timedelta(seconds=5)


class Bucket(Protocol):
    """What is asked of a store; obstore's stores have it. Keys are below the store's prefix."""

    def put(self, path: str, file: bytes, *, attributes: Attributes, mode: PutMode) -> PutResult:
        """Put an object on a condition. Raises AlreadyExistsError, PreconditionError, FileNotFoundError."""
        ...

    def get(self, path: str) -> GetResult:
        """Get an object. Raises FileNotFoundError."""
        ...

    def list(self, prefix: str, *, chunk_size: int) -> Iterable[Sequence[Any]]:
        """List what is below a prefix, a chunk at a time."""
        ...

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects, whether they are there or not."""
        ...


def open_store(url: str, environment: Mapping[str, str]) -> BucketStore:
    """The store at `s3://bucket/prefix`, as `open_bucket` finds it."""
    return BucketStore(open_bucket(url, environment))


def open_bucket(url: str, environment: Mapping[str, str]) -> S3Store:
    """A prefix of a bucket, `s3://bucket/prefix`; nothing is asked of it yet.

    Endpoint, region and credentials are what the AWS_* variables say. They MUST be allowed to get, put, delete and list
    objects there; without leave to list, a store says "forbidden" instead of "not there", and the log waits for it.

    Raises:
        ValueError: URL or variables do not make a store.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""
    config = {key: environment[name] for name, key in _VARIABLES.items() if environment.get(name)}
    try:
        return S3Store.from_url(
            url,
            config=cast("S3Config", config),
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": _CONNECT,
                "timeout": _REQUEST,
            },
            retry_config={"max_retries": _TRIES, "retry_timeout": _PATIENCE},
            credential_provider=credentials.named_in(environment),
        )
    except BaseError as error:
        raise ValueError(str(error)) from error


class BucketStore:
    """The bucket that the logs are in, as `<kind>/<period>/…`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._pool = ThreadPoolExecutor(_WRITERS, "log-files")

    def of(self, kind: str, period: str) -> BucketFiles:
        """The files of one log."""
        return BucketFiles(self._bucket, f"{kind}/{period}", self._pool)

    def check(self) -> None:
        """As the protocol says: some stores take conditions and ignore them, which is worse than refusing them."""
        self._is_refused("create", AlreadyExistsError)
        if not self._is_refused("create", AlreadyExistsError):
            raise LogBrokenError("the bucket's store ignores If-None-Match on writes; use one that does not")
        if not self._is_refused({"e_tag": _NO_TAG}, PreconditionError):
            raise LogBrokenError("the bucket's store ignores If-Match on writes; use one that does not")

    def _is_refused(self, mode: PutMode, refusal: type[BaseError]) -> bool:
        try:
            with _answering():
                self._bucket.put(_PROBE, _PROBE_TEXT, attributes=_NEVER, mode=mode)
        except refusal:
            return True
        except FileNotFoundError as error:
            raise _away(error) from error
        return False


class BucketFiles:
    """The prefix that is served as a log.

    Args:
        bucket: the store.
        prefix: of every key, without a slash at the end.
        pool: writes several objects at once.
    """

    def __init__(self, bucket: Bucket, prefix: str, pool: ThreadPoolExecutor) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._pool = pool
        self._seen: str | None = None
        self._e_tag: str | None = None
        self._partials: dict[Tile, set[str]] = {}
        self._swept: set[int | None] = set()

    def read(self, tile: Tile) -> bytes:
        """As the protocol says."""
        try:
            return self._get(tile.path)[0]
        except FileNotFoundError:
            if tile.width == tiles.WIDTH:
                raise
            return tiles.cut(tile, self._get(Tile(tile.level, tile.number).path)[0])

    def _get(self, path: str) -> tuple[bytes, Mapping[str, Any]]:
        key = f"{self._prefix}/{path}"
        if len(key) > _LONGEST_KEY:
            raise FileNotFoundError(f"{path} is longer than any key")
        with _answering():
            found = self._bucket.get(key)
            return bytes(found.bytes()), found.meta

    def write(self, written: Iterable[tuple[Tile, bytes]]) -> None:
        """As the protocol says: an object is durable once it is acknowledged."""
        for tile in self._pool.map(self._write_one, written):
            if tile.width != tiles.WIDTH:
                self._partials.setdefault(Tile(tile.level, tile.number), set()).add(tile.path)
        while len(self._partials) > _MOST_KNOWN:
            del self._partials[next(iter(self._partials))]

    def _write_one(self, item: tuple[Tile, bytes]) -> Tile:
        tile, content = item
        for _ in range(_TRIES):
            try:
                self._put(tile.path, content, _FOREVER, "create")
            except AlreadyExistsError:
                pass
            else:
                return tile
            try:
                present, _meta = self._get(tile.path)
            except FileNotFoundError:
                # Another write of it was under way, and is not there yet (409 ConditionalRequestConflict).
                continue
            if present != content:
                raise LogBrokenError(f"{tile.path} holds other bytes than the database gives; is it another log's?")
            return tile
        raise StoreAwayError(f"the logs' bucket: {tile.path} can be neither made nor read")

    def _put(self, path: str, content: bytes, attributes: Attributes, mode: PutMode) -> PutResult:
        try:
            with _answering():
                return self._bucket.put(f"{self._prefix}/{path}", content, attributes=attributes, mode=mode)
        except FileNotFoundError as error:
            if mode == "create":
                raise _away(error) from error
            raise

    def drop_partials(self, full: Iterable[Tile]) -> None:
        """As the protocol says.

        What this object wrote is known. What was there before it can only be of the first tile of each level that
        becomes full, so only that one is looked for.
        """
        keys: list[str] = []
        for tile in full:
            known = self._partials.pop(Tile(tile.level, tile.number), ())
            keys += [f"{self._prefix}/{path}" for path in known]
            if tile.level not in self._swept:
                self._swept.add(tile.level)
                self._drop_below(Tile(tile.level, tile.number, 1).path.rpartition("/")[0])
        if keys:
            with _answering():
                self._bucket.delete(keys)

    def _drop_below(self, folder: str) -> None:
        prefix = f"{self._prefix}/{folder}".rstrip("/")
        with _answering():
            for chunk in self._bucket.list(prefix, chunk_size=_DROP_AT_ONCE):
                self._bucket.delete([found["path"] for found in chunk])

    def reader(self, size: int) -> tiles.TileReader:
        """As the protocol says."""
        return tiles.TileReader(size, self.read)

    def published(self) -> Published | None:
        """As the protocol says."""
        found, self._e_tag = self._published()
        self._seen = None if found is None else found.checkpoint
        return found

    def _published(self) -> tuple[Published | None, str | None]:
        try:
            content, meta = self._get(CHECKPOINT)
        except FileNotFoundError:
            return None, None
        return Published(checkpoint_text(content), meta["last_modified"].timestamp()), meta["e_tag"]

    def checkpoint(self) -> str | None:
        """As the protocol says."""
        found = self.published()
        return None if found is None else found.checkpoint

    def publish(self, checkpoint: str) -> None:
        """As the protocol says: the store compares and replaces."""
        check_follows(self._seen, checkpoint)
        mode: PutMode = "create" if self._e_tag is None else {"e_tag": self._e_tag}
        try:
            e_tag = self._put(CHECKPOINT, checkpoint.encode(), _NEVER, mode)["e_tag"]
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as error:
            # A put may have been made, its answer lost, and the put that was tried again refused.
            found, e_tag = self._published()
            if found is None and mode == "create":
                raise _away(error) from error  # another put of it is under way (409), and not there yet
            if found is None or found.checkpoint != checkpoint:
                raise OvertakenError(f"{self._prefix}: another checkpoint was published meanwhile") from error
        self._seen, self._e_tag = checkpoint, e_tag

    def drop(self) -> None:
        """As the protocol says, the checkpoint first, so that nobody is shown a log that has lost tiles."""
        with _answering():
            self._bucket.delete([f"{self._prefix}/{CHECKPOINT}"])
        self._drop_below("")


@contextmanager
def _answering() -> Iterator[None]:
    """Whatever is no answer to the question is waited for: time-outs, 5xx, credentials that are not valid (yet)."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError, FileNotFoundError):
        raise
    except (BaseError, OSError) as error:
        raise _away(error) from error


def _away(error: Exception) -> StoreAwayError:
    said = " ".join(str(error).partition("Debug source")[0].split())
    return StoreAwayError(f"the logs' bucket: {said[:_MOST_SAID]}")
