"""What `make check` looks at: all of it fast, none of it needs a server."""

from concurrent.futures import ThreadPoolExecutor

from deploy.local.checkout import Checkout
from deploy.local.console import complain, say
from deploy.local.tools import Ended, plain_environment, run

# Name and command, the program being one of the virtual environment's. A generated document is registered here with
# the command that compares it with what it is generated from.
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", ("ruff", "check", "--quiet")),
    ("format", ("ruff", "format", "--check", "--quiet")),
    ("import boundaries", ("lint-imports", "--no-cache")),
    ("types", ("mypy",)),
    ("rules and their tests", ("python", "-m", "tests.rules", "--check")),
    ("tables of the mail rules", ("python", "-m", "tests.mail_rules", "--check")),
)


def passes(checkout: Checkout) -> bool:
    """Run every check and say how each went; whether all passed."""

    def look(arguments: tuple[str, ...]) -> Ended:
        program, *rest = arguments
        return run([checkout.program(program), *rest], environment=plain_environment(), folder=checkout.root)

    with ThreadPoolExecutor(max_workers=2) as pool:
        ended = list(pool.map(look, (arguments for _, arguments in CHECKS)))
    for (name, arguments), how in zip(CHECKS, ended, strict=True):
        if how.code == 0:
            say(f"  {name}: fine")
        else:
            complain(f"  {name}: `{' '.join(arguments)}` says\n{how.output.rstrip()}")
    return all(how.code == 0 for how in ended)
