"""The `docker` command of this machine and its Compose plugin; what they complain of becomes a sentence."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.console import step
from deploy.local.failure import SetUpFailed
from deploy.local.tools import Ended, plain_environment, run

# `up --wait` and files as configs and secrets all work from here on
_OLDEST_COMPOSE = (2, 20)


def refuse_missing() -> None:
    """Raise SetUpFailed unless there is a docker command, an engine that answers it, and Compose."""
    try:
        engine = run(["docker", "version", "--format", "{{.Server.Version}}"])
    except FileNotFoundError:
        raise SetUpFailed(
            "There is no `docker` here: install Docker Engine with its Compose plugin, "
            "or leave RUNTIME=docker away for private servers (Debian, Ubuntu)."
        ) from None
    if engine.code != 0:
        where = f" at {os.environ['DOCKER_HOST']}" if os.environ.get("DOCKER_HOST") else ""
        raise SetUpFailed(
            f"Docker does not answer{where}: does it run, and may this user talk to it (the group docker)? "
            f"It says: {engine.errors()}"
        )
    compose = run(["docker", "compose", "version", "--short"])
    version = re.match(r"v?(\d+)\.(\d+)", compose.output.strip())
    if compose.code != 0 or version is None:
        raise SetUpFailed(
            "Docker's Compose plugin is missing (`docker compose version` fails): install the package "
            "docker-compose-plugin of Docker's own repository, or docker-compose of Debian 13."
        )
    if (int(version[1]), int(version[2])) < _OLDEST_COMPOSE:
        oldest = ".".join(map(str, _OLDEST_COMPOSE))
        raise SetUpFailed(f"Docker Compose {compose.output.strip()} is too old: {oldest} or later is needed.")


def bring_image(name: str, variable: str) -> None:
    """Pull an image unless it is here; `variable` is what may name another."""
    if run(["docker", "image", "inspect", "--format", "{{.Id}}", name]).code == 0:
        return
    with step(f"pulled {name}"):
        pulled = run(["docker", "pull", "--quiet", name])
        if pulled.code != 0:
            raise SetUpFailed(
                f"The image {name} is not here and cannot be pulled: is this machine connected? "
                f"{variable} in the environment names another. Docker says: {pulled.errors()}"
            )


def remove_image(name: str) -> None:
    """Remove an image, if it is there."""
    run(["docker", "image", "rm", name])


def remove_volume(name: str) -> None:
    """Remove a volume that no container uses, and what it holds."""
    removed = run(["docker", "volume", "rm", name])
    if removed.code != 0:
        raise SetUpFailed(f"Docker's volume {name} cannot be removed: {removed.errors()}")


def has_volume(name: str) -> bool:
    """Whether a volume of this name holds data."""
    return run(["docker", "volume", "inspect", "--format", "{{.Name}}", name]).code == 0


@dataclass(frozen=True, slots=True)
class Container:
    """One container as Compose sees it: `state` running, exited, restarting, …; `health` empty without a check."""

    service: str
    name: str
    state: str
    health: str
    exit_code: int

    @property
    def runs(self) -> bool:
        """Whether it runs and says that it is well."""
        return self.state == "running" and self.health in ("", "healthy")

    @property
    def failed(self) -> bool:
        """Whether it ended badly, starts again and again, or is unwell."""
        return self.health == "unhealthy" or self.state in ("restarting", "dead") or self.exit_code != 0

    def condition(self) -> str:
        """Its state in words."""
        if self.state == "running":
            return f"running, {self.health}" if self.health else "running"
        if self.state == "restarting":
            return "it ends and is started again, over and over"
        return f"{self.state} with exit code {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Compose:
    """One Compose project: what `file` describes with the settings in `env_file`, which names the project too."""

    file: Path
    env_file: Path
    settings: Mapping[str, str]
    """Those of the file: the same names in our own environment must not win over it."""

    def command(self, *arguments: str) -> list[str]:
        """What somebody would type."""
        return ["docker", "compose", "--env-file", str(self.env_file), "--file", str(self.file), *arguments]

    def environment(self) -> dict[str, str]:
        """What Compose runs with."""
        return {
            name: value
            for name, value in plain_environment().items()
            if name not in self.settings and (not name.startswith("COMPOSE_") or name == "COMPOSE_PARALLEL_LIMIT")
        }

    def run(self, *arguments: str) -> Ended:
        """Run Compose to its end."""
        return run(self.command("--progress", "plain", *arguments), environment=self.environment())

    def must(self, *arguments: str) -> str:
        """Run Compose to its end; its output, or SetUpFailed with what it says."""
        done = self.run(*arguments)
        if done.code != 0:
            raise SetUpFailed(f"`docker compose {arguments[0]}` failed: {done.errors()}")
        return done.output

    def build(self, service: str) -> None:
        """Build a service's image; what has not changed is taken from Docker's cache."""
        done = self.run("build", service)
        if done.code != 0:
            log = self.env_file.with_name("build.log")
            log.write_text(done.output, encoding="utf-8")
            raise SetUpFailed(f"The image cannot be built: {done.errors()} (all of it: {log})")

    def up(self, *arguments: str, seconds: int) -> None:
        """Start services, or all, and wait until they are healthy; SetUpFailed says which is not, with its words."""
        done = self.run("up", "--detach", "--remove-orphans", "--wait", "--wait-timeout", str(seconds), *arguments)
        if done.code != 0:
            raise SetUpFailed(self._why(done))

    def secret_files(self) -> dict[str, set[Path]]:
        """The files of the secrets that each service is given."""
        described = json.loads(self.must("config", "--format", "json"))
        files = {name: Path(secret["file"]) for name, secret in described["secrets"].items()}
        return {
            name: {files[secret["source"]] for secret in service.get("secrets", ())}
            for name, service in described["services"].items()
        }

    def port(self, service: str, inside: int) -> list[str]:
        """Where a port of each container of a service is published, as `127.0.0.1:32768`."""
        listed = [json.loads(line) for line in self.must("ps", "--format", "json", service).splitlines()]
        return [
            f"{published['URL']}:{published['PublishedPort']}"
            for one in listed
            for published in one.get("Publishers") or ()
            if published["TargetPort"] == inside and published["PublishedPort"]
        ]

    def restarts(self, container: Container) -> int:
        """How often Docker has started it again by itself since it was made."""
        counted = run(["docker", "inspect", "--format", "{{.RestartCount}}", container.name])
        return int(counted.output) if counted.code == 0 else 0

    def containers(self) -> list[Container]:
        """All containers of the project, stopped ones too."""
        return parsed(self.must("ps", "--all", "--format", "json"))

    def last_words(self, service: str) -> str:
        """The last lines of a service's log, indented."""
        done = self.run("logs", "--no-color", "--no-log-prefix", "--tail", "8", service)
        lines = _ESCAPES.sub("", done.output).splitlines()
        return "\n".join(f"    {shortened(line)}" for line in lines) or "    (nothing)"

    def _why(self, done: Ended) -> str:
        if taken := taken_port(done.output):
            return (
                f"Port {taken} is taken by another program. The same command again chooses another, unless you chose "
                "this one: then stop that program."
            )
        failed = [container for container in self.containers() if container.failed]
        if not failed:
            return f"The containers do not start, Docker says: {done.errors()}"
        return "\n".join(
            f"{container.service} does not start ({container.condition()}){health_report(container)}. Its last words:\n"
            f"{self.last_words(container.service)}"
            for container in {container.service: container for container in failed}.values()
        )


def health_report(container: Container) -> str:
    """What an unhealthy container's own check said last."""
    if container.health != "unhealthy":
        return ""
    inspected = run(["docker", "inspect", "--format", "{{json .State.Health.Log}}", container.name])
    outputs = [check["Output"].strip() for check in json.loads(inspected.output)] if inspected.code == 0 else []
    return f": {outputs[-1].splitlines()[-1]}" if outputs and outputs[-1] else ""


def shortened(line: str) -> str:
    """A line of a log without its middle when it is long: what went wrong stands at the end of a traceback."""
    return line if len(line) <= 2 * _TELLING else f"{line[:_TELLING]} […] {line[-_TELLING:]}"


def parsed(listing: str) -> list[Container]:
    """What `docker compose ps --format json` prints: an object a line, or, before Compose 2.21, one array."""
    listed = []
    for line in listing.splitlines():
        if line.startswith("["):
            listed += json.loads(line)
        elif line.startswith("{"):
            listed.append(json.loads(line))
    return [
        Container(one["Service"], one["Name"], one["State"], one.get("Health", ""), int(one.get("ExitCode", 0)))
        for one in listed
    ]


_TELLING = 160
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TAKEN = re.compile(
    r"Bind for \S*?:(\d+) failed: port is already allocated|:(\d+): bind: address already in use"
    r"|exposing port TCP \S*?:(\d+)"
)


def taken_port(output: str) -> str | None:
    """The port that Docker could not publish, if that is what it complains of."""
    taken = _TAKEN.search(output)
    return next(filter(None, taken.groups()), None) if taken else None
