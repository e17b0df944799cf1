"""Child processes that never outlive us: they end when we stop them, and also when we are killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_SET_DEATH_SIGNAL, _KEEP_CAPABILITIES, _AMBIENT, _AMBIENT_RAISE = 1, 8, 47, 2
_CAPABILITY_VERSION = 0x20080522
_DAC_OVERRIDE = 1
# Reads until the other end of the pipe is closed, by us or by our end; a dying server may still write a little.
_REMOVE_AT_END = 'cat; n=0; until rm -rf -- "$1" || [ $n -gt 50 ]; do n=$((n+1)); sleep 0.2; done'
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None

Child = subprocess.Popen[bytes]


class NotFromHere(RuntimeError):
    """Linux ends such a child with the *thread* that started it, so only the main thread may."""


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    user: tuple[int, int] | None = None,
) -> Child:
    """Starts `command` in a session of its own (Ctrl-C does not reach it); its output is appended to `log`.

    `user` is the (uid, gid) to become when we are root; file access stays root's, so no path needs to be opened up.
    The child gets `death_signal` when this process dies, in whatever way (Linux).
    """
    if _LINUX and threading.current_thread() is not threading.main_thread():
        raise NotFromHere(f"start {command[0]} from the main thread")
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the commands are ours
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_before_exec(death_signal, user),  # noqa: PLW1509 - nothing below takes a lock
        )


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: tuple[int, int] | None = None,
    timeout: float = 60,
) -> None:
    """Runs `command` to its end. Raises CalledProcessError with the end of its output, or TimeoutExpired."""
    child = spawn(command, log=log, env=env, user=user)
    try:
        code = child.wait(timeout)
    finally:
        end(child, signal.SIGKILL)
    if code != 0:
        raise subprocess.CalledProcessError(code, str(command[0]), tail(log))


def tell(child: Child, what: signal.Signals) -> None:
    """Sends a signal to a child that may be frozen or gone."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(what)
            child.send_signal(signal.SIGCONT)


def await_end(child: Child, deadline: float) -> int:
    """Waits for a child that was told to end; SIGKILL after `deadline` seconds. Returns its exit code."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(deadline)
    child.kill()
    return child.wait()


def end(child: Child, how: signal.Signals = signal.SIGTERM, deadline: float = 0) -> int:
    """Ends the child with `how`, and with SIGKILL after `deadline` seconds. Returns its exit code."""
    tell(child, how)
    return await_end(child, deadline)


class Scratch:
    """A new directory, removed when the block ends and also when this process is killed."""

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        self._prefix = prefix
        self._parent = parent

    def __enter__(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix=self._prefix, dir=self._parent))
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _REMOVE_AT_END, "guard", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return directory

    def __exit__(self, *_: object) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, or an empty string while there is none."""
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return ""


def await_that(ready: Callable[[], bool], child: Child, deadline: float, pause: float = 0.01) -> bool:
    """True when `ready` says so; False when the child is gone. Raises TimeoutError after `deadline` seconds."""
    until = time.monotonic() + deadline
    while child.poll() is None:
        if ready():
            return True
        if time.monotonic() > until:
            raise TimeoutError(f"{child.args!r} was not ready within {deadline} s")
        time.sleep(pause)
    return False


def _before_exec(death_signal: signal.Signals, user: tuple[int, int] | None) -> Callable[[], None]:
    parent = os.getpid()

    def in_child() -> None:
        if user is not None and os.geteuid() == 0:
            _become(*user)
        if _libc is not None:
            _libc.prctl(_SET_DEATH_SIGNAL, int(death_signal), 0, 0, 0)  # after setuid, which clears it
            if os.getppid() != parent:
                os._exit(1)

    return in_child


def _become(uid: int, gid: int) -> None:
    if _libc is not None:
        _libc.prctl(_KEEP_CAPABILITIES, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if _libc is not None:
        bit = 1 << _DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        _libc.capset(header, (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0))
        _libc.prctl(_AMBIENT, _AMBIENT_RAISE, _DAC_OVERRIDE, 0, 0)
