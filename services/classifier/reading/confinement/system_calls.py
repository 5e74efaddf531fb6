"""The system calls of a process that reads mail: what Python, glibc and the decoders ask for once all is loaded.

The order of strictness is that of OpenSSH's and Chromium's sandboxes for such work: memory, time and threads are
allowed; what a library may try and do without is refused; what nothing honest asks for ends the process at once, so
that it is seen. Everything else is answered as by a kernel that does not know it (ENOSYS), which glibc is made for: a
newer one tries new calls first.
"""

from __future__ import annotations

import mmap
import os
import resource
import sys
from dataclasses import dataclass
from typing import Final

ALLOWED: Final = (
    # memory
    *("brk", "munmap", "mremap", "madvise"),
    # threads, which decoders of HEIC and WebP start
    *("futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getpid", "gettid", "exit"),
    # time and chance
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom"),
    # its own state
    *("getrusage", "sysinfo", "close", "exit_group"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
)

REFUSED: Final = (
    # files
    *("open", "openat", "openat2", "creat", "memfd_create", "stat", "lstat", "newfstatat", "statx"),
    *("access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd"),
    *("link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "rmdir"),
    *("mkdir", "mkdirat", "mknod", "mknodat", "truncate", "ftruncate", "chmod", "fchmod", "fchmodat", "ioctl"),
    # network
    *("socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown"),
    *("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg"),
)
"""Refused with EPERM: Python and libraries take that for «not there»."""

DEADLY: Final = (
    # other programs and processes
    *("execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise"),
    *("kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    # other rights
    *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups"),
    *("capset", "personality", "keyctl", "add_key", "request_key"),
    # another view of the system
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount", "open_tree", "move_mount"),
    *("open_by_handle_at", "name_to_handle_at"),
    # what bugs of the kernel are reached by
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "modify_ldt"),
    *("memfd_secret", "vmsplice"),
)
"""End the process by SIGSYS."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An argument of a call, counted from 0, must have `value` in the bits of `mask`."""

    argument: int
    value: int
    mask: int = 0xFFFF_FFFF


_NEW_THREAD: Final = 0x0001_0000 | 0x0000_0800 | 0x0000_0100
"""CLONE_THREAD, CLONE_SIGHAND and CLONE_VM: a thread, not a process."""
_NEW_NAMESPACES: Final = 0x7E02_0000
"""All of CLONE_NEW*, of linux/sched.h."""


def allowed_if() -> tuple[tuple[str, tuple[Condition, ...]], ...]:
    """The calls that are allowed with certain arguments alone; what the others are answered, is as any unknown call."""
    not_executable = (Condition(2, 0, mmap.PROT_EXEC),)
    return (
        ("read", (Condition(0, sys.__stdin__.fileno() if sys.__stdin__ else 0),)),
        ("write", (Condition(0, sys.__stdout__.fileno() if sys.__stdout__ else 1),)),
        ("mmap", not_executable),
        ("mprotect", not_executable),
        ("clone", (Condition(0, _NEW_THREAD, _NEW_THREAD | _NEW_NAMESPACES),)),
        ("tgkill", (Condition(0, os.getpid()),)),  # abort()
        ("prlimit64", (Condition(0, 0), Condition(1, resource.RLIMIT_CPU))),  # each mail gets its own
    )
