"""Servers that last as long as one command: those of the demo, of the tests, of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local import processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import Checkout, exclusive
from deploy.local.foreground import ignore_interrupts
from deploy.local.instance import Instance
from deploy.local.packages import Packages
from deploy.local.run_folder import make_run_folder
from deploy.local.set_up import set_up

TEMPORARY = ("demo", "test", "bench", "soak", "chaos")
"""The commands that have such servers."""
MEASURES = "bench"
"""The one of them for whose figures commits reach the disk and statements are counted."""


@contextmanager
def temporary_servers(checkout: Checkout, name: str, *, vhost: str = "helpdesk") -> Iterator[Instance]:
    """Set up, and launch empty servers under `.run/<name>-servers`; wait for them yourself when you need them.

    At the end of the block, however it is reached, nothing that was started since its beginning is left.
    """
    make_run_folder(checkout, ordinary_account())
    folder = checkout.run.resolve() / f"{name}-servers"
    packages = Packages(checkout.packages.resolve())
    instance = Instance(folder, packages, durable=False, vhost=vhost, measured=name == MEASURES)
    with exclusive(folder, name):
        try:
            with set_up(checkout, name) as progress:
                progress.servers()
                instance.launch()
            yield instance
        finally:
            ignore_interrupts()
            instance.stop()
            processes.end_descendants()
