"""What goes wrong in front of a person: one sentence that says what to do, never a traceback."""

import errno
from pathlib import Path


class SetUpFailed(Exception):
    """The command cannot go on; its text is the whole message to the person who typed it."""


class CannotBeDoneThisWay(SetUpFailed):
    """The command was given what it cannot work with: another user, another word; its exit code is 2."""


class Busy(SetUpFailed):
    """Another command of this checkout holds what this one needs; waiting for it is enough."""


def disk_is_full(where: str = "") -> str:
    """The sentence for a disk without room, `where` in parentheses if it is known."""
    return f"The disk is full{where}: the first set-up needs about 1 GB; make room and try again."


def sentence(error: OSError) -> str:
    """What an operating system's error means for the person who typed the command."""
    where = f" ({Path(str(error.filename))})" if error.filename is not None else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return disk_is_full(where)
        case errno.EROFS:
            return f"This checkout cannot be written to{where}: clone it to a folder of your own and try again."
        case errno.EACCES | errno.EPERM:
            return (
                f"Not allowed{where}: this checkout or its .run belongs to another user "
                "(was an earlier command run with sudo?); clone it anew, or have its owner run `make clean`."
            )
        case errno.ENAMETOOLONG:
            return f"A path is too long{where}: clone the project to a shorter one."
        case errno.ENOENT:
            return f"A file or program is missing{where}: `make clean`, then try again."
        case _:
            return f"The system says: {error.strerror or error}{where}."
