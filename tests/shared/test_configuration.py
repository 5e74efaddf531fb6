"""Bad configuration is one sentence for each variable; secrets are never shown."""

from pathlib import Path

import pytest

from shared.configuration import BrokerAdministration, ServiceConfiguration
from shared.errors import Misconfigured


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A complete environment, with secrets in files."""
    (tmp_path / "database_password_fetcher").write_text("data/base\n")
    (tmp_path / "amqp_password_fetcher").write_text("am@qp")
    monkeypatch.setenv("IMPORTER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv(
        "IMPORTER_DATABASE_URL", "postgresql://db.example:5432/helpdesk?sslmode=verify-full&sslrootcert=/ca"
    )
    monkeypatch.setenv("IMPORTER_AMQP_URL", "amqps://mq.example:5671/importer")
    return monkeypatch


def load() -> ServiceConfiguration:
    return ServiceConfiguration.load(service="fetcher")


def test_role_and_user_of_the_service_and_their_passwords_are_filled_in() -> None:
    configuration = load()
    assert configuration.database_dsn.get_secret_value() == (
        "postgresql://importer_fetcher:data%2Fbase@db.example:5432/helpdesk?sslmode=verify-full&sslrootcert=/ca"
    )
    assert configuration.amqp_dsn.get_secret_value() == "amqps://importer_fetcher:am%40qp@mq.example:5671/importer"


def test_credentials_in_the_address_win(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "database_password_fetcher").unlink()
    environment.setenv("IMPORTER_REQUIRE_TLS", "never")
    environment.setenv("IMPORTER_DATABASE_URL", "postgresql://other:word@db.example/helpdesk")
    assert load().database_dsn.get_secret_value() == "postgresql://other:word@db.example/helpdesk"


def test_a_secret_may_come_from_a_file_of_its_own_or_the_environment(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("from-file")
    environment.setenv("IMPORTER_DATABASE_PASSWORD_FETCHER_FILE", str(elsewhere))
    environment.setenv("IMPORTER_AMQP_PASSWORD_FETCHER", "from-environment")
    configuration = load()
    assert ":from-file@" in configuration.database_dsn.get_secret_value()
    assert ":from-environment@" in configuration.amqp_dsn.get_secret_value()


def test_no_secret_is_in_what_a_configuration_shows(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IMPORTER_AMQP_URL", "amqps://importer:in-address@mq.example/importer")
    configuration = load()
    for shown in (repr(configuration), str(configuration), configuration.model_dump_json()):
        assert "data/base" not in shown
        assert "data%2Fbase" not in shown
        assert "in-address" not in shown


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        pytest.param("DATABASE_URL", None, "IMPORTER_DATABASE_URL is not set", id="missing"),
        pytest.param("DATABASE_URL", "", "IMPORTER_DATABASE_URL is not set", id="empty"),
        pytest.param("DATABASE_URL", "mysql://h/d", "must start with postgresql://", id="another database"),
        pytest.param("AMQP_URL", "amqp:///vhost", "names no host", id="no host"),
        pytest.param("AMQP_URL", "amqp://h:port/v", "port in the address is not a number", id="bad port"),
        pytest.param("HEALTH_PORT", "99999", "a port, or 0 for a free one", id="no such port"),
        pytest.param("WORKERS", "0", "1 to 200", id="no workers"),
        pytest.param("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR", id="unknown level"),
    ],
)
def test_bad_configuration_names_the_variable_and_what_to_do(
    environment: pytest.MonkeyPatch, variable: str, value: str | None, sentence: str
) -> None:
    name = f"IMPORTER_{variable}"
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    with pytest.raises(Misconfigured) as raised:
        load()
    assert str(raised.value).startswith(f"{name} ")
    assert sentence in str(raised.value)


def test_every_bad_variable_has_a_line_and_no_value_is_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IMPORTER_DATABASE_URL", "mysql://root:hush@db/helpdesk")
    environment.setenv("IMPORTER_WORKERS", "many-hush")
    with pytest.raises(Misconfigured) as raised:
        load()
    lines = str(raised.value).splitlines()
    assert [line.split()[0] for line in lines] == ["IMPORTER_DATABASE_URL", "IMPORTER_WORKERS"]
    assert "hush" not in str(raised.value)


def test_a_missing_secret_says_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "amqp_password_fetcher").unlink()
    with pytest.raises(Misconfigured, match="IMPORTER_AMQP_PASSWORD_FETCHER_FILE") as raised:
        load()
    assert str(tmp_path / "amqp_password_fetcher") in str(raised.value)


def test_an_empty_secret_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "amqp_password_fetcher").write_text("\n")
    with pytest.raises(Misconfigured, match="is empty"):
        load()


def test_the_administrator_of_the_broker_has_a_login_of_his_own(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "amqp_password_admin").write_text("admin")
    environment.setenv("IMPORTER_RABBITMQ_MANAGEMENT_URL", "https://mq.example:15671")
    dsn = BrokerAdministration.load().management_dsn
    assert dsn.get_secret_value() == "https://importer_admin:admin@mq.example:15671"
