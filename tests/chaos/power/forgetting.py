"""A disk that forgets: it replays a server's file operations, and keeps after a power cut only what was synced.

The model is the worst that a sound disk under a journalling file system (ext4, XFS, Btrfs) may do:

* A file keeps the bytes written before its last completed fsync or fdatasync *began*, and those written through O_SYNC
  or O_DSYNC. All other bytes and sizes revert to their old values.
* A name (create, rename, unlink, mkdir) is kept once its folder was synced, or the file itself, because these file
  systems then also sync the names of the folders above it. All other names revert.
* With `by_the_letter`, only a sync of its folder keeps a name, which is all that POSIX promises.
* `settle` keeps everything, as the operating system does on its own after half a minute. `leak` keeps a random half of
  the unsynced changes, possibly later writes without earlier ones, as a disk may.

Not modelled: a single write kept in part, and a disk that lies about syncs, against which there is no protection.
"""

import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.power.recording import BEYOND, OPENING, SYNCING, UNSEEN, WRITING, Call


class NotToldAllError(Exception):
    """The record misses something that the server did to its files, so it proves nothing."""


@dataclass(eq=False)
class Node:
    """A file or folder, as the server sees it and as the disk has it."""

    content: Path | None
    """Where the disk keeps a file's bytes; None for a folder."""
    home: "tuple[Node, str] | None" = None
    former: "list[tuple[Node, str]]" = field(default_factory=list)
    seen: "dict[str, Node]" = field(default_factory=dict)
    kept: "dict[str, Node]" = field(default_factory=dict)
    size: int = 0
    pending: "list[Change]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes written at an offset; without bytes, the offset is the new size."""

    offset: int
    data: bytes | None


@dataclass
class Handle:
    """An open file."""

    node: Node
    appends: bool
    synced: bool
    position: int = 0


class Disk:
    """A server's folder as the server sees it, and as it would be after a power cut."""

    def __init__(self, folder: Path, contents: Path, *, by_the_letter: bool = False) -> None:
        contents.mkdir(parents=True)
        self.folder = folder
        self.contents = contents
        self.by_the_letter = by_the_letter
        self.root = Node(None)
        self.handles: dict[int, Handle] = {}
        self.nodes = 0

    def play(self, calls: Iterable[Call]) -> None:
        """Replay calls; a sync keeps writes that had returned when it began, a close frees when it begins."""
        early = ("close", *SYNCING)
        for call in sorted(calls, key=lambda each: each.began if each.name in early else each.ended):
            try:
                self._do(call)
            except KeyError as error:
                raise NotToldAllError(f"{call.name} of {error}, which was never made") from error

    def settle(self) -> None:
        """Keep everything that the server sees."""
        for node in self._nodes():
            _keep_bytes(node, node.pending)
            node.kept = dict(node.seen)

    def leak(self, chance: random.Random) -> None:
        """Keep or forget each unsynced change at random."""
        for node in self._nodes():
            _keep_bytes(node, [change for change in node.pending if chance.random() < 0.5])
            for name in sorted(node.seen.keys() | node.kept.keys()):
                if chance.random() < 0.5:
                    _keep_name(node, name)

    def rebuild(self, target: Path, *, all_seen: bool = False) -> None:
        """Build the folder as it is after the cut, or with `all_seen` as the server last saw it. Works once."""
        target.mkdir(parents=True)
        for path, node in _walk(self.root, target, all_seen=all_seen):
            if node.content is None:
                path.mkdir()
            else:
                path.hardlink_to(node.content)
                if all_seen:
                    _apply(path, node.pending)

    def _nodes(self) -> list[Node]:
        """Return each file and folder that the server sees, parents first."""
        return [self.root, *(node for _, node in _walk(self.root, self.folder, all_seen=True))]

    def _do(self, call: Call) -> None:
        if call.name in UNSEEN:
            raise NotToldAllError(f"the server uses {call.name}")
        if call.name in OPENING:
            self._open_or_close(call)
        elif call.name in BEYOND:
            self._look(call)
        elif call.name in WRITING:
            self._write(call)
        elif call.name in SYNCING:
            if handle := self.handles.get(call.fd):
                self._sync(handle.node)
        else:
            self._name(call)

    def _open_or_close(self, call: Call) -> None:
        match call.name:
            case "close":
                self.handles.pop(call.fd, None)
            case "lseek":
                if handle := self.handles.get(call.fd):
                    handle.position = call.result
            case "openat":
                self._open(call, call.path(1), call.arguments[2])
            case "open":
                self._open(call, call.path(0), call.arguments[1])
            case _:
                self._open(call, call.path(0), "O_CREAT|O_TRUNC")

    def _open(self, call: Call, path: Path, flags: str) -> None:
        if (found := self._find(path)) is None:
            self.handles.pop(call.result, None)
            return
        folder, name = found
        node = self.root if path == self.folder else folder.seen.get(name)
        if node is None:
            self.nodes += 1
            node = Node(self.contents / str(self.nodes))
            (self.contents / str(self.nodes)).touch()
            _link(node, folder, name)
        self.handles[call.result] = Handle(node, "O_APPEND" in flags, "O_SYNC" in flags or "O_DSYNC" in flags)
        if "O_TRUNC" in flags:
            self._change(self.handles[call.result], Change(0, None))

    def _write(self, call: Call) -> None:
        if call.name == "truncate":
            raise NotToldAllError("truncate by path is not played")
        if (handle := self.handles.get(call.fd)) is None:
            return
        match call.name:
            case "ftruncate":
                self._change(handle, Change(int(call.arguments[1]), None))
            case "fallocate":
                self._allocate(handle, call)
            case "write" | "writev":
                offset = handle.node.size if handle.appends else handle.position
                handle.position = offset + call.result
                self._change(handle, Change(offset, call.data[: call.result]))
            case _:
                offset = int(call.arguments[-1 if call.name != "pwritev2" else -2])
                self._change(handle, Change(offset, call.data[: call.result]))

    def _allocate(self, handle: Handle, call: Call) -> None:
        if call.arguments[1] != "0":
            raise NotToldAllError(f"fallocate with {call.arguments[1]} is not played")
        end = int(call.arguments[2]) + int(call.arguments[3])
        self._change(handle, Change(max(end, handle.node.size), None))

    def _change(self, handle: Handle, change: Change) -> None:
        handle.node.pending.append(change)
        end = change.offset + len(change.data or b"")
        handle.node.size = end if change.data is None else max(end, handle.node.size)
        if handle.synced:
            self._sync(handle.node)

    def _sync(self, node: Node) -> None:
        """Keep the written bytes, and the names that are synced along with them."""
        _keep_bytes(node, node.pending)
        node.kept = dict(node.seen)
        if not self.by_the_letter:
            _keep_names(node)

    def _name(self, call: Call) -> None:
        places = [at for at, argument in enumerate(call.arguments) if argument.startswith('"')]
        found = [self._find(call.path(at)) for at in places]
        if None in found:
            if any(found):
                raise NotToldAllError(f"{call.name} across the edge of the folder")
            return
        (folder, name), *target = [each for each in found if each]
        match call.name:
            case "mkdir" | "mkdirat":
                _link(Node(None), folder, name)
            case "rename" | "renameat" | "renameat2":
                _link(_unlink(folder, name), *target[0])
            case _:
                _unlink(folder, name)

    def _look(self, call: Call) -> None:
        """Refuse calls that change files unseen: shared memory, links, copies, second handles."""
        if call.name == "mmap":
            private = "MAP_SHARED" not in call.arguments[3] or "PROT_WRITE" not in call.arguments[2]
            if private or int(call.arguments[4].split("<")[0]) not in self.handles:
                return
        elif not any(str(self.folder).encode().hex() in word.replace("\\x", "") for word in call.arguments):
            return
        raise NotToldAllError(f"the server uses {call.name} on its data")

    def _find(self, path: Path) -> tuple[Node, str] | None:
        """Return the parent folder and the name in it, or None for a path outside our folder."""
        if not path.is_relative_to(self.folder):
            return None
        folder = self.root
        parts = path.relative_to(self.folder).parts
        for part in parts[:-1]:
            folder = folder.seen[part]
        return folder, parts[-1] if parts else ""


def _link(node: Node, folder: Node, name: str) -> None:
    if name:
        if replaced := folder.seen.get(name):
            replaced.home = None
        folder.seen[name] = node
        node.home = (folder, name)


def _unlink(folder: Node, name: str) -> Node:
    node = folder.seen.pop(name)
    node.home = None
    node.former.append((folder, name))
    return node


def _keep_names(node: Node) -> None:
    """Keep a synced node's names up to the root, and drop its former ones, as a journalling file system does."""
    for folder, name in node.former:
        if folder.kept.get(name) is node and folder.seen.get(name) is not node:
            del folder.kept[name]
    node.former.clear()
    while node.home:
        folder, name = node.home
        folder.kept[name] = node
        node = folder


def _keep_name(folder: Node, name: str) -> None:
    """Put on the disk what the server sees under this name, which may be nothing."""
    if name in folder.seen:
        folder.kept[name] = folder.seen[name]
    else:
        folder.kept.pop(name, None)


def _keep_bytes(node: Node, changes: list[Change]) -> None:
    if node.content:
        _apply(node.content, changes)
        node.pending = []


def _apply(content: Path, changes: list[Change]) -> None:
    with content.open("r+b") as file:
        for change in changes:
            if change.data is None:
                file.truncate(change.offset)
            else:
                os.pwrite(file.fileno(), change.data, change.offset)


def _walk(folder: Node, path: Path, *, all_seen: bool) -> Iterator[tuple[Path, Node]]:
    for name, node in (folder.seen if all_seen else folder.kept).items():
        yield path / name, node
        yield from _walk(node, path / name, all_seen=all_seen)
