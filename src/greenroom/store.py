"""Object storage: the `Store` protocol, a durable local directory, and every cloud's bucket."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import from_url

from greenroom.errors import InvalidInput, NotFound, StoreRefused, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obstore.store import ObjectStore as Bucket

_CHUNK = 1 << 20
_TEMPORARY = ".tmp-"
_ENDPOINTS = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
_CLOUDS = ("s3", "gs", "az")


class Store(Protocol):
    """What Greenroom asks of storage. `location` is its URL or absolute path.

    Keys are relative, with `/` between their parts.

    Every method raises StoreUnreachable when no answer comes, which leaves a write's outcome
    open, and StoreRefused when the answer is no, which changes nothing.
    """

    @property
    def location(self) -> str: ...  # noqa: D102  # the class says it

    def create(self, key: str, data: bytes) -> bool:
        """Store small `data` at `key` unless something is there; tell whether it was stored."""

    def upload(self, key: str, path: Path) -> None:
        """Store a file of any size at `key`, in bounded memory; replacing is not an error."""

    def read(self, key: str) -> bytes:
        """Return the bytes at `key`, or raise NotFound."""

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give the bytes at `key` in pieces, or raise NotFound."""

    def size(self, key: str) -> int | None:
        """Return the size in bytes of what is at `key`, or None when nothing is."""

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        """Return the sorted keys below `folder` (empty or ending in `/`) that are past `after`.

        With a `limit`, that many are enough; fewer than that are all that there are.
        """

    def delete(self, key: str) -> None:
        """Remove what is at `key`; nothing there is not an error."""


def open_store(url: str, options: Mapping[str, str] | None = None) -> Store:
    """Return the store at an `s3://`, `gs://` or `az://` URL, or of a local directory.

    `options` are obstore's settings for that cloud, such as `endpoint` or `region`; what they
    leave out comes from the cloud's usual environment variables. Nothing is contacted yet.
    """
    if match := re.match(r"[A-Za-z][A-Za-z0-9+]+:", url):
        scheme = match[0][:-1]
        if scheme == "file":
            return LocalStore(Path(unquote(urlsplit(url).path)))
        if scheme not in _CLOUDS:
            raise InvalidInput(
                f"{url!r} names no registry: use a directory or s3://, gs://, az:// and a bucket"
            )
        return BucketStore(_open_bucket(url, dict(options or {})), url)
    return LocalStore(Path(url))


def _open_bucket(url: str, options: dict[str, str]) -> Bucket:
    client = {"timeout": "30s", "connect_timeout": "5s"}
    endpoints = (options.get("endpoint"), *map(os.environ.get, _ENDPOINTS))
    if any(endpoint and endpoint.startswith("http://") for endpoint in endpoints):
        client["allow_http"] = "true"
    retries = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
    try:
        return from_url(url, config=options, client_options=client, retry_config=retries)  # type: ignore[call-overload, no-any-return]
    except (exceptions.BaseError, ValueError) as error:
        raise InvalidInput(f"{url!r} cannot be opened: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class LocalStore:
    """A directory. A created file survives a power cut: written aside, synced, linked, synced."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.location = str(self._root)

    def create(self, key: str, data: bytes) -> bool:
        """See Store.create. The hard link is what makes exactly one writer win."""
        with self._faults(key), self._aside(key) as (path, temporary):
            temporary.write_bytes(data)
            _sync(temporary)
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                return False
            _sync(path.parent)
            return True

    def upload(self, key: str, path: Path) -> None:
        """See Store.upload."""
        with self._faults(key), self._aside(key) as (target, temporary):
            shutil.copyfile(path, temporary)
            _sync(temporary)
            temporary.replace(target)
            _sync(target.parent)

    def read(self, key: str) -> bytes:
        """See Store.read."""
        with self._faults(key):
            return (self._root / key).read_bytes()

    def chunks(self, key: str) -> Iterator[bytes]:
        """See Store.chunks."""
        with self._faults(key), (self._root / key).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def size(self, key: str) -> int | None:
        """See Store.size."""
        try:
            with self._faults(key):
                return (self._root / key).stat().st_size
        except NotFound:
            return None

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:  # noqa: ARG002  # a directory has no order to stop in
        """See Store.keys."""
        with self._faults(folder):
            found = [
                prefix + name
                for directory, _, names in os.walk(self._root / folder, onerror=_raise_denied)
                for prefix in [self._prefix(directory)]
                for name in names
                if not name.startswith(_TEMPORARY)
            ]
        return sorted(key for key in found if key > after)

    def _prefix(self, directory: str) -> str:
        path = Path(directory).relative_to(self._root).as_posix()
        return "" if path == "." else f"{path}/"

    def delete(self, key: str) -> None:
        """See Store.delete."""
        with self._faults(key):
            (self._root / key).unlink(missing_ok=True)

    @contextmanager
    def _faults(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"{self.location} holds no {key or 'registry'}") from error
        except OSError as error:
            what = f"{self.location} cannot be used: {error.strerror}"
            raise StoreRefused(f"{what}; check the path, its rights and the disk") from error

    @contextmanager
    def _aside(self, key: str) -> Iterator[tuple[Path, Path]]:
        path = self._root / key
        _make_directory(path.parent)
        temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            yield path, temporary
        finally:
            temporary.unlink(missing_ok=True)


def _make_directory(path: Path) -> None:
    if path.is_dir():
        return
    _make_directory(path.parent)
    path.mkdir(exist_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _raise_denied(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


class BucketStore:
    """A bucket, or a prefix in it, at any of the clouds that obstore speaks to."""

    def __init__(self, bucket: Bucket, url: str) -> None:
        self._bucket = bucket
        self.location = url

    def create(self, key: str, data: bytes) -> bool:
        """See Store.create. False may also mean that our own write won and its answer was lost."""
        try:
            with self._faults(key):
                obstore.put(self._bucket, key, data, mode="create", use_multipart=False)
        except exceptions.AlreadyExistsError:
            return False
        return True

    def upload(self, key: str, path: Path) -> None:
        """See Store.upload."""
        with self._faults(key):
            obstore.put(self._bucket, key, path)

    def read(self, key: str) -> bytes:
        """See Store.read."""
        with self._faults(key):
            return bytes(obstore.get(self._bucket, key).bytes())

    def chunks(self, key: str) -> Iterator[bytes]:
        """See Store.chunks."""
        with self._faults(key):
            for chunk in obstore.get(self._bucket, key).stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    def size(self, key: str) -> int | None:
        """See Store.size."""
        try:
            with self._faults(key):
                return obstore.head(self._bucket, key)["size"]
        except NotFound:
            return None

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        """See Store.keys. Some stores ignore the offset or the order, so both are done here."""
        found: set[str] = set()
        with self._faults(folder):
            for page in obstore.list(self._bucket, folder or None, offset=after or None):
                found.update(entry["path"] for entry in page if entry["path"] > after)
                if limit and len(found) >= limit:
                    break
        return sorted(found)

    def delete(self, key: str) -> None:
        """See Store.delete."""
        try:
            with self._faults(key):
                obstore.delete(self._bucket, key)
        except NotFound:
            return

    @contextmanager
    def _faults(self, key: str) -> Iterator[None]:
        try:
            yield
        except exceptions.AlreadyExistsError:
            raise
        except (exceptions.NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"{self.location} holds no {key}") from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise StoreRefused(
                f"{self.location} refuses access to {key or 'its keys'}; check the rights"
            ) from error
        except (exceptions.BaseError, OSError) as error:
            what = f"{self.location} did not answer: {_first_line(error)}"
            raise StoreUnreachable(
                f"{what}; check the address, the network and the credentials"
            ) from error
